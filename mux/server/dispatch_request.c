#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/audit/audit.h"
#include "mux/server/dispatch.h"
#include "mux/server/event.h"
#include "mux/server/hold.h"
#include "mux/server/registry.h"
#include "mux/server/rule.h"
#include "transport/message.h"
#include "transport/pack.h"

/* --- requests --- */

static void request_list(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_array(packer, server->requests.count);
    for (size_t i = 0; i < server->requests.count; i++) {
        event_request(packer, server, server->requests.list[i]);
        if (!client->readonly) /* who cannot answer makes nobody else's key count */
            request_shown(server->requests.list[i], server_clock());
    }
    bj_rpc_send(&client->rpc);
}

static void request_shown_call(struct client *client, uint32_t id, const msgpack_object *params)
{
    const msgpack_object *ids = bj_get(params, "ids");
    for (uint32_t i = 0; i < ids->via.array.size; i++) {
        char name[REQUEST_ID_SIZE];
        const msgpack_object_str *text = &ids->via.array.ptr[i].via.str;
        snprintf(name, sizeof(name), "%.*s", (int)(text->size < 31 ? text->size : 31), text->ptr);
        struct request *request = request_find(&client->server->requests, name);
        if (request)
            request_shown(request, server_clock());
    }
    bj_rpc_done(&client->rpc, id);
}

/* 0 once, a scope, or -EINVAL. */
static int read_scope(const char *name, struct bj_error *error)
{
    int scope = name[0] && strcmp(name, "once") != 0 ? rule_scope_find(name) : 0;
    return scope < 0 ? bj_fail(error, -EINVAL, "scope is once, sandbox, project or all") : scope;
}

static void request_resolve_call(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct bj_error error = {0};
    char name[REQUEST_ID_SIZE + 1], answer[16], reason[BJ_REASON_MAX + 1], scope[20];
    bj_get_copy(params, "id", name, sizeof(name));
    bj_get_copy(params, "answer", answer, sizeof(answer));
    bj_get_copy(params, "reason", reason, sizeof(reason));
    bj_get_copy(params, "scope", scope, sizeof(scope));
    struct hold_verdict verdict = {
        .id = name,
        .answer = strcmp(answer, "allow") == 0 ? POLICY_ALLOW : POLICY_DENY,
        .reason = reason,
        .by = client->label[0] ? client->label : "cli",
        .scope = read_scope(scope, &error),
        .seconds = (uint32_t)bj_get_uint(params, "seconds", 0),
    };
    if (verdict.answer == POLICY_DENY && strcmp(answer, "deny") != 0)
        bj_fail(&error, -EINVAL, "answer is allow or deny");
    if (error.code) {
        dispatch_fail(client, id, &error);
        return;
    }
    struct call *call = call_keep(client, id);
    if (call)
        hold_answer(client->server, call, &verdict);
}

/* --- details, with what the audit log knows of the subject --- */

struct details {
    uv_work_t work;
    struct server *server;
    struct call *call;
    char id[REQUEST_ID_SIZE], directory[BJ_PATH_MAX];
    const char *about;
    char *subject;
    enum policy_effect answer; /* verdict and time of the rules to be said */
    uint32_t seconds;
    uint64_t asked, allowed, denied;
    double last;
};

static bool is(const json_t *record, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(record, key));
    return text && strcmp(text, value) == 0;
}

static void on_read(uv_work_t *work)
{
    struct details *details = work->data;
    struct audit_filter filter = {.kinds = 1U << AUDIT_VERDICT};
    struct audit_reader *reader;
    struct audit_record record;
    if (audit_read_open(&reader, details->directory, &filter, NULL) < 0)
        return;
    while (audit_read_next(reader, &record, NULL) > 0) {
        if (is(record.json, "subject", details->subject) &&
            is(record.json, "about", details->about) && is(record.json, "by", "human")) {
            details->asked++;
            if (is(record.json, "answer", "allow"))
                details->allowed++;
            else
                details->denied++;
            details->last = record.time;
        }
        audit_record_free(&record);
    }
    audit_read_close(reader);
}

static void pack_sentence(msgpack_packer *packer, const struct details *details,
                          const struct request *request, enum rule_scope scope)
{
    const struct server *server = details->server;
    static char sentence[RULE_SENTENCE_MAX];
    struct rule rule;
    const struct sandbox *sandbox =
        request->count ? registry_find_id(server, request->askers[0].sandbox_id) : NULL;
    if (!sandbox || hold_rule(server, request, details->answer, scope, sandbox, details->seconds,
                              &rule, NULL) < 0) {
        bj_pack_key_str(packer, rule_scope_name(scope), NULL);
        return;
    }
    rule_say(server, &rule, sentence);
    rule_free(&rule);
    bj_pack_key_str(packer, rule_scope_name(scope), sentence);
}

