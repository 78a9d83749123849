/*
 * The server as a process, with the real bwrap and the real shim behind it. The monitor is the
 * stand-in of monitor_double.c: what it does with the terminal is not the server's business.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mux/driver/driver.h"
#include "mux/resource/process.h"
#include "tests/unit/server/suite.h"
#include "transport/pack.h"
#include "transport/socket.h"

static char directory[SUITE_PATH_MAX];
static char socket_path[SUITE_PATH_MAX + 32];
static pid_t server;

/* --- a client that waits --- */

struct answer {
    msgpack_unpacked message;
    msgpack_unpacker unpacker;
    const msgpack_object *error, *result; /* one of them is NULL */
};

static void answer_free(struct answer *answer)
{
    msgpack_unpacked_destroy(&answer->message);
    msgpack_unpacker_destroy(&answer->unpacker);
}

static void send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = write(fd, data, size);
        ck_assert_int_gt((int)sent, 0);
        data += sent;
        size -= (size_t)sent;
    }
}

static int dial(void)
{
    int fd = bj_socket_connect(socket_path, NULL);
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

/* Fields are pairs of name and text; a text "[a b" is a list of words, "#7" a number, "!" true. */
static void pack_field(msgpack_packer *packer, const char *value)
{
    char copy[512];
    char *rest = NULL;
    size_t count = 0;
    snprintf(copy, sizeof(copy), "%s", value + (*value != '\0'));
    if (*value == '#') {
        msgpack_pack_uint64(packer, strtoull(copy, NULL, 10));
    } else if (*value == '!') {
        msgpack_pack_true(packer);
    } else if (*value == '[') {
        for (const char *at = copy; *at; at++)
            count += *at == '|';
        msgpack_pack_array(packer, count + 1);
        for (char *word = strtok_r(copy, "|", &rest); word; word = strtok_r(NULL, "|", &rest))
            bj_pack_str(packer, word);
    } else {
        bj_pack_str(packer, value);
    }
}

static struct answer call(const char *method, ...)
{
    const char *words[32];
    size_t count = 0;
    va_list args;
    va_start(args, method);
    while ((words[count] = va_arg(args, const char *)))
        count++;
    va_end(args);

    struct answer answer = {0};
    msgpack_sbuffer out;
    msgpack_packer packer;
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
    msgpack_pack_array(&packer, 4);
    msgpack_pack_int(&packer, 0);
    msgpack_pack_int(&packer, 1);
    bj_pack_str(&packer, method);
    msgpack_pack_array(&packer, 1);
    msgpack_pack_map(&packer, count / 2);
    for (size_t i = 0; i < count; i += 2) {
        bj_pack_str(&packer, words[i]);
        pack_field(&packer, words[i + 1]);
    }
    int fd = dial();
    ck_assert_int_ge(fd, 0);
    send_all(fd, out.data, out.size);
    msgpack_sbuffer_destroy(&out);

    msgpack_unpacked_init(&answer.message);
    ck_assert(msgpack_unpacker_init(&answer.unpacker, 65536));
    while (msgpack_unpacker_next(&answer.unpacker, &answer.message) != MSGPACK_UNPACK_SUCCESS) {
        ck_assert(msgpack_unpacker_reserve_buffer(&answer.unpacker, 65536));
        ssize_t size = read(fd, msgpack_unpacker_buffer(&answer.unpacker), 65536);
        ck_assert_int_gt((int)size, 0);
        msgpack_unpacker_buffer_consumed(&answer.unpacker, (size_t)size);
    }
    close(fd);
    const msgpack_object *items = answer.message.data.via.array.ptr;
    answer.error = items[2].type == MSGPACK_OBJECT_NIL ? NULL : &items[2];
    answer.result = answer.error ? NULL : &items[3];
    return answer;
}

/* The call fails with a sentence that contains `words`. */
static void refused(struct answer answer, const char *words)
{
    char text[BJ_ERROR_TEXT_MAX];
    ck_assert_ptr_nonnull(answer.error);
    bj_get_copy(answer.error, "message", text, sizeof(text));
    ck_assert_msg(strstr(text, words) != NULL, "\"%s\" does not say \"%s\"", text, words);
    answer_free(&answer);
}

static void done(struct answer answer)
{
    char text[BJ_ERROR_TEXT_MAX] = "";
    if (answer.error)
        bj_get_copy(answer.error, "message", text, sizeof(text));
    ck_assert_msg(!answer.error, "%s", text);
    answer_free(&answer);
}

/* What the server says of the one sandbox there is. */
struct state {
    char id[16], name[40], state[16], link[8], cgroup[512];
    pid_t init, monitor;
    int64_t exit_code;
    uint64_t alerts;
};

static bool look(struct state *state)
{
    struct answer answer = call("sandbox.list", NULL);
    ck_assert_ptr_nonnull(answer.result);
    bool one = answer.result->via.array.size == 1;
    *state = (struct state){.exit_code = -1};
    if (one) {
        const msgpack_object *map = answer.result->via.array.ptr;
        bj_get_copy(map, "id", state->id, sizeof(state->id));
        bj_get_copy(map, "name", state->name, sizeof(state->name));
        bj_get_copy(map, "state", state->state, sizeof(state->state));
        bj_get_copy(map, "link", state->link, sizeof(state->link));
        bj_get_copy(map, "cgroup", state->cgroup, sizeof(state->cgroup));
        state->init = (pid_t)bj_get_uint(map, "init_pid", 0);
        state->monitor = (pid_t)bj_get_uint(map, "monitor_pid", 0);
        state->exit_code = bj_get_int(map, "exit_code", -1);
        state->alerts = bj_get_uint(map, "alerts", 0);
    }
    answer_free(&answer);
    return one;
}

static bool is_state(void *argument)
{
    struct state state;
    return look(&state) && strcmp(state.state, argument) == 0;
}

static bool link_is_up(void *argument)
{
    struct state state;
    return look(&state) && strcmp(state.link, "up") == 0 && strcmp(state.state, "running") == 0;
}

/* --- the server --- */

static bool serves(void *argument)
{
    int fd = dial();
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void start_server(void)
{
    server = fork();
    ck_assert_int_ge(server, 0);
    if (server == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        execl(BELLJAR_SERVER, "belljar-server", "--foreground", NULL);
        _exit(127);
    }
    suite_wait(serves);
}

static void set_path(const char *variable, const char *name)
{
    char path[SUITE_PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    setenv(variable, path, 1);
}

static void setup(void)
{
    char from[SUITE_PATH_MAX + 32];
    suite_directory(directory);
    set_path("BELLJAR_RUNTIME_DIR", "run");
    set_path("BELLJAR_STATE_DIR", "state");
    set_path("BELLJAR_LIBEXEC_DIR", "programs");
    snprintf(from, sizeof(from), "%s/programs/belljar-shim", directory);
    ck_assert_int_eq(symlink(BELLJAR_SHIM, from), 0);
    snprintf(from, sizeof(from), "%s/programs/belljar-monitor", directory);
    ck_assert_int_eq(symlink(MONITOR_DOUBLE, from), 0);
    snprintf(socket_path, sizeof(socket_path), "%s/run/server.sock", directory);
    start_server();
}

static void teardown(void)
{
    int status;
    done(call("server.stop", "kill", "!", NULL));
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    suite_remove(directory);
}

static bool gone(pid_t pid)
{
    char state = process_state(pid);
    return !state || state == 'Z';
}

/* Called one, and its link is up. */
static void start_one(struct state *state)
{
    done(call("sandbox.run", "argv", "[sleep|1000", "name", "one", NULL));
    suite_wait(link_is_up);
    look(state);
}

START_TEST(run_kill_remove)
{
    struct state state, after;
    char path[SUITE_PATH_MAX + 64];
    start_one(&state);
    ck_assert_str_eq(state.name, "one");
    ck_assert_int_eq(process_inner_pid(state.init), 1);
    ck_assert(!gone(state.monitor));
    refused(call("sandbox.remove", "names", "[one", NULL), "kill");
    done(call("sandbox.pause", "names", "[one", NULL));
    ck_assert(is_state("paused"));
    done(call("sandbox.resume", "names", "[one", NULL));
    ck_assert(is_state("running"));
    done(call("sandbox.kill", "names", "[one", NULL));
    ck_assert(gone(state.init));
    ck_assert(gone(state.monitor));
    ck_assert(look(&after));
    ck_assert_str_eq(after.state, "exited");
    snprintf(path, sizeof(path), "%s/run/%s", directory, state.id);
    ck_assert_int_eq(access(path, F_OK), -1);
    if (state.cgroup[0])
        ck_assert_int_eq(access(state.cgroup, F_OK), -1);
    refused(call("sandbox.pause", "names", "[one", NULL), "exited");
    done(call("sandbox.remove", "names", "[one", NULL));
    snprintf(path, sizeof(path), "%s/state/%s", directory, state.id);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert(!look(&after));
}
END_TEST

START_TEST(the_end_is_told)
{
    struct state state;
    done(call("sandbox.run", "argv", "[sh|-c|exit 3", NULL));
    suite_wait_for(is_state, "exited");
    look(&state);
    ck_assert_str_eq(state.name, "sh-1");
    ck_assert_int_eq((int)state.exit_code, 3);
}
END_TEST

START_TEST(a_fork_bomb_ends)
{
    struct state state;
    /* Not a shell: one whose fork fails for the limit gives up, and the bomb with it. */
    done(call("sandbox.run", "argv",
              "[perl|-e|$SIG{$_} = 'IGNORE' for qw(TERM HUP INT); fork while 1", "pids", "#60",
              "name", "bomb", NULL));
    suite_wait(link_is_up);
    look(&state);
    done(call("sandbox.pause", "names", "[bomb", NULL));
    done(call("sandbox.kill", "names", "[bomb", NULL));
    ck_assert(gone(state.init));
}
END_TEST

/* What is being removed is neither started again nor removed twice. */
START_TEST(a_removal_is_waited_for)
{
    struct state state;
    char path[4096], wrapper[SUITE_PATH_MAX + 16];
    start_one(&state);
    done(call("sandbox.kill", "names", "[one", NULL));
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    snprintf(wrapper, sizeof(wrapper), "%s/rm", directory);
    int fd = open(wrapper, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    ck_assert_int_gt(dprintf(fd, "#!/bin/sh\n/bin/rm \"$@\"; sleep 1\n"), 0);
    close(fd);
    snprintf(path, sizeof(path), "%s:%s", directory, getenv("PATH"));
    setenv("PATH", path, 1);
    start_server();
    pid_t removers[2];
    for (int i = 0; i < 2; i++) {
        removers[i] = fork();
        if (removers[i] == 0) {
            done(call("sandbox.remove", "names", "[one", NULL));
            _exit(0);
        }
    }
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    refused(call("sandbox.restart", "name", "one", NULL), "is being removed");
    for (int i = 0; i < 2; i++) {
        int status;
        waitpid(removers[i], &status, 0);
        ck_assert_int_eq(status, 0);
    }
    ck_assert(!look(&state));
}
END_TEST

static bool monitor_restarted(void *argument)
{
    struct state state;
    return look(&state) && state.monitor > 0 && state.monitor != *(pid_t *)argument &&
           strcmp(state.link, "up") == 0;
}

START_TEST(killed_server_finds_it_again)
{
    struct state before, after;
    start_one(&before);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    start_server();
    suite_wait(link_is_up);
    look(&after);
    ck_assert_str_eq(after.id, before.id);
    ck_assert_int_eq(after.init, before.init);
    ck_assert_int_eq(after.monitor, before.monitor);
    /* Server and monitor both dead: another monitor is started. */
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    kill(before.monitor, SIGKILL);
    start_server();
    suite_wait_for(monitor_restarted, &before.monitor);
    look(&after);
    ck_assert_int_eq(after.init, before.init);
}
END_TEST

START_TEST(killed_monitor_is_replaced)
{
    struct state before, after;
    start_one(&before);
    kill(before.monitor, SIGKILL);
    suite_wait_for(monitor_restarted, &before.monitor);
    look(&after);
    ck_assert_int_eq(after.init, before.init);
    ck_assert_uint_ge(after.alerts, 1);
}
END_TEST

static bool has_alerts(void *argument)
{
    struct state state;
    return look(&state) && state.alerts >= *(uint64_t *)argument;
}

START_TEST(a_missing_monitor_is_tried_again)
{
    struct state before, after;
    char path[SUITE_PATH_MAX + 64];
    start_one(&before);
    snprintf(path, sizeof(path), "%s/programs/belljar-monitor", directory);
    ck_assert_int_eq(unlink(path), 0);
    kill(before.monitor, SIGKILL);
    uint64_t both = before.alerts + 2; /* that it is restarted, and that it cannot be */
    suite_wait_for(has_alerts, &both);
    ck_assert_int_eq(symlink(MONITOR_DOUBLE, path), 0);
    suite_wait_for(monitor_restarted, &before.monitor);
    look(&after);
    ck_assert_int_eq(after.init, before.init);
}
END_TEST

START_TEST(killed_init_is_noticed)
{
    struct state state;
    start_one(&state);
    kill(state.init, SIGKILL);
    suite_wait_for(is_state, "exited");
}
END_TEST

static char request_id[64];

static bool has_request(void *argument)
{
    struct answer answer = call("request.list", NULL);
    bool one = answer.result->via.array.size == 1;
    if (one)
        bj_get_copy(answer.result->via.array.ptr, "id", request_id, sizeof(request_id));
    answer_free(&answer);
    return one;
}

static bool resolves(void *argument)
{
    struct answer answer = call("request.resolve", "id", request_id, "answer", "allow", NULL);
    bool taken = !answer.error;
    answer_free(&answer);
    return taken;
}

START_TEST(a_request_is_answered_once)
{
    struct state state;
    done(call("sandbox.run", "argv", "[belljar-shim|ask|--kind|exec|--title|make?", NULL));
    suite_wait(has_request);
    ck_assert(is_state("waiting"));
    refused(call("request.resolve", "id", request_id, "answer", "allow", NULL), "300 ms");
    refused(call("request.resolve", "id", "r99-0000", "answer", "allow", NULL), "no request");
    suite_wait(resolves);
    refused(call("request.resolve", "id", request_id, "answer", "deny", NULL), "already");
    suite_wait_for(is_state, "exited");
    look(&state);
    ck_assert_int_eq((int)state.exit_code, 0);
}
END_TEST

START_TEST(what_cannot_be_is_said)
{
    struct state state;
    char path[SUITE_PATH_MAX + 64];
    done(call("sandbox.run", "argv", "[sleep|1000", "name", "one", NULL));
    refused(call("sandbox.run", "argv", "[true", "name", "one", NULL), "taken");
    refused(call("sandbox.run", "argv", "[true", "name", "-x", NULL), "begin with");
    refused(call("sandbox.run", "argv", "[true", "driver", "magic", NULL), "driver");
    refused(call("sandbox.run", "argv", "[true", "project", "/nonexistent", NULL), "project");
    refused(call("sandbox.run", "argv", "[true", "env", "[no", NULL), "NAME=VALUE");
    refused(call("sandbox.kill", "names", "[two", NULL), "two");
    refused(call("sandbox.kill", NULL), "all");
    refused(call("session.save", "name", "main", "layout", "spiral", NULL), "layout");
    ck_assert(look(&state)); /* what failed has left nothing */
    done(call("sandbox.kill", "all", "!", NULL));
    snprintf(path, sizeof(path), "%s/programs/belljar-monitor", directory);
    ck_assert_int_eq(unlink(path), 0);
    refused(call("sandbox.run", "argv", "[true", NULL), "belljar-monitor");
    ck_assert(look(&state));
}
END_TEST

START_TEST(a_second_server_goes_away)
{
    int status;
    pid_t second = fork();
    if (second == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 2);
        execl(BELLJAR_SERVER, "belljar-server", "--foreground", NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(second, &status, 0), second);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert(serves(NULL));
}
END_TEST

static bool copied(void *argument)
{
    return access(argument, F_OK) == 0;
}

START_TEST(a_project_is_copied)
{
    char path[SUITE_PATH_MAX + 64], command[SUITE_PATH_MAX + 128];
    struct state state;
    snprintf(path, sizeof(path), "%s/plain", directory);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    snprintf(command, sizeof(command), "%s/plain/file", directory);
    close(open(command, O_CREAT | O_WRONLY, 0644));
    done(call("sandbox.run", "argv", "[sh|-c|touch new; test -f file && sleep 1000", "project",
              path, NULL));
    suite_wait(link_is_up);
    look(&state);
    snprintf(command, sizeof(command), "%s/state/%s/project/new", directory, state.id);
    suite_wait_for(copied, command);
    snprintf(command, sizeof(command), "%s/plain/new", directory);
    ck_assert_int_eq(access(command, F_OK), -1); /* the original is untouched */
}
END_TEST

START_TEST(a_client_that_does_not_read_delays_nobody)
{
    static const char subscribe[] = "\x94\x00\x01\xb0"
                                    "events.subscribe"
                                    "\x91\x80";
    int slow = dial();
    send_all(slow, subscribe, sizeof(subscribe) - 1);
    done(call("sandbox.run", "argv", "[sleep|1000", "name", "n0", NULL));
    for (int i = 0; i < 200; i++) {
        char from[16], to[16];
        snprintf(from, sizeof(from), "n%d", i);
        snprintf(to, sizeof(to), "n%d", i + 1);
        done(call("sandbox.rename", "name", from, "new_name", to, NULL));
    }
    done(call("sandbox.kill", "names", "[n200", NULL));
    close(slow);
}
END_TEST

int main(void)
{
    struct bj_error error;
    if (drivers[0]->check(&error) < 0) {
        printf("skipped: %s\n", error.text);
        return 77;
    }
    const TTest *const cases[] = {run_kill_remove,
                                  the_end_is_told,
                                  a_fork_bomb_ends,
                                  a_removal_is_waited_for,
                                  killed_server_finds_it_again,
                                  killed_monitor_is_replaced,
                                  a_missing_monitor_is_tried_again,
                                  killed_init_is_noticed,
                                  a_request_is_answered_once,
                                  what_cannot_be_is_said,
                                  a_second_server_goes_away,
                                  a_project_is_copied,
                                  a_client_that_does_not_read_delays_nobody,
                                  NULL};
    return suite_run_with("server", cases, setup, teardown);
}
