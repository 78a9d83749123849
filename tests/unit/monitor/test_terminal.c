/* What each class of sequences does to the screen. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/monitor/capture.h"
#include "screen.h"
#include "transport/api.h"

static struct heard heard;

#define ROW(row, text) ck_assert_str_eq(screen_row(t, row), text)
#define AT(r, c)                                                                                   \
    do {                                                                                           \
        ck_assert_int_eq(t->row, r);                                                               \
        ck_assert_int_eq(t->col, c);                                                               \
    } while (0)

/* Output, and where the cursor and the rows end up. */
static const struct {
    const char *name, *output;
    int row, col;
    const char *rows[4];
} table[] = {
    {"text", "abc", 0, 3, {"abc"}},
    {"crlf", "a\r\nb", 1, 1, {"a", "b"}},
    {"lf keeps the column", "ab\nc", 1, 3, {"ab", "  c"}},
    {"wrap", "abcdefghijK", 1, 1, {"abcdefghij", "K"}},
    {"pending wrap", "abcdefghij", 0, 9, {"abcdefghij"}},
    {"cr ends pending wrap", "abcdefghij\rX", 0, 1, {"Xbcdefghij"}},
    {"no autowrap", "\x1b[?7labcdefghijKL", 0, 9, {"abcdefghiL"}},
    {"backspace", "abc\b\bX", 0, 2, {"aXc"}},
    {"tab", "a\tb", 0, 9, {"a       b"}},
    {"cup", "\x1b[2;3Hx", 1, 3, {"", "  x"}},
    {"cup clamps", "\x1b[99;99Hx", 3, 9, {"", "", "", "         x"}},
    {"cup huge", "\x1b[99999999999;99999999999Hx", 3, 9, {"", "", "", "         x"}},
    {"cuf after text", "ab\x1b[2Cc", 0, 5, {"ab  c"}},
    {"cub after text", "abcd\x1b[2Dx", 0, 3, {"abxd"}},
    {"cud after text", "abcd\x1b[Bx", 1, 5, {"abcd", "    x"}},
    {"vpa after text", "ab\x1b[3dx", 2, 3, {"ab", "", "  x"}},
    {"cha", "abcdef\x1b[2Gx", 0, 2, {"axcdef"}},
    {"el after text", "abcdef\x1b[3D\x1b[K", 0, 3, {"abc"}},
    {"el 1", "abcdef\x1b[3D\x1b[1K", 0, 3, {"    ef"}},
    {"ed", "ab\r\ncd\r\nef\x1b[2;2H\x1b[J", 1, 1, {"ab", "c"}},
    {"ed 1", "ab\r\ncd\r\nef\x1b[2;1H\x1b[1J", 1, 0, {"", " d", "ef"}},
    {"ed 2", "ab\r\ncd\x1b[2J", 1, 2, {"", ""}},
    {"ech", "abcdef\x1b[2G\x1b[3X", 0, 1, {"a   ef"}},
    {"ich", "abcdef\x1b[2G\x1b[2@", 0, 1, {"a  bcdef"}},
    {"dch", "abcdef\x1b[2G\x1b[2P", 0, 1, {"adef"}},
    {"il", "a\r\nb\r\nc\x1b[2H\x1b[L", 1, 0, {"a", "", "b", "c"}},
    {"dl", "a\r\nb\r\nc\x1b[1H\x1b[M", 0, 0, {"b", "c"}},
    {"su", "a\r\nb\r\nc\x1b[S", 2, 1, {"b", "c"}},
    {"sd", "a\r\nb\r\nc\x1b[T", 2, 1, {"", "a", "b", "c"}},
    {"ri scrolls", "a\r\nb\x1b[H\x1bM", 0, 0, {"", "a", "b"}},
    {"region", "\x1b[2;3ra\x1b[2Hb\r\nc\r\nd", 2, 1, {"a", "c", "d"}},
    {"origin", "\x1b[2;3r\x1b[?6h\x1b[Hx\x1b[9;1Hy", 2, 1, {"", "x", "y"}},
    {"save and restore",
     "ab\x1b"
     "7\x1b[3;3Hx\x1b"
     "8c",
     0,
     3,
     {"abc", "", "  x"}},
    {"scosc", "ab\x1b[s\x1b[3;3Hx\x1b[uc", 0, 3, {"abc", "", "  x"}},
    {"insert mode", "abc\x1b[H\x1b[4hX", 0, 1, {"Xabc"}},
    {"rep", "ab\x1b[3b", 0, 5, {"abbbb"}},
    {"rep wraps", "a\x1b[11b", 1, 2, {"aaaaaaaaaa", "aa"}},
    {"dec graphics", "\x1b(0lqk\x1b(Bq", 0, 4, {"\xe2\x94\x8c\xe2\x94\x80\xe2\x94\x90q"}},
    {"so and si", "\x1b)0q\x0eq\x0fq", 0, 3, {"q\xe2\x94\x80q"}},
    {"decaln", "\x1b#8", 0, 0, {"EEEEEEEEEE", "EEEEEEEEEE", "EEEEEEEEEE", "EEEEEEEEEE"}},
    {"alternate screen", "ab\x1b[?1049hxy\x1b[?1049lc", 0, 3, {"abc"}},
    {"unknown csi", "a\x1b[99y\x1b[?99zb", 0, 2, {"ab"}},
    {"control within csi", "a\x1b[\r2Cb", 0, 3, {"a b"}},
    {"esc cancels csi", "a\x1b[12\x1b[Cb", 0, 3, {"a b"}},
    {"can cancels csi",
     "a\x1b[12\x18"
     "b",
     0,
     2,
     {"ab"}},
    {"nul and del are nothing",
     "a\x7f"
     "b",
     0,
     2,
     {"ab"}},
    {"enq is not answered",
     "a\x05"
     "b",
     0,
     2,
     {"ab"}},
    {"wide", "\xe4\xbd\xa0x", 0, 3, {"\xe4\xbd\xa0x"}},
    {"wide wraps early", "123456789\xe4\xbd\xa0", 1, 2, {"123456789", "\xe4\xbd\xa0"}},
    {"half a wide glyph", "\xe4\xbd\xa0\x1b[2Gx", 0, 2, {" x"}},
    {"other half", "\xe4\xbd\xa0\x1b[1Gx", 0, 1, {"x"}},
    {"combining", "e\xcc\x81x", 0, 2, {"e\xcc\x81x"}},
    {"zwj emoji",
     "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbbx",
     0,
     3,
     {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbbx"}},
    {"zwj emoji, seen before",
     "\xf0\x9f\x92\xbb\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
     0,
     4,
     {"\xf0\x9f\x92\xbb\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"}},
    {"a control parts what a joiner would join",
     "\xf0\x9f\x91\xa9\xe2\x80\x8d\x1b>\xf0\x9f\x92\xbb",
     0,
     4,
     {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"}},
    {"a wide glyph's half is overwritten by a run",
     "\xe4\xbd\xa0\x1b[2G\xc3\xa9\xc3\xa9\x1b[1G\xe4\xbd\xa0\xc3\xa9\x1b[2G\xc3\xa9\xc3\xa9",
     0,
     3,
     {" \xc3\xa9\xc3\xa9"}},
    {"skin tone", "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbdx", 0, 3, {"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbdx"}},
    {"broken utf-8", "a\xff\xc3(b", 0, 5, {"a\xef\xbf\xbd\xef\xbf\xbd(b"}},
    {"raw c1 is no control",
     "a\x9b"
     "2Cb",
     0,
     5,
     {"a\xef\xbf\xbd"
      "2Cb"}},
    {"encoded c1 is no control",
     "a\xc2\x9b"
     "b",
     0,
     3,
     {"a\xef\xbf\xbd"
      "b"}},
    {"bidi override is dropped",
     "a\xe2\x80\xae"
     "b",
     0,
     2,
     {"ab"}},
    {"zero width space is dropped",
     "a\xe2\x80\x8b"
     "b",
     0,
     2,
     {"ab"}},
    {"decstr", "\x1b[?7l\x1b[4h\x1b[2;3r\x1b[!pa", 0, 1, {"a"}},
    {"ris",
     "abc\x1b[31m\x1b"
     "c"
     "x",
     0,
     1,
     {"x"}},
    {"osc and dcs draw nothing", "a\x1b]5;junk\x07\x1bPjunk\x1b\\\x1b_apc\x1b\\b", 0, 2, {"ab"}},
};

START_TEST(test_table)
{
    struct terminal *t = screen_new(4, 10, 100, &heard);
    /* Whole, and byte by byte: where the input is cut makes no difference. */
    screen_write(t, table[_i].output);
    struct terminal *s = screen_new(4, 10, 100, NULL);
    for (const char *at = table[_i].output; *at; at++)
        terminal_write(s, at, 1);
    const char *difference = screen_difference(t, s);
    ck_assert_msg(!difference, "%s, byte by byte: %s", table[_i].name, difference);
    for (int row = 0; row < 4; row++)
        ck_assert_msg(strcmp(screen_row(t, row), table[_i].rows[row] ? table[_i].rows[row] : "") ==
                          0,
                      "%s, row %d: '%s'", table[_i].name, row, screen_row(t, row));
    ck_assert_msg(t->row == table[_i].row && t->col == table[_i].col, "%s: cursor at %d,%d",
                  table[_i].name, t->row, t->col);
    ck_assert_str_eq(heard.replies, "");
    terminal_free(s);
    terminal_free(t);
}
END_TEST

/* SGR, and the look that it makes. */
static const struct {
    const char *sgr;
    uint32_t fg, bg, flags;
} looks[] = {
    {"1", 0, 0, BJ_ATTR_BOLD},
    {"2", 0, 0, BJ_ATTR_DIM},
    {"3;4", 0, 0, BJ_ATTR_ITALIC | BJ_ATTR_UNDERLINE},
    {"4:3", 0, 0, BJ_ATTR_UNDERLINE | BJ_ATTR_UNDERLINE_CURLY},
    {"4:2", 0, 0, BJ_ATTR_UNDERLINE | BJ_ATTR_UNDERLINE_DOUBLE},
    {"21", 0, 0, BJ_ATTR_UNDERLINE | BJ_ATTR_UNDERLINE_DOUBLE},
    {"4:3;4:0", 0, 0, 0},
    {"5;7;8;9", 0, 0, BJ_ATTR_BLINK | BJ_ATTR_REVERSE | BJ_ATTR_CONCEAL | BJ_ATTR_STRIKE},
    {"1;2;22", 0, 0, 0},
    {"31;42", BJ_COLOR_PALETTE | 1, BJ_COLOR_PALETTE | 2, 0},
    {"97;100", BJ_COLOR_PALETTE | 15, BJ_COLOR_PALETTE | 8, 0},
    {"38;5;200;48;5;7", BJ_COLOR_PALETTE | 200, BJ_COLOR_PALETTE | 7, 0},
    {"38;2;1;2;3", BJ_COLOR_RGB | 0x010203, 0, 0},
    {"38:2:1:2:3;1", BJ_COLOR_RGB | 0x010203, 0, BJ_ATTR_BOLD},
    {"48:2::9:8:7;1", 0, BJ_COLOR_RGB | 0x090807, BJ_ATTR_BOLD},
    {"38:5:9", BJ_COLOR_PALETTE | 9, 0, 0},
    {"58;2;1;2;3;1", 0, 0, BJ_ATTR_BOLD},
    {"38;5", 0, 0, 0},
    {"38;5;999;1", 0, 0, BJ_ATTR_BOLD},
    {"31;39;1", 0, 0, BJ_ATTR_BOLD},
    {"31;1;0", 0, 0, 0},
    {"31;", 0, 0, 0},
    {"0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;31;1", BJ_COLOR_PALETTE | 1, 0, BJ_ATTR_BOLD},
};

START_TEST(test_looks)
{
    struct terminal *t = screen_new(2, 10, 0, &heard);
    char text[256];
    snprintf(text, sizeof(text), "\x1b[%smx", looks[_i].sgr);
    screen_write(t, text);
    const struct attribute *look = screen_look(t, 0, 0);
    ck_assert_msg(look->fg == looks[_i].fg && look->bg == looks[_i].bg &&
                      look->flags == looks[_i].flags,
                  "SGR %s: fg %x bg %x flags %x", looks[_i].sgr, look->fg, look->bg, look->flags);
    terminal_free(t);
}
END_TEST

/* Queries and their answers; an empty one is a query that must not be answered. */
static const struct {
    const char *query, *answer;
} queries[] = {
    {"\x1b[c", "\x1b[?62;22c"},
    {"\x1b[0c", "\x1b[?62;22c"},
    {"\x1b[>c", "\x1b[>1;100;0c"},
    {"\x1b[=c", "\x1bP!|00000000\x1b\\"},
    {"\x1b[>q", "\x1bP>|belljar(" BJ_VERSION ")\x1b\\"},
    {"\x1b[5n", "\x1b[0n"},
    {"abc\x1b[6n", "\x1b[1;4R"},
    {"\x1b[?6n", "\x1b[?1;1R"},
    {"\x1b[?25$p", "\x1b[?25;1$y"},
    {"\x1b[?2026$p", "\x1b[?2026;2$y"},
    {"\x1b[?2026h\x1b[?2026$p", "\x1b[?2026;1$y"},
    {"\x1b[?12345$p", "\x1b[?12345;0$y"},
    {"\x1b[4$p", "\x1b[4;2$y"},
    {"\x1b[?u", "\x1b[?0u"},
    {"\x1b[>1u\x1b[<u\x1b[=1;1u", ""},
    {"\x1b[18t", "\x1b[8;4;20t"},
    {"\x1b[14t", "\x1b[4;64;160t"},
    {"\x1b[16t", "\x1b[6;16;8t"},
    {"\x1b]10;?\x07", "\x1b]10;rgb:d8d8/d8d8/d8d8\x1b\\"},
    {"\x1b]11;?\x1b\\", "\x1b]11;rgb:0000/0000/0000\x1b\\"},
    {"\x1b[1;31m\x1bP$qm\x1b\\", "\x1bP1$r0;1;31m\x1b\\"},
    {"\x1bP$qr\x1b\\", "\x1bP1$r1;4r\x1b\\"},
    {"\x1bP$q q\x1b\\", "\x1bP1$r1 q\x1b\\"},
    {"\x1bP$qevil\x1b\\", "\x1bP0$r\x1b\\"},
    {"\x1bP+q544e\x1b\\", "\x1bP0+r\x1b\\"},
    {"\x1b]2;rm -rf ~\x07\x1b[21t", ""},
    {"\x1b]2;rm -rf ~\x07\x1b[20t", ""},
    {"\x1b]52;c;?\x07", ""},
    {"\x05", ""},
};

START_TEST(test_queries)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    screen_write(t, queries[_i].query);
    ck_assert_str_eq(heard.replies, queries[_i].answer);
    terminal_free(t);
}
END_TEST

/* Keys, with the output that sets the modes before them. */
static const struct {
    const char *modes, *key;
    unsigned mods;
    const char *bytes;
} keys[] = {
    {"", "a", 0, "a"},
    {"", "\xc3\xa4", 0, "\xc3\xa4"},
    {"", "c", BJ_MOD_CTRL, "\x03"},
    {"", "m", BJ_MOD_CTRL, "\r"},
    {"", "x", BJ_MOD_ALT, "\x1bx"},
    {"", "[", BJ_MOD_CTRL, "\x1b"},
    {"", "enter", 0, "\r"},
    {"", "enter", BJ_MOD_ALT, "\x1b\r"},
    {"", "tab", 0, "\t"},
    {"", "tab", BJ_MOD_SHIFT, "\x1b[Z"},
    {"", "backspace", 0, "\x7f"},
    {"", "escape", 0, "\x1b"},
    {"", "up", 0, "\x1b[A"},
    {"\x1b[?1h", "up", 0, "\x1bOA"},
    {"", "up", BJ_MOD_CTRL, "\x1b[1;5A"},
    {"", "delete", 0, "\x1b[3~"},
    {"", "pageup", 0, "\x1b[5~"},
    {"", "home", 0, "\x1b[H"},
    {"", "f1", 0, "\x1bOP"},
    {"", "f5", 0, "\x1b[15~"},
    {"", "f12", BJ_MOD_SHIFT, "\x1b[24;2~"},
    {"", "f13", 0, "\x1b[25~"},
    {"", "f24", BJ_MOD_CTRL, "\x1b[45;5~"},
};

START_TEST(test_keys)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    screen_write(t, keys[_i].modes);
    ck_assert_int_eq(terminal_key(t, keys[_i].key, keys[_i].mods), 0);
    ck_assert_str_eq(heard.replies, keys[_i].bytes);
    terminal_free(t);
}
END_TEST

START_TEST(test_keys_bad)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    ck_assert_int_lt(terminal_key(t, "nokey", 0), 0);
    ck_assert_int_lt(terminal_key(t, "", 0), 0);
    ck_assert_int_lt(terminal_key(t, "f25", 0), 0);
    ck_assert_int_lt(terminal_key(t, "\xff", 0), 0);
    ck_assert_str_eq(heard.replies, "");
    terminal_free(t);
}
END_TEST

START_TEST(test_paste)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    const char *text = "a\x1b[201~b\nc\r\nd\te\x03\xc2\x9b";
    terminal_paste(t, text, strlen(text));
    ck_assert_str_eq(heard_replies(&heard), "a[201~b\rc\rd\te");
    screen_write(t, "\x1b[?2004h");
    terminal_paste(t, text, strlen(text));
    ck_assert_str_eq(heard_replies(&heard), "\x1b[200~a[201~b\rc\rd\te\x1b[201~");
    terminal_free(t);
}
END_TEST

