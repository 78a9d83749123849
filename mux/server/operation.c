#include "mux/server/operation.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/server/ledger.h"
#include "mux/server/log.h"
#include "mux/server/monitor.h"
#include "mux/server/project.h"
#include "mux/server/registry.h"
#include "mux/server/start.h"
#include "mux/server/supervise.h"
#include "transport/pack.h"

#define STEP_MS        4U
#define MONITOR_ASK_MS 400U /* then the monitor is killed */
#define EACH_MS        30U  /* more time for each sandbox beyond the first */
#define JOBS_MAX       4    /* deletions at once */

struct item {
    struct operation *operation;
    char id[ID_SIZE];
    char name[NAME_SIZE];
    bool done, reached, asked_monitor, removes;
    struct job *job;
    struct bj_error error;
};

struct operation {
    uv_timer_t timer;
    struct server *server;
    enum operation_kind kind;
    struct call *call;
    void (*finished)(struct server *server);
    uint64_t began;
    size_t count;
    struct item items[];
};

static const char *const verbs[] = {"killed", "paused", "resumed", "removed"};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void answer(struct operation *operation)
{
    struct bj_error error = {0};
    size_t failed = 0;
    for (size_t i = 0; i < operation->count; i++)
        if (operation->items[i].error.code && failed++ == 0)
            error = operation->items[i].error;
    if (!operation->call)
        return;
    if (failed) {
        if (failed > 1) {
            char more[48];
            size_t length = strlen(error.text);
            snprintf(more, sizeof(more), " (and %zu more)", failed - 1);
            if (length + strlen(more) < sizeof(error.text))
                strcpy(error.text + length, more);
        }
        call_fail(operation->call, &error);
        return;
    }
    msgpack_packer *packer = call_result(operation->call);
    if (packer) {
        msgpack_pack_map(packer, 1);
        bj_pack_str(packer, "names");
        msgpack_pack_array(packer, operation->count);
        for (size_t i = 0; i < operation->count; i++)
            bj_pack_str(packer, operation->items[i].name);
    }
    call_done(operation->call);
}

static void finish_if_done(struct operation *operation)
{
    for (size_t i = 0; i < operation->count; i++)
        if (!operation->items[i].done)
            return;
    if (uv_is_closing((uv_handle_t *)&operation->timer))
        return;
    uv_close((uv_handle_t *)&operation->timer, on_closed);
    answer(operation);
    if (operation->finished)
        operation->finished(operation->server);
}

static void item_fail(struct item *item, int code, const char *why)
{
    bj_fail(&item->error, code, "%s was not %s: %s", item->name, verbs[item->operation->kind], why);
    item->done = true;
}

bool operation_clear(struct sandbox *sandbox, bool *asked, uint64_t passed)
{
    if (process_alive(&sandbox->record.monitor)) {
        /* A moment for the report of the end and the recording, also for one that is just being
         * connected to; then no more asking. */
        if (!*asked && (!sandbox->monitor || monitor_is_up(sandbox->monitor))) {
            monitor_stop(sandbox);
            *asked = true;
        }
        if (passed > MONITOR_ASK_MS)
            monitor_end(sandbox);
        return false;
    }
    if (process_alive(&sandbox->record.egress)) {
        process_signal(&sandbox->record.egress, passed > MONITOR_ASK_MS ? SIGKILL : SIGTERM);
        return false;
    }
    if (sandbox->monitor)
        monitor_abandon(sandbox->monitor);
    sandbox->record.monitor = (struct process_id){0};
    return true;
}

/* 1 when not one process of it is left, and the monitor is gone, too. */
static int kill_step(struct item *item, struct sandbox *sandbox, uint64_t passed)
{
    struct bj_error error = {0};
    struct fence fence = sandbox_fence(sandbox);
    sandbox->killed = true;
    if (sandbox->start) {
        bj_fail(&error, -ECANCELED, "the sandbox was killed while it started");
        start_fail(sandbox->start, &error);
        return 0;
    }
    if (!fence_kill(&fence))
        return 0;
    if (fence.cgroup[0] && cgroup_remove(fence.cgroup) == -EBUSY)
        return 0; /* the kernel still counts the last process for a moment */
    if (!operation_clear(sandbox, &item->asked_monitor, passed))
        return 0;
    supervise_ended(sandbox, sandbox->outer_status);
    start_remove_runtime(sandbox);
    return 1;
}

