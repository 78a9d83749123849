#include "mux/policy/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 50 /* between two looks whether to stop */

extern char **environ;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The caller may ignore or block signals; the program starts with none of that. */
static int start(const char *const argv[], const char *directory, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int status = posix_spawn_file_actions_addchdir_np(&actions, directory);
    status =
        status ? status
               : posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    status = status ? status : posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    status = status ? status
                    : posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                                       O_WRONLY, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    if (status == 0)
        status = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

static atomic_bool stopped;

void run_stop(void)
{
    stopped = true;
}

/* Until the end of its output. Returns false when the time was over before. */
static bool drain(int fd, int64_t deadline, char *out, size_t room, size_t *size)
{
    for (;;) {
        int64_t left = stopped ? 0 : deadline - now_ms();
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (left <= 0)
            return false;
        int count = poll(&ready, 1, left < LOOK_MS ? (int)left : LOOK_MS);
        if (count < 0 && errno != EINTR)
            return false;
        if (count <= 0)
            continue;
        char dropped[4096];
        size_t space = room - 1 - *size;
        ssize_t got = read(fd, space ? out + *size : dropped, space ? space : sizeof(dropped));
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return true;
        *size += space ? (size_t)got : 0;
    }
}

/* The end of its output is not its end: it may close stdout and go on. It stays a zombie, so that
 * its process group cannot become another's. */
static bool wait_end(pid_t pid, int64_t deadline)
{
    struct timespec pause = {.tv_nsec = 2000000};
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno != EINTR)
            return false;
        if (info.si_pid == pid)
            return true;
        if (stopped || now_ms() >= deadline)
            return false;
        nanosleep(&pause, NULL);
    }
}

int run_read(const char *const argv[], const char *directory, int timeout, char *out, size_t room,
             size_t *size, struct bj_error *error)
{
    int ends[2];
    pid_t pid = 0;
    *size = 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return bj_fail(error, -errno, "cannot run %s: %s", argv[0], strerror(errno));
    int status = start(argv, directory, ends[1], &pid);
    close(ends[1]);
    if (status != 0) {
        close(ends[0]);
        return bj_fail(error, -status, "cannot run %s: %s", argv[0], strerror(status));
    }
    int64_t deadline = now_ms() + timeout;
    int exited = 0;
    bool ended = drain(ends[0], deadline, out, room, size) && wait_end(pid, deadline);
    close(ends[0]);
    out[*size] = '\0';
    kill(-pid, SIGKILL); /* also what it left behind in its group */
    while (waitpid(pid, &exited, 0) < 0 && errno == EINTR)
        ;
    if (!ended)
        return bj_fail(error, -ETIMEDOUT, "%s did not answer within %d ms", argv[0], timeout);
    if (!WIFEXITED(exited) || WEXITSTATUS(exited) != 0)
        return bj_fail(error, -EIO, "%s failed", argv[0]);
    return 0;
}
