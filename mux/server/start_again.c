#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mux/server/monitor.h"
#include "mux/server/operation.h"
#include "mux/server/server.h"
#include "mux/server/start_private.h"

/*
 * A sandbox that ended runs again: same name, project copy, home, policy, user and limits, so that
 * a profile's agent finds its conversation. Nothing is copied, nothing of its work is taken back
 * when it fails.
 */

#define STEP_MS  5U
#define CLEAR_MS 5000U

static int check(const struct sandbox *sandbox, struct bj_error *error)
{
    const struct record *record = &sandbox->record;
    bool over = record->state == SANDBOX_EXITED || record->state == SANDBOX_LOST;
    if (sandbox->start || !over || sandbox_alive(sandbox))
        return bj_fail(error, -EBUSY, "%s still runs: 'belljar kill %s' ends it", record->name,
                       record->name);
    if (sandbox->removing)
        return bj_fail(error, -EBUSY, "%s is being removed", record->name);
    if (!driver_find(record->driver))
        return bj_fail(error, -EINVAL, "there is no driver %.32s here", record->driver);
    return 0;
}

/* As if it had never run; its recordings are kept beside, those of the run before are not. */
static int forget_run(struct sandbox *sandbox, struct bj_error *error)
{
    struct record *record = &sandbox->record;
    for (int i = 0; i < BJ_RECORDING_FILES; i++) {
        char from[BJ_PATH_MAX], to[BJ_PATH_MAX];
        int status = sandbox_recording_path(sandbox, false, i, from, error);
        if (status == 0)
            status = sandbox_recording_path(sandbox, true, i, to, error);
        if (status < 0)
            return status;
        if (unlink(to) < 0 && errno != ENOENT)
            return bj_fail(error, -errno, "cannot remove %s: %s", to, strerror(errno));
        if (rename(from, to) < 0 && errno != ENOENT)
            return bj_fail(error, -errno, "cannot keep %s: %s", from, strerror(errno));
    }
    record->init = record->outer = record->monitor = record->egress = (struct process_id){0};
    record->state = SANDBOX_STARTING;
    record->has_exit = false;
    record->exit_code = record->exit_signal = 0;
    record->error[0] = '\0';
    record->created = server_time();
    memcpy(record->boot_id, sandbox->server->boot_id, sizeof(record->boot_id));
    sandbox->ended = sandbox->killed = sandbox->exit_noted = false;
    sandbox->agent_started = sandbox->link_up = false;
    sandbox->agent_state[0] = sandbox->agent_text[0] = '\0';
    sandbox->facts = (struct activity_facts){0};
    sandbox->activity = (struct activity){0};
    memset(sandbox->sign_counts, 0, sizeof(sandbox->sign_counts));
    sandbox->outer_status = -1;
    sandbox->monitor_restarts = 0;
    sandbox->watched = (struct watched){0};
    return 0;
}

static void begin(struct start *start)
{
    struct bj_error error = {0};
    struct sandbox *sandbox = start->sandbox;
    struct session *session;
    start_remove_runtime(sandbox);
    int status = forget_run(sandbox, &error);
    if (status == 0)
        status = start_directories(sandbox, &error);
    if (status == 0)
        status = guard_load(sandbox, &error);
    if (status == 0)
        status = session_use(&start->server->sessions, sandbox->record.session, &session, &error);
    if (status == 0)
        status = session_add_pane(session, sandbox->record.id, &error);
    if (status < 0) {
        start_fail(start, &error);
        return;
    }
    start->server->sessions_dirty = true;
    sandbox_save(sandbox);
    sandbox_touch(sandbox);
    start_launch(start);
}

/* The last run's monitor still shows its last screen; two never listen on the same sockets. */
static void on_clear(uv_timer_t *timer)
{
    struct start *start = timer->data;
    struct bj_error error = {0};
    uint64_t passed = server_clock() - start->began;
    if (!start->sandbox || start->failing)
        return;
    if (operation_clear(start->sandbox, &start->asked_monitor, passed)) {
        uv_timer_stop(timer);
        start->clearing = false;
        begin(start);
    } else if (passed > CLEAR_MS) {
        bj_fail(&error, -ETIMEDOUT, "the processes of its last run do not end");
        start_fail(start, &error);
    }
}

static int take(struct start *start, const struct start_options *given, struct bj_error *error)
{
    struct record *record = &start->sandbox->record;
    struct start_options options = *given;
    char *none[] = {NULL};
    char **arguments = record->arguments ? record->arguments : none;
    options.agent = record->agent ? record->agent : "";
    options.argv = (const char *const *)arguments;
    options.argc = 0;
    options.instead = record->instead;
    while (arguments[options.argc])
        options.argc++;
    int status = start_take_profile(start, &options, error);
    if (status == 0 && start_copy_env(start, options.env) < 0)
        status = bj_fail(error, -ENOMEM, "out of memory");
    return status;
}

void start_again(struct sandbox *sandbox, const struct start_options *options, struct call *call)
{
    struct bj_error error = {0};
    if (check(sandbox, &error) < 0) {
        call_fail(call, &error);
        return;
    }
    struct start *start = start_make(sandbox, driver_find(sandbox->record.driver), call, &error);
    if (!start) {
        call_fail(call, &error);
        return;
    }
    start->again = start->clearing = true;
    start->began = server_clock();
    if (take(start, options, &error) < 0)
        start_refuse(start, &error);
    else
        uv_timer_start(&start->timer, on_clear, 0, STEP_MS);
}
