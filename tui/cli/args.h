/*
 * A parsed command line, as the command's table entry describes it.
 *
 * Long options are --name VALUE or --name=VALUE, short ones -n VALUE or -nVALUE; flags can be
 * joined (-dn NAME). `--` ends the options; what follows is the trailing command where the entry
 * takes one, else plain words. Every value is checked while parsing. The strings belong to argv.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/error.h"
#include "tui/cli/command.h"

struct args {
    const struct command_spec *command;
    bool help; /* -h or --help was given; nothing else was checked then */

    struct {
        bool set;
        const char *text;
        uint64_t number;
        const char **list;
        size_t count;
    } option[COMMAND_OPTIONS_MAX];

    const char **words;
    size_t word_count;
    char **trailing; /* points into argv */
    size_t trailing_count;
};

/*
 * Parses argv[0..argc), which does not hold the command's name. Returns 0; or -EINVAL with a
 * sentence (and the nearest option's name for a misspelt one); or -ENOMEM. The caller calls
 * args_free in every case.
 */
int args_parse(struct args *args, const struct command_spec *command, int argc, char **argv,
               struct bj_error *error);
void args_free(struct args *args);

/* Values by option name; an option that was not given yields NULL, false or the fallback. */
bool args_set(const struct args *args, const char *option);
const char *args_text(const struct args *args, const char *option);
uint64_t args_number(const struct args *args, const char *option, uint64_t fallback);
const char *const *args_list(const struct args *args, const char *option, size_t *count);

/* Whether `text` is one of "a|b|c". */
bool args_choice(const char *choices, const char *text);

/* How many edits (insert, delete, replace, swap) lie between two names. */
size_t args_distance(const char *a, const char *b);
