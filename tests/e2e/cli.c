/*
 * The command line from end to end: what works, and what a person reads when it does not.
 */
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

/* The command fails with this code and one line on stderr that contains `sentence`. */
static void fails(int code, const char *sentence, const char *const argv[])
{
    struct result result;
    world_run(&world, &result, NULL, argv);
    ck_assert_msg(result.code == code, "%s: exit %d instead of %d; %s%s", argv[1], result.code,
                  code, result.err, result.out);
    ck_assert_msg(strstr(result.err, sentence) != NULL, "\"%s\" is not in: %s", sentence,
                  result.err);
    ck_assert_msg(result.out_size == 0, "a failure goes to stderr, not to stdout: %s", result.out);
    const char *newline = strchr(result.err, '\n');
    ck_assert_msg(code == 2 || (newline && newline[1] == '\0'), "more than one line: %s",
                  result.err);
    result_free(&result);
}
#define FAILS(code, sentence, ...)                                                                 \
    fails(code, sentence, (const char *const[]){world.belljar, __VA_ARGS__, NULL})

START_TEST(run_wait_capture)
{
    struct result result;
    BELLJAR(&world, &result, "run", "-d", "-n", "one", "--", "sh", "-c",
            "echo hello from inside; exit 7");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_str_eq(result.out, "one\n");
    result_free(&result);
    BELLJAR(&world, &result, "wait", "one", "--timeout", "60s");
    ck_assert_msg(result.code == 7, "wait: %d %s", result.code, result.err);
    result_free(&result);
    ck_assert(world_shows(&world, "one", "hello from inside"));
    ck_assert(world_state_is(&world, "one", "exited"));
    ck_assert_int_eq(world_number(&world, "one", "exit_code"), 7);
}
END_TEST

START_TEST(exit_by_signal)
{
    struct result result;
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--", "sh", "-c", "kill -TERM $$");
    BELLJAR(&world, &result, "wait", "one", "--timeout", "60s");
    ck_assert_int_eq(result.code, 128 + SIGTERM);
    result_free(&result);
    ck_assert_int_eq(world_number(&world, "one", "exit_signal"), SIGTERM);
}
END_TEST

START_TEST(names_are_made_up_and_kept)
{
    struct result result;
    BELLJAR(&world, &result, "run", "-d", "--", "sleep", "1000");
    ck_assert_int_eq(result.code, 0);
    char name[64];
    ck_assert_int_eq(sscanf(result.out, "%63s", name), 1);
    result_free(&result);
    WAIT_FOR(world_state_is(&world, name, "running"));
    BELLJAR_OK(&world, "rename", name, "other");
    ck_assert(world_state_is(&world, "other", "running"));
    ck_assert(world_sandbox(&world, name) == NULL);
    FAILS(1, name, "kill", name);
}
END_TEST

START_TEST(send_reaches_the_agent)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "cat", "--", "cat");
    WAIT_FOR(world_state_is(&world, "cat", "running"));
    BELLJAR_OK(&world, "send", "cat", "--enter", "gr\xc3\xbc\xc3\x9f dich");
    /* Once from the terminal's echo, once from cat. */
    WAIT_FOR(strstr(world_capture(&world, "cat"), "gr\xc3\xbc\xc3\x9f dich\ngr\xc3\xbc\xc3\x9f"));
    BELLJAR_OK(&world, "send", "cat", "--keys", "C-d");
    struct result result;
    BELLJAR(&world, &result, "wait", "cat", "--timeout", "60s");
    ck_assert_int_eq(result.code, 0);
    result_free(&result);
}
END_TEST

START_TEST(send_interrupts)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "s", "--", "sleep", "1000");
    WAIT_FOR(world_state_is(&world, "s", "running"));
    BELLJAR_OK(&world, "send", "s", "--keys", "C-c");
    struct result result;
    BELLJAR(&world, &result, "wait", "s", "--timeout", "60s");
    ck_assert_int_eq(result.code, 128 + SIGINT);
    result_free(&result);
}
END_TEST