START_TEST(test_mouse_and_focus)
{
    struct terminal *t = screen_new(10, 20, 0, &heard);
    terminal_mouse(t, TERMINAL_MOUSE_PRESS, 1, 2, 3, 0);
    terminal_focus(t, true);
    ck_assert_str_eq(heard_replies(&heard), "");
    screen_write(t, "\x1b[?1000;1006h\x1b[?1004h");
    terminal_focus(t, true);
    terminal_focus(t, false);
    ck_assert_str_eq(heard_replies(&heard), "\x1b[I\x1b[O");
    terminal_mouse(t, TERMINAL_MOUSE_PRESS, 1, 2, 3, 0);
    terminal_mouse(t, TERMINAL_MOUSE_RELEASE, 1, 2, 3, 0);
    terminal_mouse(t, TERMINAL_MOUSE_PRESS, 4, 99, 99, BJ_MOD_CTRL);
    ck_assert_str_eq(heard_replies(&heard), "\x1b[<0;4;3M\x1b[<0;4;3m\x1b[<80;20;10M");
    screen_write(t, "\x1b[?1000l");
    terminal_mouse(t, TERMINAL_MOUSE_PRESS, 1, 2, 3, 0);
    ck_assert_str_eq(heard_replies(&heard), "");
    terminal_free(t);
}
END_TEST

