/*
 * Copy mode as a person uses it: jumping between prompts and requests, all hits marked, rectangles,
 * the clipboard, files, and opening what is seen only after it was shown where it leads.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;
static const int sizes[][2] = {{24, 80}, {40, 120}, {60, 250}};
#define SIZES 3

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    unsetenv("BROWSER");
    world_close(&world);
}

static struct eye *attach(int rows, int cols)
{
    return eye_open(rows, cols, (const char *const[]){world.belljar, "attach", NULL});
}

/* A shell's commands as they look with marks: prompt, command, output. */
#define COMMAND(text) "printf '\\033]133;A\\007$ \\033]133;B\\007" text "\\n\\033]133;C\\007';"

static void enter(struct eye *eye)
{
    eye_type(eye, "[");
    EYE_WAIT(eye, eye_shows(eye, " COPY ") && eye_shows(eye, "line "));
}

/* The text of the row on which the cursor is, in the pane. */
static bool cursor_on(struct eye *eye, const char *text)
{
    return strstr(eye_row(eye, eye->cursor.row), text) != NULL;
}

START_TEST(from_prompt_to_prompt)
{
    human_runs(&world, "sh",
               COMMAND("first") "seq 1 100;" COMMAND("second") "seq 1 3;" COMMAND(
                   "third") " echo end; sleep 1000");
    WAIT_FOR(world_shows(&world, "sh", "end"));
    for (size_t i = 0; i < SIZES; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT_TEXT(eye, "$ third");
        enter(eye);
        eye_type(eye, "["); /* vi */
        EYE_WAIT(eye, cursor_on(eye, "›$ third"));
        eye_type(eye, "\x1bp"); /* emacs */
        EYE_WAIT(eye, cursor_on(eye, "›$ second"));
        eye_type(eye, "["); /* a hundred lines above, scrolled to */
        EYE_WAIT(eye, cursor_on(eye, "›$ first"));
        eye_type(eye, "[");
        EYE_WAIT_TEXT(eye, "no prompt above");
        eye_type(eye, "]");
        EYE_WAIT(eye, cursor_on(eye, "›$ second"));
        eye_type(eye, "\x1bn");
        EYE_WAIT(eye, cursor_on(eye, "›$ third"));
        eye_type(eye, "]");
        EYE_WAIT_TEXT(eye, "no prompt below");
        eye_type(eye, "q");
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_detach(eye);
    }
}
END_TEST

START_TEST(from_request_to_request)
{
    human_runs(&world, "one",
               "echo before the first; /belljar/bin/belljar-shim ask --kind exec --title "
               "'Bash(make one)'; seq 1 100; echo before the second; /belljar/bin/belljar-shim ask "
               "--kind exec --title 'Bash(make two)'; seq 1 5; sleep 1000");
    WAIT_FOR(human_request(&world, "Bash(make one)", "id")[0]);
    WAIT_FOR(human_answers(&world, "allow", "Bash(make one)", NULL, NULL));
    WAIT_FOR(human_request(&world, "Bash(make two)", "id")[0]);
    WAIT_FOR(human_answers(&world, "deny", "Bash(make two)", NULL, NULL));
    for (size_t i = 0; i < SIZES; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT_TEXT(eye, "before the second");
        enter(eye);
        eye_type(eye, "(");
        EYE_WAIT(eye, cursor_on(eye, "◆before the second"));
        eye_type(eye, "(");
        EYE_WAIT(eye, cursor_on(eye, "◆before the first"));
        eye_type(eye, "(");
        EYE_WAIT_TEXT(eye, "no request above");
        eye_type(eye, ")");
        EYE_WAIT(eye, cursor_on(eye, "◆before the second"));
        eye_type(eye, "q");
        eye_detach(eye);
    }
}
END_TEST

/* Whether two cells of a row have different grounds. */
static bool differ(struct eye *eye, int row, int col, int other)
{
    VTermScreenCell plain, cell;
    eye_cell(eye, row, other, &plain);
    eye_cell(eye, row, col, &cell);
    return memcmp(&plain.bg, &cell.bg, sizeof(cell.bg)) != 0;
}

static bool is_hit(struct eye *eye, int row, int col)
{
    return differ(eye, row, col, eye->cols - 3);
}

