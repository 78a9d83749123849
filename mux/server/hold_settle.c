#include "mux/server/hold_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/server/registry.h"
#include "mux/server/server.h"
#include "transport/message.h"

/* Tries all that no verdict is under way for; `one` says whether it has concluded its request. */
static void conclude_each(struct server *server, bool (*one)(struct server *, struct request *))
{
    size_t i = 0;
    while (i < server->requests.count) {
        struct request *request = server->requests.list[i];
        if (request->answered || !one(server, request))
            i++;
        else
            i = 0; /* the list has changed */
    }
}

/* --- by the policy, or a rule --- */

/* Which of those who wait the policy answers now, and how; all of one answer at a time. */
static enum policy_effect decide_askers(struct server *server, const struct request *request,
                                        bool *meant, struct policy_decision *first)
{
    enum policy_effect effect = POLICY_ASK;
    for (size_t i = 0; i < request->count; i++) {
        struct policy_decision decision;
        struct sandbox *sandbox = registry_find_id(server, request->askers[i].sandbox_id);
        meant[i] = false;
        if (!sandbox)
            continue;
        guard_decide(sandbox, (enum policy_kind)request->about, request->subject,
                     strlen(request->subject), &decision);
        if (decision.effect == POLICY_ASK || (effect != POLICY_ASK && decision.effect != effect))
            continue;
        if (effect == POLICY_ASK)
            *first = decision;
        effect = decision.effect;
        meant[i] = true;
    }
    return effect;
}

/* Delivers what is on record, else drops it; takes over `answer` and `meant`. */
static void conclude(struct request *request, struct answer *answer, bool *meant, bool done)
{
    if (done) {
        request->answered = true;
        hold_deliver(answer, request, meant);
    } else {
        hold_answer_free(answer);
    }
    free(meant);
}

static bool settle_one(struct server *server, struct request *request)
{
    struct policy_decision decision;
    char reason[GUARD_REASON_MAX];
    struct bj_error error = {0};
    if (request->about < 0)
        return false; /* no policy is about it */
    bool *meant = calloc(request->count, sizeof(*meant));
    enum policy_effect effect =
        meant ? decide_askers(server, request, meant, &decision) : POLICY_ASK;
    if (effect != POLICY_ASK)
        guard_reason(&decision, reason);
    struct answer *answer =
        effect == POLICY_ASK
            ? NULL
            : hold_answer_new(server, request, effect == POLICY_ALLOW, "rule", reason);
    bool done =
        answer && hold_commit(server, request, meant, effect, decision.rule ? "rule" : "policy",
                              decision.where, &error) == 0;
    conclude(request, answer, meant, done);
    return done;
}

void hold_settle(struct server *server)
{
    conclude_each(server, settle_one);
}

/* --- what nobody answers --- */

uint64_t hold_wait(const struct sandbox *sandbox)
{
    const struct policy_value *wait = &sandbox->guard.policy.limits[POLICY_LIMIT_WAIT];
    const uint64_t most = BJ_ASK_WAIT_MAX * UINT64_C(1000);
    return wait->set && wait->value && wait->value < most ? wait->value : most;
}

static void say_wait(char *out, size_t size, uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *name;
    } units[] = {{3600000, "hours"}, {60000, "minutes"}, {1000, "seconds"}};
    size_t i = 0;
    while (i < 2 && ms < units[i].ms)
        i++;
    snprintf(out, size, "nobody answered within %.3g %s: ask again when somebody is there",
             (double)ms / (double)units[i].ms, units[i].name);
}

/* Which of those who wait have done so for too long; *longest is the time of one of them. */
static bool who_is_late(struct server *server, const struct request *request, bool *meant,
                        uint64_t *longest)
{
    bool any = false;
    int64_t now = (int64_t)server_clock();
    for (size_t i = 0; i < request->count; i++) {
        const struct asker *asker = &request->askers[i];
        const struct sandbox *sandbox = registry_find_id(server, asker->sandbox_id);
        uint64_t wait = sandbox ? hold_wait(sandbox) : 0;
        meant[i] = sandbox && asker->source != ASKER_PROPOSAL && now - asker->began > (int64_t)wait;
        if (meant[i])
            *longest = wait;
        any |= meant[i];
    }
    return any;
}

/* False: nobody there is late, or it cannot be put on record now, for which there is a next time.
 */
static bool expire_one(struct server *server, struct request *request)
{
    uint64_t longest = 0;
    char reason[128];
    bool *meant = calloc(request->count, sizeof(*meant));
    struct answer *answer = NULL;
    if (meant && who_is_late(server, request, meant, &longest)) {
        say_wait(reason, sizeof(reason), longest);
        answer = hold_answer_new(server, request, false, "timeout", reason);
    }
    bool done =
        answer && hold_commit(server, request, meant, POLICY_DENY, "expired", "limits", NULL) == 0;
    conclude(request, answer, meant, done);
    return done;
}

void hold_expire(struct server *server)
{
    conclude_each(server, expire_one);
}
