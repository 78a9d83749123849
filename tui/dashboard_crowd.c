#include <stdio.h>
#include <string.h>

#include "transport/pack.h"
#include "tui/dashboard_state.h"

void crowd_tell(struct dashboard *dashboard)
{
    const struct control *control = &dashboard->control;
    for (size_t i = 0; i < dashboard->server_count; i++) {
        struct server_link *link = &dashboard->servers[i];
        bool here = control->selected[0] && server_of(dashboard, control->selected) == link;
        const char *id = here ? control->selected : "";
        bool typing = here && control->mode != CONTROL_SUPERVISE;
        if (!server_ready(link) ||
            (strcmp(id, link->looks_told) == 0 && typing == link->typing_told))
            continue;
        snprintf(link->looks_told, sizeof(link->looks_told), "%s", id);
        link->typing_told = typing;
        msgpack_packer *packer = bj_rpc_notify(&link->rpc, "client.focus");
        msgpack_pack_map(packer, 2);
        bj_pack_key_str(packer, "sandbox_id", origin_bare(id));
        bj_pack_key_bool(packer, "typing", typing);
        bj_rpc_send(&link->rpc);
    }
}