START_TEST(all_hits_are_marked)
{
    human_runs(&world, "log",
               "for i in $(seq 1 300); do echo \"$i ok\"; done; echo 'ok ok d''one'; sleep 1000");
    WAIT_FOR(world_shows(&world, "log", "done"));
    for (size_t i = 0; i < SIZES; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT_TEXT(eye, "ok ok done");
        enter(eye);
        eye_type(eye, "?ok"); /* while it is typed, over the whole scrollback */
        EYE_WAIT_TEXT(eye, " 302 hits ");
        eye_type(eye, EYE_ENTER);
        int col, row = eye_find(eye, "ok ok done", &col);
        EYE_WAIT(eye, (row = eye_find(eye, "ok ok done", &col)) > 0 && is_hit(eye, row, col) &&
                          is_hit(eye, row, col + 3) && !is_hit(eye, row, col + 7));
        row = eye_find(eye, "300 ok", &col);
        ck_assert(row > 0 && is_hit(eye, row, col + 4) && !is_hit(eye, row, col + 1));
        eye_type(eye, "g");
        EYE_WAIT(eye, (row = eye_find(eye, "1 ok", &col)) > 0 && is_hit(eye, row, col + 2));
        eye_type(eye, "q");
        eye_detach(eye);
    }
}
END_TEST

/* What came to the terminal as OSC 52, decoded by base64(1). */
static bool clipboard_is(struct eye *eye, const char *wanted)
{
    struct result result;
    char *from = NULL;
    for (char *at = eye->raw;
         (at = memmem(at, eye->raw_size - (size_t)(at - eye->raw), "\x1b]52;", 5)); at++)
        from = at;
    from = from ? strchr(from + 5, ';') : NULL;
    if (!from || !strpbrk(from, "\a\x1b"))
        return false;
    from++;
    char *text = strndup(from, strcspn(from, "\a\x1b"));
    world_run(&world, &result, text, (const char *const[]){"base64", "-d", NULL});
    bool same = strcmp(result.out, wanted) == 0;
    free(text);
    result_free(&result);
    return same;
}

START_TEST(a_rectangle_to_the_clipboard_and_a_file)
{
    human_runs(&world, "table", "printf 'ab12cd\\nef34gh\\nij56kl\\n'; sleep 1000");
    WAIT_FOR(world_shows(&world, "table", "ij56kl"));
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "ij56kl");
    enter(eye);
    eye_type(eye, "gll\x16"
                  "jjl"); /* C-v */
    EYE_WAIT_TEXT(eye, " block ");
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "bytes sent to the clipboard");
    EYE_WAIT(eye, clipboard_is(eye, "12\n34\n56"));
    char path[128];
    snprintf(path, sizeof(path), "%s/saved", world.base);
    enter(eye);
    eye_type(eye, "gVjs");
    EYE_WAIT_TEXT(eye, "Save the selection");
    eye_type(eye, path);
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "bytes saved to");
    ck_assert_str_eq(world_read(path), "ab12cd\nef34gh\n");
    enter(eye); /* what is there is not overwritten */
    eye_type(eye, "gVs");
    EYE_WAIT_TEXT(eye, "Save the selection");
    eye_type(eye, path);
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "not saved");
    ck_assert_str_eq(world_read(path), "ab12cd\nef34gh\n");
    eye_type(eye, "\x1b\x1b");
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_detach(eye);
}
END_TEST

/* A browser that only writes down what it was given. */
static const char *browser(void)
{
    static char log[128];
    char script[256];
    snprintf(log, sizeof(log), "%s/opened", world.base);
    snprintf(script, sizeof(script), "#!/bin/sh\nprintf '%%s %%s\\n' \"$#\" \"$1\" >>%s\n", log);
    setenv("BROWSER", world_file(&world, "browser", script, 0755), 1);
    return log;
}

START_TEST(opened_only_when_shown_and_allowed)
{
    const char *log = browser();
    human_runs(&world, "links",
               "printf 'see https://ex\\320\\260mple.com/a?b=1\\nor file:///etc/passwd\\n'; sleep "
               "1000");
    WAIT_FOR(world_shows(&world, "links", "passwd"));
    for (size_t i = 0; i < SIZES; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT_TEXT(eye, "passwd");
        enter(eye);
        eye_type(eye, "g0wO"); /* a letter that looks like another stands as its bytes */
        EYE_WAIT(eye, eye_shows(eye, "https://ex%D0%B0mple.com/a?b=1") &&
                          eye_shows(eye, "shown as bytes"));
        eye_type(eye, "n");
        EYE_WAIT(eye, !eye_shows(eye, "Open this"));
        ck_assert_int_ne(access(log, F_OK), i == 0 ? 0 : -1);
        eye_type(eye, "jO"); /* no program of the host is given this */
        EYE_WAIT_TEXT(eye, "only http and https");
        eye_type(eye, "g0wO");
        EYE_WAIT_TEXT(eye, "Open this");
        eye_type(eye, "y");
        EYE_WAIT_TEXT(eye, "opened with");
        char wanted[256] = "";
        for (size_t k = 0; k <= i; k++)
            strcat(wanted, "1 https://ex%D0%B0mple.com/a?b=1\n");
        EYE_WAIT(eye, strcmp(world_read(log), wanted) == 0);
        eye_type(eye, "q");
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_detach(eye);
    }
}
END_TEST

