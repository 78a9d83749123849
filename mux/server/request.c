#include "mux/server/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "mux/server/text.h"
#include "transport/message.h"

static void request_free(struct request *request)
{
    if (!request)
        return;
    free(request->kind);
    free(request->title);
    free(request->detail);
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

static uint16_t digest(const char *sandbox_id, uint32_t channel, const struct request_text *text)
{
    crypto_generichash_state state;
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    digest_part(&state, sandbox_id, strlen(sandbox_id));
    digest_part(&state, &channel, sizeof(channel));
    digest_part(&state, text->kind, text->kind_size);
    digest_part(&state, text->title, text->title_size);
    digest_part(&state, text->detail, text->detail_size);
    crypto_generichash_final(&state, hash, sizeof(hash));
    return (uint16_t)(hash[0] << 8 | hash[1]);
}

static struct request *request_make(const char *sandbox_id, uint32_t channel,
                                    const struct request_text *text)
{
    struct request *request = calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    snprintf(request->sandbox_id, sizeof(request->sandbox_id), "%s", sandbox_id);
    request->channel = channel;
    request->kind = text_clean_copy(text->kind, text->kind_size, BJ_ASK_KIND_MAX * 3, false);
    request->title = text_clean_copy(text->title, text->title_size, BJ_ASK_TITLE_MAX * 3, false);
    request->detail = text_clean_copy(text->detail, text->detail_size, BJ_ASK_DETAIL_MAX, true);
    if (!request->kind || !request->title || !request->detail) {
        request_free(request);
        return NULL;
    }
    return request;
}

int request_open(struct requests *requests, const char *sandbox_id, uint32_t channel,
                 const struct request_text *text, double created, struct request **out,
                 struct bj_error *error)
{
    uint16_t sum = digest(sandbox_id, channel, text);
    struct request *old = request_on(requests, sandbox_id, channel);
    *out = old;
    if (old) {
        char tail[8];
        snprintf(tail, sizeof(tail), "-%04x", sum);
        if (strcmp(strchr(old->id, '-'), tail) == 0)
            return 0;
        *out = NULL;
        request_close(requests, old, "gone");
    }
    if (requests->count >= REQUESTS_MAX)
        return bj_fail(error, -EAGAIN, "%d requests are open already", REQUESTS_MAX);
    struct request *request = request_make(sandbox_id, channel, text);
    struct request **grown =
        request ? realloc(requests->list, (requests->count + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        request_free(request);
        return bj_fail(error, -ENOMEM, "out of memory");
    }
    requests->list = grown;
    requests->list[requests->count++] = request;
    request->created = created;
    snprintf(request->id, sizeof(request->id), "r%" PRIu64 "-%04x", ++requests->next_number, sum);
    *out = request;
    return 0;
}

struct request *request_find(const struct requests *requests, const char *id)
{
    for (size_t i = 0; i < requests->count; i++)
        if (strcmp(requests->list[i]->id, id) == 0)
            return requests->list[i];
    return NULL;
}

struct request *request_on(const struct requests *requests, const char *sandbox_id,
                           uint32_t channel)
{
    for (size_t i = 0; i < requests->count; i++)
        if (requests->list[i]->channel == channel &&
            strcmp(requests->list[i]->sandbox_id, sandbox_id) == 0)
            return requests->list[i];
    return NULL;
}

size_t request_count(const struct requests *requests, const char *sandbox_id)
{
    size_t count = 0;
    for (size_t i = 0; i < requests->count; i++)
        count += strcmp(requests->list[i]->sandbox_id, sandbox_id) == 0;
    return count;
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
    if (request->waiting)
        return bj_fail(error, -EALREADY, "request %s was answered already", id);
    if (!request->shown)
        return bj_fail(error, -EAGAIN,
                       "request %s has not been shown to anyone yet: look at it first", id);
    if (now < request->shown + REQUEST_SHOWN_MS)
        return bj_fail(error, -EAGAIN,
                       "request %s has been on screen for less than %u ms: look at it, then "
                       "answer again",
                       id, REQUEST_SHOWN_MS);
    request->waiting = true;
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
    request_free(request);
}
