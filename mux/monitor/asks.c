#include "mux/monitor/asks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/monitor/sanitize.h"

#define BURST      20.0
#define PER_SECOND 5.0

static void ask_free(struct ask *ask)
{
    if (ask)
        free(ask->detail);
    free(ask);
}

static struct ask *ask_new(const struct bj_message *message, uint32_t connection)
{
    struct ask *ask = calloc(1, sizeof(*ask));
    const struct bj_field *kind = &message->field[BJ_ASK_KIND];
    const struct bj_field *title = &message->field[BJ_ASK_TITLE];
    const struct bj_field *detail = &message->field[BJ_ASK_DETAIL];
    if (ask)
        ask->detail = malloc(detail->size ? detail->size : 1);
    if (!ask || !ask->detail) {
        ask_free(ask);
        return NULL;
    }
    ask->state = ASK_OPEN;
    ask->channel = message->channel;
    ask->connection = connection;
    sanitize_line(ask->kind, sizeof(ask->kind), kind->data, kind->size);
    sanitize_line(ask->title, sizeof(ask->title), title->data, title->size);
    ask->detail_size = sanitize_block(ask->detail, detail->size, detail->data, detail->size);
    return ask;
}

static bool same_text(const struct ask *a, const struct ask *b)
{
    return strcmp(a->kind, b->kind) == 0 && strcmp(a->title, b->title) == 0 &&
           a->detail_size == b->detail_size && memcmp(a->detail, b->detail, a->detail_size) == 0;
}

static struct ask **slot_of(struct asks *asks, uint32_t channel)
{
    for (size_t i = 0; i < ASKS_KEPT; i++)
        if (asks->list[i] && asks->list[i]->channel == channel)
            return &asks->list[i];
    return NULL;
}

/* A place for a new ask: a free one, else that of the answered ask with the lowest channel. */
static struct ask **free_slot(struct asks *asks)
{
    size_t open = 0;
    struct ask **oldest = NULL;
    for (size_t i = 0; i < ASKS_KEPT; i++)
        open += asks->list[i] && asks->list[i]->state == ASK_OPEN;
    if (open >= BJ_ASKS_MAX)
        return NULL;
    for (size_t i = 0; i < ASKS_KEPT; i++) {
        if (!asks->list[i])
            return &asks->list[i];
        if (asks->list[i]->state == ASK_ANSWERED &&
            (!oldest || asks->list[i]->channel < (*oldest)->channel))
            oldest = &asks->list[i];
    }
    if (oldest) {
        ask_free(*oldest);
        *oldest = NULL;
    }
    return oldest;
}

static int take_again(struct ask *known, const struct ask *fresh, uint32_t connection,
                      struct bj_error *error)
{
    bool again = known->connection != connection;
    if (!same_text(known, fresh))
        return bj_fail(error, -EPROTO, "ASK on channel %u with another text", known->channel);
    if (!again)
        return bj_fail(error, -EPROTO, "ASK on channel %u a second time", known->channel);
    known->connection = connection;
    return known->state == ASK_OPEN ? ASK_KNOWN : ASK_REPLY;
}

int asks_take(struct asks *asks, const struct bj_message *message, uint32_t connection,
              uint64_t now_ms, struct ask **ask, struct bj_error *error)
{
    struct ask *fresh = ask_new(message, connection);
    struct ask **known = slot_of(asks, message->channel);
    *ask = NULL;
    if (!fresh)
        return ASK_REFUSE;
    if (known) {
        int status = take_again(*known, fresh, connection, error);
        *ask = *known;
        ask_free(fresh);
        return status;
    }
    struct ask **slot =
        bucket_take(&asks->bucket, BURST, PER_SECOND, now_ms) ? free_slot(asks) : NULL;
    if (!slot) {
        ask_free(fresh);
        return ASK_REFUSE;
    }
    *ask = *slot = fresh;
    return ASK_NEW;
}

struct ask *asks_find(struct asks *asks, uint32_t channel)
{
    struct ask **slot = slot_of(asks, channel);
    return slot && (*slot)->state == ASK_OPEN ? *slot : NULL;
}

bool asks_known(struct asks *asks, uint32_t channel)
{
    return slot_of(asks, channel) != NULL;
}

void asks_answer(struct ask *ask, enum bj_answer answer, const char *reason, uint32_t connection)
{
    ask->state = ASK_ANSWERED;
    ask->answer = answer;
    ask->connection = connection;
    snprintf(ask->reason, sizeof(ask->reason), "%s", reason);
}

void asks_remove(struct asks *asks, uint32_t channel)
{
    struct ask **slot = slot_of(asks, channel);
    if (slot) {
        ask_free(*slot);
        *slot = NULL;
    }
}

struct ask *asks_unconfirmed(struct asks *asks, uint32_t connection)
{
    for (size_t i = 0; i < ASKS_KEPT; i++)
        if (asks->list[i] && asks->list[i]->state == ASK_OPEN &&
            asks->list[i]->connection != connection)
            return asks->list[i];
    return NULL;
}

void asks_free(struct asks *asks)
{
    for (size_t i = 0; i < ASKS_KEPT; i++) {
        ask_free(asks->list[i]);
        asks->list[i] = NULL;
    }
}
