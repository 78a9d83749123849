/* The real belljar-monitor between a server, clients and a shim, honest and hostile. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "mux/monitor/recording_read.h"
#include "transport/pack.h"
#include "transport/socket.h"

static struct world world;
static struct shim shim;

static void setup(void)
{
    world = (struct world){.record_limit = 64 << 20};
    shim = (struct shim){.fd = -1};
    memcpy(shim.epoch, "sixteen bytes ok", 16);
    world_begin(&world);
}

static void teardown(void)
{
    shim_close(&shim);
    world_end(&world);
}

static const char *captured(bool scrollback, char *out, size_t size)
{
    struct peer client;
    peer_connect(&client, &world, "view.sock");
    const msgpack_object *result =
        peer_call(&client, "view.capture", "b", "scrollback", scrollback);
    bj_get_copy(result, "text", out, size);
    peer_close(&client);
    return out;
}

START_TEST(test_admission)
{
    shim_dial(&shim, &world);
    const msgpack_object *candidate = peer_event(&world.control, "link.candidate");
    ck_assert_uint_eq(bj_get_uint(candidate, "pid", 0), (uint64_t)getpid());
    shim_hello(&shim, 0, 0);
    peer_call(&world.control, "monitor.admit", "u", "pid", (uint64_t)getpid());
    const struct bj_message *welcome = shim_wait(&shim, BJ_WELCOME);
    ck_assert_uint_eq(welcome->field[BJ_WELCOME_ROWS].u, 24);
    ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "link.up"), "pid", 0),
                      (uint64_t)getpid());

    /* Somebody else dials: closed unread, and the link is not disturbed. */
    pid_t other = fork();
    if (other == 0) {
        struct shim second = {.fd = -1};
        shim_dial(&second, &world);
        shim_hello(&second, 0, 0);
        char byte;
        ssize_t got;
        do
            got = recv(second.fd, &byte, 1, MSG_WAITALL);
        while (got < 0 && errno == EAGAIN);
        _exit(got == 0 || errno == ECONNRESET ? 0 : 1);
    }
    int status;
    waitpid(other, &status, 0);
    ck_assert_int_eq(status, 0);
    shim_data(&shim, 0, "hello", 5);
    shim_wait_acked(&shim, 5);
    char text[4096];
    ck_assert_int_eq(strncmp(captured(false, text, sizeof(text)), "hello\n", 6), 0);
}
END_TEST

START_TEST(test_candidates_are_bounded)
{
    struct shim dials[5];
    for (int i = 0; i < 5; i++) {
        dials[i] = (struct shim){.fd = -1};
        shim_dial(&dials[i], &world);
    }
    char byte;
    for (int i = 2; i < 5; i++)
        ck_assert(shim_ended(&dials[i]));
    ck_assert_int_lt(recv(dials[0].fd, &byte, 1, MSG_DONTWAIT), 0);
    ck_assert_int_eq(errno, EAGAIN);
    for (int i = 0; i < 5; i++)
        shim_close(&dials[i]);
}
END_TEST

/* Both speak the lower version; what is older than this monitor knows is no shim for it. */
START_TEST(test_versions)
{
    static const uint64_t offered[] = {BJ_PROTOCOL_OLDEST, BJ_PROTOCOL_VERSION,
                                       BJ_PROTOCOL_VERSION + 1, 65535};
    for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++) {
        shim_dial(&shim, &world);
        peer_call(&world.control, "monitor.admit", "u", "pid", (uint64_t)getpid());
        shim_hello_version(&shim, offered[i], 0, 0);
        uint64_t agreed = shim_wait(&shim, BJ_WELCOME)->field[BJ_WELCOME_VERSION].u;
        ck_assert_uint_eq(agreed,
                          offered[i] < BJ_PROTOCOL_VERSION ? offered[i] : BJ_PROTOCOL_VERSION);
        shim_close(&shim);
    }
    shim_dial(&shim, &world);
    peer_call(&world.control, "monitor.admit", "u", "pid", (uint64_t)getpid());
    shim_hello_version(&shim, BJ_PROTOCOL_OLDEST - 1, 0, 0);
    const struct bj_field *why = &shim_wait(&shim, BJ_ERROR)->field[0];
    ck_assert(memmem(why->data, why->size, "protocol version", 16) != NULL);
    ck_assert(shim_ended(&shim));
}
END_TEST

