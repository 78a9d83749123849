#include "mux/driver/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/server/suite.h"

/* Each attempt returns the errno that it got, 0 when it was let through. Check runs every test in a
 * process of its own, so the filter ends with it. */
#define ATTEMPT(call) ((call) < 0 ? errno : 0)

static void load(void)
{
    struct bj_error error;
    ck_assert_int_eq(filter_load(&error), 0);
}

START_TEST(refused)
{
    static const struct {
        long number, a, b, c;
        int code;
    } rows[] = {
        {SYS_mount, 0, 0, 0, EPERM},
        {SYS_umount2, 0, 0, 0, EPERM},
        {SYS_pivot_root, 0, 0, 0, EPERM},
        {SYS_chroot, (long)"/", 0, 0, EPERM},
        {SYS_unshare, CLONE_NEWUSER, 0, 0, EPERM},
        {SYS_unshare, 0, 0, 0, EPERM},
        {SYS_setns, 0, 0, 0, EPERM},
        {SYS_clone3, 0, 0, 0, ENOSYS},
        {SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, EPERM},
        {SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, EPERM},
        {SYS_keyctl, 0, 0, 0, EPERM},
        {SYS_add_key, 0, 0, 0, EPERM},
        {SYS_request_key, 0, 0, 0, EPERM},
        {SYS_bpf, 0, 0, 0, EPERM},
        {SYS_perf_event_open, 0, 0, 0, EPERM},
        {SYS_userfaultfd, 0, 0, 0, EPERM},
        {SYS_io_uring_setup, 1, 0, 0, ENOSYS},
        {SYS_open_by_handle_at, 0, 0, 0, EPERM},
        {SYS_name_to_handle_at, 0, 0, 0, EPERM},
        {SYS_reboot, 0, 0, 0, EPERM},
        {SYS_syslog, 0, 0, 0, EPERM},
        {SYS_ioctl, 0, TIOCSTI, (long)"x", EPERM},
        {SYS_ioctl, 0, (long)(TIOCSTI | 0x7700000000L), (long)"x", EPERM},
        {SYS_ioctl, 0, TIOCLINUX, 0, EPERM},
        {SYS_personality, ADDR_NO_RANDOMIZE, 0, 0, EPERM},
        {SYS_personality, READ_IMPLIES_EXEC, 0, 0, EPERM},
        {SYS_personality, 0x80000000L, 0, 0, EPERM},
        {SYS_socket, AF_PACKET, SOCK_RAW, 0, EPERM},
        {SYS_socket, AF_VSOCK, SOCK_STREAM, 0, EPERM},
        {SYS_socket, AF_ALG, SOCK_SEQPACKET, 0, EPERM},
        {SYS_socket, 99, SOCK_STREAM, 0, EPERM},
        {SYS_socket, (long)(AF_PACKET | 0x100000000L), SOCK_RAW, 0, EPERM},
        {SYS_socket, AF_INET, SOCK_RAW, 1, EPERM},
        {SYS_socket, AF_INET6, SOCK_RAW | SOCK_CLOEXEC, 58, EPERM},
        {SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_AUDIT, EPERM},
        {SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, EPERM},
    };
    load();
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        ck_assert_msg(ATTEMPT(syscall(rows[i].number, rows[i].a, rows[i].b, rows[i].c)) ==
                          rows[i].code,
                      "row %zu: call %ld gave %d", i, rows[i].number, errno);
}
END_TEST

START_TEST(allowed)
{
    int pair[2], status;
    load();
    ck_assert_int_eq(ATTEMPT(socket(AF_UNIX, SOCK_STREAM, 0)), 0);
    ck_assert_int_eq(ATTEMPT(socket(AF_INET, SOCK_STREAM, 0)), 0);
    ck_assert_int_eq(ATTEMPT(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)), 0);
    ck_assert_int_eq(ATTEMPT(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)), 0);
    ck_assert_int_eq(ATTEMPT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair)), 0);
    ck_assert_int_eq(ATTEMPT(personality(0xffffffff)), 0);
    ck_assert_int_eq(ATTEMPT(personality(0)), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(7);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

START_TEST(exported_from_the_start)
{
    struct bj_error error;
    int fd = filter_export(&error);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)lseek(fd, 0, SEEK_CUR), 0);
    off_t size = lseek(fd, 0, SEEK_END);
    ck_assert_int_gt((int)size, 0);
    ck_assert_int_eq((int)(size % 8), 0); /* struct sock_filter */
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {refused, allowed, exported_from_the_start, NULL};
    return suite_run("filter", cases);
}
