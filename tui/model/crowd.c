#include "tui/model/crowd.h"

#include <stdio.h>
#include <string.h>

#include "transport/pack.h"

void crowd_forget(struct crowd *crowd, unsigned origin)
{
    size_t kept = 0;
    for (size_t i = 0; i < crowd->count; i++)
        if (crowd->list[i].origin->number != origin)
            crowd->list[kept++] = crowd->list[i];
    crowd->count = kept;
}

void crowd_take(struct crowd *crowd, const struct origin *origin, const msgpack_object *map)
{
    const msgpack_object *list = bj_get(map, "clients");
    uint64_t you = bj_get_uint(map, "you", 0);
    crowd_forget(crowd, origin->number);
    if (!list || list->type != MSGPACK_OBJECT_ARRAY)
        return;
    for (uint32_t i = 0; i < list->via.array.size && crowd->count < CROWD_MAX; i++) {
        const msgpack_object *item = &list->via.array.ptr[i];
        struct crowd_client *client = &crowd->list[crowd->count++];
        *client = (struct crowd_client){.origin = origin};
        client->number = bj_get_uint(item, "number", 0);
        client->you = client->number == you;
        client->since = bj_get_double(item, "since", 0);
        client->readonly = bj_get_bool(item, "readonly", false);
        client->typing = bj_get_bool(item, "typing", false);
        field_copy(item, "user", client->user, sizeof(client->user));
        field_copy(item, "from", client->from, sizeof(client->from));
        field_copy(item, "session", client->session, sizeof(client->session));
        origin_id(origin, item, "sandbox_id", client->sandbox_id);
        origin_name(origin, item, "sandbox", client->sandbox);
    }
}

size_t crowd_others(const struct crowd *crowd)
{
    size_t count = 0;
    for (size_t i = 0; i < crowd->count; i++)
        count += !crowd->list[i].you;
    return count;
}

const struct crowd_client *crowd_looking(const struct crowd *crowd, const char *sandbox_id,
                                         const struct crowd_client *last)
{
    for (size_t i = last ? (size_t)(last - crowd->list) + 1 : 0; i < crowd->count; i++)
        if (!crowd->list[i].you && strcmp(crowd->list[i].sandbox_id, sandbox_id) == 0)
            return &crowd->list[i];
    return NULL;
}

void crowd_name(const struct crowd *crowd, const struct crowd_client *client, bool full,
                char out[CROWD_NAME_MAX])
{
    bool same = false; /* the user says nothing that this human does not know */
    for (size_t i = 0; i < crowd->count; i++)
        same |= crowd->list[i].you && strcmp(crowd->list[i].user, client->user) == 0;
    bool from = client->from[0] && (full || same), user = full || !from;
    snprintf(out, CROWD_NAME_MAX, "%s%s%s", user ? client->user : "", user && from ? " " : "",
             from ? client->from : "");
}

const char *crowd_glyph(const struct crowd_client *client, bool ascii)
{
    if (ascii)
        return client->typing ? "@" : "&";
    return client->typing ? "◉" : "◎";
}
