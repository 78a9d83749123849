#include "mux/server/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/resource/procfs.h"
#include "mux/resource/tree.h"
#include "mux/server/client.h"
#include "mux/server/hold.h"
#include "mux/server/operation.h"
#include "mux/server/registry.h"
#include "mux/server/server.h"
#include "mux/server/start.h"

#define DISK_MS       60000U /* at most between two counts; less where a count is cheap */
#define DISK_SHARE    20U    /* a count takes at most one part in so many of the time */
#define LATE_SECONDS  600.0
#define STUCK_MS      900000U
#define STUCK_CPU_US  10000000U /* a shell that never did anything is not stuck */
#define ACTIVE_US     5000
#define FRESH_NS      2000000000U
#define FLOOD_MS      5000U
#define FLOOD_BYTES   (10U << 20) /* per second */
#define OVER_CPU_MOST 3U
#define GIB           1073741824.0

enum {
    TOLD_WALL = 1,
    TOLD_PIDS = 2,
    TOLD_STUCK = 4,
    TOLD_CPU = 8,
    TOLD_HIGH = 16,
    TOLD_HIDDEN = 32
};

static void pause_it(struct sandbox *sandbox)
{
    if (sandbox->record.state == SANDBOX_RUNNING)
        operation_start(sandbox->server, OPERATION_PAUSE, &sandbox, 1, NULL, NULL);
}

#define SIZE_TEXT 24

static const char *size_text(uint64_t bytes, char out[SIZE_TEXT])
{
    bool large = (double)bytes >= GIB;
    snprintf(out, SIZE_TEXT, large ? "%.1f GiB" : "%.1f MiB",
             (double)bytes / (large ? GIB : GIB / 1024));
    return out;
}

/* True the first time; `over` false makes the next time the first again. */
static bool first_time(struct sandbox *sandbox, unsigned bit, bool over)
{
    bool first = over && !(sandbox->watched.told & bit);
    if (over)
        sandbox->watched.told |= bit;
    else
        sandbox->watched.told &= ~bit;
    return first;
}

/* Over a limit, and not paused for just that already. */
static bool is_over(uint64_t used, uint64_t limit, uint64_t *paused)
{
    if (used <= limit)
        *paused = 0;
    if (used <= limit || (*paused && used < *paused + limit / 10))
        return false;
    *paused = used;
    return true;
}

/* --- disk --- */

struct count {
    uv_work_t work;
    struct server *server;
    char id[ID_SIZE];
    char project[BJ_PATH_MAX], home[BJ_PATH_MAX], kept[BJ_PATH_MAX];
    pid_t init;
    uint64_t bytes;
    int status;     /* of tree_add() */
    uint64_t began; /* monotonic ms */
};

/* A file that was removed while it is open takes room as well. */
static void on_count(uv_work_t *work)
{
    struct count *count = work->data;
    struct tree_use use = {0};
    struct stat info;
    count->status = tree_add(&use, count->home);
    if (count->status == 0 && (count->status = tree_add(&use, count->project)) == -ENOENT)
        count->status = 0; /* it was run without one */
    if (count->status == 0 && (count->status = tree_add(&use, count->kept)) == -ENOENT)
        count->status = 0; /* nothing of its home directory is elsewhere */
    if (lstat(count->home, &info) == 0)
        use.bytes += procfs_unlinked(count->init, info.st_dev);
    count->bytes = use.bytes;
}

static void judge_disk(struct sandbox *sandbox, const struct count *count)
{
    uint64_t limit = sandbox->record.quotas.disk;
    char taken[SIZE_TEXT], most[SIZE_TEXT];
    bool hidden = count->status == -E2BIG || count->status == -EACCES;
    if (first_time(sandbox, TOLD_HIDDEN, hidden)) {
        server_alert(sandbox->server, sandbox, ALERT_CRITICAL, "quota",
                     "paused: its files cannot be counted: %s",
                     count->status == -E2BIG ? "too many, or too deep inside each other"
                                             : "a folder may not be read");
        pause_it(sandbox);
    } else if ((count->status == 0 || count->bytes > limit) &&
               is_over(count->bytes, limit, &sandbox->watched.disk_paused)) {
        server_alert(sandbox->server, sandbox, ALERT_CRITICAL, "quota",
                     "paused: its files take %s, its limit is %s", size_text(count->bytes, taken),
                     size_text(limit, most));
        pause_it(sandbox);
    }
}

static void on_counted(uv_work_t *work, int status)
{
    struct count *count = work->data;
    struct sandbox *sandbox = registry_find_id(count->server, count->id);
    if (sandbox) {
        sandbox->watched.disk_busy = false;
        sandbox->watched.disk_took = server_clock() - count->began;
    }
    if (status == 0 && sandbox && sandbox->record.quotas.disk)
        judge_disk(sandbox, count);
    free(count);
}

