#include "mux/server/hold_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/server/egress.h"
#include "mux/server/log.h"
#include "mux/server/monitor.h"
#include "mux/server/registry.h"
#include "mux/server/rule.h"
#include "mux/server/server.h"
#include "transport/message.h"
#include "transport/pack.h"

/* One verdict on its way to all who wait. */
struct answer {
    struct server *server;
    struct call *call; /* NULL: a rule answered */
    char id[REQUEST_ID_SIZE];
    bool allow;
    char by[CLIENT_LABEL_MAX];
    char reason[BJ_REASON_MAX + 1];
    char sandbox[NAME_SIZE]; /* the first of those who waited */
    uint64_t rule;
    char *sentence, *title;
    struct asker *told; /* room for all who wait */
    unsigned pending, delivered;
    struct bj_error why;
};

void hold_answer_free(struct answer *answer)
{
    if (answer) {
        free(answer->sentence);
        free(answer->title);
        free(answer->told);
    }
    free(answer);
}

static void reply(struct answer *answer)
{
    if (!answer->call)
        return;
    if (answer->delivered == 0) {
        struct bj_error why = answer->why;
        if (!why.code)
            bj_fail(&why, -ENOENT, "nobody waits any more");
        bj_fail_prefix(&why, "the verdict was not delivered");
        call_fail(answer->call, &why);
        return;
    }
    msgpack_packer *packer = call_result(answer->call);
    if (packer) {
        msgpack_pack_map(packer, 5);
        bj_pack_key_str(packer, "sandbox", answer->sandbox);
        bj_pack_key_str(packer, "title", answer->title ? answer->title : "");
        bj_pack_key_uint(packer, "count", answer->delivered);
        bj_pack_key_uint(packer, "rule", answer->rule);
        bj_pack_key_str(packer, "sentence", answer->sentence ? answer->sentence : "");
    }
    call_done(answer->call);
}

static void finish(struct answer *answer)
{
    struct server *server = answer->server;
    struct request *request = request_find(&server->requests, answer->id);
    const char *outcome = answer->delivered == 0 ? "gone" : answer->allow ? "allow" : "deny";
    log_line("request %s: %s by %s, %u told%s%s", answer->id, outcome, answer->by,
             answer->delivered, answer->why.code ? ", not delivered to all: " : "",
             answer->why.text);
    reply(answer);
    if (request && request->count > 0) { /* they joined too late to be meant */
        request->answered = false;
        clients_send_request(server, request);
    } else if (request) {
        hold_close(server, request, outcome, answer->by);
    }
    hold_answer_free(answer);
}

static void settled(struct answer *answer, const struct bj_error *error)
{
    if (error)
        answer->why = *error;
    else
        answer->delivered++;
    if (--answer->pending == 0)
        finish(answer);
}

static void on_delivered(void *argument, const struct bj_error *error)
{
    settled(argument, error);
}

/* curl and git print the code of a proxy's refusal, but not its reason. */
static void note_reason(struct sandbox *sandbox, const struct answer *answer, const char *subject)
{
    char text[BJ_REASON_MAX + 1];
    if (answer->allow || !answer->reason[0])
        return;
    snprintf(text, sizeof(text), "Belljar: the connection to %.200s was denied: %.700s", subject,
             answer->reason);
    monitor_note(sandbox, text);
}

