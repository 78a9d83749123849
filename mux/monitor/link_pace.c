/*
 * How fast output is taken. As a rule a window of credit is kept open; while the link is paced the
 * shim gets its credit in small shares, one after the other, and the agent waits in write(2) as
 * with any slow terminal. Asks, verdicts and connections are not delayed.
 */
#include "mux/monitor/link_private.h"
#include "mux/monitor/monitor.h"

#define SHARE 16384U /* bytes */

static bool is_paced(const struct monitor *monitor)
{
    return uv_now(&monitor->loop) < monitor->link.pace.until;
}

static void tell_credit(struct monitor *monitor)
{
    link_send_uints(monitor, BJ_CREDIT, BJ_CHANNEL_PTY, 1, &monitor->link.output.limit);
}

static void on_tick(uv_timer_t *timer)
{
    struct monitor *monitor = timer->data;
    struct link *link = &monitor->link;
    if (!link_is_up(monitor))
        return;
    if (is_paced(monitor) && bj_receiver_grant(&link->output, link->output.next, SHARE))
        tell_credit(monitor);
    link_grant(monitor);
    link_flush(monitor);
}

void link_grant(struct monitor *monitor)
{
    struct link *link = &monitor->link;
    bool low = link->output.limit - link->output.next < link->output.window / 2;
    if (!is_paced(monitor)) {
        if (bj_receiver_refill(&link->output, link->output.next))
            tell_credit(monitor);
    } else if (low && !uv_is_active((uv_handle_t *)&link->pace.timer)) {
        uv_timer_start(&link->pace.timer, on_tick, link->pace.wait, 0);
    }
}

void link_pace(struct monitor *monitor, uint64_t rate, uint64_t ms)
{
    struct link *link = &monitor->link;
    uint64_t wait = rate > 0 ? SHARE * 1000U / rate : ms;
    link->pace.wait = wait < ms ? wait : ms;
    link->pace.until = ms > 0 ? uv_now(&monitor->loop) + ms : 0;
    if (!link_is_up(monitor))
        return;
    link_grant(monitor);
    link_flush(monitor);
}
