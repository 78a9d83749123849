/*
 * The review as a person meets it: real agents change real repositories, and what they changed is
 * read, commented and pulled from the dashboard.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct world world;
static char project[96];

static void setup(void)
{
    world_open(&world);
    snprintf(project, sizeof(project), "%s/project", world.base);
    ck_assert_int_eq(mkdir(project, 0755), 0);
}

static void teardown(void)
{
    world_close(&world);
}

static const char *host(const char *script)
{
    return human_shell(&world, project, script);
}

static struct eye *attach(int rows, int cols)
{
    struct eye *eye = eye_open(rows, cols, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    EYE_WAIT_TEXT(eye, "1 sandbox");
    return eye;
}

static VTermColor colour_of(struct eye *eye, const char *text)
{
    VTermScreenCell cell;
    int col, row = eye_find(eye, text, &col);
    ck_assert_msg(row >= 0, "%s is not on the screen", text);
    eye_cell(eye, row, col, &cell);
    return cell.fg;
}

#define CHANGES                                                                                    \
    "sed -i s/one/ONE/ a; rm b; echo deeper >>sub/c\n"                                             \
    "printf '\xe6\x97\xa5\xe6\x9c\xac\\033[31m\\n' >wide\n"

START_TEST(what_changed_is_shown_at_any_size)
{
    static const int sizes[][2] = {{24, 80}, {40, 120}, {50, 200}};
    int rows = sizes[_i][0], cols = sizes[_i][1];
    human_repository(&world, project);
    human_runs_in(&world, "one", project, NULL, CHANGES);
    struct eye *eye = attach(rows, cols);
    eye_type(eye, "v");
    EYE_WAIT_TEXT(eye, "4 files");
    EYE_WAIT_TEXT(eye, "REVIEW");
    EYE_WAIT_TEXT(eye, "one since its start");
    EYE_WAIT_TEXT(eye, "+3 -2");
    if (cols < 120)
        EYE_WAIT_TEXT(eye, "D b  "); /* the list comes first */
    else
        EYE_WAIT_TEXT(eye, "A wide"); /* it stands beside */
    eye_type(eye, "\t");              /* from the list, or from a, to the next file */
    if (cols < 120)
        eye_type(eye, "\t\t");
    EYE_WAIT_TEXT(eye, "b deleted");
    EYE_WAIT_TEXT(eye, "- two");
    eye_type(eye, "\t\t");
    EYE_WAIT_TEXT(eye, "wide new");
    EYE_WAIT_TEXT(eye, "+ \xe6\x97\xa5\xe6\x9c\xac^[[31m"); /* seen, not obeyed */
    eye_type(eye, "g");
    eye_type(eye, "]");
    EYE_WAIT(eye, eye_shows(eye, "- one") && eye_shows(eye, "+ ONE"));
    VTermColor added = colour_of(eye, "+ ONE"), removed = colour_of(eye, "- one");
    ck_assert(!vterm_color_is_equal(&added, &removed));

    eye_type(eye, "s");
    EYE_WAIT(eye, eye_find(eye, "- one", NULL) == eye_find(eye, "+ ONE", NULL));
    eye_type(eye, "s");
    EYE_WAIT(eye, eye_find(eye, "- one", NULL) != eye_find(eye, "+ ONE", NULL));
    eye_type(eye, "/deep");
    EYE_WAIT_TEXT(eye, "2 hits");
    eye_type(eye, EYE_ENTER);
    eye_type(eye, "?");
    EYE_WAIT_TEXT(eye, "old and new side by side");
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "old and new side by side"));
    EYE_WAIT_TEXT(eye, "+ deeper");
    eye_type(eye, "q");
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    EYE_WAIT_TEXT(eye, "all-is-ready"); /* the pane is back as a whole */
    EYE_WAIT(eye, !eye_shows(eye, "+ deeper"));
    eye_detach(eye);
}
END_TEST