START_TEST(test_input_and_sizes)
{
    struct peer one, two;
    shim_up(&shim, &world);
    peer_connect(&one, &world, "view.sock");
    peer_connect(&two, &world, "view.sock");
    peer_call(&one, "view.attach", "uu", "rows", (uint64_t)30, "cols", (uint64_t)100);
    const struct bj_message *size = shim_wait(&shim, BJ_SIZE);
    ck_assert_uint_eq(size->field[BJ_SIZE_ROWS].u, 30);
    /* To look takes the size from nobody; it is that of the client that typed last. */
    peer_call(&two, "view.attach", "uu", "rows", (uint64_t)10, "cols", (uint64_t)40);
    ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "pane.size"), "rows", 0), 30);
    peer_call(&two, "view.key", "s", "key", "w");
    size = shim_wait(&shim, BJ_SIZE);
    ck_assert_uint_eq(size->field[BJ_SIZE_COLS].u, 40);
    shim_wait(&shim, BJ_DATA);
    peer_call(&one, "view.key", "s", "key", "x");
    size = shim_wait(&shim, BJ_SIZE);
    ck_assert_uint_eq(size->field[BJ_SIZE_COLS].u, 100);
    shim_wait(&shim, BJ_DATA);
    ck_assert_str_eq(shim.input, "wx");
    peer_call(&one, "view.input", "x", "bytes", "\x01yz", (size_t)3);
    shim_wait(&shim, BJ_DATA);
    ck_assert_str_eq(shim.input, "wx\x01yz");
    peer_call(&two, "view.attach", "b", "readonly", 1);
    ck_assert_int_eq(peer_refused(&two, "view.key", "s", "key", "q"), -EPERM);
    ck_assert_int_eq(peer_refused(&one, "view.key", "s", "key", "nonsense"), -EINVAL);
    peer_close(&one);
    peer_close(&two);
}
END_TEST

/* What is only in the monitor's memory is not promised. */
START_TEST(test_input_waits_for_a_link)
{
    struct peer client;
    peer_connect(&client, &world, "view.sock");
    uint32_t input = peer_ask(&client, "view.input", "x", "bytes", "soon", (size_t)4);
    peer_call(&client, "view.capture", ""); /* the one before has no answer yet */
    shim_up(&shim, &world);
    ck_assert_int_eq(peer_answer(&client, input)[2].type, MSGPACK_OBJECT_NIL);
    shim_wait(&shim, BJ_DATA);
    ck_assert_str_eq(shim.input, "soon");
    peer_close(&client);
}
END_TEST

/* A shim that has only said hello does not know yet whether there is room. */
START_TEST(test_input_waits_for_credit)
{
    struct peer client;
    peer_connect(&client, &world, "view.sock");
    shim_welcome(&shim, &world);
    uint32_t input = peer_ask(&client, "view.input", "x", "bytes", "soon", (size_t)4);
    peer_call(&client, "view.capture", ""); /* the one before has no answer yet */
    shim_credit(&shim);
    ck_assert_int_eq(peer_answer(&client, input)[2].type, MSGPACK_OBJECT_NIL);
    shim_wait(&shim, BJ_DATA);
    ck_assert_str_eq(shim.input, "soon");
    peer_close(&client);
}
END_TEST

START_TEST(test_input_is_bounded)
{
    struct peer client;
    shim_up(&shim, &world);
    peer_connect(&client, &world, "view.sock");
    char *text = malloc(65536);
    memset(text, 'x', 65536);
    for (int i = 0; i < 4; i++)
        peer_call(&client, "view.input", "x", "bytes", text, (size_t)65536);
    ck_assert_int_eq(peer_refused(&client, "view.key", "s", "key", "x"), -ENOBUFS);
    /* Taken and acknowledged, there is room again. */
    uint64_t taken = 0;
    while (taken < 4 * 65536) {
        shim_wait(&shim, BJ_DATA);
        taken = shim.in_next;
        uint64_t credit = taken + BJ_INPUT_WINDOW;
        shim_uints(&shim, BJ_ACK, BJ_CHANNEL_PTY, 1, &taken);
        shim_uints(&shim, BJ_CREDIT, BJ_CHANNEL_PTY, 1, &credit);
    }
    uint64_t token = 1;
    (void)token;
    peer_call(&client, "view.capture", "");
    peer_call(&client, "view.key", "s", "key", "y");
    free(text);
    peer_close(&client);
}
END_TEST