START_TEST(pause_and_resume)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "p", "--", "bash", "-c",
               "i=0; while :; do echo line $((i++)); sleep 0.01; done");
    WAIT_FOR(world_shows(&world, "p", "line 20"));
    BELLJAR_OK(&world, "pause", "p");
    ck_assert(world_state_is(&world, "p", "paused"));
    /* Output that was under way may still come, then nothing more. */
    char before[65536] = "";
    for (int same = 0, i = 0; same < 5 && i < 200; i++) {
        const char *now = world_capture(&world, "p");
        same = strcmp(before, now) == 0 ? same + 1 : 0;
        snprintf(before, sizeof(before), "%s", now);
        ck_assert_int_lt(i, 199);
    }
    BELLJAR_OK(&world, "resume", "p");
    WAIT_FOR(strcmp(before, world_capture(&world, "p")) != 0);
    ck_assert(world_state_is(&world, "p", "running"));
    BELLJAR_OK(&world, "pause", "--all");
    ck_assert(world_state_is(&world, "p", "paused"));
    BELLJAR_OK(&world, "kill", "p"); /* a paused one as well */
}
END_TEST

START_TEST(kill_then_remove)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "k", "--", "sleep", "1000");
    WAIT_FOR(world_state_is(&world, "k", "running"));
    FAILS(1, "k", "rm", "k"); /* it runs */
    char id[64];
    snprintf(id, sizeof(id), "%s", world_field(&world, "k", "id"));
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", world.state, id);
    BELLJAR_OK(&world, "kill", "k");
    ck_assert_int_eq(access(path, F_OK), 0);
    FAILS(1, "belljar replay k", "capture", "k");
    BELLJAR_OK(&world, "rm", "k");
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert(world_sandbox(&world, "k") == NULL);
}
END_TEST

START_TEST(project_is_a_copy)
{
    char project[128];
    snprintf(project, sizeof(project), "%s/project", world.base);
    world_file(&world, "project/data.txt", "original\n", 0644);
    BELLJAR_OK(&world, "run", "-d", "-n", "p", "--project", project, "--", "sh", "-c",
               "cat data.txt; echo changed > data.txt; cat /work/data.txt");
    WAIT_FOR(world_shows(&world, "p", "original\nchanged"));
    ck_assert_str_eq(world_read(world_file(&world, "other", "x", 0644)), "x");
    char path[256];
    snprintf(path, sizeof(path), "%s/data.txt", project);
    ck_assert_str_eq(world_read(path), "original\n");
}
END_TEST

START_TEST(project_of_git_is_a_clone)
{
    const char *script = world_file(&world, "make.sh",
                                    "set -e; cd \"$1\"; git init -q -b main .; "
                                    "git config user.email a@b; git config user.name n; "
                                    "echo one > f; git add f; git commit -qm first",
                                    0755);
    char project[128];
    snprintf(project, sizeof(project), "%s/repo", world.base);
    mkdir(project, 0755);
    world_run_ok(&world, (const char *const[]){"sh", script, project, NULL});
    BELLJAR_OK(&world, "run", "-d", "-n", "g", "--project", project, "--", "sh", "-c",
               "git log --oneline | cat; git status --short; cat f; "
               "find .git/objects -type f -links +1 | wc -l; echo done");
    WAIT_FOR(world_shows(&world, "g", "done"));
    ck_assert_msg(world_shows(&world, "g", "first\none\n0\ndone"), "%s",
                  world_capture(&world, "g"));
}
END_TEST

/* What `run` says of the project that an agent gets. */
static char said[1000];
static const char *project_of(const char *name, const char *option, const char *value)
{
    struct result result;
    BELLJAR(&world, &result, "run", "-d", "-n", name, "--agent", "shell", option, value);
    ck_assert_msg(result.code == 0, "%s", result.err);
    snprintf(said, sizeof(said), "%s", result.err);
    result_free(&result);
    return world_field(&world, name, "project");
}

