#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/pack.h"
#include "transport/rpc.h"

/* Two connections on one loop that talk over a socket pair; or one, and a raw descriptor. */
struct end {
    struct bj_rpc rpc;
    int calls, notifications, drained, closed, replies;
    uint32_t last_id;
    bool answer;        /* answer calls at once */
    bool close_on_call; /* close in the middle of a call */
    struct bj_error why, reply_error;
    char last_name[64];
    char reply_text[64];
};

static uv_loop_t loop;
static struct end a, b;
static int raw;

static void on_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
                    const msgpack_object *params)
{
    struct end *end = rpc->owner;
    end->calls++;
    end->last_id = id;
    snprintf(end->last_name, sizeof(end->last_name), "%s", method->name);
    if (end->close_on_call)
        bj_rpc_close(rpc);
    if (!end->answer)
        return;
    msgpack_packer *packer = bj_rpc_result(rpc, id);
    if (packer) {
        msgpack_pack_map(packer, 1);
        bj_pack_key_str(packer, "said", method->name);
        bj_rpc_send(rpc);
    }
}

static void on_notification(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    struct end *end = rpc->owner;
    end->notifications++;
    snprintf(end->last_name, sizeof(end->last_name), "%s", name);
}

static void on_drained(struct bj_rpc *rpc)
{
    ((struct end *)rpc->owner)->drained++;
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    struct end *end = rpc->owner;
    end->closed++;
    end->why = *why;
}

static const struct bj_rpc_events events = {.methods = bj_api_server,
                                            .events = bj_events_server,
                                            .call = on_call,
                                            .notification = on_notification,
                                            .drained = on_drained,
                                            .closed = on_closed};

static void on_reply(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                     void *argument)
{
    struct end *end = argument;
    end->replies++;
    end->reply_error = (struct bj_error){0};
    if (error)
        bj_rpc_error_read(error, &end->reply_error);
    bj_get_copy(result, "said", end->reply_text, sizeof(end->reply_text));
}

