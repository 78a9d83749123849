#include "tui/model/theme.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/settings.h"

#define THEME_READABLE 3.0 /* contrast with few colours, whose real ones are the terminal's */
#define THEME_SEEN     1.5

static const char *const role_names[THEME_ROLES] = {
    [ROLE_BACKGROUND] = "background",
    [ROLE_FOREGROUND] = "foreground",
    [ROLE_BORDER] = "border",
    [ROLE_BORDER_SELECTED] = "border_selected",
    [ROLE_BORDER_FOCUS] = "border_focus",
    [ROLE_TITLE] = "title",
    [ROLE_DIM] = "dim",
    [ROLE_STATE_STARTING] = "state_starting",
    [ROLE_STATE_THINKING] = "state_thinking",
    [ROLE_STATE_RUNNING] = "state_running",
    [ROLE_STATE_IDLE] = "state_idle",
    [ROLE_STATE_WAITING] = "state_waiting",
    [ROLE_STATE_INPUT] = "state_input",
    [ROLE_STATE_STUCK] = "state_stuck",
    [ROLE_STATE_PAUSED] = "state_paused",
    [ROLE_STATE_EXITED] = "state_exited",
    [ROLE_STATE_FAILED] = "state_failed",
    [ROLE_STATE_LOST] = "state_lost",
    [ROLE_BAR] = "bar",
    [ROLE_BAR_TEXT] = "bar_text",
    [ROLE_BAR_DIM] = "bar_dim",
    [ROLE_KEY] = "key",
    [ROLE_MODE_SUPERVISE] = "mode_supervise",
    [ROLE_MODE_FOCUS] = "mode_focus",
    [ROLE_MODE_TEXT] = "mode_text",
    [ROLE_REQUEST_COURTESY] = "request_courtesy",
    [ROLE_REQUEST_WALL] = "request_wall",
    [ROLE_REQUEST_TEXT] = "request_text",
    [ROLE_ALERT_INFO] = "alert_info",
    [ROLE_ALERT_WARNING] = "alert_warning",
    [ROLE_ALERT_CRITICAL] = "alert_critical",
    [ROLE_GRAPH_CPU] = "graph_cpu",
    [ROLE_GRAPH_MEMORY] = "graph_memory",
    [ROLE_DIFF_ADDED] = "diff_added",
    [ROLE_DIFF_REMOVED] = "diff_removed",
    [ROLE_CURSOR_LINE] = "cursor_line",
    [ROLE_NOTE] = "note",
    [ROLE_ERROR] = "error",
    [ROLE_NOTE_TEXT] = "note_text",
};

/* Whose colour a role has in a theme that does not name it. */
static const struct {
    enum theme_role role, like;
} likenesses[] = {
    {ROLE_STATE_THINKING, ROLE_STATE_STARTING}, {ROLE_STATE_IDLE, ROLE_STATE_EXITED},
    {ROLE_STATE_INPUT, ROLE_STATE_WAITING},     {ROLE_STATE_STUCK, ROLE_STATE_LOST},
    {ROLE_STATE_FAILED, ROLE_STATE_LOST},
};

