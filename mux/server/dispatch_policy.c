#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "mux/server/dispatch.h"
#include "mux/server/egress.h"
#include "mux/server/hold.h"
#include "mux/server/profile.h"
#include "mux/server/registry.h"
#include "mux/server/rule.h"
#include "transport/pack.h"

/* The sandbox that `name` means; NULL when there is none, which has been answered. */
static struct sandbox *find(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct bj_error error = {0};
    char name[NAME_SIZE];
    bj_get_copy(params, "name", name, sizeof(name));
    struct sandbox *sandbox = registry_find_name(client->server, name);
    if (sandbox)
        return sandbox;
    bj_fail(&error, -ENOENT, "no sandbox is named %s: 'belljar ls' lists them", name);
    dispatch_fail(client, id, &error);
    return NULL;
}

/* --- policy --- */

struct explain {
    struct call *call;
    enum policy_kind kind;
    size_t size;
    char subject[POLICY_SUBJECT_MAX];
};

static void pack_line(msgpack_packer *packer, const struct policy_line *line)
{
    msgpack_pack_map(packer, 5);
    bj_pack_key_str(packer, "effect", line->effect ? policy_effect_name(line->effect) : "");
    bj_pack_key_bool(packer, "decides", line->decides);
    bj_pack_key_uint(packer, "rule", line->rule);
    bj_pack_key_str(packer, "where", line->where);
    bj_pack_key_str(packer, "text", line->text);
}

static void on_presets(struct sandbox *sandbox, void *argument)
{
    struct explain *explain = argument;
    struct policy_decision decision;
    struct policy_line *lines = NULL;
    size_t count = 0;
    struct bj_error error = {0};
    int status = sandbox ? 0 : bj_fail(&error, -ENOENT, "the sandbox was removed");
    if (status == 0) {
        struct policy_query query = {explain->kind,      explain->subject,        explain->size,
                                     sandbox->record.id, sandbox->record.project, server_time()};
        status = policy_explain(&sandbox->guard.policy, &sandbox->server->rules, &query, &decision,
                                &lines, &count, &error);
    }
    if (status < 0) {
        call_fail(explain->call, &error);
        free(explain);
        return;
    }
    msgpack_packer *packer = call_result(explain->call);
    if (packer) {
        msgpack_pack_map(packer, 8);
        bj_pack_key_str(packer, "effect", policy_effect_name(decision.effect));
        bj_pack_key_bool(packer, "by_default", decision.by_default);
        bj_pack_key_uint(packer, "rule", decision.rule);
        bj_pack_key_str(packer, "where", decision.where);
        bj_pack_key_str(packer, "pattern", decision.pattern);
        bj_pack_key_str(packer, "subject", decision.subject);
        bj_pack_key_str(packer, "why", decision.why);
        bj_pack_str(packer, "lines");
        msgpack_pack_array(packer, count);
        for (size_t i = 0; i < count; i++)
            pack_line(packer, &lines[i]);
    }
    call_done(explain->call);
    policy_lines_free(lines, count);
    free(explain);
}

static void policy_explain_call(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct bj_error error = {0};
    char kind[20];
    struct sandbox *sandbox = find(client, id, params);
    bj_get_copy(params, "kind", kind, sizeof(kind));
    int about = policy_kind_find(kind);
    if (!sandbox)
        return;
    struct explain *explain = about < 0 ? NULL : calloc(1, sizeof(*explain));
    if (!explain) {
        bj_fail(&error, about < 0 ? -EINVAL : -ENOMEM,
                about < 0 ? "kind is egress, exec, file_out, clipboard, notification or open_url"
                          : "out of memory");
        dispatch_fail(client, id, &error);
        return;
    }
    explain->kind = (enum policy_kind)about;
    explain->size = bj_get_copy(params, "subject", explain->subject, sizeof(explain->subject));
    explain->call = call_keep(client, id);
    if (!explain->call) {
        free(explain);
        return;
    }
    guard_wait(sandbox, on_presets, explain);
}

