/*
 * A manifest: the sandboxes that `belljar up` keeps running. The form is that of policy files.
 *
 *   project = "."; session = main            for all that say nothing else
 *   sandbox NAME {
 *       agent = claude; args = [...]         or command = [program, argument...]
 *       project = "dir"; policy = "file"     relative to the manifest
 *       prompt = "what it is told first"
 *       memory = 2gb; cpus = 1.5; pids = 500; disk = 10gb; egress = 1gb; wall_clock = 8h
 *       env { NAME = value }
 *   }
 *
 * It may have come with somebody else's repository: read here, nothing of it is done. What it names
 * has been found to exist; its policy files can be read.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "transport/error.h"

#define MANIFEST_SANDBOXES_MAX 64
#define MANIFEST_HASH_SIZE     65 /* hexadecimal BLAKE2b-256, with the NUL */

struct manifest_sandbox {
    char *name;
    json_t *params; /* of sandbox.run, but for the user's PATH and the terminal's size */
    bool outside;   /* its project is not below the manifest's directory */
    int line;
};

struct manifest {
    char file[PATH_MAX];
    char directory[PATH_MAX]; /* what relative names are relative to; no link is on its way */
    struct manifest_sandbox sandboxes[MANIFEST_SANDBOXES_MAX];
    size_t count;
    /* Of the manifest's bytes, those of its policy files, and where it is. */
    char hash[MANIFEST_HASH_SIZE];
};

/* NULL means belljar.up, else .belljar/up.conf, of the working directory; the latter's names are
 * relative to the directory that .belljar is in. "file:line: ..." for a mistake. The caller frees
 * it in every case. */
int manifest_read(struct manifest *manifest, const char *path, struct bj_error *error);
void manifest_free(struct manifest *manifest);
