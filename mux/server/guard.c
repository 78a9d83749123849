#include "mux/server/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "mux/server/hold.h"
#include "mux/server/log.h"
#include "mux/server/profile.h"
#include "mux/server/server.h"

#define PRESETS_FRESH_MS 1800000U /* what was found counts for other sandboxes so long */

/* Works on a policy of its own, so that nothing is shared with the worker. */
struct guard_load {
    uv_work_t work;
    struct server *server;
    struct sandbox *sandbox; /* NULL: cancelled */
    struct policy policy;
    char *project;
    bool shared; /* looks for what other sandboxes wait for, too */
    struct bj_error error;
};

struct guard_wait {
    struct guard_wait *next;
    guard_ready *ready;
    void *argument;
};

static void begin(struct sandbox *sandbox);

const char *guard_proposal_name(enum guard_proposal proposal)
{
    static const char *const names[] = {"none", "waiting", "accepted", "refused"};
    return names[proposal];
}

/* --- files --- */

static int read_proposal(struct sandbox *sandbox, struct proposal *proposal, struct bj_error *error)
{
    char copy[BJ_PATH_MAX];
    *proposal = (struct proposal){0};
    int status = sandbox_state_path(sandbox, "project", copy, error);
    return status < 0 ? status : proposal_read(proposal, copy, NULL, error);
}

/* The accepted proposal, if there is one now. What became of it since is no mistake of the user's:
 * it is asked about again. */
static void add_proposal(struct sandbox *sandbox, struct policy *policy)
{
    struct server *server = sandbox->server;
    struct proposal proposal;
    if (!sandbox->record.project || !server->accepted ||
        read_proposal(sandbox, &proposal, NULL) < 0)
        return;
    proposal_load(policy, &proposal, server->accepted, sandbox->record.project, NULL);
    proposal_free(&proposal);
}

/* Before the user's own, which so has the last word. A profile that is gone costs the sandbox what
 * it would allow, nothing else. */
static int add_profile(const struct sandbox *sandbox, struct policy *policy, struct bj_error *error)
{
    struct profile profile;
    if (!sandbox->record.agent)
        return 0;
    int status = profile_load(&profile, &sandbox->server->paths, sandbox->record.agent, error);
    if (status == 0 && profile.policy)
        status = policy_load_file(policy, profile.policy, NULL, error);
    profile_free(&profile);
    return status;
}

static int load_files(struct sandbox *sandbox, struct policy *policy, struct bj_error *error)
{
    const struct server *server = sandbox->server;
    int status = policy_load_builtin(policy, &server->paths, error);
    if (status == 0)
        status = add_profile(sandbox, policy, error);
    if (status == 0)
        status = policy_load_own(policy, &server->paths, error);
    if (status == 0)
        add_proposal(sandbox, policy);
    if (status == 0 && sandbox->record.policy)
        status = policy_load_file(policy, sandbox->record.policy, NULL, error);
    return status;
}

int guard_load(struct sandbox *sandbox, struct bj_error *error)
{
    struct guard *guard = &sandbox->guard;
    struct policy policy = {0};
    int status = load_files(sandbox, &policy, error);
    if (status < 0) {
        policy_free(&policy);
        return status;
    }
    policy_free(&guard->policy);
    guard->policy = policy;
    guard->ready = false;
    if (guard->load) /* it resolves what does not count any more */
        guard->load->sandbox = NULL;
    guard->load = NULL;
    begin(sandbox); /* those who wait still do */
    return 0;
}

void guard_recover(struct sandbox *sandbox)
{
    struct bj_error error = {0};
    if (guard_load(sandbox, &error) == 0)
        return;
    server_alert(sandbox->server, sandbox, ALERT_CRITICAL, "policy",
                 "its policy cannot be read, the built-in one counts alone: %s", error.text);
    policy_load_builtin(&sandbox->guard.policy, &sandbox->server->paths, &error);
}

/* --- presets --- */

static void call_waits(struct guard *guard, struct sandbox *sandbox)
{
    while (guard->waits) {
        struct guard_wait *wait = guard->waits;
        guard->waits = wait->next;
        wait->ready(sandbox, wait->argument);
        free(wait);
    }
}

static void on_work(uv_work_t *work)
{
    struct guard_load *load = work->data;
    struct preset_context context = {.project = load->project};
    policy_resolve(&load->policy, &context, &load->error);
}

