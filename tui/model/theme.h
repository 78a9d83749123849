/*
 * Colours by role. A theme is a data file (themes/NAME.theme); every role and all sixteen palette
 * colours of the panes must be there, so that a theme is whole or refused with file and line. The
 * roles of some states may be missing: each then has the colour of one that every theme has.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "transport/error.h"

#define THEME_NAME_MAX 40
#define THEMES_MAX     32

enum theme_role {
    ROLE_BACKGROUND, /* of panes, and of everything that names no other */
    ROLE_FOREGROUND,
    ROLE_BORDER,
    ROLE_BORDER_SELECTED,
    ROLE_BORDER_FOCUS,
    ROLE_TITLE,
    ROLE_DIM, /* second-rate text */
    ROLE_STATE_STARTING,
    ROLE_STATE_THINKING,
    ROLE_STATE_RUNNING,
    ROLE_STATE_IDLE,
    ROLE_STATE_WAITING, /* for a verdict */
    ROLE_STATE_INPUT,
    ROLE_STATE_STUCK,
    ROLE_STATE_PAUSED,
    ROLE_STATE_EXITED,
    ROLE_STATE_FAILED,
    ROLE_STATE_LOST,
    ROLE_BAR, /* background of the global bar */
    ROLE_BAR_TEXT,
    ROLE_BAR_DIM,
    ROLE_KEY,            /* a key in a hint, on the bar */
    ROLE_MODE_SUPERVISE, /* background of the mode word */
    ROLE_MODE_FOCUS,
    ROLE_MODE_TEXT,
    ROLE_REQUEST_COURTESY, /* background of a request */
    ROLE_REQUEST_WALL,
    ROLE_REQUEST_TEXT,
    ROLE_ALERT_INFO,
    ROLE_ALERT_WARNING,
    ROLE_ALERT_CRITICAL,
    ROLE_GRAPH_CPU,
    ROLE_GRAPH_MEMORY,
    ROLE_DIFF_ADDED,
    ROLE_DIFF_REMOVED,
    ROLE_CURSOR_LINE, /* background of the selected row of a list, card or tab */
    ROLE_NOTE,        /* background of a short message */
    ROLE_ERROR,       /* background of a bad one */
    ROLE_NOTE_TEXT,
    THEME_ROLES,
};

struct theme {
    char name[THEME_NAME_MAX];
    char description[128];
    uint32_t role[THEME_ROLES]; /* BJ_COLOR_RGB or BJ_COLOR_PALETTE */
    uint32_t palette[16];
};

const char *theme_role_name(enum theme_role role);
/* The role with this name, or -1. */
int theme_role_find(const char *name);
/* Reads "#rrggbb" or a number 0 to 255 as a BJ_COLOR_*. */
int theme_read_color(const char *value, uint32_t *color, struct bj_error *error);

/* Text roles and what they stand on, for the check of contrast; NULL ends it. */
struct theme_pair {
    enum theme_role text, ground;
};
extern const struct theme_pair theme_pairs[];
extern const int theme_pairs_count;

/* Reads a theme's text. -EINVAL with "file:line: what". */
int theme_parse(struct theme *theme, const char *text, const char *file, struct bj_error *error);

/* 0xRRGGBB of any BJ_COLOR_* but the default; palette colours as xterm has them. */
uint32_t theme_rgb(uint32_t color);
/* Nearest of the 240 fixed colours 16..255 of xterm, and of the first `count` (8 or 16), there one
 * of the same hue. */
int theme_nearest_256(uint32_t rgb);
int theme_nearest_ansi(uint32_t rgb, int count);
/* The same for text on the colour `ground` of these, where it can be read: another brightness or,
 * unless `keep` (a pale hue is better than none), a grey. */
int theme_text_ansi(uint32_t rgb, int ground, int count, bool keep);

/* Contrast ratio 1..21 of two 0xRRGGBB. Source: WCAG 2.1, relative luminance. */
double theme_contrast(uint32_t one, uint32_t other);
