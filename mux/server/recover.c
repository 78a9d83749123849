#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mux/resource/procfs.h"
#include "mux/server/log.h"
#include "mux/server/monitor.h"
#include "mux/server/server.h"
#include "mux/server/supervise.h"

/* The server died between the wall's start and the note of its init: init is the one child of the
 * wall's outer process that is pid 1 inside. */
static int find_init(struct sandbox *sandbox, struct bj_error *error)
{
    struct record *record = &sandbox->record;
    struct procfs_pids children = {0};
    if (record->init.pid > 0)
        return 0;
    int status =
        process_alive(&record->outer) ? procfs_children(record->outer.pid, &children) : -ESRCH;
    if (status < 0)
        return bj_fail(error, status, "cannot look for the init of %s: %s", record->name,
                       strerror(-status));
    for (size_t i = 0; i < children.count && record->init.pid <= 0; i++)
        if (process_inner_pid(children.pid[i]) == 1)
            process_identify(children.pid[i], &record->init);
    procfs_pids_free(&children);
    return record->init.pid > 0 ? 0 : -ESRCH;
}

static void find_monitor(struct sandbox *sandbox)
{
    struct bj_error error = {0};
    if (process_alive(&sandbox->record.monitor)) {
        if (monitor_dial(sandbox, &error) < 0)
            supervise_monitor_down(sandbox, &error);
    } else if (!sandbox->ended) {
        bj_fail(&error, -ESRCH, "it had ended");
        supervise_monitor_down(sandbox, &error);
    }
}

static void lose(struct sandbox *sandbox, const char *why)
{
    snprintf(sandbox->record.error, sizeof(sandbox->record.error), "%s", why);
    supervise_ended(sandbox, -1);
}

int supervise_recover(struct sandbox *sandbox, struct bj_error *error)
{
    struct record *record = &sandbox->record;
    bool finished = record->state == SANDBOX_EXITED || record->state == SANDBOX_LOST;
    sandbox->outer_status = -1;
    guard_recover(sandbox);
    sandbox->agent_started = record->state != SANDBOX_STARTING;
    if (strcmp(record->boot_id, sandbox->server->boot_id) != 0) {
        sandbox->ended = true;
        record->init = record->outer = record->monitor = record->egress = (struct process_id){0};
        record->cgroup[0] = '\0';
        if (!finished)
            lose(sandbox, "the machine was restarted");
        return 0;
    }
    int status = find_init(sandbox, error);
    if (status == 0)
        status = supervise_init(sandbox, error);
    if (status == 0)
        status = supervise_outer(sandbox, false, error);
    if (status < 0 && status != -ESRCH)
        return status; /* what runs must not be taken for ended */
    sandbox->ended = !sandbox->init_watch;
    find_monitor(sandbox);
    if (sandbox->ended && !finished && !sandbox->monitor)
        lose(sandbox, record->state == SANDBOX_STARTING
                          ? "the server ended while this sandbox was being started"
                          : "the sandbox ended while no server and no monitor ran");
    else if (!sandbox->ended)
        log_line("sandbox %s (%s) found again, init %d", record->id, record->name,
                 (int)record->init.pid);
    return 0;
}
