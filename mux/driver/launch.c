#include "mux/driver/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum step {
    STEP_SESSION,
    STEP_CGROUP,
    STEP_LIMIT,
    STEP_NAMESPACE,
    STEP_PRIVATE,
    STEP_SOURCE,
    STEP_BASE,
    STEP_TARGET,
    STEP_BIND,
    STEP_USER,
    STEP_STDIO,
    STEP_EXEC,
};

static const char *const steps[] = {
    [STEP_SESSION] = "start a session",
    [STEP_CGROUP] = "enter the sandbox's cgroup",
    [STEP_LIMIT] = "set the limit of open files",
    [STEP_NAMESPACE] = "make a mount namespace (root in a container needs CAP_SYS_ADMIN for it)",
    [STEP_PRIVATE] = "make the mounts private",
    [STEP_SOURCE] = "open what belongs to the sandbox",
    [STEP_BASE] = "mount a file system for the sandbox's parts",
    [STEP_TARGET] = "make a place for the sandbox's parts",
    [STEP_BIND] = "bind the sandbox's parts",
    [STEP_USER] = "become the sandbox's user",
    [STEP_STDIO] = "set up the descriptors",
    [STEP_EXEC] = "execute the program that builds the wall",
};

struct report {
    char mark;
    uint8_t step;
    int32_t number;
} __attribute__((packed));

__attribute__((noreturn)) static void report(const struct launch *launch, enum step step)
{
    struct report report = {LAUNCH_REPORT, (uint8_t)step, errno};
    ssize_t written = write(launch->trouble, &report, sizeof(report));
    _exit(written == (ssize_t)sizeof(report) ? 125 : 124);
}

int launch_explain(const char *trouble, struct bj_error *error)
{
    struct report report;
    memcpy(&report, trouble, sizeof(report));
    const char *step = report.step < sizeof(steps) / sizeof(*steps) ? steps[report.step] : "start";
    return bj_fail(error, -(report.number > 0 ? report.number : EIO), "cannot %s: %s", step,
                   strerror(report.number));
}

/* Everything is opened before a file system is mounted over `base`, which might hide it. The
 * descriptors must be of this mount namespace, so they are opened after unshare(). */
static void make_mounts(const struct launch *launch)
{
    int source[LAUNCH_MOUNTS_MAX];
    if (unshare(CLONE_NEWNS) < 0)
        report(launch, STEP_NAMESPACE);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        report(launch, STEP_PRIVATE);
    for (size_t i = 0; i < LAUNCH_MOUNTS_MAX && launch->mounts[i].source; i++) {
        source[i] =
            open(launch->mounts[i].source,
                 O_PATH | O_NOFOLLOW | O_CLOEXEC | (launch->mounts[i].directory ? O_DIRECTORY : 0));
        if (source[i] < 0)
            report(launch, STEP_SOURCE);
    }
    if (mount("tmpfs", launch->base, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") < 0)
        report(launch, STEP_BASE);
    for (size_t i = 0; i < LAUNCH_MOUNTS_MAX && launch->mounts[i].source; i++) {
        const struct launch_mount *part = &launch->mounts[i];
        int made = part->directory ? mkdir(part->target, 0755)
                                   : open(part->target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        if (made < 0)
            report(launch, STEP_TARGET);
        char path[] = "/proc/self/fd/0000000000";
        char *digit = path + sizeof(path) - 1;
        for (int number = source[i], at = 0; at < 10; at++, number /= 10)
            *--digit = (char)('0' + number % 10);
        /* /proc/self/fd knows no leading zeros: move the number to the front. */
        char *first = digit;
        while (*first == '0' && first[1])
            first++;
        memmove(digit, first, strlen(first) + 1);
        if (mount(path, part->target, NULL, MS_BIND, NULL) < 0)
            report(launch, STEP_BIND);
    }
}

/* Where the child could not be born there. */
static void enter_cgroup(const struct launch *launch)
{
    int procs = openat(launch->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (procs < 0 || write(procs, "0", 1) != 1)
        report(launch, STEP_CGROUP);
}

static void become(const struct launch *launch, bool inside)
{
    if (!inside)
        enter_cgroup(launch);
    if (!launch->drop)
        return;
    make_mounts(launch);
    if (setgroups(0, NULL) < 0 || setresgid(launch->gid, launch->gid, launch->gid) < 0 ||
        setresuid(launch->uid, launch->uid, launch->uid) < 0)
        report(launch, STEP_USER);
}

/* Signals ignored or blocked here would stay so in the program. */
static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child(const struct launch *launch, bool inside)
{
    char byte;
    ssize_t got;
    reset_signals();
    if (setsid() < 0)
        report(launch, STEP_SESSION);
    umask(022);
    close(launch->go_other);
    become(launch, inside);
    if (dup2(launch->null, 0) < 0 || dup2(launch->null, 1) < 0 || dup2(launch->trouble, 2) < 0 ||
        syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        report(launch, STEP_STDIO);
    for (size_t i = 0; i < LAUNCH_KEEP_MAX && launch->keep[i] >= 0; i++)
        if (fcntl(launch->keep[i], F_SETFD, 0) < 0)
            report(launch, STEP_STDIO);
    do
        got = read(launch->go, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        _exit(0); /* who started us is gone, and nobody would know of this sandbox */
    /* Last of all: with many sandboxes the server's descriptors, which are here until execve(), are
     * more than the limit allows, and then nothing could be opened above. */
    if (launch->files && setrlimit(RLIMIT_NOFILE, launch->files) < 0)
        report(launch, STEP_LIMIT);
    execve(launch->program, launch->argv, launch->envp);
    report(launch, STEP_EXEC);
}

/* fork(), with the child born in its cgroup if the kernel lets us (Linux 5.7; some containers
 * refuse clone3()). To move it there afterwards waits until all processors have passed by: some 10
 * ms. */
static pid_t fork_inside(int cgroup, bool *inside)
{
    struct clone_args args = {
        .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup};
    pid_t pid = cgroup >= 0 ? (pid_t)syscall(SYS_clone3, &args, sizeof(args)) : -1;
    *inside = cgroup < 0 || pid >= 0;
    return pid >= 0 ? pid : fork();
}

pid_t launch_fork(const struct launch *launch, struct bj_error *error)
{
    /* Signals wait until the child has reset its handlers, else ours would run in it. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    bool inside;
    pid_t pid = fork_inside(launch->cgroup, &inside);
    int code = -errno;
    if (pid == 0)
        child(launch, inside);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid < 0 ? bj_fail(error, code, "cannot fork: %s", strerror(-code)) : pid;
}