const struct theme_pair theme_pairs[] = {
    {ROLE_FOREGROUND, ROLE_BACKGROUND},
    {ROLE_TITLE, ROLE_BACKGROUND},
    {ROLE_DIM, ROLE_BACKGROUND},
    {ROLE_STATE_STARTING, ROLE_BACKGROUND},
    {ROLE_STATE_RUNNING, ROLE_BACKGROUND},
    {ROLE_STATE_WAITING, ROLE_BACKGROUND},
    {ROLE_STATE_PAUSED, ROLE_BACKGROUND},
    {ROLE_STATE_EXITED, ROLE_BACKGROUND},
    {ROLE_STATE_LOST, ROLE_BACKGROUND},
    {ROLE_BORDER_SELECTED, ROLE_BACKGROUND},
    {ROLE_BORDER_FOCUS, ROLE_BACKGROUND},
    {ROLE_ALERT_INFO, ROLE_BACKGROUND},
    {ROLE_ALERT_WARNING, ROLE_BACKGROUND},
    {ROLE_ALERT_CRITICAL, ROLE_BACKGROUND},
    {ROLE_BAR_TEXT, ROLE_BAR},
    {ROLE_BAR_DIM, ROLE_BAR},
    {ROLE_KEY, ROLE_BAR},
    {ROLE_KEY, ROLE_BACKGROUND},
    {ROLE_STATE_WAITING, ROLE_BAR},
    {ROLE_ALERT_INFO, ROLE_BAR},
    {ROLE_ALERT_CRITICAL, ROLE_BAR},
    {ROLE_STATE_LOST, ROLE_BAR},
    {ROLE_ALERT_WARNING, ROLE_BAR},
    {ROLE_MODE_TEXT, ROLE_MODE_SUPERVISE},
    {ROLE_MODE_TEXT, ROLE_MODE_FOCUS},
    {ROLE_REQUEST_TEXT, ROLE_REQUEST_COURTESY},
    {ROLE_REQUEST_TEXT, ROLE_REQUEST_WALL},
    {ROLE_NOTE_TEXT, ROLE_NOTE},
    {ROLE_NOTE_TEXT, ROLE_ERROR},
    {ROLE_TITLE, ROLE_CURSOR_LINE},
    {ROLE_DIM, ROLE_CURSOR_LINE},
    {ROLE_STATE_RUNNING, ROLE_CURSOR_LINE},
    {ROLE_STATE_WAITING, ROLE_CURSOR_LINE},
    {ROLE_STATE_EXITED, ROLE_CURSOR_LINE},
    {ROLE_STATE_PAUSED, ROLE_CURSOR_LINE},
    {ROLE_STATE_LOST, ROLE_CURSOR_LINE},
    {ROLE_FOREGROUND, ROLE_CURSOR_LINE},
    {ROLE_KEY, ROLE_CURSOR_LINE},
    {ROLE_DIFF_ADDED, ROLE_BACKGROUND},
    {ROLE_DIFF_ADDED, ROLE_CURSOR_LINE},
    {ROLE_DIFF_REMOVED, ROLE_BACKGROUND},
    {ROLE_DIFF_REMOVED, ROLE_CURSOR_LINE},
    {ROLE_STATE_STARTING, ROLE_CURSOR_LINE},
    {ROLE_BORDER_SELECTED, ROLE_CURSOR_LINE},
    {ROLE_ALERT_INFO, ROLE_CURSOR_LINE},
    {ROLE_ALERT_WARNING, ROLE_CURSOR_LINE},
    {ROLE_ALERT_CRITICAL, ROLE_CURSOR_LINE},
    {ROLE_STATE_STARTING, ROLE_BAR},
    {ROLE_STATE_RUNNING, ROLE_BAR},
    {ROLE_STATE_PAUSED, ROLE_BAR},
    {ROLE_STATE_EXITED, ROLE_BAR},
    {ROLE_TITLE, ROLE_BAR},
    {ROLE_STATE_THINKING, ROLE_BACKGROUND},
    {ROLE_STATE_THINKING, ROLE_CURSOR_LINE},
    {ROLE_STATE_THINKING, ROLE_BAR},
    {ROLE_STATE_IDLE, ROLE_BACKGROUND},
    {ROLE_STATE_IDLE, ROLE_CURSOR_LINE},
    {ROLE_STATE_IDLE, ROLE_BAR},
    {ROLE_STATE_INPUT, ROLE_BACKGROUND},
    {ROLE_STATE_INPUT, ROLE_CURSOR_LINE},
    {ROLE_STATE_INPUT, ROLE_BAR},
    {ROLE_STATE_STUCK, ROLE_BACKGROUND},
    {ROLE_STATE_STUCK, ROLE_CURSOR_LINE},
    {ROLE_STATE_STUCK, ROLE_BAR},
    {ROLE_STATE_FAILED, ROLE_BACKGROUND},
    {ROLE_STATE_FAILED, ROLE_CURSOR_LINE},
    {ROLE_STATE_FAILED, ROLE_BAR},
};
const int theme_pairs_count = (int)(sizeof(theme_pairs) / sizeof(theme_pairs[0]));

const char *theme_role_name(enum theme_role role)
{
    return role_names[role];
}

int theme_role_find(const char *name)
{
    for (int i = 0; i < THEME_ROLES; i++)
        if (strcmp(role_names[i], name) == 0)
            return i;
    return -1;
}

struct reading {
    struct theme *theme;
    bool role[THEME_ROLES], palette[16];
    int colors_line, palette_line;
};

