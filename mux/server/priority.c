#include "mux/server/priority.h"

#include <string.h>

#include "mux/resource/weight.h"
#include "mux/server/client.h"
#include "mux/server/pace.h"
#include "mux/server/server.h"

static bool selected(const struct server *server, const char *id)
{
    for (size_t i = 0; i < server->sessions.count; i++) {
        const struct session *session = &server->sessions.list[i];
        /* A dashboard in which nothing was selected yet shows its first pane so. */
        const char *shown =
            session->selected[0] || session->count == 0 ? session->selected : session->panes[0];
        if (strcmp(shown, id) == 0 && clients_count(server, session->name) > 0)
            return true;
    }
    return false;
}

static bool watched(const struct server *server)
{
    for (size_t i = 0; i < server->sessions.count; i++)
        if (clients_count(server, server->sessions.list[i].name) > 0)
            return true;
    return false;
}

void priority_update(struct server *server)
{
    bool any = watched(server);
    for (size_t i = 0; i < server->sandbox_count; i++) {
        struct sandbox *sandbox = server->sandboxes[i];
        const struct record *record = &sandbox->record;
        enum weight weight = !any                           ? WEIGHT_FULL
                             : selected(server, record->id) ? WEIGHT_FIRST
                                                            : WEIGHT_SMALL;
        if (!sandbox->link_up || weight == sandbox->weight)
            continue;
        sandbox->weight = weight;
        if (weight != WEIGHT_SMALL)
            pace_end(sandbox);
        weight_set(&server->cgroups, record->cgroup, record->init.pid, record->monitor.pid, weight);
    }
}
