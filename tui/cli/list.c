#include "tui/cli/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "transport/api.h"
#include "tui/cli/peer.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/cli/table.h"
#include "tui/model/units.h"
#include "tui/model/state.h"

/* The server looks twice, so that there is a share of the CPU: at once, and 150 ms after that. */
#define STATS_WAIT_MS 400

#define FIGURES                                                                                    \
    {"STATE", false}, {"CPU", true}, {"MEM", true}, {"PROCS", true}, {"AGE", true}, {"REQ", true}, \
        {"ALERTS", true}, {"COMMAND", false}, {NULL, false},

static const struct table_column columns[] = {{"NAME", false}, FIGURES};
static const struct table_column columns_of_sessions[] = {
    {"NAME", false}, {"SESSION", false}, FIGURES};

static const char *const styles[DOINGS] = {
    [DOING_UNKNOWN] = "2",  [DOING_EXITED] = "2",    [DOING_IDLE] = "2",
    [DOING_PAUSED] = "34",  [DOING_STARTING] = "36", [DOING_THINKING] = "36",
    [DOING_RUNNING] = "32", [DOING_FAILED] = "31",   [DOING_LOST] = "31",
    [DOING_STUCK] = "31",   [DOING_INPUT] = "1;33",  [DOING_VERDICT] = "1;33",
};

/* What one `ls` has gathered. */
struct gathered {
    json_t *sandboxes; /* array, as sandbox.list gives it */
    bool figures;      /* event.stats came */
    size_t missing;    /* running sandboxes without figures */
};

/* Figures come in the order of the list: the search begins at `at`, and moves it behind what it
 * found. */
static json_t *by_id(const json_t *list, const char *id, size_t *at)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(list, (*at + i) % count);
        if (strcmp(report_text(item, "id"), id) == 0) {
            *at = (*at + i + 1) % count;
            return item;
        }
    }
    return NULL;
}

static bool is_alive(const json_t *sandbox)
{
    const char *state = report_text(sandbox, "state");
    return strcmp(state, "running") == 0 || strcmp(state, "waiting") == 0 ||
           strcmp(state, "paused") == 0;
}

/* What the figures say anew. */
static const char *const judged[] = {"doing", "source", "since"};

static void on_event(struct peer *peer, const char *name, const json_t *params)
{
    struct gathered *gathered = peer->owner;
    json_t *figures, *sandbox;
    size_t index, at = 0;
    if (strcmp(name, "event.stats") != 0 || !gathered->sandboxes)
        return;
    json_array_foreach(json_object_get(params, "sandboxes"), index, figures)
    {
        sandbox = by_id(gathered->sandboxes, report_text(figures, "id"), &at);
        if (!sandbox)
            continue;
        json_object_set(sandbox, "stats", figures);
        for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++)
            json_object_set(sandbox, judged[i], json_object_get(figures, judged[i]));
    }
    gathered->missing = 0;
    json_array_foreach(gathered->sandboxes, index, sandbox) gathered->missing +=
        is_alive(sandbox) &&
        !json_is_number(json_object_get(json_object_get(sandbox, "stats"), "cpu"));
    gathered->figures = gathered->missing == 0;
}

static int gather(struct peer *server, struct gathered *gathered, json_t **status,
                  struct bj_error *error)
{
    struct peer_reply replies[3];
    server->event = on_event;
    server->owner = gathered;
    peer_send(server, "sandbox.list", NULL, &replies[0]);
    peer_send(server, "server.status", NULL, &replies[1]);
    int code = peer_wait(server, replies, 2, PEER_TIMEOUT_MS, error);
    if (code < 0)
        return code;
    gathered->sandboxes = replies[0].result;
    *status = replies[1].result;
    for (size_t i = 0; i < 2; i++)
        if (!replies[i].result)
            return bj_fail(error, replies[i].error.code, "%s", replies[i].error.text);

    json_t *sandbox;
    size_t index;
    bool wanted = false;
    json_array_foreach(gathered->sandboxes, index, sandbox) wanted = wanted || is_alive(sandbox);
    if (!wanted)
        return 0;
    peer_send(server, "events.subscribe", NULL, &replies[2]);
    code = peer_wait(server, &replies[2], 1, PEER_TIMEOUT_MS, error);
    if (code < 0)
        return code;
    json_decref(replies[2].result);
    peer_listen(server, &gathered->figures, STATS_WAIT_MS, NULL);
    return 0;
}

/* In the dashboard's words and symbols. */
static void add_state(struct table *table, const json_t *sandbox)
{
    enum doing doing = state_doing(report_text(sandbox, "doing"));
    const char *glyph = state_glyph(doing, !report_unicode());
    long long signal = report_number(sandbox, "exit_signal");
    bool exited = doing == DOING_EXITED || doing == DOING_FAILED;
    if (exited && signal > 0)
        table_add(table, styles[doing], "%s exited: signal %lld", glyph, signal);
    else if (exited)
        table_add(table, styles[doing], "%s exited %lld", glyph,
                  report_number(sandbox, "exit_code"));
    else
        table_add(table, styles[doing], "%s %s", glyph, state_word(doing));
}

