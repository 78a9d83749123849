#include "sandbox-shim/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "sandbox-shim/agent.h"
#include "sandbox-shim/ask.h"
#include "sandbox-shim/ask_server.h"
#include "sandbox-shim/clock.h"
#include "sandbox-shim/link.h"
#include "sandbox-shim/pty.h"
#include "sandbox-shim/streams.h"

/* Once the agent has ended, in ms and bytes. */
#define QUIET_TIME 100             /* nothing was readable for so long: the output is complete */
#define DRAIN_TIME 2000            /* processes that the agent left behind may write no longer */
#define DRAIN_MAX  (1024U * 1024)  /* more than a pty holds: it is not the agent's */
#define ACK_TIME   5000            /* all is sent; how long to wait for the acknowledgement */
#define AWAY_TIME  (5 * 60 * 1000) /* the monitor is away or takes no output */
#define SEND_TIME  5000            /* what it sent on connections goes out for so long */
#define EXEC_TIME  (60 * 1000) /* the monitor's programs may take so long, from the agent's end */
#define PART_TIME  500         /* all is acknowledged; how long to wait for the monitor's end */

#define PTY_PAUSE 100 /* ms, when the terminal fails while the agent lives */

enum phase {
    PHASE_RUN,   /* the agent runs, or waits for the first WELCOME */
    PHASE_DRAIN, /* it ended; what the pty still holds is read */
    PHASE_TELL,  /* everything is read; the monitor is told */
};

struct init {
    const struct init_options *options;
    bool first; /* pid 1 */
    int signals;
    struct pty pty;
    struct agent agent;
    struct link link;
    struct ask_server asks;
    struct streams streams;

    enum phase phase;
    bool shutdown;       /* end now */
    bool told_started;   /* on this connection */
    bool told_exited;    /* on this connection */
    bool told_all;       /* EXITED and everything before it is sent */
    bool parted;         /* and acknowledged */
    int64_t pty_at;      /* no reading of the pty before; 0: none */
    int64_t quiet_at;    /* the drain ends when nothing comes until then */
    int64_t drain_until; /* or then */
    uint64_t drained;
    int64_t send_until; /* connections are ended then */
    int64_t exec_until; /* and programs */
    int64_t away_until; /* the end, whatever the monitor knows */
    int64_t tell_until; /* the same, sooner, once all is sent */
};

/* The signals that mean something to pid 1. From inside the sandbox the kernel lets nothing else
 * through to it, SIGKILL and SIGSTOP included. */
static const struct {
    int number;
    enum { TAKE, IGNORE } what;
} signal_table[] = {
    {SIGCHLD, TAKE},   /* a process ended */
    {SIGTERM, TAKE},   /* from the host: end the sandbox */
    {SIGINT, TAKE},    /* likewise */
    {SIGHUP, TAKE},    /* likewise */
    {SIGPIPE, IGNORE}, /* writes report it */
    {SIGTTIN, IGNORE}, /* a terminal on stdin is no business of ours */
    {SIGTTOU, IGNORE},
};

static int signals_open(struct bj_error *error)
{
    sigset_t taken;
    sigemptyset(&taken);
    for (size_t i = 0; i < sizeof(signal_table) / sizeof(signal_table[0]); i++) {
        signal(signal_table[i].number, signal_table[i].what == TAKE ? SIG_DFL : SIG_IGN);
        if (signal_table[i].what == TAKE)
            sigaddset(&taken, signal_table[i].number);
    }
    sigprocmask(SIG_SETMASK, &taken, NULL);
    int fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? bj_fail(error, -errno, "cannot receive signals: %s", strerror(errno)) : fd;
}

