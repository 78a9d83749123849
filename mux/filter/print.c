#include "mux/filter/print.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int print(int fd, const char *name)
{
    struct sock_filter line;
    ssize_t size;
    printf("/* Made by a program of mux/. */\n#include <linux/filter.h>\nstatic const struct "
           "sock_filter %s[] = {\n",
           name);
    while ((size = read(fd, &line, sizeof(line))) == (ssize_t)sizeof(line))
        printf("    {%#x, %u, %u, %#x},\n", line.code, line.jt, line.jf, line.k);
    puts("};");
    return size != 0 || fflush(stdout) != 0 ? -EIO : 0;
}

int filter_print(scmp_filter_ctx filter, int status, const char *name)
{
    int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (!filter || fd < 0)
        status = -ENOMEM;
    if (status == 0)
        status = seccomp_export_bpf(filter, fd);
    if (status == 0)
        status = lseek(fd, 0, SEEK_SET) < 0 ? -errno : print(fd, name);
    if (status < 0)
        fprintf(stderr, "cannot make the system call filter: %s\n", strerror(-status));
    if (filter)
        seccomp_release(filter);
    if (fd >= 0)
        close(fd);
    return status < 0;
}
