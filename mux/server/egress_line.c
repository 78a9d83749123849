#include "mux/server/egress_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/server/egress.h"
#include "mux/server/egress_secret.h"
#include "mux/server/hold.h"
#include "mux/server/ledger.h"
#include "mux/server/log.h"
#include "mux/server/registry.h"
#include "mux/server/server.h"
#include "mux/server/text.h"
#include "transport/pack.h"

/* In a minute, of one sandbox. */
#define AUDITED_MAX      120    /* connections with a record of their own */
#define HELD_MAX         240    /* questions to the human; each is two records */
#define DECIDED_FRESH_MS 60000U /* the same decision is on record once in so long */

/* A question that waits for the presets. */
struct pending {
    struct pending *next; /* sandbox->egress_pendings */
    uint64_t number;
    double asked;
    bool gone;
    char protocol[17];
    char subject[POLICY_AUTHORITY_MAX];
};

/* --- who it is --- */

static void hello(struct egress_line *line, const char *id)
{
    struct sandbox *sandbox = registry_find_id(line->server, id);
    if (line->sandbox)
        return;
    if (!sandbox || sandbox->ended || sandbox->record.egress.pid != line->pid ||
        !process_alive(&sandbox->record.egress)) {
        log_line("process %d is no egress proxy of %.16s: refused", (int)line->pid, id);
        bj_rpc_close(&line->rpc);
        return;
    }
    if (sandbox->egress)
        bj_rpc_close(&sandbox->egress->rpc);
    if (sandbox->egress)
        egress_line_unbind(sandbox->egress);
    line->sandbox = sandbox;
    sandbox->egress = line;
    traffic_rejoin(&sandbox->traffic);
}

static void note_rest(struct sandbox *sandbox)
{
    struct traffic *traffic = &sandbox->traffic;
    if (traffic->unlisted.count == 0)
        return;
    ledger_note(sandbox->server, AUDIT_CONNECTION, sandbox,
                json_pack("{s:s, s:I, s:I, s:I}", "host", "(more, not listed)", "count",
                          (json_int_t)traffic->unlisted.count, "sent",
                          (json_int_t)traffic->unlisted.out, "received",
                          (json_int_t)traffic->unlisted.in));
    memset(&traffic->unlisted, 0, sizeof(traffic->unlisted));
}

void egress_line_unbind(struct egress_line *line)
{
    struct sandbox *sandbox = line->sandbox;
    line->sandbox = NULL;
    if (!sandbox)
        return;
    note_rest(sandbox);
    if (sandbox->egress == line)
        sandbox->egress = NULL;
    for (struct pending *pending = sandbox->egress_pendings; pending; pending = pending->next)
        pending->gone = true;
    hold_drop(sandbox, ASKER_EGRESS);
}

/* --- verdicts --- */

static void pack_verdict(struct egress_line *line, uint64_t number, bool allow, const char *reason,
                         const char *subject)
{
    char wait[32];
    struct sandbox *sandbox = line->sandbox;
    bool any = allow && policy_private(&sandbox->guard.policy, subject, strlen(subject));
    snprintf(wait, sizeof(wait), "w%" PRIu64, number);
    msgpack_packer *packer = bj_rpc_notify(&line->rpc, "egress.verdict");
    msgpack_pack_map(packer, 4);
    bj_pack_key_str(packer, "wait_id", wait);
    bj_pack_key_str(packer, "answer", allow ? "allow" : "deny");
    bj_pack_key_str(packer, "reason", reason);
    bj_pack_key_bool(packer, "addresses_allowed", any);
    bj_rpc_send(&line->rpc);
}

/* The traffic entry of a subject, "host:port". */
static struct traffic_host *host_of(struct sandbox *sandbox, const char *subject)
{
    struct policy_host host;
    uint16_t port;
    if (policy_authority_parse(subject, strlen(subject), 0, &host, &port, NULL) < 0)
        return NULL;
    return traffic_host(&sandbox->traffic, host.text, port);
}