/* Numbered lines, some of them not UTF-8. */
static uint8_t *make_stream(size_t size, size_t *lines)
{
    uint8_t *stream = malloc(size + 128);
    size_t at = 0;
    ck_assert_ptr_nonnull(stream);
    for (*lines = 0; at < size; ++*lines)
        at +=
            (size_t)sprintf((char *)stream + at, "\x1b[3%zum%07zu \xc3\xa4\xe4\xbd\xa0%s\x1b[m\r\n",
                            *lines % 8, *lines, *lines % 100 == 50 ? "\xff\xfe" : "");
    return stream;
}

struct stream_check {
    const uint8_t *stream;
    uint64_t at;
};

static void check_event(void *owner, const struct recording_event *event)
{
    struct stream_check *check = owner;
    if (event->code != 'o' || event->redraw)
        return;
    ck_assert_mem_eq(event->data, check->stream + check->at, event->size);
    check->at += event->size;
}

/* What the files hold is the stream, from where the older one begins up to `end`. */
static void check_recording(const uint8_t *stream, uint64_t end)
{
    struct recording_header headers[2];
    int fds[2];
    bool usable[2];
    for (int i = 0; i < 2; i++) {
        char path[160];
        snprintf(path, sizeof(path), "%s/recording.%d.cast", world.state, i);
        fds[i] = open(path, O_RDONLY);
        ck_assert_int_ge(fds[i], 0);
        usable[i] = recording_read_header(fds[i], &headers[i], NULL) == 0;
    }
    ck_assert(usable[0] || usable[1]);
    int first = !usable[0] || (usable[1] && headers[1].sequence < headers[0].sequence);
    struct stream_check check = {stream, headers[first].offset};
    for (int turn = 0; turn < 2; turn++) {
        int file = turn == 0 ? first : 1 - first;
        uint64_t good;
        if (!usable[file])
            continue;
        ck_assert_uint_eq(headers[file].offset, check.at);
        ck_assert_int_eq(
            recording_read(fds[file], &headers[file], check_event, &check, &good, NULL), 0);
    }
    ck_assert_uint_eq(check.at, end);
    close(fds[0]);
    close(fds[1]);
}

/* Every line that the terminal still has follows the one before. Returns the newest number. */
static size_t check_lines(void)
{
    struct peer client;
    peer_connect(&client, &world, "view.sock");
    uint64_t from = 0;
    size_t last = SIZE_MAX;
    bool more = true;
    while (more) {
        const msgpack_object *result =
            peer_call(&client, "view.capture", "bu", "scrollback", 1, "from", from);
        size_t size;
        const char *text = bj_get_bytes(result, "text", &size), *end = text + size;
        ck_assert_uint_le(size, 2 << 20);
        while (text < end) {
            const char *stop = memchr(text, '\n', (size_t)(end - text));
            ck_assert_ptr_nonnull(stop);
            if (stop > text) {
                size_t number = strtoull(text, NULL, 10);
                ck_assert_msg(last == SIZE_MAX || number == last + 1, "%zu after %zu", number,
                              last);
                last = number;
            }
            text = stop + 1;
        }
        const msgpack_object *next = bj_get(result, "next");
        more = next && next->type != MSGPACK_OBJECT_NIL;
        from = more ? next->via.u64 : 0;
    }
    peer_close(&client);
    return last;
}

static void resume(const uint8_t *stream, uint64_t end)
{
    close(shim.fd);
    shim_dial(&shim, &world);
    peer_call(&world.control, "monitor.admit", "u", "pid", (uint64_t)getpid());
    shim_hello(&shim, shim.acked, end);
    const struct bj_message *welcome = shim_wait(&shim, BJ_WELCOME);
    uint64_t next = welcome->field[BJ_WELCOME_OUT_NEXT].u;
    shim.limit = welcome->field[BJ_WELCOME_OUT_LIMIT].u;
    ck_assert_uint_ge(next, shim.acked);
    ck_assert_uint_le(next, end);
    shim_output(&shim, stream, next, end);
}

START_TEST(test_monitor_killed)
{
    size_t lines;
    uint64_t sent = 0, part = 700001;
    uint8_t *stream = make_stream(6 << 20, &lines);
    shim_up(&shim, &world);
    uint64_t total = (uint64_t)strlen((char *)stream);
    while (sent < total) {
        uint64_t to = sent + part < total ? sent + part : total;
        shim_output(&shim, stream, sent, to);
        sent = to;
        world_kill_monitor(&world);
        world_start_monitor(&world);
        world_connect_control(&world);
        resume(stream, sent);
    }
    shim_wait_acked(&shim, total);
    ck_assert_uint_eq(check_lines(), lines - 1);
    check_recording(stream, total);
    free(stream);
}
END_TEST