static void pack_names(msgpack_packer *packer, const struct server *server,
                       const struct request *request)
{
    size_t count = 0;
    const struct sandbox *list[64];
    for (size_t i = 0; i < request->count && count < 64; i++) {
        const struct sandbox *sandbox = registry_find_id(server, request->askers[i].sandbox_id);
        bool seen = !sandbox;
        for (size_t k = 0; k < count && !seen; k++)
            seen = list[k] == sandbox;
        if (!seen)
            list[count++] = sandbox;
    }
    bj_pack_str(packer, "sandboxes");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++)
        bj_pack_str(packer, list[i]->record.name);
}

static void pack_details(msgpack_packer *packer, const struct details *details,
                         const struct request *request)
{
    const struct server *server = details->server;
    msgpack_pack_map(packer, 18);
    bj_pack_key_str(packer, "id", request->id);
    bj_pack_key_str(packer, "class", request_class_name(request->class));
    bj_pack_key_str(packer, "kind", request->kind);
    bj_pack_key_str(packer, "subject", request->subject);
    bj_pack_key_str(packer, "title", request->title);
    bj_pack_key_str(packer, "detail", request->detail);
    pack_names(packer, server, request);
    bj_pack_key_double(packer, "created", request->created);
    bj_pack_key_uint(packer, "risk", request->risk);
    bj_pack_key_str(packer, "where", request->where);
    bj_pack_key_str(packer, "why", request->why);
    bj_pack_str(packer, "rules");
    msgpack_pack_map(packer, 3);
    pack_sentence(packer, details, request, RULE_SANDBOX);
    pack_sentence(packer, details, request, RULE_PROJECT);
    pack_sentence(packer, details, request, RULE_ALL);
    bj_pack_key_str(packer, "answer", details->answer == POLICY_ALLOW ? "allow" : "deny");
    bj_pack_key_uint(packer, "seconds", details->seconds);
    bj_pack_key_uint(packer, "asked", details->asked);
    bj_pack_key_uint(packer, "allowed", details->allowed);
    bj_pack_key_uint(packer, "denied", details->denied);
    bj_pack_key_double(packer, "last", details->last);
}

static void on_details(uv_work_t *work, int status)
{
    struct details *details = work->data;
    struct bj_error error = {0};
    const struct request *request = request_find(&details->server->requests, details->id);
    if (!request) {
        bj_fail(&error, -ENOENT, "request %s is gone: nobody waits for it any more", details->id);
        call_fail(details->call, &error);
    } else {
        msgpack_packer *packer = call_result(details->call);
        if (packer)
            pack_details(packer, details, request);
        call_done(details->call);
    }
    free(details->subject);
    free(details);
}

static void request_details(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    struct bj_error error = {0};
    char name[REQUEST_ID_SIZE + 1], answer[16];
    bj_get_copy(params, "id", name, sizeof(name));
    bj_get_copy(params, "answer", answer, sizeof(answer));
    const struct request *request = request_find(&server->requests, name);
    struct details *details = request ? calloc(1, sizeof(*details)) : NULL;
    if (details && (details->subject = strdup(request->subject))) {
        details->server = server;
        details->answer = strcmp(answer, "deny") == 0 ? POLICY_DENY : POLICY_ALLOW;
        details->seconds = (uint32_t)bj_get_uint(params, "seconds", 0);
        details->work.data = details;
        memcpy(details->id, request->id, sizeof(details->id));
        snprintf(details->directory, sizeof(details->directory), "%s", server->paths.state);
        details->about =
            request->about >= 0 ? policy_kind_name((enum policy_kind)request->about) : "";
        details->call = call_keep(client, id);
        if (details->call && uv_queue_work(&server->loop, &details->work, on_read, on_details) == 0)
            return;
        if (details->call)
            call_fail(details->call, &error);
        free(details->subject);
        free(details);
        return;
    }
    free(details);
    bj_fail(&error, request ? -ENOMEM : -ENOENT,
            request ? "out of memory" : "no request %s is open", name);
    dispatch_fail(client, id, &error);
}

/* --- rules --- */

static void rule_list(struct client *client, uint32_t id, const msgpack_object *params)
{
    static char sentence[RULE_SENTENCE_MAX];
    struct server *server = client->server;
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_array(packer, server->rules.count);
    for (size_t i = 0; i < server->rules.count; i++) {
        const struct rule *rule = &server->rules.list[i];
        const struct sandbox *sandbox =
            rule->scope == RULE_SANDBOX ? registry_find_id(server, rule->value) : NULL;
        rule_say(server, rule, sentence);
        msgpack_pack_map(packer, 11);
        bj_pack_key_uint(packer, "id", rule->id);
        bj_pack_key_str(packer, "kind", policy_kind_name(rule->pattern.kind));
        bj_pack_key_str(packer, "effect", policy_effect_name(rule->effect));
        bj_pack_key_str(packer, "pattern", rule->pattern.text);
        bj_pack_key_str(packer, "scope", rule_scope_name(rule->scope));
        bj_pack_key_str(packer, "value", rule->value ? rule->value : "");
        bj_pack_key_str(packer, "name", sandbox ? sandbox->record.name : "");
        bj_pack_key_double(packer, "created", rule->created);
        bj_pack_key_double(packer, "expires", rule->expires);
        bj_pack_key_str(packer, "request", rule->request);
        bj_pack_key_str(packer, "sentence", sentence);
    }
    bj_rpc_send(&client->rpc);
}

