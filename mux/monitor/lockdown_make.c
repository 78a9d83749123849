/* Makes the monitor's system call filter (lockdown.h). */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "mux/filter/print.h"
#include "mux/monitor/sanitized.h"

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
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETFD},  {SCMP_SYS(fcntl), 1, UINT32_MAX, F_DUPFD_CLOEXEC},
#if defined(BJ_COVERAGE)
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETLKW},
#endif
};

static int build(scmp_filter_ctx filter)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; status == 0 && i < sizeof(restricted) / sizeof(restricted[0]); i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, restricted[i].call, 1,
                                  SCMP_CMP(restricted[i].index, SCMP_CMP_MASKED_EQ,
                                           restricted[i].mask, restricted[i].value));
    return status;
}

int main(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    return filter_print(filter, filter ? build(filter) : -ENOMEM, "monitor_filter");
}
