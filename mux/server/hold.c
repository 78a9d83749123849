#include "mux/server/hold.h"

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

/* --- opening and leaving --- */

static json_t *about_fields(const struct request *request)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", request->id, "class",
                     request_class_name(request->class), "about",
                     request->about >= 0 ? policy_kind_name((enum policy_kind)request->about)
                                         : request->kind,
                     "subject", audit_text(request->subject, strlen(request->subject)), "title",
                     audit_text(request->title, strlen(request->title)));
}

double hold_asked(const struct sandbox *sandbox, const msgpack_object *params)
{
    double asked = server_time() - (double)bj_get_uint(params, "waited", 0) / 1000;
    return asked > sandbox->record.created ? asked : sandbox->record.created;
}

/* Returns the request, or NULL. */
static struct request *open_request(struct sandbox *sandbox, const struct request_text *text,
                                    struct asker *asker, double asked, struct bj_error *error)
{
    struct server *server = sandbox->server;
    struct request *request;
    memcpy(asker->sandbox_id, sandbox->record.id, sizeof(asker->sandbox_id));
    asker->joined = server_clock();
    asker->began = (int64_t)asker->joined - (int64_t)((server_time() - asked) * 1000);
    size_t waiting = server->requests.askers;
    int status = request_open(&server->requests, text, asker, asked, &request, error);
    if (status < 0 || server->requests.askers == waiting) /* the same once more */
        return request;
    if (status == 1) {
        log_line("sandbox %s (%s) asks: %s %.80s", sandbox->record.id, sandbox->record.name,
                 request->id, request->title);
        ledger_note(server, AUDIT_REQUEST, sandbox, about_fields(request));
    }
    clients_send_request(server, request);
    monitor_mark(sandbox);
    sandbox_touch(sandbox);
    return request;
}

static void close_request(struct server *server, struct request *request, const char *outcome,
                          const char *by)
{
    clients_send_request_gone(server, request, outcome, by);
    request_close(&server->requests, request, outcome);
}

/* The last one who waited is gone without a verdict. */
static void close_unanswered(struct server *server, struct request *request,
                             const struct sandbox *sandbox)
{
    json_t *fields = about_fields(request);
    if (fields)
        json_object_set_new(fields, "by", json_string("gone"));
    ledger_note(server, AUDIT_VERDICT, sandbox, fields);
    close_request(server, request, "gone", "");
}

static void leave(struct sandbox *sandbox, struct request *request, size_t index)
{
    struct server *server = sandbox->server;
    request_leave(&server->requests, request, index);
    if (request->count > 0)
        clients_send_request(server, request);
    else if (!request->answered) /* else the verdict under way closes it */
        close_unanswered(server, request, sandbox);
    sandbox_touch(sandbox);
}

void hold_gone(struct sandbox *sandbox, enum request_source source, uint64_t number)
{
    size_t index;
    struct request *request =
        request_of(&sandbox->server->requests, sandbox->record.id, source, number, &index);
    if (request)
        leave(sandbox, request, index);
}

static bool drop_one(struct sandbox *sandbox, int source)
{
    struct requests *requests = &sandbox->server->requests;
    for (size_t i = 0; i < requests->count; i++)
        for (size_t k = 0; k < requests->list[i]->count; k++) {
            const struct asker *asker = &requests->list[i]->askers[k];
            if (strcmp(asker->sandbox_id, sandbox->record.id) != 0 ||
                (source >= 0 && asker->source != (enum request_source)source))
                continue;
            leave(sandbox, requests->list[i], k);
            return true;
        }
    return false;
}

void hold_drop(struct sandbox *sandbox, enum request_source source)
{
    while (drop_one(sandbox, (int)source))
        ;
}

void hold_forget(struct sandbox *sandbox)
{
    while (drop_one(sandbox, -1))
        ;
}

/* --- answers --- */

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

static void answer_free(struct answer *answer)
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
        close_request(server, request, outcome, answer->by);
    }
    answer_free(answer);
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
    } else if (status == 0) {
        status = guard_accept(sandbox, request->subject, answer->allow, &error);
    }
    settled(answer, status < 0 ? &error : NULL);
}

static struct answer *answer_new(struct server *server, struct request *request, bool allow,
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
        answer_free(answer);
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

/* The record of a verdict on those who are meant by it. */
static int commit_verdict(struct server *server, const struct request *request, const bool *meant,
                          enum policy_effect effect, const char *by, const char *where,
                          struct bj_error *error)
{
    json_t *fields = about_fields(request);
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

/* Those who are meant leave the request and are told. Ends the answer. */
static void deliver_all(struct answer *answer, struct request *request, const bool *meant)
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
    struct answer *answer = answer_new(server, request, allow, verdict->by, verdict->reason);
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
        status = commit_verdict(server, request, meant, verdict->answer, "human", request->where,
                                &error);
    if (status < 0) {
        request->answered = false;
        call_fail(call, &error);
        answer_free(answer);
        free(meant);
        return;
    }
    answer->call = call;
    if (verdict->scope && remember(server, request, meant, verdict, answer, &error) < 0)
        server_alert(server, NULL, ALERT_WARNING, "rules",
                     "request %s was answered this once, but it cannot be remembered: %s",
                     request->id, error.text);
    deliver_all(answer, request, meant);
    free(meant);
    if (verdict->scope)
        rule_changed(server);
    else
        hold_settle(server); /* an accepted policy may answer others, too */
}

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
        deliver_all(answer, request, meant);
    } else {
        answer_free(answer);
    }
    free(meant);
}

