#include "tui/model/decode.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"

#define ESC '\x1b'

static const char paste_end[] = "\x1b[201~";

void decode_init(struct decode *decode, decode_sink *sink, void *owner)
{
    *decode = (struct decode){.sink = sink, .owner = owner};
}

void decode_free(struct decode *decode)
{
    free(decode->paste);
    decode->paste = NULL;
}

void decode_learn(struct decode *decode, const char *sequence, const char *key, unsigned mods)
{
    size_t size = strlen(sequence);
    if (size < 2 || size >= sizeof(decode->learned[0].sequence) || sequence[0] != ESC ||
        decode->learned_count == DECODE_LEARNED_MAX)
        return;
    memcpy(decode->learned[decode->learned_count].sequence, sequence, size + 1);
    struct chord *chord = &decode->learned[decode->learned_count++].chord;
    snprintf(chord->key, sizeof(chord->key), "%s", key);
    chord->mods = mods;
}

static void emit_key(struct decode *decode, const char *key, unsigned mods)
{
    struct input input = {.kind = INPUT_KEY, .chord.mods = mods};
    snprintf(input.chord.key, sizeof(input.chord.key), "%s", key);
    decode->sink(decode->owner, &input);
}

/* A character that came as a number, as in CSI u. */
static void emit_code(struct decode *decode, uint32_t code, unsigned mods)
{
    char key[8] = {0};
    switch (code) {
    case 9:
        emit_key(decode, "tab", mods);
        return;
    case 13:
        emit_key(decode, "enter", mods);
        return;
    case 27:
        emit_key(decode, "escape", mods);
        return;
    case 127:
    case 8:
        emit_key(decode, "backspace", mods);
        return;
    default:
        if (code < 32 || code > 0x10ffff || !text_is_safe(code))
            return;
        text_put(key, code);
        /* Shift is in the character already. */
        emit_key(decode, key, code == ' ' ? mods : mods & ~(unsigned)BJ_MOD_SHIFT);
    }
}

/* ---- bytes without an escape ---- */

static void emit_control(struct decode *decode, unsigned char byte, unsigned mods)
{
    char key[2] = {0};
    switch (byte) {
    case 0:
        emit_key(decode, " ", mods | BJ_MOD_CTRL);
        return;
    case '\t':
        emit_key(decode, "tab", mods);
        return;
    case '\r':
        emit_key(decode, "enter", mods);
        return;
    case 0x08:
        emit_key(decode, "backspace", mods | BJ_MOD_CTRL);
        return;
    case 0x7f:
        emit_key(decode, "backspace", mods);
        return;
    default:
        key[0] = (char)(byte < 27 ? byte + 'a' - 1 : byte + '@');
        emit_key(decode, key, mods | BJ_MOD_CTRL);
    }
}

/* One character; returns its bytes, 0 when more are needed. */
static size_t take_character(struct decode *decode, const char *at, size_t size, unsigned mods)
{
    unsigned char first = (unsigned char)at[0];
    if (first < 0x20 || first == 0x7f) {
        emit_control(decode, first, mods);
        return 1;
    }
    size_t wanted = first < 0x80   ? 1
                    : first < 0xc2 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf5 ? 4
                                   : 0;
    if (wanted == 0)
        return 1; /* not UTF-8 */
    for (size_t i = 1; i < wanted && i < size; i++)
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return i;
    if (size < wanted)
        return 0;
    char key[5] = {0};
    memcpy(key, at, wanted);
    const char *check = key;
    uint32_t character = text_next(&check, NULL);
    if (text_is_safe(character))
        emit_key(decode, key, mods);
    return wanted;
}

/* ---- escape sequences ---- */

static const char *const letter_keys[26] = {
    ['A' - 'A'] = "up",  ['B' - 'A'] = "down", ['C' - 'A'] = "right", ['D' - 'A'] = "left",
    ['F' - 'A'] = "end", ['H' - 'A'] = "home", ['M' - 'A'] = "enter", ['P' - 'A'] = "f1",
    ['Q' - 'A'] = "f2",  ['R' - 'A'] = "f3",   ['S' - 'A'] = "f4",    ['Z' - 'A'] = "tab",
};

static const char *const number_keys[35] = {
    [1] = "home", [2] = "insert", [3] = "delete", [4] = "end",  [5] = "pageup", [6] = "pagedown",
    [7] = "home", [8] = "end",    [11] = "f1",    [12] = "f2",  [13] = "f3",    [14] = "f4",
    [15] = "f5",  [17] = "f6",    [18] = "f7",    [19] = "f8",  [20] = "f9",    [21] = "f10",
    [23] = "f11", [24] = "f12",   [25] = "f13",   [26] = "f14", [28] = "f15",   [29] = "f16",
    [31] = "f17", [32] = "f18",   [33] = "f19",   [34] = "f20",
};

