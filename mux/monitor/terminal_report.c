#include "mux/monitor/terminal_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Queries that a terminal answers. The answers are made here, from this terminal's own state, and
 * go to the agent's pty; the human's terminal is never asked. Never answered are reports of text
 * that the agent can set (title, icon name: CSI 20 t and 21 t), which would let output become
 * input. Source: xterm ctlseqs.
 */

/* Pixels of a cell, for programs that ask: the cell is what we have, the rest is a convention. */
enum { CELL_WIDTH = 8, CELL_HEIGHT = 16 };

void terminal_reply(struct terminal *terminal, const char *format, ...)
{
    if (terminal->muted || !terminal->events || !terminal->events->reply)
        return;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < sizeof(text))
        terminal->events->reply(terminal->owner, text, (size_t)size);
}

void terminal_alert(struct terminal *terminal, const char *severity, const char *kind,
                    const char *format, ...)
{
    if (terminal->muted || !terminal->events || !terminal->events->alert)
        return;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    terminal->events->alert(terminal->owner, severity, kind, text);
}

static void report_cursor(struct terminal *terminal, const char *mark)
{
    int row = terminal->row;
    if (terminal->modes & TERMINAL_ORIGIN)
        row -= terminal->region_top;
    terminal_reply(terminal, "\x1b[%s%d;%dR", mark, row + 1, terminal->col + 1);
}

static void report_window(struct terminal *terminal)
{
    int rows = terminal->rows, cols = terminal->cols;
    switch (terminal_param(terminal, 0, 0)) {
    case 11:
        terminal_reply(terminal, "\x1b[1t");
        break;
    case 14:
        terminal_reply(terminal, "\x1b[4;%d;%dt", rows * CELL_HEIGHT, cols * CELL_WIDTH);
        break;
    case 16:
        terminal_reply(terminal, "\x1b[6;%d;%dt", CELL_HEIGHT, CELL_WIDTH);
        break;
    case 18:
        terminal_reply(terminal, "\x1b[8;%d;%dt", rows, cols);
        break;
    case 19:
        terminal_reply(terminal, "\x1b[9;%d;%dt", rows, cols);
        break;
    default:
        break;
    }
}

bool terminal_report(struct terminal *terminal, char final)
{
    const struct terminal_sequence *sequence = &terminal->sequence;
    uint32_t first = terminal_param(terminal, 0, 0);
    switch (sequence->leader << 16 | sequence->intermediate << 8 | final) {
    case 'c': /* DA1: VT220 with colours */
        if (first == 0)
            terminal_reply(terminal, "\x1b[?62;22c");
        return true;
    case '>' << 16 | 'c': /* DA2 */
        if (first == 0)
            terminal_reply(terminal, "\x1b[>1;100;0c");
        return true;
    case '=' << 16 | 'c': /* DA3 */
        if (first == 0)
            terminal_reply(terminal, "\x1bP!|00000000\x1b\\");
        return true;
    case '>' << 16 | 'q': /* XTVERSION */
        if (first == 0)
            terminal_reply(terminal, "\x1bP>|belljar(" BJ_VERSION ")\x1b\\");
        return true;
    case 'n':
        if (first == 5)
            terminal_reply(terminal, "\x1b[0n");
        else if (first == 6)
            report_cursor(terminal, "");
        return true;
    case '?' << 16 | 'n':
        if (first == 6)
            report_cursor(terminal, "?");
        return true;
    case '$' << 8 | 'p': /* DECRQM */
        terminal_reply(terminal, "\x1b[%u;%d$y", first,
                       terminal_mode_state(terminal, false, first));
        return true;
    case '?' << 16 | '$' << 8 | 'p':
        terminal_reply(terminal, "\x1b[?%u;%d$y", first,
                       terminal_mode_state(terminal, true, first));
        return true;
    case '?' << 16 | 'u': /* kitty keyboard: no enhancement is on */
        terminal_reply(terminal, "\x1b[?0u");
        return true;
    case 't':
        report_window(terminal);
        return true;
    case 'x': /* DECREQTPARM */
        if (first <= 1)
            terminal_reply(terminal, "\x1b[%u;1;1;128;128;1;0x", first + 2);
        return true;
    default:
        return false;
    }
}

/* DECRQSS. Only settings whose answer is made of numbers are known. */
void terminal_report_status(struct terminal *terminal, const char *what, size_t size)
{
    if (size == 1 && what[0] == 'm') {
        char sgr[TERMINAL_SGR_MAX];
        terminal_sgr_format(sgr, &terminal->pen);
        terminal_reply(terminal, "\x1bP1$r%sm\x1b\\", sgr);
    } else if (size == 1 && what[0] == 'r') {
        terminal_reply(terminal, "\x1bP1$r%d;%dr\x1b\\", terminal->region_top + 1,
                       terminal->region_bottom);
    } else if (size == 2 && memcmp(what, " q", 2) == 0) {
        int style = terminal->cursor_shape * 2 - (terminal->modes & TERMINAL_CURSOR_BLINK ? 1 : 0);
        terminal_reply(terminal, "\x1bP1$r%d q\x1b\\", style);
    } else if (size == 2 && memcmp(what, "\"p", 2) == 0) {
        terminal_reply(terminal, "\x1bP1$r62;1\"p\x1b\\");
    } else {
        terminal_reply(terminal, "\x1bP0$r\x1b\\");
    }
}