static bool settle_one(struct server *server, struct request *request)
{
    struct policy_decision decision;
    char reason[GUARD_REASON_MAX];
    struct bj_error error = {0};
    bool *meant = calloc(request->count, sizeof(*meant));
    enum policy_effect effect =
        meant ? decide_askers(server, request, meant, &decision) : POLICY_ASK;
    if (effect != POLICY_ASK)
        guard_reason(&decision, reason);
    struct answer *answer =
        effect == POLICY_ASK ? NULL
                             : answer_new(server, request, effect == POLICY_ALLOW, "rule", reason);
    bool done =
        answer && commit_verdict(server, request, meant, effect, decision.rule ? "rule" : "policy",
                                 decision.where, &error) == 0;
    conclude(request, answer, meant, done);
    return done;
}

void hold_settle(struct server *server)
{
    size_t i = 0;
    while (i < server->requests.count) {
        struct request *request = server->requests.list[i];
        if (request->answered || request->about < 0 || !settle_one(server, request))
            i++;
        else
            i = 0; /* the list has changed */
    }
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
        answer = answer_new(server, request, false, "timeout", reason);
    }
    bool done = answer &&
                commit_verdict(server, request, meant, POLICY_DENY, "expired", "limits", NULL) == 0;
    conclude(request, answer, meant, done);
    return done;
}

void hold_expire(struct server *server)
{
    size_t i = 0;
    while (i < server->requests.count) {
        struct request *request = server->requests.list[i];
        if (request->answered || !expire_one(server, request))
            i++;
        else
            i = 0; /* the list has changed */
    }
}

/* --- questions --- */

static unsigned risk_of(enum request_class class, int about, const char *subject)
{
    const char *colon = strrchr(subject, ':');
    if (class == REQUEST_COURTESY)
        return 0;
    if (about != POLICY_EGRESS)
        return 2;
    bool usual = colon && (strcmp(colon, ":443") == 0 || strcmp(colon, ":80") == 0);
    bool address = subject[0] == '[' || strspn(subject, "0123456789.:") == strlen(subject);
    return address || !usual ? 2 : 1;
}

/* The policy's kind that a hook's question is of, with - for _. What the wall itself holds is no
 * hook's to ask about: its answer would be remembered for the wall. */
static int kind_of(const struct request_text *text)
{
    char name[16];
    size_t i;
    for (i = 0; i < text->kind_size && i < sizeof(name) - 1; i++)
        name[i] = text->kind[i] == '-' ? '_' : text->kind[i];
    name[i] = '\0';
    int kind = text->kind_size < sizeof(name) ? policy_kind_find(name) : -1;
    return kind == POLICY_EGRESS || kind == POLICY_FILE_OUT ? -1 : kind;
}

static void on_told(void *argument, const struct bj_error *error)
{
    (void)argument;
    if (error)
        log_line("a verdict of the policy was not delivered: %s", error->text);
}

/* What the policy says of a hook's question. One of kind exec that names no tool is a call of the
 * tool `ask`, so that plain words can be decided on and remembered, too. */
static void decide_hook(struct sandbox *sandbox, const struct request_text *text,
                        struct policy_decision *decision)
{
    char call[POLICY_SUBJECT_MAX];
    guard_decide(sandbox, (enum policy_kind)text->about, text->title, text->title_size, decision);
    if (!decision->invalid || text->about != POLICY_EXEC)
        return;
    int size = snprintf(call, sizeof(call), "ask(%.*s)", (int)text->title_size, text->title);
    if (size > 0 && (size_t)size < sizeof(call))
        guard_decide(sandbox, POLICY_EXEC, call, (size_t)size, decision);
}

json_t *hold_decided(enum request_class class, json_t *about,
                     const struct policy_decision *decision)
{
    return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:f, s:f}", "class", request_class_name(class),
                     "about", about, "subject",
                     audit_text(decision->subject, strlen(decision->subject)), "answer",
                     policy_effect_name(decision->effect), "by", decision->rule ? "rule" : "policy",
                     "where", decision->where, "asked", server_time(), "waited", 0.0);
}

