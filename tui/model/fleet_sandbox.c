#include <string.h>

#include "transport/pack.h"
#include "tui/model/fleet_parts.h"
#include "tui/model/form.h"
#include "tui/model/text.h"

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
    sandbox->line_hidden = false;
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
            sandbox->line_hidden = true;
            return;
        }
        used += size;
    }
}

static const char *const state_names[SANDBOX_STATES] = {"starting", "running", "waiting",
                                                        "paused",   "exited",  "lost"};

void fleet_read_doing(struct sandbox *sandbox, const msgpack_object *map, double wall)
{
    char doing[16], source[16];
    if (!bj_get(map, "doing"))
        return;
    field_copy(map, "doing", doing, sizeof(doing));
    field_copy(map, "source", source, sizeof(source));
    state_set(&sandbox->doing, state_doing(doing), state_source(source),
              bj_get_double(map, "since", -1), wall);
}

/* Runs of [doing, steps]; an older server has none. */
void fleet_read_timeline(struct sandbox *sandbox, const msgpack_object *map, double wall)
{
    const msgpack_object *list = bj_get(map, "timeline");
    enum doing steps[STATE_SAMPLES + 1];
    size_t count = 0;
    if (!list || list->type != MSGPACK_OBJECT_ARRAY)
        return;
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *run = &list->via.array.ptr[i];
        if (run->type != MSGPACK_OBJECT_ARRAY || run->via.array.size != 2)
            return;
        const msgpack_object *word = &run->via.array.ptr[0], *length = &run->via.array.ptr[1];
        if (word->type != MSGPACK_OBJECT_STR || length->type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
            length->via.u64 > STATE_SAMPLES + 1 - count)
            return;
        char doing[16];
        snprintf(doing, sizeof(doing), "%.*s", (int)word->via.str.size, word->via.str.ptr);
        for (uint64_t k = 0; k < length->via.u64; k++)
            steps[count++] = state_doing(doing);
    }
    state_recall(&sandbox->doing, steps, count, wall);
}

void fleet_read_sandbox(struct sandbox *sandbox, const msgpack_object *map, double wall)
{
    char state[16];
    origin_name(sandbox->origin, map, "name", sandbox->name);
    field_copy(map, "session", sandbox->session, sizeof(sandbox->session));
    field_copy(map, "title", sandbox->title, sizeof(sandbox->title));
    field_copy(map, "error", sandbox->error, sizeof(sandbox->error));
    field_copy(map, "project", sandbox->project, sizeof(sandbox->project));
    field_copy(map, "driver", sandbox->driver, sizeof(sandbox->driver));
    copy_argv(sandbox, bj_get(map, "argv"));
    field_copy(map, "agent", sandbox->agent, sizeof(sandbox->agent));
    field_copy(map, "policy", sandbox->policy, sizeof(sandbox->policy));
    copy_line_of(sandbox, bj_get(map, sandbox->agent[0] ? "arguments" : "argv"));
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
    fleet_read_doing(sandbox, map, wall);
    sandbox->alerts = (unsigned)bj_get_uint(map, "alerts", 0);
    sandbox->monitor_pid = bj_get_uint(map, "monitor_pid", 0);
    const msgpack_object *link = bj_get(map, "link");
    sandbox->link_up = !link || bj_is_str(link, "up");
    const msgpack_object *limits = bj_get(map, "limits");
    sandbox->limit_memory = bj_get_uint(limits, "memory", 0);
    sandbox->limit_millicpus = bj_get_uint(limits, "millicpus", 0);
    sandbox->limit_pids = bj_get_uint(limits, "pids", 0);
    sandbox->limit_disk = bj_get_uint(limits, "disk", 0);
    sandbox->limit_egress = bj_get_uint(limits, "egress", 0);
    sandbox->limit_clock = bj_get_uint(limits, "wall_clock", 0);
    field_join(map, "env", sandbox->variables, sizeof(sandbox->variables));
    sandbox->record_limit = bj_get_uint(map, "record_limit", 0);
}

void fleet_figures_unknown(struct figures *figures)
{
    *figures = (struct figures){.cpu = -1, .quiet = -1};
    figures->memory = figures->pids = FIGURE_UNKNOWN;
    figures->net_in = figures->net_out = FIGURE_UNKNOWN;
    figures->disk_read = figures->disk_write = FIGURE_UNKNOWN;
    for (int i = 0; i < FLEET_HISTORY; i++)
        figures->cpu_history[i] = figures->memory_history[i] = -1;
}
