/*
 * What agents do, as everybody is told the same: by hooks, prompt marks, notifications, bells,
 * output and silence of real processes, in `ls` and on the dashboard.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

#define ASK "/belljar/bin/belljar-shim ask "
/* A hook of an agent tells. */
#define TELLS(event) "echo '{\"hook_event_name\": \"" event "\"}' | " ASK "--dialect claude;"

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static bool does(const char *name, const char *doing, const char *source)
{
    return strcmp(world_field(&world, name, "doing"), doing) == 0 &&
           strcmp(world_field(&world, name, "source"), source) == 0;
}

static struct eye *attach(int rows, int cols)
{
    return eye_open(rows, cols, (const char *const[]){world.belljar, "attach", NULL});
}

/* One of each kind, and what is said of it: by the API, in words, in a few letters. */
static const struct {
    const char *name, *script, *doing, *source, *word, *brief;
} kinds[] = {
    {"held", "read go; " ASK "--kind exec --title 'Bash(make install)'; sleep 1000", "verdict",
     "request", "waiting for a verdict", "verdict?"},
    {"hooked", TELLS("Notification") " while :; do date; sleep 0.3; done", "input", "hook",
     "waiting for input", "input?"},
    {"works", TELLS("UserPromptSubmit") " sleep 1000", "thinking", "hook", "thinking", "thinking"},
    {"turned", TELLS("Stop") " sleep 1000", "idle", "hook", "idle", "idle"},
    {"marked", "printf '\\033]133;A\\007$ \\033]133;B\\007'; sleep 1000", "input", "prompt",
     "waiting for input", "input?"},
    {"command", "printf '\\033]133;C\\007'; while sleep 1; do printf .; done", "running", "prompt",
     "running", "running"},
    {"asks", "read -p 'Really delete? [y/N] ' answer; sleep 1000", "input", "reading",
     "waiting for input", "input?"},
    {"notifies", "printf '\\033]9;look here\\007'; sleep 1000", "input", "notification",
     "waiting for input", "input?"},
    {"rings", "printf 'which one? \\007'; sleep 1000", "input", "bell", "waiting for input",
     "input?"},
    {"prints", "while :; do date; sleep 0.5; done", "running", "output", "running", "running"},
    {"spins", "while :; do printf '\\rwait |'; sleep 0.5; printf '\\rwait -'; sleep 0.5; done",
     "thinking", "output", "thinking", "thinking"},
    {"silent", "sleep 1000", "idle", "silence", "idle", "idle"},
    {"ended", "exit 3", "failed", "server", "exited 3", "exited 3"},
    {"stopped", "sleep 1000", "paused", "server", "paused", "paused"},
};
#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

static void start_all(void)
{
    for (int i = 0; i < KINDS; i++)
        human_runs(&world, kinds[i].name, kinds[i].script);
    BELLJAR_OK(&world, "pause", "stopped");
    BELLJAR_OK(&world, "send", "held", "--enter", "go");
}

/* The state that stands before the name, in a row of the list or of `ls`. */
static bool row_says(const char *row, const char *name, const char *word)
{
    const char *at = strstr(row, name);
    return at && (at == row || at[-1] == ' ') && at[strlen(name)] == ' ' && strstr(row, word);
}

static bool list_says(struct eye *eye, const char *name, const char *word)
{
    for (int row = 0; row < eye->rows; row++)
        if (row_says(eye_row(eye, row), name, word))
            return true;
    return false;
}

