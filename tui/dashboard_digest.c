#include <string.h>

#include "tui/cli/digest.h"
#include "tui/dashboard_state.h"

/* The audit log may be long: a thread reads it. */
static void read_in_thread(uv_work_t *work)
{
    struct dashboard *dashboard = work->data;
    struct dashboard_digest *digest = &dashboard->digest;
    digest->status = digest_read(&digest->read, dashboard->paths->state, dashboard->fleet.session,
                                 digest->until, &digest->stop, &digest->error);
}

static void on_read(uv_work_t *work, int cancelled)
{
    struct dashboard *dashboard = work->data;
    struct digest *digest = &dashboard->control.digest;
    if (cancelled < 0 || dashboard->stopping || dashboard->digest.status < 0)
        return; /* a log that cannot be read says nothing here: belljar audit says why */
    *digest = dashboard->digest.read;
    if (digest_empty(digest))
        return;
    /* A card that comes late would take the key that was meant for something else. */
    digest->open = !dashboard->digest.late;
    if (!digest->open) {
        char sum[DIGEST_SUM_MAX];
        digest_sum(digest, sum);
        control_note(&dashboard->control, dashboard_now(dashboard), false,
                     "while you were away: %s; %s shows it", sum,
                     keys_first(0, ACTION_DIGEST).text);
    }
    dashboard->view.everything = true;
    dashboard_touch(dashboard, true);
}

void digest_start(struct dashboard *dashboard, double wall)
{
    dashboard->digest.work.data = dashboard;
    dashboard->digest.until = wall;
    uv_queue_work(&dashboard->loop, &dashboard->digest.work, read_in_thread, on_read);
}

void digest_stop(struct dashboard *dashboard)
{
    atomic_store(&dashboard->digest.stop, true);
}
