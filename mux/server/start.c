#include "mux/server/start_private.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/server/log.h"
#include "mux/server/monitor.h"
#include "mux/server/project.h"
#include "mux/server/registry.h"
#include "mux/server/server.h"
#include "mux/server/supervise.h"
#include "transport/pack.h"

#define START_TIMEOUT_MS 20000U /* from the wall's start; a copy may take as long as it takes */
#define CLEAN_STEP_MS    5U
#define CLEAN_MAX_MS     3000U

/* --- the end of a start --- */

static void release(struct start *start)
{
    if (start->sandbox || start->info_open || start->gate_open || start->timer_open)
        return;
    wall_close(&start->wall);
    for (char **at = start->env; at && *at; at++)
        free(*at);
    free(start->env);
    profile_free(&start->profile);
    free(start);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct start *start = handle->data;
    if (handle == (uv_handle_t *)&start->info)
        start->info_open = false;
    else if (handle == (uv_handle_t *)&start->gate)
        start->gate_open = false;
    else
        start->timer_open = false;
    release(start);
}

static void close_handle(bool open, uv_handle_t *handle)
{
    if (open && !uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

static void detach(struct start *start)
{
    start->sandbox->start = NULL;
    start->sandbox = NULL;
    close_handle(start->info_open, (uv_handle_t *)&start->info);
    close_handle(start->gate_open, (uv_handle_t *)&start->gate);
    close_handle(start->timer_open, (uv_handle_t *)&start->timer);
    release(start);
}

static void note_start(const struct sandbox *sandbox)
{
    json_t *argv = json_array();
    for (char **at = sandbox->record.argv; at && *at; at++)
        json_array_append_new(argv, audit_text(*at, strlen(*at)));
    ledger_note(sandbox->server, AUDIT_START, sandbox,
                json_pack("{s:o, s:s, s:s?}", "argv", argv, "driver", sandbox->record.driver,
                          "policy", sandbox->record.policy));
}

static void succeed(struct start *start)
{
    struct sandbox *sandbox = start->sandbox;
    msgpack_packer *packer = call_result(start->call);
    if (packer) {
        msgpack_pack_map(packer, 2);
        bj_pack_key_str(packer, "id", sandbox->record.id);
        bj_pack_key_str(packer, "name", sandbox->record.name);
    }
    call_done(start->call);
    note_start(sandbox);
    log_line("sandbox %s (%s) started, init %d, user %u", sandbox->record.id, sandbox->record.name,
             (int)sandbox->record.init.pid, (unsigned)sandbox->record.uid);
    detach(start);
    if (sandbox->record.has_exit)
        sandbox->record.state = SANDBOX_EXITED;
    else if (sandbox->agent_started)
        sandbox->record.state = SANDBOX_RUNNING;
    sandbox_save(sandbox);
    sandbox_touch(sandbox);
    quota_adjust(sandbox->server);
    guard_propose(sandbox);
}

static void on_deleted(void *owner, const struct bj_error *error)
{
    if (error)
        log_line("%s", error->text);
}

void start_remove_runtime(const struct sandbox *sandbox)
{
    static const char *const files[] = {
        "link/link.sock", "link", "control.sock", "view.sock", "egress.sock", "exec.sock", ""};
    char path[BJ_PATH_MAX];
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        if (sandbox_runtime_path(sandbox, files[i], path, NULL) == 0)
            remove(path);
}

/* One that ran before has ended once more, and its work is kept. */
static void keep(struct sandbox *sandbox, const struct bj_error *why)
{
    struct record *record = &sandbox->record;
    sandbox->ended = true;
    sandbox->outer_status = -1;
    record->has_exit = true;
    record->exit_code = 255;
    record->exit_signal = 0;
    record->cgroup[0] = '\0';
    snprintf(record->error, sizeof(record->error), "%s", why->text);
    record->state = SANDBOX_EXITED;
    sandbox_save(sandbox);
    sandbox_touch(sandbox);
}

/* Everything that ran is gone: forgets the sandbox and says why. */
static void finish_failure(struct start *start)
{
    struct sandbox *sandbox = start->sandbox;
    struct server *server = start->server;
    char path[BJ_PATH_MAX];
    struct bj_error error = start->why;
    bool again = start->again;
    log_line("sandbox %s (%s) did not start: %s", sandbox->record.id, sandbox->record.name,
             start->why.text);
    call_fail(start->call, &start->why);
    detach(start);
    if (sandbox->record.cgroup[0])
        cgroup_remove(sandbox->record.cgroup);
    start_remove_runtime(sandbox);
    if (again) {
        keep(sandbox, &error);
        return;
    }
    if (sandbox_state_path(sandbox, "", path, &error) < 0 ||
        !project_delete(&server->loop, path, on_deleted, NULL, &error))
        log_line("%s", error.text);
    registry_remove(server, sandbox);
}

/* Until not one process is left, so that the cgroup can go, too. */
static void on_clean(uv_timer_t *timer)
{
    struct start *start = timer->data;
    if (!start->sandbox)
        return;
    struct fence fence = sandbox_fence(start->sandbox);
    bool gone = fence_kill(&fence) && !start->sandbox->outer_watch &&
                (!fence.cgroup[0] || cgroup_remove(fence.cgroup) != -EBUSY);
    if (gone || server_clock() - start->failed > CLEAN_MAX_MS)
        finish_failure(start);
}

void start_fail(struct start *start, const struct bj_error *why)
{
    struct sandbox *sandbox = start->sandbox;
    if (start->failing)
        return;
    start->failing = true;
    start->why = *why;
    start->failed = server_clock();
    if (start->job)
        job_cancel(start->job);
    start->job = NULL;
    sandbox->killed = true;
    monitor_end(sandbox);
    uv_timer_start(&start->timer, on_clean, 0, CLEAN_STEP_MS);
}

void start_refuse(struct start *start, const struct bj_error *why)
{
    call_fail(start->call, why);
    detach(start);
}

void start_wall_ended(struct start *start, int wait_status)
{
    struct bj_error error = {0};
    char trouble[WALL_TROUBLE_MAX] = "";
    if (start->failing)
        return;
    if (start->wall.trouble >= 0) {
        ssize_t size = read(start->wall.trouble, trouble, sizeof(trouble) - 1);
        trouble[size > 0 ? size : 0] = '\0';
    }
    start->driver->explain(trouble, wait_status, &error);
    start_fail(start, &error);
}

static void on_timeout(uv_timer_t *timer)
{
    struct start *start = timer->data;
    struct bj_error error = {0};
    if (!start->sandbox)
        return;
    bj_fail(&error, -ETIMEDOUT, "the sandbox did not start within %u s: its %s not ready",
            START_TIMEOUT_MS / 1000, start->monitor_up ? "wall is" : "monitor is");
    start_fail(start, &error);
}

/* --- step by step --- */

static void on_gate(uv_poll_t *poll, int status, int events)
{
    struct start *start = poll->data;
    if (!start->sandbox || start->failing)
        return;
    /* An error only says that nobody reads the gate any more. */
    if (wall_passed(&start->wall))
        succeed(start);
    else
        uv_poll_stop(poll); /* the wall has ended: its exit status and words say more */
}

/* Goes on when monitor and init are both known: the wall may then execute the shim. */
static void advance(struct start *start)
{
    struct bj_error error = {0};
    if (start->failing || start->released || !start->monitor_up ||
        start->sandbox->record.init.pid <= 0)
        return;
    start->released = true;
    monitor_admit(start->sandbox);
    int status = wall_release(&start->wall, &error);
    if (status == 0) {
        status = uv_poll_init(&start->server->loop, &start->gate, start->wall.gate);
        if (status == 0) {
            start->gate.data = start;
            start->gate_open = true;
            status = uv_poll_start(&start->gate, UV_WRITABLE, on_gate);
        }
        if (status < 0)
            bj_fail(&error, status, "cannot watch the wall's gate: %s", uv_strerror(status));
    }
    if (status == -EPIPE && start->sandbox->outer_watch)
        return; /* the wall has ended, which is noticed in a moment, with its reason */
    if (status < 0)
        start_fail(start, &error);
}

/* While it is cleared, the monitor is the one of the last run, whose end is wanted. */
void start_monitor_up(struct start *start)
{
    if (start->clearing)
        return;
    start->monitor_up = true;
    advance(start);
}

void start_monitor_failed(struct start *start, const struct bj_error *why)
{
    if (!start->clearing)
        start_fail(start, why);
}

/* The pid that the driver reports is taken only when it is what it must be: child of the process
 * that we started, and pid 1 inside. */
static int take_init(struct start *start, struct bj_error *error)
{
    struct sandbox *sandbox = start->sandbox;
    pid_t pid = start->driver->read_init(start->text, start->text_size);
    if (pid <= 0)
        return bj_fail(error, -EIO, "the wall did not say which process is its init");
    struct process_id init;
    int status = process_identify(pid, &init);
    if (status < 0)
        return bj_fail(error, status, "cannot look at the sandbox's init, process %d", (int)pid);
    if (process_parent(pid) != sandbox->record.outer.pid || process_inner_pid(pid) != 1)
        return bj_fail(error, -EIO, "process %d is not the sandbox's init", (int)pid);
    sandbox->record.init = init;
    sandbox_save(sandbox);
    return supervise_init(sandbox, error);
}

static void on_info(uv_poll_t *poll, int status, int events)
{
    struct start *start = poll->data;
    struct bj_error error = {0};
    if (!start->sandbox || start->failing)
        return;
    ssize_t size = read(start->wall.info, start->text + start->text_size,
                        sizeof(start->text) - start->text_size);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size > 0) {
        start->text_size += (size_t)size;
        return;
    }
    uv_poll_stop(poll);
    if (start->text_size == 0)
        return; /* the wall has ended, which is noticed in a moment, with its reason */
    if (take_init(start, &error) < 0) {
        /* An init that is gone takes the wall with it, and the wall says why. */
        if (error.code != -ESRCH && process_alive(&start->sandbox->record.outer))
            start_fail(start, &error);
        return;
    }
    advance(start);
}

static int make_cgroup(struct start *start, int *group, struct bj_error *error)
{
    struct sandbox *sandbox = start->sandbox;
    struct record *record = &sandbox->record;
    const struct cgroup_place *place = &start->server->cgroups;
    *group = -1;
    if (place->path[0]) {
        int status = cgroup_make(place, record->id, &record->limits, record->cgroup, error);
        if (status < 0)
            return status;
        *group = cgroup_open(record->cgroup, error);
        if (*group < 0)
            return *group;
    }
    static const char missing[] = "%s limit not enforced: no cgroup controller here";
    if (start->asked_memory && !place->memory)
        server_alert(start->server, sandbox, ALERT_WARNING, "limit", missing, "memory");
    if (start->asked_cpus && !place->cpu)
        server_alert(start->server, sandbox, ALERT_WARNING, "limit", missing, "CPU");
    return 0;
}

int start_find_program(const struct start *start, const char *name, char real[PATH_MAX],
                       struct bj_error *error)
{
    char path[BJ_PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/%s", start->server->paths.libexec, name);
    if (access(path, X_OK) < 0 || !realpath(path, real))
        return bj_fail(error, -errno, "cannot execute %s: %s", path, strerror(errno));
    return 0;
}

static int start_wall(struct start *start, struct bj_error *error)
{
    struct wall_mount mounts[WALL_MOUNTS_MAX];
    struct wall_file made[WALL_FILES_MAX];
    struct start_fixed fixed;
    struct sandbox *sandbox = start->sandbox;
    struct record *record = &sandbox->record;
    char shim[PATH_MAX], link[BJ_PATH_MAX], project[BJ_PATH_MAX], home[BJ_PATH_MAX];
    int group = -1;
    if (sandbox_runtime_path(sandbox, "link", link, error) < 0 ||
        sandbox_state_path(sandbox, "project", project, error) < 0 ||
        sandbox_state_path(sandbox, "home", home, error) < 0)
        return error->code;
    int status = start_find_program(start, "belljar-shim", shim, error);
    if (status == 0)
        status = make_cgroup(start, &group, error);
    if (status < 0)
        return status;
    struct wall_plan plan = {
        .name = record->name,
        .shim = shim,
        .link = link,
        .project = project,
        .home = home,
        .argv = (const char *const *)record->argv,
        .env = (const char *const *)start->env,
        .proxy_port = START_PROXY_PORT,
        .nproc = start->server->cgroups.pids ? 0 : (uint32_t)record->limits.pids,
        .drop = geteuid() == 0,
        .uid = record->uid,
        .gid = record->gid,
        .cgroup = group,
        .files = &start->server->files,
    };
    start_add_profile(start, mounts, made, &plan);
    char acp[PATH_MAX];
    status = start_add_acp(start, acp, mounts, &plan, error);
    if (status == 0)
        status = start_add_fixed(start, &fixed, made, &plan, error);
    if (status == 0)
        status = start->driver->start(&plan, &start->wall, error);
    if (group >= 0)
        close(group);
    if (status < 0)
        return status;
    /* Noted before it is let go: a server that dies now leaves nothing that nobody knows of. */
    status = process_identify(start->wall.outer, &record->outer);
    if (status < 0)
        bj_fail(error, status, "cannot look at the wall's process: %s", strerror(-status));
    else
        status = supervise_outer(sandbox, true, error);
    if (status == 0) {
        sandbox_save(sandbox);
        status = wall_go(&start->wall, error);
    }
    return status;
}

static int watch_info(struct start *start, struct bj_error *error)
{
    uv_loop_t *loop = &start->server->loop;
    uv_timer_start(&start->timer, on_timeout, START_TIMEOUT_MS, 0);
    int status = uv_poll_init(loop, &start->info, start->wall.info);
    if (status == 0) {
        start->info.data = start;
        start->info_open = true;
        status = uv_poll_start(&start->info, UV_READABLE, on_info);
    }
    return status < 0 ? bj_fail(error, status, "cannot watch the wall: %s", uv_strerror(status))
                      : 0;
}

/* The wall takes longer to build than the monitor to start, so it begins first; at its gate it
 * waits for the monitor. */
void start_launch(struct start *start)
{
    struct bj_error error = {0};
    /* Once more, since the project copy may hold a policy that was accepted. */
    bool copied = start->sandbox->record.project && !start->again;
    int status = copied ? guard_load(start->sandbox, &error) : 0;
    if (status == 0)
        status = start_add_env(start, &error);
    if (status == 0 && !start->again)
        status = start_fill_home(start, &error);
    if (status == 0)
        status = start_fix_home(start, &error);
    if (status == 0)
        status = start_wall(start, &error);
    if (status == 0)
        status = watch_info(start, &error);
    if (status == 0)
        status = monitor_spawn(start->sandbox, 0, &error);
    if (status == 0)
        sandbox_save(start->sandbox); /* if the server dies now, the next one knows of both */
    if (status < 0)
        start_fail(start, &error);
}

static void on_copied(void *owner, const struct bj_error *error)
{
    struct start *start = owner;
    start->job = NULL;
    if (error)
        start_fail(start, error);
    else
        start_launch(start);
}

/* --- the beginning --- */

static int fill_record(struct record *record, const struct start_options *options,
                       const struct server *server)
{
    snprintf(record->driver, sizeof(record->driver), "%s", options->driver);
    snprintf(record->session, sizeof(record->session), "%s", options->session);
    memcpy(record->boot_id, server->boot_id, sizeof(record->boot_id));
    record->created = server_time();
    record->rows = options->rows;
    record->cols = options->cols;
    record->scrollback = options->scrollback;
    record->record_limit = options->record_limit;
    record->state = SANDBOX_STARTING;
    if (options->project[0] && !(record->project = strdup(options->project)))
        return -ENOMEM;
    if (options->policy[0] && !(record->policy = strdup(options->policy)))
        return -ENOMEM;
    if (options->agent[0] && !(record->agent = strdup(options->agent)))
        return -ENOMEM;
    return record->argv ? 0 : record_set_argv(record, options->argv, options->argc);
}

int start_directories(const struct sandbox *sandbox, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = sandbox_state_path(sandbox, "", path, error);
    if (status == 0)
        status = bj_directory_private(path, error);
    if (status == 0)
        status = sandbox_runtime_path(sandbox, "", path, error);
    if (status == 0)
        status = bj_directory_private(path, error);
    if (status == 0)
        status = sandbox_runtime_path(sandbox, "link", path, error);
    /* Searchable for the sandbox's user, who sees this directory inside; nobody else gets here. */
    if (status == 0 && mkdir(path, 0711) < 0)
        status = bj_fail(error, -errno, "cannot make %s: %s", path, strerror(errno));
    return status;
}

static int check_options(struct server *server, const struct start_options *options,
                         const struct driver **driver, char name[NAME_SIZE], struct bj_error *error)
{
    *driver = driver_find(options->driver);
    if (!*driver)
        return bj_fail(error, -EINVAL, "there is no driver %.32s: this server knows %s",
                       options->driver, drivers[0]->name);
    if ((!options->agent[0] || options->instead) && (options->argc == 0 || !options->argv[0][0]))
        return bj_fail(error, -EINVAL, "a sandbox needs a program to run");
    if (options->name[0]) {
        int status = registry_check_name(server, options->name, error);
        if (status < 0)
            return status;
        snprintf(name, NAME_SIZE, "%s", options->name);
    } else {
        registry_make_name(server, options->agent[0] ? options->agent : options->argv[0], name);
    }
    return options->project[0] ? project_check(options->project, server->paths.state, error) : 0;
}

/* What another sandbox has from the policy has been asked for by nobody. */
static bool asked(const struct start_options *given, uint64_t limit,
                  const struct policy_value *usual)
{
    bool usually = given->like && usual->set && usual->value == limit;
    return limit != UINT64_MAX && limit && !usually;
}

static void take_limits(struct start *start, const struct start_options *given)
{
    struct start_options options = *given;
    struct record *record = &start->sandbox->record;
    const struct policy *policy = &start->sandbox->guard.policy;
    start->asked_memory = asked(given, given->limits.memory, &policy->limits[POLICY_LIMIT_MEMORY]);
    start->asked_cpus = asked(given, given->limits.millicpus, &policy->limits[POLICY_LIMIT_CPUS]);
    quota_fill(&options, policy);
    record->limits = options.limits;
    record->quotas = options.quotas;
}

struct start *start_make(struct sandbox *sandbox, const struct driver *driver, struct call *call,
                         struct bj_error *error)
{
    struct start *start = calloc(1, sizeof(*start));
    if (!start) {
        bj_fail(error, -ENOMEM, "out of memory");
        return NULL;
    }
    *start = (struct start){.server = sandbox->server, .sandbox = sandbox, .driver = driver};
    start->wall = (struct wall){0, -1, -1, -1, -1};
    start->call = call;
    uv_timer_init(&sandbox->server->loop, &start->timer);
    start->timer.data = start;
    start->timer_open = true;
    sandbox->start = start;
    return start;
}

static struct start *start_new(struct server *server, const struct start_options *options,
                               struct call *call, struct bj_error *error)
{
    char name[NAME_SIZE];
    const struct driver *driver;
    struct session *session;
    if (check_options(server, options, &driver, name, error) < 0 ||
        session_use(&server->sessions, options->session, &session, error) < 0)
        return NULL;
    struct sandbox *sandbox = registry_add(server, error);
    struct start *start = sandbox ? start_make(sandbox, driver, call, error) : NULL;
    if (!start) {
        if (sandbox)
            registry_remove(server, sandbox);
        return NULL;
    }
    sandbox->rows = options->rows;
    sandbox->cols = options->cols;
    memcpy(sandbox->record.name, name, sizeof(name));
    if (start_take_profile(start, options, error) < 0)
        return start; /* its failure is told as that of every other step */
    if (fill_record(&sandbox->record, options, server) < 0 ||
        start_copy_env(start, options->env) < 0) {
        bj_fail(error, -ENOMEM, "out of memory");
    } else if (guard_load(sandbox, error) == 0) {
        take_limits(start, options);
        if (session_add_pane(session, sandbox->record.id, error) == 0)
            server->sessions_dirty = true;
    }
    return start;
}

void start_sandbox(struct server *server, const struct start_options *options, struct call *call)
{
    struct bj_error error = {0};
    char directory[BJ_PATH_MAX];
    struct start *start = start_new(server, options, call, &error);
    if (!start) {
        call_fail(call, &error);
        return;
    }
    struct sandbox *sandbox = start->sandbox;
    sandbox_touch(sandbox);
    int status = error.code;
    if (status == 0)
        status = start_directories(sandbox, &error);
    if (status == 0)
        status = sandbox_state_path(sandbox, "", directory, &error);
    if (status == 0)
        status = record_save(&sandbox->record, directory, &error);
    struct project_plan plan = {
        .source = sandbox->record.project,
        .directory = directory,
        .change_owner = geteuid() == 0,
        .uid = sandbox->record.uid,
        .gid = sandbox->record.gid,
    };
    if (status == 0)
        status = project_prepare(&server->loop, &plan, &start->job, on_copied, start, &error);
    if (status < 0)
        start_fail(start, &error);
    else if (status == 1)
        start_launch(start);
}
