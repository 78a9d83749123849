#include "tui/model/menu.h"

#include <string.h>

#include "tui/keymap.h"

static const struct {
    const char *word;
    uint32_t seconds;
} durations[MENU_DURATIONS] = {{"30 minutes", 30 * 60},
                               {"8 hours", 8 * 60 * 60},
                               {"7 days", 7 * 24 * 60 * 60},
                               {"for good", 0}};

static const char *const scopes[] = {"this sandbox", "this project", "all", "this once"};

void menu_open(struct menu *menu, const struct request *request, bool deny)
{
    *menu = (struct menu){.open = true, .deny = deny, .high = request->risk == RISK_HIGH};
    memcpy(menu->request, request->id, sizeof(menu->request));
    line_set(&menu->reason, "");
}

int menu_scopes(const struct menu *menu)
{
    return menu->deny ? 4 : 3;
}

const char *menu_scope_word(enum menu_scope scope)
{
    return scopes[scope];
}

const char *menu_duration_word(int duration)
{
    return durations[duration].word;
}

bool menu_remembers(const struct menu *menu)
{
    return menu->scope != MENU_ONCE;
}

uint32_t menu_seconds(const struct menu *menu)
{
    return menu_remembers(menu) ? durations[menu->duration].seconds : 0;
}

const char *menu_sentence(const struct menu *menu, const struct details *details, const char **why)
{
    *why = NULL;
    if (!menu_remembers(menu))
        return NULL;
    bool mine = details && strcmp(details->wish.id, menu->request) == 0 &&
                details->wish.deny == menu->deny && details->wish.seconds == menu_seconds(menu);
    if (!mine || details->state == DETAILS_LOADING || details->state == DETAILS_NONE)
        *why = "asking the server what the rule would say";
    else if (details->state == DETAILS_FAILED)
        *why = details->error;
    else if (!details->rules_fit)
        *why = "this server does not say what such a rule would cover, so none is made";
    else if (!details_rule(details, (enum rule_scope)menu->scope))
        *why = menu->scope == MENU_PROJECT ? "it cannot be remembered for a project"
                                           : "it cannot be remembered: only this once";
    return *why ? NULL : details_rule(details, (enum rule_scope)menu->scope);
}

void menu_painted(struct menu *menu, const struct details *details, uint64_t now)
{
    const char *why;
    if (menu_remembers(menu) && !menu_sentence(menu, details, &why))
        return;
    if (menu->seen_since == 0)
        menu->seen_since = now ? now : 1;
    menu->seen_scope = menu->scope;
    menu->seen_duration = menu->duration;
    menu->seen_asking = menu->asking;
}

static bool wants_second_key(const struct menu *menu)
{
    bool widest = menu->scope == MENU_ALL && menu_seconds(menu) == 0;
    return widest || (menu->high && !menu->deny);
}

static enum menu_outcome enter(struct menu *menu, const struct details *details, uint64_t now,
                               const char **note)
{
    const char *why;
    if (menu_remembers(menu) && !menu_sentence(menu, details, &why)) {
        *note = why;
        return MENU_STAYS;
    }
    bool seen = menu->seen_since != 0 && now >= menu->seen_since &&
                now - menu->seen_since >= MENU_ARM_MS && menu->seen_scope == menu->scope &&
                menu->seen_duration == menu->duration;
    if (!seen) {
        *note = "not yet: read what it says first";
        return MENU_STAYS;
    }
    if (!wants_second_key(menu))
        return MENU_DECIDES;
    menu->asking = true;
    menu->seen_asking = false;
    return MENU_STAYS;
}

static int fields(const struct menu *menu)
{
    return menu->deny ? 3 : 2;
}

/* Another field; "only this once" has no time to choose. */
static void move(struct menu *menu, int by)
{
    int to = (int)menu->field + by;
    if (to == MENU_DURATION && !menu_remembers(menu))
        to += by;
    if (to >= 0 && to < fields(menu))
        menu->field = (enum menu_field)to;
}

static void choose(struct menu *menu, int choice)
{
    if (menu->field == MENU_SCOPE && choice >= 0 && choice < menu_scopes(menu))
        menu->scope = (enum menu_scope)choice;
    if (menu->field == MENU_DURATION && choice >= 0 && choice < MENU_DURATIONS)
        menu->duration = choice;
}

static int choice(const struct menu *menu)
{
    return menu->field == MENU_SCOPE ? (int)menu->scope : menu->duration;
}

static enum menu_outcome answer(struct menu *menu, enum action action, const char **note)
{
    if (action != ACTION_MENU_CONFIRM) {
        menu->asking = false;
        return action == ACTION_CLOSE ? MENU_LEAVES : MENU_STAYS;
    }
    if (!menu->seen_asking) {
        *note = "not yet: read the question first";
        return MENU_STAYS;
    }
    return MENU_DECIDES;
}

static void keep_short(struct menu *menu, const struct line *before)
{
    if (menu->reason.size >= MENU_REASON_MAX)
        menu->reason = *before;
}

void menu_paste(struct menu *menu, const char *text, size_t size)
{
    struct line before = menu->reason;
    if (menu->field != MENU_REASON || menu->asking)
        return;
    line_insert(&menu->reason, text, size);
    keep_short(menu, &before);
}

/* The reason is a line: its keys come before the menu's. */
static bool reason_key(struct menu *menu, const struct chord *chord)
{
    struct line before = menu->reason;
    if (menu->field != MENU_REASON || !line_key(&menu->reason, chord))
        return false;
    keep_short(menu, &before);
    return true;
}

enum menu_outcome menu_key(struct menu *menu, const struct details *details,
                           const struct chord *chord, uint64_t now, const char **note)
{
    unsigned nth;
    enum action action = keys_find_at(KEYS_MENU, chord, &nth);
    *note = NULL;
    if (menu->asking)
        return answer(menu, action, note);
    if (reason_key(menu, chord))
        return MENU_STAYS;
    switch (action) {
    case ACTION_MENU_UP:
        move(menu, -1);
        break;
    case ACTION_MENU_DOWN:
        move(menu, 1);
        break;
    case ACTION_MENU_LEFT:
        choose(menu, choice(menu) - 1);
        break;
    case ACTION_MENU_RIGHT:
        choose(menu, choice(menu) + 1);
        break;
    case ACTION_MENU_CHOOSE:
        choose(menu, (int)nth);
        break;
    case ACTION_MENU_ENTER:
        return enter(menu, details, now, note);
    case ACTION_CLOSE:
        return MENU_LEAVES;
    default:
        break;
    }
    return MENU_STAYS;
}