int egress_verdict(struct sandbox *sandbox, uint64_t number, bool allow, bool once,
                   const char *reason, const char *subject, struct bj_error *error)
{
    struct traffic_host *host = host_of(sandbox, subject);
    if (!sandbox->egress)
        return bj_fail(error, -ENOTCONN, "the egress proxy is gone, and with it who waited");
    if (host && allow)
        host->once = once;
    else if (host)
        host->refused++;
    pack_verdict(sandbox->egress, number, allow, reason, subject);
    return 0;
}

/* --- decisions --- */

static bool fresh(struct sandbox *sandbox, const struct policy_decision *decision)
{
    uint64_t now = server_clock();
    struct decided *oldest = &sandbox->decided[0];
    for (size_t i = 0; i < SANDBOX_DECIDED; i++) {
        struct decided *at = &sandbox->decided[i];
        if (at->at && at->effect == (int)decision->effect &&
            strcmp(at->subject, decision->subject) == 0) {
            bool known = now - at->at < DECIDED_FRESH_MS;
            at->at = known ? at->at : now;
            return !known;
        }
        if (at->at < oldest->at)
            oldest = at;
    }
    oldest->at = now;
    oldest->effect = (int)decision->effect;
    snprintf(oldest->subject, sizeof(oldest->subject), "%.*s", (int)sizeof(oldest->subject) - 1,
             decision->subject);
    return true;
}

static void note(struct sandbox *sandbox, const struct policy_decision *decision)
{
    if (!fresh(sandbox, decision))
        return;
    ledger_note(sandbox->server, AUDIT_VERDICT, sandbox,
                hold_decided(REQUEST_WALL, json_string("egress"), decision));
}

static bool is_credential_host(const struct sandbox *sandbox, const char *subject)
{
    const struct policy *policy = &sandbox->guard.policy;
    struct policy_host host;
    uint16_t port;
    if (policy_authority_parse(subject, strlen(subject), 0, &host, &port, NULL) < 0)
        return false;
    for (size_t i = 0; i < policy->credentials_count; i++) {
        const struct policy_credential *credential = &policy->credentials[i];
        if (credential->upstream && credential->upstream_port == port &&
            strcmp(credential->upstream_host.text, host.text) == 0)
            return true;
    }
    return false;
}

/* Decides otherwise than the line of the policy that matched. */
static void overrule(struct policy_decision *decision, enum policy_effect effect, const char *why)
{
    decision->effect = effect;
    decision->pattern[0] = '\0';
    decision->by_default = false;
    snprintf(decision->why, sizeof(decision->why), "%s", why);
}

/* What the policy says, with what stands above it: the quota, and that naming a credential's
 * upstream lets through to it. Effects but ask are on record afterwards. */
static void judge(struct sandbox *sandbox, const char *subject, const char *protocol,
                  struct policy_decision *decision)
{
    guard_decide(sandbox, POLICY_EGRESS, subject, strlen(subject), decision);
    if (decision->effect == POLICY_ASK && strcmp(protocol, "credential") == 0 &&
        is_credential_host(sandbox, subject))
        overrule(decision, POLICY_ALLOW, "allowed as the upstream of a credential");
    if (decision->effect == POLICY_ALLOW && sandbox->traffic.over) {
        overrule(
            decision, POLICY_DENY,
            "denied: the bytes that this sandbox may send and receive in one hour are used up");
        decision->rule = 0; /* nor is it that of what lets it through otherwise */
        snprintf(decision->where, sizeof(decision->where), "limits");
    }
    if (decision->effect == POLICY_ASK)
        return;
    if (decision->effect == POLICY_DENY) {
        struct traffic_host *host = host_of(sandbox, subject);
        if (host)
            host->refused++;
        server_alert(sandbox->server, sandbox, ALERT_WARNING, "egress",
                     "a connection to %.200s was denied (%.200s)", subject, decision->where);
    }
    note(sandbox, decision);
}

static void hold(struct sandbox *sandbox, uint64_t number, const char *protocol,
                 const struct policy_decision *decision, double asked)
{
    char detail[64];
    struct bj_error error = {0};
    snprintf(detail, sizeof(detail), "through the proxy, by %s", protocol);
    int status = traffic_within(&sandbox->traffic.held, HELD_MAX, server_clock())
                     ? hold_egress(sandbox, number, decision, detail, asked, &error)
                     : bj_fail(&error, -EAGAIN, "too many questions in one minute");
    if (status < 0 && sandbox->egress)
        pack_verdict(sandbox->egress, number, false, error.text, decision->subject);
}