START_TEST(test_erase_takes_background)
{
    struct terminal *t = screen_new(4, 10, 0, &heard);
    screen_write(t, "\x1b[1;44mabc\x1b[K\x1b[2H\x1b[0m");
    ck_assert_uint_eq(screen_look(t, 0, 9)->bg, BJ_COLOR_PALETTE | 4);
    ck_assert_uint_eq(screen_look(t, 0, 9)->flags, 0);
    screen_write(t, "\x1b[4;1H\x1b[41m\n");
    ck_assert_uint_eq(screen_look(t, 3, 5)->bg, BJ_COLOR_PALETTE | 1);
    terminal_free(t);
}
END_TEST

START_TEST(test_history)
{
    struct terminal *t = screen_new(4, 20, 10000, &heard);
    char text[64];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "%s\x1b[3%dmline %d\x1b[m", i ? "\r\n" : "", i % 8, i);
        screen_write(t, text);
    }
    ck_assert_uint_eq(terminal_history(t), 996);
    for (int i = 0; i < 996; i++) {
        snprintf(text, sizeof(text), "line %d", i);
        ck_assert_str_eq(screen_history(t, (size_t)i), text);
    }
    screen_write(t, "\x1b[3J");
    ck_assert_uint_eq(terminal_history(t), 0);
    ROW(3, "line 999");
    terminal_free(t);
}
END_TEST