START_TEST(everybody_is_told_the_same)
{
    static const int sizes[][2] = {{24, 80}, {40, 120}, {60, 250}};
    start_all();
    /* What prints may use the CPU that much, too. */
    for (int i = 0; i < KINDS; i++)
        WAIT_FOR(strcmp(world_field(&world, kinds[i].name, "doing"), kinds[i].doing) == 0);
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].source, "output") != 0)
            WAIT_FOR(does(kinds[i].name, kinds[i].doing, kinds[i].source));
    for (size_t size = 0; size < 3; size++) {
        struct eye *eye = attach(sizes[size][0], sizes[size][1]);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_type(eye, "l");
        for (int i = 0; i < KINDS; i++)
            EYE_WAIT(eye, list_says(eye, kinds[i].name, kinds[i].brief));
        eye_type(eye, "l");
        eye_detach(eye);
    }
    for (int i = 0; i < KINDS; i++)
        ck_assert_msg(HUMAN_READS(&world, kinds[i].word, "ls", NULL), "%s", kinds[i].word);
}
END_TEST

/* What the theme in use has for a role, as 0xRRGGBB. */
static unsigned theme_color(const char *role)
{
    struct result result;
    BELLJAR(&world, &result, "config", "show", "--json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *config = json_loads(result.out, 0, NULL);
    const char *text = json_string_value(json_object_get(json_object_get(config, "colors"), role));
    ck_assert_msg(text && text[0] == '#', "%s", role);
    unsigned color = (unsigned)strtoul(text + 1, NULL, 16);
    json_decref(config);
    result_free(&result);
    return color;
}

/* Whether that text was sent right behind this colour (as xterm-direct has it, which not every
 * libvterm reads); its background may stand between. */
static bool was_sent_in(struct eye *eye, unsigned color, const char *text)
{
    char begin[48];
    snprintf(begin, sizeof(begin), "\x1b[38:2::%u:%u:%um", color >> 16, color >> 8 & 255,
             color & 255);
    for (const char *at = eye->raw; at && (at = strstr(at, begin));) {
        at += strlen(begin);
        const char *behind = at;
        while (strncmp(behind, "\x1b[48:", 5) == 0)
            behind += strcspn(behind, "m") + 1;
        if (strncmp(behind, text, strlen(text)) == 0)
            return true;
    }
    return false;
}

/* In the list: glyph and word in the colour of the theme's role, no two alike. */
START_TEST(each_state_looks_as_the_theme_says)
{
    static const struct {
        const char *name, *script, *doing, *role, *glyph, *word;
    } rows[] = {
        {"held", ASK "--kind exec --title 'Bash(make)'", "verdict", "state_waiting", "◆",
         "verdict?"},
        {"hooked", TELLS("Notification") " sleep 1000", "input", "state_input", "◇", "input?"},
        {"works", TELLS("UserPromptSubmit") " sleep 1000", "thinking", "state_thinking", "◐",
         "thinking"},
        {"turned", TELLS("Stop") " sleep 1000", "idle", "state_idle", "○", "idle"},
        {"command", "printf '\\033]133;C\\007'; while sleep 1; do printf .; done", "running",
         "state_running", "●", "running"},
        {"stopped", "sleep 1000", "paused", "state_paused", "‖", "paused"},
        {"ended", "exit 0", "exited", "state_exited", "■", "exited"},
        {"broke", "exit 3", "failed", "state_failed", "✕", "exited 3"},
    };
    static const char *const terminals[][2] = {
        {"xterm-256color", "truecolor"}, {"xterm-256color", ""}, {"xterm", ""}, {"vt100", ""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        human_runs(&world, rows[i].name, rows[i].script);
    BELLJAR_OK(&world, "pause", "stopped");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        WAIT_FOR(strcmp(world_field(&world, rows[i].name, "doing"), rows[i].doing) == 0);
    unsigned colors[sizeof(rows) / sizeof(rows[0])];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        colors[i] = theme_color(rows[i].role);
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_ne(colors[i], colors[k]);
    }
    for (size_t terminal = 0; terminal < 4; terminal++) {
        setenv("TERM", terminals[terminal][0], 1);
        setenv("COLORTERM", terminals[terminal][1], 1);
        struct eye *eye = attach(40, 120);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_type(eye, "l");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            EYE_WAIT(eye, list_says(eye, rows[i].name, rows[i].glyph) &&
                              list_says(eye, rows[i].name, rows[i].word));
            if (terminal == 0)
                EYE_WAIT(eye, was_sent_in(eye, colors[i], rows[i].glyph) &&
                                  was_sent_in(eye, colors[i], rows[i].word));
        }
        eye_type(eye, "l");
        eye_detach(eye);
    }
    setenv("TERM", "xterm-256color", 1);
    unsetenv("COLORTERM");
}
END_TEST

START_TEST(a_card_says_who_says_so)
{
    human_runs(&world, "one", TELLS("Notification") " sleep 1000");
    WAIT_FOR(does("one", "input", "hook"));
    static const int sizes[][2] = {{24, 80}, {40, 120}, {60, 250}};
    for (size_t i = 0; i < 3; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT_TEXT(eye, "waiting for input");
        eye_type(eye, "i");
        EYE_WAIT(eye, eye_shows(eye, "waiting for input, for ") &&
                          eye_shows(eye, "its hook says so") && eye_shows(eye, "wall bwrap"));
        eye_type(eye, "i");
        EYE_WAIT(eye, !eye_shows(eye, "its hook says so"));
        eye_detach(eye);
    }
}
END_TEST

/* Blocked, and its terminal as busy as can be: never shown as running. */
START_TEST(a_blocked_agent_is_never_running)
{
    human_runs(&world, "busy", TELLS("Notification") " while :; do echo flood; done");
    WAIT_FOR(does("busy", "input", "hook"));
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "waiting for input");
    for (int i = 0; i < 15; i++) {
        ck_assert(does("busy", "input", "hook"));
        eye_pump(eye, 300);
        ck_assert(eye_shows(eye, "waiting for input"));
    }
    /* A human's answer ends it, once the agent has gone on for longer than an echo lasts. */
    BELLJAR_OK(&world, "send", "busy", "--enter", "yes");
    WAIT_FOR(strcmp(world_field(&world, "busy", "doing"), "running") == 0);
    EYE_WAIT(eye, !eye_shows(eye, "waiting for input"));
    eye_detach(eye);
}
END_TEST

