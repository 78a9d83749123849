/*
 * The parts of reading a configuration (config.h), each in a file of its own: config.c the options
 * and presets, config_keys.c keys and colours, config_theme.c themes and the files themselves.
 */
#pragma once

#include <stdbool.h>

#include "tui/config.h"
#include "tui/model/settings.h"

/* The whole of a small text file, NUL-terminated; the caller frees it. */
int config_text(const char *path, char **text, struct bj_error *error);

/* One line of a section `keys`, or of one of a mode within it. */
int config_take_keys(struct config *config, const char *section, const char *key, const char *value,
                     int line, struct bj_error *error);
/* One line of a section `colors` or `palette`. */
int config_take_color(struct config *config, bool palette, const char *key, const char *value,
                      int line, struct bj_error *error);
