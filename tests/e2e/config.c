/*
 * belljar.conf as a person meets it: changed while the dashboard is open, wrong, checked, and with
 * the keys of tmux.
 */
#include "eye.h"
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

static void make_directory(void)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/.config", world.home);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/.config/belljar", world.home);
    mkdir(path, 0700);
}

/* As an editor does: a new file takes the place of the old one. */
static void configure(const char *text)
{
    char path[256], fresh[256];
    make_directory();
    snprintf(path, sizeof(path), "%s/.config/belljar/belljar.conf", world.home);
    snprintf(fresh, sizeof(fresh), "%s/.config/belljar/.belljar.conf.swp", world.home);
    FILE *file = fopen(fresh, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(rename(fresh, path), 0);
}

static struct eye *attach(int rows, int cols)
{
    return eye_open(rows, cols, (const char *const[]){world.belljar, "attach", NULL});
}

static void ends(struct eye *eye)
{
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_check_restored(eye);
    eye_close(eye);
}

/* The colours of the first cell of a text. */
static VTermColor ground_of(struct eye *eye, const char *text)
{
    VTermScreenCell cell;
    int col, row = eye_find(eye, text, &col);
    ck_assert_int_ge(row, 0);
    eye_cell(eye, row, col, &cell);
    vterm_screen_convert_color_to_rgb(eye->screen, &cell.bg);
    return cell.bg;
}

START_TEST(a_changed_file_counts_at_once)
{
    make_directory();
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "cat");
    BELLJAR_OK(&world, "run", "-d", "-n", "beta", "--", "cat");
    struct eye *eye = attach(24, 160);
    EYE_WAIT(eye, eye_shows(eye, "alpha") && eye_shows(eye, "beta") && eye_shows(eye, "z zoom"));
    configure("keys {\n  zoom = \"F5\"\n}\ncolors {\n  mode_supervise = \"#ffffff\"\n}\n");
    EYE_WAIT_TEXT(eye, "read again");
    eye_type(eye, "1\x1b[15~"); /* F5: alpha alone */
    EYE_WAIT(eye, eye_shows(eye, "alpha") && !eye_shows(eye, "2 beta"));
    EYE_WAIT_TEXT(eye, "F5 zoom"); /* the hint says the new key, once the note is gone */
    VTermColor white = ground_of(eye, "SUPERVISE");
    ck_assert_uint_ge(white.rgb.red, 0xe0);
    ck_assert_uint_ge(white.rgb.blue, 0xe0);
    eye_type(eye, "z"); /* is nothing any more */
    eye_type(eye, "\x1b[15~");
    EYE_WAIT(eye, eye_shows(eye, "alpha") && eye_shows(eye, "beta"));

    /* What is wrong changes nothing, and is said with file, line and option. */
    configure("theme = light\nkeys {\n  zoom = k\n}\n");
    EYE_WAIT_TEXT(eye, "were: belljar.conf:3: zoom: k");
    eye_type(eye, "\x1b[15~");
    EYE_WAIT(eye, !eye_shows(eye, "2 beta"));
    eye_type(eye, "Q");
    ends(eye);
}
END_TEST

/* Its directory is made, and the file with it, while the dashboard is open. */
START_TEST(the_first_file_counts_at_once)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "cat");
    struct eye *eye = attach(24, 160);
    EYE_WAIT_TEXT(eye, "z zoom");
    make_directory();
    configure("keys {\n  zoom = \"F5\"\n}\n");
    EYE_WAIT_TEXT(eye, "read again");
    EYE_WAIT_TEXT(eye, "F5 zoom");
    eye_type(eye, "Q");
    ends(eye);
}
END_TEST

START_TEST(signal_key_and_palette_read_it_again)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "cat");
    struct eye *eye = attach(24, 100); /* no directory to watch */
    EYE_WAIT_TEXT(eye, "alpha");
    configure("keys {\n  help = \"F6\"\n}\n");
    kill(eye->pid, SIGHUP);
    EYE_WAIT_TEXT(eye, "read again");
    eye_type(eye, "\x1b[17~"); /* F6 */
    EYE_WAIT_TEXT(eye, "Keys while supervising");
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "Keys while supervising"));
    configure("keys {\n  help = \"F7\"\n}\n"); /* now it is watched, too */
    EYE_WAIT(eye, eye_shows(eye, "F7 help"));
    configure("prefix = \"F9\"\nbogus = 1\n");
    EYE_WAIT_TEXT(eye, "were: belljar.conf:2: unknown option bogus");
    eye_type(eye, "\x12"); /* C-r */
    EYE_WAIT_TEXT(eye, "were: belljar.conf:2: unknown option bogus");
    configure("prefix = \"F9\"\n");
    eye_type(eye, ":");
    EYE_WAIT_TEXT(eye, "Tab complete");
    eye_type(eye, "reload\r");
    EYE_WAIT_TEXT(eye, "read again");
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "F9 back to supervising");
    eye_type(eye, "\x1b[20~");
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "Q");
    ends(eye);
}
END_TEST