START_TEST(test_history_only_from_the_top)
{
    struct terminal *t = screen_new(4, 20, 100, &heard);
    screen_write(t, "a\r\nb\r\nc\r\nd\x1b[2;4r\x1b[4H\n\n"); /* region below the top */
    ck_assert_uint_eq(terminal_history(t), 0);
    screen_write(t, "\x1b[r\x1b[H\x1b[2M"); /* deleted lines are no history */
    ck_assert_uint_eq(terminal_history(t), 0);
    screen_write(t, "\x1b[?1049h\r\n\n\n\n\n\n\x1b[?1049l");
    ck_assert_uint_eq(terminal_history(t), 0);
    screen_write(t, "\x1b[1;3r\x1b[3H\n"); /* a status line below: history grows */
    ck_assert_uint_eq(terminal_history(t), 1);
    terminal_free(t);
}
END_TEST

START_TEST(test_history_limit)
{
    struct terminal *t = screen_new(2, 20, 300, &heard);
    char text[64];
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "line %d\r\n", i);
        screen_write(t, text);
    }
    size_t rows = terminal_history(t);
    ck_assert_uint_ge(rows, 300);
    ck_assert_uint_le(rows, 300 + 256 + SCROLLBACK_HOT_MAX);
    ck_assert_str_eq(screen_history(t, rows - 1), "line 4998");
    struct terminal *none = screen_new(2, 20, 0, NULL);
    screen_write(none, "a\r\nb\r\nc\r\n");
    ck_assert_uint_eq(terminal_history(none), 0);
    terminal_free(none);
    terminal_free(t);
}
END_TEST

