/*
 * The host's side of the attack list: other users (55), runtime directories that somebody prepared
 * (56), floods of requests (47), texts of requests (48), answers to one's own request (49), the
 * audit log (60).
 */
#include "attack.h"
#include "tests/e2e/eye.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK "/belljar/bin/belljar-shim ask --kind exec --title "

static int sockets, reachable;

static int visit_socket(const char *path, const struct stat *info, int type, struct FTW *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!S_ISSOCK(info->st_mode) || strlen(path) >= sizeof(address.sun_path))
        return 0;
    sockets++;
    strcpy(address.sun_path, path);
    pid_t child = fork();
    if (child == 0) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (setgroups(0, NULL) < 0 || setgid(12345) < 0 || setuid(12345) < 0)
            _exit(2);
        _exit(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 1 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    reachable += status != 0;
    return 0;
}

/* Row 55: every socket there is, as another user. */
START_TEST(other_users_reach_no_socket)
{
    if (geteuid() != 0) {
        puts("skipped: only root can play another user");
        return;
    }
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "a", "--", "cat");
    WAIT_FOR(world_state_is(&attack_world, "a", "running"));
    sockets = reachable = 0;
    ck_assert_int_eq(nftw(attack_world.runtime, visit_socket, 16, FTW_PHYS), 0);
    ck_assert_int_ge(sockets, 4); /* server, link, control, view */
    ck_assert_int_eq(reachable, 0);
    struct stat info;
    ck_assert_int_eq(stat(attack_world.runtime, &info), 0);
    ck_assert_uint_eq(info.st_mode & 077, 0);
    ck_assert_int_eq(stat(attack_world.state, &info), 0);
    ck_assert_uint_eq(info.st_mode & 077, 0);
}
END_TEST

static void refused_directory(const char *sentence)
{
    struct result result;
    BELLJAR(&attack_world, &result, "ls");
    ck_assert_int_eq(result.code, 1);
    ck_assert_msg(strstr(result.err, sentence) != NULL, "%s", result.err);
    result_free(&result);
    ck_assert_int_eq(world_server(&attack_world), 0);
}

/* Row 56. */
START_TEST(prepared_runtime_directories)
{
    char elsewhere[128];
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", attack_world.base);
    ck_assert_int_eq(mkdir(elsewhere, 0700), 0);
    ck_assert_int_eq(symlink(elsewhere, attack_world.runtime), 0);
    refused_directory("link");
    unlink(attack_world.runtime);
    ck_assert_int_eq(mkdir(attack_world.runtime, 0700), 0);
    ck_assert_int_eq(chmod(attack_world.runtime, 0777), 0);
    refused_directory("chmod 700");
    ck_assert_int_eq(chmod(attack_world.runtime, 0700), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(attack_world.runtime, 12345, 12345), 0);
        refused_directory("12345");
        ck_assert_int_eq(chown(attack_world.runtime, 0, 0), 0);
    }
    BELLJAR_OK(&attack_world, "ls");
}
END_TEST

