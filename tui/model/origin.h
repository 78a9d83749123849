/*
 * Where a sandbox, a request or an alert comes from: the server of this host, or that of another.
 *
 * Servers choose their ids and names without knowing of each other, and one of them may lie. So an
 * id of another host is kept as "NUMBER/ID", with a number that we gave: no other host can name it.
 * A name from there is kept, and shown, as "host:name".
 */
#pragma once

#include <stdbool.h>

#include <msgpack.h>

#include "tui/model/field.h"

#define ORIGINS_MAX      17 /* this host, and others */
#define ORIGIN_LABEL_MAX 24

struct origin {
    unsigned number;              /* 0: this host */
    char label[ORIGIN_LABEL_MAX]; /* clean; "" for this host */
    bool cut;                     /* no link: what is known of its sandboxes is old */
};

/* Fields of a map from the origin's server; what is too long is cut. */
void origin_id(const struct origin *origin, const msgpack_object *map, const char *key,
               char out[FLEET_ID_MAX]);
void origin_name(const struct origin *origin, const msgpack_object *map, const char *key,
                 char out[FLEET_SHOWN_MAX]);

/* The id as its server knows it, as one of ours. */
void origin_id_of(const struct origin *origin, const char *id, char out[FLEET_ID_MAX]);

/* Of an id as it is kept: its origin's number, and the id as its server knows it. */
unsigned origin_number(const char *id);
const char *origin_bare(const char *id);
