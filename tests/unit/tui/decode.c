#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/decode.h"

static struct decode decode;
static char heard[4096]; /* what came, in words */

static void sink(void *owner, const struct input *input)
{
    char name[64];
    size_t size = strlen(heard);
    (void)owner;
    keys_name(&input->chord, name, sizeof(name));
    if (input->kind == INPUT_KEY)
        snprintf(heard + size, sizeof(heard) - size, "%s ", name);
    else if (input->kind == INPUT_MOUSE)
        snprintf(heard + size, sizeof(heard) - size, "mouse%d:%d@%d,%d+%u ", input->action,
                 input->button, input->row, input->col, input->chord.mods);
    else if (input->kind == INPUT_PASTE)
        snprintf(heard + size, sizeof(heard) - size, "paste<%.*s> ", (int)input->size, input->text);
    else if (input->kind == INPUT_MODE)
        snprintf(heard + size, sizeof(heard) - size, "mode%d=%d ", input->mode, input->setting);
    else
        snprintf(heard + size, sizeof(heard) - size, "focus%d ", input->focused);
}

static const char *feed(const char *bytes, size_t size)
{
    heard[0] = '\0';
    decode_feed(&decode, bytes, size);
    return heard;
}

static void setup(void)
{
    decode_free(&decode);
    decode_init(&decode, sink, NULL);
}

static const struct {
    const char *bytes, *keys;
} sequences[] = {
    {"a", "a "},
    {"hello", "h e l l o "},
    {"\u00e9\u6f22\U0001f600", "\u00e9 \u6f22 \U0001f600 "},
    {"\r\t\x7f", "Enter Tab Backspace "},
    {"\x01\x1a\x1c\x1d\x1e\x1f", "C-a C-z C-\\ C-] C-^ C-_ "},
    {"\x08", "C-Backspace "},
    {"\x1bx", "M-x "},
    {"\x1b\r", "M-Enter "},
    {"\x1b\u00e9", "M-\u00e9 "},
    {"\x1b[A\x1b[B\x1b[C\x1b[D", "Up Down Right Left "},
    {"\x1bOA\x1bOD", "Up Left "},
    {"\x1b[H\x1b[F\x1b[1~\x1b[4~", "Home End Home End "},
    {"\x1b[2~\x1b[3~\x1b[5~\x1b[6~", "Insert Delete PageUp PageDown "},
    {"\x1bOP\x1b[15~\x1b[24~\x1b[34~", "F1 F5 F12 F20 "},
    {"\x1b[[A\x1b[[E", "F1 F5 "},
    {"\x1b[?2026;2$ya\x1b[?2004;0$y", "mode2026=2 a mode2004=0 "},
    {"\x1b[2026;2$y\x1b[?2026;2yb", "b "}, /* not such a report */
    {"\x1b[1;2A\x1b[1;3B\x1b[1;5C\x1b[1;8D", "S-Up M-Down C-Right C-M-S-Left "},
    {"\x1b[3;5~\x1b[1;5P", "C-Delete C-F1 "},
    {"\x1b[Z", "S-Tab "},
    {"\x1b[97;5u\x1b[13;2u\x1b[27;5;105~", "C-a S-Enter C-i "},
    {"\x1b[I\x1b[O", "focus1 focus0 "},
    {"\x1b[<0;1;1M\x1b[<0;1;1m", "mouse0:1@0,0+0 mouse1:1@0,0+0 "},
    {"\x1b[<2;10;20M\x1b[<34;11;20M", "mouse0:3@19,9+0 mouse2:3@19,10+0 "},
    {"\x1b[<64;5;6M\x1b[<81;5;6M", "mouse0:4@5,4+0 mouse0:5@5,4+4 "},
    {"\x1b[200~text\r\nmore\x1b[201~x", "paste<text\r\nmore> x "},
    {"\x1b[200~\x1b[201~", ""},
    {"\x1b[200~esc \x1b[A end\x1b[201~", "paste<esc \x1b[A end> "},
    {"\x1b[9999999999;5A", "C-Up "},
    {"\x1b[?1;2c", ""},
    {"\x1b[<0;0;0M", ""},
    {"\xff\xfe"
     "a",
     "a "},
    {"\xc3(", "( "},
    {"\xc2\x9b"
     "1",
     "1 "},
};

START_TEST(sequences_in_one_piece)
{
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        setup();
        ck_assert_str_eq(feed(sequences[i].bytes, strlen(sequences[i].bytes)), sequences[i].keys);
        ck_assert(!decode_pending(&decode));
    }
    decode_free(&decode);
}
END_TEST

START_TEST(sequences_byte_by_byte)
{
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        setup();
        heard[0] = '\0';
        for (const char *at = sequences[i].bytes; *at; at++)
            decode_feed(&decode, at, 1);
        ck_assert_str_eq(heard, sequences[i].keys);
    }
    decode_free(&decode);
}
END_TEST

START_TEST(a_lone_escape_waits)
{
    setup();
    ck_assert_str_eq(feed("\x1b", 1), "");
    ck_assert(decode_pending(&decode));
    decode_flush(&decode);
    ck_assert_str_eq(heard, "Escape ");
    ck_assert(!decode_pending(&decode));
    feed("\x1b[", 2);
    decode_flush(&decode);
    ck_assert_str_eq(heard, "M-[ ");
    feed("\x1b\x1b", 2);
    decode_flush(&decode);
    ck_assert_str_eq(heard, "Escape Escape ");
    feed("\0", 1);
    ck_assert_str_eq(heard, "C-Space ");
}
END_TEST

START_TEST(learned_sequences_come_first)
{
    setup();
    decode_learn(&decode, "\x1b[25^", "f3", BJ_MOD_CTRL);
    decode_learn(&decode, "\x1bOa", "up", BJ_MOD_CTRL);
    decode_learn(&decode, "plain", "f1", 0);
    decode_learn(&decode, "\x1b[a-sequence-much-too-long", "f1", 0);
    ck_assert_str_eq(feed("\x1b[25^\x1bOa\x1bOA", 11), "C-F3 C-Up Up ");
}
END_TEST

START_TEST(endless_input_is_bounded)
{
    setup();
    heard[0] = '\0';
    decode_feed(&decode, "\x1b[", 2);
    for (int i = 0; i < 10000; i++)
        decode_feed(&decode, "1;", 2);
    ck_assert_uint_le(decode.size, DECODE_BUFFER);
    decode_feed(&decode, "\x1b[A", 3);
    decode_flush(&decode);
    setup();
    static char block[65536];
    memset(block, 'x', sizeof(block));
    decode_feed(&decode, "\x1b[200~", 6);
    for (int i = 0; i < 20; i++)
        decode_feed(&decode, block, sizeof(block));
    ck_assert_uint_eq(decode.paste_size, DECODE_PASTE_MAX);
    ck_assert(!decode_pending(&decode));
    decode_free(&decode);
}
END_TEST

SUITE_MAIN("decode", sequences_in_one_piece, sequences_byte_by_byte, a_lone_escape_waits,
           learned_sequences_come_first, endless_input_is_bounded)
