/*
 * The form of themes and of belljar.conf: lines of `key = value` or `key = "value"`, `section {`
 * and `}`, comments from # to the end of a line. (A subset of UCL.) Nothing nests deeper.
 */
#pragma once

#include "transport/error.h"

#define SETTINGS_SECTION_LINE ((const char *)0) /* as a key: a section begins at this line */

/* Called for every value in order, and once for each section's beginning with key NULL. `section`
 * is
 * "" outside. Returns 0, or a negative code after filling the error (the place is put before it).
 */
typedef int settings_take(void *owner, const char *section, const char *key, const char *value,
                          int line, struct bj_error *error);

/* Reads the whole text. Errors begin with "file:line: ". */
int settings_parse(const char *text, const char *file, settings_take *take, void *owner,
                   struct bj_error *error);
