/*
 * The server's own API, called directly: every method that api.info lists
 * is answered, and what is wrong with a call is said in words, without anything having changed.
 */
#include "human.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/socket.h"
#include "tui/cli/peer.h"

static struct world world;
static struct peer peer;

static void setup(void)
{
    char path[128];
    struct bj_error error = {0};
    world_open(&world);
    BELLJAR_OK(&world, "ls"); /* the server is started */
    snprintf(path, sizeof(path), "%s/server.sock", world.runtime);
    ck_assert_msg(peer_open(&peer, bj_socket_connect(path, &error), "the server", &error) == 0,
                  "%s", error.text);
}

static void teardown(void)
{
    peer_close(&peer);
    world_close(&world);
}

static char said[BJ_ERROR_TEXT_MAX]; /* the words of the last call's error; "" without one */

/* Parameters as JSON with ' for ". The caller drops the result; NULL with an error. */
static json_t *call(const char *method, const char *params)
{
    char text[4096];
    json_error_t where;
    json_t *result = NULL;
    struct bj_error error = {0};
    snprintf(text, sizeof(text), "%s", params);
    for (char *at = text; (at = strchr(at, '\''));)
        *at = '"';
    json_t *json = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, &where);
    ck_assert_msg(json != NULL, "%s: %s", params, where.text);
    peer_call(&peer, method, json, PEER_KILL_TIMEOUT_MS, &result, &error);
    snprintf(said, sizeof(said), "%s", error.text);
    return result;
}

static void refused(const char *method, const char *params, const char *why)
{
    json_decref(call(method, params));
    ck_assert_msg(strstr(said, why) != NULL, "%s %s: \"%s\" instead of \"%s\"", method, params,
                  said, why);
}

static void done(const char *method, const char *params)
{
    json_decref(call(method, params));
    ck_assert_msg(!*said, "%s %s: %s", method, params, said);
}

/* What a member of the result must be; the result is dropped. */
static void check_text(json_t *result, const char *name, const char *text)
{
    ck_assert_str_eq(json_string_value(json_object_get(result, name)), text);
    json_decref(result);
}

static size_t rules(void)
{
    json_t *list = call("rule.list", "{}");
    size_t count = json_array_size(list);
    json_decref(list);
    return count;
}

/* ---- what is said of calls that are wrong ---- */

