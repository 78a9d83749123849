#include "suite.h"

#include <errno.h>
#include <string.h>

#include "tui/model/diff.h"

static struct diff diff;

static void read_text(const char *text)
{
    diff_free(&diff);
    ck_assert_int_eq(diff_add(&diff, text, strlen(text)), 0);
    ck_assert_int_eq(diff_end(&diff), 0);
}

static void file_is(size_t number, const char *name, char change, uint32_t added, uint32_t removed)
{
    ck_assert_uint_lt(number, diff.file_count);
    const struct diff_file *file = &diff.files[number];
    ck_assert_str_eq(diff_text(&diff, file->name), name);
    ck_assert_msg(file->change == change, "%s: %c", name, file->change);
    ck_assert_uint_eq(file->added, added);
    ck_assert_uint_eq(file->removed, removed);
}

static void line_is(size_t number, enum diff_kind kind, uint32_t old, uint32_t new,
                    const char *text)
{
    ck_assert_uint_lt(number, diff.count);
    const struct diff_line *line = &diff.lines[number];
    ck_assert_str_eq(diff_text(&diff, line->text), text);
    ck_assert_int_eq(line->kind, kind);
    ck_assert_uint_eq(line->old, old);
    ck_assert_uint_eq(line->new, new);
}

START_TEST(lines_have_their_numbers)
{
    read_text("diff --git a/a.c b/a.c\nindex 1..2 100644\n--- a/a.c\n+++ b/a.c\n"
              "@@ -3,3 +3,4 @@ int main(void)\n same\n-gone\n+\tnew\n+more\n last\n");
    file_is(0, "a.c", 'M', 2, 1);
    line_is(0, DIFF_HUNK, 0, 0, "@@ -3,3 +3,4 @@ int main(void)");
    line_is(1, DIFF_CONTEXT, 3, 3, "same");
    line_is(2, DIFF_REMOVED, 4, 0, "gone");
    line_is(3, DIFF_ADDED, 0, 4, "    new");
    line_is(4, DIFF_ADDED, 0, 5, "more");
    line_is(5, DIFF_CONTEXT, 5, 6, "last");
    ck_assert_uint_eq(diff.added, 2);
    ck_assert_uint_eq(diff.removed, 1);
}
END_TEST

START_TEST(files_are_told_apart)
{
    read_text("diff --git a/new b/new\nnew file mode 100755\n--- /dev/null\n+++ b/new\n"
              "@@ -0,0 +1 @@\n+x\n"
              "diff --git a/old b/old\ndeleted file mode 100644\n--- a/old\n+++ /dev/null\n"
              "@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n"
              "diff --git a/one two b/three four\nsimilarity index 100%\nrename from one two\n"
              "rename to three four\n"
              "diff --git a/mode b/mode\nold mode 100644\nnew mode 100755\n"
              "diff --git a/x y b/x y\n--- a/x y\t\n+++ b/x y\t\n@@ -1 +1 @@\n-a\n+b\n"
              "diff --git \"a/q\\t\" \"b/q\\t\"\n--- \"a/q\\t\"\n+++ \"b/q\\t\"\n");
    ck_assert_uint_eq(diff.file_count, 6);
    file_is(0, "new", 'A', 1, 0);
    file_is(1, "old", 'D', 0, 1);
    file_is(2, "three four", 'R', 0, 0);
    file_is(3, "mode", 'M', 0, 0);
    file_is(4, "x y", 'M', 1, 1);
    file_is(5, "\"q\\t\"", 'M', 0, 0);
    line_is(0, DIFF_NOTE, 0, 0, "new file mode 100755");
}
END_TEST

/* A changed line that looks like a head is a line: the numbers of the hunk say so. */
START_TEST(an_agent_cannot_forge_a_head)
{
    read_text("diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n--- a/secret\n"
              "+++ b/secret\n diff --git a/x b/x\n");
    ck_assert_uint_eq(diff.file_count, 1);
    file_is(0, "a", 'M', 1, 1);
    line_is(1, DIFF_REMOVED, 1, 0, "-- a/secret");
    line_is(2, DIFF_ADDED, 0, 1, "++ b/secret");
    line_is(3, DIFF_CONTEXT, 2, 2, "diff --git a/x b/x");
}
END_TEST

