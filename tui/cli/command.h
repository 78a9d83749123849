/*
 * The command table: every command with its arguments, options, help and function. The parser,
 * `--help`, the man page and the shell completions are all made from it.
 *
 * A command's function returns the exit code: COMMAND_DONE, COMMAND_FAILED (it has said why on
 * stderr) or COMMAND_USAGE; `wait` alone returns the agent's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/paths.h"

#define COMMAND_OPTIONS_MAX 32

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

enum option_type {
    OPTION_FLAG = 0,
    OPTION_TEXT,
    OPTION_LIST,     /* may be given several times */
    OPTION_SIZE,     /* bytes, see unit_size */
    OPTION_COUNT,    /* whole number */
    OPTION_MILLI,    /* thousandths */
    OPTION_DURATION, /* milliseconds */
};

/* What a word stands for; completions ask a running server for the names. */
enum word_kind {
    WORD_NONE = 0,
    WORD_SANDBOX,
    WORD_SESSION,
    WORD_REQUEST,
    WORD_DIRECTORY,
    WORD_FILE,
    WORD_THEME,
    WORD_AGENT,
    WORD_DRIVER,
    WORD_CHOICE, /* one of `choices` */
};

struct option_spec {
    char letter;      /* 0: has none */
    const char *name; /* without --; NULL ends the list */
    enum option_type type;
    const char *value;   /* placeholder of its value; NULL for a flag */
    const char *help;    /* one line */
    uint64_t limit;      /* greatest value of a number */
    enum word_kind kind; /* of the value */
    const char *choices; /* "a|b|c": the only values accepted, or NULL */
};

struct args;

struct command_spec {
    const char *name;      /* NULL ends the table */
    const char *arguments; /* synopsis of the words, e.g. "NAME..." */
    size_t min, max;       /* how many words */
    enum word_kind kind;   /* of the first word, and of all when max is COMMAND_MANY */
    const char *choices;   /* "a|b|c": the only values of the first word, or NULL */
    bool trailing;         /* takes `-- COMMAND...` */
    bool hidden;           /* for programs: not in help */
    const char *summary;   /* one line, no full stop */
    const char *text;      /* paragraphs for help and man page */
    struct option_spec options[COMMAND_OPTIONS_MAX];
    int (*run)(const struct args *args, const struct bj_paths *paths);
};

#define COMMAND_MANY SIZE_MAX

extern const struct command_spec command_table[];

const struct command_spec *command_find(const char *name);

/* The visible command whose name is nearest; NULL when none is near. */
const char *command_nearest(const char *name);

/* Runs a command line; returns the exit code. */
int command_main(int argc, char **argv);
