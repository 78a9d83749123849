/*
 * Presets: hosts that the user's own configuration on the host already trusts.
 *
 *   @npm         npm config: registry and scoped registries
 *   @pip         pip config and PIP_INDEX_URL, PIP_EXTRA_INDEX_URL; else the default that
 *                `pip download --help` names
 *   @apt         sources.list, sources.list.d
 *   @cargo       config.toml and the indexes that cargo has used (registry/index)
 *   @git-remote  remotes of the project, read by git without includes
 *
 * No host name is written here: a preset is as good as the configuration it is read from, and
 * empty, with a note that says why, when there is none. Programs are run in the user's home (never
 * in the project, whose own files are not the user's configuration), with nothing on stdin, for at
 * most the context's time; their output is bounded. Everything here blocks.
 */
#pragma once

#include <stddef.h>

#include "transport/error.h"

#define PRESET_NAME_MAX  16
#define PRESET_HOSTS_MAX 64

struct preset {
    char name[PRESET_NAME_MAX]; /* with the @ */
    char **hosts;               /* egress patterns, host:port */
    size_t count;
    char note[256]; /* where they came from, or why there are none */
};

struct preset_context {
    const char *home;    /* NULL: $HOME */
    const char *project; /* the user's own directory, not the copy; NULL: none */
    const char *apt;     /* NULL: /etc/apt */
    int timeout;         /* milliseconds for each program; 0: 10000 */
};

/* The names, ended by NULL. */
extern const char *const preset_names[];
int preset_known(const char *name);

/* -ENOENT for an unknown name, -ENOMEM. Everything else that goes wrong is a note. */
int preset_resolve(struct preset *preset, const char *name, const struct preset_context *context,
                   struct bj_error *error);
void preset_free(struct preset *preset);