/* Whatever it is, it is text and nothing else. */
START_TEST(anything_is_survived)
{
    read_text("not a diff\n@@ -1 +1 @@\n@@ -x +y @@\n\n\x1b[31mred\x1b[m \xe2\x80\xae\xff");
    ck_assert_uint_eq(diff.file_count, 1);
    for (size_t i = 0; i < diff.count; i++)
        ck_assert_ptr_null(strpbrk(diff_text(&diff, diff.lines[i].text), "\x1b\n\t"));
    read_text("diff --git a/a b/a\n@@ -4294967295,4294967295 +4294967295,99999999999999999999 @@\n"
              "+a\n-b\n c\nfree\n");
    ck_assert_uint_eq(diff.count, 5);
    diff_free(&diff);
    ck_assert_int_eq(diff_add(&diff, "diff --git a/a b/a\n+\0x\n", 22), 0);
    ck_assert_int_eq(diff_end(&diff), 0);
    line_is(0, DIFF_NOTE, 0, 0, "+?x");
}
END_TEST

START_TEST(too_much_is_cut)
{
    char line[DIFF_LINE_MAX + 100];
    memset(line, 'x', sizeof(line));
    read_text("diff --git a/a b/a\n@@ -0,0 +1,99999 @@\n");
    line[0] = '+';
    line[sizeof(line) - 1] = '\n';
    ck_assert_int_eq(diff_add(&diff, line, sizeof(line)), 0);
    const char *kept = diff_text(&diff, diff.lines[1].text);
    ck_assert_uint_le(strlen(kept), DIFF_LINE_MAX);
    ck_assert_str_eq(kept + strlen(kept) - 3, "\xe2\x80\xa6");
    int status = 0;
    for (int i = 0; status == 0 && i < 100000; i++)
        status = diff_add(&diff, line, sizeof(line));
    ck_assert_int_eq(status, -EFBIG);
    ck_assert(diff.cut);
    ck_assert_uint_le(diff.size, DIFF_BYTES_MAX);
    ck_assert_int_eq(diff_add(&diff, "+y\n", 3), -EFBIG);
    ck_assert_int_eq(diff_end(&diff), 0);
}
END_TEST

START_TEST(what_differs_within_a_line)
{
    size_t from, to;
    read_text("diff --git a/a b/a\n@@ -1,4 +1,3 @@\n-call(one, 2);\n-b\n+call(three, 2);\n+zzz\n"
              "-x\n-\xc3\xa4 word\n+\xc3\xb6 word\n");
    ck_assert(diff_differs(&diff, 1, &from, &to));
    ck_assert_uint_eq(from, 5);
    ck_assert_uint_eq(to, 7); /* "on": the e is in both */
    ck_assert(diff_differs(&diff, 3, &from, &to));
    ck_assert_uint_eq(from, 5);
    ck_assert_uint_eq(to, 9);
    ck_assert(!diff_differs(&diff, 2, &from, &to)); /* all of it */
    ck_assert(!diff_differs(&diff, 0, &from, &to)); /* a head */
    ck_assert(!diff_differs(&diff, 6, &from, &to)); /* nothing beside it */
    ck_assert(!diff_differs(&diff, 99, &from, &to));
    read_text("diff --git a/a b/a\n@@ -1 +1 @@\n-\xc3\xa4 word\n+\xc3\xb6 word\n");
    ck_assert(diff_differs(&diff, 1, &from, &to));
    ck_assert_uint_eq(from, 0); /* never half a character */
    ck_assert_uint_eq(to, 2);
    diff_free(&diff);
}
END_TEST

SUITE_MAIN("diff", lines_have_their_numbers, files_are_told_apart, an_agent_cannot_forge_a_head,
           anything_is_survived, too_much_is_cut, what_differs_within_a_line)
