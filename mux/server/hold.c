#include "mux/server/hold_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mux/server/log.h"
#include "mux/server/monitor.h"
#include "mux/server/server.h"
#include "transport/pack.h"

/* --- opening and leaving --- */

json_t *hold_about(const struct request *request)
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
        ledger_note(server, AUDIT_REQUEST, sandbox, hold_about(request));
    }
    clients_send_request(server, request);
    monitor_mark(sandbox);
    sandbox_touch(sandbox);
    return request;
}

void hold_close(struct server *server, struct request *request, const char *outcome, const char *by)
{
    clients_send_request_gone(server, request, outcome, by);
    request_close(&server->requests, request, outcome);
}

/* The last one who waited is gone without a verdict. */
static void close_unanswered(struct server *server, struct request *request,
                             const struct sandbox *sandbox)
{
    json_t *fields = hold_about(request);
    if (fields)
        json_object_set_new(fields, "by", json_string("gone"));
    ledger_note(server, AUDIT_VERDICT, sandbox, fields);
    hold_close(server, request, "gone", "");
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
