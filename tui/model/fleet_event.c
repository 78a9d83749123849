#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/pack.h"
#include "tui/model/fleet_parts.h"

static int on_sandbox(struct fleet *fleet, const struct origin *origin, const msgpack_object *map)
{
    char id[FLEET_ID_MAX];
    origin_id(origin, map, "id", id);
    if (!id[0])
        return 0;
    struct sandbox *sandbox = fleet_find(fleet, id);
    if (!sandbox)
        sandbox = fleet_find_elsewhere(fleet, id);
    if (sandbox) {
        fleet_read_sandbox(sandbox, map, fleet->wall);
        return 1;
    }
    if (fleet->count + fleet->elsewhere == FLEET_SANDBOXES_MAX)
        return 0;
    sandbox = calloc(1, sizeof(*sandbox));
    if (!sandbox)
        return -ENOMEM;
    memcpy(sandbox->id, id, sizeof(id));
    sandbox->origin = origin;
    fleet_figures_unknown(&sandbox->figures);
    fleet_read_sandbox(sandbox, map, fleet->wall);
    if (sandbox->session[0] && strcmp(sandbox->session, fleet->session) != 0) {
        fleet->others[fleet->elsewhere++] = sandbox;
    } else {
        sandbox->pinned = fleet_is_pinned(fleet, id);
        sandbox->need = SIZE_MAX; /* last, until all are ordered anew */
        fleet->sandboxes[fleet->count++] = sandbox;
        fleet_sort(fleet);
        fleet_face_first(fleet, sandbox->id);
    }
    return 1;
}

/* Takes a request off the list; its panes show their next one. */
static void drop_request(struct fleet *fleet, size_t index)
{
    struct request *request = fleet->requests[index];
    fleet->request_count--;
    memmove(&fleet->requests[index], &fleet->requests[index + 1],
            (fleet->request_count - index) * sizeof(fleet->requests[0]));
    fleet_face_askers(fleet, request);
    request_free(request);
}

static void drop_asker(struct fleet *fleet, const char *sandbox_id)
{
    for (size_t i = fleet->request_count; i-- > 0;)
        if (request_asks(fleet->requests[i], sandbox_id) &&
            !request_leave(fleet->requests[i], sandbox_id))
            drop_request(fleet, i);
}

static void drop_alerts(struct fleet *fleet, const char *sandbox_id)
{
    size_t kept = 0;
    for (size_t i = 0; i < fleet->alert_count; i++)
        if (strcmp(fleet->alerts[i]->sandbox_id, sandbox_id) == 0)
            free(fleet->alerts[i]);
        else
            fleet->alerts[kept++] = fleet->alerts[i];
    fleet->alert_count = kept;
}

static int on_gone(struct fleet *fleet, const struct origin *origin, const msgpack_object *map)
{
    char id[FLEET_ID_MAX];
    origin_id(origin, map, "id", id);
    if (!id[0])
        return 0; /* alerts of no sandbox have no id, either */
    for (size_t i = 0; i < fleet->elsewhere; i++)
        if (strcmp(fleet->others[i]->id, id) == 0) {
            free(fleet->others[i]);
            fleet->others[i] = fleet->others[--fleet->elsewhere];
        }
    size_t index = fleet_index(fleet, id);
    if (index < fleet->count) {
        free(fleet->sandboxes[index]);
        fleet->count--;
        memmove(&fleet->sandboxes[index], &fleet->sandboxes[index + 1],
                (fleet->count - index) * sizeof(fleet->sandboxes[0]));
        fleet_sort(fleet);
    }
    drop_asker(fleet, id);
    drop_alerts(fleet, id);
    return 1;
}

/* A figure that is there as nil cannot be read on this host; one that is missing did not change. */
static void figure(const msgpack_object *map, const char *key, uint64_t *out)
{
    const msgpack_object *value = bj_get(map, key);
    if (value)
        *out = bj_get_uint(map, key, FIGURE_UNKNOWN);
}

