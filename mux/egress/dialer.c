#include "mux/egress/dialer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/paths.h"
#include "transport/socket.h"

#define GRACE_MS 5000 /* for the worker to tell the server what it closed */

struct answer {
    uint8_t line;
    int32_t status;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static void send_answer(int socket, const struct answer *answer, int descriptor)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)answer, sizeof(*answer)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

static bool directory_is_gone(const char *path)
{
    char copy[BJ_PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    char *slash = strrchr(copy, '/');
    if (!slash || slash == copy)
        return false;
    *slash = '\0';
    struct stat info;
    return stat(copy, &info) < 0 && errno == ENOENT;
}

/* One request of the worker; false when there will be no more. */
static bool serve_one(int socket, const char *const paths[DIALER_LINES])
{
    uint8_t line;
    ssize_t size = recv(socket, &line, 1, 0);
    if (size < 0 && errno == EINTR)
        return true;
    if (size != 1 || line >= DIALER_LINES)
        return false;
    int descriptor = bj_socket_connect(paths[line], NULL);
    if (descriptor == -ENOENT && directory_is_gone(paths[DIALER_STREAM]))
        return false; /* the sandbox was removed */
    struct answer answer = {line, descriptor < 0 ? descriptor : 0};
    send_answer(socket, &answer, descriptor);
    if (descriptor >= 0)
        close(descriptor);
    return true;
}

static int worker_end(int socket, pid_t worker)
{
    /* The end of this socket tells the worker; it dies with us (PR_SET_PDEATHSIG) in any case. */
    shutdown(socket, SHUT_RDWR);
    struct pollfd end = {.fd = socket};
    int status = 0;
    for (int waited = 0; waited < GRACE_MS; waited += 20) {
        pid_t reaped = waitpid(worker, &status, WNOHANG);
        if (reaped == worker)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        end.events = 0;
        end.fd = -1;
        poll(&end, 1, 20);
    }
    kill(worker, SIGKILL);
    while (waitpid(worker, &status, 0) < 0 && errno == EINTR)
        ;
    return 1;
}

int dialer_serve(int socket, pid_t worker, const char *const paths[DIALER_LINES])
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: recv must return */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    struct pollfd wait = {.fd = socket, .events = POLLIN};
    while (!stopping) {
        /* With a time-out, since a signal may come right before the call. */
        int ready = poll(&wait, 1, 1000);
        if (ready > 0 && !serve_one(socket, paths))
            break;
    }
    return worker_end(socket, worker);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct dialer *dialer = poll->data;
    struct answer answer;
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {&answer, sizeof(answer)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t size = status < 0 ? 0 : recvmsg(dialer->socket, &message, MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size != (ssize_t)sizeof(answer)) {
        uv_poll_stop(poll);
        dialer->ended(dialer);
        return;
    }
    int descriptor = answer.status < 0 ? answer.status : -EIO;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
    dialer->done(dialer, answer.line, descriptor);
}

int dialer_open(struct dialer *dialer, uv_loop_t *loop, int socket, dialer_done *done,
                void (*ended)(struct dialer *dialer), void *owner, struct bj_error *error)
{
    *dialer = (struct dialer){.socket = socket, .done = done, .ended = ended, .owner = owner};
    int status = uv_poll_init(loop, &dialer->poll, socket);
    if (status < 0)
        return bj_fail(error, status, "cannot watch the dialer: %s", uv_strerror(status));
    dialer->poll.data = dialer;
    status = uv_poll_start(&dialer->poll, UV_READABLE, on_readable);
    if (status < 0)
        return bj_fail(error, status, "cannot watch the dialer: %s", uv_strerror(status));
    return 0;
}

void dialer_ask(struct dialer *dialer, enum dialer_line line)
{
    uint8_t byte = (uint8_t)line;
    if (!dialer->closing)
        (void)!send(dialer->socket, &byte, 1, MSG_NOSIGNAL); /* its end shows when reading */
}

static void on_poll_closed(uv_handle_t *handle)
{
    close(((struct dialer *)handle->data)->socket);
}

void dialer_close(struct dialer *dialer)
{
    if (dialer->closing)
        return;
    dialer->closing = true;
    uv_close((uv_handle_t *)&dialer->poll, on_poll_closed);
}