START_TEST(test_reflow)
{
    struct terminal *t = screen_new(4, 10, 100, &heard);
    screen_write(t, "abcdefghijklm\r\nx\r\n$ ");
    AT(3, 2);
    ck_assert_int_eq(terminal_resize(t, 4, 20), 0);
    ROW(0, "abcdefghijklm");
    ROW(1, "x");
    ROW(2, "$");
    AT(2, 2);
    ck_assert_int_eq(terminal_resize(t, 4, 5), 0);
    ROW(0, "fghij");
    ROW(1, "klm");
    ROW(3, "$");
    AT(3, 2);
    ck_assert_uint_eq(terminal_history(t), 1);
    ck_assert_str_eq(screen_history(t, 0), "abcde");
    ck_assert_int_eq(terminal_resize(t, 4, 20), 0);
    ROW(0, "abcdefghijklm");
    ROW(2, "$");
    AT(2, 2);
    ck_assert_uint_eq(terminal_history(t), 0);
    terminal_free(t);
}
END_TEST

START_TEST(test_reflow_wide)
{
    struct terminal *t = screen_new(4, 5, 100, &heard);
    screen_write(t, "ab\xe4\xbd\xa0\xe5\xa5\xbdz");
    ROW(0, "ab\xe4\xbd\xa0");
    ROW(1, "\xe5\xa5\xbdz");
    terminal_resize(t, 4, 10);
    ROW(0, "ab\xe4\xbd\xa0\xe5\xa5\xbdz");
    terminal_resize(t, 4, 3);
    ROW(0, "ab");
    ROW(1, "\xe4\xbd\xa0");
    ROW(2, "\xe5\xa5\xbdz");
    terminal_resize(t, 4, 10);
    ROW(0, "ab\xe4\xbd\xa0\xe5\xa5\xbdz");
    terminal_free(t);
}
END_TEST

