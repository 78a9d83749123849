#include "mux/egress/lockdown.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mux/egress/egress_filter.h"
#include "mux/filter/apply.h"

#define NOBODY 65534

/* Sanitizers make system calls of their own, and coverage writes files at the end, so a build with
 * them has no filter. */
#if defined(BJ_COVERAGE) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FILTERED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FILTERED 0
#endif
#endif
#ifndef FILTERED
#define FILTERED 1
#endif

static int drop_user(struct bj_error *error)
{
    if (geteuid() != 0)
        return 0;
    const struct passwd *nobody = getpwnam("nobody");
    uid_t uid = nobody ? nobody->pw_uid : NOBODY;
    gid_t gid = nobody ? nobody->pw_gid : NOBODY;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return bj_fail(error, -errno, "cannot become the user nobody: %s", strerror(errno));
    return 0;
}

int lockdown_begin(struct bj_error *error)
{
    pid_t parent = getppid();
    int status = drop_user(error);
    if (status < 0)
        return status;
    static const struct rlimit no_core = {0, 0};
    if (setrlimit(RLIMIT_CORE, &no_core) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_DUMPABLE, !FILTERED, 0, 0, 0) < 0) /* a leak check looks at its process */
        return bj_fail(error, -errno, "cannot lock the process down: %s", strerror(errno));
    /* After the change of the user, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
        return bj_fail(error, -ESRCH, "the process that started egress is gone");
    return 0;
}

int lockdown_finish(struct bj_error *error)
{
    if (!FILTERED)
        return 0;
    return filter_apply(egress_filter, sizeof(egress_filter) / sizeof(egress_filter[0]), error);
}
