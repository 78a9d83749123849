/*
 * Small files of state that are replaced whole: written beside, synced, renamed, the directory
 * synced. Whoever reads one sees the old content or the new, also after a crash.
 */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "transport/error.h"

int file_replace(const char *path, const char *text, size_t size, struct bj_error *error);

/* An object of version 1 as compact JSON; takes the reference over. It was built since
 * json_watch(). -ENOMEM when it is NULL, or lacks something because memory ran out. */
int file_replace_json(const char *path, json_t *root, struct bj_error *error);

/* A missing file gives *root NULL. -EINVAL, naming the file and line, when it is no JSON object of
 * version 1; larger than 16 MiB is no such file either. -ENOMEM. */
int file_read_json(const char *path, json_t **root, struct bj_error *error);
