#include "mux/monitor/lockdown.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mux/filter/apply.h"
#include "mux/monitor/monitor_filter.h"
#include "mux/monitor/sanitized.h"

#define NOBODY      65534U
#define DESCRIPTORS 256U

void lockdown_close_inherited(int keep)
{
    if (keep > 3)
        close_range(3, (unsigned)keep - 1, 0);
    close_range(keep >= 3 ? (unsigned)keep + 1 : 3, ~0U, 0);
}

/* Root's rights to open what is left are gone with the user; the sockets and files stay open. */
static int drop_user(struct bj_error *error)
{
    if (getuid() != 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0)
        return bj_fail(error, -errno, "cannot become user nobody: %s", strerror(errno));
    return 0;
}

static int limit(int resource, rlim_t value)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
        return -1;
    if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max)
        value = now.rlim_max;
    struct rlimit want = {value, value};
    return setrlimit((__rlimit_resource_t)resource, &want);
}

static int follow(pid_t parent, struct bj_error *error)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return bj_fail(error, -errno, "cannot follow the parent: %s", strerror(errno));
    return getppid() == parent ? 0 : bj_fail(error, -ESRCH, "the parent has ended");
}

int lockdown(uint64_t memory, pid_t parent, struct bj_error *error)
{
    /* Keep no directory busy, and no place from which relative paths would work. */
    if (chdir("/") < 0)
        return bj_fail(error, -errno, "cannot leave the working directory: %s", strerror(errno));
    /* What is on screen may be secret: no core dumps, and no other process of the user may look. */
    if (limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_NOFILE, DESCRIPTORS) < 0 ||
        (!SANITIZED && limit(RLIMIT_DATA, memory) < 0))
        return bj_fail(error, -errno, "cannot set limits: %s", strerror(errno));
    int status = drop_user(error);
    if (status < 0)
        return status;
    /* After the change of user, which sets these two anew. The leak check wants to look at its
     * process. */
    if (parent && (status = follow(parent, error)) < 0)
        return status;
    if (prctl(PR_SET_DUMPABLE, SANITIZED) < 0)
        return bj_fail(error, -errno, "cannot become undumpable: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return bj_fail(error, -errno, "cannot set no_new_privs: %s", strerror(errno));
    return filter_apply(monitor_filter, sizeof(monitor_filter) / sizeof(monitor_filter[0]), error);
}
