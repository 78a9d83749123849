#include "tui/model/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/pack.h"
#include "tui/model/form.h"
#include "tui/model/text.h"

int fleet_init(struct fleet *fleet, const char *session, struct bj_error *error)
{
    memset(fleet, 0, sizeof(*fleet));
    snprintf(fleet->session, sizeof(fleet->session), "%s", session);
    for (unsigned i = 0; i < ORIGINS_MAX; i++)
        fleet->origins[i].number = i;
    fleet->requests = calloc(FLEET_REQUESTS_MAX, sizeof(*fleet->requests));
    return fleet->requests ? 0 : bj_fail(error, -ENOMEM, "out of memory");
}

void fleet_forget_asked(struct fleet *fleet, unsigned origin)
{
    size_t kept = 0;
    for (size_t i = 0; i < fleet->request_count; i++)
        if (fleet->requests[i]->origin->number == origin)
            request_free(fleet->requests[i]);
        else
            fleet->requests[kept++] = fleet->requests[i];
    fleet->request_count = kept;
    kept = 0;
    for (size_t i = 0; i < fleet->alert_count; i++)
        if (fleet->alerts[i]->origin->number == origin)
            free(fleet->alerts[i]);
        else
            fleet->alerts[kept++] = fleet->alerts[i];
    fleet->alert_count = kept;
}

void fleet_free(struct fleet *fleet)
{
    for (unsigned origin = 0; origin < ORIGINS_MAX; origin++)
        fleet_forget_asked(fleet, origin);
    for (size_t i = 0; i < fleet->count; i++)
        free(fleet->sandboxes[i]);
    for (size_t i = 0; i < fleet->elsewhere; i++)
        free(fleet->others[i]);
    fleet->count = fleet->elsewhere = 0;
    free(fleet->requests);
    fleet->requests = NULL;
}

/* ---- looking up ---- */

size_t fleet_index(const struct fleet *fleet, const char *id)
{
    for (size_t i = 0; i < fleet->count; i++)
        if (strcmp(fleet->sandboxes[i]->id, id) == 0)
            return i;
    return fleet->count;
}

struct sandbox *fleet_find(const struct fleet *fleet, const char *id)
{
    size_t index = fleet_index(fleet, id);
    return index < fleet->count ? fleet->sandboxes[index] : NULL;
}

struct request *fleet_request_find(const struct fleet *fleet, const char *id)
{
    for (size_t i = 0; i < fleet->request_count; i++)
        if (strcmp(fleet->requests[i]->id, id) == 0)
            return fleet->requests[i];
    return NULL;
}

struct request *fleet_request(const struct fleet *fleet, const char *sandbox_id, size_t *count)
{
    const struct sandbox *sandbox = fleet_find(fleet, sandbox_id);
    struct request *first = NULL;
    *count = 0;
    for (size_t i = 0; i < fleet->request_count; i++) {
        struct request *request = fleet->requests[i];
        if (!request_asks(request, sandbox_id))
            continue;
        if (!first || (sandbox && strcmp(sandbox->facing, request->id) == 0))
            first = request;
        ++*count;
    }
    return first;
}

/* ---- what a pane shows ---- */

/* Lets a pane show the first of its requests, unless the one that it shows is on screen. */
static void face(struct fleet *fleet, const char *sandbox_id)
{
    struct sandbox *sandbox = fleet_find(fleet, sandbox_id);
    if (!sandbox)
        return;
    const struct request *now = fleet_request_find(fleet, sandbox->facing);
    if (now && now->painted_at && request_asks(now, sandbox_id))
        return;
    sandbox->facing[0] = '\0';
    for (size_t i = 0; i < fleet->request_count; i++)
        if (request_asks(fleet->requests[i], sandbox_id)) {
            memcpy(sandbox->facing, fleet->requests[i]->id, FLEET_ID_MAX);
            return;
        }
}

static void face_askers(struct fleet *fleet, const struct request *request)
{
    for (size_t i = 0; i < request->asker_count; i++)
        face(fleet, request->askers[i]);
}

void fleet_face(struct fleet *fleet, const char *sandbox_id, const struct request *request)
{
    struct sandbox *sandbox = fleet_find(fleet, sandbox_id);
    if (sandbox && request_asks(request, sandbox_id))
        memcpy(sandbox->facing, request->id, FLEET_ID_MAX);
}

/* ---- order ---- */

static size_t order_rank(const struct fleet *fleet, const char *id)
{
    for (size_t i = 0; i < fleet->order_count; i++)
        if (strcmp(fleet->order[i], id) == 0)
            return i;
    return fleet->order_count;
}

/* Saved ones first, in their order; then the rest by age. Insertion: it is sorted but for one. */
static void sort(struct fleet *fleet)
{
    for (size_t i = 1; i < fleet->count; i++) {
        struct sandbox *moving = fleet->sandboxes[i];
        size_t rank = order_rank(fleet, moving->id);
        size_t at = i;
        while (at > 0) {
            struct sandbox *before = fleet->sandboxes[at - 1];
            size_t other = order_rank(fleet, before->id);
            if (other < rank || (other == rank && before->created <= moving->created))
                break;
            fleet->sandboxes[at] = before;
            at--;
        }
        fleet->sandboxes[at] = moving;
    }
}

