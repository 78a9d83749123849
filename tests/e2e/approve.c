/*
 * The approve path: a process inside asks, the human answers, and nothing else can.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static void run(const char *name, const char *script)
{
    human_runs(&world, name, script);
}

static const char *request_field(const char *title, const char *field)
{
    return human_request(&world, title, field);
}

static const char *request_id(const char *title)
{
    return request_field(title, "id");
}

static bool refused(const char *answer, const char *id)
{
    struct result result;
    BELLJAR(&world, &result, answer, id);
    bool failed = result.code == 1 && result.err_size > 0;
    result_free(&result);
    return failed;
}

START_TEST(from_the_command_line)
{
    struct result result;
    run("asker", HUMAN_ASKED "'make install'; echo first $?; " HUMAN_ASKED
                             "'rm -rf build'; echo second $?; cat");
    WAIT_FOR(request_id("make install")[0]);
    ck_assert_str_eq(request_field("make install", "sandbox"), "asker");
    ck_assert_str_eq(request_field("make install", "class"), "courtesy");
    ck_assert_str_eq(request_field("make install", "kind"), "exec");
    ck_assert(world_state_is(&world, "asker", "waiting"));
    BELLJAR(&world, &result, "requests");
    ck_assert_ptr_nonnull(strstr(result.out, "make install"));
    result_free(&result);
    BELLJAR_OK(&world, "allow", request_id("make install"));
    WAIT_FOR(world_shows(&world, "asker", "first 0"));
    WAIT_FOR(request_id("rm -rf build")[0]);
    BELLJAR_OK(&world, "deny", request_id("rm -rf build"), "--reason", "not on Fridays");
    WAIT_FOR(world_shows(&world, "asker", "second 1"));
    ck_assert_msg(world_shows(&world, "asker", "not on Fridays"), "%s",
                  world_capture(&world, "asker"));
    ck_assert(world_state_is(&world, "asker", "running"));
}
END_TEST

START_TEST(from_the_dashboard)
{
    run("asker", "read x; " HUMAN_ASKED "'make install'; echo first $?; " HUMAN_ASKED
                 "'rm -rf build'; echo second $?; cat");
    WAIT_FOR(world_state_is(&world, "asker", "running"));
    struct eye *eye = eye_open(30, 100, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "asker");
    BELLJAR_OK(&world, "send", "asker", "--enter");
    EYE_WAIT_TEXT(eye, "make install");
    /* A key counts only once it has been in view for a moment: press until it is taken. */
    EYE_WAIT(eye, (eye_type(eye, "a"), eye_pump(eye, 200), eye_shows(eye, "first 0")));
    EYE_WAIT_TEXT(eye, "rm -rf build");
    EYE_WAIT(eye, (eye_type(eye, "d"), eye_pump(eye, 200), eye_shows(eye, "second 1")));
    EYE_WAIT(eye, !eye_shows(eye, "rm -rf build"));
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}
END_TEST

/* Attack row 51: a request that appears just as keys are pressed does not take them. Where this
 * test could not look for so long that its last key is none typed ahead, it asks again. */
START_TEST(type_ahead_is_not_taken)
{
    bool told = false;
    run("asker", "while read x; do sleep 1; " HUMAN_ASKED "'make install'; echo first $?; done");
    WAIT_FOR(world_state_is(&world, "asker", "running"));
    struct eye *eye = eye_open(30, 100, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "asker");
    for (int i = 0; i < 30 && !told; i++) {
        BELLJAR_OK(&world, "send", "asker", "--enter");
        long long looked, next = world_now(); /* the look before the one that saw it */
        EYE_WAIT(eye, (looked = next, next = world_now(), eye_type(eye, "a"), eye_pump(eye, 10),
                       eye_shows(eye, "make install")));
        eye_type(eye, "a");
        told = world_now() - looked < 280;
        const char *id = request_id("make install");
        ck_assert(!told || (id[0] && !world_shows(&world, "asker", "first")));
        if (!told && id[0])
            BELLJAR_OK(&world, "deny", id);
        EYE_WAIT(eye, told || !eye_shows(eye, "make install"));
    }
    ck_assert_msg(told, "this machine is too busy to tell");
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}
END_TEST

