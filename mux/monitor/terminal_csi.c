#include "mux/monitor/terminal_private.h"

/*
 * Carrying out CSI and ESC sequences. What moves the cursor, scrolls, inserts, deletes and erases
 * is written anew with parameters in range and given to libvterm; everything else is done here or
 * ignored. Source: xterm ctlseqs.
 */

/* CSI finals without leader or intermediate that libvterm carries out, and how many parameters. */
static const struct {
    char final;
    uint8_t params;
    bool keeps_lines; /* rows that it pushes off the top are deleted, not history */
} forwarded[] = {
    {'@', 1, false}, {'A', 1, false}, {'B', 1, false}, {'C', 1, false}, {'D', 1, false},
    {'E', 1, false}, {'F', 1, false}, {'G', 1, false}, {'H', 2, false}, {'I', 1, false},
    {'J', 1, false}, {'K', 1, false}, {'L', 1, true},  {'M', 1, true},  {'P', 1, false},
    {'S', 1, false}, {'T', 1, false}, {'X', 1, false}, {'Z', 1, false}, {'`', 1, false},
    {'a', 1, false}, {'d', 1, false}, {'e', 1, false}, {'f', 2, false}, {'g', 1, false},
    {'j', 1, false}, {'k', 1, false},
};

static bool forward(struct terminal *terminal, char final)
{
    for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++) {
        if (forwarded[i].final != final)
            continue;
        terminal->keep_lines = forwarded[i].keeps_lines;
        char text[32] = "\x1b[", *at = text + 2;
        uint32_t first = terminal_param(terminal, 0, PARAM_MISSING);
        if (first != PARAM_MISSING)
            at = terminal_number(at, first);
        if (forwarded[i].params == 2) {
            *at++ = ';';
            at = terminal_number(at, terminal_param(terminal, 1, 1));
        }
        *at++ = final;
        terminal_forward(terminal, text, (size_t)(at - text));
        terminal->keep_lines = false;
        return true;
    }
    return false;
}

/* DECSTBM, with the same rules as libvterm, which gets it, too. */
static void set_region(struct terminal *terminal)
{
    int top = (int)terminal_param(terminal, 0, 1), bottom = (int)terminal_param(terminal, 1, 0);
    if (top < 1)
        top = 1;
    if (bottom < 1 || bottom > terminal->rows)
        bottom = terminal->rows;
    if (bottom <= top) {
        /* No region of one line: such a request is ignored, as by xterm. */
        if (terminal->rows > 1)
            return;
        top = 1;
    }
    terminal->region_top = top - 1;
    terminal->region_bottom = bottom;
    terminal_forward_format(terminal, "\x1b[%d;%dr", top, bottom);
}

static void erase_display(struct terminal *terminal)
{
    if (terminal_param(terminal, 0, 0) == 3) {
        if (terminal->grid == &terminal->primary)
            scrollback_clear(&terminal->scrollback);
        return;
    }
    if (terminal_param(terminal, 0, 0) == 2)
        terminal->clears++;
    forward(terminal, 'J');
}

static void set_modes(struct terminal *terminal, bool dec, bool on)
{
    for (int i = 0; i < terminal->sequence.count; i++)
        terminal_set_mode(terminal, dec, terminal_param(terminal, i, 0), on);
}

/* DECSCUSR */
static void set_cursor_style(struct terminal *terminal)
{
    uint32_t style = terminal_param(terminal, 0, 0);
    if (style > 6)
        return;
    terminal->cursor_shape = style < 3 ? 1 : style < 5 ? 2 : 3;
    if (style == 0 || style % 2 == 1)
        terminal->modes |= TERMINAL_CURSOR_BLINK;
    else
        terminal->modes &= ~(uint32_t)TERMINAL_CURSOR_BLINK;
}

static void plain(struct terminal *terminal, char final)
{
    switch (final) {
    case 'J':
        erase_display(terminal);
        break;
    case 'T':
        if (terminal->sequence.count < 2) /* with five it is mouse tracking */
            forward(terminal, final);
        break;
    case 'b':
        terminal_repeat(terminal, terminal_param(terminal, 0, 1));
        break;
    case 'h':
    case 'l':
        set_modes(terminal, false, final == 'h');
        break;
    case 'r':
        set_region(terminal);
        break;
    case 's': /* without left and right margins it is SCOSC */
        terminal_save(terminal);
        break;
    case 'u':
        terminal_restore(terminal);
        break;
    default:
        forward(terminal, final);
        break;
    }
}

void terminal_csi(struct terminal *terminal, char final)
{
    const struct terminal_sequence *sequence = &terminal->sequence;
    if (final == 'm' && !sequence->leader && sequence->intermediates == 0) {
        terminal_sgr(terminal); /* by far the most */
        return;
    }
    if (terminal_report(terminal, final) || sequence->intermediates > 1)
        return;
    switch (sequence->leader << 16 | sequence->intermediate << 8 | final) {
    case '?' << 16 | 'h':
    case '?' << 16 | 'l':
        set_modes(terminal, true, final == 'h');
        break;
    case '?' << 16 | 'J': /* DECSED, DECSEL: nothing is protected */
        erase_display(terminal);
        break;
    case '?' << 16 | 'K':
        forward(terminal, final);
        break;
    case '!' << 8 | 'p':
        terminal_soft_reset(terminal);
        break;
    case ' ' << 8 | 'q':
        set_cursor_style(terminal);
        break;
    default:
        if (!sequence->leader && !sequence->intermediate)
            plain(terminal, final);
        break;
    }
}

static void designate(struct terminal *terminal, int slot, char set)
{
    terminal->charsets.designated[slot] = set == '0' || set == '2' ? '0' : set == 'A' ? 'A' : 'B';
}

void terminal_escape(struct terminal *terminal, char final)
{
    const struct terminal_sequence *sequence = &terminal->sequence;
    if (sequence->intermediates == 1) {
        if (sequence->intermediate >= '(' && sequence->intermediate <= '+')
            designate(terminal, sequence->intermediate - '(', final);
        else if (sequence->intermediate == '#' && final == '8') { /* DECALN */
            terminal->pen = (struct attribute){0};
            terminal_pen_changed(terminal);
            terminal_forward(terminal, "\x1b#8\x1b[H", 6);
            terminal->phantom = false; /* the last glyph was not put by the cursor */
        }
        return;
    }
    if (sequence->intermediates > 1)
        return;
    switch (final) {
    case '7':
        terminal_save(terminal);
        break;
    case '8':
        terminal_restore(terminal);
        break;
    case 'D': /* IND */
    case 'E': /* NEL */
    case 'H': /* HTS */
    case 'M': /* RI */
        terminal_forward_format(terminal, "\x1b%c", final);
        break;
    case 'N':
    case 'O':
        terminal->charsets.single = final == 'N' ? 2 : 3;
        break;
    case 'n':
    case 'o':
        terminal->charsets.active = final == 'n' ? 2 : 3;
        break;
    case '=':
    case '>':
        if (final == '=')
            terminal->modes |= TERMINAL_KEYPAD;
        else
            terminal->modes &= ~(uint32_t)TERMINAL_KEYPAD;
        terminal_forward_format(terminal, "\x1b%c", final);
        break;
    case 'c':
        terminal_reset(terminal);
        break;
    default:
        break;
    }
}
