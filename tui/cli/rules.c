#include "tui/cli/rules.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tui/cli/call.h"
#include "tui/cli/report.h"

static const struct table_column columns[] = {
    {"ID", true},  {"EFFECT", false}, {"KIND", false},    {"SCOPE", false},
    {"AGE", true}, {"EXPIRES", true}, {"PATTERN", false}, {NULL, false},
};

/* How long it still counts. */
static void expiry(const json_t *rule, char out[UNIT_TEXT_MAX])
{
    long long expires = report_number(rule, "expires"), now = (long long)time(NULL);
    if (expires == 0)
        snprintf(out, UNIT_TEXT_MAX, "never");
    else
        unit_age_text(expires > now ? (uint64_t)(expires - now) : 0, out);
}

static int list(const struct args *args, const struct bj_paths *paths)
{
    json_t *rules, *rule;
    size_t index;
    int code = call_server(paths, "rule.list", NULL, &rules);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(rules);
    struct table table;
    table_init(&table, columns);
    json_array_foreach(rules, index, rule)
    {
        char age[UNIT_TEXT_MAX], left[UNIT_TEXT_MAX];
        const char *effect = report_text(rule, "effect");
        const char *name = report_text(rule, "name");
        const char *value = name[0] ? name : report_text(rule, "value");
        call_age(rule, "created", age);
        expiry(rule, left);
        table_add(&table, "1", "%lld", report_number(rule, "id"));
        table_add(&table, strcmp(effect, "deny") == 0 ? "31" : "32", "%s", effect);
        table_add(&table, NULL, "%s", report_text(rule, "kind"));
        table_add(&table, NULL, "%s%s%s", report_text(rule, "scope"), value[0] ? ":" : "", value);
        table_add(&table, NULL, "%s", age);
        table_add(&table, NULL, "%s", left);
        table_add(&table, NULL, "%s", report_text(rule, "pattern"));
    }
    json_decref(rules);
    return call_print(&table, "no rules are remembered");
}

/* "sandbox:NAME", "project:DIR" or "all" into the two parameters. The server has another working
 * directory, so a project becomes an absolute path; one that is gone is taken as it is written. */
static int add_scope(json_t *params, const char *text, struct bj_error *error)
{
    static const char *const kinds[] = {"sandbox", "project"};
    if (strcmp(text, "all") == 0)
        return json_object_set_new(params, "scope", json_string("all"));
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(kinds[i]);
        if (strncmp(text, kinds[i], size) != 0 || text[size] != ':' || !text[size + 1])
            continue;
        char *path = i == 1 ? realpath(text + size + 1, NULL) : NULL;
        const char *value = path ? path : text + size + 1;
        int status = json_object_set_new(params, "scope", json_string(kinds[i]));
        if (json_object_set_new(params, "value", json_string(value)) < 0)
            status = bj_fail(error, -EINVAL, "--scope is not UTF-8");
        else if (i == 1 && !path && value[0] != '/')
            status = bj_fail(error, -ENOENT, "--scope: there is no directory %.200s", value);
        free(path);
        return status;
    }
    return bj_fail(error, -EINVAL, "--scope takes sandbox:NAME, project:DIR or all, not %.64s",
                   text);
}

static int print_change(json_t *result, const char *format, long long id, bool json)
{
    if (json)
        return report_json(result);
    char head[64];
    snprintf(head, sizeof(head), format, id);
    call_line(stdout, "%s: %s", head, report_text(result, "sentence"));
    json_decref(result);
    return report_end();
}

static int add(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    json_t *result;
    if (args->word_count != 3)
        return report_usage("rules: usage is belljar rules add KIND PATTERN --allow|--deny --scope "
                            "sandbox:NAME|project:DIR|all");
    if (args_set(args, "allow") == args_set(args, "deny"))
        return report_usage("rules add: say --allow or --deny");
    if (!args_set(args, "scope"))
        return report_usage("rules add: say for whom: --scope sandbox:NAME, project:DIR or all");
    json_t *params = json_pack("{s:s,s:s,s:s,s:I}", "kind", args->words[1], "pattern",
                               args->words[2], "effect", args_set(args, "deny") ? "deny" : "allow",
                               "seconds", (json_int_t)(args_number(args, "for", 0) / 1000));
    if (!params)
        return report_failure("kind or pattern is not UTF-8");
    if (args_set(args, "for") && args_number(args, "for", 0) < 1000) {
        json_decref(params);
        return report_usage("rules add: --for: a rule counts for at least a second");
    }
    int status = add_scope(params, args_text(args, "scope"), &error);
    if (status < 0) {
        json_decref(params);
        return status == -EINVAL ? report_usage("rules add: %s", error.text) : report_error(&error);
    }
    int code = call_server(paths, "rule.add", params, &result);
    return code == COMMAND_DONE ? print_change(result, "rule %lld", report_number(result, "id"),
                                               args_set(args, "json"))
                                : code;
}

static int drop(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    json_t *result;
    uint64_t id;
    if (args->word_count != 2)
        return report_usage("rules: usage is belljar rules remove ID");
    if (unit_count(args->words[1], INT64_MAX, &id, &error) < 0)
        return report_usage("rules remove: ID is the number that belljar rules shows: %s",
                            error.text);
    json_t *params = json_pack("{s:I}", "id", (json_int_t)id);
    int code = call_server(paths, "rule.remove", params, &result);
    return code == COMMAND_DONE
               ? print_change(result, "removed rule %lld", (long long)id, args_set(args, "json"))
               : code;
}

static int undo(const struct args *args, const struct bj_paths *paths)
{
    json_t *result;
    if (args->word_count != 1)
        return report_usage("rules: usage is belljar rules undo");
    int code = call_server(paths, "rule.undo", NULL, &result);
    return code == COMMAND_DONE ? print_change(result, "removed rule %lld",
                                               report_number(result, "id"), args_set(args, "json"))
                                : code;
}

int rules_command(const struct args *args, const struct bj_paths *paths)
{
    static const char *const only_add[] = {"allow", "deny", "scope", "for"};
    const char *what = args->word_count ? args->words[0] : "";
    for (size_t i = 0; i < sizeof(only_add) / sizeof(only_add[0]); i++)
        if (strcmp(what, "add") != 0 && args_set(args, only_add[i]))
            return report_usage("rules: --%s belongs to belljar rules add", only_add[i]);
    if (!*what)
        return list(args, paths);
    if (strcmp(what, "add") == 0)
        return add(args, paths);
    return strcmp(what, "remove") == 0 ? drop(args, paths) : undo(args, paths);
}
