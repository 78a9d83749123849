#include "mux/monitor/terminal_private.h"

#include <stdio.h>
#include <string.h>

#include "mux/monitor/base64.h"
#include "mux/monitor/sanitize.h"

/*
 * OSC and DCS strings. None is passed on, none reaches libvterm. What would act on the human's
 * machine (clipboard, notifications) becomes an alert. Sources: xterm ctlseqs; the proposals named
 * at each handler.
 */

void terminal_title(struct terminal *terminal, const char *text, size_t size)
{
    char title[TERMINAL_TITLE_MAX];
    sanitize_line(title, sizeof(title), text, size);
    if (strcmp(title, terminal->title) == 0)
        return;
    memcpy(terminal->title, title, sizeof(title));
    if (!terminal->muted && terminal->events && terminal->events->title)
        terminal->events->title(terminal->owner, terminal->title);
}

/* OSC 8 ; params ; URI */
static void hyperlink(struct terminal *terminal, const char *rest, size_t size)
{
    const char *uri = memchr(rest, ';', size);
    terminal->pen.link = 0;
    terminal_pen_changed(terminal);
    if (!uri)
        return;
    uri++;
    terminal->pen.link =
        hyperlinks_intern(&terminal->styles.links, uri, size - (size_t)(uri - rest));
}

static void clipboard(struct terminal *terminal, const char *rest, size_t size)
{
    bool reads = size > 0 && rest[size - 1] == '?';
    if (reads)
        terminal_alert(terminal, "warning", "clipboard",
                       "the agent tried to read the clipboard; it was not told anything");
    else
        terminal_alert(terminal, "warning", "clipboard",
                       "the agent tried to set the clipboard (%zu bytes); nothing was set",
                       terminal->sequence.string_size);
}

static void notification(struct terminal *terminal, const char *rest, size_t size)
{
    char text[160];
    sanitize_line(text, sizeof(text), rest, size);
    terminal_alert(terminal, "info", "notification", "%s", text);
}

/* The mark stands on the last cell of the line that is written: the prompt's end, when a prompt is
 * marked; what stands above the cursor, when it begins a line. */
void terminal_mark(struct terminal *terminal, uint32_t mark)
{
    struct attributes *attributes = &terminal->styles.attributes;
    for (int at = terminal->row; at >= 0; at--) {
        struct row *row = grid_row(terminal->grid, at);
        int col = row->used - 1;
        while (col > 0 && (row->cells[col].glyph & (GLYPH_TAIL | GLYPH_PAD)))
            col--;
        if (col < 0)
            continue;
        struct attribute look = *attributes_get(attributes, row->cells[col].attr);
        look.flags |= mark;
        uint16_t id = attributes_intern(attributes, &look);
        if (id != ATTRIBUTE_FULL)
            row->cells[col].attr = id;
        grid_touch(terminal->grid, at);
        return;
    }
}

/* FinalTerm's marks of a shell: A the prompt begins, B it ends, C a command runs, D it has ended.
 */
static void prompt_mark(struct terminal *terminal, const char *rest, size_t size)
{
    if (size == 0 || (size > 1 && rest[1] != ';'))
        return;
    if (rest[0] != 'A' && rest[0] != 'D' && terminal->prompt_open)
        terminal_mark(terminal, ATTRIBUTE_PROMPT);
    terminal->prompt_open = rest[0] == 'A';
    if (rest[0] == 'A' || rest[0] == 'B')
        terminal->prompt = TERMINAL_PROMPT_SHOWN;
    else if (rest[0] == 'C')
        terminal->prompt = TERMINAL_PROMPT_LEFT;
    else if (rest[0] == 'D')
        terminal->prompt = TERMINAL_PROMPT_NONE;
}

/* Whether a kitty notification's metadata, `i=1:p=body:e=1`, has this setting. */
static bool has_setting(const char *metadata, size_t size, const char *setting)
{
    size_t length = strlen(setting), at = 0;
    while (at < size) {
        const char *colon = memchr(metadata + at, ':', size - at);
        size_t end = colon ? (size_t)(colon - metadata) : size;
        if (end - at == length && memcmp(metadata + at, setting, length) == 0)
            return true;
        at = end + 1;
    }
    return false;
}