static const struct {
    const char *method, *params, *why;
} wrong[] = {
    {"no.such", "{}", "no"},
    {"sandbox.list", "[]", "one map of named parameters"},
    {"sandbox.list", "{'x': 1}", "no such parameter"},
    {"sandbox.kill", "{}", "say which sandboxes: names, or all"},
    {"sandbox.kill", "{'names': []}", "say which sandboxes"},
    {"sandbox.kill", "{'names': ['nobody']}", "no sandbox is named nobody"},
    {"sandbox.kill", "{'names': ['idle', 'nobody']}", "no sandbox is named nobody"},
    {"sandbox.kill", "{'names': 'idle'}", "names is not of type [str]"},
    {"sandbox.kill", "{'names': [1]}", "names is not of type [str]"},
    {"sandbox.kill", "{'names': ['a\\u0000b']}", "names contains a NUL byte"},
    {"sandbox.remove", "{'names': ['idle']}", "idle still runs: 'belljar kill' it first"},
    {"sandbox.pause", "{'names': ['over']}", "over has exited"},
    {"sandbox.resume", "{'names': ['over']}", "over has exited"},
    {"sandbox.rename", "{'name': 'nobody', 'new_name': 'x'}", "no sandbox is named nobody"},
    {"sandbox.rename", "{'name': 'idle', 'new_name': 'over'}", "over"},
    {"sandbox.rename", "{'name': 'idle', 'new_name': ''}", "cannot be empty"},
    {"sandbox.rename", "{'name': 'idle', 'new_name': '-x'}", "cannot begin with -"},
    {"sandbox.rename", "{'name': 'idle', 'new_name': 'a b'}", "name"},
    {"sandbox.rename", "{'name': 'idle', 'new_name': '123456789012345678901234567890123'}",
     "new_name is over its limit of 32"},
    {"sandbox.restart", "{'name': 'nobody'}", "no sandbox is named nobody"},
    {"sandbox.restart", "{'name': 'idle'}", "idle still runs"},
    {"sandbox.restart", "{'name': 'over', 'prompt': 'go'}", "needs the agent's profile"},
    {"sandbox.run", "{}", "sandbox.run needs the parameter argv"},
    {"sandbox.run", "{'argv': []}", "a sandbox needs a program to run"},
    {"sandbox.run", "{'argv': ['']}", "a sandbox needs a program to run"},
    {"sandbox.run", "{'argv': ['cat'], 'rows': 10001}", "rows is over its limit of 10000"},
    {"sandbox.run", "{'argv': ['cat'], 'rows': -1}", "rows is not of type uint"},
    {"sandbox.run", "{'argv': ['cat'], 'rows': 1.5}", "rows is not of type uint"},
    {"sandbox.run", "{'argv': ['cat'], 'resume': 1}", "resume is not of type bool"},
    {"sandbox.run", "{'argv': ['cat'], 'resume': true}", "needs the agent's profile"},
    {"sandbox.run", "{'argv': ['cat'], 'prompt': 'go'}", "needs the agent's profile"},
    {"sandbox.run", "{'argv': ['cat'], 'name': 'a\\u0000b'}", "name contains a NUL byte"},
    {"sandbox.run", "{'argv': ['cat'], 'name': 'idle'}", "idle"},
    {"sandbox.run", "{'argv': ['cat'], 'name': 'a/b'}", "name"},
    {"sandbox.run", "{'argv': ['cat'], 'driver': 'jail'}", "there is no driver jail"},
    {"sandbox.run", "{'argv': ['cat'], 'session': 'a b'}", "session"},
    {"sandbox.run", "{'argv': ['cat'], 'project': 'here'}", "an absolute path"},
    {"sandbox.run", "{'argv': ['cat'], 'project': '/no/such'}", "cannot look at the project"},
    {"sandbox.run", "{'argv': ['cat'], 'project': '/etc/passwd'}", "is not a directory"},
    {"sandbox.run", "{'argv': ['cat'], 'policy': '/no/such'}", "/no/such"},
    {"sandbox.run", "{'argv': [], 'agent': 'nobody'}", "there is no profile \"nobody\""},
    {"sandbox.run", "{'argv': [], 'agent': 'claude', 'path': '/no/such'}", "is not installed here"},
    {"request.resolve", "{'id': 'x', 'answer': 'maybe'}", "answer is allow or deny"},
    {"request.resolve", "{'id': 'x', 'answer': 'allow', 'scope': 'world'}",
     "scope is once, sandbox"},
    {"request.resolve", "{'id': 'x', 'answer': 'allow'}", "x"},
    {"request.resolve", "{'id': 'x', 'answer': 'deny', 'scope': 'all', 'seconds': 5}", "x"},
    {"request.details", "{'id': 'x'}", "no request x is open"},
    {"rule.add", "{'kind': 'k', 'pattern': 'p', 'effect': 'allow', 'scope': 'all'}",
     "kind is egress"},
    {"rule.add", "{'kind': 'exec', 'pattern': 'p', 'effect': 'ask', 'scope': 'all'}",
     "effect is allow or deny"},
    {"rule.add", "{'kind': 'exec', 'pattern': 'p', 'effect': 'allow', 'scope': 'once'}",
     "scope is sandbox, project or all"},
    {"rule.add", "{'kind': 'exec', 'pattern': 'p', 'effect': 'allow', 'scope': 'sandbox'}",
     "no sandbox is named"},
    {"rule.add",
     "{'kind': 'exec', 'pattern': 'p', 'effect': 'deny', 'scope': 'project', 'value': 'here'}",
     "the absolute path of the project's directory"},
    {"rule.add", "{'kind': 'exec', 'pattern': '', 'effect': 'deny', 'scope': 'all'}",
     "an empty pattern"},
    {"rule.add", "{'kind': 'file_out', 'pattern': 'a\\nb', 'effect': 'deny', 'scope': 'all'}",
     "a control character"},
    {"rule.add", "{'kind': 'file_out', 'pattern': 'a\\\\', 'effect': 'deny', 'scope': 'all'}",
     "ackslash"},
    {"rule.add", "{'kind': 'egress', 'pattern': 'a..b', 'effect': 'deny', 'scope': 'all'}",
     "label"},
    {"rule.add", "{'kind': 'egress', 'pattern': 'a.**', 'effect': 'deny', 'scope': 'all'}",
     "never inside or behind"},
    {"rule.add", "{'kind': 'egress', 'pattern': 'a.**.b', 'effect': 'deny', 'scope': 'all'}",
     "never inside or behind"},
    {"rule.add", "{'kind': 'egress', 'pattern': 'a.b:1:2', 'effect': 'deny', 'scope': 'all'}",
     "not a host"},
    {"rule.add", "{'kind': 'egress', 'pattern': 'a.b:0', 'effect': 'deny', 'scope': 'all'}",
     "port"},
    {"rule.add", "{'kind': 'file_out', 'pattern': '/abs', 'effect': 'deny', 'scope': 'all'}",
     "relative to the project"},
    {"rule.add", "{'kind': 'file_out', 'pattern': 'a/../b', 'effect': 'deny', 'scope': 'all'}",
     "none called . or .."},
    {"rule.add", "{'kind': 'open_url', 'pattern': 'ftp://a.b', 'effect': 'deny', 'scope': 'all'}",
     "only http:// and https://"},
    {"rule.add",
     "{'kind': 'open_url', 'pattern': 'http://a.b/c', 'effect': 'deny', 'scope': 'all'}",
     "without a path"},
    {"rule.remove", "{'id': 0}", "there is no rule 0"},
    {"rule.remove", "{'id': 77}", "there is no rule 77"},
    {"rule.undo", "{}", "there is no rule to take back"},
    {"policy.explain", "{'name': 'nobody', 'kind': 'exec', 'subject': 'ls'}",
     "no sandbox is named"},
    {"policy.explain", "{'name': 'idle', 'kind': 'k', 'subject': 'ls'}", "kind is egress"},
    {"policy.files", "{'name': 'nobody'}", "no sandbox is named"},
    {"policy.reload", "{'names': ['nobody']}", "no sandbox is named"},
    {"egress.list", "{'name': 'nobody'}", "no sandbox is named"},
    {"work.begin", "{'name': 'nobody', 'action': 'diff'}", "no sandbox is named"},
    {"work.begin", "{'name': 'idle', 'action': 'take'}", "action is diff, pull, push or exec"},
    {"work.begin", "{'name': 'still', 'action': 'diff'}", "still is paused"},
    {"work.check", "{'name': 'nobody', 'paths': []}", "no sandbox is named"},
    {"work.end", "{'name': 'nobody', 'action': 'diff', 'outcome': 'done'}", "no sandbox is named"},
    {"alert.acknowledge", "{'sandbox': 'nobody'}", "no sandbox is named"},
    {"client.hello", "{'kind': 'cli', 'session': '../x'}", "session"},
    {"session.save", "{'name': 'a b'}", "session"},
    {"session.save", "{'name': 'main', 'layout': 'round'}", "a layout is tiled, main or zoom"},
};

