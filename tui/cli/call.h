/*
 * What commands that make one call and print a table share.
 */
#pragma once

#include <jansson.h>

#include "tui/cli/sandbox.h"
#include "tui/cli/table.h"
#include "tui/model/units.h"

/* One call to the running server (none is started). Takes `params` over. The caller releases the
 * result. Returns an exit code, and has said why on stderr when it is not COMMAND_DONE. */
int call_server(const struct bj_paths *paths, const char *method, json_t *params, json_t **result);

/* Prints the table, or `nothing` when it has no row, and frees it. Returns an exit code. */
int call_print(struct table *table, const char *nothing);

/* The time since a member in unix seconds, for people. */
void call_age(const json_t *object, const char *key, char out[UNIT_TEXT_MAX]);

/* One line of text from elsewhere, made safe, and a line feed. */
void call_line(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
