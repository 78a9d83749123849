#include "tui/keymap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX 40

/* What every mode needs, so that nobody is caught in it. */
static const struct {
    enum key_mode mode;
    enum action action;
} ways_out[] = {{KEYS_LIST, ACTION_CLOSE},          {KEYS_MENU, ACTION_CLOSE},
                {KEYS_COPY, ACTION_COPY_LEAVE},     {KEYS_SUPERVISE, ACTION_PALETTE},
                {KEYS_PREFIX, ACTION_SUPERVISE},    {KEYS_REVIEW, ACTION_REVIEW_LEAVE},
                {KEYS_REPLAY, ACTION_REPLAY_LEAVE}, {KEYS_LINE, ACTION_LINE_LEAVE}};

static size_t mode_index(enum key_mode mode)
{
    size_t index = 0;
    while (1U << index < (unsigned)mode)
        index++;
    return index;
}

/* ---- building ---- */

static int add(struct keymap *map, unsigned modes, const struct key_action *action,
               const char *keys, int line, struct bj_error *error)
{
    const char *name;
    size_t size;
    for (unsigned mode = 1; mode < KEYS_MODES_END; mode *= 2) {
        const char *list = keys;
        unsigned position = 0;
        while ((modes & mode) && keys_next(&list, &name, &size)) {
            if (map->count == KEYMAP_MAX)
                return bj_fail(error, -ENOSPC, "more than %d keys are bound", KEYMAP_MAX);
            struct binding *binding = &map->binding[map->count];
            *binding = (struct binding){action->action, (enum key_mode)mode, {{0}, 0}, 0, line};
            if (!keys_parse(name, size, &binding->chord))
                return bj_fail(error, -EINVAL,
                               "\"%.*s\" is no key: write for example a, Enter, S-Tab, C-x, M-x, "
                               "F5 or PageUp",
                               (int)size, name);
            if (mode == KEYS_LINE && keys_is_text(&binding->chord))
                return bj_fail(error, -EINVAL,
                               "%.*s is text in a line: take a key with a name, C- or M-",
                               (int)size, name);
            for (unsigned k = 1; k <= position; k++)
                if (keys_equal(&binding->chord, &map->binding[map->count - k].chord))
                    return bj_fail(error, -EINVAL, "the key %.*s is there twice", (int)size, name);
            binding->position = position++;
            map->count++;
        }
    }
    return 0;
}

/* Drops the bindings before `end` for which keep() says no. */
static void drop(struct keymap *map, size_t end, const struct key_action *action, unsigned modes)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->count; i++) {
        const struct binding *binding = &map->binding[i];
        if (i >= end || binding->action != action->action || !(binding->mode & modes))
            map->binding[kept++] = *binding;
    }
    map->count = kept;
}

static void note_change(struct keymap *map, unsigned modes, int line)
{
    for (size_t i = 0; i < KEYS_MODES; i++)
        if (modes & 1U << i)
            map->changed[i] = line;
}

void keymap_init(struct keymap *map)
{
    *map = (struct keymap){0};
    for (size_t i = 0; i < keys_count; i++)
        add(map, keys_table[i].modes, &keys_table[i], keys_table[i].keys, 0, NULL);
}

void keymap_layer(struct keymap *map)
{
    for (size_t i = 0; i < map->count; i++)
        map->binding[i].line = 0;
    memset(map->changed, 0, sizeof(map->changed));
}

int keymap_bind(struct keymap *map, unsigned modes, const struct key_action *action,
                const char *keys, int line, struct bj_error *error)
{
    size_t before = map->count;
    for (size_t i = 0; i < before; i++)
        if (map->binding[i].action == action->action && (map->binding[i].mode & modes) &&
            map->binding[i].line > 0)
            return bj_fail(error, -EINVAL, "%s already has its keys in %s from line %d",
                           action->name, keys_mode_name(map->binding[i].mode),
                           map->binding[i].line);
    int status = add(map, modes, action, keys, line, error);
    if (status < 0) {
        map->count = before;
        return status;
    }
    drop(map, before, action, modes);
    map->prefixed |= (modes & KEYS_PREFIX) && action->action != ACTION_SUPERVISE && *keys;
    note_change(map, modes, line);
    return 0;
}

int keymap_unbind(struct keymap *map, unsigned modes, const char *keys, int line,
                  struct bj_error *error)
{
    const char *name;
    size_t size;
    while (keys_next(&keys, &name, &size)) {
        struct chord chord;
        if (!keys_parse(name, size, &chord))
            return bj_fail(error, -EINVAL, "\"%.*s\" is no key", (int)size, name);
        size_t kept = 0, before = map->count;
        for (size_t i = 0; i < before; i++) {
            const struct binding *binding = &map->binding[i];
            if (binding->line == 0 && (binding->mode & modes) &&
                keys_equal(&binding->chord, &chord))
                note_change(map, binding->mode, line);
            else
                map->binding[kept++] = *binding;
        }
        map->count = kept;
        if (kept == before)
            return bj_fail(error, -EINVAL, "%.*s is bound to nothing that could be taken away",
                           (int)size, name);
    }
    return 0;
}

/* ---- checking ---- */

static void check_pair(const struct binding *one, const struct binding *other, keymap_fault *fault,
                       void *owner)
{
    char key[NAME_MAX], where[40] = "by default";
    struct bj_error error;
    if (one->mode != other->mode || one->action == other->action ||
        !keys_equal(&one->chord, &other->chord))
        return;
    const struct binding *late = one->line > other->line ? one : other;
    const struct binding *early = late == one ? other : one;
    if (early->line > 0)
        snprintf(where, sizeof(where), "in line %d", early->line);
    keys_name(&late->chord, key, sizeof(key));
    bj_fail(&error, -EINVAL,
            "%s: %s in the mode %s is bound to %s %s: take it away there with unbind = \"%s\", or "
            "give that another key",
            keys_action(late->action)->name, key, keys_mode_name(late->mode),
            keys_action(early->action)->name, where, key);
    fault(owner, late->line, &error);
}

