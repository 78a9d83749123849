#include "mux/server/event.h"

#include <string.h>

#include "mux/server/client.h"
#include "mux/server/pace.h"
#include "mux/server/registry.h"
#include "mux/server/signs.h"
#include "transport/pack.h"

static void pack_limits(msgpack_packer *packer, const struct record *record)
{
    const struct cgroup_limits *limits = &record->limits;
    bj_pack_str(packer, "limits");
    msgpack_pack_map(packer, 6);
    bj_pack_key_uint(packer, "memory", limits->memory);
    bj_pack_key_uint(packer, "millicpus", limits->millicpus);
    bj_pack_key_uint(packer, "pids", limits->pids);
    bj_pack_key_uint(packer, "disk", record->quotas.disk);
    bj_pack_key_uint(packer, "egress", record->quotas.egress);
    bj_pack_key_uint(packer, "wall_clock", record->quotas.wall_clock);
}

static void pack_words(msgpack_packer *packer, const char *key, char *const *words)
{
    size_t count = 0;
    while (words && words[count])
        count++;
    bj_pack_str(packer, key);
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++)
        bj_pack_str(packer, words[i]);
}

static void pack_paths(msgpack_packer *packer, const struct sandbox *sandbox)
{
    char path[BJ_PATH_MAX];
    path[0] = '\0';
    sandbox_runtime_path(sandbox, "view.sock", path, NULL);
    bj_pack_key_str(packer, "view", path);
    bj_pack_str(packer, "recording");
    msgpack_pack_array(packer, BJ_RECORDING_FILES);
    for (int i = 0; i < BJ_RECORDING_FILES; i++) {
        path[0] = '\0';
        sandbox_recording_path(sandbox, false, i, path, NULL);
        bj_pack_str(packer, path);
    }
}

static void pack_exit(msgpack_packer *packer, const struct record *record)
{
    if (record->has_exit) {
        bj_pack_key_int(packer, "exit_code", record->exit_code);
        bj_pack_key_int(packer, "exit_signal", record->exit_signal);
    } else {
        bj_pack_key_str(packer, "exit_code", NULL);
        bj_pack_key_str(packer, "exit_signal", NULL);
    }
    bj_pack_key_str(packer, "error", record->error);
}

static void pack_doing(msgpack_packer *packer, struct sandbox *sandbox)
{
    signs_judge(sandbox);
    const struct activity *activity = &sandbox->activity;
    bj_pack_key_str(packer, "doing", activity_doing_name(activity->doing));
    bj_pack_key_str(packer, "source", activity_source_name(activity->source));
    if (activity->since)
        bj_pack_key_double(packer, "since", signs_unix(activity->since));
    else
        bj_pack_key_str(packer, "since", NULL);
}

static void pack_timeline(msgpack_packer *packer, const struct timeline *timeline)
{
    struct timeline_run runs[TIMELINE_RUNS];
    size_t count = timeline_runs(timeline, runs);
    bj_pack_str(packer, "timeline");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++) {
        msgpack_pack_array(packer, 2);
        bj_pack_str(packer, activity_doing_name(runs[i].doing));
        msgpack_pack_uint64(packer, runs[i].steps);
    }
}

#define SANDBOX_FIELDS 37

