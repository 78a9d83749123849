#include "mux/server/rule.h"

#include <errno.h>
#include <string.h>

#include "mux/server/client.h"
#include "mux/server/egress.h"
#include "mux/server/hold.h"
#include "mux/server/ledger.h"
#include "mux/server/registry.h"

#define EXPIRE_MAX_MS 3600000U /* the clock may be set meanwhile */
#define SAVE_AGAIN_MS 60000U   /* when the list could not be saved */

void rule_say(const struct server *server, const struct rule *rule, char out[RULE_SENTENCE_MAX])
{
    const struct sandbox *sandbox =
        rule->scope == RULE_SANDBOX ? registry_find_id(server, rule->value) : NULL;
    rule_sentence(rule, sandbox ? sandbox->record.name : NULL, out);
}

static json_t *fields(const struct rule *rule, const char *sentence)
{
    const char *value = rule->value ? rule->value : "";
    return json_pack("{s:I, s:s, s:o, s:s, s:s, s:o, s:f, s:o, s:s}", "rule", (json_int_t)rule->id,
                     "about", policy_kind_name(rule->pattern.kind), "pattern",
                     audit_text(rule->pattern.text, strlen(rule->pattern.text)), "effect",
                     policy_effect_name(rule->effect), "scope", rule_scope_name(rule->scope),
                     "value", audit_text(value, strlen(value)), "expires", rule->expires,
                     "sentence", audit_text(sentence, strlen(sentence)), "request", rule->request);
}

static void on_expire(uv_timer_t *timer);

/* Until the next one ends, but not before `least` milliseconds. */
static void schedule(struct server *server, double least)
{
    double now = server_time(), next = 0;
    for (size_t i = 0; i < server->rules.count; i++) {
        double expires = server->rules.list[i].expires;
        if (expires > 0 && (next == 0 || expires < next))
            next = expires;
    }
    uv_timer_stop(&server->rules_timer);
    if (next == 0 || server->stopping)
        return;
    double wait = (next - now) * 1000 + 1;
    wait = wait > least ? wait : least;
    uv_timer_start(&server->rules_timer, on_expire,
                   wait < EXPIRE_MAX_MS ? (uint64_t)wait : EXPIRE_MAX_MS, 0);
}

static void tell_all(struct server *server)
{
    hold_settle(server);
    egress_recheck(server);
    clients_send_rules(server);
}

static void on_expire(uv_timer_t *timer)
{
    struct server *server = timer->data;
    struct bj_error error = {0};
    int count = rules_expire(&server->rules, server_time(), &error);
    if (count < 0)
        server_alert(server, NULL, ALERT_WARNING, "rules",
                     "rules that ended cannot be taken off the list (they do not count): %s",
                     error.text);
    if (count != 0) /* what has ended does not count, whether or not that could be saved */
        tell_all(server);
    schedule(server, count < 0 ? SAVE_AGAIN_MS : 1);
}

void rule_open(struct server *server)
{
    uv_timer_init(&server->loop, &server->rules_timer);
    server->rules_timer.data = server;
    schedule(server, 1);
}

int rule_keep(struct server *server, struct rule *rule, const struct sandbox *sandbox,
              char out[RULE_SENTENCE_MAX], struct bj_error *error)
{
    const uint64_t id = rule->id = server->rules.next; /* on record before it counts */
    rule_say(server, rule, out);
    int status = ledger_commit(server, AUDIT_RULE_ADDED, sandbox, fields(rule, out), error);
    if (status == 0 && (status = rules_add(&server->rules, rule, error)) < 0) {
        rule->id = id;
        ledger_note(server, AUDIT_RULE_REMOVED, sandbox, fields(rule, out));
    }
    if (status < 0)
        rule_free(rule);
    return status;
}

int rule_drop(struct server *server, uint64_t *id, char out[RULE_SENTENCE_MAX],
              struct bj_error *error)
{
    struct rule removed = {0};
    int status = *id ? rules_remove(&server->rules, *id, &removed, error)
                     : rules_undo(&server->rules, &removed, error);
    if (status < 0)
        return status;
    *id = removed.id;
    rule_say(server, &removed, out);
    ledger_note(server, AUDIT_RULE_REMOVED, NULL, fields(&removed, out));
    rule_free(&removed);
    return 0;
}

void rule_changed(struct server *server)
{
    tell_all(server);
    schedule(server, 1);
}
