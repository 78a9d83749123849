/*
 * The replay as a person meets it: what a real sandbox's screen has shown, with what was asked and
 * answered, in the dashboard, on a terminal of its own, and written for other programs.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
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

/* A session with a request that was allowed, one that was denied, colours and wide characters. */
static void record_one(void)
{
    human_runs(&world, "one",
               "echo first words; sleep 1.5\n"
               "/belljar/bin/belljar-shim ask --kind tool --title tidy-up; echo answer $?\n"
               "printf '\\033[31mred words\\033[m \xe6\x97\xa5\xe6\x9c\xac\\n'; sleep 1.5\n"
               "/belljar/bin/belljar-shim ask --kind tool --title force-push; echo answer $?\n"
               "printf '\\033[2J\\033[Hlast words\\n'; exec cat");
    WAIT_FOR(human_request(&world, "tidy-up", "id")[0]);
    BELLJAR_OK(&world, "requests", "show", human_request(&world, "tidy-up", "id"));
    WAIT_FOR(human_answers(&world, "allow", "tidy-up", NULL, NULL));
    WAIT_FOR(human_request(&world, "force-push", "id")[0]);
    BELLJAR_OK(&world, "requests", "show", human_request(&world, "force-push", "id"));
    WAIT_FOR(human_answers(&world, "deny", "force-push", NULL, NULL));
    WAIT_FOR(world_shows(&world, "one", "last words"));
}

static VTermColor colour_of(struct eye *eye, const char *text)
{
    VTermScreenCell cell;
    int col, row = eye_find(eye, text, &col);
    ck_assert_msg(row >= 0, "%s is not on the screen", text);
    eye_cell(eye, row, col, &cell);
    return cell.fg;
}

/* Through the whole recording by its events and back, in any of both places. */
static void look_through(struct eye *eye)
{
    EYE_WAIT_TEXT(eye, "REPLAY");
    EYE_WAIT_TEXT(eye, "x1");
    eye_type(eye, "g");
    eye_type(eye, " "); /* paused, wherever it was */
    EYE_WAIT(eye, eye_shows(eye, "\xe2\x80\x96 0:0") && !eye_shows(eye, "last words"));
    eye_type(eye, "g");
    EYE_WAIT_TEXT(eye, "\xe2\x80\x96 0:00");
    /* The bar knows all that was asked and answered. */
    EYE_WAIT(eye, eye_shows(eye, "\xe2\x97\x86") && eye_shows(eye, "\xe2\x9c\x93"));
    EYE_WAIT_TEXT(eye, "\xe2\x9c\x97");
    eye_type(eye, "n");
    EYE_WAIT_TEXT(eye, "asks: tidy-up");
    EYE_WAIT_TEXT(eye, "first words");
    ck_assert(!eye_shows(eye, "answer 0"));
    eye_type(eye, "n");
    EYE_WAIT_TEXT(eye, "allowed by human: tidy-up");
    eye_type(eye, "n");
    EYE_WAIT_TEXT(eye, "asks: force-push");
    EYE_WAIT_TEXT(eye, "answer 0");
    EYE_WAIT_TEXT(eye, "red words \xe6\x97\xa5\xe6\x9c\xac");
    VTermColor red = colour_of(eye, "red words"), plain = colour_of(eye, "first words");
    ck_assert(!vterm_color_is_equal(&red, &plain));
    eye_type(eye, "n");
    EYE_WAIT_TEXT(eye, "denied by human: force-push");
    eye_type(eye, "G");
    EYE_WAIT(eye, eye_shows(eye, "last words") && !eye_shows(eye, "red words"));
    EYE_WAIT_TEXT(eye, "\xe2\x96\xa0"); /* the end */
    eye_type(eye, "gnnn");
    EYE_WAIT(eye, eye_shows(eye, "asks: force-push") && eye_shows(eye, "red words"));
    eye_type(eye, "N");
    EYE_WAIT(eye, eye_shows(eye, "allowed by human") && !eye_shows(eye, "red words"));
    eye_type(eye, EYE_LEFT); /* before the beginning is the beginning */
    EYE_WAIT(eye, eye_shows(eye, "0:00 ") && !eye_shows(eye, "red words"));
    /* By single outputs: what wiped the screen is one. */
    for (int round = 0; round < 2; round++) {
        eye_type(eye, "gnnnn");
        EYE_WAIT(eye, eye_shows(eye, "denied by human") && eye_shows(eye, "red words"));
        eye_type(eye, round ? ",," : "...");
        EYE_WAIT(eye, !eye_shows(eye, "red words"));
        EYE_WAIT_TEXT(eye, round ? "first words" : "last words");
    }
    eye_type(eye, "H"); /* it is shorter than a minute */
    EYE_WAIT(eye, eye_shows(eye, "0:00 ") && !eye_shows(eye, "red words"));
    eye_type(eye, "+++++++");
    EYE_WAIT_TEXT(eye, "x16");
    eye_type(eye, "-------");
    EYE_WAIT_TEXT(eye, "x0.5");
    eye_type(eye, "+");
    EYE_WAIT_TEXT(eye, "x1");
    eye_type(eye, "?");
    EYE_WAIT_TEXT(eye, "to the next request, verdict, alert");
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "to the next request"));
    eye_type(eye, "+++ "); /* and now it plays by itself */
    EYE_WAIT(eye, eye_shows(eye, "last words") && eye_shows(eye, "\xe2\x96\xa0"));
    eye_type(eye, " "); /* again */
    EYE_WAIT(eye, !eye_shows(eye, "last words"));
}

