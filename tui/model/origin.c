#include "tui/model/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void origin_id_of(const struct origin *origin, const char *id, char out[FLEET_ID_MAX])
{
    if (origin->number == 0 || !id[0])
        snprintf(out, FLEET_ID_MAX, "%s", id);
    else
        snprintf(out, FLEET_ID_MAX, "%u/%s", origin->number, id);
}

void origin_id(const struct origin *origin, const msgpack_object *map, const char *key,
               char out[FLEET_ID_MAX])
{
    char id[FLEET_ID_MAX];
    field_copy(map, key, id, sizeof(id));
    origin_id_of(origin, id, out);
}

void origin_name(const struct origin *origin, const msgpack_object *map, const char *key,
                 char out[FLEET_SHOWN_MAX])
{
    char name[FLEET_NAME_MAX];
    field_copy(map, key, name, sizeof(name));
    bool far = origin->number > 0 && name[0];
    snprintf(out, FLEET_SHOWN_MAX, "%s%s%s", far ? origin->label : "", far ? ":" : "", name);
}

/* A server of this host makes no ids with a slash. */
unsigned origin_number(const char *id)
{
    const char *slash = strchr(id, '/');
    unsigned long number = slash ? strtoul(id, NULL, 10) : 0;
    return number < ORIGINS_MAX ? (unsigned)number : 0;
}

const char *origin_bare(const char *id)
{
    const char *slash = strchr(id, '/');
    return slash ? slash + 1 : id;
}