/* To see it larger is no answer: what waits paints itself anew, and waits. */
START_TEST(another_size_is_no_answer)
{
    human_runs(&world, "waits",
               "ask() { printf '\\033[2J\\033[Hone\\ntwo\\nthree\\n%s columns, go on?' "
               "$(tput cols); }; trap ask WINCH; ask; printf '\\033]9;look\\007'; "
               "while :; do sleep 0.2; done");
    human_runs(&world, "second", "sleep 1000");
    human_runs(&world, "third", "sleep 1000");
    WAIT_FOR(does("waits", "input", "notification"));
    struct eye *eye = attach(40, 120);
    EYE_WAIT_TEXT(eye, "58 columns, go on?");
    eye_type(eye, "1z");
    EYE_WAIT_TEXT(eye, "118 columns, go on?");
    for (int i = 0; i < 20; i++) {
        eye_pump(eye, 300);
        ck_assert(does("waits", "input", "notification"));
    }
    eye_detach(eye);
}
END_TEST

/* What begins at the top again gets further from there. */
START_TEST(a_cleared_screen_is_no_silence)
{
    human_runs(&world, "builds",
               "seq 40; printf '\\033[H\\033[2J'; while sleep 1; do echo compiling; done");
    WAIT_FOR(does("builds", "running", "output"));
    for (int i = 0; i < 8; i++) {
        poll(NULL, 0, 500);
        ck_assert(strcmp(world_field(&world, "builds", "doing"), "running") == 0);
    }
}
END_TEST

/* A shell that cannot complete a word calls nobody. */
START_TEST(a_beep_at_a_key_is_no_call)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "shell", "--", "bash", "--norc", "-i");
    human_runs(&world, "rings", "read line; sleep 1; printf '\\007'; sleep 1000");
    WAIT_FOR(world_shows(&world, "shell", "$"));
    BELLJAR_OK(&world, "send", "shell", "no-such-word\t\t");
    BELLJAR_OK(&world, "send", "rings", "--enter", "go");
    WAIT_FOR(does("rings", "input", "bell")); /* that one does */
    ck_assert_str_ne(world_field(&world, "shell", "source"), "bell");
    ck_assert_int_gt(world_number(&world, "shell", "bell"), 0);
}
END_TEST

