/*
 * What the command table becomes for people: the help screens, the man page's part, completions.
 */
#pragma once

#include <stdio.h>

#include "tui/cli/args.h"

void help_overview(FILE *out);
void help_command(FILE *out, const struct command_spec *command);

/* The COMMANDS section of belljar(1), in scdoc(5). */
void help_scdoc(FILE *out);

/* Text as scdoc(5) prints it literally. */
void help_escaped(FILE *out, const char *text);

void completions_bash(FILE *out);
void completions_zsh(FILE *out);

/* `belljar completions bash|zsh|scdoc|keys|roles|sandboxes|sessions|requests|themes` (hidden). */
int completions_command(const struct args *args, const struct bj_paths *paths);