/* Credit comes in small shares until the pace ends, then a window at once. Nothing is lost. */
START_TEST(test_pace)
{
    size_t lines;
    uint8_t *stream = make_stream(4 << 20, &lines);
    uint64_t total = (uint64_t)strlen((char *)stream);
    shim_up(&shim, &world);
    peer_call(&world.control, "monitor.pace", "uu", "rate", (uint64_t)1000000, "ms",
              (uint64_t)60000);
    shim_output(&shim, stream, 0, BJ_OUTPUT_WINDOW);
    for (int i = 0; i < 20; i++) {
        uint64_t before = shim.limit;
        shim_wait(&shim, BJ_CREDIT);
        ck_assert_uint_gt(shim.limit, before);
        ck_assert_uint_le(shim.limit, before + 16384);
    }
    uint64_t sent = shim.limit;
    shim_output(&shim, stream, BJ_OUTPUT_WINDOW, sent);
    shim_wait(&shim, BJ_CREDIT);
    ck_assert_uint_le(shim.limit, sent + 16384);
    peer_call(&world.control, "monitor.pace", "uu", "rate", (uint64_t)0, "ms", (uint64_t)0);
    while (shim.limit < sent + BJ_OUTPUT_WINDOW)
        shim_wait(&shim, BJ_CREDIT);
    shim_output(&shim, stream, sent, total);
    shim_wait_acked(&shim, total);
    ck_assert_uint_eq(check_lines(), lines - 1);
    free(stream);
}
END_TEST

/* The echo of a key is shown first, and acknowledged and recorded all the same. */
START_TEST(test_echo)
{
    struct peer client;
    shim_up(&shim, &world);
    peer_connect(&client, &world, "view.sock");
    peer_call(&client, "view.attach", "uu", "rows", (uint64_t)24, "cols", (uint64_t)80);
    for (uint64_t i = 0; i < 5; i++) {
        peer_call(&client, "view.key", "s", "key", "x");
        shim_wait(&shim, BJ_DATA);
        shim_data(&shim, i, "x", 1);
        shim_wait_acked(&shim, i + 1);
    }
    check_recording((const uint8_t *)"xxxxx", 5);
    peer_close(&client);
}
END_TEST

START_TEST(test_recording_rotates)
{
    size_t lines;
    world_kill_monitor(&world);
    world.record_limit = 2 << 20;
    world_start_monitor(&world);
    world_connect_control(&world);
    uint8_t *stream = make_stream(8 << 20, &lines);
    uint64_t total = (uint64_t)strlen((char *)stream);
    shim_up(&shim, &world);
    shim_output(&shim, stream, 0, total);
    shim_wait_acked(&shim, total);
    check_recording(stream, total);
    world_kill_monitor(&world);
    world_start_monitor(&world);
    world_connect_control(&world);
    resume(stream, total);
    ck_assert_uint_eq(check_lines(), lines - 1);
    free(stream);
}
END_TEST

START_TEST(test_disk_full)
{
    size_t lines;
    world_kill_monitor(&world);
    world.file_limit = 1 << 20;
    world_start_monitor(&world);
    world_connect_control(&world);
    uint8_t *stream = make_stream(4 << 20, &lines);
    uint64_t total = (uint64_t)strlen((char *)stream);
    shim_up(&shim, &world);
    shim_output(&shim, stream, 0, total);
    shim_wait_acked(&shim, total); /* acknowledgements go on */
    char kind[32], text[256];
    const msgpack_object *alert = peer_event(&world.control, "alert");
    bj_get_copy(alert, "kind", kind, sizeof(kind));
    bj_get_copy(alert, "text", text, sizeof(text));
    ck_assert_str_eq(kind, "recording");
    ck_assert_ptr_nonnull(strstr(text, "recording stopped"));
    ck_assert_uint_eq(check_lines(), lines - 1);
    free(stream);
}
END_TEST

static void ask(uint32_t channel, const char *title, size_t size, const char *detail)
{
    struct bj_message message = {.type = BJ_ASK, .channel = channel};
    message.field[BJ_ASK_KIND].data = "exec";
    message.field[BJ_ASK_KIND].size = 4;
    message.field[BJ_ASK_TITLE].data = title;
    message.field[BJ_ASK_TITLE].size = (uint32_t)size;
    message.field[BJ_ASK_DETAIL].data = detail;
    message.field[BJ_ASK_DETAIL].size = (uint32_t)strlen(detail);
    shim_send(&shim, &message);
}