/* The list of sandboxes as the server gives it, without what its clock changes. */
static char *sandboxes(void)
{
    struct result result;
    BELLJAR(&world, &result, "ls", "--json");
    ck_assert_int_eq(result.code, 0);
    json_t *list = json_loads(result.out, 0, NULL);
    json_t *names = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *sandbox = json_array_get(list, i);
        json_array_append_new(names, json_pack("[O, O]", json_object_get(sandbox, "name"),
                                               json_object_get(sandbox, "state")));
    }
    char *text = json_dumps(names, 0);
    json_decref(names);
    json_decref(list);
    result_free(&result);
    return text;
}

START_TEST(what_is_wrong_is_said)
{
    human_runs(&world, "idle", "exec sleep 1000");
    human_runs(&world, "still", "exec sleep 1000");
    human_runs(&world, "over", "exit 0");
    WAIT_FOR(world_state_is(&world, "over", "exited"));
    BELLJAR_OK(&world, "pause", "still");
    char *before = sandboxes();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        refused(wrong[i].method, wrong[i].params, wrong[i].why);
    char *after = sandboxes();
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
    ck_assert(HUMAN_READS(&world, "no rules", "rules"));
}
END_TEST

/* ---- what every method does ---- */

static void check_method(const json_t *method)
{
    const char *name = json_string_value(json_object_get(method, "name"));
    char text[1024], why[256];
    bool needs = false;
    size_t i;
    json_t *param;
    snprintf(why, sizeof(why), "%s has no such parameter (see api.info)", name);
    refused(name, "{'none_such': 1}", why);
    json_array_foreach(json_object_get(method, "params"), i, param)
    {
        const char *key = json_string_value(json_object_get(param, "name"));
        needs |= json_is_true(json_object_get(param, "required"));
        snprintf(text, sizeof(text), "{'%s': null}", key);
        snprintf(why, sizeof(why), "%s is not of type %s", key,
                 json_string_value(json_object_get(param, "type")));
        refused(name, text, why);
    }
    if (needs) {
        refused(name, "{}", "needs the parameter");
    } else if (strcmp(name, "server.stop") != 0) {
        json_decref(call(name, "{}"));
        ck_assert_ptr_null(strstr(said, "is not answered"));
    }
}

