#include "tui/model/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/pack.h"
#include "tui/model/text.h"

static enum risk read_risk(const msgpack_object *map)
{
    uint64_t risk = bj_get_uint(map, "risk", RISK_LOW);
    return risk >= RISK_HIGH ? RISK_HIGH : (enum risk)risk;
}

/* Reads `sandboxes`, or only `sandbox_id` when there is no such list. */
static int read_askers(struct request *request, const msgpack_object *map)
{
    const msgpack_object *list = bj_get(map, "sandboxes");
    bool listed = list && list->type == MSGPACK_OBJECT_ARRAY && list->via.array.size > 0;
    size_t most = listed ? list->via.array.size : 1;
    if (most > FLEET_SANDBOXES_MAX)
        most = FLEET_SANDBOXES_MAX;
    char(*askers)[FLEET_ID_MAX] = calloc(most, sizeof(*askers));
    if (!askers)
        return -ENOMEM;
    size_t count = 0;
    for (size_t i = 0; listed && i < most; i++) {
        const msgpack_object *id = &list->via.array.ptr[i];
        char clean[FLEET_ID_MAX];
        if (id->type == MSGPACK_OBJECT_STR &&
            text_clean(clean, sizeof(clean), id->via.str.ptr, id->via.str.size) > 0)
            origin_id_of(request->origin, clean, askers[count++]);
    }
    if (count == 0)
        memcpy(askers[count++], request->sandbox_id, FLEET_ID_MAX);
    free(request->askers);
    request->askers = askers;
    request->asker_count = count;
    uint64_t said = bj_get_uint(map, "count", count);
    request->count = said < count ? count : said;
    return 0;
}

static void read_first(struct request *request, const msgpack_object *map)
{
    origin_id(request->origin, map, "sandbox_id", request->sandbox_id);
    origin_name(request->origin, map, "sandbox", request->sandbox);
}

int request_read(struct request **out, const struct origin *origin, const msgpack_object *map)
{
    struct request *request = calloc(1, sizeof(*request));
    *out = NULL;
    if (!request)
        return -ENOMEM;
    request->origin = origin;
    origin_id(origin, map, "id", request->id);
    read_first(request, map);
    field_copy(map, "kind", request->kind, sizeof(request->kind));
    field_copy(map, "subject", request->subject, sizeof(request->subject));
    field_copy(map, "title", request->title, sizeof(request->title));
    request->cut =
        bj_get_bool(map, "cut", false) || strlen(request->title) + 64 >= sizeof(request->title);
    field_copy(map, "why", request->why, sizeof(request->why));
    request->wall = bj_is_str(bj_get(map, "class"), "wall");
    request->risk = read_risk(map);
    request->created = bj_get_double(map, "created", 0);
    int status =
        field_text(map, "detail", REQUEST_DETAIL_MAX, &request->detail, &request->detail_left);
    if (status == 0)
        status = read_askers(request, map);
    if (status < 0) {
        request_free(request);
        return status;
    }
    *out = request;
    return 0;
}

void request_free(struct request *request)
{
    if (!request)
        return;
    free(request->detail);
    free(request->askers);
    free(request);
}

int request_update(struct request *request, const msgpack_object *map)
{
    if (!bj_get(map, "sandboxes"))
        return 0;
    size_t before = request->asker_count;
    uint64_t counted = request->count;
    char first[FLEET_ID_MAX];
    memcpy(first, request->sandbox_id, sizeof(first));
    read_first(request, map);
    int status = read_askers(request, map);
    if (status < 0)
        return status;
    enum risk risk = read_risk(map);
    bool raised = risk > request->risk;
    if (raised) {
        request->risk = risk;
        request->painted_at = 0;
    }
    return raised || before != request->asker_count || counted != request->count ||
           strcmp(first, request->sandbox_id) != 0;
}

bool request_asks(const struct request *request, const char *sandbox_id)
{
    for (size_t i = 0; i < request->asker_count; i++)
        if (strcmp(request->askers[i], sandbox_id) == 0)
            return true;
    return false;
}

bool request_leave(struct request *request, const char *sandbox_id)
{
    size_t kept = 0;
    for (size_t i = 0; i < request->asker_count; i++)
        if (strcmp(request->askers[i], sandbox_id) != 0)
            memmove(request->askers[kept++], request->askers[i], FLEET_ID_MAX);
    if (kept < request->asker_count && request->count > 0)
        request->count--;
    request->asker_count = kept;
    return kept > 0;
}

int request_compare(const struct request *one, const struct request *other)
{
    if (one->risk != other->risk)
        return one->risk > other->risk ? -1 : 1;
    if (one->created < other->created || one->created > other->created)
        return one->created < other->created ? -1 : 1;
    return 0; /* as they came */
}

const char *request_glyph(const struct request *request, bool ascii)
{
    return !request->wall ? "?" : ascii ? "#" : "⛨";
}

const char *request_class(const struct request *request)
{
    return request->wall ? "WALL" : "COURTESY";
}

const char *risk_glyph(enum risk risk, bool ascii)
{
    static const char *const glyphs[][2] = {{"▁", "."}, {"▄", "+"}, {"█", "!"}};
    return glyphs[risk][ascii];
}

const char *risk_word(enum risk risk)
{
    static const char *const words[] = {"low", "medium", "high"};
    return words[risk];
}