START_TEST(an_end_takes_what_hooks_told)
{
    human_runs(&world, "short", TELLS("Notification") " read end");
    WAIT_FOR(does("short", "input", "hook"));
    ck_assert_str_eq(world_field(&world, "short", "agent_state"), "waiting");
    BELLJAR_OK(&world, "send", "short", "--enter", "end");
    WAIT_FOR(world_state_is(&world, "short", "exited"));
    ck_assert_str_eq(world_field(&world, "short", "doing"), "exited");
    ck_assert_str_eq(world_field(&world, "short", "agent_state"), "");
}
END_TEST

/* Whether a process of that sandbox has this name. */
static bool has_process(pid_t init, const char *program)
{
    pid_t pids[64];
    size_t count = world_inside(init, pids, 64);
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/comm", (int)pids[i]);
        if (strncmp(world_read(path), program, strlen(program)) == 0)
            return true;
    }
    return false;
}

/* What the API tells of its past: so many steps of that, all in all. */
static long long steps_of(const char *name, const char *doing)
{
    json_t *sandbox = world_sandbox(&world, name), *run;
    size_t index;
    long long steps = 0;
    json_array_foreach(json_object_get(sandbox, "timeline"), index, run)
    {
        if (strcmp(json_string_value(json_array_get(run, 0)), doing) == 0)
            steps += json_integer_value(json_array_get(run, 1));
    }
    json_decref(sandbox);
    return steps;
}

/* What nobody saw is in the strip of who attaches later, and of a second one: that it was blocked
 * and that it printed, though it does neither any more. */
START_TEST(the_strip_is_whole_after_an_attach)
{
    human_runs(
        &world, "blocked",
        TELLS("Notification") " sleep 12; " TELLS("UserPromptSubmit") " exec tail -f /dev/null");
    human_runs(&world, "printed",
               "for i in {1..12}; do echo $i; sleep 1; done; sleep 6; exec tail -f /dev/null");
    pid_t inits[] = {(pid_t)world_number(&world, "blocked", "init_pid"),
                     (pid_t)world_number(&world, "printed", "init_pid")};
    for (size_t i = 0; i < 2; i++) /* looked at from outside of Belljar: nobody is attached */
        WAIT_FOR(has_process(inits[i], "tail"));
    struct eye *eye = attach(40, 120), *second = attach(40, 120);
    EYE_WAIT(eye, eye_shows(eye, "◇") && eye_shows(eye, "▅"));
    EYE_WAIT(second, eye_shows(second, "◇") && eye_shows(second, "▅"));
    ck_assert_str_eq(world_field(&world, "blocked", "doing"), "thinking");
    ck_assert_str_eq(world_field(&world, "printed", "doing"), "idle");
    ck_assert_int_ge(steps_of("blocked", "input"), 2);
    ck_assert_int_ge(steps_of("printed", "running"), 2);
    ck_assert_int_le(steps_of("printed", "running"), 5);
    eye_detach(second);
    eye_detach(eye);
}
END_TEST

static const char *row_with(struct eye *eye, const char *what)
{
    int row = eye_find(eye, what, NULL);
    return row < 0 ? "" : eye_row(eye, row);
}

