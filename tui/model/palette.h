/*
 * The command palette: every action of the key table and every command of the command line by its
 * name, found with a few of its letters.
 *
 * A whole name comes first, then what begins so, then what has the letters at beginnings of its
 * words. These are sure: Enter takes the first. Letters that are anywhere in a name, or only in the
 * help, list what may be meant, and Enter waits until one is chosen.
 *
 * Behind a whole name stands what it is about, as on the command line: "kill web".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tui/keys.h"
#include "tui/model/line.h"

#define PALETTE_MAX 128

/* What may stand behind a name. */
enum palette_takes {
    PALETTE_NOTHING,
    PALETTE_SANDBOX, /* its name; without: the selected one */
    PALETTE_RENAMES, /* OLD NEW */
    PALETTE_LINE,    /* what PROMPT_RUN takes */
};

/* A command of the command line (tui/cli/command_table.c) in the palette. */
struct palette_command {
    const char *name;
    enum action action; /* what the dashboard has for it; ACTION_NONE: see `shows` */
    enum palette_takes takes;
    const char *shows; /* words of belljar whose output is shown; NULL: it is for a shell */
    const char *help;  /* NULL: the action's */
};

extern const struct palette_command palette_commands[];
extern const size_t palette_commands_count;

struct palette_hit {
    const char *name, *help;
    enum action action;
    const struct palette_command *command; /* of this name; NULL: the command line has none */
    int score;
};

struct palette {
    bool open;
    struct line line;
    struct palette_hit hit[PALETTE_MAX]; /* best first */
    size_t count, at;
    bool chosen;          /* hit[at] is what Enter takes; else nothing is */
    const char *argument; /* what stands in the line behind the name of the only hit; "" */
};

void palette_open(struct palette *palette);
/* The line has changed. */
void palette_make(struct palette *palette);

/* PALETTE_UNSURE: Enter, but nothing is chosen. */
enum palette_outcome { PALETTE_STAYS, PALETTE_LEAVES, PALETTE_RUNS, PALETTE_UNSURE };
enum palette_outcome palette_key(struct palette *palette, const struct chord *chord);

/* Pasted text: its first line. */
void palette_paste(struct palette *palette, const char *text, size_t size);

/* How well letters fit a text: below zero not at all. */
int palette_score(const char *letters, const char *text);
/* Whether the letters are beginnings of words of the text, in their order. */
bool palette_begins(const char *letters, const char *text);
