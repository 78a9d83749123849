#include "suite.h"

#include <string.h>

#include "tui/model/text.h"

static const char *clean(const char *text)
{
    static char out[256];
    size_t size = text_clean(out, sizeof(out), text, strlen(text));
    ck_assert_uint_eq(size, strlen(out));
    return out;
}

START_TEST(controls_never_pass)
{
    ck_assert_str_eq(clean("plain"), "plain");
    ck_assert_str_eq(clean("a\x1b[31mb"), "a\xef\xbf\xbd[31mb");
    ck_assert_str_eq(clean("a\tb\rc"), "a b c");
    ck_assert_str_eq(clean("a\nb"), "a\u23ceb");
    ck_assert_str_eq(clean("a\xc2\x9b"
                           "b"),
                     "a\ufffdb"); /* C1 CSI */
    ck_assert_str_eq(clean("\x7f"), "\ufffd");
    for (int byte = 1; byte < 256; byte++) {
        char text[3] = {'x', (char)byte, 0};
        for (const char *at = clean(text); *at; at++)
            ck_assert_msg((unsigned char)*at >= 0x20 && *at != 0x7f, "byte %d passes", byte);
    }
}
END_TEST

START_TEST(direction_and_invisible_are_left_out)
{
    ck_assert_str_eq(clean("abc\u202etxt.exe"), "abctxt.exe");
    ck_assert_str_eq(clean("a\u2066b\u2069c\u200bd\u200de\u00adf\ufeff"), "abcdef");
    ck_assert_str_eq(clean("\U000e0041x"), "x"); /* tag characters */
    ck_assert_str_eq(clean("\u2764\ufe0f"), "\u2764");
}
END_TEST

static const char *joined(const char *text)
{
    static char out[256];
    size_t size = text_clean_joined(out, sizeof(out), text, strlen(text));
    ck_assert_uint_eq(size, strlen(out));
    return out;
}

#define CODER    "\U0001f469\U0001f3fd\u200d\U0001f4bb" /* woman, skin tone, joiner, laptop */
#define BURNING  "\u2764\ufe0f\u200d\U0001f525"
#define KEYCAP_1 "1\ufe0f\u20e3"

/* What makes one emoji of several stays; between anything else it would hide something. */
START_TEST(emoji_stay_whole)
{
    static const char *const whole[] = {CODER, BURNING, KEYCAP_1, "\u2764\ufe0e", "e\u0301"};
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        ck_assert_str_eq(joined(whole[i]), whole[i]);
    ck_assert_str_eq(joined("a\u200db\ufe0fc1\ufe0fd"), "abc1d");
    ck_assert_str_eq(joined("\U0001f469\u200d"), "\U0001f469");
    ck_assert_str_eq(joined("\u200d\U0001f469\u200dx\ufe0f\U000e0041"), "\U0001f469x");
    ck_assert_str_eq(joined("abc\u202etxt\u200b"), "abctxt");
    ck_assert_int_eq(text_width(CODER), 6); /* as a terminal that does not join them */
    ck_assert_int_eq(text_width(BURNING), 3);
    ck_assert_str_eq(clean(CODER), "\U0001f469\U0001f3fd\U0001f4bb");
}
END_TEST

START_TEST(invalid_utf8_is_replaced)
{
    ck_assert_str_eq(clean("a\xff"
                           "b"),
                     "a\ufffdb");
    ck_assert_str_eq(clean("\xc3"), "\ufffd");
    ck_assert_str_eq(clean("\xed\xa0\x80"), "\ufffd\ufffd\ufffd"); /* a surrogate */
    ck_assert_str_eq(clean("\xf8\x88\x80\x80\x80"), "\ufffd\ufffd\ufffd\ufffd\ufffd");
}
END_TEST

START_TEST(marks_are_bounded)
{
    ck_assert_str_eq(clean("e\u0301\u0301\u0301\u0301\u0301x"), "e\u0301\u0301x");
    ck_assert_str_eq(clean("\u0301x"), "x");
}
END_TEST

START_TEST(cut_at_a_character)
{
    char out[5];
    ck_assert_uint_eq(text_clean(out, sizeof(out), "\u6f22\u6f22", 6), 3);
    ck_assert_str_eq(out, "\u6f22");
    ck_assert_uint_eq(text_clean(out, 1, "abc", 3), 0);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(widths)
{
    ck_assert_int_eq(text_width("abc"), 3);
    ck_assert_int_eq(text_width("\u6f22\u5b57"), 4);
    ck_assert_int_eq(text_width("\U0001f600"), 2);
    ck_assert_int_eq(text_width("e\u0301"), 1);
}
END_TEST

START_TEST(fits_any_width)
{
    char out[64];
    ck_assert_int_eq(text_fit(out, sizeof(out), "hello", 5, false), 5);
    ck_assert_str_eq(out, "hello");
    ck_assert_int_eq(text_fit(out, sizeof(out), "hello", 4, false), 4);
    ck_assert_str_eq(out, "hel\u2026");
    ck_assert_int_eq(text_fit(out, sizeof(out), "hello", 4, true), 4);
    ck_assert_str_eq(out, "hel~");
    ck_assert_int_eq(text_fit(out, sizeof(out), "hello", 0, false), 0);
    ck_assert_str_eq(out, "");
    for (int columns = 0; columns < 12; columns++) {
        int used = text_fit(out, sizeof(out), "a\u6f22b\u6f22e\u0301\U0001f600", columns, false);
        ck_assert_int_le(used, columns);
        ck_assert_int_eq(used, text_width(out));
    }
    char small[8];
    int used = text_fit(small, sizeof(small), "a long text in a small buffer", 40, false);
    ck_assert_int_eq(used, text_width(small));
    ck_assert_uint_lt(strlen(small), sizeof(small));
}
END_TEST

START_TEST(wraps)
{
    const char *next;
    ck_assert_uint_eq(text_wrap("one two three", 8, &next), 7);
    ck_assert_str_eq(next, "three");
    ck_assert_uint_eq(text_wrap("abcdefghij", 4, &next), 4);
    ck_assert_str_eq(next, "efghij");
    ck_assert_uint_eq(text_wrap("a\u23ce"
                                "b",
                                10, &next),
                      4);
    ck_assert_str_eq(next, "b");
    ck_assert_int_eq(text_lines("", 10), 0);
    ck_assert_int_eq(text_lines("one two three four", 9), 3);
    ck_assert_int_eq(text_lines("\u6f22\u6f22\u6f22", 1), 3); /* never stuck */
}
END_TEST

SUITE_MAIN("text", controls_never_pass, direction_and_invisible_are_left_out, emoji_stay_whole,
           invalid_utf8_is_replaced, marks_are_bounded, cut_at_a_character, widths, fits_any_width,
           wraps)