/* As belljar export does, to files that are new. */
static void export_it(struct eye *eye, int round)
{
    char path[300], line[300];
    struct result result;
    for (int text = 0; text < 2; text++) {
        snprintf(path, sizeof(path), "%s/shown-%d.%s", world.home, round, text ? "txt" : "cast");
        eye_type(eye, "s");
        EYE_WAIT_TEXT(eye, "Export to a new file");
        EYE_WAIT_TEXT(eye, "one.cast"); /* what it would be called */
        snprintf(line, sizeof(line), "\x15~/shown-%d.%s\r", round, text ? "txt" : "cast");
        eye_type(eye, line);
        EYE_WAIT(eye, eye_shows(eye, "the recording is in") &&
                          eye_shows(eye, text ? ".txt" : ".cast") && !eye_shows(eye, "Export to"));
        BELLJAR(&world, &result, "export", "one", "--format", text ? "text" : "asciicast");
        char bytes[16384];
        FILE *file = fopen(path, "re");
        ck_assert_ptr_nonnull(file);
        bytes[fread(bytes, 1, sizeof(bytes) - 1, file)] = '\0';
        fclose(file);
        ck_assert_str_eq(bytes, result.out);
        result_free(&result);
    }
    eye_type(eye, "s");
    EYE_WAIT_TEXT(eye, "Export to a new file");
    eye_type(eye, line); /* it is there */
    EYE_WAIT_TEXT(eye, "not exported: cannot make");
}

/* What it did before its restart is a key away. */
START_TEST(the_run_before)
{
    human_runs(&world, "twice", "n=$(cat ~/n 2>/dev/null); echo run ${n:-first}; echo second >~/n");
    WAIT_FOR(world_state_is(&world, "twice", "exited"));
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "run first");
    eye_type(eye, "yp");
    EYE_WAIT_TEXT(eye, "restart"); /* why there is none */
    eye_type(eye, "p");
    EYE_WAIT(eye, eye_shows(eye, "run first") && eye_shows(eye, "x1"));
    eye_type(eye, "q");
    BELLJAR_OK(&world, "restart", "twice");
    WAIT_FOR(world_state_is(&world, "twice", "exited"));
    EYE_WAIT_TEXT(eye, "run second");
    eye_type(eye, "yG");
    EYE_WAIT(eye, eye_shows(eye, "run second") && eye_shows(eye, "REPLAY"));
    eye_type(eye, "p");
    EYE_WAIT(eye, eye_shows(eye, "run first") && !eye_shows(eye, "run second"));
    eye_type(eye, "p");
    EYE_WAIT(eye, eye_shows(eye, "run second") && !eye_shows(eye, "run first"));
    eye_type(eye, "q");
    eye_detach(eye);
}
END_TEST

/* The recording ends with this size, which is there without any output behind it. */
static bool ends_with_width(int cols)
{
    struct result result;
    char width[24];
    snprintf(width, sizeof(width), "\"r\",\"%dx", cols);
    BELLJAR(&world, &result, "export", "one");
    char *end = result.out + strlen(result.out) - 1; /* of the last line */
    while (end > result.out && end[-1] != '\n')
        end--;
    bool found = strstr(end, width) != NULL;
    result_free(&result);
    return found;
}

