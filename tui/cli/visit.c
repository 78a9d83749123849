#include "tui/cli/visit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mux/driver/driver.h"
#include "mux/resource/cgroup.h"
#include "mux/resource/fence.h"
#include "mux/driver/helper.h"
#include "transport/socket.h"
#include "tui/cli/peer.h"
#include "tui/cli/report.h"
#include "tui/cli/scratch.h"

#define OPEN_MS   20000 /* for monitor, wall and link together */
#define STEP_MS   10
#define CLOSE_MS  5000
#define INFO_MAX  512
#define READY_MAX 256

struct visit {
    const volatile sig_atomic_t *stop;
    int64_t limit; /* monotonic milliseconds until which it must be open */
    struct scratch place;
    char exec[BJ_PATH_MAX];
    pid_t monitor;
    struct wall wall;
    struct cgroup_place cgroups;
    char cgroup[CGROUP_PATH_MAX];
    struct process_id init, outer;
    const struct driver *driver;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* 0 when there is time for another step. */
static int go_on(const struct visit *visit, const char *what, struct bj_error *error)
{
    if (*visit->stop)
        return bj_fail(error, -EINTR, "interrupted");
    if (now_ms() >= visit->limit)
        return bj_fail(error, -ETIMEDOUT, "%s is not ready after %d s", what, OPEN_MS / 1000);
    return 0;
}

/* Reads `fd` to its end, without blocking longer than there is time. */
static int read_all(const struct visit *visit, int fd, const char *what, char *out, size_t size,
                    struct bj_error *error)
{
    size_t filled = 0;
    for (;;) {
        struct pollfd ready = {fd, POLLIN, 0};
        int status = go_on(visit, what, error);
        if (status < 0)
            return status;
        if (poll(&ready, 1, STEP_MS) <= 0)
            continue;
        ssize_t got = read(fd, out + filled, size - 1 - filled);
        if (got > 0 && (filled += (size_t)got) < size - 1)
            continue;
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        out[filled] = '\0';
        return 0;
    }
}

/* --- the monitor --- */

_Noreturn static void become_monitor(char *const argv[], int ready)
{
    char *environment[HELPER_ENVIRONMENT_MAX + 1];
    int null = open("/dev/null", O_RDWR);
    helper_environment(environment);
    signal(SIGINT, SIG_IGN); /* of our terminal */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    fcntl(ready, F_SETFD, 0);
    execve(argv[0], argv, environment);
    _exit(127);
}

static int start_monitor(struct visit *visit, const struct bj_paths *paths, const char *uid,
                         struct bj_error *error)
{
    char program[BJ_PATH_MAX], text[READY_MAX];
    int pipes[2];
    int status = bj_path(program, sizeof(program), error, "%s/belljar-monitor", paths->libexec);
    if (status < 0)
        return status;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return bj_fail(error, -errno, "cannot make a pipe: %s", strerror(errno));
    char ready[16], parent[16], *place = visit->place.path;
    snprintf(ready, sizeof(ready), "%d", pipes[1]);
    snprintf(parent, sizeof(parent), "%d", (int)getpid());
    char *const argv[] = {
        program,     "--id",           "visit", "--runtime",    place,  "--state",
        place,       "--record-limit", "0",     "--scrollback", "0",    "--link-uid",
        (char *)uid, "--ready-fd",     ready,   "--parent",     parent, NULL};
    visit->monitor = fork();
    if (visit->monitor == 0)
        become_monitor(argv, pipes[1]);
    close(pipes[1]);
    if (visit->monitor < 0)
        status = bj_fail(error, -errno, "cannot fork: %s", strerror(errno));
    else
        status = read_all(visit, pipes[0], "the monitor", text, sizeof(text), error);
    close(pipes[0]);
    if (status == 0 && strcmp(text, "ok\n") != 0)
        status = bj_fail(error, -EIO, "the monitor did not start: %.*s", (int)strcspn(text, "\n"),
                         *text ? text : "it said nothing");
    return status;
}

/* Only the wall's init may dial, and it has done so when the link is up. */
static int await_link(struct visit *visit, struct peer *monitor, struct bj_error *error)
{
    bool up = false;
    while (!up) {
        json_t *info = NULL;
        int status = go_on(visit, "the sandbox's link", error);
        if (status == 0)
            status = peer_call(monitor, "monitor.info", NULL, PEER_TIMEOUT_MS, &info, error);
        if (status < 0)
            return status;
        up = strcmp(report_text(info, "link"), "up") == 0;
        json_decref(info);
        if (!up)
            poll(NULL, 0, STEP_MS);
    }
    return 0;
}

/* --- the wall --- */

static int make_cgroup(struct visit *visit, const json_t *limits, int *group,
                       struct bj_error *error)
{
    const struct cgroup_limits most = {
        .memory = (uint64_t)report_number(limits, "memory"),
        .millicpus = (uint64_t)report_number(limits, "millicpus"),
        .pids = (uint64_t)report_number(limits, "pids"),
    };
    char name[32];
    *group = -1;
    cgroup_find(&visit->cgroups);
    if (!visit->cgroups.path[0])
        return 0;
    snprintf(name, sizeof(name), "visit-%.16s", strrchr(visit->place.path, '/') + 1);
    int status = cgroup_make(&visit->cgroups, name, &most, visit->cgroup, error);
    return status < 0 ? status : (*group = cgroup_open(visit->cgroup, error));
}

static int start_wall(struct visit *visit, const struct bj_paths *paths, const json_t *record,
                      struct bj_error *error)
{
    /* It must be there as long as we are, and does nothing. */
    static const char *const nobody[] = {"sleep", "infinity", NULL};
    const char *id = report_text(record, "id");
    const json_t *limits = json_object_get(record, "limits");
    char path[BJ_PATH_MAX], shim[PATH_MAX], link[BJ_PATH_MAX], project[BJ_PATH_MAX],
        home[BJ_PATH_MAX];
    int group;
    visit->driver = driver_find(report_text(record, "driver"));
    if (!visit->driver)
        return bj_fail(error, -EINVAL, "its wall was of a kind that is not known here");
    int status = bj_path(path, sizeof(path), error, "%s/belljar-shim", paths->libexec);
    if (status == 0 && !realpath(path, shim))
        status = bj_fail(error, -errno, "cannot execute %s: %s", path, strerror(errno));
    if (status < 0 ||
        (status = bj_path(link, sizeof(link), error, "%s/link", visit->place.path)) < 0 ||
        (status = bj_path(project, sizeof(project), error, "%s/%s/project", paths->state, id)) <
            0 ||
        (status = bj_path(home, sizeof(home), error, "%s/%s/home", paths->state, id)) < 0 ||
        (status = make_cgroup(visit, limits, &group, error)) < 0)
        return status;
    uid_t uid = (uid_t)report_number(record, "uid");
    const struct wall_plan plan = {
        .name = report_text(record, "name"),
        .shim = shim,
        .link = link,
        .project = project,
        .home = home,
        .argv = nobody,
        .nproc = visit->cgroups.pids ? 0 : (uint32_t)report_number(limits, "pids"),
        .drop = geteuid() == 0,
        .uid = uid,
        .gid = geteuid() == 0 ? uid : getgid(), /* as the server chooses them */
        .cgroup = group,
        .mortal = true,
    };
    status = visit->driver->start(&plan, &visit->wall, error);
    if (group >= 0)
        close(group);
    if (status < 0)
        return status;
    process_identify(visit->wall.outer, &visit->outer);
    return wall_go(&visit->wall, error);
}

/* Why it ended, in its own words. */
static int wall_failed(struct visit *visit, struct bj_error *error)
{
    char trouble[WALL_TROUBLE_MAX];
    int wait_status = 0;
    int status = read_all(visit, visit->wall.trouble, "the wall", trouble, sizeof(trouble), error);
    if (status < 0)
        return status;
    while (waitpid(visit->wall.outer, &wait_status, 0) < 0 && errno == EINTR)
        ;
    visit->wall.outer = 0;
    return visit->driver->explain(trouble, wait_status, error);
}

static int take_init(struct visit *visit, struct bj_error *error)
{
    char info[INFO_MAX];
    int status = read_all(visit, visit->wall.info, "the wall", info, sizeof(info), error);
    if (status < 0)
        return status;
    pid_t pid = visit->driver->read_init(info, strlen(info));
    if (pid <= 0)
        return wall_failed(visit, error);
    if (process_parent(pid) != visit->wall.outer || process_inner_pid(pid) != 1 ||
        process_identify(pid, &visit->init) < 0)
        return bj_fail(error, -EIO, "process %d is not the sandbox's init", (int)pid);
    return 0;
}

static int release(struct visit *visit, struct bj_error *error)
{
    int status = wall_release(&visit->wall, error);
    while (status == 0 && !wall_passed(&visit->wall)) {
        struct pollfd gate = {visit->wall.gate, POLLOUT, 0};
        status = go_on(visit, "the wall", error);
        if (status == 0 && poll(&gate, 1, STEP_MS) > 0 && !wall_passed(&visit->wall))
            status = wall_failed(visit, error); /* nobody reads the gate any more */
    }
    wall_close(&visit->wall);
    return status;
}

/* --- both --- */

static int connect_both(struct visit *visit, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    struct peer monitor;
    json_t *result = NULL;
    int status = bj_path(path, sizeof(path), error, "%s/control.sock", visit->place.path);
    if (status == 0)
        status = bj_socket_connect(path, error);
    if (status < 0)
        return status;
    status = peer_open(&monitor, status, "the monitor", error);
    if (status < 0)
        return status;
    status =
        peer_call(&monitor, "monitor.admit", json_pack("{s:I}", "pid", (json_int_t)visit->init.pid),
                  PEER_TIMEOUT_MS, &result, error);
    json_decref(result);
    if (status == 0)
        status = release(visit, error);
    if (status == 0)
        status = await_link(visit, &monitor, error);
    peer_close(&monitor);
    return status;
}

/* What the sandbox's user is to see and to own, and nobody else. */
static int make_place(struct visit *visit, const struct bj_paths *paths, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/visits", paths->runtime);
    if (status == 0)
        status = scratch_make(&visit->place, path, "", error);
    if (status == 0)
        status = bj_path(path, sizeof(path), error, "%s/link", visit->place.path);
    if (status == 0 && mkdir(path, 0711) < 0)
        status = bj_fail(error, -errno, "cannot make %s: %s", path, strerror(errno));
    if (status == 0)
        status =
            bj_path(visit->exec, sizeof(visit->exec), error, "%s/exec.sock", visit->place.path);
    return status;
}

int visit_open(struct visit **out, const struct bj_paths *paths, const json_t *record,
               const volatile sig_atomic_t *stop, struct bj_error *error)
{
    struct visit *visit = *out = calloc(1, sizeof(*visit));
    if (!visit)
        return bj_fail(error, -ENOMEM, "out of memory");
    visit->stop = stop;
    visit->limit = now_ms() + OPEN_MS;
    visit->wall = (struct wall){0, -1, -1, -1, -1};
    char uid[24];
    snprintf(uid, sizeof(uid), "%lld", report_number(record, "uid"));
    int status = make_place(visit, paths, error);
    if (status == 0)
        status = start_monitor(visit, paths, uid, error);
    if (status == 0)
        status = start_wall(visit, paths, record, error);
    if (status == 0)
        status = take_init(visit, error);
    if (status == 0)
        status = connect_both(visit, error);
    return status < 0 ? bj_fail_prefix(error, "cannot look into a sandbox that has ended") : 0;
}

const char *visit_exec(const struct visit *visit)
{
    return visit->exec;
}

/* Nothing may be left that could still change the files: the kernel reports the end of init when
 * all others of its namespace are gone. */
static void end_wall(struct visit *visit)
{
    const struct fence fence = {.cgroup = visit->cgroup,
                                .init = visit->init,
                                .outer = visit->outer,
                                .cgroup_kill = visit->cgroups.kill};
    int64_t limit = now_ms() + CLOSE_MS;
    while (visit->wall.outer > 0 && !fence_kill(&fence) && now_ms() < limit)
        poll(NULL, 0, STEP_MS);
    if (visit->wall.outer > 0)
        waitpid(visit->wall.outer, NULL, WNOHANG);
    while (visit->cgroup[0] && cgroup_remove(visit->cgroup) == -EBUSY && now_ms() < limit)
        poll(NULL, 0, STEP_MS);
}

void visit_close(struct visit *visit)
{
    if (!visit)
        return;
    wall_close(&visit->wall);
    end_wall(visit);
    if (visit->monitor > 0) {
        kill(visit->monitor, SIGKILL);
        while (waitpid(visit->monitor, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    scratch_remove(&visit->place);
    free(visit);
}
