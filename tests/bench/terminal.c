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
#include <termios.h>
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

#define LITTLE 256 /* bytes that are passed on without a look for more */

static bool pass_on(int fd, const char *bytes, ssize_t size)
{
    while (size > 0) {
        ssize_t part = write(fd, bytes, (size_t)size);
        struct pollfd room = {.fd = fd, .events = POLLOUT};
        if (part < 0 && (errno != EAGAIN || poll(&room, 1, -1) < 0))
            return false;
        bytes += part > 0 ? part : 0;
        size -= part > 0 ? part : 0;
    }
    return true;
}

/* As many bytes as there are at once, in one piece, as the shim takes them from a pty; -1 at the
 * end. */
static ssize_t gather(int fd, char *bytes, size_t size)
{
    size_t total = 0;
    do {
        ssize_t part = read(fd, bytes + total, size - total);
        if (part < 0 && errno == EAGAIN)
            break;
        if (part <= 0)
            return total > 0 ? (ssize_t)total : -1;
        total += (size_t)part;
    } while (total >= LITTLE && total < size);
    return (ssize_t)total;
}

/* Does nothing but carry bytes between two, until one of them ends. */
static void relay(int one, int other)
{
    static char bytes[65536];
    struct pollfd polls[] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    fcntl(one, F_SETFL, O_NONBLOCK);
    fcntl(other, F_SETFL, O_NONBLOCK);
    while (poll(polls, 2, -1) > 0)
        for (int i = 0; i < 2; i++) {
            ssize_t size = polls[i].revents ? gather(polls[i].fd, bytes, sizeof(bytes)) : 0;
            if (size < 0 || !pass_on(polls[1 - i].fd, bytes, size))
                return;
        }
}

/* Runs argv[0] under a pty, and carries its bytes to and from `socket`. */
static void relay_program(int socket, unsigned rows, unsigned cols, char *const argv[])
{
    struct terminal inner;
    if (terminal_start(&inner, rows, cols, argv) == 0)
        relay(inner.fd, socket);
    terminal_stop(&inner);
    _exit(0);
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
        close(ends[0]);
        relay_program(ends[1], rows, cols, argv);
    }
    close(ends[1]);
    terminal->fd = ends[0];
    if (terminal->pid > 0)
        return 0;
    close(ends[0]);
    terminal->fd = -1;
    return -1;
}

/* In the place of the client: the human's terminal is standard input. */
static void be_client(unsigned rows, unsigned cols, char *const argv[])
{
    int outer[2], inner[2];
    struct termios modes;
    tcgetattr(0, &modes);
    cfmakeraw(&modes);
    tcsetattr(0, TCSANOW, &modes);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, outer) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, inner) < 0)
        _exit(1);
    pid_t shim = fork();
    if (shim == 0) {
        close(outer[0]);
        close(outer[1]);
        close(inner[0]);
        relay_program(inner[1], rows, cols, argv);
    }
    close(inner[1]);
    pid_t monitor = fork();
    if (monitor == 0) {
        close(outer[0]);
        relay(outer[1], inner[0]);
        _exit(0);
    }
    close(outer[1]);
    close(inner[0]);
    if (shim > 0 && monitor > 0)
        relay(0, outer[0]);
    _exit(0);
}

int terminal_start_chained(struct terminal *terminal, unsigned rows, unsigned cols,
                           char *const argv[])
{
    *terminal = (struct terminal){.fd = -1};
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    terminal->pid = forkpty(&terminal->fd, NULL, NULL, &size);
    if (terminal->pid == 0)
        be_client(rows, cols, argv);
    return terminal->pid < 0 ? -1 : 0;
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