START_TEST(test_reflow_history)
{
    struct terminal *t = screen_new(4, 10, 10000, &heard);
    char text[64];
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof(text), "%sline number %04d", i ? "\r\n" : "", i);
        screen_write(t, text);
    }
    ck_assert_uint_eq(terminal_history(t), 4000 - 4);
    terminal_resize(t, 4, 40);
    ck_assert_uint_eq(terminal_history(t), 2000 - 4);
    for (int i = 0; i < 1996; i++) {
        snprintf(text, sizeof(text), "line number %04d", i);
        ck_assert_str_eq(screen_history(t, (size_t)i), text);
    }
    ROW(3, "line number 1999");
    /* Taller: lines come back from above, also from where they were packed. */
    terminal_resize(t, 100, 40);
    ROW(0, "line number 1900");
    ROW(99, "line number 1999");
    ck_assert_uint_eq(terminal_history(t), 1900);
    ck_assert_str_eq(screen_history(t, 1899), "line number 1899");
    terminal_resize(t, 4, 10);
    ck_assert_uint_eq(terminal_history(t), 4000 - 4);
    ROW(3, "r 1999");
    terminal_free(t);
}
END_TEST

START_TEST(test_resize_keeps_a_cleared_screen)
{
    struct terminal *t = screen_new(4, 20, 100, &heard);
    screen_write(t, "a\r\nb\r\nc\r\nd\r\ne\r\nf\x1b[H\x1b[2J$ ");
    terminal_resize(t, 4, 30);
    ROW(0, "$");
    AT(0, 2);
    terminal_resize(t, 2, 30);
    ROW(0, "$");
    terminal_free(t);
}
END_TEST

START_TEST(test_resize_alternate)
{
    struct terminal *t = screen_new(4, 10, 100, &heard);
    screen_write(t, "abcdefghijklm\r\n$ \x1b[?1049h\x1b[Hfull\x1b[4;10Hz");
    terminal_resize(t, 4, 20);
    ROW(0, "full");
    ROW(3, "         z");
    terminal_resize(t, 3, 20);
    ROW(2, "         z");
    screen_write(t, "\x1b[?1049l");
    ROW(0, "abcdefghijklm");
    ROW(1, "$");
    AT(1, 2);
    terminal_free(t);
}
END_TEST

START_TEST(test_title)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    screen_write(t, "\x1b]0;one\x07");
    ck_assert_str_eq(t->title, "one");
    screen_write(t, "\x1b]2;t\x01w\xe2\x80\xaeo\xff\n!\x1b\\");
    ck_assert_str_eq(t->title, "two\xef\xbf\xbd !");
    char text[1100] = "\x1b]2;";
    memset(text + 4, 'x', 1000);
    text[1004] = '\a';
    screen_write(t, text);
    ck_assert_uint_eq(strlen(t->title), TERMINAL_TITLE_MAX - 1);
    screen_write(t, "\x1b]1;icon\x07");
    ck_assert_int_eq(t->title[0], 'x');
    ck_assert_int_eq(heard.titles, 3);
    terminal_free(t);
}
END_TEST

START_TEST(test_hyperlinks)
{
    struct terminal *t = screen_new(4, 40, 0, &heard);
    screen_write(t, "\x1b]8;id=1;https://example.org/a\x1b\\link\x1b[31mred\x1b[0m\x1b]8;;\x1b\\no "
                    "\x1b]8;;javascript:alert(1)\x07"
                    "js\x1b]8;;\x07");
    const char *url = hyperlinks_get(&t->styles.links, screen_look(t, 0, 0)->link);
    ck_assert_str_eq(url, "https://example.org/a");
    ck_assert_uint_eq(screen_look(t, 0, 4)->link, screen_look(t, 0, 0)->link);
    ck_assert_uint_eq(screen_look(t, 0, 7)->link, 0);
    ck_assert_uint_eq(screen_look(t, 0, 10)->link, 0);
    terminal_free(t);
}
END_TEST

