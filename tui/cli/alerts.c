#include "tui/cli/alerts.h"

#include <string.h>

#include "tui/cli/call.h"
#include "tui/cli/report.h"

static const struct table_column alert_columns[] = {
    {"SEVERITY", false}, {"SANDBOX", false}, {"KIND", false}, {"COUNT", true},
    {"AGE", true},       {"SEEN", false},    {"TEXT", false}, {NULL, false},
};

static const char *severity_style(const char *severity)
{
    return strcmp(severity, "critical") == 0  ? "1;31"
           : strcmp(severity, "warning") == 0 ? "33"
                                              : NULL;
}

/* Whether it is about the sandbox that was asked for, if any. */
static bool concerns(const json_t *alert, const char *sandbox)
{
    return !sandbox || strcmp(report_text(alert, "sandbox"), sandbox) == 0 ||
           strcmp(report_text(alert, "sandbox_id"), sandbox) == 0;
}

static void add_alert(struct table *table, const json_t *alert)
{
    char age[UNIT_TEXT_MAX];
    call_age(alert, "last", age);
    table_add(table, severity_style(report_text(alert, "severity")), "%s",
              report_text(alert, "severity"));
    table_add(table, NULL, "%s", report_text(alert, "sandbox"));
    table_add(table, NULL, "%s", report_text(alert, "kind"));
    table_add(table, NULL, "%lld", report_number(alert, "count"));
    table_add(table, NULL, "%s", age);
    table_add(table, NULL, "%s",
              json_is_true(json_object_get(alert, "acknowledged")) ? "yes" : "-");
    table_add(table, NULL, "%s", report_text(alert, "text"));
}

/* One line per event: JSON lines, or words. */
static void on_alert(struct peer *peer, const char *name, const json_t *params)
{
    const struct args *args = peer->owner;
    if (strcmp(name, "event.alert") != 0 || !concerns(params, args_text(args, "sandbox")))
        return;
    if (args_set(args, "json")) {
        json_dumpf(params, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        call_line(stdout, "%s  %s  %s  %s (%lld)", report_text(params, "severity"),
                  report_text(params, "sandbox"), report_text(params, "kind"),
                  report_text(params, "text"), report_number(params, "count"));
    }
    fflush(stdout);
}

static int follow(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer server;
    json_t *answer;
    bool never = false;
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    server.event = on_alert;
    server.owner = (void *)args;
    int status = peer_call(&server, "events.subscribe", NULL, PEER_TIMEOUT_MS, &answer, &error);
    json_decref(answer);
    if (status == 0)
        status = peer_listen(&server, &never, 0, &error);
    peer_close(&server);
    return status < 0 ? report_error(&error) : COMMAND_DONE;
}

static int acknowledge(const struct args *args, const struct bj_paths *paths)
{
    json_t *result;
    json_t *params = json_pack("{s:s*}", "sandbox", args_text(args, "sandbox"));
    int code = call_server(paths, "alert.acknowledge", params, &result);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(result);
    long long count = report_number(result, "count");
    printf("marked %lld alert%s as seen\n", count, count == 1 ? "" : "s");
    json_decref(result);
    return report_end();
}

static int list(const struct args *args, const struct bj_paths *paths)
{
    json_t *alerts, *alert;
    size_t index;
    int code = call_server(paths, "alert.list", NULL, &alerts);
    if (code != COMMAND_DONE)
        return code;
    for (index = json_array_size(alerts); index > 0; index--)
        if (!concerns(json_array_get(alerts, index - 1), args_text(args, "sandbox")))
            json_array_remove(alerts, index - 1);
    if (args_set(args, "json"))
        return report_json(alerts);
    struct table table;
    table_init(&table, alert_columns);
    json_array_foreach(alerts, index, alert) add_alert(&table, alert);
    json_decref(alerts);
    return call_print(&table, "no alerts");
}

int alerts_command(const struct args *args, const struct bj_paths *paths)
{
    if (args_set(args, "follow") && args_set(args, "ack"))
        return report_usage("alerts: --follow and --ack do not go together");
    if (args_set(args, "follow"))
        return follow(args, paths);
    return args_set(args, "ack") ? acknowledge(args, paths) : list(args, paths);
}