static int on_stats(struct fleet *fleet, const struct origin *origin, const msgpack_object *map)
{
    const msgpack_object *list = bj_get(map, "sandboxes");
    if (!list || list->type != MSGPACK_OBJECT_ARRAY)
        return 0;
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *item = &list->via.array.ptr[i];
        char id[FLEET_ID_MAX];
        origin_id(origin, item, "id", id);
        struct sandbox *sandbox = fleet_find(fleet, id);
        if (!sandbox)
            continue;
        struct figures *figures = &sandbox->figures;
        if (bj_get(item, "cpu"))
            figures->cpu = bj_get_double(item, "cpu", -1);
        if (bj_get(item, "quiet"))
            figures->quiet = bj_get_double(item, "quiet", -1);
        fleet_read_doing(sandbox, item, fleet->wall);
        figure(item, "memory", &figures->memory);
        figure(item, "pids", &figures->pids);
        figure(item, "net_in", &figures->net_in);
        figure(item, "net_out", &figures->net_out);
        figure(item, "disk_read", &figures->disk_read);
        figure(item, "disk_write", &figures->disk_write);
    }
    return 1;
}

static bool is_elsewhere(const struct fleet *fleet, const struct request *request)
{
    size_t others = 0;
    for (size_t i = 0; i < fleet->elsewhere; i++)
        others += request_asks(request, fleet->others[i]->id);
    return others > 0 && others == request->asker_count;
}

/* Moves a request to its place; those of equal rank stay as they came. */
static void rank(struct fleet *fleet, struct request *request, size_t from)
{
    memmove(&fleet->requests[from], &fleet->requests[from + 1],
            (fleet->request_count - from - 1) * sizeof(fleet->requests[0]));
    size_t at = fleet->request_count - 1;
    for (; at > 0 && request_compare(request, fleet->requests[at - 1]) < 0; at--)
        fleet->requests[at] = fleet->requests[at - 1];
    fleet->requests[at] = request;
}

static int change_request(struct fleet *fleet, struct request *request, const msgpack_object *map)
{
    int status = request_update(request, map);
    size_t at = 0;
    while (fleet->requests[at] != request)
        at++;
    if (status == 1) {
        rank(fleet, request, at);
        /* A sandbox that does not ask any more may show another one. */
        for (size_t i = 0; i < fleet->count; i++)
            if (strcmp(fleet->sandboxes[i]->facing, request->id) == 0)
                fleet_face_first(fleet, fleet->sandboxes[i]->id);
        fleet_face_askers(fleet, request);
    }
    return status;
}

static int on_request(struct fleet *fleet, const struct origin *origin, const msgpack_object *map)
{
    char id[FLEET_ID_MAX];
    origin_id(origin, map, "id", id);
    struct request *request = fleet_request_find(fleet, id);
    if (request)
        return change_request(fleet, request, map);
    if (!id[0] || fleet->request_count == FLEET_REQUESTS_MAX)
        return 0;
    int status = request_read(&request, origin, map);
    if (status < 0)
        return status;
    if (is_elsewhere(fleet, request)) {
        request_free(request);
        return 0;
    }
    fleet->requests[fleet->request_count++] = request;
    rank(fleet, request, fleet->request_count - 1);
    fleet_face_askers(fleet, request);
    return 1;
}

static int on_request_gone(struct fleet *fleet, const struct origin *origin,
                           const msgpack_object *map)
{
    char id[FLEET_ID_MAX];
    origin_id(origin, map, "id", id);
    for (size_t i = 0; i < fleet->request_count; i++)
        if (strcmp(fleet->requests[i]->id, id) == 0) {
            memcpy(fleet->past.id, id, sizeof(id));
            field_copy(map, "outcome", fleet->past.outcome, sizeof(fleet->past.outcome));
            field_copy(map, "by", fleet->past.by, sizeof(fleet->past.by));
            const struct request *gone = fleet->requests[i];
            memcpy(fleet->past.sandbox, gone->sandbox, sizeof(fleet->past.sandbox));
            memcpy(fleet->past.title, gone->title, sizeof(fleet->past.title));
            fleet->past.seen = gone->painted_at != 0 && gone->pile == 1;
            drop_request(fleet, i);
            break;
        }
    return 1;
}

static int on_alert(struct fleet *fleet, const struct origin *origin, const msgpack_object *map)
{
    uint64_t id = bj_get_uint(map, "id", 0);
    struct alert *alert = NULL;
    for (size_t i = 0; !alert && i < fleet->alert_count; i++)
        if (fleet->alerts[i]->id == id && fleet->alerts[i]->origin == origin)
            alert = fleet->alerts[i];
    if (!alert) {
        alert = calloc(1, sizeof(*alert));
        if (!alert)
            return -ENOMEM;
        if (fleet->alert_count == FLEET_ALERTS_MAX) {
            free(fleet->alerts[0]);
            fleet->alert_count--;
            memmove(&fleet->alerts[0], &fleet->alerts[1],
                    fleet->alert_count * sizeof(fleet->alerts[0]));
        }
        fleet->alerts[fleet->alert_count++] = alert;
    }
    alert->id = id;
    alert->origin = origin;
    origin_name(origin, map, "sandbox", alert->sandbox);
    origin_id(origin, map, "sandbox_id", alert->sandbox_id);
    field_copy(map, "kind", alert->kind, sizeof(alert->kind));
    field_copy(map, "text", alert->text, sizeof(alert->text));
    const msgpack_object *severity = bj_get(map, "severity");
    alert->severity = bj_is_str(severity, "critical") ? 2 : bj_is_str(severity, "warning") ? 1 : 0;
    alert->count = bj_get_uint(map, "count", 1);
    alert->last = bj_get_double(map, "last", 0);
    alert->acknowledged = bj_get_bool(map, "acknowledged", false);
    return 1;
}

