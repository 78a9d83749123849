/*
 * What a file is that stands where a program is looked for: a program, or a script that only starts
 * the program of a package, as npm, pnpm, bun and yarn put them into a directory of PATH.
 *
 * Reads the first 16 KiB of regular files. No error is told: what cannot be read is taken for what
 * its mode says.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

enum executable {
    EXECUTABLE_NOT,     /* execve() would not take it */
    EXECUTABLE_PROGRAM, /* or a script of its own */
    EXECUTABLE_LAUNCHER /* of no use without its package */
};

/* `real` is a path without links. */
enum executable executable_kind(const char *real);

/* Follows links, and the scripts of pnpm that do the same. False: there is nothing. */
bool executable_follow(const char *path, char out[PATH_MAX]);
