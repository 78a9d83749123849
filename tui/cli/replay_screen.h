/*
 * A screen that plays a recording: takes an agent's bytes, gives text.
 *
 * libvterm keeps the state; what is painted on the human's terminal are this screen's cells with
 * SGR and cursor moves only, never a byte of the recording. So nothing that an agent printed acts
 * on the terminal that plays it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct replay_screen;

/* `lines` gets the lines that leave the top of the main screen, as plain text; NULL: nobody. */
struct replay_screen *replay_screen_new(unsigned rows, unsigned cols, FILE *lines);
void replay_screen_free(struct replay_screen *screen);

void replay_screen_write(struct replay_screen *screen, const char *bytes, size_t size);
void replay_screen_resize(struct replay_screen *screen, unsigned rows, unsigned cols);

enum replay_colours { REPLAY_MONO, REPLAY_256, REPLAY_DIRECT };

/* Paints what changed since the last time (everything when `all`) into the top left `rows` by
 * `cols` of a terminal, and puts the cursor where it is. */
void replay_screen_paint(struct replay_screen *screen, FILE *out, unsigned rows, unsigned cols,
                         enum replay_colours colours, bool all);

/* The screen as lines of plain text without trailing blanks and empty last lines. */
void replay_screen_text(struct replay_screen *screen, FILE *out);