static void look_at_disk(struct sandbox *sandbox, uint64_t now)
{
    struct watched *watched = &sandbox->watched;
    uint64_t pause = watched->disk_took * DISK_SHARE;
    if (!sandbox->record.quotas.disk || watched->disk_busy ||
        (watched->disk_looked && now - watched->disk_looked < (pause < DISK_MS ? pause : DISK_MS)))
        return;
    struct count *count = calloc(1, sizeof(*count));
    if (!count)
        return;
    watched->disk_looked = now;
    count->server = sandbox->server;
    count->init = sandbox->record.init.pid;
    count->began = now;
    count->work.data = count;
    memcpy(count->id, sandbox->record.id, sizeof(count->id));
    if (sandbox_state_path(sandbox, "project", count->project, NULL) < 0 ||
        sandbox_state_path(sandbox, "home", count->home, NULL) < 0 ||
        sandbox_state_path(sandbox, "kept", count->kept, NULL) < 0 ||
        uv_queue_work(&sandbox->server->loop, &count->work, on_count, on_counted) < 0)
        free(count);
    else
        watched->disk_busy = true;
}

/* --- figures --- */

static void look_at_memory(struct sandbox *sandbox)
{
    const struct sample *sample = &sandbox->sample;
    uint64_t limit = sandbox->record.limits.memory;
    bool enforced = sandbox->server->cgroups.memory;
    if (!limit || !sample->has_memory)
        return;
    char taken[SIZE_TEXT], most[SIZE_TEXT];
    bool over = sample->memory > limit && !enforced;
    if (first_time(sandbox, TOLD_HIGH, !over && sample->memory > limit / 10 * 9))
        server_alert(sandbox->server, sandbox, ALERT_WARNING, "memory",
                     "its memory is %s, its limit %s", size_text(sample->memory, taken),
                     size_text(limit, most));
    if (enforced || !is_over(sample->memory, limit, &sandbox->watched.memory_paused))
        return;
    server_alert(sandbox->server, sandbox, ALERT_CRITICAL, "memory",
                 "paused: its memory is %s, its limit %s", size_text(sample->memory, taken),
                 size_text(limit, most));
    pause_it(sandbox);
}

static void look_at_ooms(struct sandbox *sandbox)
{
    struct watched *watched = &sandbox->watched;
    int64_t ooms = sandbox->record.cgroup[0] && sandbox->server->cgroups.memory
                       ? cgroup_ooms(sandbox->record.cgroup)
                       : 0;
    if (ooms > watched->ooms)
        server_alert(sandbox->server, sandbox, ALERT_CRITICAL, "memory",
                     "the kernel ended %lld of its processes for want of memory",
                     (long long)(ooms - watched->ooms));
    if (ooms > 0)
        watched->ooms = ooms;
}

static void look_at_figures(struct sandbox *sandbox, uint64_t now)
{
    struct server *server = sandbox->server;
    const struct sample *sample = &sandbox->sample;
    const struct cgroup_limits *limits = &sandbox->record.limits;
    struct sample_source source = {sandbox->record.cgroup, sandbox->record.init.pid};
    int64_t used = sample_peek(sample, &source);
    bool idle = sample->taken && used >= 0 && used < ACTIVE_US;
    bool fresh = clients_subscribed(server) || uv_hrtime() - sample->taken < FRESH_NS;
    if (!idle && !fresh)
        sample_take(&sandbox->sample, &source, uv_hrtime());
    if (!idle)
        sandbox->watched.active = now;
    look_at_memory(sandbox);
    look_at_ooms(sandbox);
    if (first_time(sandbox, TOLD_PIDS, limits->pids && sample->pids >= limits->pids / 20 * 19 + 1))
        server_alert(server, sandbox, ALERT_WARNING, "processes",
                     "it has %llu processes, its limit is %llu", (unsigned long long)sample->pids,
                     (unsigned long long)limits->pids);
    bool busy = limits->millicpus && !server->cgroups.cpu && sample->has_cpu && !idle &&
                sample->cpu > (double)limits->millicpus / 10 * 1.1;
    sandbox->watched.over_cpu = busy ? sandbox->watched.over_cpu + 1 : 0;
    if (first_time(sandbox, TOLD_CPU, sandbox->watched.over_cpu >= OVER_CPU_MOST))
        server_alert(
            server, sandbox, ALERT_WARNING, "cpu",
            "it uses %.0f %% of a core, its limit is %.0f %% and no controller enforces it",
            sample->cpu, (double)limits->millicpus / 10);
    uint64_t output = sandbox->facts.output_at;
    uint64_t last = sandbox->watched.active > output ? sandbox->watched.active : output;
    if (first_time(sandbox, TOLD_STUCK,
                   last && now - last > STUCK_MS && sample->cpu_usec > STUCK_CPU_US))
        server_alert(server, sandbox, ALERT_INFO, "stuck", "no output and no work for %u minutes",
                     STUCK_MS / 60000);
}

static void look_at_clock(struct sandbox *sandbox)
{
    uint64_t limit = sandbox->record.quotas.wall_clock;
    if (!limit ||
        !first_time(sandbox, TOLD_WALL, server_time() - sandbox->record.created > (double)limit))
        return;
    server_alert(sandbox->server, sandbox, ALERT_CRITICAL, "quota",
                 limit >= 3600 ? "paused: its time is used up, %.1f hours"
                               : "paused: its time is used up, %.1f minutes",
                 (double)limit / (limit >= 3600 ? 3600 : 60));
    pause_it(sandbox);
}