START_TEST(test_ask)
{
    char text[2048];
    static const char title[] = "rm\n\x1b[2J -rf\xe2\x80\xae \xff/";
    shim_up(&shim, &world);
    ask(16, title, sizeof(title) - 1, "line\nmore\x07");
    const msgpack_object *opened = peer_event(&world.control, "ask.opened");
    bj_get_copy(opened, "title", text, sizeof(text));
    ck_assert_str_eq(text, "rm\n[2J -rf \xef\xbf\xbd/");
    size_t size;
    const char *detail = bj_get_bytes(opened, "detail", &size);
    ck_assert_mem_eq(detail, "line\nmore", size);

    /* A new server hears it again, and the old one is closed. */
    struct peer old = world.control;
    world_connect_control(&world);
    ck_assert(peer_ended(&old));
    peer_close(&old);
    ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "ask.opened"), "channel", 0), 16);
    ck_assert_int_eq(peer_refused(&world.control, "monitor.verdict", "uu", "channel", (uint64_t)17,
                                  "answer", (uint64_t)1),
                     -ENOENT);

    /* So does one after a reconnect of the shim, which asks again. */
    close(shim.fd);
    peer_event(&world.control, "link.down");
    shim_up(&shim, &world);
    ask(16, title, sizeof(title) - 1, "line\nmore\x07");
    peer_call(&world.control, "monitor.verdict", "uus", "channel", (uint64_t)16, "answer",
              (uint64_t)BJ_ANSWER_ALLOW, "reason", "fine");
    const struct bj_message *verdict = shim_wait(&shim, BJ_VERDICT);
    ck_assert_uint_eq(verdict->channel, 16);
    ck_assert_uint_eq(verdict->field[BJ_VERDICT_ANSWER].u, BJ_ANSWER_ALLOW);
    ck_assert_int_eq(peer_refused(&world.control, "monitor.verdict", "uu", "channel", (uint64_t)16,
                                  "answer", (uint64_t)1),
                     -ENOENT);

    /* The verdict got lost with the link: it is said again. */
    close(shim.fd);
    peer_event(&world.control, "link.down");
    shim_up(&shim, &world);
    ask(16, title, sizeof(title) - 1, "line\nmore\x07");
    verdict = shim_wait(&shim, BJ_VERDICT);
    ck_assert_uint_eq(verdict->field[BJ_VERDICT_ANSWER].u, BJ_ANSWER_ALLOW);

    ask(17, "second", 6, "");
    ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "ask.opened"), "channel", 0), 17);
    struct bj_message gone = {.type = BJ_CLOSE, .channel = 17};
    gone.field[BJ_CLOSE_REASON].data = "";
    shim_send(&shim, &gone);
    ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "ask.closed"), "channel", 0), 17);
}
END_TEST

static void hook(uint32_t channel, const char *payload)
{
    struct bj_message message = {.type = BJ_ASK, .channel = channel};
    message.field[BJ_ASK_KIND].data = BJ_ASK_HOOK "claude";
    message.field[BJ_ASK_KIND].size = strlen(BJ_ASK_HOOK "claude");
    message.field[BJ_ASK_TITLE].data = "a hook";
    message.field[BJ_ASK_TITLE].size = 6;
    message.field[BJ_ASK_DETAIL].data = payload;
    message.field[BJ_ASK_DETAIL].size = (uint32_t)strlen(payload);
    shim_send(&shim, &message);
}

static void hears(uint32_t channel, const char *event, const char *text)
{
    char payload[80];
    snprintf(payload, sizeof(payload), "{\"hook_event_name\":\"%s\"}", event);
    hook(channel, payload);
    const struct bj_message *verdict = shim_wait(&shim, BJ_VERDICT);
    ck_assert_uint_eq(verdict->channel, channel);
    ck_assert_uint_eq(verdict->field[BJ_VERDICT_ANSWER].u, BJ_ANSWER_PASS);
    ck_assert_uint_eq(verdict->field[BJ_VERDICT_REASON].size, strlen(text));
    if (text[0])
        ck_assert_mem_eq(verdict->field[BJ_VERDICT_REASON].data, text, strlen(text));
}

/* What the agent is told waits for the end of a tool, and is told once. */
START_TEST(test_note)
{
    char most[BJ_REASON_MAX + 1];
    memset(most, 'x', sizeof(most) - 1);
    most[sizeof(most) - 1] = '\0';
    shim_up(&shim, &world);
    hears(16, "PostToolUse", "");
    peer_call(&world.control, "monitor.note", "s", "text", "one\x1b[2J");
    peer_call(&world.control, "monitor.note", "s", "text", "two");
    peer_call(&world.control, "monitor.note", "s", "text", "two");
    peer_call(&world.control, "monitor.note", "s", "text", most); /* there is no room for it */
    hears(17, "Stop", "");
    hears(18, "PostToolUseFailure", "one[2J\ntwo");
    hears(19, "PostToolUse", "");
    peer_call(&world.control, "monitor.note", "s", "text", most);
    hears(20, "AfterTool", most);
}
END_TEST

