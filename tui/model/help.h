/*
 * The lines of the help screen: what is bound behind the prefix, if anything, then every action
 * of the table by group.
 */
#pragma once

#include <stddef.h>

#include "tui/keymap.h"

#define HELP_ROWS_MAX 320

struct help_row {
    const struct key_action *action;
    unsigned mode;     /* whose keys are meant; 0: the first in which it has any */
    const char *group; /* heading, at the first row of a group; else NULL */
};

/* Returns how many there are. With `rows` NULL they are only counted. */
size_t help_rows(struct help_row *rows);
/* The keys of a row as they are shown; the palette's way when there is none. */
struct keys_text help_keys(const struct help_row *row);
