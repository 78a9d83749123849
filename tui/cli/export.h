/*
 * A recording for others to read: asciicast v2, plain text, or the exact bytes.
 */
#pragma once

#include <stdio.h>

#include "transport/paths.h"
#include "tui/cli/command.h"

#define EXPORT_RAW_REFUSED "raw output of an agent does not go to a terminal: redirect it to a file"

/* `form` is asciicast (or cast), text or raw. What is missing is said on stderr. */
int export_recording(const char *directory, bool previous, const char *form, FILE *out,
                     struct bj_error *error);

int export_command(const struct args *args, const struct bj_paths *paths);