static void add_size(struct table *table, const json_t *value)
{
    char text[UNIT_TEXT_MAX] = "-";
    if (json_is_number(value) && json_number_value(value) >= 0)
        unit_size_text((uint64_t)json_number_value(value), text);
    table_add(table, NULL, "%s", text);
}

static void add_command(struct table *table, const json_t *sandbox)
{
    char *line = NULL;
    size_t size = 0, index;
    const json_t *word;
    FILE *out = open_memstream(&line, &size);
    if (!out) {
        table->failed = true;
        return;
    }
    json_array_foreach(json_object_get(sandbox, "argv"), index, word) fprintf(
        out, "%s%s", index ? " " : "", json_string_value(word) ? json_string_value(word) : "");
    if (fclose(out) == 0)
        table_add(table, NULL, "%s", line);
    else
        table->failed = true;
    free(line);
}

static void add_count(struct table *table, long long count, const char *style)
{
    table_add(table, count ? style : NULL, "%lld", count);
}

static bool has_sessions(const json_t *sandboxes)
{
    const json_t *sandbox;
    size_t index;
    json_array_foreach(sandboxes, index, sandbox)
    {
        if (strcmp(report_text(sandbox, "session"), BJ_SESSION_DEFAULT) != 0)
            return true;
    }
    return false;
}

static void add_row(struct table *table, const json_t *sandbox, bool sessions)
{
    char age[UNIT_TEXT_MAX];
    const json_t *stats = is_alive(sandbox) ? json_object_get(sandbox, "stats") : NULL;
    const json_t *cpu = json_object_get(stats, "cpu"), *pids = json_object_get(stats, "pids");
    long long seconds = (long long)time(NULL) - report_number(sandbox, "created");
    unit_age_text(seconds > 0 ? (uint64_t)seconds : 0, age);
    table_add(table, "1", "%s", report_text(sandbox, "name"));
    if (sessions)
        table_add(table, NULL, "%s", report_text(sandbox, "session"));
    add_state(table, sandbox);
    if (json_is_number(cpu))
        table_add(table, NULL, "%.0f%%", json_number_value(cpu));
    else
        table_add(table, NULL, "-");
    add_size(table, json_object_get(stats, "memory"));
    if (json_is_number(pids))
        table_add(table, NULL, "%.0f", json_number_value(pids));
    else
        table_add(table, NULL, "-");
    table_add(table, NULL, "%s", age);
    add_count(table, report_number(sandbox, "requests"), "1;33");
    add_count(table, report_number(sandbox, "alerts"), "31");
    add_command(table, sandbox);
}

/* Which of the limits nobody enforces on this machine, as "memory, cpus". */
static void print_unenforced(const json_t *status)
{
    const char *key, *before = "limits not enforced here: ";
    json_t *mechanism;
    json_object_foreach(json_object_get(status, "limits"), key,
                        mechanism) if (json_string_value(mechanism) &&
                                       strcmp(json_string_value(mechanism), "none") == 0)
    {
        printf("%s%s", before, key);
        before = ", ";
    }
    if (strcmp(before, ", ") == 0)
        puts(" (see belljar doctor)");
}

static int print(const struct gathered *gathered, const json_t *status)
{
    struct table table;
    const json_t *sandbox;
    size_t index;
    if (json_array_size(gathered->sandboxes) == 0) {
        puts("no sandboxes: belljar run -- COMMAND starts one");
        print_unenforced(status);
        return report_end();
    }
    bool sessions = has_sessions(gathered->sandboxes); /* which one to attach to */
    table_init(&table, sessions ? columns_of_sessions : columns);
    json_array_foreach(gathered->sandboxes, index, sandbox) add_row(&table, sandbox, sessions);
    int failed = table_print(&table, stdout, report_colour(stdout), report_columns(stdout));
    table_free(&table);
    if (failed < 0)
        return report_failure("out of memory");
    print_unenforced(status);
    return report_end();
}

int list_sandboxes(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct gathered gathered = {0};
    struct peer server;
    json_t *status = NULL;
    if (sandbox_server(paths, true, &server, &error) < 0)
        return report_error(&error);
    int failed = gather(&server, &gathered, &status, &error);
    peer_close(&server);
    int code = failed < 0               ? report_error(&error)
               : args_set(args, "json") ? report_json(json_incref(gathered.sandboxes))
                                        : print(&gathered, status);
    json_decref(gathered.sandboxes);
    json_decref(status);
    return code;
}
