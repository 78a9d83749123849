#include "mux/server/registry.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/server/client.h"
#include "mux/server/egress.h"
#include "mux/server/egress_line.h"
#include "mux/server/hold.h"
#include "mux/server/identity.h"
#include "mux/server/monitor.h"
#include "mux/server/profile.h"

struct sandbox *registry_find_name(const struct server *server, const char *name)
{
    for (size_t i = 0; i < server->sandbox_count; i++)
        if (strcmp(server->sandboxes[i]->record.name, name) == 0)
            return server->sandboxes[i];
    return NULL;
}

struct sandbox *registry_find_id(const struct server *server, const char *id)
{
    for (size_t i = 0; i < server->sandbox_count; i++)
        if (strcmp(server->sandboxes[i]->record.id, id) == 0)
            return server->sandboxes[i];
    return NULL;
}

static bool name_taken(void *argument, const char *name)
{
    return registry_find_name(argument, name) != NULL;
}

static bool uid_taken(void *argument, uint32_t uid)
{
    const struct server *server = argument;
    for (size_t i = 0; i < server->sandbox_count; i++)
        if (server->sandboxes[i]->record.uid == uid)
            return true;
    return false;
}

static struct sandbox *append(struct server *server, struct bj_error *error)
{
    struct sandbox *sandbox = calloc(1, sizeof(*sandbox));
    struct sandbox **grown =
        sandbox ? realloc(server->sandboxes, (server->sandbox_count + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        free(sandbox);
        bj_fail(error, -ENOMEM, "out of memory");
        return NULL;
    }
    server->sandboxes = grown;
    server->sandboxes[server->sandbox_count++] = sandbox;
    sandbox->server = server;
    return sandbox;
}

struct sandbox *registry_add(struct server *server, struct bj_error *error)
{
    char id[ID_SIZE];
    uint32_t uid;
    if (identity_choose(&uid, uid_taken, server, error) < 0)
        return NULL;
    do
        id_make(id);
    while (registry_find_id(server, id));
    struct sandbox *sandbox = append(server, error);
    if (!sandbox)
        return NULL;
    memcpy(sandbox->record.id, id, sizeof(id));
    sandbox->record.uid = uid;
    sandbox->record.gid = geteuid() == 0 ? uid : getgid();
    return sandbox;
}

int registry_check_name(const struct server *server, const char *name, struct bj_error *error)
{
    int status = name_check(name, error);
    if (status < 0)
        return status;
    const struct sandbox *holder = registry_find_name(server, name);
    if (!holder)
        return 0;
    bool gone = holder->record.state == SANDBOX_EXITED || holder->record.state == SANDBOX_LOST;
    return bj_fail(error, -EEXIST,
                   "the name %s is taken by sandbox %s (%s): choose another one, or %s", name,
                   holder->record.id, sandbox_state_shown(holder),
                   gone ? "remove that one with 'belljar rm'" : "rename that one");
}

void registry_make_name(struct server *server, const char *program, char out[NAME_SIZE])
{
    name_make(out, program, name_taken, server);
}

static void sandbox_free(struct sandbox *sandbox)
{
    if (sandbox->monitor)
        monitor_abandon(sandbox->monitor);
    if (sandbox->egress)
        egress_line_unbind(sandbox->egress);
    guard_free(sandbox);
    traffic_free(&sandbox->traffic);
    watch_cancel(sandbox->init_watch);
    watch_cancel(sandbox->outer_watch);
    record_free(&sandbox->record);
    profile_list_free(sandbox->env);
    free(sandbox);
}

void registry_remove(struct server *server, struct sandbox *sandbox)
{
    hold_forget(sandbox);
    egress_end(sandbox);
    rules_forget(&server->rules, sandbox->record.id, NULL);
    alert_forget(&server->alerts, sandbox->record.id);
    server_keep_alerts(server);
    if (session_forget(&server->sessions, sandbox->record.id))
        server->sessions_dirty = true;
    clients_send_gone(server, sandbox);
    for (size_t i = 0; i < server->sandbox_count; i++) {
        if (server->sandboxes[i] != sandbox)
            continue;
        memmove(&server->sandboxes[i], &server->sandboxes[i + 1],
                (server->sandbox_count - i - 1) * sizeof(*server->sandboxes));
        server->sandbox_count--;
        break;
    }
    sandbox_free(sandbox);
}

static int by_age(const void *a, const void *b)
{
    double first = (*(struct sandbox *const *)a)->record.created;
    double second = (*(struct sandbox *const *)b)->record.created;
    return first < second ? -1 : first > second;
}

/* It may be there in a moment, so that it must not be left out. */
static bool is_want(int status)
{
    return status == -ENOMEM || status == -EMFILE || status == -ENFILE;
}

static int load_one(struct server *server, const char *id, struct bj_error *why)
{
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    struct record record;
    int status = bj_path(path, sizeof(path), &error, "%s/%s", server->paths.state, id);
    if (status == 0)
        status = record_load(&record, path, &error);
    if (status == 0 && (strcmp(record.id, id) != 0 || registry_find_name(server, record.name))) {
        status =
            bj_fail(&error, -EINVAL, "%s/sandbox.json has the id or name of another sandbox", path);
        record_free(&record);
    }
    struct sandbox *sandbox = status == 0 ? append(server, &error) : NULL;
    if (!sandbox) {
        if (status == 0)
            record_free(&record);
        if (is_want(error.code))
            return bj_fail(why, error.code, "%s", error.text);
        server_alert(server, NULL, ALERT_WARNING, "record", "a sandbox was left out: %s",
                     error.text);
        return 0;
    }
    sandbox->record = record;
    sandbox->rows = record.rows;
    sandbox->cols = record.cols;
    return 0;
}

int registry_load(struct server *server, struct bj_error *error)
{
    DIR *directory = opendir(server->paths.state);
    struct dirent *entry;
    int status = 0;
    if (!directory)
        return bj_fail(error, -errno, "cannot read %s: %s", server->paths.state, strerror(errno));
    while (status == 0 && (entry = readdir(directory)))
        if (id_check(entry->d_name))
            status = load_one(server, entry->d_name, error);
    closedir(directory);
    if (status < 0)
        return status;
    if (server->sandbox_count)
        qsort(server->sandboxes, server->sandbox_count, sizeof(*server->sandboxes), by_age);
    return 0;
}

void registry_free(struct server *server)
{
    while (server->sandbox_count)
        sandbox_free(server->sandboxes[--server->sandbox_count]);
    free(server->sandboxes);
    server->sandboxes = NULL;
}