static json_t *requests(void)
{
    struct result result;
    BELLJAR(&attack_world, &result, "requests", "--json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *list = json_loads(result.out, 0, NULL);
    ck_assert_msg(list != NULL, "%s", result.out);
    result_free(&result);
    return list;
}

/* The shim finds its way to a new monitor though everybody inside dials it, too. */
START_TEST(flood_of_dials)
{
    attack_start("dialler", "python3 -c '\n"
                            "import os, socket, time\n"
                            "for i in range(60):\n"
                            "    if os.fork() == 0:\n"
                            "        while True:\n"
                            "            s = socket.socket(socket.AF_UNIX)\n"
                            "            try: s.connect(\"/belljar/link/link.sock\")\n"
                            "            except OSError: pass\n"
                            "            s.close()\n"
                            "print(\"dialling\", flush=True)\n"
                            "time.sleep(10000)'");
    WAIT_FOR(world_shows(&attack_world, "dialler", "dialling"));
    pid_t monitor = (pid_t)world_number(&attack_world, "dialler", "monitor_pid");
    kill(monitor, SIGKILL);
    WAIT_FOR(world_number(&attack_world, "dialler", "monitor_pid") != monitor &&
             strcmp(world_field(&attack_world, "dialler", "link"), "up") == 0);
    BELLJAR_OK(&attack_world, "kill", "dialler");
}
END_TEST

/* Row 47: a flood is bounded, and another sandbox's request is seen and answered all the same. */
START_TEST(flood_of_asks)
{
    attack_start("flood",
                 "i=0; while [ $i -lt 300 ]; do i=$((i+1)); " ASK
                 "\"question $i\" >/dev/null 2>&1 & done; echo asked; wait; echo over; cat");
    WAIT_FOR(world_shows(&attack_world, "flood", "asked"));
    attack_start("quiet", ASK "'the one that matters'; echo answer $?; cat");
    json_t *list = NULL, *item;
    size_t index, count = 0;
    char id[64] = "";
    for (long long limit = world_now() + world_patience(); !id[0] && world_now() < limit;) {
        list = requests();
        count = json_array_size(list);
        json_array_foreach(list, index, item)
        {
            const char *title = json_string_value(json_object_get(item, "title"));
            if (title && strcmp(title, "the one that matters") == 0)
                snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(item, "id")));
        }
        json_decref(list);
        world_breathe();
    }
    ck_assert_str_ne(id, "");
    ck_assert_uint_le(count, 65); /* 64 of one sandbox, and the other's */
    WAIT_FOR(attack_alerted("ask-flood"));
    struct eye *eye =
        eye_open(30, 100, (const char *const[]){attack_world.belljar, "attach", NULL});
    EYE_WAIT(eye, eye_shows(eye, "flood") && eye_shows(eye, "quiet"));
    BELLJAR_OK(&attack_world, "allow", id);
    EYE_WAIT_TEXT(eye, "answer 0");
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
    BELLJAR_OK(&attack_world, "kill", "flood");
    list = requests();
    ck_assert_uint_eq(json_array_size(list), 0);
    json_decref(list);
}
END_TEST