/* An agent that is run in a repository works on it, and what its copy lacks is said. */
START_TEST(the_project_is_where_one_is)
{
    char repository[128], sub[140], dot[140];
    snprintf(repository, sizeof(repository), "%s/repo", world.base);
    ck_assert_int_eq(mkdir(repository, 0755), 0);
    human_repository(&world, repository);
    snprintf(sub, sizeof(sub), "%s/sub", repository);
    ck_assert_int_eq(chdir(sub), 0);
    ck_assert_str_eq(project_of("one", NULL, NULL), repository);
    ck_assert_ptr_nonnull(strstr(said, "it works on a copy of "));
    ck_assert_ptr_null(strstr(said, "uncommitted"));
    world_file(&world, "repo/new", "new", 0644);
    world_file(&world, "repo/sub/c", "two", 0644);
    ck_assert_str_eq(project_of("two", "--project", repository), repository);
    ck_assert_ptr_nonnull(strstr(said, "2 uncommitted changes of "));
    ck_assert_str_eq(project_of("three", "--project", "."), sub);
    ck_assert_ptr_nonnull(strstr(said, "is without history: --project "));
    ck_assert_str_eq(project_of("four", "--no-project", NULL), "");
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_str_eq(project_of("five", NULL, NULL), "");
    ck_assert_ptr_nonnull(strstr(said, "no repository here"));
    /* The home directory is nobody's project because it is kept in git. */
    snprintf(dot, sizeof(dot), "%s/.git", world.home);
    ck_assert_int_eq(mkdir(dot, 0700), 0);
    ck_assert_int_eq(chdir(world.home), 0);
    ck_assert_str_eq(project_of("six", NULL, NULL), "");
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(environment_of_the_agent)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "e", "-e", "CHOSEN=by me", "--rows", "33", "--cols", "99",
               "--", "sh", "-c", "echo $CHOSEN $HOME $(pwd) $(id -un); stty size; env | wc -l");
    WAIT_FOR(world_state_is(&world, "e", "exited"));
    ck_assert_msg(world_shows(&world, "e", "by me /home/agent /work agent\n33 99"), "%s",
                  world_capture(&world, "e"));
}
END_TEST

START_TEST(wrong_usage)
{
    FAILS(2, "--json", "ls", "--jsno"); /* names what was meant */
    FAILS(2, "unknown", "ls", "--quite-unknown");
    FAILS(2, "nosuch", "nosuch-command");
    FAILS(2, "kill", "kill");
    FAILS(2, "capture", "capture");
    FAILS(2, "pids", "run", "-d", "--pids", "many", "--", "true");
    FAILS(2, "memory", "run", "-d", "--memory", "12q", "--", "true");
    FAILS(2, "name", "run", "-d", "--name");
}
END_TEST

START_TEST(help_is_no_error)
{
    static const char *const commands[] = {"run", "ls", "capture", "kill", "requests", "doctor"};
    struct result result;
    BELLJAR(&world, &result, "--help");
    ck_assert_int_eq(result.code, 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        ck_assert_ptr_nonnull(strstr(result.out, commands[i]));
    result_free(&result);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        BELLJAR(&world, &result, commands[i], "--help");
        ck_assert_int_eq(result.code, 0);
        ck_assert_ptr_nonnull(strstr(result.out, commands[i]));
        result_free(&result);
    }
    ck_assert_int_eq(world_server(&world), 0); /* help starts nothing */
}
END_TEST

START_TEST(missing_program)
{
    struct result result;
    BELLJAR(&world, &result, "run", "-d", "-n", "m", "--", "no-such-program-here");
    if (result.code == 0) {
        result_free(&result);
        BELLJAR(&world, &result, "wait", "m", "--timeout", "60s");
    }
    ck_assert_int_ne(result.code, 0);
    ck_assert_msg(strstr(result.err, "no-such-program-here") != NULL, "%s", result.err);
    result_free(&result);
    FAILS(1, "/no/such/project", "run", "-d", "--project", "/no/such/project", "--", "true");
}
END_TEST

START_TEST(bad_names)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "taken", "--", "sleep", "1000");
    FAILS(1, "taken", "run", "-d", "-n", "taken", "--", "true");
    FAILS(1, "name", "run", "-d", "-n", "a b", "--", "true");
    FAILS(1, "name", "run", "-d", "-n", "../x", "--", "true");
    FAILS(1, "name", "run", "-d", "-n", "x\n", "--", "true");
    FAILS(1, "name", "run", "-d", "-n", "0123456789012345678901234567890123", "--", "true");
    FAILS(1, "nosuch", "kill", "nosuch");
    FAILS(1, "nosuch", "capture", "nosuch");
    FAILS(1, "nosuch", "send", "nosuch", "x");
    FAILS(1, "taken?", "capture", "takn"); /* names the near one */
    FAILS(1, "driver", "run", "-d", "--driver", "nosuch", "--", "true");
    ck_assert(world_state_is(&world, "taken", "running"));
}
END_TEST

