#include "mux/server/pace.h"

#include "mux/server/monitor.h"
#include "mux/server/server.h"

#define RATE_ALL   (16U * 1024 * 1024) /* bytes a second, of all that are paced */
#define RATE_MOST  (1024U * 1024)
#define RATE_LEAST (128U * 1024)
#define TYPED_MS   5000U
#define PACE_MS    2500U

void pace_typed(struct server *server)
{
    server->typed_at = server_clock();
}

/* Each one's part when `sandbox` is among them. */
static uint64_t fair_rate(const struct sandbox *sandbox)
{
    const struct server *server = sandbox->server;
    uint64_t count = !pace_is_on(sandbox);
    for (size_t i = 0; i < server->sandbox_count; i++)
        count += pace_is_on(server->sandboxes[i]);
    uint64_t rate = RATE_ALL / count;
    return rate > RATE_MOST ? RATE_MOST : rate < RATE_LEAST ? RATE_LEAST : rate;
}

void pace_judge(struct sandbox *sandbox, uint64_t output, bool input)
{
    struct server *server = sandbox->server;
    uint64_t now = server_clock();
    if (input && sandbox->weight == WEIGHT_FIRST)
        pace_typed(server);
    bool types = server->typed_at > 0 && now - server->typed_at < TYPED_MS;
    if (!types || sandbox->weight != WEIGHT_SMALL)
        return;
    bool was = pace_is_on(sandbox);
    uint64_t rate = fair_rate(sandbox);
    /* It tells twice a second at most; one that got little of the processor brings half as much. */
    if (output < (was ? rate : RATE_MOST) / 4)
        return;
    sandbox->paced_until = now + PACE_MS;
    monitor_pace(sandbox, rate, PACE_MS);
    if (!was)
        sandbox_touch(sandbox);
}

void pace_end(struct sandbox *sandbox)
{
    if (!pace_is_on(sandbox))
        return;
    sandbox->paced_until = 0;
    monitor_pace(sandbox, 0, 0);
    sandbox_touch(sandbox);
}

bool pace_is_on(const struct sandbox *sandbox)
{
    return server_clock() < sandbox->paced_until;
}