START_TEST(test_ask_changed_text)
{
    shim_up(&shim, &world);
    ask(16, "one", 3, "");
    close(shim.fd);
    peer_event(&world.control, "link.down");
    shim_up(&shim, &world);
    ask(16, "two", 3, "");
    shim_wait(&shim, BJ_ERROR);
    ck_assert(shim_ended(&shim));
}
END_TEST

/* All that one sandbox may have open at once: each is told, in order, though not at once. What is
 * beyond, which no honest shim sends, is refused with a reason. */
START_TEST(test_ask_flood)
{
    char kind[32];
    shim_up(&shim, &world);
    for (uint32_t i = 0; i < BJ_ASKS_MAX + 10; i++)
        ask(16 + i, "please", 6, "");
    for (uint32_t i = 0; i < 10; i++) {
        const struct bj_message *verdict = shim_wait(&shim, BJ_VERDICT);
        ck_assert_uint_eq(verdict->channel, 16 + BJ_ASKS_MAX + i);
        ck_assert_uint_eq(verdict->field[BJ_VERDICT_ANSWER].u, BJ_ANSWER_PASS);
        ck_assert_uint_gt(verdict->field[BJ_VERDICT_REASON].size, 0);
    }
    bj_get_copy(peer_event(&world.control, "alert"), "kind", kind, sizeof(kind));
    ck_assert_str_eq(kind, "ask-flood");
    for (uint32_t i = 0; i < BJ_ASKS_MAX; i++)
        ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "ask.opened"), "channel", 0),
                          16 + i);
}
END_TEST

/* One that waits for its turn can be withdrawn, takes no verdict, and keeps its place when it is
 * asked again on the next connection. */
START_TEST(test_ask_held)
{
    shim_up(&shim, &world);
    for (uint32_t i = 0; i < BJ_ASKS_MAX; i++)
        ask(16 + i, "please", 6, "");
    struct bj_message gone = {.type = BJ_CLOSE, .channel = 16 + 61};
    gone.field[BJ_CLOSE_REASON].data = "";
    shim_send(&shim, &gone);
    peer_event(&world.control, "ask.opened");
    ck_assert_int_eq(peer_refused(&world.control, "monitor.verdict", "uu", "channel",
                                  (uint64_t)(16 + 63), "answer", (uint64_t)1),
                     -ENOENT);
    close(shim.fd);
    peer_event(&world.control, "link.down");
    shim_up(&shim, &world);
    for (uint32_t i = 0; i < BJ_ASKS_MAX; i++)
        if (i != 61)
            ask(16 + i, "please", 6, "");
    for (uint64_t last = 16; last != 16 + 63;) {
        uint64_t channel = bj_get_uint(peer_event(&world.control, "ask.opened"), "channel", 0);
        ck_assert_uint_gt(channel, last);
        ck_assert_uint_ne(channel, 16 + 61);
        last = channel;
    }
}
END_TEST

/* As many as one sandbox may have open, to a monitor that is new. */
START_TEST(test_asks_of_the_last_monitor)
{
    shim_up(&shim, &world);
    shim_data(&shim, 0, "x", 1);
    shim_wait_acked(&shim, 1);
    world_kill_monitor(&world);
    shim_close(&shim);
    world_start_monitor(&world);
    world_connect_control(&world);
    shim_dial(&shim, &world);
    peer_call(&world.control, "monitor.admit", "u", "pid", (uint64_t)getpid());
    shim_hello(&shim, 1, 1);
    shim_wait(&shim, BJ_WELCOME);
    for (uint32_t i = 0; i < BJ_ASKS_MAX; i++)
        ask(16 + i, "please", 6, "");
    for (uint32_t i = 0; i < BJ_ASKS_MAX; i++)
        ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "ask.opened"), "channel", 0),
                          16 + i);
}
END_TEST