static int on_session(struct fleet *fleet, const struct origin *origin, const msgpack_object *map)
{
    if (origin->number > 0 || !bj_is_str(bj_get(map, "name"), fleet->session))
        return 0; /* the order of the panes is kept here */
    fleet_set_order(fleet, bj_get(map, "panes"), (size_t)bj_get_uint(map, "pinned", 0));
    return 1;
}

static int on_clients(struct fleet *fleet, const struct origin *origin, const msgpack_object *map)
{
    crowd_take(&fleet->crowd, origin, map);
    return 1;
}

static void record_figures(struct sandbox *sandbox)
{
    struct figures *figures = &sandbox->figures;
    bool alive = sandbox_alive(sandbox);
    float *cpu = figures->cpu_history, *memory = figures->memory_history;
    memmove(cpu, cpu + 1, (FLEET_HISTORY - 1) * sizeof(*cpu));
    memmove(memory, memory + 1, (FLEET_HISTORY - 1) * sizeof(*memory));
    cpu[FLEET_HISTORY - 1] = alive ? (float)figures->cpu : -1;
    memory[FLEET_HISTORY - 1] =
        alive && figures->memory != FIGURE_UNKNOWN ? (float)figures->memory : -1;
}

static const struct {
    const char *name;
    int (*take)(struct fleet *fleet, const struct origin *origin, const msgpack_object *map);
    bool asks; /* requests may have come, gone or changed */
} takers[] = {
    {"event.stats", on_stats, false},     {"event.sandbox", on_sandbox, true},
    {"event.gone", on_gone, true},        {"event.request", on_request, true},
    {"event.alert", on_alert, false},     {"event.request_gone", on_request_gone, true},
    {"event.session", on_session, false}, {"event.clients", on_clients, false},
};

int fleet_event_from(struct fleet *fleet, unsigned origin, const char *name,
                     const msgpack_object *params, struct bj_error *error)
{
    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
        if (strcmp(takers[i].name, name) != 0)
            continue;
        int status = takers[i].take(fleet, &fleet->origins[origin], params);
        if (takers[i].asks)
            fleet_pile(fleet);
        return status < 0 ? bj_fail(error, status, "out of memory") : status;
    }
    return 0;
}

int fleet_event(struct fleet *fleet, const char *name, const msgpack_object *params,
                struct bj_error *error)
{
    return fleet_event_from(fleet, 0, name, params, error);
}

void fleet_timeline(struct fleet *fleet, unsigned origin, const msgpack_object *map)
{
    char id[FLEET_ID_MAX];
    origin_id(&fleet->origins[origin], map, "id", id);
    struct sandbox *sandbox = fleet_find(fleet, id);
    if (sandbox)
        fleet_read_timeline(sandbox, map, fleet->wall);
}

void fleet_cut(struct fleet *fleet, unsigned origin, bool cut)
{
    fleet->origins[origin].cut = cut;
    if (!cut)
        return; /* its server says again what is so */
    fleet_forget_asked(fleet, origin);
    for (size_t i = 0; i < fleet->count; i++) {
        struct sandbox *sandbox = fleet->sandboxes[i];
        if (sandbox->origin->number == origin && sandbox_alive(sandbox) &&
            sandbox->doing.evidence != EVIDENCE_CUT)
            state_set(&sandbox->doing, DOING_UNKNOWN, EVIDENCE_CUT, fleet->wall, fleet->wall);
    }
}

void fleet_tick(struct fleet *fleet, double wall, bool second)
{
    fleet->wall = wall;
    for (size_t i = 0; second && i < fleet->count; i++)
        record_figures(fleet->sandboxes[i]);
    for (size_t i = 0; i < fleet->count; i++)
        state_tick(&fleet->sandboxes[i]->doing, wall);
}
