#include "mux/server/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "mux/server/text.h"
#include "transport/message.h"

#define CUT "\u2026"

const char *request_class_name(enum request_class of)
{
    return of == REQUEST_WALL ? "wall" : "courtesy";
}

static void request_free(struct request *request)
{
    if (!request)
        return;
    free(request->kind);
    free(request->title);
    free(request->detail);
    free(request->subject);
    free(request->why);
    free(request->where);
    free(request->askers);
    free(request);
}

void requests_free(struct requests *requests)
{
    for (size_t i = 0; i < requests->count; i++)
        request_free(requests->list[i]);
    free(requests->list);
    *requests = (struct requests){0};
}

/* Each part with its length, so that no two questions give the same bytes. */
static void digest_part(crypto_generichash_state *state, const void *bytes, size_t size)
{
    uint64_t length = size;
    crypto_generichash_update(state, (const unsigned char *)&length, sizeof(length));
    crypto_generichash_update(state, bytes, size);
}

static uint16_t digest(const struct request *request)
{
    crypto_generichash_state state;
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    const char *const parts[] = {request_class_name(request->class), request->kind, request->title,
                                 request->detail, request->subject};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        digest_part(&state, parts[i], strlen(parts[i]));
    crypto_generichash_final(&state, hash, sizeof(hash));
    return (uint16_t)(hash[0] << 8 | hash[1]);
}

/* Cleaned. What is beyond the limit is left out, and that is said. */
static char *copy_within(const char *text, size_t size, size_t limit, bool lines, bool *cut)
{
    char *copy = text_clean_copy(text, size, size * 3, lines);
    if (!copy || strlen(copy) <= limit)
        return copy;
    *cut = true;
    limit -= strlen(CUT);
    while (((unsigned char)copy[limit] & 0xc0) == 0x80)
        limit--;
    strcpy(copy + limit, CUT);
    return copy;
}

static struct request *request_make(const struct request_text *text)
{
    struct request *request = calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    request->class = text->class;
    request->about = text->about;
    request->risk = text->risk;
    request->kind = text_clean_copy(text->kind, text->kind_size, BJ_ASK_KIND_MAX * 3, false);
    request->title =
        copy_within(text->title, text->title_size, BJ_ASK_TITLE_MAX * 3, false, &request->cut);
    request->detail =
        copy_within(text->detail, text->detail_size, BJ_ASK_DETAIL_MAX, true, &request->cut);
    request->subject = strdup(text->subject ? text->subject : "");
    request->why = strdup(text->why ? text->why : "");
    request->where = strdup(text->where ? text->where : "");
    if (!request->kind || !request->title || !request->detail || !request->subject ||
        !request->why || !request->where) {
        request_free(request);
        return NULL;
    }
    return request;
}

static bool same_question(const struct request *one, const struct request *other)
{
    return one->class == other->class && strcmp(one->kind, other->kind) == 0 &&
           strcmp(one->title, other->title) == 0 && strcmp(one->detail, other->detail) == 0 &&
           strcmp(one->subject, other->subject) == 0;
}

