#include "mux/egress/decision.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/pack.h"

#define DECISIONS_MAX (2 * BJ_STREAMS_MAX) /* with those that nobody waits for any more */

struct decision {
    struct decision *next;
    struct decisions *set;
    struct host host;
    uint16_t port;
    char protocol[16];
    uint64_t began; /* the loop's milliseconds */
    bool asked;     /* a reply is awaited */
    bool answered;  /* the verdict is there; nobody joins any more */
    char wait_id[DECISION_WAIT_ID_MAX + 1];
    struct verdict verdict;
    struct resolve resolve;
    struct decision_wait *waits;
};

static void decision_free(struct decision *decision)
{
    struct decision **at = &decision->set->list;
    while (*at != decision)
        at = &(*at)->next;
    *at = decision->next;
    decision->set->count--;
    free(decision);
}

/* Gone once nobody waits and no callback is to come. */
static void decision_release(struct decision *decision)
{
    if (!decision->waits && !decision->asked && !decision->answered)
        decision_free(decision);
}

static void deliver(struct decision *decision, const struct addresses *addresses,
                    const struct bj_error *error)
{
    while (decision->waits) {
        struct decision_wait *wait = decision->waits;
        decision->waits = wait->next;
        wait->decision = NULL;
        wait->done(wait, &decision->verdict, addresses, error);
    }
    decision_free(decision);
}

static void on_resolved(struct resolve *resolve, const struct bj_error *error)
{
    struct decision *decision =
        (struct decision *)((char *)resolve - offsetof(struct decision, resolve));
    deliver(decision, error ? NULL : &resolve->addresses, error);
}

/* "allow" or "deny" came, as a reply or later. Anything else is no verdict. */
static void decide(struct decision *decision, const msgpack_object *map, bool allow)
{
    decision->answered = true;
    decision->verdict.allow = allow;
    bj_get_copy(map, "reason", decision->verdict.reason, sizeof(decision->verdict.reason));
    if (!allow) {
        deliver(decision, NULL, NULL);
        return;
    }
    if (!decision->waits) {
        decision_free(decision);
        return;
    }
    resolve_start(&decision->resolve, decision->set->loop, &decision->host, decision->port,
                  bj_get_bool(map, "addresses_allowed", false), on_resolved);
}

static void tell_gone(struct decision *decision)
{
    if (!decision->wait_id[0])
        return;
    msgpack_packer *packer = uplink_notify(decision->set->uplink, "egress.gone", 1);
    if (packer) {
        bj_pack_key_str(packer, "wait_id", decision->wait_id);
        bj_rpc_send(&decision->set->uplink->rpc);
    }
    decision->wait_id[0] = '\0';
}

static void on_reply(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                     void *argument)
{
    struct decision *decision = argument;
    decision->asked = false;
    const msgpack_object *answer = bj_get(result, "answer");
    if (answer && bj_is_str(answer, "allow")) {
        decide(decision, result, true);
    } else if (answer && bj_is_str(answer, "deny")) {
        decide(decision, result, false);
    } else if (answer && bj_is_str(answer, "wait")) {
        bj_get_copy(result, "wait_id", decision->wait_id, sizeof(decision->wait_id));
        if (!decision->waits)
            tell_gone(decision);
        decision_release(decision);
    } else if (error && !rpc->closing) {
        /* The server lives and would not say: nobody may pass. */
        decision->answered = true;
        struct bj_error why;
        bj_rpc_error_read(error, &why);
        memcpy(decision->verdict.reason, why.text, sizeof(why.text));
        deliver(decision, NULL, NULL);
    } else {
        decision_release(decision); /* the connection broke: asked again when it is back */
    }
}

static void ask(struct decision *decision)
{
    decision->wait_id[0] = '\0';
    struct uplink *uplink = decision->set->uplink;
    msgpack_packer *packer = uplink_request(uplink, "egress.decide", 5, on_reply, decision);
    if (!packer)
        return;
    decision->asked = true;
    bj_pack_key_str(packer, "host", decision->host.text);
    bj_pack_key_uint(packer, "port", decision->port);
    bj_pack_key_bool(packer, "address", host_is_address(&decision->host));
    bj_pack_key_str(packer, "protocol", decision->protocol);
    bj_pack_key_uint(packer, "waited", uv_now(decision->set->loop) - decision->began);
    bj_rpc_send(&uplink->rpc);
}

/* The broker's own upstream is allowed by its credential, a tunnel there is not. */
static bool same_question(const struct decision *decision, const struct host *host, uint16_t port,
                          const char *protocol)
{
    bool broker = strcmp(protocol, "credential") == 0;
    return decision->port == port && host_equal(&decision->host, host) &&
           (strcmp(decision->protocol, "credential") == 0) == broker;
}

int decision_ask(struct decisions *decisions, const struct host *host, uint16_t port,
                 const char *protocol, struct decision_wait *wait, decision_done *done)
{
    struct decision *decision = decisions->list;
    while (decision && (decision->answered || !same_question(decision, host, port, protocol)))
        decision = decision->next;
    bool first = !decision;
    if (first) {
        if (decisions->count >= DECISIONS_MAX)
            return -EBUSY;
        decision = calloc(1, sizeof(*decision));
        if (!decision)
            return -ENOMEM;
        decision->set = decisions;
        decision->host = *host;
        decision->port = port;
        decision->began = uv_now(decisions->loop);
        strncpy(decision->protocol, protocol, sizeof(decision->protocol) - 1);
        decision->next = decisions->list;
        decisions->list = decision;
        decisions->count++;
    }
    wait->decision = decision;
    wait->done = done;
    wait->next = decision->waits;
    decision->waits = wait;
    /* One that everybody left, but whose reply is still to come, is simply joined. */
    if (first)
        ask(decision);
    return 0;
}

void decision_forget(struct decision_wait *wait)
{
    struct decision *decision = wait->decision;
    if (!decision)
        return;
    wait->decision = NULL;
    struct decision_wait **at = &decision->waits;
    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
    if (!decision->waits && !decision->asked && !decision->answered)
        tell_gone(decision);
    decision_release(decision);
}

void decisions_came_up(struct decisions *decisions)
{
    struct decision *next;
    for (struct decision *decision = decisions->list; decision; decision = next) {
        next = decision->next;
        if (!decision->answered && !decision->asked)
            ask(decision);
    }
}

void decisions_verdict(struct decisions *decisions, const msgpack_object *params)
{
    char wait_id[DECISION_WAIT_ID_MAX + 1];
    bj_get_copy(params, "wait_id", wait_id, sizeof(wait_id));
    const msgpack_object *answer = bj_get(params, "answer");
    bool allow = answer && bj_is_str(answer, "allow");
    if (!wait_id[0] || (!allow && !(answer && bj_is_str(answer, "deny"))))
        return;
    /* The server may have given one id to several questions: one verdict for all. From the start
     * again after each, since a stream that ends may take other questions with it. */
    struct decision *decision = decisions->list;
    while (decision) {
        if (decision->answered || strcmp(decision->wait_id, wait_id) != 0) {
            decision = decision->next;
            continue;
        }
        decide(decision, params, allow);
        decision = decisions->list;
    }
}

void decisions_free(struct decisions *decisions)
{
    while (decisions->list)
        decision_free(decisions->list);
}