START_TEST(no_bwrap)
{
    setenv("PATH", world.home, 1);
    FAILS(1, "bwrap", "run", "-d", "-n", "n", "--", "/bin/true");
}
END_TEST

START_TEST(no_user_namespaces)
{
    struct result result;
    static const char *const probe[] = {
        "unshare", "--user", "--map-user=1234", "--map-group=1234", "--keep-caps", "true", NULL};
    world_run(&world, &result, NULL, probe);
    bool possible = result.code == 0;
    result_free(&result);
    if (!possible) {
        puts("skipped: no user namespace can be made here in the first place");
        return;
    }
    /* In a user namespace whose own limit of further ones is 0. */
    const char *script =
        world_file(&world, "limit.sh",
                   "echo 0 > /proc/sys/user/max_user_namespaces || exit 90\n"
                   "setpriv --inh-caps=-all --ambient-caps=-all \"$1\" run -d -n n -- true; "
                   "code=$?\n\"$1\" server stop >/dev/null 2>&1\nexit $code\n",
                   0755);
    const char *const argv[] = {
        "unshare",     "--user", "--map-user=1234", "--map-group=1234", "--keep-caps", "sh", script,
        world.belljar, NULL};
    world_run(&world, &result, NULL, argv);
    ck_assert_msg(result.code == 1, "exit %d: %s", result.code, result.err);
    ck_assert_msg(strstr(result.err, "namespace") != NULL, "%s", result.err);
    result_free(&result);
    WAIT_FOR(world_server(&world) == 0);
}
END_TEST

START_TEST(runtime_directory_of_someone_else)
{
    if (geteuid() == 0) {
        ck_assert_int_eq(mkdir(world.runtime, 0700), 0);
        ck_assert_int_eq(chown(world.runtime, 12345, 12345), 0);
        FAILS(1, "12345", "ls");
        ck_assert_int_eq(chown(world.runtime, 0, 0), 0);
    } else {
        setenv("BELLJAR_RUNTIME_DIR", "/etc", 1);
        FAILS(1, "user 0", "ls");
        setenv("BELLJAR_RUNTIME_DIR", world.runtime, 1);
    }
}
END_TEST

START_TEST(runtime_directory_too_deep)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/%0150d", world.base, 1);
    setenv("BELLJAR_RUNTIME_DIR", path, 1);
    FAILS(1, "BELLJAR_RUNTIME_DIR", "ls");
}
END_TEST

/* The state directory is full: the agent goes on, the human is told, the screen is right. */
START_TEST(disk_full_while_recording)
{
    if (geteuid() != 0) {
        puts("skipped: only root can mount a small file system");
        return;
    }
    ck_assert_int_eq(mkdir(world.state, 0700), 0);
    world_run_ok(&world, (const char *const[]){"mount", "-t", "tmpfs", "-o", "size=4m,mode=0700",
                                               "small", world.state, NULL});
    BELLJAR_OK(&world, "run", "-d", "-n", "full", "--", "sh", "-c",
               "seq -f 'numbered line %.0f' 1000000; echo the end");
    WAIT_FOR(world_state_is(&world, "full", "exited"));
    bool right = world_shows(&world, "full", "numbered line 1000000\nthe end");
    int code = (int)world_number(&world, "full", "exit_code");
    struct result alerts, ls;
    BELLJAR(&world, &alerts, "alerts");
    BELLJAR_OK(&world, "kill", "full");
    BELLJAR(&world, &ls, "ls");
    BELLJAR_OK(&world, "server", "stop");
    WAIT_FOR(world_server(&world) == 0);
    world_run_ok(&world, (const char *const[]){"umount", world.state, NULL});
    ck_assert(right);
    ck_assert_int_eq(code, 0);
    ck_assert_msg(strstr(alerts.out, "record") || strstr(alerts.out, "disk"), "no alert: %s",
                  alerts.out);
    ck_assert_int_eq(ls.code, 0);
    result_free(&alerts);
    result_free(&ls);
}
END_TEST