static void policy_files(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct sandbox *sandbox = find(client, id, params);
    msgpack_packer *packer = sandbox ? bj_rpc_result(&client->rpc, id) : NULL;
    if (!packer)
        return;
    const struct policy *policy = &sandbox->guard.policy;
    msgpack_pack_map(packer, 4);
    bj_pack_str(packer, "files");
    msgpack_pack_array(packer, policy->files_count);
    for (size_t i = 0; i < policy->files_count; i++)
        bj_pack_str(packer, policy->files[i]);
    bj_pack_str(packer, "presets");
    msgpack_pack_array(packer, policy->presets_count);
    for (size_t i = 0; i < policy->presets_count; i++) {
        const struct preset *preset = &policy->presets[i].preset;
        msgpack_pack_map(packer, 3);
        bj_pack_key_str(packer, "name", preset->name);
        bj_pack_str(packer, "hosts");
        msgpack_pack_array(packer, preset->count);
        for (size_t k = 0; k < preset->count; k++)
            bj_pack_str(packer, preset->hosts[k]);
        bj_pack_key_str(packer, "note", preset->note);
    }
    bj_pack_key_str(packer, "proposal", guard_proposal_name(sandbox->guard.proposal));
    bj_pack_str(packer, "credentials");
    msgpack_pack_array(packer, policy->credentials_count);
    for (size_t i = 0; i < policy->credentials_count; i++)
        bj_pack_str(packer, policy->credentials[i].name);
    bj_rpc_send(&client->rpc);
}

static void policy_reload(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    struct bj_error error = {0};
    struct sandbox **chosen = NULL;
    int count = dispatch_choose(server, params, &chosen, &error);
    int loaded = 0;
    for (int i = 0; i < count && !error.code; i++)
        if (!chosen[i]->ended && guard_load(chosen[i], &error) == 0) {
            guard_propose(chosen[i]);
            chosen[loaded++] = chosen[i];
        }
    if (count >= 0)
        rule_changed(server);
    if (error.code) {
        dispatch_fail(client, id, &error);
    } else {
        msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
        if (packer) {
            msgpack_pack_map(packer, 1);
            bj_pack_str(packer, "names");
            msgpack_pack_array(packer, (size_t)loaded);
            for (int i = 0; i < loaded; i++)
                bj_pack_str(packer, chosen[i]->record.name);
            bj_rpc_send(&client->rpc);
        }
    }
    if (count >= 0)
        free(chosen);
}

/* --- egress --- */

static void egress_list(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct sandbox *sandbox = find(client, id, params);
    msgpack_packer *packer = sandbox ? bj_rpc_result(&client->rpc, id) : NULL;
    if (!packer)
        return;
    msgpack_pack_array(packer, sandbox->traffic.count);
    for (size_t i = 0; i < sandbox->traffic.count; i++) {
        const struct traffic_host *host = &sandbox->traffic.hosts[i];
        bool now = host->open > 0 && server_clock() - host->told < 5000;
        msgpack_pack_map(packer, 8);
        bj_pack_key_str(packer, "host", host->host);
        bj_pack_key_uint(packer, "port", host->port);
        bj_pack_key_uint(packer, "open", host->open);
        bj_pack_key_uint(packer, "opened", host->opened);
        bj_pack_key_uint(packer, "in", host->in);
        bj_pack_key_uint(packer, "out", host->out);
        bj_pack_key_uint(packer, "rate", now ? host->rate : 0);
        bj_pack_key_uint(packer, "refused", host->refused);
    }
    bj_rpc_send(&client->rpc);
}

/* --- work --- */

static bool is_repository(const struct sandbox *sandbox)
{
    char path[BJ_PATH_MAX];
    struct stat info;
    return sandbox->record.project &&
           sandbox_state_path(sandbox, "project/.git", path, NULL) == 0 && lstat(path, &info) == 0;
}

/* Nothing runs in it: who wants its work builds a wall around that. */
static bool has_ended(const struct sandbox *sandbox)
{
    enum sandbox_state state = sandbox->record.state;
    return sandbox->ended || state == SANDBOX_EXITED || state == SANDBOX_LOST;
}

static void work_begin(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct bj_error error = {0};
    char action[12], path[BJ_PATH_MAX] = "";
    struct sandbox *sandbox = find(client, id, params);
    if (!sandbox)
        return;
    bj_get_copy(params, "action", action, sizeof(action));
    if (strcmp(action, "diff") != 0 && strcmp(action, "pull") != 0 && strcmp(action, "push") != 0 &&
        strcmp(action, "exec") != 0)
        bj_fail(&error, -EINVAL, "action is diff, pull, push or exec");
    else if (sandbox->record.state == SANDBOX_STARTING)
        bj_fail(&error, -EAGAIN, "%s is still starting: try again in a moment",
                sandbox->record.name);
    else if (sandbox->record.state == SANDBOX_PAUSED)
        bj_fail(&error, -EBUSY, "%s is paused: 'belljar resume %s' first", sandbox->record.name,
                sandbox->record.name);
    else if (!ledger_failing(client->server, &error) && !has_ended(sandbox))
        sandbox_runtime_path(sandbox, "exec.sock", path, &error);
    if (error.code) {
        dispatch_fail(client, id, &error);
        return;
    }
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 4);
    bj_pack_key_str(packer, "id", sandbox->record.id);
    bj_pack_key_str(packer, "exec", path);
    bj_pack_key_str(packer, "project", sandbox->record.project ? sandbox->record.project : "");
    bj_pack_key_bool(packer, "repository", is_repository(sandbox));
    bj_rpc_send(&client->rpc);
}

