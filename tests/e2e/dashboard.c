/*
 * The dashboard as a person meets it: real keys into a real terminal, the screen as it looks.
 */
#include "eye.h"
#include "world.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world world;

#define COUNTER(name) "i=0; while :; do i=$((i+1)); echo \"" name " line $i\"; sleep 0.05; done"

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static struct eye *attach(int rows, int cols)
{
    return eye_open(rows, cols, (const char *const[]){world.belljar, "attach", NULL});
}

/* The greatest N of "NAME line N" on the screen, 0 when there is none. */
static long last_line(struct eye *eye, const char *name)
{
    char wanted[64];
    long last = 0;
    size_t size = (size_t)snprintf(wanted, sizeof(wanted), "%s line ", name);
    for (int row = 0; row < eye->rows; row++)
        for (const char *at = eye_row(eye, row); (at = strstr(at, wanted)); at += size) {
            long number = strtol(at + size, NULL, 10);
            last = number > last ? number : last;
        }
    return last;
}

/* All lines from the first to the last are in the recording. */
static void check_recording(const char *name, long at_least)
{
    struct result result;
    char wanted[64];
    size_t size = (size_t)snprintf(wanted, sizeof(wanted), "%s line ", name);
    BELLJAR(&world, &result, "replay", name, "--export", "raw");
    ck_assert_msg(result.code == 0, "%s", result.err);
    long next = 1;
    for (const char *at = result.out; (at = strstr(at, wanted)); at += size, next++)
        ck_assert_int_eq(strtol(at + size, NULL, 10), next);
    ck_assert_int_gt(next, at_least);
    result_free(&result);
}

START_TEST(detach_hang_up_reattach)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "sh", "-c", COUNTER("alpha"));
    BELLJAR_OK(&world, "run", "-d", "-n", "beta", "--", "sh", "-c", COUNTER("beta"));
    BELLJAR_OK(&world, "run", "-d", "-n", "gamma", "--", "sh", "-c", COUNTER("gamma"));
    struct eye *eye = attach(45, 160);
    EYE_WAIT(eye, last_line(eye, "alpha") > 2 && last_line(eye, "beta") > 2 &&
                      last_line(eye, "gamma") > 2);
    eye_detach(eye);

    eye = attach(45, 160);
    EYE_WAIT(eye, last_line(eye, "alpha") > 10 && last_line(eye, "gamma") > 10);
    long seen = last_line(eye, "alpha");
    /* The terminal window is closed: no more master, the client gets SIGHUP. */
    close(eye->fd);
    eye->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    WAIT_FOR(waitpid(eye->pid, &eye->status, WNOHANG) == eye->pid);
    eye->ended = true;
    eye_close(eye);

    eye = attach(45, 160);
    EYE_WAIT(eye, last_line(eye, "alpha") > seen + 5 && last_line(eye, "beta") > 10);
    long beta = last_line(eye, "beta"), gamma = last_line(eye, "gamma");
    seen = last_line(eye, "alpha");
    eye_detach(eye);
    check_recording("alpha", seen);
    check_recording("beta", beta);
    check_recording("gamma", gamma);
}
END_TEST

START_TEST(typing_reaches_the_focused_agent_only)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--", "cat");
    BELLJAR_OK(&world, "run", "-d", "-n", "two", "--", "cat");
    WAIT_FOR(world_state_is(&world, "two", "running"));
    struct eye *eye = attach(30, 120);
    EYE_WAIT(eye, eye_shows(eye, "one") && eye_shows(eye, "two"));
    eye_type(eye, "1");
    eye_type(eye, EYE_ENTER); /* focus */
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, "aDqk to the agent\r");
    EYE_WAIT_TEXT(eye, "aDqk to the agent");
    eye_type(eye, EYE_F12); /* back */
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "2");
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, "for the second\r");
    EYE_WAIT_TEXT(eye, "for the second");
    eye_type(eye, EYE_F12);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_detach(eye);
    ck_assert(world_shows(&world, "one", "aDqk to the agent\naDqk to the agent"));
    ck_assert(!world_shows(&world, "one", "for the second"));
    ck_assert(world_shows(&world, "two", "for the second\nfor the second"));
    ck_assert(!world_shows(&world, "two", "aDqk"));
}
END_TEST

