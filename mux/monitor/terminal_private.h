/*
 * What the parts of the terminal share. terminal_parse.c takes bytes apart, terminal_text.c places
 * glyphs, terminal_csi.c and terminal_modes.c carry out sequences, terminal_sgr.c looks,
 * terminal_strings.c OSC and DCS, terminal_report.c answers, terminal_keys.c encodes input.
 */
#pragma once

#include "mux/monitor/terminal.h"

#define PARAM_MISSING UINT32_MAX
#define PARAM_MAX     16383U /* greater values are cut to it; beyond any size we allow */

/* Bytes 0x20.. without 0x7f; may end within a UTF-8 sequence. */
void terminal_text(struct terminal *terminal, const uint8_t *bytes, size_t size);
void terminal_text_flush(struct terminal *terminal); /* something else follows */
void terminal_repeat(struct terminal *terminal, uint32_t count);

/* Gives libvterm a sequence, with its cursor brought up to ours before, and ours to its after. */
void terminal_forward(struct terminal *terminal, const char *bytes, size_t size);
void terminal_forward_format(struct terminal *terminal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void terminal_move(struct terminal *terminal, int row, int col); /* absolute, whatever the origin */

/* Allocates what libvterm needs for another height, before vterm_set_size. 0 or -ENOMEM. */
int terminal_vterm_prepare(struct terminal *terminal, int rows);

void terminal_csi(struct terminal *terminal, char final);
void terminal_escape(struct terminal *terminal, char final);
void terminal_string(struct terminal *terminal);
void terminal_sgr(struct terminal *terminal);
void terminal_set_mode(struct terminal *terminal, bool dec, uint32_t number, bool on);
int terminal_mode_state(const struct terminal *terminal, bool dec, uint32_t number); /* DECRQM */
void terminal_save(struct terminal *terminal);
void terminal_restore(struct terminal *terminal);
void terminal_soft_reset(struct terminal *terminal);
void terminal_title(struct terminal *terminal, const char *text, size_t size);

void terminal_reply(struct terminal *terminal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void terminal_alert(struct terminal *terminal, const char *severity, const char *kind,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
bool terminal_report(struct terminal *terminal, char final); /* true when it was a query */
void terminal_report_status(struct terminal *terminal, const char *what, size_t size);

/* SGR parameters of a look, e.g. "1;38;5;4"; at most TERMINAL_SGR_MAX bytes with the NUL. */
#define TERMINAL_SGR_MAX 96
size_t terminal_sgr_format(char out[TERMINAL_SGR_MAX], const struct attribute *look);

/* Find the id of the pen, and of the look that erased cells get from it. */
void terminal_pen_intern(struct terminal *terminal);
void terminal_erase_intern(struct terminal *terminal);

/* To be called after every change of the pen. */
static inline void terminal_pen_changed(struct terminal *terminal)
{
    terminal->pen_known = terminal->erase_known = false;
}

static inline uint16_t terminal_pen(struct terminal *terminal)
{
    if (!terminal->pen_known)
        terminal_pen_intern(terminal);
    return terminal->pen_id;
}

static inline uint16_t terminal_erase_look(struct terminal *terminal)
{
    if (!terminal->erase_known)
        terminal_erase_intern(terminal);
    return terminal->erase_id;
}

/* Writes a number in decimal; returns what is behind it. */
static inline char *terminal_number(char *at, uint32_t value)
{
    char digits[10];
    int count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static inline uint32_t terminal_param(const struct terminal *terminal, int index, uint32_t fallback)
{
    const struct terminal_sequence *sequence = &terminal->sequence;
    return index < sequence->count && sequence->params[index] != PARAM_MISSING
               ? sequence->params[index]
               : fallback;
}
