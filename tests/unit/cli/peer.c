#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/pack.h"
#include "tui/cli/peer.h"

/* A server with four methods, in a process of its own. */
static const struct bj_method methods[] = {
    {"test.echo",
     "",
     "",
     {{"text", BJ_PARAM_STR, false, 1024, ""},
      {"number", BJ_PARAM_UINT, false, 1024, ""},
      {"flag", BJ_PARAM_BOOL, false, 0, ""},
      {"bytes", BJ_PARAM_BIN, false, 1024, ""},
      {"list", BJ_PARAM_STRS, false, 16, ""}}},
    {"test.fail", "", "", {{0}}},
    {"test.never", "", "", {{0}}},
    {"test.odd", "", "", {{0}}},
    {"test.tell", "", "", {{0}}},
    {"test.leave", "", "", {{0}}},
    {0},
};

static void on_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
                    const msgpack_object *params)
{
    if (strcmp(method->name, "test.echo") == 0) {
        msgpack_pack_object(bj_rpc_result(rpc, id), *params);
        bj_rpc_send(rpc);
    } else if (strcmp(method->name, "test.fail") == 0) {
        struct bj_error error = {-ENOENT, "no such thing"};
        bj_rpc_error(rpc, id, &error);
    } else if (strcmp(method->name, "test.odd") == 0) {
        msgpack_packer *packer = bj_rpc_result(rpc, id);
        msgpack_pack_map(packer, 5);
        bj_pack_key_bin(packer, "bin", "a\xff", 2);
        bj_pack_key_int(packer, "negative", -5);
        bj_pack_key_double(packer, "real", 1.5);
        bj_pack_key_double(packer, "nan", 0.0 / 0.0);
        bj_pack_str(packer, "nil");
        msgpack_pack_nil(packer);
        bj_rpc_send(rpc);
    } else if (strcmp(method->name, "test.tell") == 0) {
        msgpack_packer *packer = bj_rpc_notify(rpc, "event.test");
        msgpack_pack_map(packer, 1);
        bj_pack_key_uint(packer, "number", 7);
        bj_rpc_send(rpc);
        bj_rpc_done(rpc, id);
    } else if (strcmp(method->name, "test.leave") == 0) {
        bj_rpc_close(rpc);
    }
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    (void)rpc;
    (void)why;
}

static const struct bj_rpc_events events = {
    .methods = methods, .call = on_call, .closed = on_closed};

static struct peer peer;
static pid_t server;