void fleet_set_order(struct fleet *fleet, const msgpack_object *ids)
{
    if (!ids || ids->type != MSGPACK_OBJECT_ARRAY)
        return;
    fleet->order_count = 0;
    for (uint32_t i = 0; i < ids->via.array.size && i < FLEET_SANDBOXES_MAX; i++) {
        const msgpack_object *id = &ids->via.array.ptr[i];
        if (id->type == MSGPACK_OBJECT_STR && id->via.str.size < FLEET_ID_MAX)
            text_clean(fleet->order[fleet->order_count++], FLEET_ID_MAX, id->via.str.ptr,
                       id->via.str.size);
    }
    sort(fleet);
}

void fleet_promote(struct fleet *fleet, size_t index)
{
    if (index >= fleet->count)
        return;
    struct sandbox *first = fleet->sandboxes[index];
    memmove(&fleet->sandboxes[1], &fleet->sandboxes[0], index * sizeof(first));
    fleet->sandboxes[0] = first;
    fleet->order_count = fleet->count;
    for (size_t i = 0; i < fleet->count; i++)
        memcpy(fleet->order[i], fleet->sandboxes[i]->id, FLEET_ID_MAX);
}

/* ---- events ---- */

static void copy_argv(struct sandbox *sandbox, const msgpack_object *argv)
{
    size_t length = 0;
    sandbox->command[0] = '\0';
    for (uint32_t i = 0; argv && argv->type == MSGPACK_OBJECT_ARRAY && i < argv->via.array.size;
         i++) {
        const msgpack_object *word = &argv->via.array.ptr[i];
        if (word->type != MSGPACK_OBJECT_STR || length + 2 >= sizeof(sandbox->command))
            continue;
        if (i > 0)
            sandbox->command[length++] = ' ';
        length += text_clean(sandbox->command + length, sizeof(sandbox->command) - length,
                             word->via.str.ptr, word->via.str.size);
    }
}

/* A word that cleaning would change is another word: such a command is not offered again. */
static void copy_line_of(struct sandbox *sandbox, const msgpack_object *argv)
{
    size_t used = 0;
    sandbox->line[0] = '\0';
    for (uint32_t i = 0; argv && argv->type == MSGPACK_OBJECT_ARRAY && i < argv->via.array.size;
         i++) {
        const msgpack_object *word = &argv->via.array.ptr[i];
        char clean[FLEET_LINE_MAX];
        bool same = word->type == MSGPACK_OBJECT_STR && word->via.str.size < sizeof(clean) &&
                    text_clean(clean, sizeof(clean), word->via.str.ptr, word->via.str.size) ==
                        word->via.str.size &&
                    memcmp(clean, word->via.str.ptr, word->via.str.size) == 0;
        size_t room = sizeof(sandbox->line) - used, size = room;
        if (same && used + 1 < sizeof(sandbox->line)) {
            if (i > 0)
                sandbox->line[used++] = ' ';
            room = sizeof(sandbox->line) - used;
            size = form_quote(sandbox->line + used, room, clean, word->via.str.size);
        }
        if (size >= room) {
            sandbox->line[0] = '\0';
            return;
        }
        used += size;
    }
}

static const char *const state_names[SANDBOX_STATES] = {"starting", "running", "waiting",
                                                        "paused",   "exited",  "lost"};

/* Part of events and of figures. */
static void read_doing(struct sandbox *sandbox, const msgpack_object *map, double wall)
{
    char doing[16], source[16];
    if (!bj_get(map, "doing"))
        return;
    field_copy(map, "doing", doing, sizeof(doing));
    field_copy(map, "source", source, sizeof(source));
    state_set(&sandbox->doing, state_doing(doing), state_source(source),
              bj_get_double(map, "since", -1), wall);
}

static void read_sandbox(struct sandbox *sandbox, const msgpack_object *map, double wall)
{
    char state[16];
    origin_name(sandbox->origin, map, "name", sandbox->name);
    field_copy(map, "session", sandbox->session, sizeof(sandbox->session));
    field_copy(map, "title", sandbox->title, sizeof(sandbox->title));
    field_copy(map, "error", sandbox->error, sizeof(sandbox->error));
    field_copy(map, "project", sandbox->project, sizeof(sandbox->project));
    field_copy(map, "driver", sandbox->driver, sizeof(sandbox->driver));
    copy_argv(sandbox, bj_get(map, "argv"));
    copy_line_of(sandbox, bj_get(map, "argv"));
    if (bj_get_copy(map, "view", sandbox->view, sizeof(sandbox->view)) >= sizeof(sandbox->view))
        sandbox->view[0] = '\0';
    field_copy(map, "state", state, sizeof(state));
    for (int i = 0; i < SANDBOX_STATES; i++)
        if (strcmp(state, state_names[i]) == 0)
            sandbox->state = (enum sandbox_state)i;
    sandbox->created = bj_get_double(map, "created", 0);
    sandbox->exit_code = (int)bj_get_int(map, "exit_code", 0);
    sandbox->exit_signal = (int)bj_get_int(map, "exit_signal", 0);
    field_copy(map, "agent_text", sandbox->agent_text, sizeof(sandbox->agent_text));
    read_doing(sandbox, map, wall);
    sandbox->alerts = (unsigned)bj_get_uint(map, "alerts", 0);
    sandbox->monitor_pid = bj_get_uint(map, "monitor_pid", 0);
    const msgpack_object *link = bj_get(map, "link");
    sandbox->link_up = !link || bj_is_str(link, "up");
    const msgpack_object *limits = bj_get(map, "limits");
    sandbox->limit_memory = bj_get_uint(limits, "memory", 0);
    sandbox->limit_millicpus = bj_get_uint(limits, "millicpus", 0);
    sandbox->limit_pids = bj_get_uint(limits, "pids", 0);
}