/* An address that is longer than any line of the screen: found, copied and opened as what it is. */
START_TEST(a_wrapped_line_is_one)
{
    const char *log = browser();
    char line[600] = "see https://example.com/", pattern[16], opened[600];
    for (int i = 100; i <= 190; i++)
        sprintf(line + strlen(line), "%d,", i);
    strcat(line, "end");
    snprintf(opened, sizeof(opened), "1 %s\n", line + 4);
    strcat(line, "\n");
    human_runs(&world, "wide",
               "echo s''ee https://example.com/$(seq -s, 100 190),end; echo sho''wn; sleep 1000");
    WAIT_FOR(world_shows(&world, "wide", "shown"));
    for (size_t i = 0; i < SIZES; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        int col, row, cols = eye->cols;
        EYE_WAIT_TEXT(eye, "shown");
        row = eye_find(eye, "see https", &col);
        ck_assert(row > 0 && eye_find(eye, "shown", &col) > row + 1);
        snprintf(pattern, sizeof(pattern), "%s", eye_cells(eye, row, cols - 5, cols - 1));
        strcat(pattern, eye_cells(eye, row + 1, 1, 5));
        enter(eye);
        eye_type(eye, "?");
        eye_type(eye, pattern);
        EYE_WAIT_TEXT(eye, " 1 hit ");
        eye_type(eye, EYE_ENTER);
        EYE_WAIT(eye, differ(eye, row, cols - 2, 2) && differ(eye, row + 1, 1, 20));
        ck_assert(!differ(eye, row, cols - 6, 2) && !differ(eye, row + 1, 5, 20));
        eye_type(eye, "O");
        EYE_WAIT_TEXT(eye, "Open this");
        unlink(log);
        eye_type(eye, "y");
        EYE_WAIT_TEXT(eye, "opened with");
        WAIT_FOR(access(log, R_OK) == 0 && strcmp(world_read(log), opened) == 0);
        eye_type(eye, "Vy");
        EYE_WAIT_TEXT(eye, "bytes sent to the clipboard");
        EYE_WAIT(eye, clipboard_is(eye, line));
        eye_detach(eye);
    }
}
END_TEST

/* As they were printed, though the terminal may show their parts. */
START_TEST(emoji_are_taken_whole)
{
    static const char coder[] = "\U0001f469\U0001f3fd\u200d\U0001f4bb has \u2764\ufe0f";
    char script[200];
    snprintf(script, sizeof(script), "echo '%s'; sleep 1000", coder);
    human_runs(&world, "emoji", script);
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, " has ");
    enter(eye);
    eye_type(eye, "gVy");
    EYE_WAIT_TEXT(eye, "bytes sent to the clipboard");
    EYE_WAIT(eye, clipboard_is(eye, strcat(strcpy(script, coder), "\n")));
    eye_detach(eye);
}
END_TEST

/* The words of a hyperlink say nothing about where it leads; the question does. */
START_TEST(a_link_shows_where_it_leads)
{
    const char *log = browser();
    human_runs(&world, "linked",
               "link() { printf '\\033]8;;%s\\033\\\\%s\\033]8;;\\033\\\\\\n' \"$1\" \"$2\"; }; "
               "link https://true.example/page?a=1 'the docs'; "
               "link https://evil.example/ https://good.example/; "
               "link mailto:a@b.example 'a letter'; echo sho''wn; sleep 1000");
    WAIT_FOR(world_shows(&world, "linked", "shown"));
    for (size_t i = 0; i < SIZES; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT_TEXT(eye, "shown");
        enter(eye);
        eye_type(eye, "g0wO");
        EYE_WAIT(eye, eye_shows(eye, "leads to") && eye_shows(eye, "the docs") &&
                          eye_shows(eye, "https://true.example/page?a=1"));
        unlink(log);
        eye_type(eye, "y");
        EYE_WAIT_TEXT(eye, "opened with");
        WAIT_FOR(access(log, R_OK) == 0 &&
                 strcmp(world_read(log), "1 https://true.example/page?a=1\n") == 0);
        eye_type(eye, "j0O");
        EYE_WAIT(eye, eye_shows(eye, "https://evil.example/") &&
                          eye_shows(eye, "its words name another host"));
        eye_type(eye, "n");
        EYE_WAIT(eye, !eye_shows(eye, "Open this"));
        eye_type(eye, "jO");
        EYE_WAIT_TEXT(eye, "not opened");
        eye_type(eye, "q");
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_detach(eye);
    }
}
END_TEST

/* Bracketed, as a terminal sends it. */
static void paste(struct eye *eye, const char *text)
{
    eye_type(eye, "\x1b[200~");
    eye_type(eye, text);
    eye_type(eye, "\x1b[201~");
}

