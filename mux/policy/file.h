/*
 * Small files of state: a JSON object each, replaced whole and durably.
 */
#pragma once

#include <jansson.h>

#include "transport/error.h"

/* An object of version 1 as compact JSON; takes the reference over. It was built since
 * json_watch(). -ENOMEM when it is NULL, or lacks something because memory ran out. */
int file_replace_json(const char *path, json_t *root, struct bj_error *error);

/* A missing file gives *root NULL. -EINVAL, naming the file and line, when it is no JSON object of
 * version 1; larger than 16 MiB is no such file either. -ENOMEM. */
int file_read_json(const char *path, json_t **root, struct bj_error *error);