/* Form, palette, filter, searches, prompts and questions, with keys of one's own. */
START_TEST(lines_and_questions_have_other_keys)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "seq", "-f", "number %g", "5");
    BELLJAR_OK(&world, "run", "-d", "-n", "beta", "--", "cat");
    configure("keys {\n  line {\n    line-enter = \"C-x\"\n    line-leave = \"F6\"\n"
              "    line-complete = \"F7\"\n    line-down = \"F8\"\n    line-start = \"F9\"\n  }\n"
              "  question {\n    yes = \"j\"\n  }\n}\n");
    struct eye *eye = attach(24, 160);
    EYE_WAIT(eye, eye_shows(eye, "number 5") && eye_shows(eye, "beta"));
    eye_type(eye, "N");
    EYE_WAIT_TEXT(eye, "C-x start it  Up F8  F7  F6 close");
    eye_type(eye, "cat\x1b[19~\x1b[19~\x1b[19~\x1b[19~\x1b[19~"); /* F8: to the name */
    eye_type(eye, "amma\x1b[20~g" EYE_ENTER "\x18");              /* Enter is nothing */
    EYE_WAIT(eye, eye_shows(eye, "gamma") && !eye_shows(eye, "start it"));
    WAIT_FOR(world_state_is(&world, "gamma", "running"));
    eye_type(eye, ":");
    EYE_WAIT_TEXT(eye, "C-x do it  F7 complete  F6 close");
    eye_type(eye, "clie\x1b[18~"); /* F7 */
    EYE_WAIT_TEXT(eye, ": clients");
    eye_type(eye, "\x18");
    EYE_WAIT_TEXT(eye, "Attached: 1");
    eye_type(eye, "q/bet");
    EYE_WAIT(eye, !eye_shows(eye, "gamma "));
    eye_type(eye, "\x18k"); /* the filter stays: beta alone is there */
    EYE_WAIT_TEXT(eye, "j yes  other keys no");
    eye_type(eye, "y");
    EYE_WAIT(eye, !eye_shows(eye, "Kill beta?"));
    eye_type(eye, "k");
    EYE_WAIT_TEXT(eye, "Kill beta?");
    eye_pump(eye, 400); /* it must have been seen */
    eye_type(eye, "j");
    WAIT_FOR(world_state_is(&world, "beta", "exited"));
    eye_type(eye, "/\x1b[17~"); /* F6 */
    EYE_WAIT(eye, eye_shows(eye, "gamma ") && eye_shows(eye, "alpha "));
    eye_type(eye, "q1[");
    EYE_WAIT_TEXT(eye, "line 5 of");
    eye_type(eye, "/number 3\x18");
    EYE_WAIT_TEXT(eye, "1 hit");
    eye_type(eye, "qQ");
    ends(eye);
}
END_TEST

START_TEST(a_wrong_file_opens_no_dashboard)
{
    configure("theme = dark\nprefix = nokey\n");
    struct eye *eye = attach(24, 80);
    ck_assert_int_eq(eye_wait_end(eye), 1);
    ck_assert_msg(strstr(eye->raw, "belljar.conf:2: prefix") != NULL, "%s", eye->raw);
    eye_check_restored(eye);
    eye_close(eye);
}
END_TEST

#define C_B "\x02"

