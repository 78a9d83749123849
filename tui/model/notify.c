#include "tui/model/notify.h"

#include <stdio.h>
#include <string.h>

const char *notify_how_name(enum notify_how how)
{
    static const char *const names[NOTIFY_HOWS] = {"off", "bell", "osc9", "osc777"};
    return names[how];
}

static uint64_t newest_alert(const struct fleet *fleet)
{
    uint64_t newest = 0;
    for (size_t i = 0; i < fleet->alert_count; i++) {
        const struct alert *alert = fleet->alerts[i];
        if (!alert->acknowledged && alert->severity > 0 && alert->id > newest)
            newest = alert->id;
    }
    return newest;
}

void notify_seen(struct notify *notify, const struct fleet *fleet)
{
    notify->pending = false;
    notify->requests = fleet->request_count;
    notify->alerts = newest_alert(fleet);
}

bool notify_due(struct notify *notify, const struct fleet *fleet, bool focused, uint64_t key_at,
                uint64_t now)
{
    uint64_t newest = newest_alert(fleet);
    if (fleet->request_count > notify->requests || newest > notify->alerts)
        notify->pending = true;
    notify->requests = fleet->request_count;
    if (newest > notify->alerts)
        notify->alerts = newest;
    if (fleet->request_count == 0 && newest == 0)
        notify->pending = false; /* answered elsewhere */
    if (notify->how == NOTIFY_OFF || !notify->pending)
        return false;
    if (focused && now - key_at < NOTIFY_DWELL_MS)
        return false;
    if (notify->sent_at != 0 && now - notify->sent_at < NOTIFY_COOLDOWN_MS)
        return false;
    notify->pending = false;
    notify->sent_at = now;
    return true;
}

/* Names are letters, digits, - _ and . by the server's rule, with a host and a colon before them
 * when they are elsewhere; nothing else goes out. */
static void plain_name(const char *name, char out[FLEET_SHOWN_MAX])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_.:";
    size_t size = strspn(name, allowed);
    if (size == 0 || name[size])
        snprintf(out, FLEET_SHOWN_MAX, "a sandbox");
    else
        snprintf(out, FLEET_SHOWN_MAX, "%.*s", (int)size, name);
}

void notify_text(const struct fleet *fleet, char out[NOTIFY_TEXT_MAX])
{
    struct fleet_totals totals;
    char name[FLEET_SHOWN_MAX];
    fleet_totals(fleet, &totals);
    size_t size = 0;
    if (totals.waiting == 1) {
        plain_name(fleet->requests[0]->sandbox, name);
        size = (size_t)snprintf(out, NOTIFY_TEXT_MAX, "%s waits for your verdict (%s risk)", name,
                                risk_word(fleet->requests[0]->risk));
    } else if (totals.waiting > 1) {
        plain_name(fleet->requests[0]->sandbox, name);
        size = (size_t)snprintf(out, NOTIFY_TEXT_MAX,
                                "%zu requests wait for your verdict, first %s (%s risk)",
                                totals.waiting, name, risk_word(fleet->requests[0]->risk));
    }
    if (totals.alerts > 0)
        size += (size_t)snprintf(out + size, NOTIFY_TEXT_MAX - size, "%s%zu alert%s",
                                 size ? ", " : "", totals.alerts, totals.alerts == 1 ? "" : "s");
    if (size == 0)
        snprintf(out, NOTIFY_TEXT_MAX, "something happened");
}