/* Tells one who waited; settled() follows, now or later. */
static void deliver(struct answer *answer, const struct request *request, const struct asker *asker)
{
    struct bj_error error = {0};
    struct sandbox *sandbox = registry_find_id(answer->server, asker->sandbox_id);
    int status = sandbox ? 0 : bj_fail(&error, -ENOENT, "the sandbox is gone");
    answer->pending++;
    if (sandbox)
        sandbox_touch(sandbox);
    if (status == 0 && asker->source == ASKER_HOOK) {
        status = monitor_verdict(sandbox, (uint32_t)asker->number, answer->allow, answer->reason,
                                 on_delivered, answer, &error);
        if (status == 0)
            return;
    } else if (status == 0 && asker->source == ASKER_EGRESS) {
        status =
            egress_verdict(sandbox, asker->number, answer->allow, answer->call && !answer->rule,
                           answer->reason, request->subject, &error);
        note_reason(sandbox, answer, request->subject);
    } else if (status == 0) {
        status = guard_accept(sandbox, request->subject, answer->allow, &error);
    }
    settled(answer, status < 0 ? &error : NULL);
}

struct answer *hold_answer_new(struct server *server, struct request *request, bool allow,
                               const char *by, const char *reason)
{
    struct answer *answer = calloc(1, sizeof(*answer));
    if (!answer)
        return NULL;
    struct sandbox *first = registry_find_id(server, request->askers[0].sandbox_id);
    *answer = (struct answer){.server = server, .allow = allow, .pending = 1};
    snprintf(answer->by, sizeof(answer->by), "%s", by);
    memcpy(answer->id, request->id, sizeof(answer->id));
    snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
    snprintf(answer->sandbox, sizeof(answer->sandbox), "%s", first ? first->record.name : "");
    answer->title = strdup(request->title);
    answer->told = calloc(request->count, sizeof(*answer->told));
    if (!answer->told) {
        hold_answer_free(answer);
        return NULL;
    }
    return answer;
}

/* The sandbox of an asker; NULL when a verdict is not meant for it, or it is gone. */
static const struct sandbox *who_is_meant(const struct server *server,
                                          const struct request *request, const bool *meant,
                                          size_t asker)
{
    return meant[asker] ? registry_find_id(server, request->askers[asker].sandbox_id) : NULL;
}

int hold_commit(struct server *server, const struct request *request, const bool *meant,
                enum policy_effect effect, const char *by, const char *where,
                struct bj_error *error)
{
    json_t *fields = hold_about(request);
    json_t *names = json_array();
    const struct sandbox *first = NULL;
    for (size_t i = 0; i < request->count; i++) {
        const struct sandbox *sandbox = who_is_meant(server, request, meant, i);
        if (!sandbox)
            continue;
        first = first ? first : sandbox;
        if (json_array_size(names) < 64)
            json_array_append_new(names, json_string(sandbox->record.name));
    }
    double waited = server_time() - request->created;
    json_t *more = json_pack("{s:s, s:s, s:s, s:f, s:f, s:o}", "answer", policy_effect_name(effect),
                             "by", by, "where", where, "asked", request->created, "waited",
                             waited > 0 ? waited : 0.0, "sandboxes", names);
    if (!fields || !more || json_object_update(fields, more) < 0) {
        json_decref(fields);
        fields = NULL;
    }
    json_decref(more);
    return ledger_commit(server, AUDIT_VERDICT, first, fields, error);
}

/* Those who are meant leave the request and are told. */
void hold_deliver(struct answer *answer, struct request *request, const bool *meant)
{
    size_t count = 0;
    for (size_t i = request->count; i-- > 0;) /* from the end: leaving moves those behind */
        if (meant[i]) {
            answer->told[count++] = request->askers[i];
            request_leave(&answer->server->requests, request, i);
        }
    while (count-- > 0) /* who asked first is told first */
        deliver(answer, request, &answer->told[count]);
    if (--answer->pending == 0)
        finish(answer);
}

/* --- rules --- */

int hold_rule(const struct server *server, const struct request *request, enum policy_effect effect,
              enum rule_scope scope, const struct sandbox *sandbox, uint32_t seconds,
              struct rule *rule, struct bj_error *error)
{
    const char *value = NULL;
    if (request->about < 0)
        return bj_fail(error, -EINVAL,
                       "no rule can be made of this request: answer it once, each time");
    if (scope == RULE_SANDBOX)
        value = sandbox->record.id;
    if (scope == RULE_PROJECT && !(value = sandbox->record.project))
        return bj_fail(error, -EINVAL,
                       "sandbox %s has no project: remember it for the sandbox, or for all",
                       sandbox->record.name);
    return rule_from_request(rule, (enum policy_kind)request->about, request->subject,
                             strlen(request->subject), effect, scope, value, server_time(), seconds,
                             request->id, error);
}