/* Any msgpack-rpc client can drive Belljar: here Python with its msgpack module. */
START_TEST(foreign_client)
{
    struct result result;
    world_run(&world, &result, NULL,
              (const char *const[]){"/usr/bin/python3", "-c", "import msgpack", NULL});
    bool possible = result.code == 0;
    result_free(&result);
    if (!possible) {
        puts("skipped: /usr/bin/python3 has no msgpack module (Debian: python3-msgpack)");
        return;
    }
    BELLJAR_OK(&world, "run", "-d", "-n", "py", "--", "sleep", "1000");
    const char *script =
        world_file(&world, "client.py",
                   "import msgpack, socket, sys\n"
                   "s = socket.socket(socket.AF_UNIX)\n"
                   "s.settimeout(60)\n"
                   "s.connect(sys.argv[1])\n"
                   "unpacker = msgpack.Unpacker()\n"
                   "def call(id, method, params):\n"
                   "    s.sendall(msgpack.packb([0, id, method, params]))\n"
                   "    while True:\n"
                   "        for kind, *rest in unpacker:\n"
                   "            if kind == 1 and rest[0] == id:\n"
                   "                return rest[1], rest[2]\n"
                   "        data = s.recv(65536)\n"
                   "        assert data, 'connection closed'\n"
                   "        unpacker.feed(data)\n"
                   "error, info = call(1, 'api.info', [])\n"
                   "assert error is None\n"
                   "methods = {m['name']: m for m in info['methods']}\n"
                   "assert methods['sandbox.rename']['params'][0]['required'] is True\n"
                   "assert any(e['name'] == 'event.request' for e in info['events'])\n"
                   "error, list = call(2, 'sandbox.list', [{}])\n"
                   "assert error is None and [s['name'] for s in list] == ['py'], (error, list)\n"
                   "error, _ = call(3, 'sandbox.kill', [{'names': 'py'}])\n"
                   "assert error['code'] == -22 and 'names' in error['message'], error\n"
                   "error, _ = call(4, 'no.such', [{}])\n"
                   "assert error['code'] == -38, error\n"
                   "error, _ = call(5, 'sandbox.kill', [{'names': ['py']}])\n"
                   "assert error is None, error\n"
                   "print('driven')\n",
                   0644);
    char socket_path[128];
    snprintf(socket_path, sizeof(socket_path), "%s/server.sock", world.runtime);
    world_run(&world, &result, NULL,
              (const char *const[]){"/usr/bin/python3", script, socket_path, NULL});
    ck_assert_msg(strcmp(result.out, "driven\n") == 0, "%s%s", result.out, result.err);
    result_free(&result);
}
END_TEST

START_TEST(server_status_and_stop)
{
    struct result result;
    FAILS(1, "server", "server", "status");
    BELLJAR_OK(&world, "run", "-d", "-n", "s", "--", "sleep", "1000");
    BELLJAR(&world, &result, "server", "status", "--json");
    ck_assert_int_eq(result.code, 0);
    json_t *status = json_loads(result.out, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(status, "pid")), world_server(&world));
    ck_assert_int_eq(json_integer_value(json_object_get(status, "sandboxes")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(status, "clients")), 0);
    json_decref(status);
    result_free(&result);
    long long init = world_number(&world, "s", "init_pid");
    BELLJAR_OK(&world, "server", "stop"); /* agents go on */
    WAIT_FOR(world_server(&world) == 0);
    ck_assert(world_alive((pid_t)init));
    ck_assert(world_state_is(&world, "s", "running"));
    ck_assert_int_eq(world_number(&world, "s", "init_pid"), init);
    BELLJAR_OK(&world, "server", "stop", "--kill");
    WAIT_FOR(!world_alive((pid_t)init));
}
END_TEST

#define PROFILES   "home/.config/belljar/profiles/"
#define ASKS(HOOK) "{\"hooks\": \"/belljar/bin/belljar-shim ask --dialect " HOOK "\"}\n"

