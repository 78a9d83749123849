/*
 * The test's eyes: a program in a pty, its screen as libvterm shows it.
 *
 * Waiting functions pump the pty until the condition holds; when it does not in time (see
 * world_patience) they print the screen and fail the test. Rows and columns count from 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

#include <vterm.h>

#define EYE_MODES 2100

/* What a program has switched, followed as it does. */
struct eye_modes {
    bool on[EYE_MODES]; /* private modes */
    bool keypad;
    unsigned styled;   /* bits of the attributes that are on, and of colours */
    int shape, titles; /* of the cursor; pushed on the stack */
    int state;         /* of the parser */
    char sequence[64];
    size_t size;
};

struct eye {
    pid_t pid;
    int fd; /* the pty's master */
    VTerm *vterm;
    VTermScreen *screen;
    int rows, cols;
    VTermPos cursor;
    bool cursor_visible, altscreen;
    int mouse;
    struct termios first; /* the pty's modes before the program changed them */
    struct eye_modes modes;
    bool ended;
    int status; /* of waitpid, when ended */
    char *raw;  /* all output */
    size_t raw_size;
    bool syncs, mute; /* says that it knows mode 2026; answers nothing at all */
    int space;        /* bytes of "8:2::" that came last */
};

struct eye *eye_open(int rows, int cols, const char *const argv[]);
/* Kills the program when it still runs. */
void eye_close(struct eye *eye);

/* Takes what has come, waiting up to `milliseconds` for it. False when the pty has ended. */
bool eye_pump(struct eye *eye, int milliseconds);

/* Types bytes; keys that send sequences are named below. */
void eye_type(struct eye *eye, const char *bytes);
#define EYE_F12   "\x1b[24~"
#define EYE_UP    "\x1bOA"
#define EYE_DOWN  "\x1bOB"
#define EYE_RIGHT "\x1bOC"
#define EYE_LEFT  "\x1bOD"
#define EYE_ENTER "\r"

void eye_resize(struct eye *eye, int rows, int cols);

/* A row as UTF-8 without trailing blanks; lasts until the next call. */
const char *eye_row(struct eye *eye, int row);
/* The same of its cells [from, to). */
const char *eye_cells(struct eye *eye, int row, int from, int to);
/* The row that contains the text, or -1; with its column (in cells) in *col when not NULL. */
int eye_find(struct eye *eye, const char *text, int *col);
bool eye_shows(struct eye *eye, const char *text);
void eye_cell(struct eye *eye, int row, int col, VTermScreenCell *cell);

#define EYE_WAIT(eye, condition)                                                                   \
    do {                                                                                           \
        long long limit_ = world_now() + world_patience();                                         \
        while (!(condition)) {                                                                     \
            eye_pump(eye, 20);                                                                     \
            if (world_now() > limit_)                                                              \
                eye_fail(eye, #condition);                                                         \
        }                                                                                          \
    } while (0)
#define EYE_WAIT_TEXT(eye, text) EYE_WAIT(eye, eye_shows(eye, text))
void eye_fail(struct eye *eye, const char *what) __attribute__((noreturn));

/* Waits for the program's end; returns its exit code, or 128 + signal. */
int eye_wait_end(struct eye *eye);

/* Fails unless the terminal is as it was: modes of the pty and its special characters, no private
 * mode on but the cursor's, no shape of it, keypad, attributes, or title left on the stack. */
void eye_check_restored(struct eye *eye);

/* Presses Escape, and leaves it alone: with a key at once behind it, it would be one with Meta. */
void eye_escape(struct eye *eye);

/* Clicks on the first character of the text, which must be there; `right` columns to its right. */
void eye_click(struct eye *eye, const char *text, int right);

/* Leaves the dashboard by its key, and closes. The terminal must be as it was. */
void eye_detach(struct eye *eye);

void eye_dump(struct eye *eye);