static int join(struct requests *requests, struct request *request, const struct asker *asker)
{
    if (request->count == request->room) {
        size_t room = request->room ? request->room * 2 : 1;
        struct asker *grown = realloc(request->askers, room * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        request->askers = grown;
        request->room = room;
    }
    request->askers[request->count++] = *asker;
    requests->askers++;
    return 0;
}

static int add(struct requests *requests, struct request *request, const struct asker *asker)
{
    struct request **grown = realloc(requests->list, (requests->count + 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    requests->list = grown;
    if (join(requests, request, asker) < 0)
        return -ENOMEM;
    size_t at = requests->count++;
    for (; at > 0 && requests->list[at - 1]->created > request->created; at--)
        requests->list[at] = requests->list[at - 1];
    requests->list[at] = request;
    snprintf(request->id, sizeof(request->id), "r%" PRIu64 "-%04x", ++requests->next_number,
             digest(request));
    return 1;
}

int request_open(struct requests *requests, const struct request_text *text,
                 const struct asker *asker, double created, struct request **out,
                 struct bj_error *error)
{
    size_t index;
    struct request *request = request_make(text);
    *out = NULL;
    if (!request)
        return bj_fail(error, -ENOMEM, "out of memory");
    struct request *old =
        request_of(requests, asker->sandbox_id, asker->source, asker->number, &index);
    if (old && same_question(old, request)) {
        request_free(request);
        *out = old;
        return 0;
    }
    struct request *open = NULL;
    for (size_t i = 0; i < requests->count && !open; i++)
        if (!requests->list[i]->answered && same_question(requests->list[i], request))
            open = requests->list[i];
    int status;
    if (!open && request_count(requests, asker->sandbox_id) >= REQUESTS_OF_ONE) {
        status = bj_fail(error, -EAGAIN, "%u requests of this sandbox are open already",
                         REQUESTS_OF_ONE);
    } else if (requests->askers >= ASKERS_MAX || (!open && requests->count >= REQUESTS_MAX)) {
        status = bj_fail(error, -EAGAIN, "%zu requests are open already", requests->count);
    } else if (open) {
        status = join(requests, open, asker);
        open->created = created < open->created ? created : open->created;
    } else {
        request->created = created;
        memcpy(request->first_asker, asker->sandbox_id, sizeof(request->first_asker));
        status = add(requests, request, asker);
    }
    if (status == -ENOMEM)
        bj_fail(error, -ENOMEM, "out of memory");
    if (status != 1)
        request_free(request);
    if (status >= 0)
        *out = open ? open : request;
    return status;
}

struct request *request_find(const struct requests *requests, const char *id)
{
    for (size_t i = 0; i < requests->count; i++)
        if (strcmp(requests->list[i]->id, id) == 0)
            return requests->list[i];
    return NULL;
}

struct request *request_of(const struct requests *requests, const char *sandbox_id,
                           enum request_source source, uint64_t number, size_t *index)
{
    for (size_t i = 0; i < requests->count; i++)
        for (size_t k = 0; k < requests->list[i]->count; k++) {
            const struct asker *asker = &requests->list[i]->askers[k];
            if (asker->number == number && asker->source == source &&
                strcmp(asker->sandbox_id, sandbox_id) == 0) {
                *index = k;
                return requests->list[i];
            }
        }
    return NULL;
}

bool request_has(const struct request *request, const char *sandbox_id)
{
    for (size_t i = 0; i < request->count; i++)
        if (strcmp(request->askers[i].sandbox_id, sandbox_id) == 0)
            return true;
    return false;
}

size_t request_count(const struct requests *requests, const char *sandbox_id)
{
    size_t count = 0;
    for (size_t i = 0; i < requests->count; i++)
        count += request_has(requests->list[i], sandbox_id);
    return count;
}

double request_oldest(const struct requests *requests, const char *sandbox_id)
{
    double oldest = 0;
    for (size_t i = 0; i < requests->count; i++)
        if (request_has(requests->list[i], sandbox_id) &&
            (oldest == 0 || requests->list[i]->created < oldest))
            oldest = requests->list[i]->created;
    return oldest;
}

size_t request_sandboxes(const struct request *request)
{
    size_t count = 0;
    for (size_t i = 0; i < request->count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(request->askers[k].sandbox_id, request->askers[i].sandbox_id) == 0;
        count += !seen;
    }
    return count;
}

void request_leave(struct requests *requests, struct request *request, size_t index)
{
    memmove(&request->askers[index], &request->askers[index + 1],
            (request->count - index - 1) * sizeof(*request->askers));
    request->count--;
    requests->askers--;
}

void request_shown(struct request *request, uint64_t now)
{
    if (!request->shown)
        request->shown = now ? now : 1;
}

static int explain_missing(const struct requests *requests, const char *id, struct bj_error *error)
{
    for (size_t i = 0; i < sizeof(requests->past) / sizeof(*requests->past); i++) {
        if (strcmp(requests->past[i].id, id) != 0 || !id[0])
            continue;
        if (strcmp(requests->past[i].outcome, "gone") == 0)
            return bj_fail(error, -ENOENT, "request %s is gone: nobody waits for it any more", id);
        return bj_fail(error, -EALREADY, "request %s was answered already: %s", id,
                       requests->past[i].outcome);
    }
    return bj_fail(error, -ENOENT, "no request %s is open: 'belljar requests' lists those that are",
                   id);
}

int request_resolve(struct requests *requests, const char *id, uint64_t now, struct request **out,
                    struct bj_error *error)
{
    struct request *request = request_find(requests, id);
    *out = NULL;
    if (!request)
        return explain_missing(requests, id, error);
    if (request->answered)
        return bj_fail(error, -EALREADY, "request %s was answered already", id);
    if (!request->shown)
        return bj_fail(error, -EAGAIN,
                       "request %s has not been shown to anyone yet: look at it first", id);
    if (now < request->shown + REQUEST_SHOWN_MS)
        return bj_fail(error, -EAGAIN,
                       "request %s has been on screen for less than %u ms: look at it, then "
                       "answer again",
                       id, REQUEST_SHOWN_MS);
    request->answered = true;
    *out = request;
    return 0;
}

void request_close(struct requests *requests, struct request *request, const char *outcome)
{
    for (size_t i = 0; i < requests->count; i++) {
        if (requests->list[i] != request)
            continue;
        memmove(&requests->list[i], &requests->list[i + 1],
                (requests->count - i - 1) * sizeof(*requests->list));
        requests->count--;
        break;
    }
    size_t at = requests->past_next++ % (sizeof(requests->past) / sizeof(*requests->past));
    snprintf(requests->past[at].id, sizeof(requests->past[at].id), "%s", request->id);
    snprintf(requests->past[at].outcome, sizeof(requests->past[at].outcome), "%s", outcome);
    requests->askers -= request->count;
    request_free(request);
}
