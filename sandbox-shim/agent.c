#include "sandbox-shim/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox-shim/spawn.h"

#define REAP_BATCH 256 /* then others get a turn, however fast a fork bomb dies */

struct failure {
    enum spawn_step step;
    int number; /* errno */
};

void agent_init(struct agent *agent)
{
    *agent = (struct agent){.verdict_fd = -1};
}

static void fail(struct agent *agent, const char *what, int number)
{
    agent->state = AGENT_ENDED;
    agent->code = spawn_exit_code(number);
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
        struct spawn spawn = {argv, tty, tty, tty, .terminal = true, .nproc = nproc};
        struct failure failure = {.step = spawn_become(&spawn)};
        failure.number = errno;
        /* When this does not arrive, the exit code is all there is to say. */
        ssize_t written = write(verdict[1], &failure, sizeof(failure));
        _exit(written < 0 ? spawn_exit_code(EIO) : spawn_exit_code(failure.number));
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
        fail(agent, spawn_step_text(failure.step), failure.number);
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

bool agent_reap(struct agent *agent, agent_other_fn *other, void *owner)
{
    for (int i = 0; i < REAP_BATCH; i++) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return false;
        if (info.si_pid == agent->pid)
            on_end(agent, &info);
        else
            other(owner, &info);
        waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
    }
    return true;
}

void agent_kill(const struct agent *agent)
{
    if (agent->pid > 1 && agent->state != AGENT_ENDED)
        kill(-agent->pid, SIGKILL);
}