START_TEST(two_clients_and_a_stopped_one)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "n", "--", "sh", "-c", COUNTER("n"));
    BELLJAR_OK(&world, "run", "-d", "-n", "flood", "--", "sh", "-c", "yes flooding");
    struct eye *large = attach(50, 170), *small = attach(24, 80);
    EYE_WAIT(large, last_line(large, "n") > 3);
    EYE_WAIT(small, last_line(small, "n") > 3);
    ck_assert_int_eq(kill(large->pid, SIGSTOP), 0);
    long seen = last_line(small, "n");
    EYE_WAIT(small, last_line(small, "n") > seen + 60);
    /* A third one comes while it is stopped, commands work. */
    struct eye *third = attach(30, 100);
    EYE_WAIT(third, last_line(third, "n") > seen);
    ck_assert(world_state_is(&world, "n", "running"));
    eye_detach(third);
    eye_detach(small);
    ck_assert_int_eq(kill(large->pid, SIGCONT), 0);
    seen = last_line(large, "n");
    EYE_WAIT(large, last_line(large, "n") > seen + 20); /* the newest state, no backlog */
    eye_detach(large);
}
END_TEST

START_TEST(any_resize)
{
    static const int sizes[][2] = {{60, 250}, {5, 20},  {24, 80}, {1, 1},
                                   {3, 200},  {60, 10}, {24, 80}};
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "sh", "-c", COUNTER("alpha"));
    BELLJAR_OK(&world, "run", "-d", "-n", "beta", "--", "sh", "-c", COUNTER("beta"));
    struct eye *eye = attach(24, 80);
    EYE_WAIT(eye, last_line(eye, "alpha") > 2 && last_line(eye, "beta") > 2);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        eye_resize(eye, sizes[i][0], sizes[i][1]);
        size_t before = eye->raw_size;
        EYE_WAIT(eye, eye->raw_size > before);
        if (sizes[i][0] < 24 || sizes[i][1] < 80)
            continue; /* only that it lives and goes on */
        long seen = last_line(eye, "alpha");
        EYE_WAIT(eye, last_line(eye, "alpha") > seen + 2 && last_line(eye, "beta") > 0);
    }
    eye_detach(eye);
}
END_TEST

START_TEST(too_small_says_so)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "sleep", "1000");
    struct eye *eye = attach(4, 30);
    EYE_WAIT_TEXT(eye, "small");
    eye_resize(eye, 24, 80);
    EYE_WAIT_TEXT(eye, "alpha");
    eye_detach(eye);
}
END_TEST

/* SIGKILL is not among them: nothing can be restored then, and `reset` is what helps. SIGHUP ends
 * it only with its terminal. */
START_TEST(terminal_is_restored_after_a_signal)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT};
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "sleep", "1000");
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct eye *eye = attach(24, 80);
        EYE_WAIT_TEXT(eye, "alpha");
        ck_assert(eye->altscreen);
        kill(eye->pid, signals[i]);
        eye_wait_end(eye);
        eye_check_restored(eye);
        eye_close(eye);
    }
}
END_TEST

/* Who reads from the same terminal behind it waits for what is typed, rather than to be told that
 * nothing is there. */
START_TEST(who_comes_behind_can_read)
{
    static const char script[] = "flags() { grep flags: /proc/self/fdinfo/0; }; before=$(flags); "
                                 "\"$0\" attach; [ \"$before\" = \"$(flags)\" ] && read line && "
                                 "echo \"heard $line\"";
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "sleep", "1000");
    struct eye *eye =
        eye_open(24, 80, (const char *const[]){"sh", "-c", script, world.belljar, NULL});
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    int client = 0;
    unsigned flags = 0;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)eye->pid, (int)eye->pid);
    WAIT_FOR((client = atoi(world_read(path))) > 0);
    snprintf(path, sizeof(path), "/proc/%d/fdinfo/1", client);
    ck_assert_int_eq(sscanf(strstr(world_read(path), "flags:"), "flags: %o", &flags), 1);
    ck_assert_uint_eq(flags & O_NONBLOCK, 0); /* ncurses would spin while the terminal is full */
    eye_type(eye, "Q");
    EYE_WAIT_TEXT(eye, "detached from");
    eye_type(eye, "you" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "heard you");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}