static void emit_mouse(struct decode *decode, int code, int col, int row, bool release)
{
    struct input input = {.kind = INPUT_MOUSE, .row = row - 1, .col = col - 1};
    if (row < 1 || col < 1)
        return;
    input.chord.mods = (code & 4 ? BJ_MOD_SHIFT : 0U) | (code & 8 ? BJ_MOD_ALT : 0U) |
                       (code & 16 ? BJ_MOD_CTRL : 0U);
    int button = code & 3;
    if (code & 64) {
        if (release || button > 1)
            return;
        input.button = 4 + button;
        input.action = MOUSE_PRESS;
    } else {
        input.button = button == 3 ? 0 : button + 1;
        input.action = release ? MOUSE_RELEASE : code & 32 ? MOUSE_MOVE : MOUSE_PRESS;
    }
    decode->sink(decode->owner, &input);
}

static unsigned modifiers(int parameter)
{
    return parameter > 1 ? (unsigned)(parameter - 1) & 7U : 0;
}

static void start_paste(struct decode *decode)
{
    decode->pasting = true;
    decode->paste_size = 0;
}

static void emit_focus(struct decode *decode, bool focused)
{
    struct input input = {.kind = INPUT_FOCUS, .focused = focused};
    decode->sink(decode->owner, &input);
}

static void emit_mode(struct decode *decode, int mode, int setting)
{
    struct input input = {.kind = INPUT_MODE, .mode = mode, .setting = setting};
    decode->sink(decode->owner, &input);
}

/* A whole CSI: parameters between `at` and the final byte. */
static void on_csi(struct decode *decode, const char *at, const char *end, unsigned mods)
{
    char final = *end;
    bool sgr = at < end && *at == '<';
    bool report = at < end && *at == '?' && end[-1] == '$' && final == 'y';
    int parameter[4] = {0};
    int count = 0;
    for (at += sgr; at < end; at++) {
        if (*at >= '0' && *at <= '9' && parameter[count] < 1000000)
            parameter[count] = parameter[count] * 10 + (*at - '0');
        else if (*at == ';' && count < 3)
            count++;
        else if (*at == ':')
            while (at + 1 < end && at[1] != ';')
                at++;
    }
    if (sgr) {
        if (final == 'M' || final == 'm')
            emit_mouse(decode, parameter[0], parameter[1], parameter[2], final == 'm');
    } else if (report) {
        emit_mode(decode, parameter[0], parameter[1]);
    } else if (final == '~' && parameter[0] == 200) {
        start_paste(decode);
    } else if (final == '~' && parameter[0] == 27) {
        emit_code(decode, (uint32_t)parameter[2], mods | modifiers(parameter[1]));
    } else if (final == '~') {
        if (parameter[0] < 35 && number_keys[parameter[0]])
            emit_key(decode, number_keys[parameter[0]], mods | modifiers(parameter[1]));
    } else if (final == 'u') {
        emit_code(decode, (uint32_t)parameter[0], mods | modifiers(parameter[1]));
    } else if (final == 'I' || final == 'O') {
        emit_focus(decode, final == 'I');
    } else if (final == 'Z') {
        emit_key(decode, "tab", mods | BJ_MOD_SHIFT);
    } else if (final >= 'A' && final <= 'Z' && letter_keys[final - 'A']) {
        emit_key(decode, letter_keys[final - 'A'], mods | modifiers(parameter[1]));
    }
}

static size_t take_csi(struct decode *decode, const char *at, size_t size, unsigned mods)
{
    if (size > 2 && at[2] == '[') { /* the Linux console's F1 to F5 */
        if (size < 4)
            return 0;
        char key[3] = {'f', (char)('1' + at[3] - 'A'), 0};
        if (at[3] >= 'A' && at[3] <= 'E')
            emit_key(decode, key, mods);
        return 4;
    }
    for (size_t i = 2; i < size; i++) {
        unsigned char byte = (unsigned char)at[i];
        if (byte >= 0x40 && byte <= 0x7e) {
            on_csi(decode, at + 2, at + i, mods);
            return i + 1;
        }
        if (byte < 0x20 || byte > 0x3f)
            return i; /* broken off: begin again here */
    }
    return 0;
}

