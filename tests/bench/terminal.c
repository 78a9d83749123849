#include "tests/bench/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t bench_now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

int terminal_start(struct terminal *terminal, unsigned rows, unsigned cols, char *const argv[])
{
    *terminal = (struct terminal){.fd = -1};
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    terminal->pid = forkpty(&terminal->fd, NULL, NULL, &size);
    if (terminal->pid < 0)
        return -1;
    if (terminal->pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("COLORTERM", "truecolor", 1);
        unsetenv("TMUX");
        execvp(argv[0], argv);
        _exit(127);
    }
    return 0;
}

static bool pass_on(int fd, const char *bytes, ssize_t size)
{
    while (size > 0) {
        ssize_t part = write(fd, bytes, (size_t)size);
        if (part < 0)
            return false;
        bytes += part;
        size -= part;
    }
    return true;
}

/* As many bytes as the pty gives at once, in one piece, like the shim. */
static ssize_t gather(int pty, char *bytes, size_t size)
{
    size_t total = 0;
    while (total < size) {
        ssize_t part = read(pty, bytes + total, size - total);
        if (part < 0 && errno != EAGAIN)
            return -1;
        if (part <= 0)
            break;
        total += (size_t)part;
    }
    return (ssize_t)total;
}

static void relay(int pty, int socket)
{
    static char bytes[65536];
    struct pollfd polls[] = {{.fd = pty, .events = POLLIN}, {.fd = socket, .events = POLLIN}};
    fcntl(pty, F_SETFL, O_NONBLOCK);
    for (;;) {
        if (poll(polls, 2, -1) < 0)
            return;
        if (polls[0].revents) {
            ssize_t size = gather(pty, bytes, sizeof(bytes));
            if (size < 0 || !pass_on(socket, bytes, size))
                return;
        }
        if (polls[1].revents) {
            ssize_t size = read(socket, bytes, sizeof(bytes));
            if (size <= 0 || !pass_on(pty, bytes, size))
                return;
        }
    }
}

int terminal_start_relayed(struct terminal *terminal, unsigned rows, unsigned cols,
                           char *const argv[])
{
    int ends[2];
    *terminal = (struct terminal){.fd = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    terminal->pid = fork();
    if (terminal->pid == 0) {
        struct terminal inner;
        close(ends[0]);
        if (terminal_start(&inner, rows, cols, argv) == 0)
            relay(inner.fd, ends[1]);
        terminal_stop(&inner);
        _exit(0);
    }
    close(ends[1]);
    terminal->fd = ends[0];
    if (terminal->pid > 0)
        return 0;
    close(ends[0]);
    terminal->fd = -1;
    return -1;
}

ssize_t terminal_drain(struct terminal *terminal, int wait_ms)
{
    static char bytes[65536];
    struct pollfd poll_fd = {.fd = terminal->fd, .events = POLLIN};
    if (poll(&poll_fd, 1, wait_ms) <= 0)
        return 0;
    ssize_t size = read(terminal->fd, bytes, sizeof(bytes));
    if (size <= 0)
        return -1;
    terminal->received += (uint64_t)size;

    size_t room = sizeof(terminal->tail) - 1;
    size_t part = (size_t)size < room ? (size_t)size : room;
    size_t keep = terminal->tail_size < room - part ? terminal->tail_size : room - part;
    memmove(terminal->tail, terminal->tail + terminal->tail_size - keep, keep);
    memcpy(terminal->tail + keep, bytes + size - part, part);
    terminal->tail_size = keep + part;
    terminal->tail[terminal->tail_size] = '\0';
    if (terminal->answers && memmem(bytes, (size_t)size, "\033[6n", 4))
        terminal_type(terminal, "\033[1;1R", 6);
    return size;
}

bool terminal_wait(struct terminal *terminal, const char *text, double seconds)
{
    int64_t end = bench_now_us() + (int64_t)(seconds * 1e6);
    while (!memmem(terminal->tail, terminal->tail_size, text, strlen(text))) {
        if (bench_now_us() > end || terminal_drain(terminal, 20) < 0)
            return false;
    }
    return true;
}

bool terminal_settle(struct terminal *terminal, int milliseconds)
{
    int64_t end = bench_now_us() + milliseconds * 1000LL;
    while (bench_now_us() < end)
        if (terminal_drain(terminal, 10) < 0)
            return false;
    return true;
}

int terminal_type(struct terminal *terminal, const char *bytes, size_t size)
{
    return write(terminal->fd, bytes, size) == (ssize_t)size ? 0 : -1;
}

void terminal_stop(struct terminal *terminal)
{
    if (terminal->fd < 0)
        return;
    kill(terminal->pid, SIGHUP);
    close(terminal->fd);
    for (int i = 0; i < 200 && waitpid(terminal->pid, NULL, WNOHANG) == 0; i++) {
        usleep(10000);
        if (i == 100)
            kill(terminal->pid, SIGKILL);
    }
    terminal->fd = -1;
}