END_TEST

START_TEST(terminal_is_restored_when_the_server_dies)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "sh", "-c", COUNTER("alpha"));
    struct eye *eye = attach(24, 80);
    EYE_WAIT(eye, last_line(eye, "alpha") > 2);
    kill(world_server(&world), SIGKILL);
    /* Either it reconnects and goes on, or it ends with the terminal restored. */
    long seen = last_line(eye, "alpha");
    EYE_WAIT(eye, last_line(eye, "alpha") > seen + 20 ||
                      waitpid(eye->pid, &eye->status, WNOHANG) == eye->pid);
    if (kill(eye->pid, 0) == 0) {
        EYE_WAIT(eye, world_state_is(&world, "alpha", "running"));
        eye_detach(eye);
    } else {
        eye->ended = true;
        eye_pump(eye, 0);
        eye_check_restored(eye);
        eye_close(eye);
    }
}
END_TEST

START_TEST(theme_errors)
{
    struct eye *eye =
        eye_open(24, 80, (const char *const[]){world.belljar, "attach", "--theme", "nosuch", NULL});
    ck_assert_int_eq(eye_wait_end(eye), 1);
    ck_assert_msg(strstr(eye->raw, "nosuch") != NULL, "%s", eye->raw);
    eye_check_restored(eye);
    eye_close(eye);

    const char *path = world_file(&world, "broken.theme", "name = x\n\ncolours {\n = = =\n", 0644);
    eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", "--theme", path, NULL});
    ck_assert_int_eq(eye_wait_end(eye), 1);
    ck_assert_msg(strstr(eye->raw, "broken.theme") != NULL, "%s", eye->raw);
    bool numbered = false;
    for (const char *at = strstr(eye->raw, "broken.theme"); at && *at; at++)
        numbered = numbered || isdigit((unsigned char)*at);
    ck_assert_msg(numbered, "no line number: %s", eye->raw);
    eye_check_restored(eye);
    eye_close(eye);
}
END_TEST

START_TEST(not_a_terminal)
{
    struct result result;
    BELLJAR(&world, &result, "attach");
    ck_assert_int_eq(result.code, 1);
    ck_assert_msg(strstr(result.err, "terminal") != NULL, "%s", result.err);
    result_free(&result);
}
END_TEST

/* A mistyped name opens no empty dashboard. */
START_TEST(names_that_are_not_there)
{
    static const struct {
        const char *words[3], *says;
    } cases[] = {
        {{"attach", "wrok"}, "no session is named wrok: belljar ls lists them"},
        {{"attach", "alpha"}, "but a sandbox is: belljar attach --focus alpha"},
        {{"attach", "--focus", "alpah"}, "did you mean alpha?"},
    };
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "-s", "work", "--", "cat");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const *words = cases[i].words;
        struct eye *eye = eye_open(
            24, 120, (const char *const[]){world.belljar, words[0], words[1], words[2], NULL});
        ck_assert_int_eq(eye_wait_end(eye), 1);
        ck_assert_msg(strstr(eye->raw, cases[i].says) != NULL, "%s", eye->raw);
        eye_close(eye);
    }
    struct eye *eye =
        eye_open(24, 80, (const char *const[]){world.belljar, "attach", "--new", "other", NULL});
    EYE_WAIT_TEXT(eye, "1 runs in other sessions");
    eye_detach(eye);
    eye =
        eye_open(24, 80, (const char *const[]){world.belljar, "attach", "--focus", "alpha", NULL});
    EYE_WAIT_TEXT(eye, "FOCUS");
    EYE_WAIT_TEXT(eye, "alpha");
    eye_type(eye, EYE_F12);
    eye_detach(eye);
}
END_TEST