static bool is_older(const struct stat *one, const struct stat *other)
{
    return one->st_mtime < other->st_mtime;
}

/* What is there of one file; of a monitor that runs it is only emptied, since it is written again
 * when its turn comes. */
static void forget_file(const char *path, bool running)
{
    int file = open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
    if (file >= 0)
        close(file);
    if (!running)
        unlink(path);
}

/* A file, of the last run or the one before, whose last output is too old goes; the one that is
 * being written stays, and its monitor changes files in time. Returns whether anything is left that
 * will be too old once. */
static bool look_at_recording(struct sandbox *sandbox, bool previous)
{
    uint64_t age = sandbox->record.quotas.recording_age;
    bool running = !sandbox->ended && !previous, left = false;
    char path[2][BJ_PATH_MAX];
    struct stat info[2];
    bool there[2];
    for (int i = 0; age && i < 2; i++)
        there[i] = sandbox_recording_path(sandbox, previous, i, path[i], NULL) == 0 &&
                   lstat(path[i], &info[i]) == 0 && info[i].st_size > 0;
    for (int i = 0; age && i < 2; i++) {
        bool written = running && !(there[1 - i] && is_older(&info[i], &info[1 - i]));
        bool old = there[i] && server_time() - (double)info[i].st_mtime > (double)age;
        if (old && !written)
            forget_file(path[i], running);
        left |= there[i] && !(old && !written);
    }
    return left;
}

static void look_at_requests(struct server *server)
{
    double now = server_time();
    for (size_t i = 0; i < server->requests.count; i++) {
        struct request *request = server->requests.list[i];
        if (request->late || request->answered || now - request->created < LATE_SECONDS)
            continue;
        request->late = true;
        server_alert(server, registry_find_id(server, request->askers[0].sandbox_id), ALERT_WARNING,
                     "waiting", "request %s has waited for %.0f minutes: %.200s", request->id,
                     LATE_SECONDS / 60, request->title);
    }
}

static void on_look(uv_timer_t *timer)
{
    struct server *server = timer->data;
    uint64_t now = server_clock();
    bool alive = false;
    for (size_t i = 0; i < server->sandbox_count; i++) {
        struct sandbox *sandbox = server->sandboxes[i];
        alive |= look_at_recording(sandbox, false);
        alive |= look_at_recording(sandbox, true);
        if (sandbox->ended || sandbox->start || sandbox->record.init.pid <= 0)
            continue;
        alive = true;
        if (sandbox->record.state != SANDBOX_RUNNING)
            continue;
        look_at_clock(sandbox);
        look_at_figures(sandbox, now);
        look_at_disk(sandbox, now);
        uint64_t quota = sandbox->record.quotas.egress;
        sandbox->traffic.over = quota && traffic_hour(&sandbox->traffic, now) > quota;
    }
    look_at_requests(server);
    hold_expire(server);
    if (!alive)
        uv_timer_stop(timer);
}

void quota_open(struct server *server)
{
    uv_timer_init(&server->loop, &server->quota);
    server->quota.data = server;
}

void quota_adjust(struct server *server)
{
    if (!server->stopping && !uv_is_active((uv_handle_t *)&server->quota))
        uv_timer_start(&server->quota, on_look, QUOTA_MS, QUOTA_MS);
}

void quota_output(struct sandbox *sandbox, uint64_t bytes)
{
    struct watched *watched = &sandbox->watched;
    uint64_t now = server_clock();
    if (!watched->since || bytes < watched->output) {
        watched->since = now;
        watched->output = bytes;
    }
    uint64_t passed = now - watched->since;
    if (passed < FLOOD_MS)
        return;
    if ((bytes - watched->output) / passed * 1000 > FLOOD_BYTES)
        server_alert(sandbox->server, sandbox, ALERT_WARNING, "flood",
                     "it floods its terminal with more than %u MiB per second", FLOOD_BYTES >> 20);
    watched->since = now;
    watched->output = bytes;
}

void quota_fill(struct start_options *options, const struct policy *policy)
{
    uint64_t *const places[POLICY_LIMITS] = {
        [POLICY_LIMIT_MEMORY] = &options->limits.memory,
        [POLICY_LIMIT_CPUS] = &options->limits.millicpus,
        [POLICY_LIMIT_PIDS] = &options->limits.pids,
        [POLICY_LIMIT_DISK] = &options->quotas.disk,
        [POLICY_LIMIT_EGRESS] = &options->quotas.egress,
        [POLICY_LIMIT_WALL] = &options->quotas.wall_clock,
        [POLICY_LIMIT_RECORDING_AGE] = &options->quotas.recording_age,
    };
    for (size_t i = 0; i < POLICY_LIMITS; i++) {
        if (!places[i] || *places[i] != UINT64_MAX)
            continue;
        *places[i] = policy->limits[i].set ? policy->limits[i].value : 0;
        if (i == POLICY_LIMIT_WALL || i == POLICY_LIMIT_RECORDING_AGE)
            *places[i] = (*places[i] + 999) / 1000; /* never rounded to none */
    }
}