START_TEST(test_exit)
{
    shim_up(&shim, &world);
    uint64_t pid = 7;
    shim_uints(&shim, BJ_STARTED, BJ_CHANNEL_CONTROL, 1, &pid);
    ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "agent.started"), "pid", 0), 7);
    shim_data(&shim, 0, "bye", 3);
    struct bj_message exited = {.type = BJ_EXITED};
    exited.field[BJ_EXITED_CODE].u = 3;
    exited.field[BJ_EXITED_ERROR].data = "";
    shim_send(&shim, &exited);
    ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "agent.exited"), "code", 0), 3);
    shim_wait_acked(&shim, 3);
    peer_call(&world.control, "monitor.info", ""); /* behind it the exit is on disk, too */
    shim_close(&shim);
    world_kill_monitor(&world);
    world_start_monitor(&world);
    world_connect_control(&world);
    const msgpack_object *info = peer_call(&world.control, "monitor.info", "");
    ck_assert(bj_get_bool(info, "exited", false));
    ck_assert_int_eq(bj_get_int(info, "exit_code", 0), 3);
    char text[4096];
    ck_assert_int_eq(strncmp(captured(false, text, sizeof(text)), "bye\n", 4), 0);
}
END_TEST

/* What a hostile shim sends after HELLO; each is the end of that connection and of nothing else. */
static void send_random(void)
{
    uint8_t bytes[4096];
    uint32_t seed = 12345;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)((seed = seed * 1664525U + 1013904223U) >> 24);
    bytes[0] = 0xc1;
    shim_raw(&shim, bytes, sizeof(bytes));
}

static void send_huge_length(void)
{
    shim_raw(&shim, "\x94\x10\x01\x00\xc6\xff\xff\xff\xff", 9);
}

static void send_deep(void)
{
    uint8_t bytes[64];
    memset(bytes, 0x91, sizeof(bytes));
    shim_raw(&shim, bytes, sizeof(bytes));
}

static void send_unknown(void)
{
    shim_raw(&shim, "\x92\x63\x00", 3);
}

static void send_wrong_side(void)
{
    shim_uints(&shim, BJ_SIZE, BJ_CHANNEL_CONTROL, 2, (uint64_t[]){24, 80});
}

static void send_closed_channel(void)
{
    shim_raw(&shim, "\x94\x10\x05\x00\xc4\x01x", 7);
}

static void send_beyond_credit(void)
{
    static char bytes[BJ_DATA_MAX];
    for (uint64_t offset = 0; offset < 2 * BJ_OUTPUT_WINDOW; offset += BJ_DATA_MAX)
        shim_data(&shim, offset + BJ_DATA_MAX, bytes, BJ_DATA_MAX);
}

static void send_gap(void)
{
    shim_data(&shim, 100, "x", 1);
}

static void send_replay(void)
{
    shim_data(&shim, 0, "x", 1);
    shim_data(&shim, 0, "x", 1);
}

static void send_bad_ack(void)
{
    uint64_t offset = UINT64_MAX;
    shim_uints(&shim, BJ_ACK, BJ_CHANNEL_PTY, 1, &offset);
}

static void send_second_hello(void)
{
    shim_hello(&shim, 0, 0);
}

static void send_big_ask(void)
{
    static char bytes[60 * 1024];
    memset(bytes, 'A', sizeof(bytes));
    uint8_t head[] = {0x95, 0x20, 0x10, 0xa4, 'e', 'x', 'e', 'c', 0xda, 0xea, 0x60};
    shim_raw(&shim, head, sizeof(head));
    shim_raw(&shim, bytes, sizeof(bytes));
    shim_raw(&shim, "\xc4\x00", 2);
}

static const struct {
    const char *name;
    void (*send)(void);
} hostile[] = {
    {"random bytes", send_random},
    {"huge length", send_huge_length},
    {"deep nesting", send_deep},
    {"unknown type", send_unknown},
    {"message of the other side", send_wrong_side},
    {"channel that is not open", send_closed_channel},
    {"beyond the credit", send_beyond_credit},
    {"gap", send_gap},
    {"replay", send_replay},
    {"impossible ack", send_bad_ack},
    {"second hello", send_second_hello},
    {"oversized ask", send_big_ask},
};

START_TEST(test_hostile)
{
    char kind[32], text[4096];
    shim_up(&shim, &world);
    hostile[_i].send();
    ck_assert_msg(shim_ended(&shim), "%s", hostile[_i].name);
    bj_get_copy(peer_event(&world.control, "alert"), "kind", kind, sizeof(kind));
    ck_assert_str_eq(kind, "link");
    peer_event(&world.control, "link.down");
    /* The same process may dial again, and all works. */
    uint64_t next = bj_get_uint(peer_call(&world.control, "monitor.info", ""), "output", 0);
    close(shim.fd);
    shim_dial(&shim, &world);
    shim_hello(&shim, 0, next);
    shim_wait(&shim, BJ_WELCOME);
    shim_data(&shim, next,
              "\x1b"
              "calive",
              7);
    shim_wait_acked(&shim, next + 7);
    ck_assert_int_eq(strncmp(captured(false, text, sizeof(text)), "alive\n", 6), 0);
}
END_TEST