static void figures_unknown(struct figures *figures)
{
    *figures = (struct figures){.cpu = -1, .quiet = -1};
    figures->memory = figures->pids = FIGURE_UNKNOWN;
    figures->net_in = figures->net_out = FIGURE_UNKNOWN;
    figures->disk_read = figures->disk_write = FIGURE_UNKNOWN;
    for (int i = 0; i < FLEET_HISTORY; i++)
        figures->cpu_history[i] = figures->memory_history[i] = -1;
}

static int on_sandbox(struct fleet *fleet, const struct origin *origin, const msgpack_object *map)
{
    char id[FLEET_ID_MAX];
    origin_id(origin, map, "id", id);
    if (!id[0])
        return 0;
    struct sandbox *sandbox = fleet_find(fleet, id);
    if (sandbox) {
        read_sandbox(sandbox, map, fleet->wall);
        return 1;
    }
    for (size_t i = 0; i < fleet->elsewhere; i++)
        if (strcmp(fleet->others[i]->id, id) == 0) {
            read_sandbox(fleet->others[i], map, fleet->wall);
            return 1;
        }
    if (fleet->count + fleet->elsewhere == FLEET_SANDBOXES_MAX)
        return 0;
    sandbox = calloc(1, sizeof(*sandbox));
    if (!sandbox)
        return -ENOMEM;
    memcpy(sandbox->id, id, sizeof(id));
    sandbox->origin = origin;
    figures_unknown(&sandbox->figures);
    read_sandbox(sandbox, map, fleet->wall);
    if (sandbox->session[0] && strcmp(sandbox->session, fleet->session) != 0) {
        fleet->others[fleet->elsewhere++] = sandbox;
    } else {
        fleet->sandboxes[fleet->count++] = sandbox;
        sort(fleet);
        face(fleet, sandbox->id);
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
    face_askers(fleet, request);
    request_free(request);
}

static void drop_asker(struct fleet *fleet, const char *sandbox_id)
{
    for (size_t i = fleet->request_count; i-- > 0;)
        if (request_asks(fleet->requests[i], sandbox_id) &&
            !request_leave(fleet->requests[i], sandbox_id))
            drop_request(fleet, i);
}

static int on_gone(struct fleet *fleet, const struct origin *origin, const msgpack_object *map)
{
    char id[FLEET_ID_MAX];
    origin_id(origin, map, "id", id);
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
    }
    drop_asker(fleet, id);
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
        read_doing(sandbox, item, fleet->wall);
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
                face(fleet, fleet->sandboxes[i]->id);
        face_askers(fleet, request);
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
    face_askers(fleet, request);
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
    fleet_set_order(fleet, bj_get(map, "panes"));
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
} takers[] = {
    {"event.stats", on_stats},     {"event.sandbox", on_sandbox},
    {"event.gone", on_gone},       {"event.request", on_request},
    {"event.alert", on_alert},     {"event.request_gone", on_request_gone},
    {"event.session", on_session},
};

int fleet_event_from(struct fleet *fleet, unsigned origin, const char *name,
                     const msgpack_object *params, struct bj_error *error)
{
    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
        if (strcmp(takers[i].name, name) != 0)
            continue;
        int status = takers[i].take(fleet, &fleet->origins[origin], params);
        return status < 0 ? bj_fail(error, status, "out of memory") : status;
    }
    return 0;
}

int fleet_event(struct fleet *fleet, const char *name, const msgpack_object *params,
                struct bj_error *error)
{
    return fleet_event_from(fleet, 0, name, params, error);
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

/* ---- arming ---- */

void fleet_paint_begin(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->request_count; i++)
        fleet->requests[i]->painted = false;
}

void fleet_painted(struct request *request, uint64_t now_ms)
{
    request->painted = true;
    if (request->painted_at == 0)
        request->painted_at = now_ms ? now_ms : 1;
}

void fleet_paint_end(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->request_count; i++)
        if (!fleet->requests[i]->painted)
            fleet->requests[i]->painted_at = 0;
}

bool fleet_armed(const struct request *request, uint64_t now_ms)
{
    return request->painted_at != 0 && now_ms >= request->painted_at &&
           now_ms - request->painted_at >= FLEET_ARM_MS;
}