/* First of all, before anything of the agent exists. */
static int harden(struct bj_error *error)
{
    /* The agent has the same uid: without this it could trace pid 1 and read its memory and its
     * descriptors in /proc. */
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return bj_fail(error, -errno, "cannot protect itself from tracing: %s", strerror(errno));
    setsid(); /* no terminal of the host; fails when there is none anyway */
    int null;
    do {
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (null >= 0 && null <= 2); /* fill what is closed: no socket of ours becomes stderr */
    if (null < 0)
        return bj_fail(error, -errno, "cannot open /dev/null: %s", strerror(errno));
    close(null);
    /* What the wall's builder passed on stays ours; the agent gets none of it. */
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return bj_fail(error, -errno, "cannot protect its descriptors: %s", strerror(errno));
    return 0;
}

static int on_data(struct init *init, const struct bj_message *message, struct bj_error *error)
{
    const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
    int status =
        bj_receiver_on_data(&init->link.in, message->field[BJ_DATA_OFFSET].u, bytes->size, error);
    /* It fits: the credit never goes beyond the buffer's room. */
    if (status == 0)
        bj_ring_write(&init->pty.input, bytes->data, bytes->size);
    return status;
}

static int on_ack(struct init *init, const struct bj_message *message, struct bj_error *error)
{
    uint64_t offset = message->field[BJ_ACK_OFFSET].u;
    int status = bj_sender_on_ack(&init->link.out, offset, error);
    if (status == 0)
        bj_ring_release(&init->pty.output, offset);
    return status;
}

static void on_welcome(struct init *init, const struct bj_message *message)
{
    pty_set_size(&init->pty, message->field[BJ_WELCOME_ROWS].u, message->field[BJ_WELCOME_COLS].u);
    ask_server_forget_told(&init->asks);
    init->told_started = false;
    init->told_exited = false;
    if (init->agent.state == AGENT_WAITS)
        agent_start(&init->agent, init->options->argv, init->pty.slave, init->options->nproc);
}

/* A message for the pty's channel. */
static int on_pty(struct init *init, const struct bj_message *message, struct bj_error *error)
{
    switch (message->type) {
    case BJ_DATA:
        return on_data(init, message, error);
    case BJ_ACK:
        return on_ack(init, message, error);
    case BJ_CREDIT:
        return bj_sender_on_credit(&init->link.out, message->field[BJ_CREDIT_LIMIT].u, error);
    default:
        return bj_fail(error, -EPROTO, "message %d for the pty", message->type);
    }
}

/* A message for a channel that was opened: an ask's, a stream's, or one that was closed from our
 * side while the message was on its way. */
static int on_channel(struct init *init, const struct bj_message *message, struct bj_error *error)
{
    struct stream *stream = streams_find(&init->streams, message->channel);
    bool answer = message->type == BJ_VERDICT || message->type == BJ_CLOSE;
    if (message->channel == BJ_CHANNEL_PTY)
        return on_pty(init, message, error);
    if (message->type == BJ_EXEC)
        return streams_exec(&init->streams, message, &init->link, clock_now(), error);
    if (!link_was_opened(&init->link, message->channel))
        return bj_fail(error, -EPROTO, "message %d for channel %u, which was never opened",
                       message->type, message->channel);
    if (stream)
        return streams_take(&init->streams, stream, message, error);
    if (answer) {
        ask_server_answer(&init->asks, message);
        return 0;
    }
    if (message->type == BJ_ACK || ask_server_has(&init->asks, message->channel))
        return bj_fail(error, -EPROTO, "message %d for channel %u, which is no stream",
                       message->type, message->channel);
    return 0;
}

static int on_message(void *owner, const struct bj_message *message, struct bj_error *error)
{
    struct init *init = owner;
    switch (message->type) {
    case BJ_WELCOME:
        on_welcome(init, message);
        return 0;
    case BJ_PING:
        link_send_uints(&init->link, BJ_PONG, BJ_CHANNEL_CONTROL, 1,
                        &message->field[BJ_PING_TOKEN].u, clock_now());
        return 0;
    case BJ_SIZE:
        pty_set_size(&init->pty, message->field[BJ_SIZE_ROWS].u, message->field[BJ_SIZE_COLS].u);
        return 0;
    case BJ_SIGNAL:
        pty_signal(&init->pty, (int)message->field[BJ_SIGNAL_NUMBER].u);
        return 0;
    case BJ_SHUTDOWN:
        init->shutdown = true;
        return 0;
    default: /* the table lets nothing else through from the monitor */
        return on_channel(init, message, error);
    }
}

static void on_signals(struct init *init)
{
    struct signalfd_siginfo info;
    while (read(init->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        /* The kernel shows a sender outside the pid namespace as 0: the host may end the sandbox
         * by a signal, the agent may not. */
        bool trusted = !init->first || (info.ssi_code == SI_USER && info.ssi_pid == 0);
        if (info.ssi_signo != SIGCHLD && trusted)
            init->shutdown = true;
    }
}

static void tell(struct init *init, enum bj_message_type type, int64_t now)
{
    const struct agent *agent = &init->agent;
    struct bj_message message = {.type = type};
    if (type == BJ_STARTED) {
        message.field[BJ_STARTED_PID].u = (uint64_t)agent->pid;
    } else {
        message.field[BJ_EXITED_CODE].u = (uint64_t)agent->code;
        message.field[BJ_EXITED_SIGNAL].u = (uint64_t)agent->signal;
        message.field[BJ_EXITED_ERROR].data = agent->error.text;
        message.field[BJ_EXITED_ERROR].size = (uint32_t)strlen(agent->error.text);
    }
    link_send(&init->link, &message, now);
}

/* Everything that the monitor must hear and has not heard on this connection, in order. */
static void tell_state(struct init *init, int64_t now)
{
    const struct agent *agent = &init->agent;
    if (init->link.state != LINK_UP)
        return;
    link_consumed(&init->link, init->pty.input.start, now);
    bool ran = agent->state == AGENT_RUNS || (agent->state == AGENT_ENDED && !agent->error.code);
    if (ran && !init->told_started) {
        init->told_started = true;
        tell(init, BJ_STARTED, now);
    }
    if (init->phase == PHASE_TELL && !init->told_exited && link_all_sent(&init->link)) {
        init->told_exited = true;
        tell(init, BJ_EXITED, now);
    }
}

static void begin_drain(struct init *init, int64_t now)
{
    init->phase = PHASE_DRAIN;
    init->quiet_at = now + QUIET_TIME;
    init->drain_until = now + DRAIN_TIME;
    init->send_until = now + SEND_TIME;
    init->exec_until = now + EXEC_TIME;
    init->away_until = now + AWAY_TIME;
    init->tell_until = init->away_until;
    pty_release_slave(&init->pty);
}

static void drain(struct init *init, int64_t now)
{
    bool connected = init->link.state == LINK_UP;
    ptrdiff_t got = pty_read(&init->pty, connected);
    if (got > 0) {
        init->drained += (size_t)got;
        init->quiet_at = now + QUIET_TIME;
    }
    bool full = pty_room(&init->pty, connected) == 0;
    if (full) { /* time runs only while we read */
        init->quiet_at = now + QUIET_TIME;
        init->drain_until = now + DRAIN_TIME;
    }
    bool over = now >= init->quiet_at || now >= init->drain_until || init->drained >= DRAIN_MAX;
    if (got == -EIO || (!full && over)) {
        pty_close_master(&init->pty);
        pty_write(&init->pty);
        streams_close_idle(&init->streams);
        init->phase = PHASE_TELL;
    }
}

/* Whether streams still go on; those whose time is over are ended. */
static bool is_busy(struct init *init, int64_t now)
{
    if (now >= init->exec_until)
        streams_close(&init->streams);
    else if (now >= init->send_until)
        streams_close_connections(&init->streams);
    else
        streams_close_idle(&init->streams);
    return init->streams.execs > 0 || init->streams.connections > 0;
}

/* All is read: waits until the monitor has all of it, in order that nothing is lost with us. */
static void finish(struct init *init, int64_t now)
{
    if (init->parted)
        return;
    if (is_busy(init, now)) {
        init->told_all = false;
        init->tell_until = init->away_until;
        return;
    }
    bool all = init->told_exited && !link_queued(&init->link) && link_all_sent(&init->link);
    if (all && bj_ring_used(&init->pty.output) == 0) {
        link_part(&init->link);
        init->parted = true;
        init->tell_until = now + PART_TIME;
    } else if (all != init->told_all) {
        init->told_all = all;
        init->tell_until = all ? now + ACK_TIME : init->away_until;
    }
}

/* What can be done without waiting. */
static void advance(struct init *init, int64_t now)
{
    if (init->agent.state == AGENT_ENDED && init->phase == PHASE_RUN)
        begin_drain(init, now);
    if (init->phase == PHASE_DRAIN)
        drain(init, now);
    if (init->link.state != LINK_UP)
        streams_drop(&init->streams);
    if (!init->parted)
        link_dial(&init->link, now);
    tell_state(init, now);
    link_flush(&init->link, now);
    while (ask_server_tell(&init->asks, &init->link, now))
        link_flush(&init->link, now);
    tell_state(init, now); /* the output may have gone out meanwhile */
    link_flush(&init->link, now);
    streams_tell(&init->streams, &init->link, now);
    if (init->phase == PHASE_TELL)
        finish(init, now);
}

static bool ended(const struct init *init, int64_t now)
{
    if (init->shutdown)
        return true;
    if (init->phase == PHASE_RUN)
        return false;
    return now >= init->away_until || now >= init->tell_until ||
           (init->parted && init->link.state != LINK_PARTS);
}

/* The streams' are behind those of the asks. */
enum { POLL_SIGNALS, POLL_LINK, POLL_PTY, POLL_VERDICT, POLL_ASKS };

/* Returns the number of the asks' descriptors; *streams is that of the streams'. */
static size_t prepare_poll(struct init *init, struct pollfd *polls, size_t *streams,
                           int64_t *deadline)
{
    short pty = 0;
    if (init->pty_at == 0 && pty_room(&init->pty, init->link.state == LINK_UP) > 0)
        pty |= POLLIN;
    if (init->pty_at == 0 && init->phase == PHASE_RUN && bj_ring_used(&init->pty.input) > 0)
        pty |= POLLOUT;
    if (init->pty_at != 0)
        *deadline = clock_earlier(*deadline, init->pty_at);
    if (init->phase == PHASE_DRAIN)
        *deadline = clock_earlier(*deadline, clock_earlier(init->quiet_at, init->drain_until));
    if (init->phase != PHASE_RUN)
        *deadline = clock_earlier(*deadline, clock_earlier(init->tell_until, init->away_until));
    if (init->phase == PHASE_TELL && init->streams.execs > 0)
        *deadline = clock_earlier(*deadline, init->exec_until);
    if (init->phase == PHASE_TELL && init->streams.connections > 0)
        *deadline = clock_earlier(*deadline, init->send_until);

    polls[POLL_SIGNALS] = (struct pollfd){.fd = init->signals, .events = POLLIN};
    polls[POLL_LINK] = (struct pollfd){.fd = init->link.fd};
    polls[POLL_LINK].events = link_poll(&init->link, deadline);
    polls[POLL_PTY] = (struct pollfd){.fd = pty ? init->pty.master : -1, .events = pty};
    polls[POLL_VERDICT] = (struct pollfd){.fd = init->agent.verdict_fd, .events = POLLIN};
    size_t asks = ask_server_poll(&init->asks, polls + POLL_ASKS, deadline);
    *streams = streams_poll(&init->streams, &init->link, polls + POLL_ASKS + asks, deadline);
    return asks;
}

static void serve_pty(struct init *init, short events, int64_t now)
{
    if (init->pty_at != 0 && now >= init->pty_at)
        init->pty_at = 0;
    bool connected = init->link.state == LINK_UP;
    if (init->phase == PHASE_RUN && (events & ~POLLOUT) != 0 &&
        pty_read(&init->pty, connected) == -EIO)
        init->pty_at = now + PTY_PAUSE;
    if (init->phase != PHASE_DRAIN)
        pty_write(&init->pty);
}

/* Returns 0 when the sandbox is to end. */
static int run(struct init *init, struct bj_error *error)
{
    struct pollfd polls[POLL_ASKS + 1 + ASK_CLIENTS_MAX + STREAMS_POLL_MAX];
    bool more_to_reap = false;
    for (;;) {
        int64_t now = clock_now();
        advance(init, now);
        if (ended(init, now))
            return 0;
        int64_t deadline = more_to_reap ? now : CLOCK_NEVER;
        size_t streams, asks = prepare_poll(init, polls, &streams, &deadline);
        int64_t wait = deadline == CLOCK_NEVER ? -1 : deadline > now ? deadline - now : 0;
        int ready = poll(polls, POLL_ASKS + asks + streams, (int)clock_earlier(wait, AWAY_TIME));
        if (ready < 0 && errno != EINTR && errno != EAGAIN && errno != ENOMEM)
            return bj_fail(error, -errno, "cannot wait for events: %s", strerror(errno));
        if (ready < 0)
            continue;
        now = clock_now();
        if (polls[POLL_SIGNALS].revents != 0)
            on_signals(init);
        if (polls[POLL_SIGNALS].revents != 0 || more_to_reap)
            more_to_reap = agent_reap(&init->agent, streams_on_end, &init->streams);
        if (polls[POLL_VERDICT].revents != 0)
            agent_on_verdict(&init->agent);
        ask_server_service(&init->asks, polls + POLL_ASKS, asks, &init->link, now);
        streams_service(&init->streams, polls + POLL_ASKS + asks, streams, now);
        if (polls[POLL_LINK].revents & POLLOUT)
            init->link.blocked = false;
        if ((polls[POLL_LINK].revents & ~POLLOUT) || init->link.ends)
            link_read(&init->link, on_message, init, now);
        serve_pty(init, polls[POLL_PTY].revents, now);
    }
}

static void kill_all(const struct init *init)
{
    if (init->first) {
        kill(-1, SIGKILL);
    } else {
        pty_signal(&init->pty, SIGKILL);
        agent_kill(&init->agent);
    }
}

static int exit_code(const struct agent *agent)
{
    if (agent->state != AGENT_ENDED)
        return 128 + SIGKILL;
    return agent->signal ? 128 + agent->signal : agent->code;
}

int init_run(const struct init_options *options, struct bj_error *error)
{
    static struct init init; /* too large for a small stack */
    init = (struct init){.options = options, .first = getpid() == 1};
    int status = harden(error);
    if (status < 0)
        return status;
    if ((init.signals = signals_open(error)) < 0)
        return init.signals;
    if (strcmp(options->ask_path, ASK_SOCKET_DEFAULT) != 0 &&
        setenv(ASK_SOCKET_VARIABLE, options->ask_path, 1) < 0) {
        status = bj_fail(error, -errno, "cannot set %s", ASK_SOCKET_VARIABLE);
        goto close_signals;
    }
    agent_init(&init.agent);
    if ((status = pty_open(&init.pty, error)) < 0)
        goto close_signals;
    pty_set_size(&init.pty, options->rows, options->cols);
    if ((status = ask_server_open(&init.asks, options->ask_path, error)) < 0)
        goto free_pty;
    if ((status = link_init(&init.link, options->link_path, &init.pty.output, error)) < 0)
        goto close_asks;
    status = streams_open(&init.streams, options->proxy_port, options->nproc, error);
    if (status < 0)
        goto free_link;

    status = run(&init, error);
    streams_close(&init.streams);
    kill_all(&init);
    if (status == 0)
        status = exit_code(&init.agent);
free_link:
    link_free(&init.link);
close_asks:
    ask_server_close(&init.asks);
free_pty:
    pty_free(&init.pty);
close_signals:
    close(init.signals);
    return status;
}
