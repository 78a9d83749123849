#include "mux/driver/filter.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mux/driver/sandbox_filter.h"
#include "mux/filter/apply.h"

int filter_export(struct bj_error *error)
{
    int fd = memfd_create("seccomp", MFD_CLOEXEC);
    int code = 0;
    if (fd < 0 ||
        write(fd, sandbox_filter, sizeof(sandbox_filter)) != (ssize_t)sizeof(sandbox_filter) ||
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
    return filter_apply(sandbox_filter, sizeof(sandbox_filter) / sizeof(sandbox_filter[0]), error);
}
