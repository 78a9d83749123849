#include "tui/cli/decide.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tui/cli/call.h"
#include "tui/cli/plain.h"
#include "tui/cli/report.h"

#define SHOWN_MS 350 /* a little more than the server asks a request to have been in view */

static const struct table_column request_columns[] = {
    {"ID", false},   {"RISK", false}, {"SANDBOX", false}, {"COUNT", true}, {"CLASS", false},
    {"KIND", false}, {"AGE", true},   {"TITLE", false},   {NULL, false},
};

/* The words and styles of the API's risk numbers. */
static const struct {
    const char *word, *style;
} risks[] = {{"low", NULL}, {"medium", "33"}, {"high", "1;31"}};

static size_t risk_of(const json_t *request)
{
    long long risk = report_number(request, "risk");
    return risk < 0 ? 0 : risk > 2 ? 2 : (size_t)risk;
}

static int list(const struct args *args, const struct bj_paths *paths)
{
    json_t *list, *request;
    size_t index;
    int code = call_server(paths, "request.list", NULL, &list);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(list);
    struct table table;
    table_init(&table, request_columns);
    json_array_foreach(list, index, request)
    {
        char age[UNIT_TEXT_MAX];
        call_age(request, "created", age);
        const char *class = report_text(request, "class");
        long long count = report_number(request, "count");
        table_add(&table, "1", "%s", report_text(request, "id"));
        table_add(&table, risks[risk_of(request)].style, "%s", risks[risk_of(request)].word);
        table_add(&table, NULL, "%s", report_text(request, "sandbox"));
        table_add(&table, NULL, "%lld", count > 0 ? count : 1);
        table_add(&table, strcmp(class, "wall") == 0 ? "31" : "33", "%s", class);
        table_add(&table, NULL, "%s", report_text(request, "kind"));
        table_add(&table, NULL, "%s", age);
        table_add(&table, NULL, "%s", report_text(request, "title"));
    }
    json_decref(list);
    return call_print(&table, "nothing waits for a verdict");
}

static void print_names(const json_t *names)
{
    const json_t *name;
    size_t index;
    fputs("sandboxes: ", stdout);
    json_array_foreach(names, index, name)
    {
        const char *text = json_string_value(name);
        fputs(index ? ", " : "", stdout);
        plain_write(stdout, text ? text : "", text ? strlen(text) : 0, 0);
    }
    putchar('\n');
}

static void print_detail(const char *detail)
{
    char *safe = plain_copy(detail, strlen(detail), PLAIN_LINES);
    puts("detail:");
    for (char *line = safe, *rest = NULL; line; line = rest) {
        rest = strchr(line, '\n');
        if (rest)
            *rest++ = '\0';
        printf("    %s\n", line); /* set in, so that it cannot look like a line of ours */
    }
    free(safe);
}

static void print_details(const json_t *details)
{
    static const char *const fields[] = {"id", "class", "kind", "title", "subject", "where", "why"};
    static const char *const scopes[] = {"sandbox", "project", "all"};
    char age[UNIT_TEXT_MAX];
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (report_text(details, fields[i])[0])
            call_line(stdout, "%s: %s", fields[i], report_text(details, fields[i]));
    printf("risk: %s\n", risks[risk_of(details)].word);
    print_names(json_object_get(details, "sandboxes"));
    call_age(details, "created", age);
    printf("waits for: %s\nasked before: %lld times, allowed %lld, denied %lld\n", age,
           report_number(details, "asked"), report_number(details, "allowed"),
           report_number(details, "denied"));
    const json_t *rules = json_object_get(details, "rules");
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
        if (report_text(rules, scopes[i])[0])
            call_line(stdout, "--rule %s: %s", scopes[i], report_text(rules, scopes[i]));
    if (report_text(details, "detail")[0])
        print_detail(report_text(details, "detail"));
}

int decide_requests(const struct args *args, const struct bj_paths *paths)
{
    json_t *details;
    if (args->word_count == 0)
        return list(args, paths);
    if (args->word_count == 1)
        return report_usage("requests: usage is belljar requests show ID");
    int code =
        call_server(paths, "request.details", json_pack("{s:s}", "id", args->words[1]), &details);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(details);
    print_details(details);
    json_decref(details);
    return report_end();
}

static json_t *verdict(const struct args *args, const char *answer)
{
    json_t *params =
        json_pack("{s:s,s:s,s:s*,s:s*}", "id", args->words[0], "answer", answer, "reason",
                  args_text(args, "reason"), "scope", args_text(args, "rule"));
    if (params && args_set(args, "for"))
        json_object_set_new(params, "seconds",
                            json_integer((json_int_t)(args_number(args, "for", 0) / 1000)));
    return params;
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
    if (args_set(args, "for") && !args_set(args, "rule"))
        return report_usage("%s: --for needs --rule: without a rule the verdict counts once",
                            args->command->name);
    if (args_set(args, "for") && args_number(args, "for", 0) < 1000)
        return report_usage("%s: --for: a rule counts for at least a second", args->command->name);
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    int status = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        status = peer_call(&server, "request.resolve", verdict(args, answer), PEER_TIMEOUT_MS,
                           &result, &error);
        if (status != -EAGAIN || attempt > 0)
            break;
        poll(NULL, 0, SHOWN_MS);
    }
    peer_close(&server);
    if (status < 0)
        return report_error(&error);
    long long count = report_number(result, "count");
    const char *done = strcmp(answer, "allow") == 0 ? "allowed" : "denied";
    if (count > 1)
        call_line(stdout, "%s for %lld sandboxes: %s", done, count, report_text(result, "title"));
    else
        call_line(stdout, "%s for %s: %s", done, report_text(result, "sandbox"),
                  report_text(result, "title"));
    if (report_number(result, "rule") > 0)
        call_line(stdout, "rule %lld: %s", report_number(result, "rule"),
                  report_text(result, "sentence"));
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
