#include "tui/cli/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/socket.h"
#include "tui/cli/report.h"
#include "tui/connect.h"

int sandbox_server(const struct bj_paths *paths, bool start, struct peer *peer,
                   struct bj_error *error)
{
    int descriptor = connect_server(paths, start, error);
    if (descriptor < 0)
        return descriptor;
    int status = peer_open(peer, descriptor, "the server", error);
    if (status < 0)
        return status;
    json_t *answer;
    status = peer_call(peer, "client.hello", json_pack("{s:s}", "kind", "cli"), PEER_TIMEOUT_MS,
                       &answer, error);
    json_decref(answer);
    if (status < 0)
        peer_close(peer);
    return status;
}

static bool is_named(const json_t *record, const char *name)
{
    return strcmp(report_text(record, "name"), name) == 0 ||
           strcmp(report_text(record, "id"), name) == 0;
}

static int not_found(const json_t *list, const char *name, struct bj_error *error)
{
    const char *nearest = NULL;
    size_t best = 3, index;
    const json_t *record;
    json_array_foreach(list, index, record)
    {
        size_t distance = args_distance(name, report_text(record, "name"));
        if (distance < best) {
            best = distance;
            nearest = report_text(record, "name");
        }
    }
    return bj_fail(error, -ENOENT, "no sandbox is named %.64s%s%s%s", name,
                   nearest ? ": did you mean " : ": belljar ls lists them", nearest ? nearest : "",
                   nearest ? "?" : "");
}

int sandbox_pick(const json_t *list, const char *name, json_t **record, struct bj_error *error)
{
    json_t *item;
    size_t index;
    *record = NULL;
    json_array_foreach(list, index, item) if (!*record && is_named(item, name)) *record = item;
    return *record ? 0 : not_found(list, name, error);
}

int sandbox_find(struct peer *server, const char *name, json_t **record, struct bj_error *error)
{
    json_t *list;
    *record = NULL;
    int status = peer_call(server, "sandbox.list", NULL, PEER_TIMEOUT_MS, &list, error);
    if (status < 0)
        return status;
    status = sandbox_pick(list, name, record, error);
    json_incref(*record);
    json_decref(list);
    return status;
}

int sandbox_view(const struct bj_paths *paths, const char *name, struct peer *view,
                 struct bj_error *error)
{
    struct peer server;
    json_t *record;
    int status = sandbox_server(paths, false, &server, error);
    if (status < 0)
        return status;
    status = sandbox_find(&server, name, &record, error);
    peer_close(&server);
    if (status < 0)
        return status;
    int descriptor = bj_socket_connect(report_text(record, "view"), error);
    if (descriptor < 0 && strcmp(report_text(record, "state"), "exited") == 0)
        status = bj_fail(error, -ENOENT,
                         "%.64s has ended, and its screen with it: belljar replay %.64s shows what "
                         "it printed",
                         name, name);
    else if (descriptor < 0)
        status =
            bj_fail(error, descriptor, "the monitor of %.64s does not answer (state %.16s): %s",
                    name, report_text(record, "state"), strerror(-descriptor));
    else if ((status = bj_socket_check_peer(descriptor, geteuid(), error)) < 0)
        close(descriptor);
    else
        status = peer_open(view, descriptor, "the monitor", error);
    json_decref(record);
    return status;
}

/* Which of several it concerns, unless the sentence says so itself. */
static int report_about(const char *name, const struct bj_error *error)
{
    return strstr(error->text, name) ? report_error(error)
                                     : report_failure("%s: %s", name, error->text);
}

int sandbox_act(struct peer *server, const char *method, const char *const *names, size_t count)
{
    struct peer_reply *replies = calloc(count ? count : 1, sizeof(*replies));
    struct bj_error error = {0};
    int code = COMMAND_DONE;
    if (!replies)
        return report_failure("out of memory");
    for (size_t i = 0; i < count; i++)
        peer_send(server, method, json_pack("{s:[s]}", "names", names[i]), &replies[i]);
    int status = peer_wait(server, replies, count, PEER_KILL_TIMEOUT_MS, &error);
    if (status < 0)
        code = report_error(&error);
    for (size_t i = 0; status == 0 && i < count; i++) {
        if (!replies[i].result)
            code = report_about(names[i], &replies[i].error);
        json_decref(replies[i].result);
    }
    free(replies);
    return code;
}

static int act_on_all(struct peer *server, const char *method)
{
    struct bj_error error = {0};
    json_t *answer;
    if (peer_call(server, method, json_pack("{s:b}", "all", 1), PEER_KILL_TIMEOUT_MS, &answer,
                  &error) < 0)
        return report_error(&error);
    json_decref(answer);
    return COMMAND_DONE;
}

static int act(const struct args *args, const struct bj_paths *paths, const char *method)
{
    struct bj_error error = {0};
    struct peer server;
    bool all = args_set(args, "all");
    if (all == (args->word_count > 0))
        return report_usage("%s: give names of sandboxes, or --all", args->command->name);
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    int code = all ? act_on_all(&server, method)
                   : sandbox_act(&server, method, args->words, args->word_count);
    peer_close(&server);
    return code;
}

int sandbox_pause(const struct args *args, const struct bj_paths *paths)
{
    return act(args, paths, "sandbox.pause");
}

int sandbox_resume(const struct args *args, const struct bj_paths *paths)
{
    return act(args, paths, "sandbox.resume");
}