START_TEST(states_and_keys)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "sh", "-c", COUNTER("alpha"));
    BELLJAR_OK(&world, "run", "-d", "-n", "beta", "--", "sh", "-c", "exit 9");
    struct eye *eye = attach(40, 140);
    EYE_WAIT_TEXT(eye, "exited 9");
    eye_type(eye, "1p");
    EYE_WAIT_TEXT(eye, "paused");
    ck_assert(world_state_is(&world, "alpha", "paused"));
    eye_type(eye, "p");
    EYE_WAIT(eye, !eye_shows(eye, "paused"));
    eye_type(eye, "?");
    EYE_WAIT_TEXT(eye, "inbox: all requests");
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "inbox: all requests"));
    eye_type(eye, "z"); /* alpha alone */
    EYE_WAIT(eye, !eye_shows(eye, "exited 9") && last_line(eye, "alpha") > 0);
    eye_type(eye, "z");
    EYE_WAIT_TEXT(eye, "exited 9");
    eye_type(eye, "k"); /* asks first */
    EYE_WAIT_TEXT(eye, "y");
    ck_assert(world_state_is(&world, "alpha", "running"));
    eye_type(eye, "y");
    WAIT_FOR((eye_pump(eye, 20), world_state_is(&world, "alpha", "exited")));
    eye_detach(eye);
}
END_TEST

START_TEST(full_screen_programs)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "vi", "--", "vim", "-u", "NONE", "-N");
    struct eye *eye = attach(30, 100);
    EYE_WAIT(eye, eye_find(eye, "~", NULL) == 2); /* its second row */
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, "ihello \xe6\x97\xa5\xe6\x9c\xac world\x1b");
    EYE_WAIT_TEXT(eye, "hello \xe6\x97\xa5\xe6\x9c\xac world");
    int col, row = eye_find(eye, "hello", &col);
    /* The terminal's cursor is on the last character of the line. */
    EYE_WAIT(eye, eye->cursor.row == row && eye->cursor.col == col + 15);
    eye_type(eye, ":q!\r");
    EYE_WAIT_TEXT(eye, "exited 0");
    eye_type(eye, EYE_F12);
    eye_detach(eye);
}
END_TEST

START_TEST(run_opens_the_dashboard)
{
    struct eye *eye = eye_open(24, 80,
                               (const char *const[]){world.belljar, "run", "-n", "here", "--", "sh",
                                                     "-c", "echo in the jar; cat", NULL});
    EYE_WAIT_TEXT(eye, "in the jar");
    EYE_WAIT_TEXT(eye, "here");
    eye_type(eye, EYE_F12);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_detach(eye);
    ck_assert(world_state_is(&world, "here", "running"));
}
END_TEST

START_TEST(detached_from_elsewhere)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "sleep", "1000");
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "alpha");
    BELLJAR_OK(&world, "detach");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_check_restored(eye);
    eye_close(eye);
}
END_TEST

/* The background of the theme "light", as 24 bits. */
static bool is_direct(struct eye *eye)
{
    VTermScreenCell cell;
    int col, row = eye_find(eye, "alpha line", &col);
    eye_cell(eye, row, col, &cell);
    return VTERM_COLOR_IS_RGB(&cell.bg) && !VTERM_COLOR_IS_DEFAULT_BG(&cell.bg) &&
           cell.bg.rgb.red == 0xfb && cell.bg.rgb.green == 0xfa && cell.bg.rgb.blue == 0xf6;
}

/* Every theme and every kind of colour support starts and shows its sandbox. */
START_TEST(themes_and_terminals)
{
    static const char *const cases[][4] = {
        {"dark", "xterm-256color", NULL, NULL},
        {"light", "xterm-direct", NULL, NULL},
        {"high-contrast", "xterm", NULL, NULL},
        {"colour-blind-safe", "vt100", NULL, NULL},
        {"dark", "screen", "NO_COLOR", "1"},
        {"dark", "linux", NULL, NULL},
        {"dark", "tmux-256color", NULL, NULL},
        {"light", "xterm-256color", "COLORTERM", "truecolor"},
    };
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "sh", "-c", COUNTER("alpha"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setenv("TERM", cases[i][1], 1);
        if (cases[i][2])
            setenv(cases[i][2], cases[i][3], 1);
        struct eye *eye = eye_open(
            24, 80, (const char *const[]){world.belljar, "attach", "--theme", cases[i][0], NULL});
        EYE_WAIT(eye, last_line(eye, "alpha") > 0);
        if (strcmp(cases[i][0], "light") == 0)
            ck_assert(is_direct(eye));
        eye_detach(eye);
        unsetenv("NO_COLOR");
    }
}
END_TEST

/* Small changes at random places, in frames of their own: characters of one and two columns,
 * colours, cells that move aside or go. */
