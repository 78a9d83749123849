/*
 * Fields of a map from the server, cleaned (tui/model/text.h) and cut as they are taken, so that
 * what is kept may be shown as it is. The sizes of what all of the model keeps.
 */
#pragma once

#include <stddef.h>

#include <msgpack.h>

#define FLEET_ID_MAX        40
#define FLEET_NAME_MAX      40
#define FLEET_SHOWN_MAX     68 /* a name with its host before it (tui/model/origin.h) */
#define FLEET_TITLE_MAX     256
#define FLEET_SANDBOXES_MAX 1024

/* Copies a string into out[size]; "" when it is missing. */
void field_copy(const msgpack_object *map, const char *key, char *out, size_t size);

/* A long text of which at most `most` bytes are kept: the caller frees *out, which is NULL when
 * there is none. *left is how many bytes were not kept. 0 or -ENOMEM. */
int field_text(const msgpack_object *map, const char *key, size_t most, char **out, size_t *left);

/* A list of strings as one text, "a, b, c"; ends in "…" where it was cut. */
void field_join(const msgpack_object *map, const char *key, char *out, size_t size);
