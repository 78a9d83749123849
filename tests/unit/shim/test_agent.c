/* The agent: start, output, input, size, signals, end. As an ordinary process and as pid 1. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/unit/shim/double.h"
#include "tests/unit/transport/suite.h"

static struct double_monitor monitor;

/* Loop tests: 0 as an ordinary process, 1 as pid 1. */
#define WALL(index) ((index) == 1)

static const struct {
    const char *script;
    const char *output;
    int code, signal, exit;
} ends[] = {
    {"echo hello; exit 7", "hello\r\n", 7, 0, 7},
    {"echo hello", "hello\r\n", 0, 0, 0},
    {"echo dying; kill -9 $$", "dying\r\n", 0, 9, 137},
    {"printf '%s %s\\n' \"$(umask)\" \"$(stty size)\"", "0022 24 80\r\n", 0, 0, 0},
    /* nothing of the shim is inherited: no descriptor, no signal state */
    {"echo $(ls /proc/self/fd)", "0 1 2 3\r\n", 0, 0, 0},
    {"grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -dc 1-9; echo none", "none\r\n", 0, 0, 0},
    {"test $$ = $(cut -d' ' -f6 /proc/self/stat) && tty | grep -o /dev/pts", "/dev/pts", 0, 0, 0},
    /* an agent that closes its terminal and opens it again */
    {"exec <&- >&- 2>&-; sleep 0.2; exec >/dev/tty; echo back", "back\r\n", 0, 0, 0},
    {"stty -echo; echo last; exit 5", "last\r\n", 5, 0, 5},
};
#define ENDS (int)(sizeof(ends) / sizeof(ends[0]))

START_TEST(test_end)
{
    int row = _i % ENDS;
    struct bj_message message;
    double_start_shell(&monitor, WALL(_i / ENDS), ends[row].script);
    double_connect(&monitor);
    double_expect_output(&monitor, ends[row].output);
    int code = double_finish(&monitor, &message);
    ck_assert_uint_eq(message.field[BJ_EXITED_CODE].u, ends[row].code);
    ck_assert_uint_eq(message.field[BJ_EXITED_SIGNAL].u, ends[row].signal);
    ck_assert_uint_eq(message.field[BJ_EXITED_ERROR].size, 0);
    ck_assert_int_eq(code, ends[row].exit);
    double_end(&monitor);
}
END_TEST

