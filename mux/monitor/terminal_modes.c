#include "mux/monitor/terminal_private.h"

/* Modes that can be set, and who keeps them. */
static const struct {
    bool dec;
    uint16_t number;
    uint32_t mode;
    bool forward; /* libvterm must know */
} table[] = {
    {true, 1, TERMINAL_CURSOR_KEYS, true},    {true, 5, TERMINAL_REVERSE, false},
    {true, 6, TERMINAL_ORIGIN, true},         {true, 7, TERMINAL_AUTOWRAP, true},
    {true, 12, TERMINAL_CURSOR_BLINK, false}, {true, 25, TERMINAL_CURSOR_VISIBLE, false},
    {true, 47, TERMINAL_ALTSCREEN, false},    {true, 1000, TERMINAL_MOUSE_CLICK, true},
    {true, 1002, TERMINAL_MOUSE_DRAG, true},  {true, 1003, TERMINAL_MOUSE_MOVE, true},
    {true, 1004, TERMINAL_FOCUS, true},       {true, 1005, TERMINAL_MOUSE_UTF8, true},
    {true, 1006, TERMINAL_MOUSE_SGR, true},   {true, 1015, TERMINAL_MOUSE_URXVT, true},
    {true, 1047, TERMINAL_ALTSCREEN, false},  {true, 1049, TERMINAL_ALTSCREEN, false},
    {true, 2004, TERMINAL_PASTE, true},       {true, 2026, TERMINAL_SYNC, false},
    {false, 4, TERMINAL_INSERT, true},        {false, 20, TERMINAL_NEWLINE, true},
};

#define MOUSE_EVENTS (TERMINAL_MOUSE_CLICK | TERMINAL_MOUSE_DRAG | TERMINAL_MOUSE_MOVE)
#define MOUSE_FORMS  (TERMINAL_MOUSE_UTF8 | TERMINAL_MOUSE_SGR | TERMINAL_MOUSE_URXVT)

static struct terminal_saved *saved_slot(struct terminal *terminal)
{
    return terminal->grid == &terminal->primary ? &terminal->saved : &terminal->saved_alternate;
}

static void save_to(const struct terminal *terminal, struct terminal_saved *saved)
{
    *saved = (struct terminal_saved){
        .set = true,
        .row = terminal->row,
        .col = terminal->col,
        .pen = terminal->pen,
        .charsets = terminal->charsets,
        .origin = (terminal->modes & TERMINAL_ORIGIN) != 0,
    };
}

static void restore_from(struct terminal *terminal, const struct terminal_saved *saved)
{
    static const struct terminal_saved start = {.charsets = {.designated = "BBBB"}};
    if (!saved->set)
        saved = &start;
    if (saved->origin != ((terminal->modes & TERMINAL_ORIGIN) != 0))
        terminal_set_mode(terminal, true, 6, saved->origin);
    terminal->pen = saved->pen;
    terminal_pen_changed(terminal);
    terminal->charsets = saved->charsets;
    terminal_move(terminal, saved->row, saved->col);
}

void terminal_save(struct terminal *terminal)
{
    save_to(terminal, saved_slot(terminal));
}

void terminal_restore(struct terminal *terminal)
{
    restore_from(terminal, saved_slot(terminal));
}

static void enter_alternate(struct terminal *terminal, bool save)
{
    if (terminal->grid == &terminal->alternate)
        return;
    /* Its rows are only there while it is shown: few agents need them. */
    uint64_t now = terminal->primary.now;
    if (grid_init(&terminal->alternate, terminal->rows, terminal->cols) < 0)
        return;
    save_to(terminal, &terminal->entered);
    terminal->entered.set = save;
    terminal->alternate.now = terminal->alternate.all = now;
    terminal->grid = &terminal->alternate;
    terminal->saved_alternate = (struct terminal_saved){0};
    terminal->modes |= TERMINAL_ALTSCREEN;
    uint16_t look = terminal_erase_look(terminal);
    if (look)
        grid_erase(terminal->grid, 0, terminal->rows, 0, terminal->cols, look);
}

static void leave_alternate(struct terminal *terminal, bool restore)
{
    terminal->modes &= ~(uint32_t)TERMINAL_ALTSCREEN;
    if (terminal->grid == &terminal->alternate) {
        terminal->grid = &terminal->primary;
        terminal->primary.now = terminal->alternate.now;
        grid_touch_all(&terminal->primary);
        grid_free(&terminal->alternate);
    }
    if (restore && terminal->entered.set) {
        terminal->entered.set = false;
        struct terminal_saved place = terminal->entered;
        place.set = true;
        restore_from(terminal, &place);
    }
}

static void set_altscreen(struct terminal *terminal, uint32_t number, bool on)
{
    if (on)
        enter_alternate(terminal, number == 1049);
    else
        leave_alternate(terminal, number == 1049);
}

/* Of the mouse's event kinds, and of its encodings, only one is on at a time. */
static uint32_t excluded_by(uint32_t mode)
{
    if (mode & MOUSE_EVENTS)
        return MOUSE_EVENTS;
    return mode & MOUSE_FORMS ? MOUSE_FORMS : mode;
}

void terminal_set_mode(struct terminal *terminal, bool dec, uint32_t number, bool on)
{
    if (dec && number == 1048) {
        if (on)
            terminal_save(terminal);
        else
            terminal_restore(terminal);
        return;
    }
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].dec != dec || table[i].number != number)
            continue;
        uint32_t mode = table[i].mode;
        if (mode == TERMINAL_ALTSCREEN) {
            set_altscreen(terminal, number, on);
            return;
        }
        terminal->modes &= ~excluded_by(mode);
        if (on)
            terminal->modes |= mode;
        if (on && mode == TERMINAL_SYNC)
            terminal->syncs++;
        if (table[i].forward)
            terminal_forward_format(terminal, "\x1b[%s%u%c", dec ? "?" : "", number,
                                    on ? 'h' : 'l');
        if (mode == TERMINAL_REVERSE)
            grid_touch_all(terminal->grid);
        return;
    }
}

int terminal_mode_state(const struct terminal *terminal, bool dec, uint32_t number)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].dec == dec && table[i].number == number)
            return terminal->modes & table[i].mode ? 1 : 2;
    return 0;
}

/* DECSTR; vt100.net VT510 manual. */
void terminal_soft_reset(struct terminal *terminal)
{
    static const struct {
        bool dec;
        uint16_t number;
        bool on;
    } reset[] = {
        {false, 4, false}, {true, 1, false}, {true, 6, false}, {true, 7, true}, {true, 25, true}};
    int row = terminal->row, col = terminal->col;
    for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
        terminal_set_mode(terminal, reset[i].dec, reset[i].number, reset[i].on);
    terminal->modes &= ~(uint32_t)TERMINAL_KEYPAD;
    terminal->region_top = 0;
    terminal->region_bottom = terminal->rows;
    terminal_forward(terminal, "\x1b>", 2);
    terminal_forward(terminal, "\x1b[r", 3);
    terminal_move(terminal, row, col);
    terminal->pen = (struct attribute){0};
    terminal_pen_changed(terminal);
    terminal->charsets = (struct terminal_charsets){.designated = "BBBB"};
    *saved_slot(terminal) = (struct terminal_saved){0};
}
