#include <stdio.h>
#include <string.h>

#include "tui/model/control_parts.h"

/* The replay takes all keys while it is open. */

void control_replay_open(struct control *control, const struct control_view *view,
                         struct order *order)
{
    if (!control_take_target(control, view))
        return;
    player_open(&control->player, control->selected);
    order->kind = ORDER_REPLAY;
    memcpy(order->id, control->selected, FLEET_ID_MAX);
}

void control_replay_key(struct control *control, const struct control_view *view,
                        const struct chord *chord, struct order *order)
{
    const struct sandbox *sandbox = fleet_find(view->fleet, control->player.id);
    char file[FLEET_NAME_MAX + 8];
    switch (player_key(&control->player, chord)) {
    case PLAYER_LEAVES:
        control->player.open = false;
        break;
    case PLAYER_HELPS:
        list_help(control, view, KEYS_REPLAYING);
        break;
    case PLAYER_EXPORTS:
        snprintf(file, sizeof(file), "%s.cast", sandbox ? sandbox_own_name(sandbox) : "recording");
        control_open_prompt(control, PROMPT_EXPORT, file);
        break;
    case PLAYER_RELOADS:
        player_other_run(&control->player);
        order->kind = ORDER_REPLAY;
        memcpy(order->id, control->player.id, FLEET_ID_MAX);
        break;
    default:
        break;
    }
}

void control_replay_sync(struct control *control, const struct fleet *fleet, uint64_t now)
{
    struct player *player = &control->player;
    if (!player->open || strcmp(player->id, control->selected) == 0)
        return;
    if (!fleet_find(fleet, player->id))
        control_note(control, now, true, "the sandbox whose recording was played is gone");
    player->open = false;
}
