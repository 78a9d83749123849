/*
 * A terminal: bytes in, a grid of cells out.
 *
 * Sequences are taken apart here, by a tokenizer with bounded buffers; libvterm's state layer keeps
 * the cursor, margins, tabs, wrapping and key encodings, and only ever sees printable stand-ins and
 * well-formed sequences with parameters in range. Looks (SGR), titles, links, queries and all
 * strings (OSC, DCS) never reach it. Nothing is ever passed on to the human's terminal.
 *
 * The struct may be read by whoever shows the terminal (view, capture, redraw); only the functions
 * below change it. Positions count from 0.
 *
 * Sources: xterm ctlseqs, ECMA-48, vt100.net, and the notes named at each table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vterm.h>

#include "mux/monitor/grid.h"
#include "mux/monitor/scrollback.h"
#include "mux/monitor/styles.h"

#define TERMINAL_TITLE_MAX   256
#define TERMINAL_PARAMS_MAX  64
#define TERMINAL_STRING_MAX  4096           /* bytes of one OSC or DCS that are looked at */
#define TERMINAL_STRING_LOUD (1024U * 1024) /* a longer one is worth an alert */

/* What the terminal tells its owner. Any may be NULL; all come during terminal_write. */
struct terminal_events {
    void (*reply)(void *owner, const void *bytes, size_t size); /* for the pty */
    void (*title)(void *owner, const char *title);
    void (*bell)(void *owner);
    void (*alert)(void *owner, const char *severity, const char *kind, const char *text);
};

/* Modes that are on. The first group is known to libvterm, too. */
enum {
    TERMINAL_CURSOR_KEYS = 1 << 0, /* ?1 */
    TERMINAL_ORIGIN = 1 << 1,      /* ?6 */
    TERMINAL_AUTOWRAP = 1 << 2,    /* ?7 */
    TERMINAL_MOUSE_CLICK = 1 << 3, /* ?1000 */
    TERMINAL_MOUSE_DRAG = 1 << 4,  /* ?1002 */
    TERMINAL_MOUSE_MOVE = 1 << 5,  /* ?1003 */
    TERMINAL_FOCUS = 1 << 6,       /* ?1004 */
    TERMINAL_MOUSE_UTF8 = 1 << 7,  /* ?1005 */
    TERMINAL_MOUSE_SGR = 1 << 8,   /* ?1006 */
    TERMINAL_MOUSE_URXVT = 1 << 9, /* ?1015 */
    TERMINAL_PASTE = 1 << 10,      /* ?2004 */
    TERMINAL_INSERT = 1 << 11,     /* 4 */
    TERMINAL_NEWLINE = 1 << 12,    /* 20 */
    TERMINAL_KEYPAD = 1 << 13,     /* ESC = */

    TERMINAL_REVERSE = 1 << 14,        /* ?5 */
    TERMINAL_CURSOR_BLINK = 1 << 15,   /* ?12 */
    TERMINAL_CURSOR_VISIBLE = 1 << 16, /* ?25 */
    TERMINAL_ALTSCREEN = 1 << 17,      /* ?47 ?1047 ?1049 */
    TERMINAL_SYNC = 1 << 18,           /* ?2026 */
};
#define TERMINAL_MODES_FIRST (TERMINAL_AUTOWRAP | TERMINAL_CURSOR_VISIBLE | TERMINAL_CURSOR_BLINK)

struct terminal_charsets {
    char designated[4]; /* final bytes: 'B' ASCII, '0' DEC graphics, 'A' UK */
    uint8_t active;     /* 0..3, by SO, SI, LS2, LS3 */
    uint8_t single;     /* 2 or 3 after SS2 or SS3, else 0 */
};

/* What a shell's marks (OSC 133) said last. */
enum terminal_prompt { TERMINAL_PROMPT_NONE, TERMINAL_PROMPT_SHOWN, TERMINAL_PROMPT_LEFT };

/* DECSC. */
struct terminal_saved {
    bool set;
    int row, col;
    struct attribute pen;
    struct terminal_charsets charsets;
    bool origin;
};

enum terminal_parse {
    PARSE_GROUND,
    PARSE_ESCAPE,
    PARSE_ESCAPE_INTERMEDIATE,
    PARSE_CSI,
    PARSE_CSI_IGNORE,
    PARSE_STRING,
    PARSE_STRING_ESCAPE,
};

struct terminal_sequence {
    enum terminal_parse state;
    uint32_t params[TERMINAL_PARAMS_MAX]; /* PARAM_MISSING when absent */
    uint64_t colon;                       /* bit i: params[i] followed a colon, not a semicolon */
    int count;
    char leader;        /* one of < = > ? or 0 */
    char intermediate;  /* the last one, or 0 */
    int intermediates;  /* how many came */
    char string_kind;   /* ']' OSC, 'P' DCS, else ignored */
    bool loud;          /* this string was reported as oversized */
    size_t string_size; /* of the whole string */
    char string[TERMINAL_STRING_MAX];
};