static void work_check(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct sandbox *sandbox = find(client, id, params);
    msgpack_packer *packer = sandbox ? bj_rpc_result(&client->rpc, id) : NULL;
    if (!packer)
        return;
    const msgpack_object *paths = bj_get(params, "paths");
    msgpack_pack_array(packer, paths->via.array.size);
    for (uint32_t i = 0; i < paths->via.array.size; i++) {
        const msgpack_object_str *path = &paths->via.array.ptr[i].via.str;
        struct policy_decision decision;
        guard_decide(sandbox, POLICY_FILE_OUT, path->ptr, path->size, &decision);
        bj_pack_str(packer, policy_effect_name(decision.effect));
    }
    bj_rpc_send(&client->rpc);
}

static void work_end(struct client *client, uint32_t id, const msgpack_object *params)
{
    char action[12], outcome[20], target[BJ_PATH_MAX + 1], detail[1028];
    struct sandbox *sandbox = find(client, id, params);
    if (!sandbox)
        return;
    bj_get_copy(params, "action", action, sizeof(action));
    bj_get_copy(params, "outcome", outcome, sizeof(outcome));
    bj_get_copy(params, "target", target, sizeof(target));
    bj_get_copy(params, "detail", detail, sizeof(detail));
    ledger_note(client->server, AUDIT_FILE_OUT, sandbox,
                json_pack("{s:o, s:o, s:o, s:I, s:I, s:o}", "action",
                          audit_text(action, strlen(action)), "outcome",
                          audit_text(outcome, strlen(outcome)), "target",
                          audit_text(target, strlen(target)), "files",
                          (json_int_t)bj_get_uint(params, "files", 0), "bytes",
                          (json_int_t)bj_get_uint(params, "bytes", 0), "detail",
                          audit_text(detail, strlen(detail))));
    bj_rpc_done(&client->rpc, id);
}

/* --- credentials that are environment variables --- */

static void credential_wanted(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct profile_variables wanted;
    char agent[PROFILE_NAME_MAX + 1];
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    bj_get_copy(params, "agent", agent, sizeof(agent));
    profile_variables(&wanted, &client->server->paths, bj_get(params, "agent") ? agent : NULL);
    msgpack_pack_array(packer, wanted.count);
    for (size_t i = 0; i < wanted.count; i++)
        bj_pack_str(packer, wanted.names[i]);
    profile_variables_free(&wanted);
    bj_rpc_send(&client->rpc);
}

/* What nobody wants is passed over. */
static void take_variable(struct secrets *secrets, const struct profile_variables *wanted,
                          const msgpack_object_str *text, struct bj_error *error)
{
    char *variable = strndup(text->ptr, text->size);
    if (!variable) {
        bj_fail(error, -ENOMEM, "out of memory");
        return;
    }
    if (profile_wants(wanted, variable))
        secret_give(secrets, variable, error);
    sodium_memzero(variable, strlen(variable));
    free(variable);
}

static void credential_give(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct bj_error error = {0};
    struct profile_variables wanted;
    struct secrets *secrets = &client->server->secrets;
    const msgpack_object_array *given = &bj_get(params, "variables")->via.array;
    profile_variables(&wanted, &client->server->paths, NULL);
    for (uint32_t i = 0; i < given->size; i++)
        take_variable(secrets, &wanted, &given->ptr[i].via.str, &error);
    profile_variables_free(&wanted);
    if (error.code < 0)
        dispatch_fail(client, id, &error);
    else
        bj_rpc_done(&client->rpc, id);
}

static const struct dispatch_method methods[] = {
    {"credential.wanted", credential_wanted},
    {"credential.give", credential_give},
    {"policy.explain", policy_explain_call},
    {"policy.files", policy_files},
    {"policy.reload", policy_reload},
    {"egress.list", egress_list},
    {"work.begin", work_begin},
    {"work.check", work_check},
    {"work.end", work_end},
};

bool dispatch_policy(struct client *client, uint32_t id, const struct bj_method *method,
                     const msgpack_object *params)
{
    return dispatch_among(methods, sizeof(methods) / sizeof(*methods), client, id, method, params);
}
