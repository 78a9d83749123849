#include "tui/cli/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int spawn(char *const argv[], int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return -failed;
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    failed = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -failed;
}

/* Reads until the end of the output; false when the time is over. */
static bool read_all(int input, char *out, size_t size)
{
    int64_t end = now_ms() + PROBE_MS;
    size_t used = 0;
    char rest[512];
    for (;;) {
        struct pollfd wait = {input, POLLIN, 0};
        int64_t left = end - now_ms();
        if (left <= 0 || poll(&wait, 1, (int)left) == 0)
            break;
        bool full = used + 1 >= size;
        ssize_t got = read(input, full ? rest : out + used, full ? sizeof(rest) : size - used - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            out[used] = '\0';
            return true;
        }
        used += full ? 0 : (size_t)got;
    }
    out[used] = '\0';
    return false;
}

int probe_run(char *const argv[], char *out, size_t size)
{
    int ends[2], status = 0;
    pid_t pid;
    out[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    int failed = spawn(argv, ends[1], &pid);
    close(ends[1]);
    if (failed < 0) {
        close(ends[0]);
        return failed;
    }
    bool ended = read_all(ends[0], out, size);
    close(ends[0]);
    if (!ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    for (char *at = out; *at; at++)
        if (*at == '\n' && at[1] == '\0')
            *at = '\0';
    if (!ended)
        return -ETIMEDOUT;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