#define TERMINAL_PLAIN 256

/* A code point that is its own glyph, whatever it follows (a pictogram: but a joiner); point 0:
 * none. */
struct terminal_plain {
    uint32_t point, glyph;
    bool pictogram;
};

struct terminal {
    VTerm *vt;
    VTermState *state;
    VTermLineInfo *line_infos[2]; /* for libvterm's next size */
    const struct terminal_events *events;
    void *owner;

    int rows, cols;
    struct grid primary, alternate; /* alternate.rows is 0 while it is not in use */
    struct grid *grid;              /* the one on screen */
    struct scrollback scrollback;
    struct styles styles;

    int row, col; /* the cursor; libvterm's is `debt` columns behind */
    int debt;
    bool phantom; /* the last column was written, the next glyph wraps */
    int region_top, region_bottom;
    uint32_t modes;
    uint8_t cursor_shape; /* 1 block, 2 underline, 3 bar */
    struct terminal_charsets charsets;
    struct terminal_saved saved, saved_alternate; /* DECSC: of the primary and alternate screen */
    struct terminal_saved entered;                /* where ?1049 left the primary screen */

    struct attribute pen;
    uint16_t pen_id, erase_id;
    bool pen_known, erase_known; /* the ids fit the pen */
    uint32_t last_glyph;         /* for REP */
    bool parted;                 /* a control came behind it: no pictogram joins it */
    uint32_t sweep_pause;        /* misses to bear before ids are swept again */

    uint8_t partial[4]; /* of a UTF-8 sequence cut by the end of the input */
    uint8_t partial_size;
    struct terminal_sequence sequence;

    struct terminal_plain plain[TERMINAL_PLAIN]; /* those that came last, by hash */

    /* While libvterm places a glyph. */
    uint32_t placing;
    bool scrolled, keep_lines;

    uint64_t scrolled_up; /* whole-screen scrolls so far, a hint for views */
    uint64_t clears;      /* times that the whole screen was erased */
    enum terminal_prompt prompt;
    bool prompt_open; /* it has begun, and is not marked yet */
    uint64_t bells;
    uint64_t syncs; /* synchronized updates begun */
    char title[TERMINAL_TITLE_MAX];
    bool muted; /* no events: the recording is replayed */
};

/* NULL when memory is short. Sizes are clamped to 1..GRID_ROWS_MAX and 1..GRID_COLS_MAX. */
struct terminal *terminal_new(int rows, int cols, size_t scrollback_lines,
                              const struct terminal_events *events, void *owner);
void terminal_free(struct terminal *terminal);

/* Output of the agent. Never fails: what memory does not suffice for is left out. */
void terminal_write(struct terminal *terminal, const void *bytes, size_t size);

/* Marks the last line that was written, for copy mode to jump to: ATTRIBUTE_PROMPT or _REQUEST. */
void terminal_mark(struct terminal *terminal, uint32_t mark);

/* Begins a new batch: rows that change from here on get a newer stamp. */
void terminal_batch(struct terminal *terminal);

/* Changes the size; the primary screen and its scrollback are flowed anew. Returns 0, or -ENOMEM
 * with the old size still in force. */
int terminal_resize(struct terminal *terminal, int rows, int cols);

/* ESC c: everything back to the start, scrollback kept. */
void terminal_reset(struct terminal *terminal);

/* BJ_MODE_* of transport/api.h. */
uint32_t terminal_mode_bits(const struct terminal *terminal);

/* The rows above the screen that can be looked at (none while the alternate screen is on). */
size_t terminal_history(struct terminal *terminal);

/* Makes room among the attribute and cluster ids by dropping those that no cell uses. */
void terminal_sweep(struct terminal *terminal);

/*
 * Input, encoded as the agent's modes ask; the bytes come through events->reply.
 * terminal_key: -EINVAL for a name that is no key. `mods` as BJ_MOD_* of transport/api.h.
 */
int terminal_key(struct terminal *terminal, const char *key, unsigned mods);
void terminal_paste(struct terminal *terminal, const char *text, size_t size);
void terminal_focus(struct terminal *terminal, bool focused);

enum terminal_mouse { TERMINAL_MOUSE_PRESS, TERMINAL_MOUSE_RELEASE, TERMINAL_MOUSE_MOTION };
void terminal_mouse(struct terminal *terminal, enum terminal_mouse action, int button, int row,
                    int col, unsigned mods);