static void on_presets(struct sandbox *sandbox, void *argument)
{
    struct pending *pending = argument;
    struct policy_decision decision;
    if (!sandbox) {
        free(pending);
        return;
    }
    for (struct pending **at = &sandbox->egress_pendings; *at; at = &(*at)->next)
        if (*at == pending) {
            *at = pending->next;
            break;
        }
    if (!pending->gone && sandbox->egress) {
        char reason[GUARD_REASON_MAX];
        judge(sandbox, pending->subject, pending->protocol, &decision);
        guard_reason(&decision, reason);
        if (decision.effect == POLICY_ASK)
            hold(sandbox, pending->number, pending->protocol, &decision, pending->asked);
        else
            pack_verdict(sandbox->egress, pending->number, decision.effect == POLICY_ALLOW, reason,
                         pending->subject);
    }
    free(pending);
}

static void answer_wait(struct egress_line *line, uint32_t id, uint64_t number)
{
    char wait[32];
    msgpack_packer *packer = bj_rpc_result(&line->rpc, id);
    if (!packer)
        return;
    snprintf(wait, sizeof(wait), "w%" PRIu64, number);
    msgpack_pack_map(packer, 2);
    bj_pack_key_str(packer, "answer", "wait");
    bj_pack_key_str(packer, "wait_id", wait);
    bj_rpc_send(&line->rpc);
}

static void answer_now(struct egress_line *line, uint32_t id,
                       const struct policy_decision *decision, const char *subject)
{
    char reason[GUARD_REASON_MAX];
    bool allow = decision->effect == POLICY_ALLOW;
    const struct policy *policy = &line->sandbox->guard.policy;
    msgpack_packer *packer = bj_rpc_result(&line->rpc, id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 4);
    bj_pack_key_str(packer, "answer", allow ? "allow" : "deny");
    guard_reason(decision, reason);
    bj_pack_key_str(packer, "reason", reason);
    bj_pack_key_bool(packer, "addresses_allowed",
                     allow && policy_private(policy, subject, strlen(subject)));
    bj_pack_key_uint(packer, "rule", decision->rule);
    bj_rpc_send(&line->rpc);
}

static void decide(struct egress_line *line, uint32_t id, const msgpack_object *params)
{
    struct sandbox *sandbox = line->sandbox;
    struct policy_decision decision;
    struct policy_host host;
    struct bj_error error = {0};
    char name[POLICY_HOST_MAX], protocol[17], subject[POLICY_AUTHORITY_MAX];
    size_t size = bj_get_copy(params, "host", name, sizeof(name));
    bj_get_copy(params, "protocol", protocol, sizeof(protocol));
    if (policy_host_canonical(name, size, &host, &error) < 0) {
        bj_rpc_error(&line->rpc, id, &error);
        return;
    }
    policy_authority_format(&host, (uint16_t)bj_get_uint(params, "port", 0), subject);
    uint64_t number = ++line->server->egress.waits;
    if (!sandbox->guard.ready) {
        struct pending *pending = calloc(1, sizeof(*pending));
        if (!pending) {
            bj_fail(&error, -ENOMEM, "out of memory");
            bj_rpc_error(&line->rpc, id, &error);
            return;
        }
        *pending = (struct pending){.number = number, .asked = hold_asked(sandbox, params)};
        memcpy(pending->subject, subject, sizeof(subject));
        memcpy(pending->protocol, protocol, sizeof(protocol));
        pending->next = sandbox->egress_pendings;
        sandbox->egress_pendings = pending;
        answer_wait(line, id, number);
        guard_wait(sandbox, on_presets, pending);
        return;
    }
    judge(sandbox, subject, protocol, &decision);
    if (decision.effect != POLICY_ASK) {
        answer_now(line, id, &decision, subject);
        return;
    }
    answer_wait(line, id, number);
    hold(sandbox, number, protocol, &decision, hold_asked(sandbox, params));
}