START_TEST(fingers_that_know_tmux)
{
    configure("preset = tmux\n");
    BELLJAR_OK(&world, "run", "-d", "-n", "alpha", "--", "cat");
    BELLJAR_OK(&world, "run", "-d", "-n", "beta", "--", "cat");
    struct eye *eye = attach(30, 120);
    EYE_WAIT(eye, eye_shows(eye, "alpha") && eye_shows(eye, "beta"));
    eye_type(eye, "1" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, C_B);
    EYE_WAIT_TEXT(eye, "PREFIX");
    EYE_WAIT(eye, eye_shows(eye, "d detach"));
    eye_type(eye, "n"); /* the next pane, and typing goes on there */
    EYE_WAIT(eye, eye_shows(eye, "FOCUS"));
    eye_type(eye, "to beta\r");
    EYE_WAIT(eye, world_shows(&world, "beta", "to beta\nto beta"));
    eye_type(eye, C_B "1"
                      "to alpha\r");
    EYE_WAIT(eye, world_shows(&world, "alpha", "to alpha\nto alpha"));
    eye_type(eye, C_B "z"); /* alone, still typing */
    EYE_WAIT(eye, eye_shows(eye, "FOCUS") && !eye_shows(eye, "to beta"));
    eye_type(eye, C_B "z");
    EYE_WAIT_TEXT(eye, "to beta");
    eye_type(eye, C_B "["); /* copy mode, and back to typing */
    EYE_WAIT_TEXT(eye, " COPY ");
    eye_type(eye, "q");
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, C_B "?");
    EYE_WAIT_TEXT(eye, "Keys while supervising");
    EYE_WAIT_TEXT(eye, "Prefix");
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "Keys while supervising"));
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, C_B ":");
    EYE_WAIT_TEXT(eye, "Tab complete");
    eye_escape(eye);
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, C_B "c"); /* the line of a new one */
    EYE_WAIT_TEXT(eye, "New sandbox:");
    eye_escape(eye);
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, C_B "e"); /* nothing, and it says so */
    EYE_WAIT_TEXT(eye, "C-b e is bound to nothing");
    ck_assert(eye_shows(eye, "FOCUS"));
    eye_type(eye, C_B C_B "\r"); /* one for the agent: the terminal driver echoes ^B */
    EYE_WAIT(eye, world_shows(&world, "alpha", "^B"));
    eye_type(eye, C_B "\x1b");
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, C_B "d");
    ends(eye);
    ck_assert(world_state_is(&world, "alpha", "running"));
}
END_TEST

static void shell(struct result *result, const char *script)
{
    world_run(&world, result, NULL, (const char *const[]){"bash", "-c", script, NULL});
}

START_TEST(checked_and_shown)
{
    struct result result;
    configure("theme = dark\nkeys {\n  zoom = k\n  zom = Z\n}\ncolors {\n  bordr = 1\n}\n");
    BELLJAR(&world, &result, "config", "check");
    ck_assert_int_eq(result.code, 1);
    ck_assert_msg(strstr(result.err, "belljar.conf:3: zoom") != NULL, "%s", result.err);
    ck_assert_msg(strstr(result.err, "belljar.conf:4: unknown action zom") != NULL, "%s",
                  result.err);
    ck_assert_msg(strstr(result.err, "belljar.conf:7: unknown colour bordr") != NULL, "%s",
                  result.err);
    result_free(&result);
    BELLJAR(&world, &result, "config", "check", "--json");
    ck_assert_int_eq(result.code, 1);
    json_t *report = json_loads(result.out, 0, NULL);
    ck_assert_ptr_nonnull(report);
    ck_assert(json_is_false(json_object_get(report, "ok")));
    ck_assert_uint_eq(json_array_size(json_object_get(report, "faults")), 3);
    json_decref(report);
    result_free(&result);
    BELLJAR(&world, &result, "keys");
    ck_assert_int_eq(result.code, 1);
    result_free(&result);

    configure("preset = tmux\ncolors {\n  dim = \"#222222\"\n}\n");
    BELLJAR(&world, &result, "config", "check");
    ck_assert_int_eq(result.code, 0);
    ck_assert_msg(strstr(result.err, "dim on background has a contrast of") != NULL, "%s",
                  result.err);
    result_free(&result);
    BELLJAR(&world, &result, "keys");
    ck_assert_int_eq(result.code, 0);
    ck_assert_msg(strstr(result.out, "C-b Escape leads to supervise") != NULL, "%s", result.out);
    result_free(&result);

    /* What is shown is read again as the same. */
    char script[16000];
    snprintf(script, sizeof(script),
             "cd && '%s' config show >one && cp one .config/belljar/belljar.conf && "
             "'%s' config check >&2 && '%s' config show >two && diff one two",
             world.belljar, world.belljar, world.belljar);
    shell(&result, script);
    ck_assert_msg(result.code == 0, "%s%s", result.out, result.err);
    result_free(&result);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *cases = tcase_create("config");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, the_first_file_counts_at_once);
    tcase_add_test(cases, a_changed_file_counts_at_once);
    tcase_add_test(cases, signal_key_and_palette_read_it_again);
    tcase_add_test(cases, lines_and_questions_have_other_keys);
    tcase_add_test(cases, a_wrong_file_opens_no_dashboard);
    tcase_add_test(cases, fingers_that_know_tmux);
    tcase_add_test(cases, checked_and_shown);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