static void pack_sandbox(msgpack_packer *packer, struct sandbox *sandbox)
{
    const struct server *server = sandbox->server;
    const struct record *record = &sandbox->record;
    bj_pack_key_str(packer, "id", record->id);
    bj_pack_key_str(packer, "name", record->name);
    bj_pack_key_str(packer, "state", sandbox_state_shown(sandbox));
    pack_words(packer, "argv", record->argv);
    pack_words(packer, "arguments", record->agent ? record->arguments : NULL);
    pack_words(packer, "env", record->variables);
    bj_pack_key_str(packer, "project", record->project);
    bj_pack_key_str(packer, "driver", record->driver);
    bj_pack_key_str(packer, "policy", record->policy);
    bj_pack_key_uint(packer, "record_limit", record->record_limit);
    bj_pack_key_uint(packer, "scrollback", record->scrollback);
    bj_pack_key_str(packer, "session", record->session);
    bj_pack_key_double(packer, "created", record->created);
    pack_exit(packer, record);
    bj_pack_key_str(packer, "title", sandbox->title);
    bj_pack_key_uint(packer, "rows", sandbox->rows);
    bj_pack_key_uint(packer, "cols", sandbox->cols);
    bj_pack_key_uint(packer, "requests", request_count(&server->requests, record->id));
    bj_pack_key_uint(packer, "alerts", alert_open_count(&server->alerts, record->id));
    pack_paths(packer, sandbox);
    bj_pack_key_uint(packer, "init_pid", sandbox->ended ? 0 : (uint64_t)record->init.pid);
    bj_pack_key_uint(packer, "monitor_pid", sandbox->monitor ? (uint64_t)record->monitor.pid : 0);
    pack_limits(packer, record);
    bj_pack_key_str(packer, "link", sandbox->link_up ? "up" : "down");
    bj_pack_key_bool(packer, "paced", pace_is_on(sandbox));
    bj_pack_key_uint(packer, "uid", record->uid);
    bj_pack_key_uint(packer, "bell", sandbox->bells);
    bj_pack_key_str(packer, "cgroup", record->cgroup);
    bj_pack_key_str(packer, "agent", record->agent);
    bj_pack_key_str(packer, "agent_state", sandbox->agent_state);
    bj_pack_key_str(packer, "agent_text", sandbox->agent_text);
    pack_doing(packer, sandbox);
}

void event_sandbox(msgpack_packer *packer, struct sandbox *sandbox)
{
    msgpack_pack_map(packer, SANDBOX_FIELDS);
    pack_sandbox(packer, sandbox);
}

void event_sandbox_whole(msgpack_packer *packer, struct sandbox *sandbox)
{
    msgpack_pack_map(packer, SANDBOX_FIELDS + 1);
    pack_sandbox(packer, sandbox);
    pack_timeline(packer, &sandbox->timeline);
}

/* Each sandbox once, oldest first. */
static void pack_askers(msgpack_packer *packer, const struct request *request)
{
    bj_pack_str(packer, "sandboxes");
    msgpack_pack_array(packer, request_sandboxes(request));
    for (size_t i = 0; i < request->count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(request->askers[k].sandbox_id, request->askers[i].sandbox_id) == 0;
        if (!seen)
            bj_pack_str(packer, request->askers[i].sandbox_id);
    }
}

void event_request(msgpack_packer *packer, const struct server *server,
                   const struct request *request)
{
    const char *first = request->count ? request->askers[0].sandbox_id : "";
    const struct sandbox *sandbox = registry_find_id(server, first);
    msgpack_pack_map(packer, 14);
    bj_pack_key_str(packer, "id", request->id);
    bj_pack_key_str(packer, "sandbox", sandbox ? sandbox->record.name : "");
    bj_pack_key_str(packer, "sandbox_id", first);
    bj_pack_key_str(packer, "class", request_class_name(request->class));
    bj_pack_key_str(packer, "kind", request->kind);
    bj_pack_key_str(packer, "subject", request->subject);
    bj_pack_key_str(packer, "title", request->title);
    bj_pack_key_bool(packer, "cut", request->cut);
    bj_pack_key_str(packer, "detail", request->detail);
    bj_pack_key_double(packer, "created", request->created);
    bj_pack_key_uint(packer, "count", request_sandboxes(request));
    pack_askers(packer, request);
    bj_pack_key_uint(packer, "risk", request->risk);
    bj_pack_key_str(packer, "why", request->why);
}

