/*
 * The form of themes, presets and belljar.conf: lines of `key = value` or `key = "value"`,
 * `section {` and `}`, comments from # to the end of a line. (A subset of UCL.) A section may hold
 * sections, no deeper.
 */
#pragma once

#include "transport/error.h"

#define SETTINGS_SECTION_LINE ((const char *)0) /* as a key: a section begins at this line */
#define SETTINGS_SECTION_MAX  64                /* bytes of a section's name, with the NUL */

/* Called for every value in order, and once for each section's beginning with key NULL. `section`
 * is "" outside, "outer.inner" in a section within one. Returns 0, or a negative code after filling
 * the error (the place is put before it). */
typedef int settings_take(void *owner, const char *section, const char *key, const char *value,
                          int line, struct bj_error *error);

/* Told of one fault; the reading goes on behind its line. */
typedef void settings_fault(void *owner, const struct bj_error *error);

/* Reads the whole text, up to the first fault. Errors begin with "file:line: ". */
int settings_parse(const char *text, const char *file, settings_take *take, void *owner,
                   struct bj_error *error);

/* The same up to the end, whatever is wrong. `owner` is that of both functions. */
void settings_parse_all(const char *text, const char *file, settings_take *take,
                        settings_fault *fault, void *owner);

/* Puts "file:line" before the error's sentence; returns its code (-EINVAL when error is NULL). */
int settings_fail_at(struct bj_error *error, const char *file, int line);
