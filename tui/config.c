#include "tui/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/config_parts.h"

struct reading {
    struct config *config;
    const struct bj_paths *paths;
    const char *file; /* that is being read */
    bool preset;      /* it is a preset: only prefix and keys */
    settings_fault *fault;
    void *owner;
    int preset_line;
    int status; /* of the first fault */
};

static void tell(void *owner, const struct bj_error *error)
{
    struct reading *reading = owner;
    if (reading->status == 0)
        reading->status = error->code;
    reading->fault(reading->owner, error);
}

/* ---- options ---- */

static int take_theme(struct config *config, const char *value, struct bj_error *error)
{
    return bj_path(config->theme, sizeof(config->theme), error, "%s", value);
}

static int take_prefix(struct config *config, const char *value, struct bj_error *error)
{
    if (keys_parse(value, strlen(value), &config->prefix))
        return 0;
    return bj_fail(error, -EINVAL, "\"%.40s\" is no key: write for example F12, C-] or M-x", value);
}

static int take_notify(struct config *config, const char *value, struct bj_error *error)
{
    for (int how = 0; how < NOTIFY_HOWS; how++)
        if (strcmp(value, notify_how_name((enum notify_how)how)) == 0) {
            config->notify = (enum notify_how)how;
            return 0;
        }
    return bj_fail(error, -EINVAL, "\"%.40s\" is none of off, bell, osc9 and osc777", value);
}

static int take_option(struct reading *reading, const char *key, const char *value, int line,
                       struct bj_error *error)
{
    struct config *config = reading->config;
    const struct {
        const char *name;
        int (*take)(struct config *config, const char *value, struct bj_error *error);
        int *line;
        bool in_preset;
    } options[] = {{"theme", take_theme, &config->theme_line, false},
                   {"prefix", take_prefix, &config->prefix_line, true},
                   {"notify", take_notify, &config->notify_line, false}};
    if (strcmp(key, "preset") == 0 && !reading->preset) /* has been read before all else */
        return line == reading->preset_line
                   ? 0
                   : bj_fail(error, -EINVAL, "preset: it is in line %d already",
                             reading->preset_line);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].name, key) != 0 || (reading->preset && !options[i].in_preset))
            continue;
        if (*options[i].line > 0)
            return bj_fail(error, -EINVAL, "%s: it is in line %d already", key, *options[i].line);
        *options[i].line = line;
        int status = options[i].take(config, value, error);
        return status < 0 && error ? bj_fail_prefix(error, key) : status;
    }
    return bj_fail(error, -EINVAL, "unknown option %.40s: there are %s", key,
                   reading->preset ? "prefix and the section keys"
                                   : "preset, theme, prefix, notify, and the sections keys, colors "
                                     "and palette");
}

static int take(void *owner, const char *section, const char *key, const char *value, int line,
                struct bj_error *error)
{
    struct reading *reading = owner;
    struct config *config = reading->config;
    if (!section[0])
        return take_option(reading, key, value, line, error);
    if (strcmp(section, "keys") == 0 || strncmp(section, "keys.", 5) == 0)
        return config_take_keys(config, section, key, value, line, error);
    bool palette = strcmp(section, "palette") == 0;
    if (!reading->preset && (palette || strcmp(section, "colors") == 0))
        return key ? config_take_color(config, palette, key, value, line, error) : 0;
    if (key)
        return 0; /* its section has been complained about */
    return bj_fail(error, -EINVAL, "unknown section %.60s: there are %s", section,
                   reading->preset ? "only keys" : "keys, colors and palette");
}

/* ---- presets ---- */

/* They are under everything else in the file, wherever they are named in it. */
static int find_preset(void *owner, const char *section, const char *key, const char *value,
                       int line, struct bj_error *error)
{
    struct reading *reading = owner;
    (void)error;
    if (section[0] || strcmp(key, "preset") != 0 || reading->preset_line > 0)
        return 0;
    reading->preset_line = line;
    snprintf(reading->config->preset, sizeof(reading->config->preset), "%s", value);
    return 0;
}