START_TEST(a_comment_reaches_the_agent)
{
    human_repository(&world, project);
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "-p", project, "--", "sh", "-c",
               "echo more >>sub/c; rm a; echo all-is-ready; exec cat");
    WAIT_FOR(world_shows(&world, "one", "all-is-ready"));
    struct eye *eye = attach(24, 80);
    eye_type(eye, "v");
    EYE_WAIT_TEXT(eye, "2 files");
    eye_type(eye, "/more");
    EYE_WAIT_TEXT(eye, "1 hit");
    eye_type(eye, EYE_ENTER);
    eye_type(eye, "c");
    EYE_WAIT_TEXT(eye, "Tell one about sub/c:2");
    eye_escape(eye); /* thought better of it */
    EYE_WAIT(eye, !eye_shows(eye, "Tell one"));
    eye_type(eye, "c");
    EYE_WAIT_TEXT(eye, "Tell one about sub/c:2");
    eye_type(eye, "why this?");
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "sent: sub/c:2: why this?");
    /* A line that is gone is told by its old number. */
    eye_type(eye, "/one\r");
    EYE_WAIT_TEXT(eye, "1 hit");
    eye_type(eye, "c");
    EYE_WAIT_TEXT(eye, "Tell one about a:-1");
    eye_type(eye, "keep it\r");
    EYE_WAIT_TEXT(eye, "sent: a:-1: keep it");
    eye_type(eye, "q");
    /* As typed, with Enter behind: cat says it again. */
    WAIT_FOR((eye_pump(eye, 20), world_shows(&world, "one", "sub/c:2: why this?\nsub/c:2: why")));
    WAIT_FOR((eye_pump(eye, 20), world_shows(&world, "one", "a:-1: keep it\na:-1: keep it")));
    eye_detach(eye);
}
END_TEST

START_TEST(pulled_from_the_review)
{
    human_repository(&world, project);
    human_runs_in(&world, "one", project, NULL, CHANGES);
    struct eye *eye = attach(40, 120);
    eye_type(eye, "v");
    EYE_WAIT_TEXT(eye, "4 files");
    eye_type(eye, "p");
    EYE_WAIT_TEXT(eye, "Pull the work of one as the branch belljar/one (of a plain");
    EYE_WAIT_TEXT(eye, "./one)?");
    eye_type(eye, "n");
    EYE_WAIT(eye, !eye_shows(eye, "Pull the work"));
    ck_assert_str_eq(host("git branch --format='%(refname)'"), "refs/heads/main\n");
    eye_type(eye, "p");
    EYE_WAIT_TEXT(eye, "Pull the work");
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "branch belljar/one at ");
    EYE_WAIT_TEXT(eye, "1 commit, 4 files, +3 -2");
    ck_assert_str_eq(host("git show belljar/one:a"), "ONE\n");
    ck_assert_str_eq(host("git show belljar/one:sub/c"), "deep\ndeeper\n");
    eye_type(eye, "p");
    EYE_WAIT_TEXT(eye, "Pull the work");
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "nothing new in one");
    /* What does not go says why. */
    host("git branch -f belljar/one main && git commit -q --allow-empty -m other &&"
         "git branch -f belljar/one HEAD");
    eye_type(eye, "p");
    EYE_WAIT_TEXT(eye, "Pull the work");
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "not pulled: the branch belljar/one is there");
    ck_assert_str_eq(host("git log -1 --format=%s belljar/one"), "other\n");
    eye_type(eye, "q");
    eye_detach(eye);
}
END_TEST