static void gone(struct sandbox *sandbox, const msgpack_object *params)
{
    char wait[65];
    bj_get_copy(params, "wait_id", wait, sizeof(wait));
    uint64_t number = wait[0] == 'w' ? strtoull(wait + 1, NULL, 10) : 0;
    for (struct pending *pending = sandbox->egress_pendings; pending; pending = pending->next)
        if (pending->number == number)
            pending->gone = true;
    hold_gone(sandbox, ASKER_EGRESS, number);
}

/* --- connections --- */

static struct traffic_host *read_host(struct sandbox *sandbox, const msgpack_object *params)
{
    char name[POLICY_HOST_MAX];
    struct policy_host host;
    size_t size = bj_get_copy(params, "host", name, sizeof(name));
    uint64_t port = bj_get_uint(params, "port", 0);
    if (port == 0 || port > 65535 || policy_host_canonical(name, size, &host, NULL) < 0)
        return NULL;
    return traffic_host(&sandbox->traffic, host.text, (uint16_t)port);
}

static void opened(struct sandbox *sandbox, const msgpack_object *params)
{
    struct traffic_host *host = read_host(sandbox, params);
    if (!host)
        return;
    host->open++;
    host->opened++;
}

/* What an agent can do as often as it likes does not fill the disk: beyond AUDITED_MAX connections
 * in a minute the audit log has their number and bytes. */
static void note_connection(struct sandbox *sandbox, const struct traffic_host *host, uint64_t in,
                            uint64_t out, double seconds)
{
    struct traffic *traffic = &sandbox->traffic;
    if (!traffic_within(&traffic->audited, AUDITED_MAX, server_clock())) {
        traffic->unlisted.count++;
        traffic->unlisted.in += in;
        traffic->unlisted.out += out;
        return;
    }
    note_rest(sandbox);
    ledger_note(sandbox->server, AUDIT_CONNECTION, sandbox,
                json_pack("{s:s, s:i, s:I, s:I, s:f}", "host", host->host, "port", host->port,
                          "sent", (json_int_t)out, "received", (json_int_t)in, "seconds", seconds));
}

static void closed(struct sandbox *sandbox, const msgpack_object *params)
{
    struct traffic_host *host = read_host(sandbox, params);
    const msgpack_object *seconds = bj_get(params, "seconds");
    bool timed = seconds && (seconds->type == MSGPACK_OBJECT_FLOAT64 ||
                             seconds->type == MSGPACK_OBJECT_FLOAT32);
    if (!host)
        return;
    if (host->open > 0)
        host->open--;
    timed = timed && seconds->via.f64 >= 0 && seconds->via.f64 < 1e9;
    note_connection(sandbox, host, bj_get_uint(params, "in", 0), bj_get_uint(params, "out", 0),
                    timed ? seconds->via.f64 : 0.0);
}

static void traffic(struct sandbox *sandbox, const msgpack_object *params)
{
    const msgpack_object *hosts = bj_get(params, "hosts");
    uint64_t now = server_clock();
    if (!hosts || hosts->type != MSGPACK_OBJECT_ARRAY)
        return;
    for (uint32_t i = 0; i < hosts->via.array.size; i++) {
        const msgpack_object *item = &hosts->via.array.ptr[i];
        struct traffic_host *host =
            item->type == MSGPACK_OBJECT_MAP ? read_host(sandbox, item) : NULL;
        if (host)
            traffic_count(&sandbox->traffic, host, bj_get_uint(item, "serial", 0),
                          bj_get_uint(item, "in", 0), bj_get_uint(item, "out", 0), now);
    }
    traffic_total(&sandbox->traffic, bj_get_uint(params, "in", 0) + bj_get_uint(params, "out", 0),
                  now);
    uint64_t quota = sandbox->record.quotas.egress;
    if (quota && !sandbox->traffic.over && traffic_hour(&sandbox->traffic, now) > quota) {
        sandbox->traffic.over = true;
        server_alert(sandbox->server, sandbox, ALERT_CRITICAL, "quota",
                     "its bytes of one hour over the network are used up: connections are closed");
        egress_cut(sandbox);
    }
}