static void marked(struct terminal *t, uint32_t mark, const char *wanted)
{
    size_t lines[64], total = capture_lines(t, true), count;
    char text[256] = "";
    count = capture_marks(t, true, mark, 0, total, lines, 64);
    for (size_t i = 0; i < count; i++)
        sprintf(text + strlen(text), "%zu ", lines[i]);
    ck_assert_str_eq(text, wanted);
}

/* They go with their lines: into the scrollback, when it is packed, through another width. */
START_TEST(test_marks)
{
    struct terminal *t = screen_new(4, 10, 1000, &heard);
    screen_write(t, "\x1b]133;A\a$ \x1b]133;B\aone\r\n\x1b]133;C\aout\r\n");
    ck_assert_int_eq(t->prompt, TERMINAL_PROMPT_LEFT);
    screen_write(t, "\x1b]133;D;0\a\x1b]133;A\a$ \x1b]133;B\a");
    ck_assert_int_eq(t->prompt, TERMINAL_PROMPT_SHOWN);
    marked(t, ATTRIBUTE_PROMPT, "0 2 ");
    terminal_mark(t, ATTRIBUTE_REQUEST);
    marked(t, ATTRIBUTE_REQUEST, "2 ");
    for (int i = 0; i < 300; i++)
        screen_write(t, "\r\nfar below");
    marked(t, ATTRIBUTE_PROMPT, "0 2 ");
    marked(t, ATTRIBUTE_REQUEST, "2 ");
    ck_assert_int_eq(terminal_resize(t, 4, 5), 0);
    marked(t, ATTRIBUTE_PROMPT, "0 2 ");
    /* A shell that does not say where its prompt ends; a mark that is none. */
    screen_write(t, "\x1b]133;X\a\x1b]133\a\x1b]133;A2\a");
    terminal_free(t);
}
END_TEST

static void wraps(struct terminal *t, bool scrollback, const char *wanted)
{
    struct capture_wrap wraps[4];
    struct capture_link links[10];
    struct capture_notes notes = {
        .wraps = wraps, .wraps_room = 4, .links = links, .links_room = 10};
    struct bytes text = {0};
    char said[256] = "";
    for (size_t from = 0; from < capture_lines(t, scrollback);) {
        notes.wraps_count = 0;
        size_t next = capture(t, scrollback, false, from, SIZE_MAX, &text, &notes);
        ck_assert_uint_gt(next, from); /* full notes end a part, and nothing is left out */
        for (size_t i = 0; i < notes.wraps_count; i++) {
            ck_assert(wraps[i].line >= from && wraps[i].line < next);
            if (strlen(said) + 32 < sizeof(said))
                sprintf(said + strlen(said), "%zu+%zu ", wraps[i].line, wraps[i].blanks);
        }
        from = next;
    }
    ck_assert_str_eq(said, wanted);
    bytes_free(&text);
}

/* What a soft wrap divided is told, on the screen and when it is packed. */
START_TEST(test_wraps)
{
    struct terminal *t = screen_new(8, 10, 1000, &heard);
    screen_write(t, "0123456789a\r\nfull length\r\n");
    wraps(t, false, "0+0 2+0 ");
    screen_write(t, "\x1b[H\x1b[2Jab       \x1b[0m   c\r\n"); /* blanks are of the line */
    wraps(t, false, "0+8 ");
    screen_write(t, "012345678\u65e5x"); /* the pad in front of a wide character is not */
    wraps(t, false, "0+8 2+0 ");
    screen_write(t, "\x1b[1;10Hx\x1b[1;4H\x1b[K"); /* cut off behind: two lines */
    wraps(t, false, "2+0 ");
    for (int i = 0; i < 300; i++)
        screen_write(t, "\r\nfar below");
    wraps(t, true, "2+0 ");
    terminal_free(t);
    t = screen_new(2, 4, 1000, &heard); /* more than fit in one part */
    screen_write(t, "abcdefghijklmnopqrstuvwxyz");
    wraps(t, true, "0+0 1+0 2+0 3+0 4+0 5+0 ");
    terminal_free(t);
    /* What is above is no beginning of what the alternate screen shows. */
    t = screen_new(2, 4, 1000, &heard);
    screen_write(t, "0123456789");
    wraps(t, true, "0+0 1+0 ");
    screen_write(t, "\x1b[?1049h\x1b[Hfull");
    wraps(t, true, "");
    terminal_free(t);
}
END_TEST