START_TEST(test_cannot_run)
{
    static const struct {
        const char *program;
        int code;
        const char *text;
    } rows[] = {
        {"/no/such/program", 127, "/no/such/program: cannot run it: No such file or directory"},
        {"/etc/passwd", 126, "/etc/passwd: cannot run it: Permission denied"},
        {"no-such-program-in-path", 127, "No such file"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bj_message message;
        double_start(&monitor, WALL(_i), (const char *const[]){rows[i].program, NULL});
        double_connect(&monitor);
        int code = double_finish(&monitor, &message);
        const struct bj_field *text = &message.field[BJ_EXITED_ERROR];
        ck_assert_uint_eq(message.field[BJ_EXITED_CODE].u, rows[i].code);
        ck_assert_ptr_nonnull(memmem(text->data, text->size, rows[i].text, strlen(rows[i].text)));
        ck_assert_int_eq(code, rows[i].code);
        double_end(&monitor);
    }
}
END_TEST

START_TEST(test_started_before_output)
{
    struct bj_message message;
    double_start_shell(&monitor, WALL(_i), "read x; echo \"got $x\"");
    double_connect(&monitor);
    do
        ck_assert(double_next(&monitor, &message));
    while (message.type == BJ_CREDIT);
    ck_assert_int_eq(message.type, BJ_STARTED);
    ck_assert_uint_gt(message.field[BJ_STARTED_PID].u, 1);
    double_send_input(&monitor, "yes\n", 4);
    double_expect_output(&monitor, "got yes\r\n");
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

START_TEST(test_size)
{
    struct bj_message message;
    double_start_shell(&monitor, WALL(_i),
                       "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done");
    double_connect(&monitor);
    double_expect_output(&monitor, "ready");
    double_send_uints(&monitor, BJ_SIZE, 0, 2, (const uint64_t[]){0, 0}); /* no size: ignored */
    double_send_uints(&monitor, BJ_SIZE, 0, 2, (const uint64_t[]){33, 101});
    double_expect_output(&monitor, "33 101\r\n");
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

/* --nproc is the agent's limit, and no core is dumped. */
START_TEST(test_limits)
{
    struct bj_message message;
    double_options = (const char *const[]){"--nproc", "77", NULL};
    double_start_shell(&monitor, WALL(_i),
                       "grep -E 'Max (processes|core)' /proc/self/limits | tr -s ' '");
    double_connect(&monitor);
    double_expect_output(&monitor,
                         "Max core file size 0 0 bytes \r\nMax processes 77 77 processes");
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

START_TEST(test_signal)
{
    struct bj_message message;
    double_start_shell(&monitor, WALL(_i),
                       "trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 0.05; done");
    double_connect(&monitor);
    double_expect_output(&monitor, "ready");
    double_send_uints(&monitor, BJ_SIGNAL, 0, 1, (const uint64_t[]){0});
    double_send_uints(&monitor, BJ_SIGNAL, 0, 1, (const uint64_t[]){SIGINT});
    double_expect_output(&monitor, "caught");
    ck_assert_int_eq(double_finish(&monitor, &message), 3);
    double_end(&monitor);
}
END_TEST

START_TEST(test_shutdown)
{
    double_start_shell(&monitor, WALL(_i),
                       "trap '' TERM HUP INT; echo ready; while :; do sleep 1; done");
    double_connect(&monitor);
    double_expect_output(&monitor, "ready");
    double_send_uints(&monitor, BJ_SHUTDOWN, 0, 0, NULL);
    ck_assert_int_eq(double_wait(monitor.shim), 137);
    monitor.shim = 0;
    double_end(&monitor);
}
END_TEST

/* The agent's processes keep the terminal: its end is still reported, and is the end of them. */
START_TEST(test_left_behind)
{
    struct bj_message message;
    double_start_shell(
        &monitor, true,
        "setsid sh -c 'while :; do echo noise; sleep 0.02; done' & echo done; exit 4");
    double_connect(&monitor);
    ck_assert_int_eq(double_finish(&monitor, &message), 4);
    double_end(&monitor);
}
END_TEST

START_TEST(test_orphans_reaped)
{
    struct bj_message message;
    double_start_shell(&monitor, true,
                       "for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.0$i &); done\n"
                       "while [ $(ls -d /proc/[0-9]* | wc -l) -gt 5 ]; do :; done; echo clean");
    double_connect(&monitor);
    double_expect_output(&monitor, "clean");
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

/* Pid 1 has the agent's uid, and still is out of its reach. */
START_TEST(test_out_of_reach)
{
    static const char script[] =
        "for f in environ maps mem fd/0 cwd/x root/x; do head -c1 /proc/1/$f 2>/dev/null && echo "
        "OPEN $f;"
        "done\n"
        "readlink /proc/1/fd/0 /proc/1/exe /proc/1/cwd && echo OPEN link\n"
        "for s in TERM HUP INT QUIT KILL STOP USR1 CHLD PIPE SEGV RTMIN; do kill -$s 1; done\n"
        "echo still here; exit 6";
    struct bj_message message;
    double_start_shell(&monitor, true, script);
    double_connect(&monitor);
    double_expect(&monitor, BJ_DATA, &message);
    const struct bj_field *bytes = &message.field[BJ_DATA_BYTES];
    ck_assert_msg(memmem(bytes->data, bytes->size, "still here", 10) &&
                      !memmem(bytes->data, bytes->size, "OPEN", 4),
                  "%.*s", (int)bytes->size, bytes->data);
    ck_assert_int_eq(double_finish(&monitor, &message), 6);
    double_end(&monitor);
}
END_TEST

START_TEST(test_binary_size)
{
    char command[700], path[300];
    snprintf(path, sizeof(path), "%s.stripped-XXXXXX", "/tmp/belljar-shim");
    int fd = mkstemp(path);
    snprintf(command, sizeof(command), "strip -o %s '%s'", path, getenv("BELLJAR_TEST_SHIM"));
    int status = system(command);
    struct stat info;
    int found = stat(path, &info);
    unlink(path);
    close(fd);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(found, 0);
    ck_assert_int_le(info.st_size, 1024 * 1024);
}
END_TEST

static unsigned long number_of(const char *file, const char *name)
{
    char path[64], line[256];
    unsigned long sum = 0;
    snprintf(path, sizeof(path), "/proc/%d/%s", monitor.shim, file);
    FILE *stream = fopen(path, "r");
    if (!stream)
        return 0; /* an ordinary user may not look at it */
    while (fgets(line, sizeof(line), stream))
        if (strncmp(line, name, strlen(name)) == 0)
            sum += strtoul(strchr(line, ':') + 1, NULL, 10);
    fclose(stream);
    return sum;
}

START_TEST(test_idle)
{
    struct bj_message message;
    double_start_shell(&monitor, false, DOUBLE_SEQ "; read x");
    double_connect(&monitor);
    double_take(&monitor, DOUBLE_SEQ_BYTES);
    double_send_uints(&monitor, BJ_PING, 0, 1, (const uint64_t[]){77});
    double_expect(&monitor, BJ_PONG, &message);
    ck_assert_uint_eq(message.field[BJ_PONG_TOKEN].u, 77);
    unsigned long wakeups = number_of("status", "voluntary_ctxt_switches");
    double_hang_up(&monitor); /* and what follows waits for a fact, not for time */
    double_connect(&monitor);
    double_send_uints(&monitor, BJ_PING, 0, 1, (const uint64_t[]){78});
    double_expect(&monitor, BJ_PONG, &message);
    ck_assert_uint_lt(number_of("status", "voluntary_ctxt_switches") - wakeups, 20);
    if (getenv("BELLJAR_TEST_SHIPPED")) /* sanitizers have memory of their own */
        ck_assert_uint_lt(number_of("smaps_rollup", "Private_"), 2048);
    double_send_input(&monitor, "\n", 1);
    ck_assert_int_eq(double_finish(&monitor, &message), 0);
    double_end(&monitor);
}
END_TEST

static const struct {
    const char *arguments;
    int code;
    const char *says;
} lines[] = {
    {"--help", 0, "Usage: belljar-shim ask"},
    {"--version", 0, "belljar-shim "},
    {"", 2, "Usage: belljar-shim ask"},
    {"nonsense", 2, "Usage: belljar-shim ask"},
    {"init --help", 0, "Usage: belljar-shim ask"},
    {"init --version", 0, "belljar-shim "},
    {"init --nonsense", 2, "belljar-shim init: unrecognized option '--nonsense'"},
    {"init --nproc", 2, "requires an argument"},
    {"init --nproc 0", 2, "--nproc takes a number of processes"},
    {"init --nproc many", 2, "--nproc takes a number of processes"},
    {"init --nproc 12x", 2, "--nproc takes a number of processes"},
    {"init --nproc 99999999999999999999", 2, "--nproc takes a number of processes"},
    {"init --proxy-port 65536", 2, "a port from 1 to 65535"},
    {"init --rows 0", 2, "a number from 1 to 10000"},
    {"init --cols 10001", 2, "a number from 1 to 10000"},
    {"init --rows 1 --cols 10000 -- true", 2, "it takes --link PATH, --ask PATH and a command"},
    {"init --link /nowhere/l -- true", 2, "it takes --link PATH, --ask PATH and a command"},
    {"init --link /nowhere/l --ask /nowhere/a", 2, "--ask PATH and a command"},
    {"init --link /nowhere/l --ask /nowhere/a --nproc 9 -- true", 1, "/nowhere/a"},
};

START_TEST(test_command_line)
{
    char command[4600], text[8192] = "";
    snprintf(command, sizeof(command), "%s %s 2>&1", getenv("BELLJAR_TEST_SHIM"),
             lines[_i].arguments);
    FILE *out = popen(command, "re");
    ck_assert_ptr_nonnull(out);
    size_t size = fread(text, 1, sizeof(text) - 1, out);
    int status = pclose(out);
    text[size] = '\0';
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == lines[_i].code &&
                      strstr(text, lines[_i].says),
                  "%s: code %d, %s", command, WEXITSTATUS(status), text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shim agent");
    TCase *tests = tcase_create("agent");
    int modes = double_can_wall() ? 2 : 1;
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, double_base_make, double_base_remove);
    tcase_add_loop_test(tests, test_end, 0, ENDS * modes);
    tcase_add_loop_test(tests, test_cannot_run, 0, modes);
    tcase_add_loop_test(tests, test_started_before_output, 0, modes);
    tcase_add_loop_test(tests, test_size, 0, modes);
    tcase_add_loop_test(tests, test_limits, 0, modes);
    tcase_add_loop_test(tests, test_signal, 0, modes);
    tcase_add_loop_test(tests, test_shutdown, 0, modes);
    if (modes == 2) {
        tcase_add_test(tests, test_left_behind);
        tcase_add_test(tests, test_orphans_reaped);
        tcase_add_test(tests, test_out_of_reach);
    }
    tcase_add_test(tests, test_binary_size);
    tcase_add_test(tests, test_idle);
    tcase_add_loop_test(tests, test_command_line, 0, sizeof(lines) / sizeof(lines[0]));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