static int stop_step(struct item *item, struct sandbox *sandbox, bool stop)
{
    struct fence fence = sandbox_fence(sandbox);
    int status = fence_stop(&fence, stop);
    if (status == -ESRCH) {
        item_fail(item, status, "it has exited");
        return 0;
    }
    if (status <= 0)
        return 0;
    if (sandbox->record.state == SANDBOX_RUNNING || sandbox->record.state == SANDBOX_PAUSED ||
        sandbox->record.state == SANDBOX_STARTING)
        sandbox_set_state(sandbox, stop                     ? SANDBOX_PAUSED
                                   : sandbox->agent_started ? SANDBOX_RUNNING
                                                            : SANDBOX_STARTING);
    return 1;
}

static void on_deleted(void *owner, const struct bj_error *error)
{
    struct item *item = owner;
    struct operation *operation = item->operation;
    struct sandbox *sandbox = registry_find_id(operation->server, item->id);
    item->job = NULL;
    item->done = true;
    if (error) {
        item->error = *error;
        if (sandbox) {
            sandbox->removing = false;
            sandbox_save(sandbox); /* the record may have been among what is gone */
        }
    } else if (sandbox) {
        ledger_note(operation->server, AUDIT_REMOVE, sandbox, json_object());
        log_line("sandbox %s (%s) %s", item->id, item->name, verbs[operation->kind]);
        registry_remove(operation->server, sandbox);
    }
    finish_if_done(operation);
}

static void delete_step(struct item *item, struct sandbox *sandbox)
{
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    int running = 0;
    if (sandbox->removing && !item->removes)
        return; /* somebody else removes it */
    sandbox->removing = item->removes = true;
    for (size_t i = 0; i < item->operation->count; i++)
        running += item->operation->items[i].job != NULL;
    if (running >= JOBS_MAX)
        return;
    if (sandbox_state_path(sandbox, "", path, &error) == 0)
        item->job = project_delete(&sandbox->server->loop, path, on_deleted, item, &error);
    if (!item->job) {
        item_fail(item, error.code, error.text);
        sandbox->removing = false;
    }
}

static void step(struct item *item, uint64_t passed)
{
    struct operation *operation = item->operation;
    struct sandbox *sandbox = registry_find_id(operation->server, item->id);
    if (!sandbox) {
        item->done = true;
        return;
    }
    switch (item->reached ? OPERATION_KINDS : operation->kind) {
    case OPERATION_KILL:
    case OPERATION_REMOVE:
        item->reached = kill_step(item, sandbox, passed);
        break;
    case OPERATION_PAUSE:
    case OPERATION_RESUME:
        item->reached = stop_step(item, sandbox, operation->kind == OPERATION_PAUSE);
        break;
    case OPERATION_KINDS:
        break;
    }
    if (item->done)
        return;
    if (item->reached && operation->kind == OPERATION_REMOVE) {
        delete_step(item, sandbox);
    } else if (item->reached) {
        static const enum audit_kind kinds[] = {AUDIT_KILL, AUDIT_PAUSE, AUDIT_RESUME};
        ledger_note(operation->server, kinds[operation->kind], sandbox, json_object());
        log_line("sandbox %s (%s) %s", item->id, item->name, verbs[operation->kind]);
        item->done = true;
    } else if (passed > OPERATION_MS + EACH_MS * operation->count) {
        if (operation->kind == OPERATION_KILL || operation->kind == OPERATION_REMOVE)
            sandbox->killed = false; /* it still runs, so its monitor has to */
        item_fail(item, -ETIMEDOUT, "some of its processes have not followed yet");
    }
}

static void on_step(uv_timer_t *timer)
{
    struct operation *operation = timer->data;
    uint64_t passed = server_clock() - operation->began;
    for (size_t i = 0; i < operation->count; i++)
        if (!operation->items[i].done && !operation->items[i].job)
            step(&operation->items[i], passed);
    finish_if_done(operation);
}

int operation_start(struct server *server, enum operation_kind kind,
                    struct sandbox *const *sandboxes, size_t count, struct call *call,
                    void (*done)(struct server *server))
{
    struct operation *operation =
        calloc(1, sizeof(*operation) + count * sizeof(operation->items[0]));
    if (!operation) {
        struct bj_error error = {0};
        bj_fail(&error, -ENOMEM, "out of memory");
        if (call)
            call_fail(call, &error);
        return error.code;
    }
    operation->server = server;
    operation->kind = kind;
    operation->call = call;
    operation->finished = done;
    operation->began = server_clock();
    operation->count = count;
    for (size_t i = 0; i < count; i++) {
        struct item *item = &operation->items[i];
        item->operation = operation;
        memcpy(item->id, sandboxes[i]->record.id, sizeof(item->id));
        memcpy(item->name, sandboxes[i]->record.name, sizeof(item->name));
    }
    uv_timer_init(&server->loop, &operation->timer);
    operation->timer.data = operation;
    uv_timer_start(&operation->timer, on_step, 0, STEP_MS);
    return 0;
}
