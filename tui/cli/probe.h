/*
 * Runs a small program to find something out: no shell, no input, its output read, an end after
 * PROBE_MS whatever it does.
 */
#pragma once

#include <stddef.h>

#define PROBE_MS 5000

/* argv[0] is searched in PATH. Returns its exit code, or a negative code (-ENOENT: no such
 * program; -ETIMEDOUT: it was killed). `out` gets the beginning of what it wrote on stdout and
 * stderr, without the last line feed. */
int probe_run(char *const argv[], char *out, size_t size);