START_TEST(every_method_is_answered)
{
    json_t *info = call("api.info", "{}");
    ck_assert_str_eq(said, "");
    const json_t *methods = json_object_get(info, "methods");
    ck_assert_uint_gt(json_array_size(methods), 30);
    for (size_t i = 0; i < json_array_size(methods); i++)
        check_method(json_array_get(methods, i));
    json_decref(info);
}
END_TEST

/* ---- what is right ---- */

START_TEST(what_is_right_is_done)
{
    human_runs(&world, "idle", "exec sleep 1000");
    done("rule.add", "{'kind': 'exec', 'pattern': 'make*', 'effect': 'allow', 'scope': 'all'}");
    done("rule.add", "{'kind': 'exec', 'pattern': 'rm*', 'effect': 'deny', 'scope': 'sandbox', "
                     "'value': 'idle', 'seconds': 3600}");
    done("rule.add", "{'kind': 'file_out', 'pattern': 'dist/**', 'effect': 'allow', "
                     "'scope': 'project', 'value': '/srv'}");
    ck_assert_uint_eq(rules(), 3);
    json_t *list = call("rule.list", "{}");
    check_text(json_incref(json_array_get(list, 1)), "name", "idle");
    json_decref(list);
    check_text(call("policy.explain", "{'name': 'idle', 'kind': 'exec', 'subject': 'rm x'}"),
               "effect", "deny");
    done("rule.undo", "{}");
    done("rule.remove", "{'id': 1}");
    ck_assert_uint_eq(rules(), 1);

    done("session.save", "{'name': 'side', 'layout': 'main', 'panes': ['nobody'], 'pinned': 9, "
                         "'selected': 'nobody'}");
    json_t *hello =
        call("client.hello", "{'kind': 'dashboard', 'session': 'side', 'from': 'a\\nb\\'c'}");
    ck_assert(json_is_array(json_object_get(hello, "panes")));
    ck_assert_uint_eq(json_array_size(json_object_get(hello, "panes")), 0);
    check_text(hello, "layout", "main");
    done("client.focus", "{'sandbox_id': 'nobody', 'typing': true}");
    done("request.shown", "{'ids': ['nobody', '']}");
    done("work.end", "{'name': 'idle', 'action': 'diff', 'outcome': 'refused', 'detail': 'x'}");
    done("sandbox.rename", "{'name': 'idle', 'new_name': 'idle'}");
    done("sandbox.rename", "{'name': 'idle', 'new_name': 'other'}");
    done("sandbox.pause", "{'all': true}");
    ck_assert(world_state_is(&world, "other", "paused"));
    done("sandbox.kill", "{'names': ['other', 'other']}");
    done("sandbox.pause", "{'all': true}"); /* passes over what has ended */
    done("sandbox.remove", "{'all': true}");
    done("server.stop", "{'kill': true}");
    WAIT_FOR(world_server(&world) == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("api");
    TCase *tests = tcase_create("api");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_is_wrong_is_said);
    tcase_add_test(tests, every_method_is_answered);
    tcase_add_test(tests, what_is_right_is_done);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
