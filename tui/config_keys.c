#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/config_parts.h"

/* ---- keys ---- */

static int fail_action(const char *key, const char *mode, struct bj_error *error)
{
    const struct key_action *action = keys_named(key);
    if (!action)
        return bj_fail(error, -EINVAL, "unknown action %.40s: belljar keys lists them", key);
    return bj_fail(error, -EINVAL, "%.40s: it does nothing in the mode %s", key, mode);
}

static int fail_mode(const char *name, struct bj_error *error)
{
    char known[120] = "";
    size_t used = 0;
    for (unsigned mode = 1; mode < KEYS_MODES_END; mode *= 2)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "",
                                 keys_mode_name((enum key_mode)mode));
    return bj_fail(error, -EINVAL, "unknown mode %.40s: there are %s", name, known);
}

int config_take_keys(struct config *config, const char *section, const char *key, const char *value,
                     int line, struct bj_error *error)
{
    const char *name = section[4] ? section + 5 : ""; /* behind "keys." */
    unsigned mode = keys_mode_find(name);
    if (!key && *name && !mode)
        return fail_mode(name, error);
    if (!key || (*name && !mode))
        return 0; /* a section begins; or it has been complained about */
    int status;
    if (strcmp(key, "unbind") == 0) {
        status =
            keymap_unbind(&config->keys, mode ? mode : KEYS_MODES_END - 1U, value, line, error);
    } else {
        const struct key_action *action = keys_named(key);
        if (!action || (mode && !(keys_modes_of(action) & mode)))
            return fail_action(key, name, error);
        status =
            keymap_bind(&config->keys, mode ? mode : action->modes, action, value, line, error);
    }
    return status < 0 && error ? bj_fail_prefix(error, key) : status;
}

/* ---- colours ---- */

int config_take_color(struct config *config, bool palette, const char *key, const char *value,
                      int line, struct bj_error *error)
{
    struct config_color *color;
    if (palette) {
        char *end;
        unsigned long index = strtoul(key, &end, 10);
        if (*end || index > 15)
            return bj_fail(error, -EINVAL, "the palette has the colours 0 to 15, not %.40s", key);
        color = &config->palette[index];
    } else {
        int role = theme_role_find(key);
        if (role < 0)
            return bj_fail(error, -EINVAL, "unknown colour %.40s: belljar config show lists them",
                           key);
        color = &config->role[role];
    }
    if (color->line > 0)
        return bj_fail(error, -EINVAL, "%s: it is in line %d already", key, color->line);
    color->line = line;
    int status = theme_read_color(value, &color->color, error);
    return status < 0 && error ? bj_fail_prefix(error, key) : status;
}