static void add_profile(const char *name, const char *rest, const char *hooks)
{
    char path[128], text[512];
    snprintf(path, sizeof(path), PROFILES "%s.conf", name);
    snprintf(text, sizeof(text), "summary = \"agent %s\"\n%s\n", name, rest);
    world_file(&world, path, text, 0600);
    if (!hooks)
        return;
    snprintf(path, sizeof(path), PROFILES "%s.json", name);
    world_file(&world, path, hooks, 0600);
}

static const char *finding(const char *out, const char *agent)
{
    static char line[600];
    const char *at = strstr(out, agent);
    ck_assert_msg(at != NULL, "%s is not in %s", agent, out);
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

/* An agent that the host does not have, at its first start and no more; or it says why not. */
START_TEST(an_agent_is_installed_inside)
{
    struct result result;
    add_profile(
        "own",
        "search = \"path:no-such-agent\"\ncommand = [\"{program}\", --first]\n"
        "resume = --again\ninside_program = \".own/agent\"\n"
        "inside_install = \"mkdir .own; cd ~ && echo once >>log && mkdir .own && cp /bin/echo "
        ".own/agent\"",
        NULL);
    add_profile("broken",
                "search = \"path:no-such-agent\"\ncommand = \"{program}\"\n"
                "inside_program = \".own/agent\"\ninside_install = \"echo no way; exit 7\"",
                NULL);
    BELLJAR(&world, &result, "doctor");
    ck_assert_ptr_nonnull(strstr(finding(result.out, "agent own "),
                                 "installed in each sandbox at its first start: mkdir"));
    result_free(&result);
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--agent", "own", "--", "hello");
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    ck_assert(world_shows(&world, "one", "this host has no own: it is installed in this sandbox"));
    ck_assert(world_shows(&world, "one", "--first hello"));
    BELLJAR_OK(&world, "restart", "one");
    WAIT_FOR(world_shows(&world, "one", "--first --again hello"));
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    BELLJAR_OK(&world, "run", "-d", "-n", "two", "--like", "one");
    WAIT_FOR(world_shows(&world, "two", "it is installed in this sandbox"));
    char log[512];
    snprintf(log, sizeof(log), "%s/%s/home/log", world.state, world_field(&world, "one", "id"));
    ck_assert_str_eq(world_read(log), "once\n");
    BELLJAR_OK(&world, "run", "-d", "-n", "three", "--agent", "broken");
    BELLJAR(&world, &result, "wait", "three");
    ck_assert_int_eq(result.code, 7);
    result_free(&result);
    ck_assert(world_shows(&world, "three", "no way"));
}
END_TEST

/* Whether an agent's hooks reach the policy is tried, whatever its files say. */
START_TEST(doctor_tries_hooks)
{
    static const struct {
        const char *name, *rest, *hooks, *found;
    } profiles[] = {
        {"asking", "command = [sh]\nfiles { \"/etc/mine/hooks.json\" = \"asking.json\" }",
         ASKS("claude"), "its hooks are answered"},
        {"talking", "command = [sh]\nfiles { \"/etc/mine/hooks.json\" = \"talking.json\" }",
         ASKS("martian"), "nobody would be asked: a question of its hooks was not answered"},
        {"open", "command = [sh]\nhome { \"hooks.json\" = \"open.json\" }", ASKS("claude"),
         "nobody would be asked: a file with its hooks can be changed from inside"},
        {"plain", "command = [sh]\nkeys = [C-b]", NULL, "agent plain"},
        {"missing", "search = [\"path:no-such-agent\"]\ncommand = [\"{program}\"]", NULL,
         "would not start"},
    };
    struct result result;
    BELLJAR_OK(&world, "run", "-d", "-n", "other", "--", "sleep", "1000");
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
        add_profile(profiles[i].name, profiles[i].rest, profiles[i].hooks);
    world_file(&world, "home/.config/belljar/belljar.conf", "preset = tmux\n", 0600);
    BELLJAR(&world, &result, "doctor");
    ck_assert_msg(result.code == 0, "%s%s", result.out, result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "-> your prefix C-b is a key of its own"));
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        char agent[40];
        snprintf(agent, sizeof(agent), "agent %s ", profiles[i].name);
        const char *line = finding(result.out, agent);
        ck_assert_msg(strstr(line, profiles[i].found) != NULL, "%s: %s", profiles[i].name, line);
    }
    ck_assert_ptr_null(strstr(finding(result.out, "agent plain "), "hooks"));
    result_free(&result);
    /* Nothing is left of it, nobody was asked, and others are untouched. */
    BELLJAR(&world, &result, "ls", "--json");
    json_t *list = json_loads(result.out, 0, NULL);
    ck_assert_uint_eq(json_array_size(list), 1);
    json_decref(list);
    result_free(&result);
    pid_t server = world_server(&world);
    long long monitor = world_number(&world, "other", "monitor_pid");
    BELLJAR_OK(&world, "server", "stop");
    BELLJAR_OK(&world, "ls");
    WAIT_FOR(world_server(&world) > 0 && world_server(&world) != server);
    WAIT_FOR(world_state_is(&world, "other", "running"));
    ck_assert_int_eq(world_number(&world, "other", "monitor_pid"), monitor);
    /* What runs instead has what the agent would have, also after a restart. */
    BELLJAR_OK(&world, "run", "-d", "-n", "looks", "--agent", "asking", "--instead", "--", "sh",
               "-c", "cat /etc/mine/hooks.json; exit 7");
    for (int round = 0; round < 2; round++) {
        BELLJAR(&world, &result, "wait", "looks");
        ck_assert_int_eq(result.code, 7);
        result_free(&result);
        WAIT_FOR(world_shows(&world, "looks", "--dialect claude"));
        if (round == 0)
            BELLJAR_OK(&world, "restart", "looks");
    }
    BELLJAR(&world, &result, "run", "-d", "--instead", "--", "sh");
    ck_assert_int_eq(result.code, 2);
    result_free(&result);
}
END_TEST