/* Presets of the user's own configuration are the same for every sandbox; remotes are not. */
static bool shared(const char *name)
{
    return strcmp(name, "@git-remote") != 0;
}

static void remember(struct server *server, const struct policy *policy)
{
    for (size_t i = 0; i < policy->presets_count; i++)
        if (shared(policy->presets[i].preset.name))
            policy_set_preset(&server->presets, &policy->presets[i].preset, NULL);
    server->presets_found = server_clock();
}

static void on_worked(uv_work_t *work, int status)
{
    struct guard_load *load = work->data;
    struct sandbox *sandbox = load->sandbox;
    if (load->error.code == 0 && status == 0)
        remember(load->server, &load->policy);
    if (load->shared)
        load->server->presets_loading = false;
    if (sandbox) {
        struct guard *guard = &sandbox->guard;
        guard->load = NULL;
        if (load->error.code)
            server_alert(load->server, sandbox, ALERT_WARNING, "policy", "%s", load->error.text);
        for (size_t i = 0; i < load->policy.presets_count; i++)
            policy_set_preset(&guard->policy, &load->policy.presets[i].preset, NULL);
        guard->ready = true;
        call_waits(guard, sandbox);
    }
    policy_free(&load->policy);
    free(load->project);
    bool others = load->shared;
    struct server *server = load->server;
    free(load);
    for (size_t i = 0; others && i < server->sandbox_count; i++)
        begin(server->sandboxes[i]);
}

static int start_load(struct sandbox *sandbox, struct bj_error *error)
{
    struct server *server = sandbox->server;
    bool fresh =
        server->presets_found && server_clock() - server->presets_found <= PRESETS_FRESH_MS;
    struct guard_load *load = calloc(1, sizeof(*load));
    if (!load)
        return bj_fail(error, -ENOMEM, "out of memory");
    load->server = server;
    load->sandbox = sandbox;
    load->work.data = load;
    int status = load_files(sandbox, &load->policy, error);
    if (!fresh)
        policy_free(&server->presets);
    for (size_t i = 0; status == 0 && i < server->presets.presets_count; i++)
        status = policy_set_preset(&load->policy, &server->presets.presets[i].preset, error);
    if (status == 0 && sandbox->record.project &&
        !(load->project = strdup(sandbox->record.project)))
        status = bj_fail(error, -ENOMEM, "out of memory");
    if (status == 0)
        status = uv_queue_work(&server->loop, &load->work, on_work, on_worked);
    if (status < 0) {
        policy_free(&load->policy);
        free(load->project);
        free(load);
        return status;
    }
    sandbox->guard.load = load;
    load->shared = !fresh;
    if (load->shared)
        server->presets_loading = true;
    return 0;
}

/* Starts the search, unless there is nothing to search for, or another search will help first. */
static void begin(struct sandbox *sandbox)
{
    struct guard *guard = &sandbox->guard;
    struct bj_error error = {0};
    if (!guard->waits || guard->load || sandbox->server->presets_loading)
        return;
    if (start_load(sandbox, &error) == 0)
        return;
    server_alert(sandbox->server, sandbox, ALERT_WARNING, "policy",
                 "the presets of its policy are empty: %s", error.text);
    guard->ready = true;
    call_waits(guard, sandbox);
}

void guard_wait(struct sandbox *sandbox, guard_ready *ready, void *argument)
{
    struct guard *guard = &sandbox->guard;
    struct guard_wait *wait = guard->ready ? NULL : calloc(1, sizeof(*wait));
    if (!wait) {
        ready(sandbox, argument); /* without memory: presets are empty, so less is allowed */
        return;
    }
    *wait = (struct guard_wait){guard->waits, ready, argument};
    guard->waits = wait;
    begin(sandbox);
}

void guard_free(struct sandbox *sandbox)
{
    struct guard *guard = &sandbox->guard;
    if (guard->load)
        guard->load->sandbox = NULL;
    guard->load = NULL;
    call_waits(guard, NULL);
    policy_free(&guard->policy);
}

/* --- the project's proposal --- */

