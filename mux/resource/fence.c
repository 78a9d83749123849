#include "mux/resource/fence.h"

#include <errno.h>
#include <signal.h>

#include "mux/resource/cgroup.h"
#include "mux/resource/procfs.h"

/* Its init is not known yet, and would outlive it. */
static void kill_with_children(const struct process_id *outer)
{
    struct procfs_pids children = {0};
    if (process_state(outer->pid) != 'T') {
        process_signal(outer, SIGSTOP); /* it makes no other child until the next pass */
        return;
    }
    if (procfs_children(outer->pid, &children) < 0)
        return;
    for (size_t i = 0; i < children.count; i++)
        kill(children.pid[i], SIGKILL); /* not reaped: their parent stands still */
    procfs_pids_free(&children);
    process_signal(outer, SIGKILL);
}

int fence_kill(const struct fence *fence)
{
    bool left = false;
    if (fence->cgroup[0] && cgroup_populated(fence->cgroup)) {
        left = true;
        if (fence->cgroup_kill)
            cgroup_kill(fence->cgroup);
        else if (fence->cgroup_freeze)
            cgroup_freeze(fence->cgroup, false);
    }
    if (process_alive(&fence->init)) {
        left = true;
        process_signal(&fence->init, SIGKILL);
    } else if (process_alive(&fence->outer)) {
        /* Only then: the outer process's exit status tells how init ended. */
        left = true;
        if (fence->init.pid > 0)
            process_signal(&fence->outer, SIGKILL);
        else
            kill_with_children(&fence->outer);
    }
    return !left;
}

int fence_stop(const struct fence *fence, bool stop)
{
    if (!process_alive(&fence->init))
        return -ESRCH;
    if (fence->cgroup[0] && fence->cgroup_freeze) {
        int frozen = cgroup_is_frozen(fence->cgroup, stop);
        if (frozen == 0)
            cgroup_freeze(fence->cgroup, stop);
        if (frozen >= 0)
            return frozen;
    }
    return procfs_stop_pass(fence->init.pid, stop);
}
