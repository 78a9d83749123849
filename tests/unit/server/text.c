#include "mux/server/text.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/server/suite.h"

static const char *clean(const char *text, bool lines)
{
    static char out[256];
    text_clean(out, sizeof(out), text, strlen(text), lines);
    return out;
}

START_TEST(controls_become_pictures)
{
    ck_assert_str_eq(clean("a\x1b[2Jb\r\nc\td\x7f", false), "a␛[2Jb␍⏎c␉d␡");
    ck_assert_str_eq(clean("a\nb\tc\r", true), "a\nb\tc␍");
    ck_assert_str_eq(clean("\xc2\x9b"
                           "31m",
                           false),
                     "\ufffd31m"); /* C1 CSI */
}
END_TEST

START_TEST(what_is_no_utf8_is_marked)
{
    ck_assert_str_eq(clean("\x80x", false), "\xef\xbf\xbdx");
    ck_assert_str_eq(clean("\xc0\xaf", false), "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong */
    ck_assert_str_eq(clean("\xed\xa0\x80", false),
                     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
    ck_assert_str_eq(clean("\xf4\x90\x80\x80", false),
                     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");   /* too high */
    ck_assert_str_eq(clean("\xe2\x82", false), "\xef\xbf\xbd\xef\xbf\xbd"); /* cut */
    ck_assert_str_eq(clean("\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94", false),
                     "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94");
}
END_TEST

START_TEST(what_hides_or_reorders_goes)
{
    ck_assert_str_eq(clean("a\xe2\x80\xae"
                           "b\xe2\x81\xa6"
                           "c\xe2\x80\x8b"
                           "d\xef\xbb\xbf",
                           false),
                     "abcd");
    ck_assert_str_eq(clean("\xf3\xa0\x81\x81x", false), "x"); /* a tag character */
}
END_TEST

START_TEST(cut_at_a_character)
{
    char out[6];
    ck_assert_uint_eq(text_clean(out, sizeof(out), "abcd\xc3\xa4", 6, false), 4);
    ck_assert_str_eq(out, "abcd");
    char *copy = text_clean_copy("\xff\xff", 2, 100, false);
    ck_assert_str_eq(copy, "\xef\xbf\xbd\xef\xbf\xbd");
    free(copy);
    copy = text_clean_copy("abcdef", 6, 3, false);
    ck_assert_str_eq(copy, "abc");
    free(copy);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {controls_become_pictures, what_is_no_utf8_is_marked,
                                  what_hides_or_reorders_goes, cut_at_a_character, NULL};
    return suite_run("text", cases);
}