START_TEST(in_the_dashboard_at_any_size)
{
    static const int sizes[][2] = {{24, 80}, {40, 120}, {50, 200}};
    record_one();
    struct eye *eye =
        eye_open(sizes[_i][0], sizes[_i][1], (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "last words");
    eye_type(eye, "y");
    look_through(eye);
    export_it(eye, _i);
    eye_type(eye, "q");
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    EYE_WAIT_TEXT(eye, "last words"); /* the pane is back as a whole */
    EYE_WAIT(eye, !eye_shows(eye, "REPLAY"));
    eye_resize(eye, 30, 100);
    EYE_WAIT(eye, ends_with_width(98));
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "REPLAY");
    eye_resize(eye, 24, 80); /* in the middle of it */
    EYE_WAIT(eye, eye_find(eye, "x1", NULL) == 22);
    BELLJAR_OK(&world, "kill", "one");
    BELLJAR_OK(&world, "rm", "one");
    EYE_WAIT(eye, !eye_shows(eye, "REPLAY"));
    eye_detach(eye);
}
END_TEST

START_TEST(on_a_terminal_of_its_own)
{
    record_one();
    BELLJAR_OK(&world, "kill", "one");
    BELLJAR_OK(&world, "server", "stop"); /* it needs none */
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "replay", "one", NULL});
    look_through(eye);
    eye_resize(eye, 40, 120);
    EYE_WAIT(eye, eye_find(eye, "x8", NULL) == 38);
    eye_type(eye, "G");
    EYE_WAIT_TEXT(eye, "last words");
    eye_type(eye, "q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_check_restored(eye);
    eye_close(eye);

    eye = eye_open(24, 80,
                   (const char *const[]){world.belljar, "replay", "one", "--speed", "4", NULL});
    EYE_WAIT_TEXT(eye, "x4");
    kill(eye->pid, SIGTERM);
    eye_wait_end(eye);
    eye_check_restored(eye);
    eye_close(eye);
}
END_TEST

/* Started from the form, which has a field for it. */
/* Each key is seen before the next one. */
static void go_to_field(struct eye *eye, const char *name)
{
    static const char *const fields[] = {
        "Command", "Agent",     "Prompt", "ACP",    "Project",    "Name",   "Wall", "Memory",
        "CPUs",    "Processes", "Disk",   "Egress", "Wall clock", "Policy", "Env",  "Recording"};
    char marked[40];
    size_t at = 0;
    while (snprintf(marked, sizeof(marked), "\xe2\x96\xb8 %s", fields[at]), !eye_shows(eye, marked))
        ck_assert_uint_lt(++at, sizeof(fields) / sizeof(fields[0]));
    while (strcmp(fields[at], name) != 0) {
        eye_type(eye, EYE_DOWN);
        snprintf(marked, sizeof(marked), "\xe2\x96\xb8 %s", fields[++at]);
        EYE_WAIT_TEXT(eye, marked);
    }
}

static void start_unrecorded(struct eye *eye)
{
    eye_type(eye, "N");
    EYE_WAIT_TEXT(eye, "Recording");
    eye_type(eye, "sleep 1000");
    go_to_field(eye, "Name");
    eye_type(eye, "formed");
    go_to_field(eye, "Recording");
    eye_type(eye, "no");
    EYE_WAIT_TEXT(eye, "disk for what its screen shows");
    eye_type(eye, "\r");
    EYE_WAIT_TEXT(eye, "2 sandboxes");
}

START_TEST(nothing_to_play_says_so)
{
    struct result result;
    BELLJAR_OK(&world, "run", "-d", "-n", "silent", "--no-record", "--", "sh", "-c",
               "echo not kept; exec sleep 1000");
    WAIT_FOR(world_shows(&world, "silent", "not kept"));
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "silent");
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "nothing was recorded");
    eye_type(eye, " n+G"); /* nothing of this does anything */
    eye_type(eye, "q");
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    start_unrecorded(eye);
    eye_detach(eye);
    BELLJAR(&world, &result, "export", "formed");
    ck_assert_ptr_nonnull(strstr(result.err, "nothing was recorded"));
    result_free(&result);
    BELLJAR(&world, &result, "run", "-d", "--no-record", "--record-limit", "1M", "--", "true");
    ck_assert_int_eq(result.code, 2);
    result_free(&result);
    BELLJAR(&world, &result, "export", "silent");
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "nothing was recorded"));
    result_free(&result);
    BELLJAR(&world, &result, "export", "nobody");
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "no sandbox is named nobody"));
    result_free(&result);
}
END_TEST