/* On record, then told; false when that was not possible. */
static bool answer_at_once(struct sandbox *sandbox, uint32_t channel,
                           const struct policy_decision *decision, json_t *about,
                           const char *reason)
{
    int status = ledger_commit(sandbox->server, AUDIT_VERDICT, sandbox,
                               hold_decided(REQUEST_COURTESY, about, decision), NULL);
    if (status == 0)
        status = monitor_verdict(sandbox, channel, decision->effect == POLICY_ALLOW, reason,
                                 on_told, NULL, NULL);
    return status == 0;
}

/* True when the policy has answered it. */
static bool answered_by_policy(struct sandbox *sandbox, uint32_t channel,
                               const struct policy_decision *decision, int about)
{
    char reason[GUARD_REASON_MAX];
    if (decision->invalid || decision->effect == POLICY_ASK)
        return false;
    guard_reason(decision, reason);
    return answer_at_once(sandbox, channel, decision,
                          json_string(policy_kind_name((enum policy_kind)about)), reason);
}

/* So many are open that no human could answer one more; who asked must not wait for ever. */
static void refuse(struct sandbox *sandbox, uint32_t channel, const struct request_text *text)
{
    struct policy_decision decision = {.effect = POLICY_DENY};
    snprintf(decision.subject, sizeof(decision.subject), "%.*s", (int)text->title_size,
             text->title);
    snprintf(decision.where, sizeof(decision.where), "limits");
    answer_at_once(sandbox, channel, &decision, audit_text(text->kind, text->kind_size),
                   "too many questions are open: ask again later");
}

void hold_hook(struct sandbox *sandbox, uint32_t channel, const struct request_text *given,
               double asked)
{
    struct policy_decision decision = {.effect = POLICY_ASK};
    struct request_text text = *given;
    struct asker asker = {.source = ASKER_HOOK, .number = channel};
    struct bj_error error = {0};
    size_t index;
    text.class = REQUEST_COURTESY;
    text.about = kind_of(given);
    struct request *old =
        request_of(&sandbox->server->requests, sandbox->record.id, ASKER_HOOK, channel, &index);
    if (text.about >= 0) {
        decide_hook(sandbox, &text, &decision);
        if (!old && answered_by_policy(sandbox, channel, &decision, text.about))
            return;
        if (decision.invalid) /* then it is asked, and cannot be remembered */
            text.about = -1;
    }
    if (text.about >= 0) {
        text.subject = decision.subject;
        text.why = decision.why;
        text.where = decision.where;
    } else {
        text.why = "no policy is about this kind of question";
    }
    text.risk = risk_of(REQUEST_COURTESY, text.about, decision.subject);
    struct request *opened = open_request(sandbox, &text, &asker, asked, &error);
    if (!opened)
        server_alert(sandbox->server, sandbox, ALERT_WARNING, "request",
                     "a request was not taken: %s", error.text);
    if (!opened && error.code == -ENOMEM) /* whoever asked would wait for ever */
        monitor_again(sandbox, &error);
    else if (!opened)
        refuse(sandbox, channel, &text);
    /* Another text on the same channel is a new request: nobody waits in the old one. */
    if (old && opened != old)
        leave(sandbox, old, index);
}

int hold_egress(struct sandbox *sandbox, uint64_t number, const struct policy_decision *decision,
                const char *detail, double asked, struct bj_error *error)
{
    char title[POLICY_SUBJECT_MAX + 16];
    struct asker asker = {.source = ASKER_EGRESS, .number = number};
    snprintf(title, sizeof(title), "connect to %s", decision->subject);
    struct request_text text = {
        .class = REQUEST_WALL,
        .about = POLICY_EGRESS,
        .risk = risk_of(REQUEST_WALL, POLICY_EGRESS, decision->subject),
        .kind = "egress",
        .kind_size = 6,
        .title = title,
        .title_size = strlen(title),
        .detail = detail,
        .detail_size = strlen(detail),
        .subject = decision->subject,
        .why = decision->why,
        .where = decision->where,
    };
    return open_request(sandbox, &text, &asker, asked, error) ? 0 : error->code;
}

void hold_proposal(struct sandbox *sandbox, const char *hash, const char *title, const char *detail)
{
    struct asker asker = {.source = ASKER_PROPOSAL};
    struct bj_error error = {0};
    size_t index;
    struct request *old =
        request_of(&sandbox->server->requests, sandbox->record.id, ASKER_PROPOSAL, 0, &index);
    struct request_text text = {
        .class = REQUEST_WALL,
        .about = -1,
        .risk = 2,
        .kind = "policy",
        .kind_size = 6,
        .title = title,
        .title_size = strlen(title),
        .detail = detail,
        .detail_size = strlen(detail),
        .subject = hash,
        .why = "a policy file in a project may have been written by anybody",
    };
    struct request *opened = open_request(sandbox, &text, &asker, server_time(), &error);
    if (!opened)
        server_alert(sandbox->server, sandbox, ALERT_WARNING, "policy",
                     "the project's own policy cannot be asked about: %s", error.text);
    if (old && opened != old) /* the file is another now */
        leave(sandbox, old, index);
}
