/* What the subcommands of belljar-shim share. */
#pragma once

#include <stdio.h>

/* Prints the help and returns `code`. */
int main_help(FILE *out, int code);

/* Prints the version and returns 0. */
int main_version(void);