static int make_rule(struct server *server, const msgpack_object *params, struct rule *rule,
                     struct sandbox **sandbox, struct bj_error *error)
{
    char kind[20], pattern[POLICY_PATTERN_MAX], effect[12], scope[20], value[BJ_PATH_MAX + 1];
    bj_get_copy(params, "kind", kind, sizeof(kind));
    bj_get_copy(params, "pattern", pattern, sizeof(pattern));
    bj_get_copy(params, "effect", effect, sizeof(effect));
    bj_get_copy(params, "scope", scope, sizeof(scope));
    bj_get_copy(params, "value", value, sizeof(value));
    int about = policy_kind_find(kind), what = policy_effect_find(effect);
    int where = rule_scope_find(scope);
    *sandbox = NULL;
    if (about < 0)
        return bj_fail(error, -EINVAL,
                       "kind is egress, exec, file_out, clipboard, notification or open_url");
    if (what != POLICY_ALLOW && what != POLICY_DENY)
        return bj_fail(error, -EINVAL, "effect is allow or deny");
    if (where < 0)
        return bj_fail(error, -EINVAL, "scope is sandbox, project or all");
    if (where == RULE_SANDBOX && !(*sandbox = registry_find_name(server, value)))
        return bj_fail(error, -ENOENT, "no sandbox is named %.32s: 'belljar ls' lists them", value);
    if (where == RULE_PROJECT && value[0] != '/')
        return bj_fail(error, -EINVAL, "value is the absolute path of the project's directory");
    return rule_from_pattern(rule, (enum policy_kind)about, pattern, (enum policy_effect)what,
                             (enum rule_scope)where,
                             *sandbox   ? (*sandbox)->record.id
                             : value[0] ? value
                                        : NULL,
                             server_time(), (double)bj_get_uint(params, "seconds", 0), "", error);
}

static void answer_rule(struct client *client, uint32_t id, uint64_t rule, const char *sentence)
{
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 2);
    bj_pack_key_uint(packer, "id", rule);
    bj_pack_key_str(packer, "sentence", sentence);
    bj_rpc_send(&client->rpc);
}

static void rule_add_call(struct client *client, uint32_t id, const msgpack_object *params)
{
    static char sentence[RULE_SENTENCE_MAX];
    struct bj_error error = {0};
    struct rule rule;
    struct sandbox *sandbox;
    int status = make_rule(client->server, params, &rule, &sandbox, &error);
    if (status == 0)
        status = rule_keep(client->server, &rule, sandbox, sentence, &error);
    if (status < 0) {
        dispatch_fail(client, id, &error);
        return;
    }
    answer_rule(client, id, client->server->rules.list[client->server->rules.count - 1].id,
                sentence);
    rule_changed(client->server);
}

static void drop_rule(struct client *client, uint32_t id, uint64_t rule)
{
    static char sentence[RULE_SENTENCE_MAX];
    struct bj_error error = {0};
    if (rule_drop(client->server, &rule, sentence, &error) < 0) {
        dispatch_fail(client, id, &error);
        return;
    }
    answer_rule(client, id, rule, sentence);
    rule_changed(client->server);
}

static void rule_remove_call(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct bj_error error = {0};
    uint64_t rule = bj_get_uint(params, "id", 0);
    if (rule) {
        drop_rule(client, id, rule);
        return;
    }
    bj_fail(&error, -ENOENT, "there is no rule 0 (belljar rules lists them)");
    dispatch_fail(client, id, &error);
}

static void rule_undo_call(struct client *client, uint32_t id, const msgpack_object *params)
{
    drop_rule(client, id, 0);
}

static const struct dispatch_method methods[] = {
    {"request.list", request_list},
    {"request.shown", request_shown_call},
    {"request.resolve", request_resolve_call},
    {"request.details", request_details},
    {"rule.list", rule_list},
    {"rule.add", rule_add_call},
    {"rule.remove", rule_remove_call},
    {"rule.undo", rule_undo_call},
};

bool dispatch_request(struct client *client, uint32_t id, const struct bj_method *method,
                      const msgpack_object *params)
{
    return dispatch_among(methods, sizeof(methods) / sizeof(*methods), client, id, method, params);
}
