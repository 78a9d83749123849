#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tui/dashboard_state.h"

#define AGAIN_MS 3000 /* until a bridge's process that ended is started again */

/* ---- what the link says ---- */

static void on_hear_closed(uv_handle_t *handle)
{
    struct server_link *link = handle->data;
    link->hearing = false;
    host_close(&link->host);
}

static void stop_hearing(struct server_link *link)
{
    if (link->hearing && !uv_is_closing((uv_handle_t *)&link->hear))
        uv_close((uv_handle_t *)&link->hear, on_hear_closed);
}

static void on_down(struct server_link *link, const char *words)
{
    struct dashboard *dashboard = link->dashboard;
    if (strcmp(link->trouble, words) != 0)
        control_note(&dashboard->control, dashboard_now(dashboard), true, "%s: no link: %.200s",
                     link->origin->label, words);
    server_trouble(link, "%.150s", words);
}

static void on_report(struct server_link *link, const struct host_report *report)
{
    struct dashboard *dashboard = link->dashboard;
    switch (report->state) {
    case HOST_REFUSED:
        snprintf(link->refused, sizeof(link->refused), "%.127s", report->words);
        break;
    case HOST_UP:
        link->retry_wait = 0;
        if (!link->open)
            server_connect_far(link);
        panes_retry(dashboard, link->origin->number);
        break;
    case HOST_DOWN:
        on_down(link, report->words);
        break;
    case HOST_CONNECTING:
        break;
    }
    dashboard_touch(dashboard, false);
}

static void on_heard(uv_poll_t *poll, int status, int events)
{
    struct server_link *link = poll->data;
    struct host_report report;
    int heard = status;
    (void)events;
    while (heard >= 0 && (heard = host_hear(&link->host, &report)) > 0)
        on_report(link, &report);
    if (heard == 0)
        return;
    link->host.report.state = HOST_DOWN;
    stop_hearing(link);
    on_down(link, "its bridge's process has ended");
    link->retry_at = dashboard_now(link->dashboard) + AGAIN_MS;
}

static void start_hearing(struct server_link *link)
{
    if (uv_poll_init(&link->dashboard->loop, &link->hear, link->host.control) < 0) {
        host_close(&link->host);
        return;
    }
    link->hear.data = link;
    link->hearing = true;
    uv_poll_start(&link->hear, UV_READABLE, on_heard);
}

/* ---- beginning and end ---- */

void hosts_attach(struct dashboard *dashboard)
{
    const struct dashboard_options *options = dashboard->options;
    for (size_t i = 0; i < options->host_count; i++) {
        struct server_link *link = &dashboard->servers[dashboard->server_count];
        struct origin *origin = &dashboard->fleet.origins[dashboard->server_count++];
        link->dashboard = dashboard;
        link->origin = origin;
        link->host = options->hosts[i];
        memcpy(origin->label, link->host.label, sizeof(origin->label));
        start_hearing(link);
        if (link->host.report.state == HOST_UP)
            server_connect_far(link);
        else
            on_down(link, link->host.report.words);
    }
}

void hosts_tick(struct dashboard *dashboard)
{
    for (size_t i = 1; i < dashboard->server_count; i++) {
        struct server_link *link = &dashboard->servers[i];
        struct host *host = &link->host;
        struct bj_error error = {0};
        if (link->hearing || dashboard_now(dashboard) < link->retry_at)
            continue;
        if (host_open(host, host->destination, host->remote, false, &error) == 0)
            start_hearing(link);
        else
            on_down(link, error.text);
    }
}

void hosts_close(struct dashboard *dashboard)
{
    for (size_t i = 1; i < dashboard->server_count; i++)
        stop_hearing(&dashboard->servers[i]);
}

/* ---- for the bar ---- */

size_t hosts_look(struct dashboard *dashboard, struct view_host out[HOSTS_MAX])
{
    uint64_t now = dashboard_now(dashboard);
    for (size_t i = 1; i < dashboard->server_count; i++) {
        const struct server_link *link = &dashboard->servers[i];
        bool down = link->host.report.state == HOST_DOWN || link->trouble[0];
        out[i - 1] = (struct view_host){
            .label = link->origin->label,
            .words = link->trouble,
            .state = down         ? VIEW_HOST_DOWN
                     : link->seen ? VIEW_HOST_UP
                                  : VIEW_HOST_CONNECTING,
            .seconds = link->trouble_at ? (now - link->trouble_at) / 1000 : 0,
        };
    }
    return dashboard->server_count - 1;
}

void far_words(struct dashboard *dashboard, const struct sandbox *sandbox, const char *option,
               const char *words[FAR_WORDS])
{
    const struct host *host = &server_of(dashboard, sandbox->id)->host;
    const char *const all[FAR_WORDS] = {"bridge",
                                        "--to",
                                        host->destination,
                                        "--remote-command",
                                        host->remote ? host->remote : "belljar",
                                        option,
                                        sandbox_own_name(sandbox),
                                        NULL};
    memcpy(words, all, sizeof(all));
}
