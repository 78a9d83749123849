/*
 * A list kept as JSON in a file of the state directory, replaced whole.
 */
#pragma once

#include <jansson.h>

#include "transport/error.h"

/* Takes the reference to a list that was built since json_watch(). -ENOMEM when it lacks something,
 * else as bj_file_replace(). */
int list_write(const char *path, json_t *list, struct bj_error *error);

/* *list NULL and 0 when there is no such file; -EINVAL when it holds no list. The caller drops the
 * reference. */
int list_read(const char *path, json_t **list, struct bj_error *error);