static void check_prefix(const struct binding *binding, const struct chord *prefix,
                         keymap_fault *fault, void *owner)
{
    char key[NAME_MAX];
    struct bj_error error;
    if (!(binding->mode & (KEYS_SUPERVISE | KEYS_LIST | KEYS_PREFIX)) ||
        !keys_equal(&binding->chord, prefix))
        return;
    keys_name(prefix, key, sizeof(key));
    bj_fail(&error, -EINVAL, "prefix: %s is bound to %s in the mode %s, where it would be lost",
            key, keys_action(binding->action)->name, keys_mode_name(binding->mode));
    fault(owner, binding->line, &error);
}

static bool has(const struct keymap *map, enum key_mode mode, enum action action)
{
    for (size_t i = 0; i < map->count; i++)
        if (map->binding[i].mode == mode && map->binding[i].action == action)
            return true;
    return false;
}

void keymap_check(const struct keymap *map, const struct chord *prefix, keymap_fault *fault,
                  void *owner)
{
    for (size_t i = 0; i < map->count; i++) {
        for (size_t k = i + 1; k < map->count; k++)
            check_pair(&map->binding[i], &map->binding[k], fault, owner);
        check_prefix(&map->binding[i], prefix, fault, owner);
    }
    for (size_t i = 0; i < sizeof(ways_out) / sizeof(ways_out[0]); i++) {
        struct bj_error error;
        if (has(map, ways_out[i].mode, ways_out[i].action))
            continue;
        bj_fail(&error, -EINVAL, "%s: it has no key in the mode %s, which could not be left then",
                keys_action(ways_out[i].action)->name, keys_mode_name(ways_out[i].mode));
        fault(owner, map->changed[mode_index(ways_out[i].mode)], &error);
    }
}

/* ---- looking up ---- */

static struct keymap in_force;

static const struct keymap *current(void)
{
    if (in_force.count == 0)
        keymap_init(&in_force);
    return &in_force;
}

void keymap_use(const struct keymap *map)
{
    in_force = *map;
}

enum action keys_find_at(enum key_mode mode, const struct chord *chord, unsigned *position)
{
    const struct keymap *map = current();
    for (size_t i = 0; i < map->count; i++)
        if (map->binding[i].mode == mode && keys_equal(&map->binding[i].chord, chord)) {
            *position = map->binding[i].position;
            return map->binding[i].action;
        }
    return ACTION_NONE;
}

enum action keys_find(enum key_mode mode, const struct chord *chord)
{
    unsigned position;
    return keys_find_at(mode, chord, &position);
}

bool keys_prefixed(void)
{
    return current()->prefixed;
}

struct keys_text keymap_keys(const struct keymap *map, unsigned mode, enum action action)
{
    struct keys_text out = {""};
    size_t used = 0;
    for (unsigned one = 1; mode == 0 && one < KEYS_MODES_END; one *= 2)
        if (has(map, (enum key_mode)one, action))
            mode = one;
    for (size_t i = 0; i < map->count; i++) {
        const struct binding *binding = &map->binding[i];
        char name[NAME_MAX];
        if (binding->action != action || binding->mode != mode)
            continue;
        keys_name(&binding->chord, name, sizeof(name));
        if (used + strlen(name) + 2 > sizeof(out.text))
            break;
        used += (size_t)snprintf(out.text + used, sizeof(out.text) - used, "%s%s", used ? " " : "",
                                 name);
    }
    return out;
}

struct keys_text keys_of(unsigned mode, enum action action)
{
    return keymap_keys(current(), mode, action);
}

struct keys_text keys_first(unsigned mode, enum action action)
{
    struct keys_text out = keys_of(mode, action);
    const struct key_action *known = keys_action(action);
    if (!out.text[0])
        snprintf(out.text, sizeof(out.text), known->modes & KEYS_SUPERVISE ? ":%s" : "-",
                 known->name);
    out.text[strcspn(out.text, " ")] = '\0';
    return out;
}

struct keys_text keys_say(unsigned mode, const char *sentence)
{
    struct keys_text out = {""};
    size_t used = 0;
    while (*sentence && used + 1 < sizeof(out.text)) {
        size_t size = *sentence == '{' ? strcspn(sentence, "}") : 0;
        char name[KEYS_OPTION_MAX];
        if (size < 2 || size > sizeof(name) || sentence[size] != '}') {
            out.text[used++] = *sentence++;
            continue;
        }
        memcpy(name, sentence + 1, size - 1);
        name[size - 1] = '\0';
        const struct key_action *action = keys_named(name);
        struct keys_text key = {"?"};
        if (action)
            key = keys_first(mode, action->action);
        int wrote = snprintf(out.text + used, sizeof(out.text) - used, "%s", key.text);
        used += (size_t)wrote < sizeof(out.text) - used ? (size_t)wrote : strlen(out.text + used);
        sentence += size + 1;
    }
    out.text[used] = '\0';
    return out;
}

struct keys_text keys_way_out(const struct chord *prefix)
{
    struct keys_text out;
    char name[NAME_MAX];
    keys_name(prefix, name, sizeof(name));
    bool own = keys_prefixed();
    snprintf(out.text, sizeof(out.text), "%s%s%.40s", name, own ? " " : "",
             own ? keys_first(KEYS_PREFIX, ACTION_SUPERVISE).text : "");
    return out;
}