/* Row 48: no control character of a title reaches a terminal; nothing is cut silently inside. */
START_TEST(texts_of_requests)
{
    attack_start("liar",
                 ASK "\"$(printf 'first\\nALLOWED by root\\033[2J\\033]52;c;eA==\\007 \\302\\2332J "
                     "\\342\\200\\256desrever')\"; echo code $?; cat");
    json_t *list = NULL;
    for (long long limit = world_now() + world_patience(); world_now() < limit;) {
        list = requests();
        if (json_array_size(list) > 0 || world_shows(&attack_world, "liar", "code"))
            break;
        json_decref(list);
        world_breathe();
    }
    struct result result;
    BELLJAR(&attack_world, &result, "requests");
    for (const char *at = result.out; *at; at++)
        ck_assert_msg((unsigned char)*at >= 0x20 || *at == '\n', "a control in the list: %s",
                      result.out);
    ck_assert_ptr_null(strstr(result.out, "\342\200\256"));
    ck_assert_ptr_null(strstr(result.out, "\302\233"));
    ck_assert_ptr_null(strstr(result.out, "\nALLOWED"));
    result_free(&result);
    json_decref(list);
    struct eye *eye =
        eye_open(30, 100, (const char *const[]){attack_world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "ALLOWED by root"); /* on one line, in the bar of the request */
    ck_assert_ptr_null(strstr(eye->raw, "\033]52;"));
    ck_assert_ptr_null(strstr(eye->raw, "\342\200\256"));
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}
END_TEST

/* Row 49: what is sent to the ask socket is a question, whatever it says. */
START_TEST(answering_ones_own_request)
{
    attack_start("cheat", "(" ASK "'let me out'; echo verdict $?) & read go; "
                          "./probe answer_own_ask; echo tried; cat");
    json_t *list = requests();
    while (json_array_size(list) == 0) {
        json_decref(list);
        world_breathe();
        list = requests();
    }
    json_decref(list);
    BELLJAR_OK(&attack_world, "send", "cheat", "--enter");
    WAIT_FOR(world_shows(&attack_world, "cheat", "tried"));
    ck_assert(!world_shows(&attack_world, "cheat", "verdict"));
    list = requests();
    ck_assert_uint_eq(json_array_size(list), 1);
    json_decref(list);
}
END_TEST

/* Row 60: whoever changes the log, with the server running or without, is found out. */
START_TEST(audit_log_tampered_with)
{
    static const struct {
        const char *name, *script;
    } changes[] = {
        {"edited", "sed -i '2s/\"sandbox\":\"a\"/\"sandbox\":\"b\"/' $f"},
        {"removed", "sed -i 2d $f"},
        {"first removed", "sed -i 1d $f"},
        {"swapped", "sed -i '2{h;d};3G' $f"},
        {"doubled", "sed -i 2p $f"},
        {"last cut off", "sed -i '$d' $f"},
        {"truncated", "truncate -s -9 $f"},
        {"emptied", ": >$f"},
        {"gone", "rm $f"},
        {"replaced", "head -n 2 $f >$f.x; mv $f.x $f"},
        {"one made up", "tail -n 1 $f | sed 's/\"seq\":/\"seq\":9/' >>$f"},
    };
    char script[1024];
    struct result result;
    attack_start("a", ASK "'a question'; echo answer $?; cat");
    WAIT_FOR(attack_request("a question", "id")[0]);
    WAIT_FOR(attack_answer("deny", "a question", NULL, NULL));
    WAIT_FOR(world_shows(&attack_world, "a", "answer 1"));
    BELLJAR_OK(&attack_world, "kill", "a");
    BELLJAR_OK(&attack_world, "server", "stop");
    BELLJAR_OK(&attack_world, "audit", "verify");
    snprintf(script, sizeof(script), "cp -a %s %s/kept", attack_world.state, attack_world.base);
    world_run_ok(&attack_world, (const char *const[]){"sh", "-ec", script, NULL});
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        snprintf(script, sizeof(script), "f=%s/audit.jsonl; %s", attack_world.state,
                 changes[i].script);
        world_run_ok(&attack_world, (const char *const[]){"sh", "-ec", script, NULL});
        BELLJAR(&attack_world, &result, "audit", "verify");
        ck_assert_msg(result.code == 1, "%s: exit %d: %s%s", changes[i].name, result.code,
                      result.out, result.err);
        result_free(&result);
        snprintf(script, sizeof(script), "cp -a %s/kept/audit* %s/", attack_world.base,
                 attack_world.state);
        world_run_ok(&attack_world, (const char *const[]){"sh", "-ec", script, NULL});
        BELLJAR_OK(&attack_world, "audit", "verify");
    }
    /* A server that starts over a changed log says so, and the break stays to be seen. */
    snprintf(script, sizeof(script), "sed -i 2d %s/audit.jsonl", attack_world.state);
    world_run_ok(&attack_world, (const char *const[]){"sh", "-ec", script, NULL});
    BELLJAR_OK(&attack_world, "run", "-d", "-n", "b", "--", "cat");
    BELLJAR(&attack_world, &result, "audit", "verify");
    ck_assert_int_eq(result.code, 1);
    result_free(&result);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host");
    const struct {
        const char *name;
        const TTest *test;
    } cases[] = {
        {"row 55: another user", other_users_reach_no_socket},
        {"row 56: prepared runtime directory", prepared_runtime_directories},
        {"row 47: flood of asks", flood_of_asks},
        {"row 47: flood of dials", flood_of_dials},
        {"row 48: text of a request", texts_of_requests},
        {"row 49: answer to one's own request", answering_ones_own_request},
        {"row 60: audit log tampered with", audit_log_tampered_with},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TCase *one = tcase_create(cases[i].name);
        tcase_add_checked_fixture(one, attack_open, attack_close);
        tcase_set_timeout(one, 300);
        tcase_add_test(one, cases[i].test);
        suite_add_tcase(suite, one);
    }
    return world_main(suite);
}
