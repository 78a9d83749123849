/* What is exported of a recording is shown by a terminal, and does nothing else to it. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/unit/cli/suite.h"
#include "tui/cli/cast_clean.h"

static const struct {
    const char *given, *left;
} cases[] = {
    {"plain \x1b[1;31mred\x1b[m\r\n", "plain \x1b[1;31mred\x1b[m\r\n"},
    {"caf\xc3\xa9 \xc2\xa9 \xe2\x9c\x93 \xf0\x9f\x98\x80",
     "caf\xc3\xa9 \xc2\xa9 \xe2\x9c\x93 \xf0\x9f\x98\x80"},
    {"a\x1b]52;c;cm0gLXJmIH4=\x07z", "az"},
    {"a\x1b]52;c;cm0gLXJmIH4=\x1b\\z", "az"},
    {"a\xc2\x9d"
     "52;c;x\x07z",
     "az"},
    {"a\x1b]0;title\x1b[mz", "a\x1b[mz"},
    {"a\x1bP$qm\x1b\\b\x1b_G\x1b\\c\x1b^p\x1b\\d\x1bXs\x1b\\e", "abcde"},
    {"a\x1b[6n\x1b[c\x1b[>c\x1b[>0q\x1b[?u\x1b[18t\x1b[21t\x1b[5i\x1b[?2026$pz", "az"},
    {"\x1b[?25l\x1b[?1049h\x1b[?1000h\x1b[?1;2004hz\x1b[?1000l",
     "\x1b[?25l\x1b[?1049hz\x1b[?1000l"},
    {"a\x1bZ\x05\xc2\x9az", "az"},
    {"a\xc2\x9b"
     "6nb\xc2\x9b"
     "1mc",
     "ab\x1b[1mc"},
    {"a\x1b[12\x18z\x1b]x\x1ay", "azy"},
    {"a\x1b[\n>q\x1b[1\n;1mz", "a\n\n\x1b[1;1mz"},
    {"a\x1b\x1b]52;x\x07z", "az"},
    {"\x1b(B\x1b"
     "7\x1b"
     "8\x1b=",
     "\x1b(B\x1b"
     "7\x1b"
     "8\x1b="},
};

/* However it is cut in pieces. */
START_TEST(only_what_is_shown)
{
    const char *given = cases[_i].given;
    size_t size = strlen(given);
    for (size_t piece = 1; piece <= size; piece++) {
        struct cast_clean clean = {0};
        char left[512 + CAST_CLEAN_MORE];
        size_t length = 0;
        for (size_t at = 0; at < size; at += piece)
            length += cast_clean(&clean, given + at, size - at < piece ? size - at : piece,
                                 left + length);
        ck_assert_uint_eq(length, strlen(cases[_i].left));
        ck_assert_mem_eq(left, cases[_i].left, length);
    }
}
END_TEST

START_TEST(endless_sequences_are_left_out)
{
    struct cast_clean clean = {0};
    char given[1000], left[1000 + CAST_CLEAN_MORE];
    memset(given, '1', sizeof(given));
    memcpy(given, "\x1b[", 2);
    ck_assert_uint_eq(cast_clean(&clean, given, sizeof(given), left), 0);
    ck_assert_uint_eq(cast_clean(&clean, "mz", 2, left), 1);
    ck_assert(left[0] == 'z');
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("cast_clean");
    tcase_add_loop_test(tests, only_what_is_shown, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tests, endless_sequences_are_left_out);
    return run_suite("cast_clean", tests);
}
