/*
 * Names of keys as tmux writes them: Enter, Escape, C-c, M-x, S-Up, F5, PPage, or one character.
 */
#pragma once

#include "transport/error.h"

#define KEYNAME_MAX 16

struct keyname {
    char key[KEYNAME_MAX + 1]; /* as view.key takes it */
    unsigned mods;             /* BJ_MOD_* */
};

/* -EINVAL with the nearest name when there is no such key. */
int keyname_parse(const char *text, struct keyname *key, struct bj_error *error);