static void ignore(void *owner, const struct bj_error *error)
{
    (void)owner;
    (void)error;
}

static int load_preset(const struct reading *reading, struct bj_error *error)
{
    const char *name = reading->config->preset;
    const char *const places[] = {reading->paths->config, reading->paths->data};
    for (size_t i = 0; i < 2 && *name && !strchr(name, '/'); i++) {
        char path[BJ_PATH_MAX], *text;
        if (bj_path(path, sizeof(path), NULL, "%s/presets/%s.conf", places[i], name) < 0)
            continue;
        int status = config_text(path, &text, error);
        if (status == -ENOENT || status == -ENOTDIR)
            continue;
        struct reading inner = *reading;
        inner.preset = true;
        if (status == 0)
            status = settings_parse(text, path, take, &inner, error);
        free(text);
        return status;
    }
    return bj_fail(error, -ENOENT, "preset: there is none called %.40s; tmux is one", name);
}

/* ---- the file ---- */

static void on_conflict(void *owner, int line, const struct bj_error *error)
{
    struct reading *reading = owner;
    struct bj_error told = *error;
    if (line == 0)
        line = reading->config->prefix_line;
    settings_fail_at(&told, reading->file, line > 0 ? line : 1);
    tell(reading, &told);
}

static void read_text(struct reading *reading, const char *text)
{
    struct config *config = reading->config;
    struct bj_error error = {0};
    settings_parse_all(text, reading->file, find_preset, ignore, reading);
    if (reading->preset_line > 0 && load_preset(reading, &error) < 0) {
        settings_fail_at(&error, reading->file, reading->preset_line);
        tell(reading, &error);
    }
    keymap_layer(&config->keys);
    config->prefix_line = 0;
    settings_parse_all(text, reading->file, take, tell, reading);
}

int config_read(struct config *config, const struct bj_paths *paths, const char *file,
                settings_fault *fault, void *owner)
{
    struct bj_error error = {0};
    struct reading reading = {
        .config = config, .paths = paths, .file = config->file, .fault = fault, .owner = owner};
    char *text;
    *config = (struct config){.theme = "dark"};
    keys_parse(KEYS_DEFAULT_PREFIX, strlen(KEYS_DEFAULT_PREFIX), &config->prefix);
    keymap_init(&config->keys);
    int status = file ? bj_path(config->file, sizeof(config->file), &error, "%s", file)
                      : bj_path(config->file, sizeof(config->file), &error, "%s/belljar.conf",
                                paths->config);
    if (status == 0)
        status = config_text(config->file, &text, &error);
    if (!file && (status == -ENOENT || status == -ENOTDIR))
        return 0;
    if (status < 0) {
        fault(owner, &error);
        return status;
    }
    read_text(&reading, text);
    free(text);
    keymap_check(&config->keys, &config->prefix, on_conflict, &reading);
    return reading.status;
}

static void keep_first(void *owner, const struct bj_error *error)
{
    struct bj_error *first = owner;
    if (first->code == 0)
        *first = *error;
}

int config_load(struct config *config, const struct bj_paths *paths, struct bj_error *error)
{
    struct bj_error first = {0};
    int status = config_read(config, paths, NULL, keep_first, &first);
    if (error)
        *error = first;
    return status;
}

int config_look(const struct config *config, const struct bj_paths *paths, const char *name,
                struct theme *theme, struct bj_error *error)
{
    int status = config_theme(theme, paths, name ? name : config->theme, error);
    if (status < 0 && !name && config->theme_line > 0)
        return settings_fail_at(error, config->file, config->theme_line);
    for (int i = 0; i < THEME_ROLES; i++)
        if (config->role[i].line > 0)
            theme->role[i] = config->role[i].color;
    for (int i = 0; i < 16; i++)
        if (config->palette[i].line > 0)
            theme->palette[i] = config->palette[i].color;
    return status;
}