void event_alert(msgpack_packer *packer, const struct alert *alert)
{
    msgpack_pack_map(packer, 10);
    bj_pack_key_uint(packer, "id", alert->id);
    bj_pack_key_str(packer, "sandbox", alert->sandbox);
    bj_pack_key_str(packer, "sandbox_id", alert->sandbox_id);
    bj_pack_key_str(packer, "severity", alert_severity_name(alert->severity));
    bj_pack_key_str(packer, "kind", alert->kind);
    bj_pack_key_str(packer, "text", alert->text);
    bj_pack_key_uint(packer, "count", alert->count);
    bj_pack_key_double(packer, "first", alert->first);
    bj_pack_key_double(packer, "last", alert->last);
    bj_pack_key_bool(packer, "acknowledged", alert->acknowledged);
}

void event_session(msgpack_packer *packer, const struct server *server,
                   const struct session *session)
{
    msgpack_pack_map(packer, 8);
    bj_pack_key_str(packer, "name", session->name);
    bj_pack_key_str(packer, "layout", session->layout);
    bj_pack_key_str(packer, "order", session->order);
    bj_pack_key_str(packer, "sort", session->sort);
    bj_pack_key_str(packer, "selected", session->selected);
    bj_pack_str(packer, "panes");
    msgpack_pack_array(packer, session->count);
    for (size_t i = 0; i < session->count; i++)
        bj_pack_str(packer, session->panes[i]);
    bj_pack_key_uint(packer, "pinned", session->pinned);
    bj_pack_key_uint(packer, "clients", clients_count(server, session->name));
}

static void pack_client(msgpack_packer *packer, const struct client *client)
{
    const struct sandbox *sandbox = registry_find_id(client->server, client->focus);
    msgpack_pack_map(packer, 10);
    bj_pack_key_uint(packer, "number", client->number);
    bj_pack_key_str(packer, "name", client->label);
    bj_pack_key_str(packer, "user", client->user);
    bj_pack_key_str(packer, "from", client->from);
    bj_pack_key_str(packer, "session", client->session);
    bj_pack_key_double(packer, "since", client->since);
    bj_pack_key_bool(packer, "readonly", client->readonly);
    bj_pack_key_str(packer, "sandbox_id", sandbox ? client->focus : "");
    bj_pack_key_str(packer, "sandbox", sandbox ? sandbox->record.name : "");
    bj_pack_key_bool(packer, "typing", client->typing);
}

void event_clients(msgpack_packer *packer, const struct client *client)
{
    size_t count = 0;
    for (const struct client *at = client->server->clients; at; at = at->next)
        count += at->dashboard && !at->rpc.closing;
    msgpack_pack_map(packer, 2);
    bj_pack_key_uint(packer, "you", client->number);
    bj_pack_str(packer, "clients");
    msgpack_pack_array(packer, count);
    for (const struct client *at = client->server->clients; at; at = at->next)
        if (at->dashboard && !at->rpc.closing)
            pack_client(packer, at);
}

static void pack_figure(msgpack_packer *packer, const char *key, bool known, uint64_t value)
{
    if (known)
        bj_pack_key_uint(packer, key, value);
    else
        bj_pack_key_str(packer, key, NULL);
}

void event_stats(msgpack_packer *packer, struct sandbox *sandbox)
{
    const struct sample *sample = &sandbox->sample;
    bool known = sample->taken != 0;
    msgpack_pack_map(packer, 12);
    bj_pack_key_str(packer, "id", sandbox->record.id);
    if (known && sample->has_cpu)
        bj_pack_key_double(packer, "cpu", sample->cpu);
    else
        bj_pack_key_str(packer, "cpu", NULL);
    pack_figure(packer, "memory", known && sample->has_memory, sample->memory);
    pack_figure(packer, "pids", known, sample->pids);
    pack_figure(packer, "disk_read", known && sample->has_disk, sample->disk_read);
    pack_figure(packer, "disk_write", known && sample->has_disk, sample->disk_write);
    pack_figure(packer, "net_in", known && sample->has_net, sample->net_in);
    pack_figure(packer, "net_out", known && sample->has_net, sample->net_out);
    uint64_t output = sandbox->facts.output_at;
    pack_figure(packer, "quiet", output != 0, (server_clock() - output) / 1000);
    pack_doing(packer, sandbox);
}
