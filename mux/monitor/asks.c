#include "mux/monitor/asks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/monitor/dialect.h"
#include "mux/monitor/sanitize.h"

#define BURST      20.0
#define PER_SECOND 5.0

static bool is_waiting(const struct ask *ask)
{
    return ask && (ask->state == ASK_OPEN || ask->state == ASK_HELD);
}

static void ask_free(struct ask *ask)
{
    if (ask) {
        free(ask->title);
        free(ask->detail);
    }
    free(ask);
}

/* In an agent's own words. Line ends in the title stay: to a policy they are what joins commands.
 * False: it asks nothing, see *told. */
static bool take_hook(struct ask *ask, const char *name, const struct bj_field *payload,
                      struct ask_told *told)
{
    struct dialect_reading reading;
    dialect_read(&reading, name, payload->data, payload->size);
    bool asks = reading.outcome == DIALECT_ASKS;
    if (asks) {
        size_t size = strlen(reading.detail);
        snprintf(ask->kind, sizeof(ask->kind), "exec");
        ask->title = malloc(reading.title_size + 1);
        ask->detail = malloc(size + 1);
        if (ask->title)
            ask->title[sanitize_block(ask->title, reading.title_size, reading.title,
                                      reading.title_size)] = '\0';
        if (ask->detail)
            ask->detail_size = sanitize_block(ask->detail, size, reading.detail, size);
    } else {
        bool tells = reading.outcome == DIALECT_TELLS;
        const char *text = tells ? reading.text : reading.why;
        told->state = !tells ? NULL : reading.state ? reading.state : "";
        told->tool_ended = tells && reading.tool_ended;
        sanitize_line(told->text, sizeof(told->text), text, strlen(text));
    }
    dialect_free(&reading);
    return asks;
}

/* As of a hook: line ends in the title stay. */
static void take_plain(struct ask *ask, const struct bj_message *message)
{
    const struct bj_field *title = &message->field[BJ_ASK_TITLE];
    const struct bj_field *detail = &message->field[BJ_ASK_DETAIL];
    ask->title = malloc(BJ_ASK_TITLE_MAX + 1);
    ask->detail = malloc(detail->size ? detail->size : 1);
    if (ask->title)
        ask->title[sanitize_block(ask->title, BJ_ASK_TITLE_MAX, title->data, title->size)] = '\0';
    if (ask->detail)
        ask->detail_size = sanitize_block(ask->detail, detail->size, detail->data, detail->size);
}

/* NULL: out of memory, or *tells. */
static struct ask *ask_new(const struct bj_message *message, uint32_t connection, bool *tells,
                           struct ask_told *told)
{
    static const char hook[] = BJ_ASK_HOOK;
    struct ask *ask = calloc(1, sizeof(*ask));
    const struct bj_field *kind = &message->field[BJ_ASK_KIND];
    *tells = false;
    if (!ask)
        return NULL;
    ask->channel = message->channel;
    ask->connection = connection;
    sanitize_line(ask->kind, sizeof(ask->kind), kind->data, kind->size);
    if (strncmp(ask->kind, hook, sizeof(hook) - 1) == 0)
        *tells =
            !take_hook(ask, ask->kind + sizeof(hook) - 1, &message->field[BJ_ASK_DETAIL], told);
    else
        take_plain(ask, message);
    if (*tells || !ask->title || !ask->detail) {
        ask_free(ask);
        return NULL;
    }
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
        open += is_waiting(asks->list[i]);
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
    return known->state == ASK_ANSWERED ? ASK_REPLY : ASK_KNOWN;
}

/* The first in the order of channels, which is that in which the shim was asked. */
static struct ask *first_held(const struct asks *asks)
{
    struct ask *first = NULL;
    for (size_t i = 0; i < ASKS_KEPT; i++)
        if (asks->list[i] && asks->list[i]->state == ASK_HELD &&
            (!first || asks->list[i]->channel < first->channel))
            first = asks->list[i];
    return first;
}

struct ask *asks_due(struct asks *asks, uint64_t now_ms)
{
    struct ask *ask = first_held(asks);
    if (!ask || !bucket_take(&asks->bucket, BURST, PER_SECOND, now_ms))
        return NULL;
    ask->state = ASK_OPEN;
    return ask;
}

uint64_t asks_pause(const struct asks *asks)
{
    double missing = asks->bucket.tokens < 1.0 ? 1.0 - asks->bucket.tokens : 0.0;
    return first_held(asks) ? 1 + (uint64_t)(missing * 1000.0 / PER_SECOND) : 0;
}

int asks_take(struct asks *asks, const struct bj_message *message, uint32_t connection,
              uint64_t now_ms, struct ask **ask, struct ask_told *told, struct bj_error *error)
{
    bool tells;
    struct ask **known = slot_of(asks, message->channel);
    *ask = NULL;
    *told = (struct ask_told){0};
    struct ask *fresh = ask_new(message, connection, &tells, told);
    if (!fresh && known)
        return bj_fail(error, -EPROTO, "ASK on channel %u with another text", message->channel);
    if (!fresh)
        return tells ? ASK_TOLD : ASK_REFUSE;
    if (known) {
        int status = take_again(*known, fresh, connection, error);
        *ask = *known;
        ask_free(fresh);
        return status;
    }
    struct ask **slot = free_slot(asks);
    if (!slot) {
        ask_free(fresh);
        return ASK_REFUSE;
    }
    bool turn = !first_held(asks) &&
                (asks->older > 0 || bucket_take(&asks->bucket, BURST, PER_SECOND, now_ms));
    asks->older -= asks->older > 0;
    fresh->began = now_ms;
    fresh->state = turn ? ASK_OPEN : ASK_HELD;
    *ask = *slot = fresh;
    return turn ? ASK_NEW : ASK_WAITS;
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

void asks_add_note(struct asks *asks, const char *text)
{
    char clean[sizeof(asks->note)];
    size_t used = strlen(asks->note),
           size = sanitize_line(clean, sizeof(clean), text, strlen(text));
    if (strstr(asks->note, clean) || used + (used > 0) + size >= sizeof(asks->note))
        return;
    snprintf(asks->note + used, sizeof(asks->note) - used, "%s%s", used ? "\n" : "", clean);
}

void asks_take_note(struct asks *asks, char out[BJ_REASON_MAX + 1])
{
    memcpy(out, asks->note, sizeof(asks->note));
    asks->note[0] = '\0';
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
        if (is_waiting(asks->list[i]) && asks->list[i]->connection != connection)
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