static void open_end(struct end *end, int descriptor)
{
    *end = (struct end){.answer = true};
    ck_assert_int_eq(bj_rpc_open(&end->rpc, &loop, descriptor, &events, end, NULL), 0);
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void teardown(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void open_pair(void)
{
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    open_end(&a, fds[0]);
    open_end(&b, fds[1]);
}

static void open_raw(void)
{
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    open_end(&a, fds[0]);
    raw = fds[1];
    fcntl(raw, F_SETFL, O_NONBLOCK);
}

#define RUN_UNTIL(condition)                                                                       \
    while (!(condition))                                                                           \
    ck_assert_msg(uv_run(&loop, UV_RUN_ONCE) || (condition),                                       \
                  "nothing left to wait for: " #condition)

static void close_both(void)
{
    bj_rpc_close(&a.rpc);
    bj_rpc_close(&b.rpc);
    RUN_UNTIL(a.closed && b.closed);
}

static void call(struct bj_rpc *rpc, const char *method)
{
    msgpack_packer *packer = bj_rpc_request(rpc, method, on_reply, rpc->owner);
    msgpack_pack_map(packer, 0);
    bj_rpc_send(rpc);
}

START_TEST(request_and_answer)
{
    open_pair();
    call(&a.rpc, "sandbox.list");
    call(&b.rpc, "server.status"); /* both ways at once */
    RUN_UNTIL(a.replies == 1 && b.replies == 1);
    ck_assert_str_eq(a.reply_text, "sandbox.list");
    ck_assert_str_eq(b.reply_text, "server.status");
    ck_assert_uint_eq(bj_rpc_backlog(&a.rpc), 0);
    close_both();
    ck_assert_int_eq(a.why.code, 0);
}
END_TEST

START_TEST(answers_out_of_order)
{
    open_pair();
    b.answer = false;
    call(&a.rpc, "sandbox.list");
    call(&a.rpc, "server.status");
    RUN_UNTIL(b.calls == 2);
    struct bj_error error;
    bj_fail(&error, -EBUSY, "not now");
    bj_rpc_error(&b.rpc, b.last_id, &error);
    RUN_UNTIL(a.replies == 1);
    ck_assert_int_eq(a.reply_error.code, -EBUSY);
    ck_assert_str_eq(a.reply_error.text, "not now");
    bj_rpc_done(&b.rpc, b.last_id - 1);
    RUN_UNTIL(a.replies == 2);
    ck_assert_int_eq(a.reply_error.code, 0);
    bj_rpc_done(&b.rpc, b.last_id); /* twice: ignored */
    bj_rpc_done(&b.rpc, 4000);      /* never asked: ignored */
    call(&b.rpc, "sandbox.list");
    RUN_UNTIL(b.replies == 1);
    ck_assert_int_eq(a.replies, 2);
    close_both();
}
END_TEST

START_TEST(errors_come_from_the_table)
{
    open_pair();
    call(&a.rpc, "no.such\x80\n"
                 "method.with.a.very.long.name.that.must.be.cut.somewhere.in.it");
    RUN_UNTIL(a.replies == 1);
    ck_assert_int_eq(a.reply_error.code, -ENOSYS);
    ck_assert_ptr_nonnull(strstr(a.reply_error.text, "no.such??method"));
    call(&a.rpc, "sandbox.rename");
    RUN_UNTIL(a.replies == 2);
    ck_assert_int_eq(a.reply_error.code, -EINVAL);
    ck_assert_ptr_nonnull(strstr(a.reply_error.text, "name"));
    ck_assert_int_eq(b.calls, 0);
    call(&a.rpc, "api.info");
    RUN_UNTIL(a.replies == 3);
    ck_assert_int_eq(a.reply_error.code, 0);
    ck_assert_int_eq(b.calls, 0);
    close_both();
}
END_TEST

START_TEST(notifications)
{
    open_pair();
    msgpack_pack_map(bj_rpc_notify(&a.rpc, "event.gone"), 0);
    bj_rpc_send(&a.rpc);
    RUN_UNTIL(b.notifications == 1);
    ck_assert_str_eq(b.last_name, "event.gone");
    msgpack_pack_map(bj_rpc_notify(&a.rpc, "sandbox.list"), 0); /* a call that wants no answer */
    bj_rpc_send(&a.rpc);
    RUN_UNTIL(b.calls == 1);
    ck_assert_uint_eq(b.last_id, BJ_RPC_NO_REPLY);
    msgpack_pack_map(bj_rpc_notify(&a.rpc, "sandbox.rename"), 0); /* wrong: nobody to tell */
    bj_rpc_send(&a.rpc);
    msgpack_pack_map(bj_rpc_notify(&a.rpc, "end"), 0);
    bj_rpc_send(&a.rpc);
    RUN_UNTIL(b.notifications == 2);
    ck_assert_int_eq(b.calls, 1);
    close_both();
}
END_TEST

/* Whoever waits for an answer is told that none comes. */
START_TEST(close_tells_who_waits)
{
    open_pair();
    b.answer = false;
    call(&a.rpc, "sandbox.list");
    call(&a.rpc, "server.status");
    RUN_UNTIL(b.calls == 2);
    bj_rpc_close(&b.rpc);
    bj_rpc_close(&b.rpc); /* idempotent */
    RUN_UNTIL(a.closed && b.closed);
    ck_assert_int_eq(a.replies, 2);
    ck_assert_int_eq(a.reply_error.code, -EPIPE);
    ck_assert_int_eq(a.why.code, 0);
    ck_assert_int_eq(b.closed, 1);
}
END_TEST

static void on_reply_again(struct bj_rpc *rpc, const msgpack_object *error,
                           const msgpack_object *result, void *argument)
{
    struct end *end = argument;
    end->replies++;
    ck_assert_ptr_nonnull(error);
    msgpack_pack_map(bj_rpc_request(rpc, "sandbox.list", on_reply_again, argument), 0);
    bj_rpc_send(rpc);
}

/* A reply that asks again and again must not keep a closed connection alive. */
START_TEST(asking_again_while_closing)
{
    open_pair();
    b.answer = false;
    msgpack_pack_map(bj_rpc_request(&a.rpc, "sandbox.list", on_reply_again, &a), 0);
    bj_rpc_send(&a.rpc);
    close_both();
    ck_assert_int_ge(a.replies, 1);
    ck_assert_int_le(a.replies, 2);
}
END_TEST

START_TEST(closed_in_a_call)
{
    open_pair();
    b.close_on_call = true;
    for (int i = 0; i < 5; i++)
        msgpack_pack_map(bj_rpc_request(&a.rpc, "sandbox.list", on_reply, &a), 0);
    bj_rpc_send(&a.rpc);
    RUN_UNTIL(a.closed && b.closed);
    ck_assert_int_eq(b.calls, 1); /* nothing is dispatched after the close */
    ck_assert_int_eq(a.replies, 5);
}
END_TEST

static const struct {
    const char *name;
    size_t size;
    const char *bytes;
} nonsense[] = {
    {"a number", 1, "\x01"},
    {"a map", 1, "\x80"},
    {"an empty list", 1, "\x90"},
    {"a list of two", 4, "\x92\x02\xa1x"},
    {"a list of five", 7,
     "\x95\x00\x01\xa1x\x90"
     "\xc0"},
    {"type 3", 6, "\x94\x03\x01\xa1x\x90"},
    {"a type of text", 6, "\x93\xa1x\xa1x\x90"},
    {"a request without id", 5, "\x93\x00\xa1x\x90"},
    {"a negative id", 6, "\x94\x00\xff\xa1x\x90"},
    {"an id over 32 bits", 14, "\x94\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa1x\x90"},
    {"the id that stands for none", 10, "\x94\x00\xce\xff\xff\xff\xff\xa1x\x90"},
    {"a method that is no text", 5, "\x94\x00\x01\x07\x90"},
    {"parameters that are a map", 6, "\x94\x00\x01\xa1x\x80"},
    {"a notification with an id", 6, "\x94\x02\x01\xa1x\x90"},
    {"a notification without name", 4, "\x93\x02\x07\x90"},
    {"a notification with a map", 5, "\x93\x02\xa1x\x80"},
    {"a response of three", 4, "\x93\x01\x01\xc0"},
    {"a byte that is not msgpack", 1, "\xc1"},
    {"a text of 4 GiB", 5, "\xdb\xff\xff\xff\xff"},
    {"a list of 4 Gi", 5, "\xdd\xff\xff\xff\xff"},
    {"deep nesting", 16, "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"},
};

START_TEST(nonsense_closes)
{
    open_raw();
    ck_assert_int_eq(write(raw, nonsense[_i].bytes, nonsense[_i].size), (ssize_t)nonsense[_i].size);
    RUN_UNTIL(a.closed);
    ck_assert_msg(a.why.code == -EPROTO, "%s: %d", nonsense[_i].name, a.why.code);
    ck_assert(a.why.text[0]);
    ck_assert_int_eq(a.calls, 0);
    close(raw);
}
END_TEST

START_TEST(bytes_one_by_one)
{
    static const char bytes[] = "\x94\x00\x07\xac"
                                "sandbox.list\x91\x80";
    open_raw();
    for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
        ck_assert_int_eq(a.calls, 0);
        ck_assert_int_eq(write(raw, bytes + i, 1), 1);
        uv_run(&loop, UV_RUN_ONCE);
    }
    RUN_UNTIL(a.calls == 1);
    ck_assert_uint_eq(a.last_id, 7);
    char answer[128];
    ck_assert_int_gt(read(raw, answer, sizeof(answer)), 4);
    ck_assert_mem_eq(answer, "\x94\x01\x07\xc0", 4);
    /* An end of file in the middle of a message is a plain end. */
    ck_assert_int_eq(write(raw, bytes, 5), 5);
    close(raw);
    RUN_UNTIL(a.closed);
    ck_assert_int_eq(a.why.code, 0);
}
END_TEST

START_TEST(empty_parameter_list)
{
    open_raw();
    ck_assert_int_eq(write(raw, "\x94\x00\x01\xacsandbox.list\x90", 17), 17);
    RUN_UNTIL(a.calls == 1);
    /* More than one parameter is an error, not a crash. */
    ck_assert_int_eq(write(raw, "\x94\x00\x02\xacsandbox.list\x92\x01\x02", 19), 19);
    ck_assert_int_eq(write(raw, "\x93\x02\xa1x\x92\x01\x02", 7), 7);
    RUN_UNTIL(a.notifications == 1);
    ck_assert_int_eq(a.calls, 1);
    close(raw);
    RUN_UNTIL(a.closed);
}
END_TEST

START_TEST(large_messages_both_ways)
{
    open_pair();
    size_t size = 1000 * 1000;
    char *text = malloc(size);
    memset(text, 'x', size);
    for (int i = 0; i < 20; i++)
        bj_pack_strn(bj_rpc_notify(&a.rpc, "big"), text, size);
    bj_rpc_send(&a.rpc);
    ck_assert_uint_gt(bj_rpc_backlog(&a.rpc), 0);
    RUN_UNTIL(b.notifications == 20);
    RUN_UNTIL(a.drained > 0);
    ck_assert_uint_eq(bj_rpc_backlog(&a.rpc), 0);
    free(text);
    close_both();
}
END_TEST

START_TEST(message_over_the_limit)
{
    open_pair();
    size_t size = bj_frame_limits_rpc.bytes;
    char *text = calloc(1, size);
    bj_pack_strn(bj_rpc_notify(&a.rpc, "big"), text, size);
    bj_rpc_send(&a.rpc);
    free(text);
    RUN_UNTIL(b.closed);
    ck_assert_int_eq(b.why.code, -EPROTO);
    bj_rpc_close(&a.rpc);
    RUN_UNTIL(a.closed);
}
END_TEST

/* A peer that never reads costs at most the limit, then its connection. */
START_TEST(peer_that_does_not_read)
{
    open_raw();
    size_t size = 1000 * 1000;
    char *text = calloc(1, size);
    int sent = 0;
    while (!a.rpc.closing && sent++ < 1000) {
        bj_pack_strn(bj_rpc_notify(&a.rpc, "big"), text, size);
        bj_rpc_send(&a.rpc);
        ck_assert_uint_le(bj_rpc_backlog(&a.rpc), BJ_RPC_PENDING_MAX + 2 * size);
    }
    free(text);
    RUN_UNTIL(a.closed);
    ck_assert_int_eq(a.why.code, -EOVERFLOW);
    close(raw);
}
END_TEST

START_TEST(peer_gone_while_sending)
{
    open_raw();
    close(raw);
    call(&a.rpc, "sandbox.list");
    RUN_UNTIL(a.closed);
    ck_assert_int_eq(a.replies, 1);
    ck_assert_int_ne(a.reply_error.code, 0);
}
END_TEST

/* It said something and closed; who then writes to it first must still hear it. */
START_TEST(last_words_are_heard)
{
    static const char words[] = "\x94\x00\x01\xab"
                                "server.stop\x91\x80";
    open_raw();
    ck_assert_int_eq(write(raw, words, sizeof(words) - 1), sizeof(words) - 1);
    close(raw);
    call(&a.rpc, "sandbox.list"); /* fails, and nothing was read yet */
    ck_assert_int_eq(a.calls, 0);
    RUN_UNTIL(a.closed);
    ck_assert_int_eq(a.calls, 1);
    ck_assert_str_eq(a.last_name, "server.stop");
    ck_assert_int_eq(a.replies, 1);
    ck_assert_int_ne(a.reply_error.code, 0);
    ck_assert_int_eq(a.why.code, 0);
}
END_TEST

START_TEST(descriptor_that_is_none)
{
    a = (struct end){0};
    struct bj_error error = {0};
    if (bj_rpc_open(&a.rpc, &loop, -1, &events, &a, &error) == 0) {
        RUN_UNTIL(a.closed);
        ck_assert_int_ne(a.why.code, 0);
    } else {
        ck_assert(error.text[0]);
    }
}
END_TEST

START_TEST(error_without_words)
{
    struct bj_error error;
    bj_rpc_error_read(NULL, &error);
    ck_assert_int_eq(error.code, -EPROTO);
    ck_assert(error.text[0]);
    const msgpack_object text = {.type = MSGPACK_OBJECT_STR, .via.str = {4, "oops"}};
    bj_rpc_error_read(&text, &error);
    ck_assert_int_eq(error.code, -EPROTO);
}
END_TEST

START_TEST(ids_never_meet_the_reserved_one)
{
    open_pair();
    a.rpc.next_id = BJ_RPC_NO_REPLY - 1;
    call(&a.rpc, "sandbox.list");
    call(&a.rpc, "sandbox.list");
    RUN_UNTIL(a.replies == 2);
    ck_assert_uint_eq(a.rpc.next_id, 1);
    close_both();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rpc");
    TCase *cases = tcase_create("rpc");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, request_and_answer);
    tcase_add_test(cases, answers_out_of_order);
    tcase_add_test(cases, errors_come_from_the_table);
    tcase_add_test(cases, notifications);
    tcase_add_test(cases, close_tells_who_waits);
    tcase_add_test(cases, asking_again_while_closing);
    tcase_add_test(cases, closed_in_a_call);
    tcase_add_loop_test(cases, nonsense_closes, 0, sizeof(nonsense) / sizeof(nonsense[0]));
    tcase_add_test(cases, bytes_one_by_one);
    tcase_add_test(cases, empty_parameter_list);
    tcase_add_test(cases, large_messages_both_ways);
    tcase_add_test(cases, message_over_the_limit);
    tcase_add_test(cases, peer_that_does_not_read);
    tcase_add_test(cases, peer_gone_while_sending);
    tcase_add_test(cases, last_words_are_heard);
    tcase_add_test(cases, descriptor_that_is_none);
    tcase_add_test(cases, error_without_words);
    tcase_add_test(cases, ids_never_meet_the_reserved_one);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