int theme_read_color(const char *value, uint32_t *color, struct bj_error *error)
{
    char *end;
    if (value[0] == '#' && strspn(value + 1, "0123456789abcdefABCDEF") == 6 && !value[7]) {
        *color = BJ_COLOR_RGB | (uint32_t)strtoul(value + 1, &end, 16);
        return 0;
    }
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] >= '0' && value[0] <= '9' && !*end && number < 256) {
        *color = BJ_COLOR_PALETTE | (uint32_t)number;
        return 0;
    }
    return bj_fail(error, -EINVAL, "\"%.40s\" is no colour: write #rrggbb or a number 0 to 255",
                   value);
}

static int take_color(struct reading *reading, const char *key, const char *value,
                      struct bj_error *error)
{
    int role = theme_role_find(key);
    if (role < 0)
        return bj_fail(error, -EINVAL, "unknown colour %.40s: compare with themes/dark.theme", key);
    if (reading->role[role])
        return bj_fail(error, -EINVAL, "the colour %s is there twice", key);
    reading->role[role] = true;
    return theme_read_color(value, &reading->theme->role[role], error);
}

static int take(void *owner, const char *section, const char *key, const char *value, int line,
                struct bj_error *error)
{
    struct reading *reading = owner;
    if (strcmp(section, "colors") == 0) {
        if (key)
            return take_color(reading, key, value, error);
        reading->colors_line = line;
        return 0;
    }
    if (strcmp(section, "palette") == 0) {
        if (!key) {
            reading->palette_line = line;
            return 0;
        }
        char *end;
        unsigned long index = strtoul(key, &end, 10);
        if (*end || index > 15)
            return bj_fail(error, -EINVAL, "the palette has the colours 0 to 15, not %.40s", key);
        reading->palette[index] = true;
        return theme_read_color(value, &reading->theme->palette[index], error);
    }
    if (section[0])
        return bj_fail(error, -EINVAL, "unknown section %s: a theme has colors and palette",
                       section);
    if (strcmp(key, "name") == 0 && value[0])
        snprintf(reading->theme->name, THEME_NAME_MAX, "%s", value);
    else if (strcmp(key, "description") == 0)
        snprintf(reading->theme->description, sizeof(reading->theme->description), "%s", value);
    else
        return bj_fail(error, -EINVAL, "unknown key %.40s: a theme has name and description", key);
    return 0;
}

int theme_parse(struct theme *theme, const char *text, const char *file, struct bj_error *error)
{
    *theme = (struct theme){0};
    struct reading reading = {.theme = theme, .colors_line = 1, .palette_line = 1};
    int status = settings_parse(text, file, take, &reading, error);
    if (status < 0)
        return status;
    if (!theme->name[0])
        return bj_fail(error, -EINVAL, "%.200s:1: the theme has no name", file);
    for (size_t i = 0; i < sizeof(likenesses) / sizeof(likenesses[0]); i++)
        if (!reading.role[likenesses[i].role]) {
            reading.role[likenesses[i].role] = reading.role[likenesses[i].like];
            theme->role[likenesses[i].role] = theme->role[likenesses[i].like];
        }
    for (int i = 0; i < THEME_ROLES; i++)
        if (!reading.role[i])
            return bj_fail(error, -EINVAL, "%.200s:%d: the colour %s is missing", file,
                           reading.colors_line, role_names[i]);
    for (int i = 0; i < 16; i++)
        if (!reading.palette[i])
            return bj_fail(error, -EINVAL, "%.200s:%d: the palette's colour %d is missing", file,
                           reading.palette_line, i);
    return 0;
}

/* ---- colours ---- */

static const uint32_t ansi[16] = {
    0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
    0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
};

static uint32_t cube(int index)
{
    static const uint32_t step[6] = {0, 95, 135, 175, 215, 255};
    if (index >= 232) {
        uint32_t gray = (uint32_t)(index - 232) * 10 + 8;
        return gray << 16 | gray << 8 | gray;
    }
    index -= 16;
    return step[index / 36] << 16 | step[index / 6 % 6] << 8 | step[index % 6];
}

uint32_t theme_rgb(uint32_t color)
{
    if (BJ_COLOR_KIND(color) != BJ_COLOR_PALETTE)
        return color & 0xffffff;
    int index = (int)(color & 0xff);
    return index < 16 ? ansi[index] : cube(index);
}

