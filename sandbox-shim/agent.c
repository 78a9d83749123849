#include "sandbox-shim/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND  127
#define REAP_BATCH      256 /* then others get a turn, however fast a fork bomb dies */

/* What the child does before it becomes the agent, in this order. */
enum step { STEP_SESSION, STEP_TERMINAL, STEP_LIMIT, STEP_EXEC };

static const char *const step_names[] = {
    [STEP_SESSION] = "cannot give it a session",
    [STEP_TERMINAL] = "cannot give it the terminal",
    [STEP_LIMIT] = "cannot limit its processes",
    [STEP_EXEC] = "cannot run it",
};

struct failure {
    int step;
    int number; /* errno */
};

void agent_init(struct agent *agent)
{
    *agent = (struct agent){.verdict_fd = -1};
}

static int limit(int resource, uint64_t value)
{
    struct rlimit old;
    if (getrlimit((__rlimit_resource_t)resource, &old) < 0)
        return -1;
    rlim_t bounded = value < old.rlim_max ? (rlim_t)value : old.rlim_max;
    struct rlimit new = {bounded, bounded};
    return setrlimit((__rlimit_resource_t)resource, &new);
}

static void reset_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* fails for the two that cannot be changed */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static enum step become(char **argv, int tty, uint64_t nproc)
{
    reset_signals();
    umask(022);
    if (setsid() < 0)
        return STEP_SESSION;
    if (ioctl(tty, TIOCSCTTY, 0) < 0 || dup2(tty, 0) < 0 || dup2(tty, 1) < 0 || dup2(tty, 2) < 0)
        return STEP_TERMINAL;
    if (limit(RLIMIT_CORE, 0) < 0 || (nproc > 0 && limit(RLIMIT_NPROC, nproc) < 0))
        return STEP_LIMIT;
    execvp(argv[0], argv);
    return STEP_EXEC;
}

static void fail(struct agent *agent, const char *what, int number)
{
    agent->state = AGENT_ENDED;
    agent->code = number == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
    agent->signal = 0;
    bj_fail(&agent->error, -number, "%.300s: %s: %s", agent->name, what, strerror(number));
}

void agent_start(struct agent *agent, char **argv, int tty, uint64_t nproc)
{
    int verdict[2];
    agent->name = argv[0];
    if (pipe2(verdict, O_CLOEXEC | O_NONBLOCK) < 0) {
        fail(agent, "cannot start it", errno);
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct failure failure = {.step = become(argv, tty, nproc)};
        failure.number = errno;
        if (write(verdict[1], &failure, sizeof(failure)) < 0)
            _exit(EXIT_CANNOT_RUN);
        _exit(failure.number == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
    }
    int number = errno;
    close(verdict[1]);
    if (pid < 0) {
        close(verdict[0]);
        fail(agent, "cannot start it", number);
        return;
    }
    agent->pid = pid;
    agent->verdict_fd = verdict[0];
    agent->state = AGENT_STARTS;
}

void agent_on_verdict(struct agent *agent)
{
    struct failure failure;
    if (agent->verdict_fd < 0)
        return;
    ssize_t got = read(agent->verdict_fd, &failure, sizeof(failure));
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    close(agent->verdict_fd);
    agent->verdict_fd = -1;
    if (got == (ssize_t)sizeof(failure)) {
        fail(agent, step_names[failure.step], failure.number);
        return;
    }
    if (agent->state == AGENT_STARTS)
        agent->state = AGENT_RUNS;
}

static void on_end(struct agent *agent, const siginfo_t *info)
{
    agent_on_verdict(agent);
    if (agent->state == AGENT_ENDED) /* it never ran, and that says more */
        return;
    agent->state = AGENT_ENDED;
    agent->code = info->si_code == CLD_EXITED ? info->si_status & 0xff : 0;
    agent->signal = info->si_code == CLD_EXITED ? 0 : info->si_status;
}

bool agent_reap(struct agent *agent)
{
    for (int i = 0; i < REAP_BATCH; i++) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
            return false;
        if (info.si_pid == agent->pid)
            on_end(agent, &info);
    }
    return true;
}

void agent_kill(const struct agent *agent)
{
    if (agent->pid > 1 && agent->state != AGENT_ENDED)
        kill(-agent->pid, SIGKILL);
}
