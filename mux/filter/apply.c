#include "mux/filter/apply.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int filter_apply(const struct sock_filter *program, size_t count, struct bj_error *error)
{
    struct sock_fprog whole = {
        .len = (unsigned short)count,
        .filter = (struct sock_filter *)program,
    };
    long status = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (status == 0)
        status = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &whole);
    if (status > 0) /* a thread that has another filter */
        errno = EBUSY;
    return status == 0
               ? 0
               : bj_fail(error, -errno, "cannot load the system call filter: %s", strerror(errno));
}
