#include "mux/server/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mux/server/client.h"
#include "mux/server/log.h"
#include "mux/server/server.h"

#define LOG_SIZE_MAX (1024 * 1024)

int sandbox_open_log(const struct sandbox *sandbox, const char *name, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = sandbox_state_path(sandbox, name, path, error);
    if (status < 0)
        return status;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot open %s: %s", path, strerror(errno));
    if (lseek(fd, 0, SEEK_END) > LOG_SIZE_MAX && ftruncate(fd, 0) < 0)
        log_line("cannot empty %s: %s", path, strerror(errno));
    return fd;
}

bool sandbox_alive(const struct sandbox *sandbox)
{
    return process_alive(&sandbox->record.init) || process_alive(&sandbox->record.outer);
}

const char *sandbox_state_shown(const struct sandbox *sandbox)
{
    if (sandbox->record.state == SANDBOX_RUNNING &&
        request_count(&sandbox->server->requests, sandbox->record.id))
        return "waiting";
    return sandbox_state_name(sandbox->record.state);
}

struct fence sandbox_fence(const struct sandbox *sandbox)
{
    return (struct fence){
        .cgroup = sandbox->record.cgroup,
        .init = sandbox->record.init,
        .outer = sandbox->record.outer,
        .cgroup_kill = sandbox->server->cgroups.kill,
        .cgroup_freeze = sandbox->server->cgroups.freeze,
    };
}

void sandbox_touch(struct sandbox *sandbox)
{
    sandbox->dirty = true;
    clients_schedule(sandbox->server);
}

void sandbox_set_state(struct sandbox *sandbox, enum sandbox_state state)
{
    if (sandbox->record.state == state)
        return;
    sandbox->record.state = state;
    sandbox_save(sandbox);
    sandbox_touch(sandbox);
}

void sandbox_save(struct sandbox *sandbox)
{
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    if (sandbox->removing)
        return; /* its directory goes away */
    if (sandbox_state_path(sandbox, "", path, &error) < 0 ||
        record_save(&sandbox->record, path, &error) < 0)
        server_alert(sandbox->server, sandbox, ALERT_CRITICAL, "record",
                     "the sandbox's record cannot be saved, so that a restarted server would not "
                     "find it as it is: %s",
                     error.text);
}

int sandbox_state_path(const struct sandbox *sandbox, const char *file, char *out,
                       struct bj_error *error)
{
    return bj_path(out, BJ_PATH_MAX, error, "%s/%s%s%s", sandbox->server->paths.state,
                   sandbox->record.id, *file ? "/" : "", file);
}

int sandbox_recording_path(const struct sandbox *sandbox, bool previous, int number, char *out,
                           struct bj_error *error)
{
    char directory[BJ_PATH_MAX];
    int status = sandbox_state_path(sandbox, "", directory, error);
    return status < 0 ? status
                      : bj_recording_path(out, BJ_PATH_MAX, error, directory, previous, number);
}

int sandbox_runtime_path(const struct sandbox *sandbox, const char *file, char *out,
                         struct bj_error *error)
{
    return bj_path(out, BJ_PATH_MAX, error, "%s/%s%s%s", sandbox->server->paths.runtime,
                   sandbox->record.id, *file ? "/" : "", file);
}