/* Whether there is such a rule for each that waits: a verdict that is on record is not refused. */
static int can_remember(struct server *server, const struct request *request, const bool *meant,
                        const struct hold_verdict *verdict, struct bj_error *error)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct sandbox *sandbox = who_is_meant(server, request, meant, i);
        struct rule rule;
        if (!sandbox)
            continue;
        int status = hold_rule(server, request, verdict->answer, (enum rule_scope)verdict->scope,
                               sandbox, verdict->seconds, &rule, error);
        if (status < 0)
            return status;
        rule_free(&rule);
    }
    return 0;
}

/* One rule for each sandbox or project that waits. */
static int remember(struct server *server, const struct request *request, const bool *meant,
                    const struct hold_verdict *verdict, struct answer *answer,
                    struct bj_error *error)
{
    static char sentence[RULE_SENTENCE_MAX];
    enum rule_scope scope = (enum rule_scope)verdict->scope;
    for (size_t i = 0; i < request->count; i++) {
        const struct sandbox *sandbox = who_is_meant(server, request, meant, i);
        struct rule rule;
        if (!sandbox)
            continue;
        int status = hold_rule(server, request, verdict->answer, scope, sandbox, verdict->seconds,
                               &rule, error);
        if (status == 0)
            status = rule_keep(server, &rule, sandbox, sentence, error);
        if (status < 0)
            return status;
        if (!answer->rule) {
            answer->rule = server->rules.list[server->rules.count - 1].id;
            answer->sentence = strdup(sentence);
        }
        if (scope == RULE_ALL)
            break;
    }
    return 0;
}

/* --- verdicts --- */

void hold_answer(struct server *server, struct call *call, const struct hold_verdict *verdict)
{
    struct bj_error error = {0};
    struct request *request;
    uint64_t now = server_clock();
    if (request_resolve(&server->requests, verdict->id, now, &request, &error) < 0) {
        call_fail(call, &error);
        return;
    }
    bool allow = verdict->answer == POLICY_ALLOW;
    struct answer *answer = hold_answer_new(server, request, allow, verdict->by, verdict->reason);
    bool *meant = calloc(request->count, sizeof(*meant));
    int status = answer && meant ? 0 : bj_fail(&error, -ENOMEM, "out of memory");
    size_t who = 0;
    for (size_t i = 0; status == 0 && i < request->count; i++)
        who += meant[i] = request->askers[i].joined + REQUEST_SHOWN_MS <= now;
    if (status == 0 && who == 0)
        status =
            bj_fail(&error, -EAGAIN, "who asks now has done so for less than %u ms: look again",
                    REQUEST_SHOWN_MS);
    if (status == 0 && verdict->scope)
        status = can_remember(server, request, meant, verdict, &error);
    if (status == 0)
        status =
            hold_commit(server, request, meant, verdict->answer, "human", request->where, &error);
    if (status < 0) {
        request->answered = false;
        call_fail(call, &error);
        hold_answer_free(answer);
        free(meant);
        return;
    }
    answer->call = call;
    if (verdict->scope && remember(server, request, meant, verdict, answer, &error) < 0)
        server_alert(server, NULL, ALERT_WARNING, "rules",
                     "request %s was answered this once, but it cannot be remembered: %s",
                     request->id, error.text);
    hold_deliver(answer, request, meant);
    free(meant);
    if (verdict->scope)
        rule_changed(server);
    else
        hold_settle(server); /* an accepted policy may answer others, too */
}
