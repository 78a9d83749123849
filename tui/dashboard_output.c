/* What a command of the command line prints, for the dashboard's box. */
#include <stdio.h>
#include <string.h>

#include "tui/dashboard_state.h"

static void on_output(struct child *child, const char *bytes, size_t size)
{
    struct dashboard *dashboard = child->owner;
    output_add(&dashboard->control.output, bytes, size);
    dashboard_touch(dashboard, false);
}

static void on_ended(struct child *child, int code, const char *said)
{
    struct dashboard *dashboard = child->owner;
    (void)code;
    dashboard->output_child = NULL;
    output_end(&dashboard->control.output, said);
    dashboard->view.everything = true;
    dashboard_touch(dashboard, true);
}

void output_order(struct dashboard *dashboard, const struct order *order)
{
    static const struct child_events events = {.output = on_output, .ended = on_ended};
    const struct sandbox *sandbox = fleet_find(&dashboard->fleet, order->id);
    struct bj_error error = {0};
    struct words words;
    const char *argv[8] = {NULL};
    char said[400];
    if (sandbox && sandbox->origin->number > 0) {
        snprintf(said, sizeof(said), "%s is on another host: use belljar %.100s %s there",
                 sandbox->name, order->text, sandbox_own_name(sandbox));
        output_end(&dashboard->control.output, said);
        return;
    }
    if (line_split(order->text, &words, &error) == 0) {
        size_t count = 0;
        for (; count < words.count && count < 5; count++)
            argv[count] = words.word[count];
        if (sandbox) {
            argv[count] = "--";
            argv[count + 1] = sandbox->name;
        }
        dashboard->output_child = child_start(&dashboard->loop, argv, &events, dashboard, &error);
    }
    if (!dashboard->output_child)
        output_end(&dashboard->control.output, error.text);
}

void output_sync(struct dashboard *dashboard)
{
    if (!dashboard->output_child || dashboard->control.list == LIST_OUTPUT)
        return;
    child_stop(dashboard->output_child);
    dashboard->output_child = NULL;
}

void output_close(struct dashboard *dashboard)
{
    dashboard->control.list = LIST_NONE;
    if (!dashboard->output_child)
        return;
    child_stop(dashboard->output_child);
    child_leave(dashboard->output_child);
    dashboard->output_child = NULL;
}
