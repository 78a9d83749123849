#include "tui/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "transport/socket.h"

#define START_MS   10000 /* how long a new server may take until it answers */
#define SETTLE_MS  1000  /* a server that ended may have lost the race against another one */
#define POLL_MS    5
#define ID_RESERVE 16 /* bytes of a sandbox id in the longest socket path */
#define LOG_TAIL   4096

/* What the starting child tells: the server's pid, then an errno when exec failed. */
struct birth {
    pid_t pid;
    int error;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int check_length(const struct bj_paths *paths, struct bj_error *error)
{
    size_t most = BJ_SOCKET_PATH_MAX - ID_RESERVE - strlen("//link/link.sock");
    if (strlen(paths->runtime) <= most)
        return 0;
    return bj_fail(error, -ENAMETOOLONG,
                   "the runtime directory's path is too long for sockets (%zu bytes, at most %zu): "
                   "choose a shorter one with BELLJAR_RUNTIME_DIR",
                   strlen(paths->runtime), most);
}

/* The last line of the server's log, or nothing. */
static void last_log_line(const struct bj_paths *paths, char *out, size_t size)
{
    char path[BJ_PATH_MAX], tail[LOG_TAIL + 1];
    *out = '\0';
    if (bj_path(path, sizeof(path), NULL, "%s/server.log", paths->state) < 0)
        return;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return;
    off_t end = lseek(file, 0, SEEK_END);
    ssize_t got = pread(file, tail, LOG_TAIL, end > LOG_TAIL ? end - LOG_TAIL : 0);
    close(file);
    while (got > 0 && tail[got - 1] == '\n')
        got--;
    if (got <= 0)
        return;
    tail[got] = '\0';
    const char *line = strrchr(tail, '\n');
    line = line ? line + 1 : tail;
    snprintf(out, size, "%.*s", (int)(size - 1), line);
    for (char *at = out; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
}

static void silence(const char *log)
{
    int null = open("/dev/null", O_RDWR);
    int errors = open(log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(errors >= 0 ? errors : null, STDERR_FILENO);
}

/*
 * The grandchild: a session of its own, no descriptor of ours but `report`, then the server. Only
 * functions that are safe between fork and exec.
 */
static void become_server(const char *program, const char *log, int report)
{
    struct birth birth = {.pid = getpid()};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    silence(log);
    if (report != 3) {
        dup3(report, 3, O_CLOEXEC);
        report = 3;
    }
    if (syscall(SYS_close_range, 4U, ~0U, 0) < 0)
        for (int i = 4; i < 1024; i++)
            close(i);
    if (chdir("/") < 0 || write(report, &birth, sizeof(birth)) != (ssize_t)sizeof(birth))
        _exit(1);
    char *const argv[] = {(char *)program, NULL};
    execv(program, argv);
    birth.error = errno;
    if (write(report, &birth, sizeof(birth)) < 0)
        _exit(126);
    _exit(127);
}

/* Forks twice, so that the server is nobody's zombie when it ends before this program does. */
static int spawn_server(const struct bj_paths *paths, pid_t *pid, struct bj_error *error)
{
    char program[BJ_PATH_MAX], log[BJ_PATH_MAX];
    int status = bj_path(program, sizeof(program), error, "%s/belljar-server", paths->libexec);
    if (status == 0)
        status = bj_path(log, sizeof(log), error, "%s/server.log", paths->state);
    if (status < 0)
        return status;
    if (access(program, X_OK) < 0)
        return bj_fail(error, -errno,
                       "cannot start the server: %s: %s (is Belljar installed completely? "
                       "BELLJAR_LIBEXEC_DIR names another place)",
                       program, strerror(errno));
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return bj_fail(error, -errno, "cannot start the server: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        setsid();
        pid_t server = fork();
        if (server == 0)
            become_server(program, log, report[1]);
        _exit(server < 0);
    }
    int failed = child < 0 ? errno : 0;
    close(report[1]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    struct birth birth = {0}, later = {0};
    if (!failed && read(report[0], &birth, sizeof(birth)) != (ssize_t)sizeof(birth))
        failed = EAGAIN;
    if (!failed && read(report[0], &later, sizeof(later)) == (ssize_t)sizeof(later))
        failed = later.error;
    close(report[0]);
    if (failed)
        return bj_fail(error, -failed, "cannot start the server %s: %s", program, strerror(failed));
    *pid = birth.pid;
    return 0;
}

static int dial(const struct bj_paths *paths, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/server.sock", paths->runtime);
    if (status < 0)
        return status;
    int descriptor = bj_socket_connect(path, error);
    if (descriptor < 0)
        return descriptor;
    status = bj_socket_check_peer(descriptor, geteuid(), error);
    if (status < 0) {
        close(descriptor);
        return status;
    }
    return descriptor;
}

/* -EAGAIN: the queue of connections is full, the server is only busy. */
static int dial_patiently(const struct bj_paths *paths, struct bj_error *error)
{
    int64_t end = now_ms() + SETTLE_MS;
    int descriptor;
    while ((descriptor = dial(paths, error)) == -EAGAIN && now_ms() < end)
        poll(NULL, 0, POLL_MS);
    return descriptor;
}

static bool nobody_listens(int status)
{
    return status == -ENOENT || status == -ECONNREFUSED;
}

static int await_server(const struct bj_paths *paths, pid_t pid, struct bj_error *error)
{
    struct pollfd server = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
    int64_t end = now_ms() + START_MS;
    bool ended = false;
    int descriptor;
    for (;;) {
        descriptor = dial_patiently(paths, error);
        if (!nobody_listens(descriptor) || now_ms() >= end)
            break;
        int events = poll(&server, server.fd >= 0 && !ended ? 1 : 0, POLL_MS);
        if (events > 0 && !ended) {
            ended = true;
            end = now_ms() + SETTLE_MS;
        }
    }
    if (server.fd >= 0)
        close(server.fd);
    if (!nobody_listens(descriptor))
        return descriptor;
    char line[256];
    last_log_line(paths, line, sizeof(line));
    return bj_fail(error, descriptor, "the server %s%s%s: see %.200s/server.log",
                   ended ? "ended at once" : "does not answer", *line ? ": " : "", line,
                   paths->state);
}

int connect_server(const struct bj_paths *paths, bool start, struct bj_error *error)
{
    struct stat info;
    int status = check_length(paths, error);
    if (status < 0)
        return status;
    if (start)
        status = bj_paths_prepare(paths, error);
    else if (lstat(paths->runtime, &info) == 0)
        status = bj_directory_private(paths->runtime, error);
    if (status < 0)
        return status;

    int descriptor = dial_patiently(paths, error);
    if (!nobody_listens(descriptor))
        return descriptor;
    if (!start)
        return bj_fail(error, -ECONNREFUSED,
                       "no server runs in %.200s: belljar ls starts one and finds sandboxes again",
                       paths->runtime);
    pid_t pid;
    status = spawn_server(paths, &pid, error);
    return status < 0 ? status : await_server(paths, pid, error);
}