START_TEST(test_other_epoch)
{
    shim_up(&shim, &world);
    shim_data(&shim, 0, "x", 1);
    shim_wait_acked(&shim, 1);
    close(shim.fd);
    memcpy(shim.epoch, "another shim now", 16);
    shim_dial(&shim, &world);
    shim_hello(&shim, 0, 1);
    shim_wait(&shim, BJ_ERROR);
    ck_assert(shim_ended(&shim));
}
END_TEST

START_TEST(test_alerts_wait_for_a_server)
{
    shim_up(&shim, &world);
    peer_close(&world.control);
    char text[4096];
    captured(false, text, sizeof(text)); /* it has seen the server's end when it answers this */
    captured(false, text, sizeof(text));
    shim_data(&shim, 0, "\x1b]52;c;eA==\x07", 12);
    shim_wait_acked(&shim, 12);
    world_connect_control(&world);
    char kind[32];
    bj_get_copy(peer_event(&world.control, "alert"), "kind", kind, sizeof(kind));
    ck_assert_str_eq(kind, "clipboard");
}
END_TEST

START_TEST(test_title_and_bell)
{
    char title[64];
    shim_up(&shim, &world);
    shim_data(&shim, 0, "\x1b]2;hi\x07\a", 8);
    bj_get_copy(peer_event(&world.control, "pane.title"), "title", title, sizeof(title));
    ck_assert_str_eq(title, "hi");
    peer_event(&world.control, "pane.bell");
    ck_assert_uint_eq(bj_get_uint(peer_event(&world.control, "pane.output"), "output", 0), 8);
}
END_TEST

/* Locked down: as little as possible open, and no new privileges. */
START_TEST(test_locked_down)
{
    char path[64], line[256];
    snprintf(path, sizeof(path), "/proc/%d/status", world.monitor);
    FILE *status = fopen(path, "re");
    ck_assert_ptr_nonnull(status);
    int found = 0;
    while (fgets(line, sizeof(line), status)) {
        if (strncmp(line, "NoNewPrivs:\t1", 13) == 0 || strncmp(line, "Seccomp:\t2", 10) == 0)
            found++;
        if (getuid() == 0 && strncmp(line, "Uid:", 4) == 0)
            ck_assert_str_eq(line, "Uid:\t65534\t65534\t65534\t65534\n");
    }
    fclose(status);
    ck_assert_int_eq(found, 2);
    snprintf(path, sizeof(path), "/proc/%d/fd", world.monitor);
    DIR *fds = opendir(path);
    if (fds) {
        int count = 0;
        while (readdir(fds))
            count++;
        closedir(fds);
        ck_assert_int_le(count, 2 + 3 + 16);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link");
    TCase *tcase = tcase_create("link");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_admission);
    tcase_add_test(tcase, test_candidates_are_bounded);
    tcase_add_test(tcase, test_versions);
    tcase_add_test(tcase, test_input_and_sizes);
    tcase_add_test(tcase, test_input_waits_for_a_link);
    tcase_add_test(tcase, test_input_waits_for_credit);
    tcase_add_test(tcase, test_input_is_bounded);
    tcase_add_test(tcase, test_monitor_killed);
    tcase_add_test(tcase, test_recording_rotates);
    tcase_add_test(tcase, test_disk_full);
    tcase_add_test(tcase, test_pace);
    tcase_add_test(tcase, test_echo);
    tcase_add_test(tcase, test_ask);
    tcase_add_test(tcase, test_note);
    tcase_add_test(tcase, test_ask_changed_text);
    tcase_add_test(tcase, test_ask_flood);
    tcase_add_test(tcase, test_ask_held);
    tcase_add_test(tcase, test_asks_of_the_last_monitor);
    tcase_add_test(tcase, test_exit);
    tcase_add_loop_test(tcase, test_hostile, 0, sizeof(hostile) / sizeof(hostile[0]));
    tcase_add_test(tcase, test_other_epoch);
    tcase_add_test(tcase, test_alerts_wait_for_a_server);
    tcase_add_test(tcase, test_title_and_bell);
    tcase_add_test(tcase, test_locked_down);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