START_TEST(doctor)
{
    struct result result;
    BELLJAR(&world, &result, "doctor");
    ck_assert_msg(result.code == 0, "%s%s", result.out, result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "bwrap"));
    result_free(&result);
    BELLJAR(&world, &result, "doctor", "--json");
    json_t *report = json_loads(result.out, 0, NULL);
    ck_assert_ptr_nonnull(report);
    json_decref(report);
    result_free(&result);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli");
    TCase *use = tcase_create("use");
    tcase_add_checked_fixture(use, setup, teardown);
    tcase_set_timeout(use, 300);
    tcase_add_test(use, run_wait_capture);
    tcase_add_test(use, the_project_is_where_one_is);
    tcase_add_test(use, exit_by_signal);
    tcase_add_test(use, names_are_made_up_and_kept);
    tcase_add_test(use, send_reaches_the_agent);
    tcase_add_test(use, send_interrupts);
    tcase_add_test(use, pause_and_resume);
    tcase_add_test(use, kill_then_remove);
    tcase_add_test(use, project_is_a_copy);
    tcase_add_test(use, project_of_git_is_a_clone);
    tcase_add_test(use, environment_of_the_agent);
    tcase_add_test(use, foreign_client);
    tcase_add_test(use, server_status_and_stop);
    tcase_add_test(use, doctor);
    tcase_add_test(use, an_agent_is_installed_inside);
    tcase_add_test(use, doctor_tries_hooks);
    suite_add_tcase(suite, use);
    TCase *bad = tcase_create("bad input");
    tcase_add_checked_fixture(bad, setup, teardown);
    tcase_set_timeout(bad, 300);
    tcase_add_test(bad, wrong_usage);
    tcase_add_test(bad, help_is_no_error);
    tcase_add_test(bad, missing_program);
    tcase_add_test(bad, bad_names);
    tcase_add_test(bad, no_bwrap);
    tcase_add_test(bad, no_user_namespaces);
    tcase_add_test(bad, runtime_directory_of_someone_else);
    tcase_add_test(bad, runtime_directory_too_deep);
    tcase_add_test(bad, disk_full_while_recording);
    suite_add_tcase(suite, bad);
    return world_main(suite);
}