/* In focus mode the letters belong to the agent. */
START_TEST(focus_keys_decide_nothing)
{
    run("asker", "stty -echo; (" HUMAN_ASKED "'make install'; echo first $?) & cat");
    WAIT_FOR(request_id("make install")[0]);
    struct eye *eye = eye_open(30, 100, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "make install");
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "FOCUS");
    for (int i = 0; i < 40; i++) { /* for well over 300 ms */
        eye_type(eye, "a");
        eye_pump(eye, 20);
        world_breathe();
    }
    eye_type(eye, "\rmark\r");
    EYE_WAIT_TEXT(eye, "mark");
    ck_assert_str_ne(request_id("make install"), "");
    ck_assert(!world_shows(&world, "asker", "first"));
    eye_type(eye, EYE_F12 "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}
END_TEST

/* Rows 52 and 53: an id belongs to one text, and is used up by its verdict. */
START_TEST(stale_and_changed_ids)
{
    run("asker", HUMAN_ASKED "'step one'; echo first $?; read x; " HUMAN_ASKED
                             "'step two'; echo second $?; cat");
    WAIT_FOR(request_id("step one")[0]);
    char first[64], second[64], mixed[128];
    snprintf(first, sizeof(first), "%s", request_id("step one"));
    BELLJAR_OK(&world, "allow", first);
    WAIT_FOR(world_shows(&world, "asker", "first 0"));
    ck_assert(refused("allow", first));
    BELLJAR_OK(&world, "send", "asker", "--enter");
    WAIT_FOR(request_id("step two")[0]);
    snprintf(second, sizeof(second), "%s", request_id("step two"));
    ck_assert_str_ne(first, second);
    ck_assert(refused("allow", first));
    ck_assert(refused("deny", first));
    /* The number of the one with the digest of the other. */
    const char *digest = strpbrk(first, "-.:");
    ck_assert_msg(digest != NULL, "the id %s has no digest", first);
    snprintf(mixed, sizeof(mixed), "%.*s%s", (int)strcspn(second, "-.:"), second, digest);
    ck_assert(refused("allow", mixed));
    mixed[strcspn(second, "-.:")] = '\0'; /* the number alone */
    ck_assert(refused("allow", mixed));
    ck_assert(refused("allow", ""));
    ck_assert(refused("allow", "0-0"));
    ck_assert_str_ne(request_id("step two"), "");
    ck_assert(!world_shows(&world, "asker", "second"));
}
END_TEST

/* An id learned inside would be worth nothing, but it is not even sent there. */
/* One of two that ask the same has no project to remember it for: nothing is recorded, nothing
 * remembered, and both wait on. */
START_TEST(a_verdict_that_is_refused_leaves_no_trace)
{
    struct result result;
    char project[300], id[64];
    snprintf(project, sizeof(project), "%s/project", world.home);
    ck_assert_int_eq(mkdir(project, 0755), 0);
    human_runs_in(&world, "with", project, NULL, "{ " HUMAN_ASKED "'make it'; echo with $?; } &");
    human_runs(&world, "without", HUMAN_ASKED "'make it'; echo without $?; cat");
    WAIT_FOR(atoi(request_field("make it", "count")) == 2);
    snprintf(id, sizeof(id), "%s", request_id("make it"));
    sleep(1); /* both are old enough */
    BELLJAR(&world, &result, "allow", "--rule", "project", id);
    ck_assert_int_eq(result.code, 1);
    ck_assert_msg(strstr(result.err, "without has no project"), "%s", result.err);
    result_free(&result);
    ck_assert_str_eq(request_id("make it"), id);
    BELLJAR(&world, &result, "rules");
    ck_assert_msg(!strstr(result.out, "make it"), "%s", result.out);
    result_free(&result);
    BELLJAR(&world, &result, "audit", "show", "--kind", "verdict");
    ck_assert_msg(!strstr(result.out, "make it"), "%s", result.out);
    result_free(&result);
    BELLJAR_OK(&world, "allow", id);
    WAIT_FOR(world_shows(&world, "with", "with 0") && world_shows(&world, "without", "without 0"));
}
END_TEST

START_TEST(asker_that_dies_takes_its_request_along)
{
    run("asker", HUMAN_ASKED "'make install' & read x; kill -9 $!; echo killed; cat");
    WAIT_FOR(request_id("make install")[0]);
    char id[64];
    snprintf(id, sizeof(id), "%s", request_id("make install"));
    BELLJAR_OK(&world, "send", "asker", "--enter");
    WAIT_FOR(world_shows(&world, "asker", "killed"));
    WAIT_FOR(!request_id("make install")[0]);
    ck_assert(refused("allow", id));
    WAIT_FOR(world_state_is(&world, "asker", "running"));
}
END_TEST

START_TEST(killed_sandbox_takes_its_requests_along)
{
    run("asker", HUMAN_ASKED "'make install'; echo first $?");
    WAIT_FOR(request_id("make install")[0]);
    BELLJAR_OK(&world, "kill", "asker");
    ck_assert_str_eq(request_id("make install"), "");
}
END_TEST

/* Nothing is allowed by the death of anything, and the question is asked again. */
START_TEST(requests_survive_server_and_monitor)
{
    run("asker", HUMAN_ASKED "'make install'; echo first $?; cat");
    WAIT_FOR(request_id("make install")[0]);
    long asked = strtol(request_field("make install", "created"), NULL, 10);
    sleep(4);
    kill(world_server(&world), SIGKILL);
    WAIT_FOR(world_server(&world) == 0);
    WAIT_FOR(world_state_is(&world, "asker", "waiting"));
    WAIT_FOR(request_id("make install")[0]);
    /* It has waited as long as before. */
    ck_assert_int_le(strtol(request_field("make install", "created"), NULL, 10), asked + 2);
    pid_t monitor = (pid_t)world_number(&world, "asker", "monitor_pid");
    kill(monitor, SIGKILL);
    WAIT_FOR(!world_alive(monitor));
    WAIT_FOR(world_number(&world, "asker", "monitor_pid") != monitor &&
             request_id("make install")[0]);
    ck_assert(!world_shows(&world, "asker", "first"));
    BELLJAR_OK(&world, "allow", request_id("make install"));
    WAIT_FOR(world_shows(&world, "asker", "first 0"));
}
END_TEST

/* What a policy allows on one line it does not allow with a second line behind it. */
START_TEST(a_second_line_is_not_allowed_along)
{
    human_policy(&world, "exec { allow = [\"ask(tidy *)\"] }\n");
    run("asker", HUMAN_ASKED "'tidy the log'; echo first $?; " HUMAN_ASKED
                             "'tidy the log\nand wipe the disk'; echo second $?; cat");
    WAIT_FOR(world_shows(&world, "asker", "first 0"));
    WAIT_FOR(request_id("tidy the log⏎and wipe the disk")[0]);
    BELLJAR_OK(&world, "deny", request_id("tidy the log⏎and wipe the disk"));
    WAIT_FOR(world_shows(&world, "asker", "second 1"));
}
END_TEST

/* A question about what the wall holds makes no rule for the wall. */
START_TEST(a_hook_opens_no_way_out)
{
    struct result result;
    run("asker", "belljar-shim ask --kind egress --title evil.example:443; echo first $?; cat");
    WAIT_FOR(request_id("evil.example:443")[0]);
    ck_assert_str_eq(request_field("evil.example:443", "class"), "courtesy");
    BELLJAR(&world, &result, "allow", request_id("evil.example:443"), "--rule", "sandbox");
    ck_assert_int_eq(result.code, 1);
    ck_assert_msg(strstr(result.err, "no rule can be made"), "%s", result.err);
    result_free(&result);
    BELLJAR(&world, &result, "rules");
    ck_assert_ptr_null(strstr(result.out, "evil.example"));
    result_free(&result);
}
END_TEST

/* Whether an alert of this sandbox says so, and how often it came. */
static int alerts_of(const char *name, const char *text)
{
    struct result result;
    int count = 0;
    BELLJAR(&world, &result, "alerts", "--json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *list = json_loads(result.out, 0, NULL), *item;
    size_t index;
    json_array_foreach(list, index, item)
    {
        const char *of = json_string_value(json_object_get(item, "sandbox"));
        const char *says = json_string_value(json_object_get(item, "text"));
        if (of && says && strcmp(of, name) == 0 && strstr(says, text))
            count += (int)json_integer_value(json_object_get(item, "count"));
    }
    json_decref(list);
    result_free(&result);
    return count;
}

/* A flood is no way past the policy, whichever agent's hooks ask: all are there before the first
 * of them asks. */
START_TEST(a_flood_does_not_pass_the_policy_by)
{
    static const char *const dialects[] = {"claude", "codex", "gemini", "opencode"};
    char script[1024];
    human_policy(&world, "exec { deny = [\"Bash(*secret*)\"] }\n");
    snprintf(script, sizeof(script),
             "exec 9>/tmp/lock; flock 9; for i in $(seq 60); do "
             "({ echo '{\"hook_event_name\": \"PreToolUse\", \"tool_name\": \"Bash\", "
             "\"tool_input\": {\"command\": \"cat secret '$i'\"}}'; flock -s /tmp/lock true; } | "
             "/belljar/bin/belljar-shim ask --dialect %s >/tmp/o.$i 2>&1) & done; "
             "until [ $(pgrep -c belljar-shim) -gt 60 ]; do sleep 0.2; done; flock -u 9; wait; "
             "echo denied $(grep -l '\"deny\".*secret' /tmp/o.* | wc -l), "
             "empty $(find /tmp -name 'o.*' -empty | wc -l); cat",
             dialects[_i]);
    run("asker", script);
    WAIT_FOR(world_shows(&world, "asker", "empty "));
    ck_assert_msg(world_shows(&world, "asker", "denied 60, empty 0"), "%s",
                  world_capture(&world, "asker"));
    WAIT_FOR(alerts_of("asker", "asks too fast") > 0);
}
END_TEST

/* A key of a question is pressed again only when it surely was not taken: twice, it is an answer.
 */
static void press(struct eye *eye, const char *key, const char *then)
{
    for (int i = 0; i < 20 && !eye_shows(eye, then); i++) {
        eye_type(eye, key);
        for (int k = 0; k < 150 && !eye_shows(eye, then); k++)
            eye_pump(eye, 20);
    }
    EYE_WAIT_TEXT(eye, then);
}

/* A flood of different questions is one card, and buries nobody else's. */
START_TEST(a_flood_is_one_card)
{
    run("noisy", "for i in 01 02 03 04 05 06 07 08 09 10 11 12; do " HUMAN_ASKED
                 "\"make part-$i\" && echo made $i >>/tmp/made & done; wait; "
                 "echo over: $(sort -u /tmp/made | wc -l); cat");
    WAIT_FOR(world_state_is(&world, "noisy", "waiting"));
    run("quiet", HUMAN_ASKED "'git push'; echo pushed $?; cat");
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "13 waiting");
    eye_type(eye, "r");
    EYE_WAIT_TEXT(eye, "12 requests");
    ck_assert(eye_shows(eye, "git push"));
    EYE_WAIT_TEXT(eye, "to decide them together");
    ck_assert(!eye_shows(eye, "a once")); /* not of all at a glance */
    eye_type(eye, "i");
    EYE_WAIT_TEXT(eye, "12 requests of noisy");
    EYE_WAIT_TEXT(eye, "make part-12");
    press(eye, "a", "Allow these 12");
    press(eye, "y", "Requests: 1,");
    WAIT_FOR(world_shows(&world, "noisy", "over: 12"));
    ck_assert(!world_shows(&world, "quiet", "pushed"));
    eye_close(eye);
}
END_TEST

/* What nobody answers in time is denied and on record so: a hook's question and a held connection,
 * and neither of them before. */
START_TEST(what_nobody_answers_expires)
{
    struct result result;
    human_policy(&world, "limits { wait = 3s }\n");
    run("asker", "(" HUMAN_ASKED "'make install' 2>&1; echo first $?) >/tmp/first & "
                 "curl -sS -m 200 -w '[%{http_code}]\\n' http://held.example/; wait; "
                 "cat /tmp/first; cat");
    WAIT_FOR(request_id("make install")[0] || world_shows(&world, "asker", "first"));
    WAIT_FOR(world_shows(&world, "asker", "first 1"));
    const char *screen = world_capture(&world, "asker");
    ck_assert_msg(strstr(screen, "denied: nobody answered within 3 seconds"), "%s", screen);
    ck_assert_msg(strstr(screen, "[403]"), "%s", screen);
    ck_assert_str_eq(request_id("make install"), "");
    ck_assert_str_eq(request_id("held.example:80"), "");
    BELLJAR(&world, &result, "audit", "show", "--json", "--kind", "verdict");
    int expired = 0;
    for (const char *at = result.out; (at = strstr(at, "expired")); at++)
        expired++;
    ck_assert_msg(expired == 2, "%s", result.out);
    result_free(&result);
}
END_TEST

/* What is too large to be decided on is denied where the agent would run it unasked, and said to
 * the human in any case, as is a dialect that does not exist. */
START_TEST(what_nobody_can_decide_on)
{
    run("asker",
        "big() { out=$({ printf '{\"tool_name\": \"Bash\", \"tool_input\": {\"command\": \"'; "
        "head -c 70000 /dev/zero | tr '\\0' x; echo '\"}}'; } | "
        "/belljar/bin/belljar-shim ask --dialect $* 2>/dev/null); code=$?; "
        "case $out in '') said=nothing;; *'\"deny\"'*'64 KiB'*) said=denied;; *) said=more;; esac; "
        "echo \"[$1 $2 $code $said]\"; }; "
        "big codex; big gemini; big opencode; big claude; big gemini --event AfterAgent; "
        "big esperanto; cat");
    WAIT_FOR(world_shows(&world, "asker", "[esperanto "));
    const char *screen = world_capture(&world, "asker");
    ck_assert_msg(strstr(screen, "[codex  0 denied]\n[gemini  0 denied]\n[opencode  0 denied]\n"
                                 "[claude  0 nothing]\n[gemini --event 0 nothing]\n"
                                 "[esperanto  2 nothing]"),
                  "%s", screen);
    WAIT_FOR(alerts_of("asker", "over 64 KiB") == 4);
    WAIT_FOR(alerts_of("asker", "a dialect that is not known") == 1);
    WAIT_FOR(strcmp(world_field(&world, "asker", "agent_state"), "done") == 0);
}
END_TEST

START_TEST(wrong_usage_inside)
{
    run("asker", "/belljar/bin/belljar-shim ask; echo none $?; "
                 "/belljar/bin/belljar-shim ask --kind exec; echo untitled $?; "
                 "/belljar/bin/belljar-shim ask --kind exec --title \"$(head -c 2000 /dev/zero | "
                 "tr '\\0' x)\" </dev/null; echo long $?; cat");
    WAIT_FOR(world_shows(&world, "asker", "none 2"));
    WAIT_FOR(world_shows(&world, "asker", "untitled 2"));
    /* Either refused (2) or cut and shown: never believed whole. */
    WAIT_FOR(world_shows(&world, "asker", "long 2") || world_state_is(&world, "asker", "waiting"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("approve");
    TCase *cases = tcase_create("approve");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, from_the_command_line);
    tcase_add_test(cases, from_the_dashboard);
    tcase_add_test(cases, type_ahead_is_not_taken);
    tcase_add_test(cases, focus_keys_decide_nothing);
    tcase_add_test(cases, stale_and_changed_ids);
    tcase_add_test(cases, a_verdict_that_is_refused_leaves_no_trace);
    tcase_add_test(cases, asker_that_dies_takes_its_request_along);
    tcase_add_test(cases, killed_sandbox_takes_its_requests_along);
    tcase_add_test(cases, requests_survive_server_and_monitor);
    tcase_add_test(cases, a_hook_opens_no_way_out);
    tcase_add_test(cases, a_second_line_is_not_allowed_along);
    tcase_add_test(cases, wrong_usage_inside);
    tcase_add_test(cases, a_flood_is_one_card);
    suite_add_tcase(suite, cases);
    TCase *hooks = tcase_create("hooks");
    tcase_add_checked_fixture(hooks, setup, teardown);
    tcase_set_timeout(hooks, 300);
    tcase_add_loop_test(hooks, a_flood_does_not_pass_the_policy_by, 0, 4);
    tcase_add_test(hooks, what_nobody_can_decide_on);
    tcase_add_test(hooks, what_nobody_answers_expires);
    suite_add_tcase(suite, hooks);
    return world_main(suite);
}
