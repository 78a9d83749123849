#include <string.h>

#include "tui/model/fleet_parts.h"

/* A policy file is read for itself: there is one at most. */
bool fleet_piles(const struct request *request)
{
    return request->asker_count == 1 && request->count <= 1 && strcmp(request->kind, "policy") != 0;
}

void fleet_pile(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        memset(fleet->sandboxes[i]->asks, 0, sizeof(fleet->sandboxes[i]->asks));
    for (size_t i = 0; i < fleet->request_count; i++) {
        struct request *request = fleet->requests[i];
        struct sandbox *sandbox = fleet_find(fleet, request->sandbox_id);
        request->lead = request;
        request->pile = 1;
        if (!sandbox || !fleet_piles(request))
            continue;
        struct asks *asks = &sandbox->asks[request->wall];
        if (!asks->first)
            asks->first = request;
        asks->count++;
    }
    for (size_t i = 0; i < fleet->request_count; i++) {
        struct request *request = fleet->requests[i];
        struct sandbox *sandbox = fleet_find(fleet, request->sandbox_id);
        if (!sandbox || !fleet_piles(request) ||
            sandbox->asks[request->wall].count <= FLEET_PILE_FROM)
            continue;
        const struct asks *asks = &sandbox->asks[request->wall];
        request->lead = asks->first;
        request->pile = request == asks->first ? asks->count : 0;
    }
}

size_t fleet_rows(const struct fleet *fleet)
{
    size_t rows = 0;
    for (size_t i = 0; i < fleet->request_count; i++)
        rows += fleet->requests[i]->pile > 0;
    return rows;
}

struct request *fleet_row(const struct fleet *fleet, size_t at)
{
    for (size_t i = 0; i < fleet->request_count; i++)
        if (fleet->requests[i]->pile > 0 && at-- == 0)
            return fleet->requests[i];
    return NULL;
}

size_t fleet_row_of(const struct fleet *fleet, const char *id)
{
    const struct request *request = fleet_request_find(fleet, id);
    size_t row = 0;
    for (size_t i = 0; request && i < fleet->request_count; i++) {
        if (fleet->requests[i] == request->lead)
            return row;
        row += fleet->requests[i]->pile > 0;
    }
    return SIZE_MAX;
}
