#include "tui/bridge/host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tui/model/text.h"

#define DEFAULT_REMOTE "belljar"
#define CONTROL        3   /* descriptor of the socket in the bridge's process */
#define END_MS         500 /* for the bridge's process to end by itself */

/* Only functions that are safe between fork and exec. */
static void become_bridge(int control, bool ask, char *const argv[])
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        _exit(126);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (!ask)
        dup2(null, STDERR_FILENO);
    if (control == CONTROL)
        fcntl(control, F_SETFD, 0);
    else if (dup2(control, CONTROL) < 0)
        _exit(126);
    execv("/proc/self/exe", argv);
    _exit(127);
}

int host_open(struct host *host, const char *destination, const char *remote, bool ask,
              struct bj_error *error)
{
    struct ssh_call call;
    int pair[2];
    host->destination = destination;
    host->remote = remote && *remote ? remote : DEFAULT_REMOTE;
    host->control = -1;
    host->report = (struct host_report){.state = HOST_CONNECTING};
    int status = ssh_call_make(&call, destination, host->remote, !ask, error);
    if (status < 0)
        return status;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return bj_fail(error, -errno, "cannot start a bridge: %s", strerror(errno));
    char *const argv[] = {"belljar",
                          "bridge",
                          "--to",
                          (char *)destination,
                          "--remote-command",
                          (char *)host->remote,
                          "--control",
                          "3",
                          ask ? "--ask" : NULL,
                          NULL};
    host->pid = fork();
    if (host->pid == 0)
        become_bridge(pair[1], ask, argv);
    int failed = host->pid < 0 ? errno : 0;
    close(pair[1]);
    if (failed) {
        close(pair[0]);
        return bj_fail(error, -failed, "cannot start a bridge: %s", strerror(failed));
    }
    host->control = pair[0];
    return 0;
}

/* Ends in any case: whoever holds the other end of its socket is gone. */
static void reap(struct host *host)
{
    for (int waited = 0; waited < END_MS; waited += 10) {
        if (waitpid(host->pid, NULL, WNOHANG) != 0)
            return;
        poll(NULL, 0, 10);
    }
    kill(host->pid, SIGKILL);
    waitpid(host->pid, NULL, 0);
}

void host_close(struct host *host)
{
    if (host->control < 0)
        return;
    close(host->control);
    host->control = -1;
    reap(host);
}

static int hear(struct host *host, struct host_report *report, int flags)
{
    ssize_t size;
    if (host->control < 0)
        return -EPIPE;
    do
        size = recv(host->control, report, sizeof(*report), flags);
    while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN)
        return 0;
    if (size != (ssize_t)sizeof(*report))
        return -EPIPE;
    report->words[sizeof(report->words) - 1] = '\0';
    if (report->state == HOST_CONNECTING) /* the reason for the last end is still of interest */
        memcpy(report->words, host->report.words, sizeof(report->words));
    if (report->state != HOST_REFUSED)
        host->report = *report;
    return 1;
}

int host_hear(struct host *host, struct host_report *report)
{
    return hear(host, report, MSG_DONTWAIT);
}

int host_wait(struct host *host, struct bj_error *error)
{
    struct host_report report;
    while (host->report.state == HOST_CONNECTING)
        if (hear(host, &report, 0) < 0)
            return bj_fail(error, -EPIPE, "%.64s: the bridge ended", host->destination);
    if (host->report.state == HOST_UP)
        return 0;
    return bj_fail(error, -EHOSTUNREACH, "%.64s: %.250s", host->destination, host->report.words);
}

static int send_dial(const struct host *host, const struct host_dial *dial, int descriptor)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {.bytes = {0}};
    struct iovec part = {(void *)dial, sizeof(*dial)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &descriptor, sizeof(descriptor));
    return sendmsg(host->control, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int host_dial(struct host *host, const char *service, const char *id, struct bj_error *error)
{
    struct host_dial dial = {{0}, {0}};
    int pair[2];
    if (host->control < 0 || host->report.state != HOST_UP)
        return bj_fail(error, -ENOTCONN, "no link to %s%s%.200s", host->label,
                       host->report.words[0] ? ": " : "", host->report.words);
    snprintf(dial.service, sizeof(dial.service), "%s", service);
    snprintf(dial.id, sizeof(dial.id), "%s", id);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return bj_fail(error, -errno, "no connection to %s: %s", host->label, strerror(errno));
    int status = send_dial(host, &dial, pair[1]);
    close(pair[1]);
    if (status < 0) {
        close(pair[0]);
        return bj_fail(error, status, "no connection to %s: %s", host->label, strerror(-status));
    }
    return pair[0];
}

static bool is_taken(const char *label, const struct host *others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(others[i].label, label) == 0)
            return true;
    return false;
}

void host_label(struct host *host, const struct host *others, size_t count)
{
    const char *name = host->destination;
    if (strncmp(name, "ssh://", 6) == 0)
        name += 6;
    const char *at = strrchr(name, '@');
    if (at)
        name = at + 1;
    text_clean(host->label, sizeof(host->label), name, strcspn(name, ":/"));
    for (unsigned number = 2; is_taken(host->label, others, count); number++) {
        char stem[HOST_LABEL_MAX - 8];
        text_clean(stem, sizeof(stem), name, strcspn(name, ":/"));
        snprintf(host->label, sizeof(host->label), "%s~%u", stem, number);
    }
}
