#include "tui/cli/keyname.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "transport/api.h"
#include "tui/cli/args.h"

#define FUNCTION_KEYS 24

struct name {
    const char *name;
    const char *key;
    unsigned mods;
};

static const struct name names[] = {
    {"Enter", "enter", 0},      {"Return", "enter", 0},
    {"Tab", "tab", 0},          {"BTab", "tab", BJ_MOD_SHIFT},
    {"BSpace", "backspace", 0}, {"Backspace", "backspace", 0},
    {"Escape", "escape", 0},    {"Esc", "escape", 0},
    {"Space", " ", 0},          {"Up", "up", 0},
    {"Down", "down", 0},        {"Left", "left", 0},
    {"Right", "right", 0},      {"Home", "home", 0},
    {"End", "end", 0},          {"IC", "insert", 0},
    {"Insert", "insert", 0},    {"DC", "delete", 0},
    {"Delete", "delete", 0},    {"PPage", "pageup", 0},
    {"PageUp", "pageup", 0},    {"PgUp", "pageup", 0},
    {"NPage", "pagedown", 0},   {"PageDown", "pagedown", 0},
    {"PgDn", "pagedown", 0},
};

static unsigned modifier(char letter)
{
    switch (letter) {
    case 'C':
    case '^':
        return BJ_MOD_CTRL;
    case 'M':
        return BJ_MOD_ALT;
    case 'S':
        return BJ_MOD_SHIFT;
    default:
        return 0;
    }
}

/* One character of any script, and no control character. */
static bool is_character(const char *text)
{
    utf8proc_int32_t code;
    size_t size = strlen(text);
    utf8proc_ssize_t used =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, &code);
    return used > 0 && (size_t)used == size && code >= ' ' && code != 0x7f &&
           !(code >= 0x80 && code < 0xa0);
}

static bool is_function_key(const char *text)
{
    if ((text[0] != 'F' && text[0] != 'f') || text[1] < '1' || text[1] > '9')
        return false;
    char *end;
    unsigned long number = strtoul(text + 1, &end, 10);
    return *end == '\0' && number <= FUNCTION_KEYS;
}

static int unknown(const char *text, struct bj_error *error)
{
    const char *nearest = NULL;
    size_t best = 3;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t distance = args_distance(text, names[i].name);
        if (distance < best && distance < strlen(text)) {
            best = distance;
            nearest = names[i].name;
        }
    }
    if (nearest)
        return bj_fail(error, -EINVAL, "no key is called '%.32s': did you mean %s?", text, nearest);
    return bj_fail(error, -EINVAL,
                   "no key is called '%.32s': write Enter, Escape, C-c, M-x, Up, F5, PPage or one "
                   "character",
                   text);
}

int keyname_parse(const char *text, struct keyname *key, struct bj_error *error)
{
    const char *rest = text;
    *key = (struct keyname){0};
    while (rest[0] && rest[1] == '-' && rest[2] && modifier(rest[0])) {
        key->mods |= modifier(rest[0]);
        rest += 2;
    }
    if (rest[0] == '^' && rest[1] && !rest[2]) { /* ^C, as people write it */
        key->mods |= BJ_MOD_CTRL;
        rest++;
    }
    if (is_character(rest)) {
        snprintf(key->key, sizeof(key->key), "%s", rest);
        if (key->mods & BJ_MOD_CTRL && *rest >= 'A' && *rest <= 'Z' && !rest[1])
            key->key[0] = (char)(*rest - 'A' + 'a');
        return 0;
    }
    if (is_function_key(rest)) {
        snprintf(key->key, sizeof(key->key), "f%s", rest + 1);
        return 0;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(names[i].name, rest) == 0) {
            snprintf(key->key, sizeof(key->key), "%s", names[i].key);
            key->mods |= names[i].mods;
            return 0;
        }
    return unknown(text, error);
}
