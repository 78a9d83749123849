#include "tui/cli/work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/socket.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"

#define CHECK_BATCH  1000 /* paths in one call of work.check */
#define OPEN_FOLDERS 64

volatile sig_atomic_t work_stop;

static void on_signal(int number)
{
    work_stop = number;
}

static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
}

/* A connection for each call: a long transfer survives the server's end in between. */
static int call(const struct work *work, const char *method, json_t *params, json_t **result,
                struct bj_error *error)
{
    struct peer server;
    int status = sandbox_server(work->paths, true, &server, error);
    if (status < 0) {
        json_decref(params);
        return status;
    }
    status = peer_call(&server, method, params, PEER_TIMEOUT_MS, result, error);
    peer_close(&server);
    return status;
}

/* Nothing can be taken out of, or put into, a sandbox in which nothing can run. */
static int check_state(const struct work *work, const json_t *record, struct bj_error *error)
{
    const char *state = report_text(record, "state");
    if (strcmp(state, "paused") == 0)
        return bj_fail(error, -EBUSY, "%s is paused: belljar resume %s, then %s again", work->name,
                       work->name, work->action);
    if (strcmp(state, "starting") == 0)
        return bj_fail(error, -EAGAIN, "%s is still starting: try again in a moment", work->name);
    return 0;
}

static bool has(const char *directory, const char *name)
{
    char path[BJ_PATH_MAX];
    return bj_path(path, sizeof(path), NULL, "%s/%s", directory, name) == 0 &&
           access(path, F_OK) == 0;
}

/* The user's directory decides, not the copy, in which the agent can make or remove a repository.
 */
static bool is_repository(const char *project)
{
    return has(project, ".git") ||
           (has(project, "HEAD") && has(project, "objects") && has(project, "refs"));
}

static int begin(struct work *work, const json_t *record, const json_t *result,
                 struct bj_error *error)
{
    const char *exec = report_text(result, "exec");
    work->begun = true;
    snprintf(work->project, sizeof(work->project), "%s", report_text(result, "project"));
    work->repository = work->project[0] && is_repository(work->project);
    catch_signals();
    if (!*exec) { /* it has ended */
        int status = visit_open(&work->visit, work->paths, record, &work_stop, error);
        if (status < 0)
            return work_close(work, status, error);
        exec = visit_exec(work->visit);
    }
    snprintf(work->exec, sizeof(work->exec), "%s", exec);
    return 0;
}

int work_open(struct work *work, const struct bj_paths *paths, const char *name, const char *action,
              struct bj_error *error)
{
    *work = (struct work){.paths = paths, .name = name, .action = action};
    struct peer server;
    json_t *record = NULL, *result = NULL;
    int status = sandbox_server(paths, true, &server, error);
    if (status < 0)
        return status;
    status = sandbox_find(&server, name, &record, error);
    if (status == 0)
        status = check_state(work, record, error);
    if (status == 0)
        status =
            peer_call(&server, "work.begin", json_pack("{s:s,s:s}", "name", name, "action", action),
                      PEER_TIMEOUT_MS, &result, error);
    peer_close(&server);
    if (status == 0)
        status = begin(work, record, result, error);
    json_decref(record);
    json_decref(result);
    return status;
}
int work_run(struct work *work, const struct inside_program *program, struct inside_end *end,
             struct bj_error *error)
{
    struct inside_program mine = *program;
    mine.stop = &work_stop;
    *end = (struct inside_end){0};
    int socket = bj_socket_connect(work->exec, error);
    if (socket < 0)
        return bj_fail_prefix(error, "the sandbox's monitor does not answer");
    int status = bj_socket_check_peer(socket, geteuid(), error);
    if (status < 0) {
        close(socket);
        return status;
    }
    status = inside_run(socket, &mine, end, error);
    if (status == 0 && end->status != 0)
        status =
            bj_fail(error, -EIO, "%s failed inside the sandbox (exit code %d): %.300s",
                    program->argv[0], end->status, end->text[0] ? end->text : "it did not say why");
    return status;
}

int work_scratch(struct work *work, struct bj_error *error)
{
    char place[BJ_PATH_MAX], prefix[16];
    if (work->scratch.path[0])
        return 0;
    int status = bj_path(place, sizeof(place), error, "%s/work", work->paths->state);
    snprintf(prefix, sizeof(prefix), "%s-", work->action);
    return status < 0 ? status : scratch_make(&work->scratch, place, prefix, error);
}

static int check_batch(const struct work *work, const char *const *names, size_t count,
                       bool *denied, struct bj_error *error)
{
    json_t *paths = json_array(), *result = NULL;
    for (size_t i = 0; i < count; i++) {
        json_t *name = json_string(names[i]);
        denied[i] = !name;
        json_array_append_new(paths, name ? name : json_string("?"));
    }
    bool whole = json_array_size(paths) == count;
    json_t *params = json_pack("{s:s,s:o}", "name", work->name, "paths", paths);
    if (!whole || !params) {
        json_decref(params);
        return bj_fail(error, -ENOMEM, "out of memory");
    }
    int status = call(work, "work.check", params, &result, error);
    if (status < 0)
        return status;
    if (json_array_size(result) != count)
        status = bj_fail(error, -EPROTO, "the server did not answer for every path");
    for (size_t i = 0; status == 0 && i < count; i++) {
        const char *effect = json_string_value(json_array_get(result, i));
        /* The human who pulls is the verdict on what the policy wants asked. */
        denied[i] =
            denied[i] || !effect || (strcmp(effect, "allow") != 0 && strcmp(effect, "ask") != 0);
    }
    json_decref(result);
    return status;
}

int work_check(const struct work *work, const char *const *names, size_t count, bool *denied,
               struct bj_error *error)
{
    for (size_t at = 0; at < count; at += CHECK_BATCH) {
        size_t batch = count - at < CHECK_BATCH ? count - at : CHECK_BATCH;
        int status = work_stop ? bj_fail(error, -EINTR, "interrupted")
                               : check_batch(work, names + at, batch, denied + at, error);
        if (status < 0)
            return status;
    }
    return 0;
}

/* What was wrong with what came from inside is refused; the rest went wrong. */
static const char *outcome_of(int status)
{
    static const int refusals[] = {-EPERM, -EACCES, -EFBIG, -E2BIG, -EPROTO, -EBADMSG};
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (status == refusals[i])
            return "refused";
    return status == 0 ? "done" : "failed";
}

int work_close(struct work *work, int status, struct bj_error *error)
{
    struct bj_error why = {0};
    json_t *result = NULL;
    scratch_remove(&work->scratch);
    visit_close(work->visit);
    if (!work->begun)
        return status;
    const char *outcome = outcome_of(status);
    const char *detail = status < 0 && error->text[0] ? error->text : work->detail;
    json_t *params =
        json_pack("{s:s,s:s,s:s,s:I,s:I}", "name", work->name, "action", work->action, "outcome",
                  outcome, "files", (json_int_t)work->files, "bytes", (json_int_t)work->bytes);
    if (params && work->target[0])
        json_object_set_new(params, "target", json_string(work->target)); /* left out: not UTF-8 */
    if (params && *detail)
        json_object_set_new(params, "detail", json_string(detail));
    int ended = call(work, "work.end", params, &result, &why);
    json_decref(result);
    if (status == 0 && ended < 0)
        return bj_fail(error, ended, "the work is done, but the audit log has no record of it: %s",
                       why.text);
    return status;
}
