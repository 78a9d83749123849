#include "mux/server/stats.h"

#include "mux/server/client.h"
#include "mux/server/reading.h"
#include "mux/server/signs.h"

#define ACTIVE_USEC    5000U /* of CPU time per tick: a sandbox that does something */
#define OUTPUT_MS      3000U
#define QUIET_STEP_MS  2000U
#define SECOND_MS      150U /* after the first look: from two on there is a share of the CPU */
#define OLD_NS         15000000000U
#define ALONE_MS       TIMELINE_STEP_MS
#define ALONE_QUIET_MS 9000U /* then it is looked at in every second step */
#define QUIET_ROUNDS   5U    /* so at most 10 s between two looks at a quiet sandbox */

static bool active(const struct sandbox *sandbox, uint64_t used, uint64_t now)
{
    return used >= ACTIVE_USEC ||
           (sandbox->facts.output_at && now - sandbox->facts.output_at < OUTPUT_MS);
}

static void sample_one(struct sandbox *sandbox, uint64_t now)
{
    struct sample_source source = {sandbox->record.cgroup, sandbox->record.init.pid};
    uint64_t before = sandbox->sample.cpu_usec;
    bool first = !sandbox->sample.taken;
    int changed = sample_take(&sandbox->sample, &source, uv_hrtime());
    if (changed < 0)
        return;
    if (changed > 0)
        sandbox->sample_dirty = true;
    if (first || active(sandbox, sandbox->sample.cpu_usec - before, now)) {
        sandbox->quiet_rounds = 0;
        sandbox->next_sample = now;
        return;
    }
    if (sandbox->quiet_rounds < QUIET_ROUNDS)
        sandbox->quiet_rounds++;
    sandbox->next_sample = now + sandbox->quiet_rounds * QUIET_STEP_MS;
}

/* While nobody looks there is the timeline alone to keep. */
static void sample_alone(struct sandbox *sandbox, uint64_t now)
{
    struct sample_source source = {sandbox->record.cgroup, sandbox->record.init.pid};
    const struct glance *glance = &sandbox->glance;
    if (now < sandbox->next_sample && !active(sandbox, 0, now))
        return;
    if (sample_glance(&sandbox->glance, &source, uv_hrtime()) < 0)
        sample_one(sandbox, now);
    else if (glance->has_cpu && glance->cpu < ACTIVITY_BUSY)
        sandbox->next_sample = now + ALONE_QUIET_MS;
}

static void on_tick(uv_timer_t *timer)
{
    struct server *server = timer->data;
    uint64_t now = server_clock();
    bool any = false, second = false, left = false, alone = !clients_subscribed(server);
    for (size_t i = 0; i < server->sandbox_count; i++) {
        struct sandbox *sandbox = server->sandboxes[i];
        if (sandbox->ended || sandbox->record.init.pid <= 0)
            continue;
        left = true;
        if (alone)
            sample_alone(sandbox, now);
        else if (now >= sandbox->next_sample || active(sandbox, 0, now))
            sample_one(sandbox, now);
        reading_look(sandbox, now);
        if (signs_judge(sandbox))
            sandbox->sample_dirty = true;
        any = any || sandbox->sample_dirty;
        second = second || (sandbox->sample.taken && !sandbox->sample.has_cpu);
    }
    if (alone && !left)
        uv_timer_stop(timer);
    if (alone)
        return;
    if (any)
        clients_flush(server);
    if (second)
        uv_timer_start(timer, on_tick, SECOND_MS, STATS_TICK_MS);
}

void stats_adjust(struct server *server)
{
    bool looked_at = clients_subscribed(server);
    uint64_t pace = looked_at ? STATS_TICK_MS : ALONE_MS;
    bool running = uv_is_active((uv_handle_t *)&server->sample);
    if (server->stopping) {
        uv_timer_stop(&server->sample);
        return;
    }
    if (running && uv_timer_get_repeat(&server->sample) == pace)
        return;
    /* A new subscriber wants figures of all soon, not in ten seconds. */
    for (size_t i = 0; looked_at && i < server->sandbox_count; i++) {
        server->sandboxes[i]->next_sample = 0;
        if (uv_hrtime() - server->sandboxes[i]->sample.taken > OLD_NS)
            server->sandboxes[i]->sample.taken = 0;
    }
    uv_timer_start(&server->sample, on_tick, looked_at ? 0 : pace, pace);
}