/* One line for each change, what widens first, for the human to read. */
static char *describe(const struct policy *current, const struct proposal *proposal, size_t *widens)
{
    struct proposal_line *lines = NULL;
    size_t count = 0, size = 1;
    *widens = 0;
    if (proposal_diff(current, proposal, &lines, &count, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        size += strlen(lines[i].text) + 16;
    char *text = calloc(1, size);
    for (size_t i = 0; text && i < count; i++) {
        size_t used = strlen(text);
        *widens += lines[i].widens;
        snprintf(text + used, size - used, "%s %s\n", lines[i].widens ? "+" : " ", lines[i].text);
    }
    proposal_lines_free(lines, count);
    return text;
}

void guard_propose(struct sandbox *sandbox)
{
    struct server *server = sandbox->server;
    struct guard *guard = &sandbox->guard;
    struct proposal proposal;
    struct bj_error error = {0};
    if (!sandbox->record.project)
        return;
    int status = read_proposal(sandbox, &proposal, &error);
    if (status == -ENOENT)
        return;
    memcpy(guard->hash, proposal.hash, sizeof(guard->hash));
    if (status < 0) {
        guard->proposal = GUARD_REFUSED;
        server_alert(server, sandbox, ALERT_WARNING, "policy",
                     "the project's own policy is not usable: %s", error.text);
        return;
    }
    if (server->accepted &&
        accepted_has(server->accepted, sandbox->record.project, proposal.hash)) {
        guard->proposal = GUARD_ACCEPTED;
    } else {
        size_t widens;
        char title[160];
        char *detail = describe(&guard->policy, &proposal, &widens);
        guard->proposal = GUARD_WAITING;
        snprintf(title, sizeof(title),
                 "the project's own policy file waits for your acceptance: %zu of its lines let "
                 "more through",
                 widens);
        hold_proposal(sandbox, proposal.hash, title, detail ? detail : "");
        free(detail);
    }
    proposal_free(&proposal);
}

int guard_accept(struct sandbox *sandbox, const char *hash, bool accept, struct bj_error *error)
{
    struct server *server = sandbox->server;
    struct proposal proposal;
    if (!accept) {
        if (strcmp(hash, sandbox->guard.hash) == 0)
            sandbox->guard.proposal = GUARD_REFUSED;
        return 0;
    }
    if (!server->accepted)
        return bj_fail(error, -EIO, "the list of accepted policies cannot be read: see the alerts");
    int status = read_proposal(sandbox, &proposal, error);
    if (status < 0)
        return status;
    status = accepted_add(server->accepted, sandbox->record.project, &proposal, hash, server_time(),
                          error);
    proposal_free(&proposal);
    if (status < 0)
        return status;
    sandbox->guard.proposal = GUARD_ACCEPTED;
    return guard_load(sandbox, error);
}

/* --- decisions --- */

void guard_decide(struct sandbox *sandbox, enum policy_kind kind, const char *subject, size_t size,
                  struct policy_decision *decision)
{
    struct policy_query query = {
        .kind = kind,
        .subject = subject,
        .size = size,
        .sandbox = sandbox->record.id,
        .project = sandbox->record.project,
        .now = server_time(),
    };
    policy_decide(&sandbox->guard.policy, &sandbox->server->rules, &query, decision);
}

void guard_reason(const struct policy_decision *decision, char out[GUARD_REASON_MAX])
{
    const char *by = decision->rule ? "a rule" : "the policy";
    if (!decision->pattern[0] && !decision->by_default) /* it names neither */
        snprintf(out, GUARD_REASON_MAX, "%.500s", decision->why);
    else if (decision->effect == POLICY_ALLOW)
        snprintf(out, GUARD_REASON_MAX, "allowed by %s", by);
    else
        snprintf(out, GUARD_REASON_MAX, "%s does not let this through: %.300s", by,
                 decision->subject);
}

/* --- the server's own --- */

void guards_open(struct server *server)
{
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    int status = bj_path(path, sizeof(path), &error, "%s/rules.json", server->paths.state);
    if (status == 0)
        status = rules_open(&server->rules, path, &error);
    if (status < 0)
        server_alert(server, NULL, ALERT_CRITICAL, "rules",
                     "remembered rules do not count until this is mended: %s", error.text);
    status = bj_path(path, sizeof(path), &error, "%s/accepted.json", server->paths.state);
    if (status == 0)
        status = accepted_open(&server->accepted, path, &error);
    if (status < 0)
        server_alert(server, NULL, ALERT_CRITICAL, "policy",
                     "accepted policies of projects do not count until this is mended: %s",
                     error.text);
}

void guards_close(struct server *server)
{
    rules_free(&server->rules);
    accepted_free(server->accepted);
    policy_free(&server->presets);
}