/* Weighted, since the eye sees green best ("redmean" without its square root). */
static long distance(uint32_t one, uint32_t other)
{
    long red = (long)(one >> 16 & 255) - (long)(other >> 16 & 255);
    long green = (long)(one >> 8 & 255) - (long)(other >> 8 & 255);
    long blue = (long)(one & 255) - (long)(other & 255);
    return 3 * red * red + 4 * green * green + 2 * blue * blue;
}

int theme_nearest_256(uint32_t rgb)
{
    int best = 16;
    long least = -1;
    for (int i = 16; i < 256; i++) {
        long here = distance(rgb, cube(i));
        if (least < 0 || here < least) {
            least = here;
            best = i;
        }
    }
    return best;
}

/* The colour 1 to 6 that has its hue, 0 when it is nearly grey or black: as degrees, red is around
 * 0, yellow 60, green 120, cyan 180, blue 240. Violet counts as magenta. */
static int hue(uint32_t rgb)
{
    int red = (int)(rgb >> 16 & 255), green = (int)(rgb >> 8 & 255), blue = (int)(rgb & 255);
    int most = red > green ? red : green, least = red < green ? red : green;
    most = blue > most ? blue : most;
    least = blue < least ? blue : least;
    int chroma = most - least, degrees;
    if (chroma < 0x30 || most < 0x60)
        return 0;
    if (most == red)
        degrees = 60 * (green - blue) / chroma + (green < blue ? 360 : 0);
    else if (most == green)
        degrees = 120 + 60 * (blue - red) / chroma;
    else
        degrees = 240 + 60 * (red - green) / chroma;
    return degrees < 30    ? 1
           : degrees < 90  ? 3
           : degrees < 150 ? 2
           : degrees < 210 ? 6
           : degrees < 250 ? 4
           : degrees < 330 ? 5
                           : 1;
}

/* A hue is worth more than nearness: a pale green is green, not the grey beside it. */
int theme_nearest_ansi(uint32_t rgb, int count)
{
    int kept = hue(rgb), best = kept;
    for (int i = kept; i < count; i++)
        if ((i & 7) == kept || (kept == 0 && (i & 7) == 7))
            best = distance(rgb, ansi[i]) < distance(rgb, ansi[best]) ? i : best;
    return best;
}

/* The grey that is nearest to it of those that can be read there. */
static int readable_grey(uint32_t rgb, int ground, int count)
{
    static const int greys[] = {0, 7, 8, 15};
    int best = theme_contrast(ansi[0], ansi[ground]) > theme_contrast(ansi[7], ansi[ground])
                   ? 0
                   : (count > 8 ? 15 : 7);
    for (int i = 0; i < (count > 8 ? 4 : 2); i++)
        if (theme_contrast(ansi[greys[i]], ansi[ground]) >= THEME_READABLE &&
            distance(rgb, ansi[greys[i]]) < distance(rgb, ansi[best]))
            best = greys[i];
    return best;
}

int theme_text_ansi(uint32_t rgb, int ground, int count, bool keep)
{
    int nearest = theme_nearest_ansi(rgb, count), base = nearest & 7;
    /* The other brightness; blue and cyan stand in for each other. */
    int sibling = base == 4 ? 6 : base == 6 ? 4 : base;
    const int tried[] = {nearest, nearest ^ 8, sibling, sibling ^ 8};
    for (int i = 0; i < 4 && hue(rgb) != 0; i++)
        if (tried[i] < count && theme_contrast(ansi[tried[i]], ansi[ground]) >= THEME_READABLE)
            return tried[i];
    double contrast = theme_contrast(ansi[nearest], ansi[ground]);
    if (contrast >= THEME_READABLE || (keep && hue(rgb) != 0 && contrast >= THEME_SEEN))
        return nearest;
    return readable_grey(rgb, ground, count);
}

static double luminance(uint32_t rgb)
{
    double channel[3];
    for (int i = 0; i < 3; i++) {
        double share = (double)(rgb >> (16 - 8 * i) & 255) / 255;
        channel[i] = share <= 0.03928 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4);
    }
    return 0.2126 * channel[0] + 0.7152 * channel[1] + 0.0722 * channel[2];
}

double theme_contrast(uint32_t one, uint32_t other)
{
    double first = luminance(one), second = luminance(other);
    double high = first > second ? first : second;
    double low = first > second ? second : first;
    return (high + 0.05) / (low + 0.05);
}
