/*
 * How commands speak: one clear line on stderr when something failed, JSON when it was asked for,
 * colour only on a terminal and without NO_COLOR (https://no-color.org).
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "transport/error.h"

/* "belljar: sentence" on stderr, made safe. Returns COMMAND_FAILED. */
int report_error(const struct bj_error *error);
int report_failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "belljar: sentence" for wrong usage. Returns COMMAND_USAGE. */
int report_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints indented JSON on stdout and releases it. Returns COMMAND_DONE, or COMMAND_FAILED. */
int report_json(json_t *value);

/* Flushes stdout: COMMAND_FAILED with a sentence when it could not be written (a full disk). */
int report_end(void);

bool report_colour(FILE *out);

/* Columns of the terminal, 0 when `out` is none. */
size_t report_columns(FILE *out);

/* Whether symbols beyond ASCII can be shown (the locale's encoding is UTF-8). */
bool report_unicode(void);

/* Members of an API object; never NULL for text. */
const char *report_text(const json_t *object, const char *key);
long long report_number(const json_t *object, const char *key);