/* Also above a request, whose line is where it stands otherwise, and in the narrowest tiles. */
START_TEST(every_pane_has_its_strip)
{
    human_runs(&world, "asker", "sleep 6; " ASK "--kind exec --title 'make install'; sleep 1000");
    human_runs(&world, "printer", "while :; do date; sleep 1; done");
    human_runs(&world, "third", "sleep 1000"); /* two rows of two */
    human_runs(&world, "fourth", "sleep 1000");
    WAIT_FOR(human_request(&world, "make install", "id")[0]);
    static const int widths[] = {80, 120, 220};
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        struct eye *eye = attach(24, widths[i]);
        EYE_WAIT(eye, eye_shows(eye, "make install") && eye_shows(eye, "printer"));
        EYE_WAIT(eye, strstr(row_with(eye, "asker"), " ◆━┓"));
        EYE_WAIT(eye, strstr(row_with(eye, "╯"), "▅─╯"));
        eye_detach(eye);
    }
}
END_TEST

/* Its hook says that it works, and there is no sign of it: the variable is for two minutes. */
START_TEST(no_sign_for_long_is_stuck)
{
    setenv("BELLJAR_TEST_STUCK_MS", "3000", 1);
    human_runs(&world, "hangs",
               TELLS("UserPromptSubmit") " read go; while :; do date; sleep 0.3; done");
    struct eye *eye = attach(24, 80);
    unsetenv("BELLJAR_TEST_STUCK_MS");
    EYE_WAIT(eye, eye_shows(eye, "⊗ hangs stuck ") && eye_shows(eye, "⊗ 1 stuck"));
    ck_assert(does("hangs", "stuck", "hook"));
    ck_assert(HUMAN_READS(&world, "⊗ stuck", "ls", NULL));
    eye_type(eye, "i");
    EYE_WAIT(eye, eye_shows(eye, "stuck, for ") && eye_shows(eye, "its hook says so"));
    eye_type(eye, "il");
    EYE_WAIT(eye, list_says(eye, "hangs", "⊗ stuck"));
    eye_type(eye, "l");
    /* A sign of life ends it; the strip has it still. */
    BELLJAR_OK(&world, "send", "hangs", "--enter", "go");
    EYE_WAIT(eye, !eye_shows(eye, " stuck ") && !eye_shows(eye, "⊗ 1 stuck"));
    ck_assert(eye_shows(eye, "⊗"));
    eye_detach(eye);
}
END_TEST

/* The box of `i` has the selected one's name in its border. */
static bool selected(struct eye *eye, const char *name)
{
    char title[64];
    snprintf(title, sizeof(title), "─ %s ─", name);
    return eye_shows(eye, title) && eye_shows(eye, "because");
}

static void look_and_go_on(struct eye *eye, const char *name)
{
    eye_type(eye, "\ti");
    EYE_WAIT(eye, selected(eye, name));
    eye_type(eye, "i");
    EYE_WAIT(eye, !eye_shows(eye, "because"));
}

/* First the request, then who asks for input and for how long, last a shell at its prompt. */
START_TEST(tab_leads_to_the_greatest_need)
{
    human_runs(&world, "silent", "sleep 1000");
    human_runs(&world, "marked", "printf '\\033]133;A\\007$ '; sleep 1000");
    human_runs(&world, "longest", TELLS("Notification") " sleep 1000");
    WAIT_FOR(does("longest", "input", "hook"));
    human_runs(&world, "later", TELLS("Notification") " sleep 1000");
    WAIT_FOR(does("later", "input", "hook"));
    WAIT_FOR(does("marked", "input", "prompt"));
    struct eye *eye = attach(40, 120);
    EYE_WAIT(eye, eye_shows(eye, "3 input"));
    look_and_go_on(eye, "longest");
    look_and_go_on(eye, "later");
    look_and_go_on(eye, "marked");
    look_and_go_on(eye, "longest");
    human_runs(&world, "held", ASK "--kind exec --title 'Bash(make install)'");
    EYE_WAIT_TEXT(eye, "1 waiting");
    eye_type(eye, "\t");
    EYE_WAIT_TEXT(eye, "a once");
    eye_type(eye, "d");
    WAIT_FOR(world_state_is(&world, "held", "exited"));
    eye_detach(eye);
}
END_TEST