static void refused(struct sandbox *sandbox, const msgpack_object *params)
{
    char host[513], reason[513];
    uint64_t more = bj_get_uint(params, "suppressed", 0);
    text_read(params, "host", host, sizeof(host));
    text_read(params, "reason", reason, sizeof(reason));
    struct traffic_host *entry = read_host(sandbox, params);
    if (entry)
        entry->refused += 1 + more;
    server_alert(sandbox->server, sandbox, ALERT_WARNING, "egress",
                 "a connection to %.200s was refused: %.200s", host[0] ? host : "nowhere", reason);
}

/* --- what comes --- */

void egress_line_call(struct egress_line *line, uint32_t id, const struct bj_method *method,
                      const msgpack_object *params)
{
    struct bj_error error = {0};
    char name[33];
    bj_get_copy(params, "id", name, sizeof(name));
    if (strcmp(method->name, "egress.hello") == 0) {
        hello(line, name);
        return;
    }
    if (!line->sandbox || strcmp(line->sandbox->record.id, name) != 0) {
        bj_fail(&error, -EPERM, "this connection does not speak for that sandbox");
        bj_rpc_error(&line->rpc, id, &error);
        return;
    }
    if (strcmp(method->name, "egress.decide") == 0)
        decide(line, id, params);
    else if (strcmp(method->name, "egress.credential") == 0)
        egress_secret(line, id, params);
    else if (strcmp(method->name, "egress.gone") == 0)
        gone(line->sandbox, params);
    else if (strcmp(method->name, "egress.opened") == 0)
        opened(line->sandbox, params);
    else if (strcmp(method->name, "egress.refused") == 0)
        refused(line->sandbox, params);
}

void egress_line_notification(struct egress_line *line, const char *name,
                              const msgpack_object *params)
{
    char id[33];
    if (!line->sandbox || !params || params->type != MSGPACK_OBJECT_MAP)
        return;
    bj_get_copy(params, "id", id, sizeof(id));
    if (strcmp(line->sandbox->record.id, id) != 0)
        return;
    if (strcmp(name, "egress.closed") == 0)
        closed(line->sandbox, params);
    else if (strcmp(name, "egress.traffic") == 0)
        traffic(line->sandbox, params);
}

/* --- revocation --- */

static void close_connections(struct sandbox *sandbox, const struct traffic_host *host)
{
    struct egress_line *line = sandbox->egress;
    log_line("sandbox %s (%s): connections to %s:%u are closed", sandbox->record.id,
             sandbox->record.name, host->host, host->port);
    msgpack_packer *packer = bj_rpc_notify(&line->rpc, "egress.revoke");
    msgpack_pack_map(packer, 2);
    bj_pack_key_str(packer, "host", host->host);
    bj_pack_key_uint(packer, "port", host->port);
    bj_rpc_send(&line->rpc);
}

void egress_cut(struct sandbox *sandbox)
{
    for (size_t i = 0; sandbox->egress && i < sandbox->traffic.count; i++)
        if (sandbox->traffic.hosts[i].open > 0)
            close_connections(sandbox, &sandbox->traffic.hosts[i]);
}

static void recheck(struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->traffic.count; i++) {
        const struct traffic_host *entry = &sandbox->traffic.hosts[i];
        struct policy_decision decision;
        struct policy_host host;
        char subject[POLICY_AUTHORITY_MAX];
        if (entry->open == 0 ||
            policy_host_canonical(entry->host, strlen(entry->host), &host, NULL) < 0)
            continue;
        policy_authority_format(&host, entry->port, subject);
        guard_decide(sandbox, POLICY_EGRESS, subject, strlen(subject), &decision);
        bool stays = decision.effect == POLICY_ALLOW ||
                     (decision.effect == POLICY_ASK &&
                      (entry->once || is_credential_host(sandbox, subject)));
        if (!stays)
            close_connections(sandbox, entry);
    }
}

void egress_recheck(struct server *server)
{
    for (size_t i = 0; i < server->sandbox_count; i++)
        if (server->sandboxes[i]->egress && server->sandboxes[i]->guard.ready)
            recheck(server->sandboxes[i]);
}