/* Fingers that know vi, and those that know emacs. */
START_TEST(keys_of_vi_and_of_emacs)
{
    human_runs(&world, "code",
               "for i in $(seq 1 200); do echo \"call_$i(a[$i], b) else\"; done; sleep 1000");
    WAIT_FOR(world_shows(&world, "code", "call_200("));
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "call_200(");
    enter(eye);
    eye_type(eye, "150");
    EYE_WAIT_TEXT(eye, " 150 ");
    eye_type(eye, "G");
    EYE_WAIT_TEXT(eye, "line 150 of");
    eye_type(eye, "0f");
    EYE_WAIT_TEXT(eye, "which character?");
    int col, row;
    eye_type(eye, "(%");
    EYE_WAIT(eye, (row = eye_find(eye, "call_150(a[150], b)", &col)) > 0 &&
                      eye->cursor.row == row && eye->cursor.col == col + 18);
    eye_type(eye, "0*"); /* of two hundred lines one has this word */
    EYE_WAIT_TEXT(eye, " 1 of 1 hit ");
    eye_type(eye, "$*"); /* and all have this one */
    EYE_WAIT_TEXT(eye, " 151 of 200 hits ");
    eye_type(eye, "49n");
    EYE_WAIT_TEXT(eye, " 200 of 200 hits ");
    eye_type(eye, "n");
    EYE_WAIT(eye, eye_shows(eye, " 1 of 200 hits ") && eye_shows(eye, "from the beginning again"));
    eye_type(eye, "/");
    paste(eye, "a[77]\nand more");
    EYE_WAIT(eye, eye_shows(eye, "1 of 1 hit") && eye_shows(eye, "/a[77]"));
    eye_type(eye, "\x15l_19"); /* C-u */
    EYE_WAIT_TEXT(eye, " 1 of 11 hits ");
    eye_type(eye, "\x13"); /* C-s */
    EYE_WAIT_TEXT(eye, " 2 of 11 hits ");
    eye_type(eye, "\x12"); /* C-r */
    EYE_WAIT_TEXT(eye, " 1 of 11 hits ");
    eye_type(eye, "\r?\r"); /* nothing typed: the same again */
    EYE_WAIT_TEXT(eye, " 11 of 11 hits ");
    eye_type(eye, "vjq"); /* leaves, whatever is selected */
    EYE_WAIT(eye, !eye_shows(eye, " COPY "));
    eye_type(eye, ":");
    EYE_WAIT_TEXT(eye, "Tab complete");
    paste(eye, "theme\n");
    EYE_WAIT_TEXT(eye, "next theme");
    eye_type(eye, EYE_ENTER);
    EYE_WAIT(eye, !eye_shows(eye, "Tab complete"));
    eye_detach(eye);
}
END_TEST

/* A path inside means the human's own file, never what the agent can write. */
START_TEST(a_path_is_ones_own)
{
    char project[128], path[192];
    snprintf(project, sizeof(project), "%s/project", world.base);
    mkdir(project, 0700);
    world_file(&world, "project/mine.c", "int mine;\n", 0600);
    snprintf(path, sizeof(path), "%s/out", project);
    ck_assert_int_eq(symlink("/etc/hostname", path), 0);
    BELLJAR_OK(&world, "run", "-d", "-n", "paths", "--project", project, "--", "bash", "-c",
               "echo new >theirs.c; echo /work/mine.c:3:1 theirs.c out ../x; sleep 1000");
    WAIT_FOR(world_shows(&world, "paths", "theirs.c"));
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "theirs.c out");
    enter(eye);
    eye_type(eye, "gO");
    snprintf(path, sizeof(path), "%s/mine.c", project);
    EYE_WAIT(eye, eye_shows(eye, path) && eye_shows(eye, "your own file"));
    eye_type(eye, "n");
    EYE_WAIT(eye, !eye_shows(eye, "Open this"));
    eye_type(eye, "WO");
    EYE_WAIT_TEXT(eye, "not opened: you have no ");
    eye_type(eye, "WO");
    EYE_WAIT_TEXT(eye, "leads out of the project");
    eye_type(eye, "WO");
    EYE_WAIT_TEXT(eye, "not opened: the path leads out");
    eye_type(eye, "q");
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_detach(eye);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("copy");
    TCase *tests = tcase_create("copy");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, from_prompt_to_prompt);
    tcase_add_test(tests, from_request_to_request);
    tcase_add_test(tests, all_hits_are_marked);
    tcase_add_test(tests, a_rectangle_to_the_clipboard_and_a_file);
    tcase_add_test(tests, emoji_are_taken_whole);
    tcase_add_test(tests, opened_only_when_shown_and_allowed);
    tcase_add_test(tests, a_wrapped_line_is_one);
    tcase_add_test(tests, a_link_shows_where_it_leads);
    tcase_add_test(tests, keys_of_vi_and_of_emacs);
    tcase_add_test(tests, a_path_is_ones_own);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