#define PAINTER                                                                                    \
    "RANDOM=7; for i in {1..500}; do printf '\\e[%d;%dH' $((RANDOM % 26 + 1)) $((RANDOM % 98 + "   \
    "1)); "                                                                                        \
    "case $((RANDOM % 9)) in 0) printf x;; 1) printf '\u6c34\u706b';; 2) printf '\u00f6';; "       \
    "3) printf '\\e[K';; 4) printf '\\e[3%dm%d\\e[m' $((i % 8)) $i;; 5) printf '\\e[2P';; "        \
    "6) printf '\\e[@';; 7) printf '\\e[4%dm\\e[3X\\e[m' $((i % 8));; "                            \
    "8) printf '%s' {1..30};; esac; sleep 0.004; done; printf '\\e[27;1HDONE'; sleep 1d"

static void look_at_pane(struct eye *eye, VTermScreenCell *cells)
{
    for (int row = 1; row < eye->rows - 2; row++)
        for (int col = 1; col < eye->cols - 1; col++, cells++) {
            eye_cell(eye, row, col, cells);
            if (cells->chars[0] == 0) /* erased */
                cells->chars[0] = ' ';
            if (cells->chars[0] == (uint32_t)-1) /* behind a wide one, whose look counts */
                cells->fg = cells->bg = cells[-1].bg;
        }
}

/* A frame in which only agents' cells changed is painted without the rest, and only where they did:
 * the pane shows what the monitor has, and all of it painted anew shows nothing else. */
START_TEST(cells_alone)
{
    enum { ROWS = 30, COLS = 100 };
    BELLJAR_OK(&world, "run", "-d", "-n", "painter", "--", "bash", "-c", PAINTER);
    struct eye *eye = attach(ROWS, COLS);
    EYE_WAIT_TEXT(eye, "DONE");
    char captured[65536];
    snprintf(captured, sizeof(captured), "%s", world_capture(&world, "painter"));
    char *line = captured;
    for (int row = 1; row < ROWS - 2 && *line; row++) {
        char *end = line + strcspn(line, "\n");
        bool more = *end != '\0';
        *end = '\0';
        ck_assert_str_eq(eye_cells(eye, row, 1, COLS - 1), line);
        line = end + more;
    }
    static VTermScreenCell before[ROWS * COLS], after[ROWS * COLS];
    look_at_pane(eye, before);
    eye_type(eye, "?");
    EYE_WAIT_TEXT(eye, "Escape close");
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "Escape close"));
    look_at_pane(eye, after);
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        const VTermScreenCell *one = &before[i], *other = &after[i];
        bool blank = one->chars[0] == ' '; /* its ink cannot be seen */
        ck_assert_msg(memcmp(one->chars, other->chars, sizeof(one->chars)) == 0 &&
                          (blank || vterm_color_is_equal(&one->fg, &other->fg)) &&
                          vterm_color_is_equal(&one->bg, &other->bg),
                      "row %zu, column %zu: U+%04x, then U+%04x", i / (COLS - 2) + 1,
                      i % (COLS - 2) + 1, one->chars[0], other->chars[0]);
    }
    eye_detach(eye);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dashboard");
    TCase *cases = tcase_create("dashboard");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, detach_hang_up_reattach);
    tcase_add_test(cases, typing_reaches_the_focused_agent_only);
    tcase_add_test(cases, two_clients_and_a_stopped_one);
    tcase_add_test(cases, any_resize);
    tcase_add_test(cases, too_small_says_so);
    tcase_add_test(cases, terminal_is_restored_after_a_signal);
    tcase_add_test(cases, who_comes_behind_can_read);
    tcase_add_test(cases, terminal_is_restored_when_the_server_dies);
    tcase_add_test(cases, theme_errors);
    tcase_add_test(cases, not_a_terminal);
    tcase_add_test(cases, names_that_are_not_there);
    tcase_add_test(cases, states_and_keys);
    tcase_add_test(cases, full_screen_programs);
    tcase_add_test(cases, run_opens_the_dashboard);
    tcase_add_test(cases, detached_from_elsewhere);
    tcase_add_test(cases, themes_and_terminals);
    tcase_add_test(cases, cells_alone);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