static size_t take_learned(struct decode *decode, const char *at, size_t size, bool *partial)
{
    for (size_t i = 0; i < decode->learned_count; i++) {
        const char *sequence = decode->learned[i].sequence;
        size_t length = strlen(sequence);
        if (size >= length && memcmp(at, sequence, length) == 0) {
            emit_key(decode, decode->learned[i].chord.key, decode->learned[i].chord.mods);
            return length;
        }
        if (size < length && memcmp(at, sequence, size) == 0)
            *partial = true;
    }
    return 0;
}

/* Bytes used from a sequence that begins with ESC; 0 when it is not whole yet. */
static size_t take_escape(struct decode *decode, const char *at, size_t size)
{
    bool partial = false;
    size_t used = take_learned(decode, at, size, &partial);
    if (used > 0)
        return used;
    if (size == 1)
        return 0;
    if (at[1] == '[')
        return take_csi(decode, at, size, 0);
    if (at[1] == 'O') {
        if (size < 3)
            return 0;
        if (at[2] >= 'A' && at[2] <= 'Z' && letter_keys[at[2] - 'A'])
            emit_key(decode, letter_keys[at[2] - 'A'], 0);
        return 3;
    }
    if (at[1] == ESC) {
        emit_key(decode, "escape", 0);
        return 1;
    }
    if (partial)
        return 0;
    used = take_character(decode, at + 1, size - 1, BJ_MOD_ALT);
    return used ? used + 1 : 0;
}

/* ---- paste ---- */

static void paste_add(struct decode *decode, const char *bytes, size_t size)
{
    if (decode->paste_size + size > DECODE_PASTE_MAX)
        size = DECODE_PASTE_MAX - decode->paste_size;
    if (decode->paste_size + size > decode->paste_capacity) {
        size_t wanted = decode->paste_capacity ? decode->paste_capacity : 4096;
        while (wanted < decode->paste_size + size)
            wanted *= 2;
        char *grown = realloc(decode->paste, wanted);
        if (!grown)
            return;
        decode->paste = grown;
        decode->paste_capacity = wanted;
    }
    if (size > 0)
        memcpy(decode->paste + decode->paste_size, bytes, size);
    decode->paste_size += size;
}

static void paste_done(struct decode *decode)
{
    struct input input = {.kind = INPUT_PASTE, .text = decode->paste, .size = decode->paste_size};
    decode->pasting = false;
    if (decode->paste_size > 0)
        decode->sink(decode->owner, &input);
    free(decode->paste);
    decode->paste = NULL;
    decode->paste_size = decode->paste_capacity = 0;
}

/* Takes pasted bytes up to the end marker; what may be its beginning is left (0 used). */
static size_t take_paste(struct decode *decode, const char *at, size_t size)
{
    const char *escape = memchr(at, ESC, size);
    if (escape != at) {
        size_t plain = escape ? (size_t)(escape - at) : size;
        paste_add(decode, at, plain);
        return plain;
    }
    size_t length = sizeof(paste_end) - 1;
    if (memcmp(at, paste_end, size < length ? size : length) != 0) {
        paste_add(decode, at, 1);
        return 1;
    }
    if (size < length)
        return 0;
    paste_done(decode);
    return length;
}

/* ---- the stream ---- */

static size_t take(struct decode *decode, const char *at, size_t size)
{
    if (decode->pasting)
        return take_paste(decode, at, size);
    if (at[0] == ESC)
        return take_escape(decode, at, size);
    return take_character(decode, at, size, 0);
}

void decode_feed(struct decode *decode, const char *bytes, size_t size)
{
    while (size > 0 || decode->size > 0) {
        size_t room = DECODE_BUFFER - decode->size;
        size_t more = size < room ? size : room;
        memcpy(decode->buffer + decode->size, bytes, more);
        decode->size += more;
        bytes += more;
        size -= more;

        size_t start = 0, used;
        while (start < decode->size &&
               (used = take(decode, decode->buffer + start, decode->size - start)) > 0)
            start += used;
        if (start == 0 && decode->size == DECODE_BUFFER)
            start = DECODE_BUFFER; /* no key is that long */
        decode->size -= start;
        memmove(decode->buffer, decode->buffer + start, decode->size);
        if (size == 0)
            break;
    }
}

bool decode_pending(const struct decode *decode)
{
    return decode->size > 0 && !decode->pasting;
}

void decode_flush(struct decode *decode)
{
    if (!decode_pending(decode))
        return;
    size_t size = decode->size;
    char rest[DECODE_BUFFER];
    memcpy(rest, decode->buffer, size);
    decode->size = 0;
    if (rest[0] != ESC)
        return; /* half a character */
    if (size == 1)
        emit_key(decode, "escape", 0);
    else if (size == 2)
        take_character(decode, rest + 1, 1, BJ_MOD_ALT); /* ESC [ or ESC O, typed */
}
