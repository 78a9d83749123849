/*
 * The client's own settings: CONFIG/belljar.conf, and where themes are.
 *
 *   theme = "dark"     a theme's name, or a path with a /
 *   prefix = "F12"     the key that leaves focus mode
 *   notify = off       off, bell, osc9 or osc777: how he is told that something waits
 *
 * A missing file is no error; a wrong one is, with file and line.
 */
#pragma once

#include <stddef.h>

#include "transport/error.h"
#include "transport/paths.h"
#include "tui/keys.h"
#include "tui/model/notify.h"
#include "tui/model/theme.h"

struct config {
    char theme[BJ_PATH_MAX];
    struct chord prefix;
    enum notify_how notify;
};

int config_load(struct config *config, const struct bj_paths *paths, struct bj_error *error);

/* Loads a theme by path (with a /) or name: CONFIG/themes/NAME.theme, then DATA/themes/. */
int config_theme(struct theme *theme, const struct bj_paths *paths, const char *name,
                 struct bj_error *error);

/* Names of all themes there are, sorted; returns how many. */
size_t config_themes(const struct bj_paths *paths, char names[THEMES_MAX][THEME_NAME_MAX]);
