/*
 * The client's own settings: CONFIG/belljar.conf, presets, and where themes are.
 *
 *   preset = tmux      keys for hands that know something else: CONFIG/presets/NAME.conf, then
 *                      DATA/presets/; a file with `prefix` and `keys` only
 *   theme = "dark"     a theme's name, or a path with a /
 *   prefix = "F12"     the key that leaves focus mode
 *   notify = off       off, bell, osc9 or osc777: how he is told that something waits
 *   keys { zoom = "z C-z"  copy { unbind = "q" } }      over the table of keys.h
 *   colors { border = "#405060" }  palette { 1 = 196 }  over the theme
 *
 * A missing file is no error. Of a wrong one every fault is told with file, line and option, and
 * nothing of it counts.
 */
#pragma once

#include <stddef.h>

#include "transport/error.h"
#include "transport/paths.h"
#include "tui/keymap.h"
#include "tui/model/notify.h"
#include "tui/model/settings.h"
#include "tui/model/theme.h"

struct config_color {
    int line; /* 0: the theme's counts */
    uint32_t color;
};

struct config {
    char file[BJ_PATH_MAX]; /* what was read, whether it is there or not */
    char theme[BJ_PATH_MAX];
    int theme_line; /* 0: none is named */
    char preset[THEME_NAME_MAX];
    struct chord prefix;
    int prefix_line;
    enum notify_how notify;
    int notify_line;
    struct keymap keys;
    struct config_color role[THEME_ROLES], palette[16];
};

/* Reads a file (NULL: belljar.conf), which may be missing, and calls `fault` for all that is wrong
 * with it. Returns 0, or a negative code when there was a fault: then `config` is of no use. */
int config_read(struct config *config, const struct bj_paths *paths, const char *file,
                settings_fault *fault, void *owner);
/* The same with belljar.conf, up to the first fault. */
int config_load(struct config *config, const struct bj_paths *paths, struct bj_error *error);

/* The theme in force: `name`, or the configuration's when NULL, with the configuration's own
 * colours over it. */
int config_look(const struct config *config, const struct bj_paths *paths, const char *name,
                struct theme *theme, struct bj_error *error);

/* Loads a theme by path (with a /) or name: CONFIG/themes/NAME.theme, then DATA/themes/. */
int config_theme(struct theme *theme, const struct bj_paths *paths, const char *name,
                 struct bj_error *error);

/* Names of all themes there are, sorted; returns how many. */
size_t config_themes(const struct bj_paths *paths, char names[THEMES_MAX][THEME_NAME_MAX]);