static void serve(int descriptor)
{
    uv_loop_t loop;
    struct bj_rpc rpc;
    uv_loop_init(&loop);
    bj_rpc_open(&rpc, &loop, descriptor, &events, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    _exit(0);
}

static void setup(void)
{
    struct bj_error error = {0};
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    server = fork();
    if (server == 0) {
        close(ends[0]);
        serve(ends[1]);
    }
    close(ends[1]);
    ck_assert_int_eq(peer_open(&peer, ends[0], "the test", &error), 0);
}

static void teardown(void)
{
    peer_close(&peer);
    ck_assert_int_eq(waitpid(server, NULL, 0), server); /* it ends with the connection */
}

START_TEST(values_go_there_and_back)
{
    struct bj_error error = {0};
    json_t *result;
    json_t *params = json_pack("{s:s,s:i,s:b,s:s,s:[s,s]}", "text", "漢字", "number", 42, "flag", 1,
                               "bytes", "raw", "list", "a", "b");
    json_t *expected = json_deep_copy(params);
    ck_assert_int_eq(peer_call(&peer, "test.echo", params, 5000, &result, &error), 0);
    ck_assert(json_equal(result, expected));
    json_decref(result);
    json_decref(expected);
}
END_TEST

START_TEST(no_params_are_an_empty_map)
{
    struct bj_error error = {0};
    json_t *result;
    ck_assert_int_eq(peer_call(&peer, "test.echo", NULL, 5000, &result, &error), 0);
    ck_assert_uint_eq(json_object_size(result), 0);
    json_decref(result);
}
END_TEST

START_TEST(what_json_lacks_is_replaced)
{
    struct bj_error error = {0};
    json_t *result;
    ck_assert_int_eq(peer_call(&peer, "test.odd", NULL, 5000, &result, &error), 0);
    ck_assert_str_eq(json_string_value(json_object_get(result, "bin")), "a\xef\xbf\xbd");
    ck_assert_int_eq(json_integer_value(json_object_get(result, "negative")), -5);
    ck_assert(json_number_value(json_object_get(result, "real")) == 1.5);
    ck_assert(json_is_null(json_object_get(result, "nan")));
    ck_assert(json_is_null(json_object_get(result, "nil")));
    json_decref(result);
}
END_TEST

START_TEST(errors_come_as_they_are)
{
    struct bj_error error = {0};
    json_t *result;
    ck_assert_int_eq(peer_call(&peer, "test.fail", NULL, 5000, &result, &error), -ENOENT);
    ck_assert_ptr_null(result);
    ck_assert_str_eq(error.text, "no such thing");
    ck_assert_int_eq(peer_call(&peer, "test.unknown", NULL, 5000, &result, &error), -ENOSYS);
}
END_TEST

START_TEST(several_calls_at_once)
{
    struct bj_error error = {0};
    struct peer_reply replies[3];
    peer_send(&peer, "test.echo", json_pack("{s:i}", "number", 1), &replies[0]);
    peer_send(&peer, "test.fail", NULL, &replies[1]);
    peer_send(&peer, "test.echo", json_pack("{s:i}", "number", 3), &replies[2]);
    ck_assert_int_eq(peer_wait(&peer, replies, 3, 5000, &error), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(replies[0].result, "number")), 1);
    ck_assert_ptr_null(replies[1].result);
    ck_assert_int_eq(json_integer_value(json_object_get(replies[2].result, "number")), 3);
    json_decref(replies[0].result);
    json_decref(replies[2].result);
}
END_TEST

START_TEST(silence_is_a_timeout)
{
    struct bj_error error = {0};
    json_t *result;
    ck_assert_int_eq(peer_call(&peer, "test.never", NULL, 20, &result, &error), -ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(error.text, "the test did not answer"));
    ck_assert_int_eq(peer_call(&peer, "test.echo", NULL, 5000, &result, &error), -EPIPE);
}
END_TEST

START_TEST(an_end_is_an_error)
{
    struct bj_error error = {0};
    json_t *result;
    bool never = false;
    ck_assert_int_lt(peer_call(&peer, "test.leave", NULL, 5000, &result, &error), 0);
    ck_assert_ptr_null(result);
    ck_assert_int_lt(peer_listen(&peer, &never, 5000, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "ended"));
}
END_TEST

static void on_event(struct peer *told, const char *name, const json_t *params)
{
    ck_assert_str_eq(name, "event.test");
    ck_assert_int_eq(json_integer_value(json_object_get(params, "number")), 7);
    *(bool *)told->owner = true;
}

START_TEST(notifications_are_heard)
{
    struct bj_error error = {0};
    bool heard = false, never = false;
    json_t *result;
    peer.event = on_event;
    peer.owner = &heard;
    ck_assert_int_eq(peer_call(&peer, "test.tell", NULL, 5000, &result, &error), 0);
    json_decref(result);
    ck_assert_int_eq(peer_listen(&peer, &heard, 5000, &error), 0);
    ck_assert_int_eq(peer_listen(&peer, &never, 20, &error), -ETIMEDOUT);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("peer");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, values_go_there_and_back);
    tcase_add_test(tests, no_params_are_an_empty_map);
    tcase_add_test(tests, what_json_lacks_is_replaced);
    tcase_add_test(tests, errors_come_as_they_are);
    tcase_add_test(tests, several_calls_at_once);
    tcase_add_test(tests, silence_is_a_timeout);
    tcase_add_test(tests, an_end_is_an_error);
    tcase_add_test(tests, notifications_are_heard);
    return run_suite("peer", tests);
}
