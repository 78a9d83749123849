#include "tui/cli/decide.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tui/cli/peer.h"
#include "tui/cli/plain.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/cli/table.h"
#include "tui/cli/units.h"

#define SHOWN_MS 350 /* a little more than the server asks a request to have been in view */

static const struct table_column request_columns[] = {
    {"ID", false}, {"SANDBOX", false}, {"CLASS", false}, {"KIND", false},
    {"AGE", true}, {"TITLE", false},   {NULL, false},
};

static const struct table_column alert_columns[] = {
    {"SEVERITY", false}, {"SANDBOX", false}, {"KIND", false}, {"COUNT", true},
    {"AGE", true},       {"TEXT", false},    {NULL, false},
};

static void age_of(const json_t *object, const char *key, char out[UNIT_TEXT_MAX])
{
    long long age = (long long)time(NULL) - report_number(object, key);
    unit_age_text(age > 0 ? (uint64_t)age : 0, out);
}

static int fetch(const struct bj_paths *paths, const char *method, json_t **list)
{
    struct bj_error error = {0};
    struct peer server;
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    int status = peer_call(&server, method, NULL, PEER_TIMEOUT_MS, list, &error);
    peer_close(&server);
    return status < 0 ? report_error(&error) : COMMAND_DONE;
}

static int print(const struct table *table, const char *nothing)
{
    if (table->count == 0 && !table->failed) {
        puts(nothing);
        return report_end();
    }
    if (table_print(table, stdout, report_colour(stdout), report_columns(stdout)) < 0)
        return report_failure("out of memory");
    return report_end();
}

int decide_requests(const struct args *args, const struct bj_paths *paths)
{
    json_t *list, *request;
    size_t index;
    int code = fetch(paths, "request.list", &list);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(list);
    struct table table;
    table_init(&table, request_columns);
    json_array_foreach(list, index, request)
    {
        char age[UNIT_TEXT_MAX];
        age_of(request, "created", age);
        const char *class = report_text(request, "class");
        table_add(&table, "1", "%s", report_text(request, "id"));
        table_add(&table, NULL, "%s", report_text(request, "sandbox"));
        table_add(&table, strcmp(class, "wall") == 0 ? "31" : "33", "%s", class);
        table_add(&table, NULL, "%s", report_text(request, "kind"));
        table_add(&table, NULL, "%s", age);
        table_add(&table, NULL, "%s", report_text(request, "title"));
    }
    code = print(&table, "nothing waits for a verdict");
    table_free(&table);
    json_decref(list);
    return code;
}

/*
 * A script that lists requests and answers at once is too fast for the server's rule that a
 * request must have been in view for 300 ms (-EAGAIN): the answer is given again after that time.
 * It is refused again unless the request was shown indeed, since this command shows nothing.
 */
static int resolve(const struct args *args, const struct bj_paths *paths, const char *answer)
{
    struct bj_error error = {0};
    struct peer server;
    json_t *result = NULL;
    const char *reason = args_text(args, "reason");
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    int status = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        json_t *params =
            json_pack("{s:s,s:s,s:s*}", "id", args->words[0], "answer", answer, "reason", reason);
        status = peer_call(&server, "request.resolve", params, PEER_TIMEOUT_MS, &result, &error);
        if (status != -EAGAIN || attempt > 0)
            break;
        poll(NULL, 0, SHOWN_MS);
    }
    peer_close(&server);
    if (status < 0)
        return report_error(&error);
    char *title = plain_copy(report_text(result, "title"), strlen(report_text(result, "title")), 0);
    printf("%s for %s: %s\n", strcmp(answer, "allow") == 0 ? "allowed" : "denied",
           report_text(result, "sandbox"), title ? title : "");
    free(title);
    json_decref(result);
    return report_end();
}

int decide_allow(const struct args *args, const struct bj_paths *paths)
{
    return resolve(args, paths, "allow");
}

int decide_deny(const struct args *args, const struct bj_paths *paths)
{
    return resolve(args, paths, "deny");
}

static const char *severity_style(const char *severity)
{
    return strcmp(severity, "critical") == 0  ? "1;31"
           : strcmp(severity, "warning") == 0 ? "33"
                                              : NULL;
}

static void add_alert(struct table *table, const json_t *alert)
{
    char age[UNIT_TEXT_MAX];
    age_of(alert, "last", age);
    table_add(table, severity_style(report_text(alert, "severity")), "%s",
              report_text(alert, "severity"));
    table_add(table, NULL, "%s", report_text(alert, "sandbox"));
    table_add(table, NULL, "%s", report_text(alert, "kind"));
    table_add(table, NULL, "%lld", report_number(alert, "count"));
    table_add(table, NULL, "%s", age);
    table_add(table, NULL, "%s", report_text(alert, "text"));
}

/* One line per event: JSON lines, or words. */
static void on_alert(struct peer *peer, const char *name, const json_t *params)
{
    const bool *json = peer->owner;
    if (strcmp(name, "event.alert") != 0)
        return;
    if (*json) {
        json_dumpf(params, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        char *line = NULL;
        if (asprintf(&line, "%s  %s  %s  %s (%lld)", report_text(params, "severity"),
                     report_text(params, "sandbox"), report_text(params, "kind"),
                     report_text(params, "text"), report_number(params, "count")) < 0)
            return;
        plain_write(stdout, line, strlen(line), 0);
        putchar('\n');
        free(line);
    }
    fflush(stdout);
}

static int follow(const struct bj_paths *paths, bool json)
{
    struct bj_error error = {0};
    struct peer server;
    json_t *answer;
    bool never = false;
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    server.event = on_alert;
    server.owner = &json;
    int status = peer_call(&server, "events.subscribe", NULL, PEER_TIMEOUT_MS, &answer, &error);
    json_decref(answer);
    if (status == 0)
        status = peer_listen(&server, &never, 0, &error);
    peer_close(&server);
    return status < 0 ? report_error(&error) : COMMAND_DONE;
}

int decide_alerts(const struct args *args, const struct bj_paths *paths)
{
    json_t *list, *alert;
    size_t index;
    if (args_set(args, "follow"))
        return follow(paths, args_set(args, "json"));
    int code = fetch(paths, "alert.list", &list);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(list);
    struct table table;
    table_init(&table, alert_columns);
    json_array_foreach(list, index, alert) add_alert(&table, alert);
    code = print(&table, "no alerts");
    table_free(&table);
    json_decref(list);
    return code;
}