int sandbox_kill(const struct args *args, const struct bj_paths *paths)
{
    return act(args, paths, "sandbox.kill");
}

static bool has_ended(const json_t *record)
{
    const char *state = report_text(record, "state");
    return strcmp(state, "exited") == 0 || strcmp(state, "lost") == 0;
}

static int remove_exited(struct peer *server)
{
    struct bj_error error = {0};
    json_t *list, *record;
    size_t index, count = 0;
    if (peer_call(server, "sandbox.list", NULL, PEER_TIMEOUT_MS, &list, &error) < 0)
        return report_error(&error);
    const char **names = calloc(json_array_size(list) + 1, sizeof(*names));
    int code = names ? COMMAND_DONE : report_failure("out of memory");
    json_array_foreach(list, index, record) if (names && has_ended(record)) names[count++] =
        report_text(record, "name");
    if (names)
        code = sandbox_act(server, "sandbox.remove", names, count);
    free(names);
    json_decref(list);
    return code;
}

int sandbox_remove(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer server;
    bool exited = args_set(args, "all-exited");
    if (exited == (args->word_count > 0))
        return report_usage("rm: give names of sandboxes, or --all-exited");
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    int code = exited ? remove_exited(&server)
                      : sandbox_act(&server, "sandbox.remove", args->words, args->word_count);
    peer_close(&server);
    return code;
}

int sandbox_rename(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer server;
    json_t *answer;
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    int status =
        peer_call(&server, "sandbox.rename",
                  json_pack("{s:s,s:s}", "name", args->words[0], "new_name", args->words[1]),
                  PEER_TIMEOUT_MS, &answer, &error);
    json_decref(answer);
    peer_close(&server);
    return status < 0 ? report_error(&error) : COMMAND_DONE;
}

/* What `wait` waits for. */
struct wait {
    char id[64];
    bool over;
    bool removed;
    bool stopping; /* the server was told to stop: it is not started again */
    json_t *record;
};

static void on_wait_event(struct peer *peer, const char *name, const json_t *params)
{
    struct wait *wait = peer->owner;
    if (strcmp(name, "event.stopping") == 0)
        wait->stopping = true;
    if (strcmp(report_text(params, "id"), wait->id) != 0)
        return;
    if (strcmp(name, "event.sandbox") == 0) {
        json_decref(wait->record);
        wait->record = json_incref((json_t *)params);
        wait->over = has_ended(params);
    } else if (strcmp(name, "event.gone") == 0) {
        wait->removed = wait->over = true;
    }
}

/* The agent's exit code as a shell reports it. */
static int exit_code(const struct wait *wait)
{
    if (wait->removed)
        return report_failure("the sandbox was removed before its exit was seen");
    if (strcmp(report_text(wait->record, "state"), "lost") == 0)
        return report_failure("the sandbox is lost: its end was not seen");
    long long signal = report_number(wait->record, "exit_signal");
    if (signal > 0)
        return 128 + (int)signal;
    if (report_text(wait->record, "error")[0])
        report_failure("%s", report_text(wait->record, "error"));
    return (int)report_number(wait->record, "exit_code") & 0xff;
}

/* Listens until the sandbox's end, the end of `left` milliseconds (0: never), or of the server. */
static int await_exit(const struct bj_paths *paths, const char *name, struct wait *wait, bool again,
                      unsigned left, struct bj_error *error)
{
    struct peer server;
    json_t *answer = NULL;
    int status = sandbox_server(paths, again, &server, error);
    if (status < 0)
        return status;
    json_decref(wait->record);
    wait->record = NULL;
    status = sandbox_find(&server, again ? wait->id : name, &wait->record, error);
    if (status == 0) {
        snprintf(wait->id, sizeof(wait->id), "%s", report_text(wait->record, "id"));
        wait->over = has_ended(wait->record);
        server.event = on_wait_event;
        server.owner = wait;
        status = peer_call(&server, "events.subscribe", NULL, PEER_TIMEOUT_MS, &answer, error);
        json_decref(answer);
    }
    if (status == 0 && !wait->over)
        status = peer_listen(&server, &wait->over, left, error);
    peer_close(&server);
    return status;
}

int sandbox_await(const struct bj_paths *paths, const char *name, unsigned milliseconds,
                  json_t **record, struct bj_error *error)
{
    struct wait wait = {0};
    int status = await_exit(paths, name, &wait, false, milliseconds, error);
    *record = wait.record;
    return status;
}

/* A server that is killed meanwhile is started again: the sandbox goes on, and so does the wait. */
int sandbox_wait(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct wait wait = {0};
    uint64_t timeout = args_number(args, "timeout", 0), began = uv_hrtime(), passed = 0;
    bool again = false;
    int status;
    do {
        unsigned left = timeout > passed ? (unsigned)(timeout - passed) : 0;
        status = await_exit(paths, args->words[0], &wait, again, left, &error);
        again = !wait.stopping && (status == -EPIPE || status == -ECONNRESET);
        passed = (uv_hrtime() - began) / 1000000;
    } while (again && (timeout == 0 || passed < timeout));
    if (status == -ETIMEDOUT || (again && timeout > 0))
        bj_fail(&error, -ETIMEDOUT, "%.64s still runs", args->words[0]);
    int code = status < 0 ? report_error(&error) : exit_code(&wait);
    json_decref(wait.record);
    return code;
}
