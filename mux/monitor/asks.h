/*
 * Questions from inside that wait for a verdict. No text in them is believed; what is kept here is
 * fit to be shown (sanitize.h). Bounded in number. A flood waits: the server, and with it the
 * policy, hears of BURST at once and of PER_SECOND a second after that (asks.c), in the order of
 * their channels; none is dropped, and none is decided by having come too fast.
 *
 * An answered ask is remembered until its place is needed: when the link broke before the shim
 * heard the answer, it asks again on the next connection and hears it then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/monitor/alerts.h"
#include "transport/error.h"
#include "transport/message.h"

enum ask_state {
    ASK_FREE,
    ASK_HELD, /* its turn to be told to the server has not come yet */
    ASK_OPEN, /* the server knows of it, or will when there is one */
    ASK_ANSWERED,
};

struct ask {
    enum ask_state state;
    uint32_t channel;
    uint32_t connection; /* on which it was last asked, or answered */
    uint64_t began;      /* the loop's milliseconds */
    char kind[BJ_ASK_KIND_MAX + 1];
    char *title;
    char *detail;
    size_t detail_size;
    enum bj_answer answer;
    char reason[BJ_REASON_MAX + 1];
};

#define ASKS_KEPT (2 * BJ_ASKS_MAX)

struct asks {
    struct ask *list[ASKS_KEPT];
    struct bucket bucket;
    char note[BJ_REASON_MAX + 1]; /* for whoever tells of a tool's end next; "": nothing */
    unsigned older; /* that many may have been open before this monitor: they are not too many */
};

enum ask_outcome {
    ASK_NEW,    /* tell the server */
    ASK_WAITS,  /* asks_due() gives it back when its turn has come */
    ASK_KNOWN,  /* the same as before, nothing to do */
    ASK_REPLY,  /* answered before: say it again */
    ASK_REFUSE, /* too many, which only a shim that keeps to no limit asks, or no memory: "pass" */
    ASK_TOLD,   /* a hook told something: answer "pass", see *told */
};

/* What an agent's hook told that asks nothing (dialect.h), cleaned. */
struct ask_told {
    /* "working", "waiting", "done"; "" nothing new; NULL: it was not understood, `text` says why */
    const char *state;
    char text[160];
    bool tool_ended; /* who is told what asks_take_note() gives */
};

/* An ASK came. Returns an outcome, or -EPROTO when its text is another than before on its channel.
 */
int asks_take(struct asks *asks, const struct bj_message *message, uint32_t connection,
              uint64_t now_ms, struct ask **ask, struct ask_told *told, struct bj_error *error);

/* The next held ask whose turn has come, which is open then; NULL: none has. */
struct ask *asks_due(struct asks *asks, uint64_t now_ms);
/* Milliseconds until it is worth asking for it again; 0: nothing is held. */
uint64_t asks_pause(const struct asks *asks);

/* The open ask of a channel, or NULL; one that is held is not open yet. */
struct ask *asks_find(struct asks *asks, uint32_t channel);

/* Whether the channel is an ask's, held, open or answered. */
bool asks_known(struct asks *asks, uint32_t channel);

void asks_answer(struct ask *ask, enum bj_answer answer, const char *reason, uint32_t connection);
/* What the agent shall be told behind its next tool; what is there already stays before it, while
 * there is room for both. asks_take_note() moves it to `out`. */
void asks_add_note(struct asks *asks, const char *text);
void asks_take_note(struct asks *asks, char out[BJ_REASON_MAX + 1]);
void asks_remove(struct asks *asks, uint32_t channel);

/* A held or open ask that was not asked again on this connection, or NULL. */
struct ask *asks_unconfirmed(struct asks *asks, uint32_t connection);

void asks_free(struct asks *asks);
