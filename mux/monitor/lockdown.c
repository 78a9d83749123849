#include "mux/monitor/lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define NOBODY      65534U
#define DESCRIPTORS 256U

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/*
 * Everything that the event loop, the allocator and the recording do after the start. Missing on
 * purpose: open, socket, connect, bind, execve, clone, fork, ptrace, kill, process_vm_*, and every
 * call that takes a path.
 */
static const int allowed[] = {
    /* bytes in and out */
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(accept4),
    SCMP_SYS(close),
    SCMP_SYS(shutdown),
    /* the recording: its two descriptors are open */
    SCMP_SYS(pwrite64),
    SCMP_SYS(pread64),
    SCMP_SYS(ftruncate),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    /* waiting */
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(futex),
    /* about sockets and the process itself */
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    /* memory; mmap and mprotect follow, without PROT_EXEC */
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    /* signals and the end */
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
#if defined(BJ_COVERAGE)
    /* Coverage writes its counters at the end. */
    SCMP_SYS(openat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(mkdir),
#endif
#if SANITIZED
    /* AddressSanitizer and its leak check at the end: reads /proc/self, stops itself by a thread.
     */
    SCMP_SYS(openat),
    SCMP_SYS(open),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents),
    SCMP_SYS(getdents64),
    SCMP_SYS(newfstatat),
    SCMP_SYS(stat),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(ptrace),
    SCMP_SYS(wait4),
    SCMP_SYS(prctl),
    SCMP_SYS(tgkill),
    SCMP_SYS(kill),
    SCMP_SYS(getppid),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(prlimit64),
    SCMP_SYS(getrlimit),
    SCMP_SYS(dup),
    SCMP_SYS(access),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(uname),
    SCMP_SYS(getuid),
    SCMP_SYS(getgid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getegid),
    SCMP_SYS(getcwd),
    SCMP_SYS(setrlimit),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(waitid),
    SCMP_SYS(capget),
#endif
};

/* Calls that are allowed with some arguments only: bits of `mask` in argument `index` are `value`.
 */
static const struct {
    int call;
    unsigned index;
    uint64_t mask, value;
} restricted[] = {
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},          {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    {SCMP_SYS(ioctl), 1, UINT32_MAX, FIONBIO},  {SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFL},
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETFL},  {SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFD},
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETFD},
#if defined(BJ_COVERAGE)
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETLKW},
#endif
};

void lockdown_close_inherited(int keep)
{
    if (keep > 3)
        close_range(3, (unsigned)keep - 1, 0);
    close_range(keep >= 3 ? (unsigned)keep + 1 : 3, ~0U, 0);
}

static int filter(struct bj_error *error)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!context)
        return bj_fail(error, -ENOMEM, "cannot prepare the system call filter");
    int status = 0;
    for (size_t i = 0; status == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
        status = seccomp_rule_add(context, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; status == 0 && i < sizeof(restricted) / sizeof(restricted[0]); i++)
        status = seccomp_rule_add(context, SCMP_ACT_ALLOW, restricted[i].call, 1,
                                  SCMP_CMP(restricted[i].index, SCMP_CMP_MASKED_EQ,
                                           restricted[i].mask, restricted[i].value));
    if (status == 0)
        status = seccomp_load(context); /* sets no_new_privs, too */
    seccomp_release(context);
    if (status < 0)
        return bj_fail(error, status, "cannot load the system call filter: %s", strerror(-status));
    return 0;
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
    return filter(error);
}