#define MARKS "PS0='\\033]133;C\\007' PS1='\\[\\033]133;A\\007\\]$ \\[\\033]133;B\\007\\]' "

/* Programs at a question that tell nobody: the kernel knows that they read a line. */
static const struct {
    const char *name, *script;
} asking[] = {
    {"child", "dash -c \"printf 'Go on? '; read answer\"; sleep 1000"},
    {"secret", "stty -echo; printf 'Password: '; read secret; sleep 1000"},
    {"marked", MARKS "exec bash --norc --noprofile -i"},
    {"shell", "PS1='$ ' exec dash -i"},
};

/* And programs that read as well, but ask nothing. */
static const struct {
    const char *name, *script;
} reading[] = {
    {"bash", "PS1='$ ' exec bash --norc --noprofile -i"},
    {"dash", "PS1='$ ' exec dash -i"},
    {"pager", "seq 1000 >all; exec less -X all"},
    {"raw", "stty -icanon -echo; printf 'any key: '; exec cat"},
    {"cat", "exec cat"},
    {"line", "echo 'Go on?'; read answer"},
};
#define COUNT(list) (sizeof(list) / sizeof(list[0]))

START_TEST(a_question_of_which_nobody_is_told)
{
    for (size_t i = 0; i < COUNT(reading); i++)
        human_runs(&world, reading[i].name, reading[i].script);
    for (size_t i = 0; i < COUNT(asking); i++)
        human_runs(&world, asking[i].name, asking[i].script);
    struct eye *eye = attach(40, 120);
    WAIT_FOR(does("marked", "input", "prompt"));
    WAIT_FOR(does("shell", "idle", "silence"));
    BELLJAR_OK(&world, "send", "cat", "abc");
    BELLJAR_OK(&world, "send", "marked", "--enter", "bash -c \"read -p 'Which one? ' which\"");
    BELLJAR_OK(&world, "send", "shell", "--enter", "dash -c \"printf 'Which? '; read which\"");
    for (size_t i = 0; i < COUNT(asking); i++)
        WAIT_FOR(does(asking[i].name, "input", "reading"));
    for (size_t i = 0; i < COUNT(reading); i++)
        WAIT_FOR(does(reading[i].name, "idle", "silence"));
    EYE_WAIT(eye, eye_shows(eye, "4 input"));
    for (int look = 0; look < 20; look++) { /* the next ones of the server are among these */
        eye_pump(eye, 300);
        for (size_t i = 0; i < COUNT(reading); i++)
            ck_assert_msg(does(reading[i].name, "idle", "silence"), "%s", reading[i].name);
    }
    /* What a human begins to write is no answer yet; the answer ends it. */
    BELLJAR_OK(&world, "send", "child", "y");
    WAIT_FOR(world_shows(&world, "child", "Go on? y"));
    ck_assert(does("child", "input", "reading"));
    BELLJAR_OK(&world, "send", "child", "--enter", "es");
    WAIT_FOR(does("child", "idle", "silence"));
    EYE_WAIT(eye, eye_shows(eye, "3 input"));
    eye_detach(eye);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("states");
    TCase *tests = tcase_create("states");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, another_size_is_no_answer);
    tcase_add_test(tests, a_cleared_screen_is_no_silence);
    tcase_add_test(tests, a_beep_at_a_key_is_no_call);
    tcase_add_test(tests, everybody_is_told_the_same);
    tcase_add_test(tests, each_state_looks_as_the_theme_says);
    tcase_add_test(tests, a_card_says_who_says_so);
    tcase_add_test(tests, a_blocked_agent_is_never_running);
    tcase_add_test(tests, an_end_takes_what_hooks_told);
    tcase_add_test(tests, the_strip_is_whole_after_an_attach);
    tcase_add_test(tests, every_pane_has_its_strip);
    tcase_add_test(tests, no_sign_for_long_is_stuck);
    tcase_add_test(tests, a_question_of_which_nobody_is_told);
    tcase_add_test(tests, tab_leads_to_the_greatest_need);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