static void links(struct terminal *t, const char *wanted)
{
    struct capture_wrap wraps[64];
    struct capture_link links[20];
    struct capture_notes notes = {
        .wraps = wraps, .wraps_room = 64, .links = links, .links_room = 20};
    struct bytes text = {0};
    char said[512] = "";
    for (size_t from = 0; from < capture_lines(t, true);) {
        notes.wraps_count = notes.links_count = 0;
        size_t next = capture(t, true, false, from, SIZE_MAX, &text, &notes);
        ck_assert_uint_gt(next, from);
        for (size_t i = 0; i < notes.links_count; i++)
            sprintf(said + strlen(said), "%zu:%u+%u %s ", links[i].line, links[i].byte,
                    links[i].size, hyperlinks_get(&t->styles.links, links[i].link));
        from = next;
    }
    ck_assert_str_eq(said, wanted);
    bytes_free(&text);
}

#define LINK(url, words) "\x1b]8;;" url "\x1b\\" words "\x1b]8;;\x1b\\"

/* Where they stand, in bytes; over a wrap, side by side, in the scrollback, forgotten. */
START_TEST(test_captured_links)
{
    struct terminal *t = screen_new(4, 10, 1000, &heard);
    screen_write(t, "no \u00e9" LINK("http://a/", "li\x1b[1mnk\x1b[m") "\r\n");
    links(t, "0:5+4 http://a/ ");
    screen_write(t, LINK("http://b/", "one") LINK("http://c/", "two") "\r\n");
    screen_write(t, "12345678" LINK("https://d/", "over") LINK("javascript:x", "no"));
    static const char all[] = "0:5+4 http://a/ 1:0+3 http://b/ 1:3+3 http://c/ "
                              "2:8+2 https://d/ 3:0+2 https://d/ ";
    links(t, all);
    for (int i = 0; i < 300; i++)
        screen_write(t, "\r\nfar below");
    links(t, all);
    char one[64];
    for (unsigned i = 0; i < HYPERLINKS_KEPT; i++) {
        snprintf(one, sizeof(one), "\x1b]8;;http://more/%u\a\x1b]8;;\a", i);
        screen_write(t, one);
    }
    links(t, "");
    terminal_free(t);
}
END_TEST

START_TEST(test_cursor_style)
{
    struct terminal *t = screen_new(4, 20, 0, &heard);
    screen_write(t, "\x1b[6 q");
    ck_assert_int_eq(t->cursor_shape, 3);
    ck_assert(!(t->modes & TERMINAL_CURSOR_BLINK));
    screen_write(t, "\x1b[3 q\x1b[?25l");
    ck_assert_int_eq(t->cursor_shape, 2);
    ck_assert(t->modes & TERMINAL_CURSOR_BLINK);
    ck_assert(!(t->modes & TERMINAL_CURSOR_VISIBLE));
    terminal_free(t);
}
END_TEST

/* Where the input is cut makes no difference, whatever it is. */
START_TEST(test_cut_anywhere)
{
    uint8_t noise[400];
    for (uint32_t seed = 0; seed < 2000; seed++) {
        struct terminal *t = screen_new(6, 30, 0, NULL), *s = screen_new(6, 30, 0, NULL);
        screen_noise(seed, noise, sizeof(noise));
        terminal_write(t, noise, sizeof(noise));
        for (size_t i = 0; i < sizeof(noise); i++)
            terminal_write(s, noise + i, 1);
        const char *difference = screen_difference(t, s);
        ck_assert_msg(!difference, "seed %u: %s", seed, difference);
        terminal_free(t);
        terminal_free(s);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("terminal");
    TCase *tables = tcase_create("tables");
    tcase_add_loop_test(tables, test_table, 0, sizeof(table) / sizeof(table[0]));
    tcase_add_loop_test(tables, test_looks, 0, sizeof(looks) / sizeof(looks[0]));
    tcase_add_loop_test(tables, test_queries, 0, sizeof(queries) / sizeof(queries[0]));
    tcase_add_loop_test(tables, test_keys, 0, sizeof(keys) / sizeof(keys[0]));
    suite_add_tcase(suite, tables);
    TCase *cases = tcase_create("cases");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, test_keys_bad);
    tcase_add_test(cases, test_paste);
    tcase_add_test(cases, test_mouse_and_focus);
    tcase_add_test(cases, test_erase_takes_background);
    tcase_add_test(cases, test_history);
    tcase_add_test(cases, test_history_only_from_the_top);
    tcase_add_test(cases, test_history_limit);
    tcase_add_test(cases, test_reflow);
    tcase_add_test(cases, test_reflow_wide);
    tcase_add_test(cases, test_reflow_history);
    tcase_add_test(cases, test_resize_keeps_a_cleared_screen);
    tcase_add_test(cases, test_resize_alternate);
    tcase_add_test(cases, test_title);
    tcase_add_test(cases, test_hyperlinks);
    tcase_add_test(cases, test_marks);
    tcase_add_test(cases, test_wraps);
    tcase_add_test(cases, test_captured_links);
    tcase_add_test(cases, test_cursor_style);
    tcase_add_test(cases, test_cut_anywhere);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
