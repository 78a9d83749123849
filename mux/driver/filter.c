#include "mux/driver/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "filter_program.h"

int filter_export(struct bj_error *error)
{
    int fd = memfd_create("seccomp", MFD_CLOEXEC);
    int code = 0;
    if (fd < 0 || write(fd, program, sizeof(program)) != (ssize_t)sizeof(program) ||
        lseek(fd, 0, SEEK_SET) < 0)
        code = errno ? errno : EIO;
    if (code == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return bj_fail(error, -code, "cannot export the seccomp filter: %s", strerror(code));
}

int filter_load(struct bj_error *error)
{
    struct sock_fprog whole = {
        .len = sizeof(program) / sizeof(program[0]),
        .filter = (struct sock_filter *)program,
    };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) < 0)
        return bj_fail(error, -errno, "cannot load the seccomp filter: %s", strerror(errno));
    return 0;
}