/* OSC 99 ; metadata ; payload (kitty: desktop notifications). Titles and bodies are for people; a
 * query, an icon, buttons and the like are not, and nothing is answered. */
static void kitty_notification(struct terminal *terminal, const char *rest, size_t size)
{
    uint8_t plain[TERMINAL_STRING_MAX];
    const char *semicolon = memchr(rest, ';', size);
    size_t metadata = semicolon ? (size_t)(semicolon - rest) : size;
    bool text = has_setting(rest, metadata, "p=title") || has_setting(rest, metadata, "p=body") ||
                !memmem(rest, metadata, "p=", 2);
    if (!semicolon || !text || metadata + 1 == size)
        return;
    const char *payload = semicolon + 1;
    size_t left = size - metadata - 1;
    if (has_setting(rest, metadata, "e=1")) {
        ptrdiff_t decoded = base64_decode(plain, payload, left);
        if (decoded < 0)
            return;
        payload = (const char *)plain;
        left = (size_t)decoded;
    }
    notification(terminal, payload, left);
}

static void color_query(struct terminal *terminal, unsigned number, const char *rest, size_t size)
{
    if (size != 1 || rest[0] != '?')
        return; /* setting the terminal's own colours is not for the agent */
    const char *color = number == 11 ? "0000/0000/0000" : "d8d8/d8d8/d8d8";
    terminal_reply(terminal, "\x1b]%u;rgb:%s\x1b\\", number, color);
}

static void osc(struct terminal *terminal, const char *text, size_t size)
{
    unsigned number = 0;
    size_t at = 0;
    while (at < size && at < 5 && text[at] >= '0' && text[at] <= '9')
        number = number * 10 + (unsigned)(text[at++] - '0');
    if (at == 0 || (at < size && text[at] != ';'))
        return;
    const char *rest = text + (at < size ? at + 1 : at);
    size_t left = size - (size_t)(rest - text);
    switch (number) {
    case 0:
    case 2:
        terminal_title(terminal, rest, left);
        break;
    case 8: /* gist egmontkob: hyperlinks in terminal emulators */
        hyperlink(terminal, rest, left);
        break;
    case 9: /* iTerm2; 9;4 is ConEmu's progress bar */
        if (left < 2 || rest[1] != ';' || rest[0] < '0' || rest[0] > '9')
            notification(terminal, rest, left);
        break;
    case 99:
        kitty_notification(terminal, rest, left);
        break;
    case 777: /* urxvt */
        notification(terminal, rest, left);
        break;
    case 10:
    case 11:
    case 12:
        color_query(terminal, number, rest, left);
        break;
    case 52:
        clipboard(terminal, rest, left);
        break;
    case 133:
        prompt_mark(terminal, rest, left);
        break;
    default:
        break;
    }
}

void terminal_string(struct terminal *terminal)
{
    const struct terminal_sequence *sequence = &terminal->sequence;
    size_t size = sequence->string_size;
    bool whole = size <= TERMINAL_STRING_MAX;
    if (!whole)
        size = TERMINAL_STRING_MAX;
    if (sequence->string_kind == ']') {
        /* A cut title or link is not one; an oversized clipboard is one still. */
        if (whole || (size > 3 && memcmp(sequence->string, "52;", 3) == 0))
            osc(terminal, sequence->string, size);
    } else if (sequence->string_kind == 'P') {
        if (whole && size >= 2 && memcmp(sequence->string, "$q", 2) == 0)
            terminal_report_status(terminal, sequence->string + 2, size - 2);
        else if (whole && size >= 2 && memcmp(sequence->string, "+q", 2) == 0)
            terminal_reply(terminal, "\x1bP0+r\x1b\\"); /* XTGETTCAP: nothing known */
    }
}