/* As https://docs.asciinema.org/manual/asciicast/v2/ has it. */
static void check_asciicast(const char *text)
{
    double last = 0;
    size_t lines = 0;
    for (const char *at = text, *end; *at; at = end + 1, lines++) {
        end = strchr(at, '\n');
        ck_assert_ptr_nonnull(end);
        json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);
        ck_assert_msg(line != NULL, "no JSON: %.*s", (int)(end - at), at);
        if (lines == 0) {
            ck_assert_int_eq(json_integer_value(json_object_get(line, "version")), 2);
            ck_assert_int_gt(json_integer_value(json_object_get(line, "width")), 0);
            ck_assert_int_gt(json_integer_value(json_object_get(line, "height")), 0);
            ck_assert(json_is_integer(json_object_get(line, "timestamp")));
        } else {
            const char *code = json_string_value(json_array_get(line, 1));
            ck_assert_uint_eq(json_array_size(line), 3);
            ck_assert(json_is_number(json_array_get(line, 0)));
            ck_assert(json_is_string(json_array_get(line, 2)));
            ck_assert(code && strlen(code) == 1 && strchr("iorm", *code));
            ck_assert_double_ge(json_number_value(json_array_get(line, 0)), last);
            last = json_number_value(json_array_get(line, 0));
        }
        json_decref(line);
    }
    ck_assert_uint_gt(lines, 3);
}

START_TEST(others_can_read_it)
{
    struct result result;
    char path[128];
    record_one();
    BELLJAR(&world, &result, "export", "one");
    ck_assert_msg(result.code == 0, "%s", result.err);
    check_asciicast(result.out);
    ck_assert_ptr_nonnull(strstr(result.out, "first words"));
    result_free(&result);

    snprintf(path, sizeof(path), "%s/one.txt", world.base);
    BELLJAR_OK(&world, "export", "one", "--format", "text", "-o", path);
    const char *text = world_read(path);
    ck_assert_ptr_nonnull(strstr(text, "last words\n"));
    ck_assert_ptr_null(strchr(text, '\033'));
    BELLJAR(&world, &result, "export", "one", "--format", "text", "-o", path);
    ck_assert_int_eq(result.code, 1); /* nothing is overwritten */
    ck_assert_ptr_nonnull(strstr(result.err, "one.txt: File exists"));
    result_free(&result);
    BELLJAR(&world, &result, "export", "one", "--format", "gif");
    ck_assert_int_eq(result.code, 2);
    result_free(&result);
    BELLJAR(&world, &result, "export", "one", "--format", "raw");
    ck_assert_ptr_nonnull(strstr(result.out, "\033[31mred words"));
    result_free(&result);
}
END_TEST

/* What is too old goes, of one that has ended and of one that runs. */
START_TEST(what_is_too_old_is_forgotten)
{
    human_policy(&world, "limits { recording_age = 4s }\n");
    human_runs(&world, "over", "echo to be forgotten");
    human_runs(&world, "on",
               "echo to be forgotten; sleep 3; i=0\n"
               "while :; do i=$((i+1)); echo line $i; sleep 0.5; done");
    WAIT_FOR(HUMAN_READS(&world, "to be forgotten", "export", "over", "-f", "raw"));
    WAIT_FOR(HUMAN_READS(&world, "to be forgotten", "export", "on", "-f", "raw"));
    WAIT_FOR(HUMAN_READS(&world, "older than the policy's recording_age", "export", "over"));
    WAIT_FOR(HUMAN_READS(&world, "bytes of output are not kept any more", "export", "on"));
    ck_assert(!HUMAN_READS(&world, "to be forgotten", "export", "on", "-f", "raw"));
    ck_assert(HUMAN_READS(&world, "line ", "export", "on", "-f", "text"));
    ck_assert(world_state_is(&world, "on", "running"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *tests = tcase_create("replay");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, in_the_dashboard_at_any_size, 0, 3);
    tcase_add_test(tests, the_run_before);
    tcase_add_test(tests, on_a_terminal_of_its_own);
    tcase_add_test(tests, nothing_to_play_says_so);
    tcase_add_test(tests, others_can_read_it);
    tcase_add_test(tests, what_is_too_old_is_forgotten);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
