/*
 * The line that the human types into a prompt, and what "new sandbox" makes of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "transport/error.h"
#include "tui/keys.h"

#define LINE_MAX_BYTES 1024
#define LINE_WORDS_MAX 64

struct line {
    char text[LINE_MAX_BYTES]; /* clean UTF-8 */
    size_t size;
    size_t cursor; /* byte index, at a character boundary */
};

void line_set(struct line *line, const char *text);

/* Edits the line. Returns whether the action is one that edits: not "enter", "leave" and the like,
 * which are for whoever has the line. */
bool line_act(struct line *line, enum action action);
/* The same with a key: what KEYS_LINE has for it, or a character. */
bool line_key(struct line *line, const struct chord *chord);

/* Pasted text: its first line. */
void line_insert(struct line *line, const char *text, size_t size);

/* A command line: words in the way of a shell, without variables and wildcards. */
struct words {
    char bytes[LINE_MAX_BYTES * 2];
    const char *word[LINE_WORDS_MAX];
    size_t count;
};

/* -EINVAL for an open quote or too many words. */
int line_split(const char *text, struct words *words, struct bj_error *error);

/* "[-n NAME] [--project DIR] [--] [COMMAND...]" as of `belljar run`. */
struct run_line {
    struct words words;
    const char *name, *project; /* or NULL */
    size_t first;               /* word with which the command begins; all: line_shell() is meant */
};
int line_run(const char *text, struct run_line *run, struct bj_error *error);

/* The name of the user's shell, from $SHELL; bash when that says nothing. Lasts until the
 * environment changes. */
const char *line_shell(void);
