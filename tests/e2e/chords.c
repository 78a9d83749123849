#include "chords.h"

#include <stdio.h>
#include <string.h>

#include "eye.h"
#include "transport/api.h"

static const struct {
    const char *key, *bytes;
} named[] = {
    {"enter", "\r"},       {"tab", "\t"},         {"escape", "\x1b"},    {"backspace", "\x7f"},
    {"up", "\x1bOA"},      {"down", "\x1bOB"},    {"right", "\x1bOC"},   {"left", "\x1bOD"},
    {"home", "\x1bOH"},    {"end", "\x1bOF"},     {"pageup", "\x1b[5~"}, {"pagedown", "\x1b[6~"},
    {"insert", "\x1b[2~"}, {"delete", "\x1b[3~"}, {"f12", EYE_F12},
};

size_t chord_named_count(void)
{
    return sizeof(named) / sizeof(named[0]);
}

const char *chord_named(size_t index)
{
    return named[index].bytes;
}

size_t chord_bytes(const struct chord *chord, char out[CHORD_BYTES])
{
    if (strcmp(chord->key, "tab") == 0 && chord->mods & BJ_MOD_SHIFT)
        return (size_t)snprintf(out, CHORD_BYTES, "\x1b[Z");
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if (strcmp(named[i].key, chord->key) == 0 && chord->mods == 0)
            return (size_t)snprintf(out, CHORD_BYTES, "%s", named[i].bytes);
    static const char *const arrows[] = {"up", "down", "right", "left"};
    for (size_t i = 0; i < 4; i++)
        if (strcmp(arrows[i], chord->key) == 0 && chord->mods == BJ_MOD_SHIFT)
            return (size_t)snprintf(out, CHORD_BYTES, "\x1b[1;2%c", (int)('A' + i));
    if (chord->key[0] == '\0' || chord->key[1])
        return 0;
    size_t size = 0;
    if (chord->mods & BJ_MOD_ALT)
        out[size++] = '\x1b';
    out[size++] = chord->mods & BJ_MOD_CTRL ? (char)(chord->key[0] & 0x1f) : chord->key[0];
    out[size] = '\0';
    return size;
}