START_TEST(nothing_changed_and_what_goes_wrong)
{
    human_repository(&world, project);
    human_runs_in(&world, "one", project, NULL, "true");
    struct eye *eye = attach(24, 80);
    eye_type(eye, "v");
    EYE_WAIT_TEXT(eye, "Nothing has changed since it began.");
    eye_type(eye, "cp"); /* there is nothing to comment and to pull */
    ck_assert(!eye_shows(eye, "Pull the work"));
    BELLJAR_OK(&world, "pause", "one");
    eye_type(eye, "r");
    EYE_WAIT_TEXT(eye, "one is paused: belljar resume one");
    BELLJAR_OK(&world, "resume", "one");
    const char *file = world_file(&world, "own.txt", "mine\n", 0644);
    BELLJAR_OK(&world, "push", file, "one");
    eye_type(eye, "r");
    EYE_WAIT_TEXT(eye, "+ mine");
    BELLJAR_OK(&world, "kill", "one");
    eye_type(eye, "c");
    EYE_WAIT_TEXT(eye, "one has ended: nobody reads comments");
    BELLJAR_OK(&world, "rm", "one");
    EYE_WAIT(eye, !eye_shows(eye, "REVIEW")); /* nothing is left to be looked at */
    eye_detach(eye);
}
END_TEST

/* Without a repository it is compared with the folder as it is, or with nothing. */
START_TEST(a_plain_folder)
{
    struct result result;
    host("printf 'one\\ntwo\\n' >list.txt; echo gone >gone.txt; mkdir deep\n"
         "printf 'same\\r\\n' >deep/same.txt; echo '* text eol=crlf' >.gitattributes\n");
    human_runs_in(&world, "plain", project, NULL,
                  "echo three >>list.txt; rm gone.txt; mkdir new .git; echo '#!/bin/sh' >new/run\n"
                  "chmod +x new/run; echo evil >.git/config\n");
    BELLJAR(&world, &result, "diff", "plain");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_msg(strstr(result.out, "--- a/list.txt\n+++ b/list.txt\n") &&
                      strstr(result.out, "\n+three\n") && strstr(result.out, "+++ b/new/run\n") &&
                      strstr(result.out, "new file mode 100755") &&
                      strstr(result.out, "deleted file mode 100644\n"),
                  "%s", result.out);
    ck_assert_ptr_null(strstr(result.out, "same"));
    ck_assert_ptr_null(strstr(result.out, "evil"));
    ck_assert_msg(strstr(result.err, "not compared") != NULL, "%s", result.err);
    result_free(&result);
    BELLJAR(&world, &result, "diff", "plain", "--stat");
    ck_assert_msg(strstr(result.out, "3 files changed") != NULL, "%s", result.out);
    result_free(&result);

    struct eye *eye = attach(24, 80);
    eye_type(eye, "v");
    EYE_WAIT_TEXT(eye, "3 files");
    EYE_WAIT_TEXT(eye, "list.txt");
    eye_type(eye, "q");
    eye_detach(eye);

    human_runs(&world, "bare", "echo hello >/work/own.txt; echo done; sleep 1000");
    WAIT_FOR(world_shows(&world, "bare", "done"));
    BELLJAR(&world, &result, "diff", "bare");
    ck_assert_msg(result.code == 0 && strstr(result.out, "+hello\n"), "%s%s", result.out,
                  result.err);
    result_free(&result);
    BELLJAR(&world, &result, "diff", "plain", "--max-size", "1k");
    ck_assert_msg(result.code != 0 && strstr(result.err, "--max-size"), "%s", result.err);
    result_free(&result);
}
END_TEST

/* What it did before it ended is there to be read and taken. */
START_TEST(one_that_has_ended)
{
    human_repository(&world, project);
    human_runs_in(&world, "one", project, NULL, CHANGES);
    BELLJAR_OK(&world, "kill", "one");
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "v");
    EYE_WAIT_TEXT(eye, "4 files");
    eye_type(eye, "p");
    EYE_WAIT_TEXT(eye, "Pull the work");
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "branch belljar/one at ");
    ck_assert_str_eq(host("git show belljar/one:a"), "ONE\n");
    eye_type(eye, "q");
    eye_detach(eye);
}
END_TEST

