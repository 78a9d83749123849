#include "mux/monitor/terminal_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "transport/api.h"

/*
 * Input. Characters and the keys that have a control code are encoded as every program understands
 * them (no enhancement was granted, see CSI ? u); cursor and function keys and the mouse are
 * encoded by libvterm, which knows the modes.
 */

static const struct {
    const char *name;
    VTermKey key;
} keys[] = {
    {"up", VTERM_KEY_UP},         {"down", VTERM_KEY_DOWN},
    {"left", VTERM_KEY_LEFT},     {"right", VTERM_KEY_RIGHT},
    {"insert", VTERM_KEY_INS},    {"delete", VTERM_KEY_DEL},
    {"home", VTERM_KEY_HOME},     {"end", VTERM_KEY_END},
    {"pageup", VTERM_KEY_PAGEUP}, {"pagedown", VTERM_KEY_PAGEDOWN},
};

/* Keys whose plain code is one byte. */
static const struct {
    const char *name;
    char code, with_ctrl;
    const char *with_shift;
} codes[] = {
    {"enter", '\r', '\r', "\r"},
    {"tab", '\t', '\t', "\x1b[Z"},
    {"backspace", 0x7f, '\b', "\x7f"},
    {"escape", 0x1b, 0x1b, "\x1b"},
};

/* xterm: F13 and up, which libvterm does not know. */
static const uint8_t high_functions[] = {25, 26, 28, 29, 31, 32, 33, 34, 42, 43, 44, 45};

static VTermModifier modifiers(unsigned mods)
{
    return (mods & BJ_MOD_SHIFT ? VTERM_MOD_SHIFT : 0) | (mods & BJ_MOD_ALT ? VTERM_MOD_ALT : 0) |
           (mods & BJ_MOD_CTRL ? VTERM_MOD_CTRL : 0);
}

static void send_code(struct terminal *terminal, const char *code, size_t size, unsigned mods)
{
    char text[16];
    size_t at = 0;
    if (mods & BJ_MOD_ALT)
        text[at++] = 0x1b;
    memcpy(text + at, code, size);
    if (!terminal->muted && terminal->events && terminal->events->reply)
        terminal->events->reply(terminal->owner, text, at + size);
}

/* The control code of an ASCII character, or -1. */
static int control_code(char byte)
{
    if (byte == ' ' || byte == '2')
        return 0;
    if (byte == '?' || byte == '8')
        return 0x7f;
    if (byte >= '3' && byte <= '7')
        return byte - '3' + 0x1b;
    if (byte == '/')
        return 0x1f;
    if ((byte >= '@' && byte <= '_') || (byte >= 'a' && byte <= 'z'))
        return byte & 0x1f;
    return -1;
}

static int character(struct terminal *terminal, const char *key, size_t size, unsigned mods)
{
    utf8proc_int32_t point;
    if (utf8proc_iterate((const utf8proc_uint8_t *)key, (utf8proc_ssize_t)size, &point) !=
        (utf8proc_ssize_t)size)
        return -EINVAL;
    char code[4];
    memcpy(code, key, size);
    if ((mods & BJ_MOD_CTRL) && size == 1) {
        int control = control_code(key[0]);
        if (control >= 0)
            code[0] = (char)control;
    }
    send_code(terminal, code, size, mods);
    return 0;
}

int terminal_key(struct terminal *terminal, const char *key, unsigned mods)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(codes[i].name, key) != 0)
            continue;
        if (mods & BJ_MOD_SHIFT)
            send_code(terminal, codes[i].with_shift, strlen(codes[i].with_shift), mods);
        else
            send_code(terminal, mods & BJ_MOD_CTRL ? &codes[i].with_ctrl : &codes[i].code, 1, mods);
        return 0;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i].name, key) == 0) {
            vterm_keyboard_key(terminal->vt, keys[i].key, modifiers(mods));
            return 0;
        }
    }
    if (key[0] == 'f' && size > 1 && size < 4) {
        char *end;
        long number = strtol(key + 1, &end, 10);
        if (*end || number < 1 || number > 24)
            return -EINVAL;
        if (number <= 12) {
            vterm_keyboard_key(terminal->vt, (VTermKey)(VTERM_KEY_FUNCTION_0 + number),
                               modifiers(mods));
        } else if (mods) {
            unsigned shown = 1 + mods;
            terminal_reply(terminal, "\x1b[%d;%u~", high_functions[number - 13], shown);
        } else {
            terminal_reply(terminal, "\x1b[%d~", high_functions[number - 13]);
        }
        return 0;
    }
    return size > 0 && size <= 4 ? character(terminal, key, size, mods) : -EINVAL;
}

void terminal_paste(struct terminal *terminal, const char *text, size_t size)
{
    char *clean = malloc(size ? size : 1);
    if (!clean)
        return;
    size_t filled = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        /* C1 controls in UTF-8 go, too: what is pasted must not act as a key. */
        if (byte == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0) {
            i++;
            continue;
        }
        if (byte == '\n') {
            if (i > 0 && text[i - 1] == '\r')
                continue;
            byte = '\r';
        }
        if ((byte >= 0x20 && byte != 0x7f) || byte == '\t' || byte == '\r')
            clean[filled++] = (char)byte;
    }
    vterm_keyboard_start_paste(terminal->vt);
    if (filled > 0 && !terminal->muted && terminal->events && terminal->events->reply)
        terminal->events->reply(terminal->owner, clean, filled);
    vterm_keyboard_end_paste(terminal->vt);
    free(clean);
}

void terminal_focus(struct terminal *terminal, bool focused)
{
    if (focused)
        vterm_state_focus_in(terminal->state);
    else
        vterm_state_focus_out(terminal->state);
}

void terminal_mouse(struct terminal *terminal, enum terminal_mouse action, int button, int row,
                    int col, unsigned mods)
{
    uint32_t wanted = TERMINAL_MOUSE_CLICK | TERMINAL_MOUSE_DRAG | TERMINAL_MOUSE_MOVE;
    if (!(terminal->modes & wanted))
        return;
    row = row < 0 ? 0 : row >= terminal->rows ? terminal->rows - 1 : row;
    col = col < 0 ? 0 : col >= terminal->cols ? terminal->cols - 1 : col;
    vterm_mouse_move(terminal->vt, row, col, modifiers(mods));
    if (action != TERMINAL_MOUSE_MOTION && button >= 1 && button <= 5)
        vterm_mouse_button(terminal->vt, button, action == TERMINAL_MOUSE_PRESS, modifiers(mods));
}
