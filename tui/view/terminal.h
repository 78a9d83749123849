/*
 * The human's terminal: taken over by ncurses, given back whatever happens.
 *
 * One terminal per process, so the state is the file's. It is restored by term_close(), at exit(),
 * and by a handler of fatal signals that writes one constant string and the saved modes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "transport/error.h"
#include "tui/model/decode.h"
#include "tui/model/notify.h"

enum term_colors { TERM_MONO = 0, TERM_8 = 8, TERM_16 = 16, TERM_256 = 256, TERM_DIRECT = 1 << 24 };

struct term_facts {
    enum term_colors colors;
    int palette_kept;  /* with direct colours: the numbers below this one are the palette's */
    bool utf8;         /* the locale's characters are UTF-8 */
    bool console;      /* its font has light and double lines with square corners, no others */
    bool cursor_shape; /* DECSCUSR is understood */
    bool xterm;        /* mouse, bracketed paste, focus reports, titles */
};

/* Takes the terminal on stdin and stdout; `title` becomes its title. Sets the locale. */
int term_open(const char *title, struct term_facts *facts, struct bj_error *error);
void term_close(void); /* idempotent */
bool term_alive(void); /* whether it is still there, and has not hung up */

/* Gives the terminal back and stops this process, until SIGCONT; then takes it again. */
void term_stop(void);

/* The terminal's size has changed: tells ncurses, clears. */
void term_resize(int *rows, int *cols);

/* Sends what has changed on the screen, as one picture where the terminal can take it so. */
void term_refresh(void);
/* The terminal has answered what was asked about one of its private modes (DECRPM). */
void term_answer(int mode, int setting);

/* Cursor shape: 0 the terminal's own, else 1 block, 2 underline, 3 bar. */
void term_cursor(int shape, bool blink);

/* Tells the human by his terminal's bell, or by a notification with this text, which is printable
 * ASCII. A terminal that is no relative of xterm only rings. */
void term_notify(enum notify_how how, const char *text);

/* Puts text on the human's clipboard. -EMSGSIZE beyond TERM_COPY_MAX (terminals drop longer ones),
 * -ENOTSUP when the terminal has none, -ENOMEM. */
#define TERM_COPY_MAX (100U * 1000)
int term_copy(const char *text, size_t size);

/* Sequences of keys that terminfo knows. */
void term_teach(struct decode *decode);
