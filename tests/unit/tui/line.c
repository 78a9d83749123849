#include "suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model/line.h"

static struct line line;

static void type(const char *keys)
{
    while (*keys) {
        size_t size = strcspn(keys, " ");
        struct chord chord;
        ck_assert(keys_parse(keys, size, &chord));
        line_key(&line, &chord);
        ck_assert_uint_le(line.cursor, line.size);
        keys += size + (keys[size] == ' ');
    }
}

START_TEST(editing)
{
    line_set(&line, "");
    type("a b c Left Left X");
    ck_assert_str_eq(line.text, "aXbc");
    type("Home Delete End Backspace");
    ck_assert_str_eq(line.text, "Xb");
    type("C-a Y C-e Z");
    ck_assert_str_eq(line.text, "YXbZ");
    type("C-b C-k");
    ck_assert_str_eq(line.text, "YXb");
    type("Space w o r d C-w");
    ck_assert_str_eq(line.text, "YXb ");
    type("C-u");
    ck_assert_str_eq(line.text, "");
    type("Backspace Delete Left Right C-w");
    ck_assert_str_eq(line.text, "");
    type("F5 PageUp M-x C-z"); /* not for a line */
    ck_assert_str_eq(line.text, "");
    type("\u6f22 \u00e9 Left Backspace");
    ck_assert_str_eq(line.text, "\u00e9");
}
END_TEST

START_TEST(pasting)
{
    line_set(&line, "ab");
    type("Left");
    line_insert(&line, "x\x1by\nrest", 8);
    ck_assert_str_eq(line.text, "ax\ufffdyb");
    char big[2 * LINE_MAX_BYTES];
    memset(big, 'z', sizeof(big));
    line_insert(&line, big, sizeof(big));
    ck_assert_uint_lt(line.size, LINE_MAX_BYTES);
}
END_TEST

START_TEST(splitting)
{
    struct words words;
    struct bj_error error = {0};
    ck_assert_int_eq(line_split("  a 'b c' \"d \\\" e\" f\\ g '' x'y'z ", &words, &error), 0);
    ck_assert_uint_eq(words.count, 6);
    ck_assert_str_eq(words.word[1], "b c");
    ck_assert_str_eq(words.word[2], "d \" e");
    ck_assert_str_eq(words.word[3], "f g");
    ck_assert_str_eq(words.word[4], "");
    ck_assert_str_eq(words.word[5], "xyz");
    ck_assert_int_eq(line_split("'open", &words, &error), -EINVAL);
    char many[300] = "";
    for (int i = 0; i < 70; i++)
        strcat(many, "a ");
    ck_assert_int_eq(line_split(many, &words, &error), -EINVAL);
}
END_TEST

START_TEST(run_lines)
{
    struct run_line run;
    struct bj_error error = {0};
    ck_assert_int_eq(line_run("make -j2", &run, &error), 0);
    ck_assert_uint_eq(run.first, 0);
    ck_assert_uint_eq(run.words.count, 2);
    ck_assert_ptr_null(run.name);
    ck_assert_int_eq(line_run("-n b --project ~/x -- make -k", &run, &error), 0);
    ck_assert_str_eq(run.name, "b");
    ck_assert_str_eq(run.project, "~/x");
    ck_assert_str_eq(run.words.word[run.first], "make");
    ck_assert_int_eq(line_run("-n", &run, &error), -EINVAL);
    ck_assert_int_eq(line_run("-n x", &run, &error), 0);
    ck_assert_str_eq(run.name, "x");
    ck_assert_uint_eq(run.first, run.words.count);
    ck_assert_int_eq(line_run("", &run, &error), 0);
    ck_assert_uint_eq(run.first, run.words.count);
    setenv("SHELL", "/usr/bin/fish", 1);
    ck_assert_str_eq(line_shell(), "fish");
    setenv("SHELL", "", 1);
    ck_assert_str_eq(line_shell(), "bash");
    ck_assert_int_eq(line_run("--what x", &run, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "--what"));
}
END_TEST

SUITE_MAIN("line", editing, pasting, splitting, run_lines)