/* The agent decides how long git takes inside; the dashboard does not wait. */
START_TEST(a_diff_that_hangs_holds_nobody)
{
    human_repository(&world, project);
    human_runs_in(&world, "one", project, NULL,
                  "printf '#!/bin/sh\\n>/tmp/hangs\\nexec sleep 1000\\n' >/tmp/hang\n"
                  "chmod +x /tmp/hang; git config core.fsmonitor /tmp/hang\n"
                  "(while ! test -e /tmp/hangs; do sleep 0.1; done; echo it-hangs) &\n");
    BELLJAR_OK(&world, "run", "-d", "-n", "two", "--", "sh", "-c", "echo second; exec cat");
    struct eye *eye = eye_open(40, 120, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "2 sandboxes");
    eye_type(eye, "1v");
    EYE_WAIT_TEXT(eye, "git looks inside for what has changed");
    WAIT_FOR((eye_pump(eye, 20), world_shows(&world, "one", "it-hangs")));
    eye_type(eye, "q2\r");
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, "still alive\r");
    EYE_WAIT_TEXT(eye, "still alive");
    /* Nobody waits for it any more, so it ends, and the log says so. */
    WAIT_FOR((eye_pump(eye, 20), HUMAN_READS(&world, "interrupted", "audit", "show", "--sandbox",
                                             "one", "--kind", "file_out")));
    eye_type(eye, EYE_F12);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "1v");
    EYE_WAIT_TEXT(eye, "git looks inside for what has changed");
    /* Leaving the dashboard ends it, too. */
    eye_type(eye, "\x03");
    eye_detach(eye);
}
END_TEST

START_TEST(huge_and_hostile_changes)
{
    human_repository(&world, project);
    human_runs_in(&world, "one", project, NULL,
                  "seq 300000 | sed 's/$/ --- a forged line/' >zlots\n"
                  "printf '%s\\n' '++ b/etc/shadow' \"$(printf '\\342\\200\\256')evil\" >>a\n"
                  "n=$(printf 'x\\033[31mred\\n'); echo 1 >\"$n\"\n");
    struct eye *eye = attach(40, 120);
    eye_type(eye, "v");
    EYE_WAIT_TEXT(eye, "+ files");
    EYE_WAIT_TEXT(eye, "+ ++ b/etc/shadow"); /* a line, no head */
    EYE_WAIT_TEXT(eye, "\\u{202e}evil");
    EYE_WAIT_TEXT(eye, "A \"x\\033[31mred\"");
    eye_type(eye, "G");
    EYE_WAIT_TEXT(eye, "What follows is left out");
    ck_assert_ptr_null(strstr(eye->raw, "\x1b[31mred"));
    ck_assert_ptr_null(strstr(eye->raw, "\xe2\x80\xae"));
    eye_type(eye, "q");
    eye_detach(eye);
}
END_TEST

START_TEST(who_only_looks_only_looks)
{
    human_repository(&world, project);
    human_runs_in(&world, "one", project, NULL, CHANGES);
    struct eye *eye =
        eye_open(24, 80, (const char *const[]){world.belljar, "attach", "--read-only", NULL});
    EYE_WAIT_TEXT(eye, "1 sandbox");
    eye_type(eye, "v");
    EYE_WAIT_TEXT(eye, "4 files");
    eye_type(eye, "p");
    EYE_WAIT_TEXT(eye, "only looks");
    eye_type(eye, "c");
    ck_assert(!eye_shows(eye, "Tell one"));
    eye_type(eye, "q");
    eye_detach(eye);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("review");
    TCase *tests = tcase_create("review");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, what_changed_is_shown_at_any_size, 0, 3);
    tcase_add_test(tests, a_comment_reaches_the_agent);
    tcase_add_test(tests, pulled_from_the_review);
    tcase_add_test(tests, nothing_changed_and_what_goes_wrong);
    tcase_add_test(tests, a_plain_folder);
    tcase_add_test(tests, one_that_has_ended);
    tcase_add_test(tests, a_diff_that_hangs_holds_nobody);
    tcase_add_test(tests, huge_and_hostile_changes);
    tcase_add_test(tests, who_only_looks_only_looks);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
