#include "tui/model/fleet_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fleet_init(struct fleet *fleet, const char *session, struct bj_error *error)
{
    memset(fleet, 0, sizeof(*fleet));
    snprintf(fleet->session, sizeof(fleet->session), "%s", session);
    for (unsigned i = 0; i < ORIGINS_MAX; i++)
        fleet->origins[i].number = i;
    fleet->requests = calloc(FLEET_REQUESTS_MAX, sizeof(*fleet->requests));
    return fleet->requests ? 0 : bj_fail(error, -ENOMEM, "out of memory");
}

void fleet_forget_asked(struct fleet *fleet, unsigned origin)
{
    size_t kept = 0;
    for (size_t i = 0; i < fleet->request_count; i++)
        if (fleet->requests[i]->origin->number == origin)
            request_free(fleet->requests[i]);
        else
            fleet->requests[kept++] = fleet->requests[i];
    fleet->request_count = kept;
    kept = 0;
    for (size_t i = 0; i < fleet->alert_count; i++)
        if (fleet->alerts[i]->origin->number == origin)
            free(fleet->alerts[i]);
        else
            fleet->alerts[kept++] = fleet->alerts[i];
    fleet->alert_count = kept;
    crowd_forget(&fleet->crowd, origin);
    fleet_pile(fleet);
}

void fleet_free(struct fleet *fleet)
{
    for (unsigned origin = 0; origin < ORIGINS_MAX; origin++)
        fleet_forget_asked(fleet, origin);
    for (size_t i = 0; i < fleet->count; i++)
        free(fleet->sandboxes[i]);
    for (size_t i = 0; i < fleet->elsewhere; i++)
        free(fleet->others[i]);
    fleet->count = fleet->elsewhere = 0;
    free(fleet->requests);
    fleet->requests = NULL;
}

/* ---- looking up ---- */

size_t fleet_index(const struct fleet *fleet, const char *id)
{
    for (size_t i = 0; i < fleet->count; i++)
        if (strcmp(fleet->sandboxes[i]->id, id) == 0)
            return i;
    return fleet->count;
}

struct sandbox *fleet_find(const struct fleet *fleet, const char *id)
{
    size_t index = fleet_index(fleet, id);
    return index < fleet->count ? fleet->sandboxes[index] : NULL;
}

struct sandbox *fleet_find_elsewhere(const struct fleet *fleet, const char *id)
{
    for (size_t i = 0; i < fleet->elsewhere; i++)
        if (strcmp(fleet->others[i]->id, id) == 0)
            return fleet->others[i];
    return NULL;
}

struct request *fleet_request_find(const struct fleet *fleet, const char *id)
{
    for (size_t i = 0; i < fleet->request_count; i++)
        if (strcmp(fleet->requests[i]->id, id) == 0)
            return fleet->requests[i];
    return NULL;
}

struct request *fleet_request(const struct fleet *fleet, const char *sandbox_id, size_t *count)
{
    const struct sandbox *sandbox = fleet_find(fleet, sandbox_id);
    struct request *first = NULL;
    *count = 0;
    for (size_t i = 0; i < fleet->request_count; i++) {
        struct request *request = fleet->requests[i];
        if (!request_asks(request, sandbox_id))
            continue;
        if (!first || (sandbox && strcmp(sandbox->facing, request->id) == 0))
            first = request;
        ++*count;
    }
    return first;
}

/* ---- what a pane shows ---- */

void fleet_face_first(struct fleet *fleet, const char *sandbox_id)
{
    struct sandbox *sandbox = fleet_find(fleet, sandbox_id);
    if (!sandbox)
        return;
    const struct request *now = fleet_request_find(fleet, sandbox->facing);
    if (now && now->painted_at && request_asks(now, sandbox_id))
        return;
    sandbox->facing[0] = '\0';
    for (size_t i = 0; i < fleet->request_count; i++)
        if (request_asks(fleet->requests[i], sandbox_id)) {
            memcpy(sandbox->facing, fleet->requests[i]->id, FLEET_ID_MAX);
            return;
        }
}

void fleet_face_askers(struct fleet *fleet, const struct request *request)
{
    for (size_t i = 0; i < request->asker_count; i++)
        fleet_face_first(fleet, request->askers[i]);
}

void fleet_face(struct fleet *fleet, const char *sandbox_id, const struct request *request)
{
    struct sandbox *sandbox = fleet_find(fleet, sandbox_id);
    if (sandbox && request_asks(request, sandbox_id))
        memcpy(sandbox->facing, request->id, FLEET_ID_MAX);
}

/* ---- arming ---- */

void fleet_paint_begin(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->request_count; i++)
        fleet->requests[i]->painted = false;
}

void fleet_painted(struct request *request, uint64_t now_ms)
{
    request->painted = true;
    if (request->painted_at == 0)
        request->painted_at = now_ms ? now_ms : 1;
}

void fleet_paint_end(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->request_count; i++)
        if (!fleet->requests[i]->painted)
            fleet->requests[i]->painted_at = 0;
}

void fleet_paint_sent(struct fleet *fleet, uint64_t began_ms, uint64_t now_ms)
{
    for (size_t i = 0; i < fleet->request_count; i++)
        if (fleet->requests[i]->painted_at == (began_ms ? began_ms : 1))
            fleet->requests[i]->painted_at = now_ms ? now_ms : 1;
}

bool fleet_armed(const struct request *request, uint64_t now_ms)
{
    return request->painted_at != 0 && now_ms >= request->painted_at &&
           now_ms - request->painted_at >= FLEET_ARM_MS;
}
