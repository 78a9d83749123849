#include "tui/cli/policy.h"

#include <string.h>

#include "mux/policy/policy.h"
#include "tui/cli/call.h"
#include "tui/cli/report.h"

static int print_report(const struct policy_report *report, const struct bj_error *error, bool json)
{
    if (json) {
        json_t *faults = json_array();
        for (size_t i = 0; i < report->count; i++)
            json_array_append_new(faults, json_string(report->lines[i]));
        if (error->code < 0 && report->count == 0)
            json_array_append_new(faults, json_string(error->text));
        int code = report_json(json_pack("{s:b,s:o}", "ok", error->code == 0, "faults", faults));
        return error->code < 0 ? COMMAND_FAILED : code;
    }
    for (size_t i = 0; i < report->count; i++)
        call_line(stderr, "%s", report->lines[i]);
    if (error->code < 0)
        return report->count ? COMMAND_FAILED : report_error(error);
    return COMMAND_DONE;
}

static int check(const struct args *args)
{
    struct bj_error error = {0};
    struct policy policy = {0};
    struct policy_report report = {0};
    bool json = args_set(args, "json");
    if (args->word_count != 2)
        return report_usage("policy: usage is belljar policy check FILE");
    int status = policy_load_file(&policy, args->words[1], &report, &error);
    int code = print_report(&report, &error, json);
    if (status == 0 && !json) {
        printf("good: %zu line%s, %zu preset%s, %zu credential%s\n", policy.entries_count,
               policy.entries_count == 1 ? "" : "s", policy.presets_count,
               policy.presets_count == 1 ? "" : "s", policy.credentials_count,
               policy.credentials_count == 1 ? "" : "s");
        code = report_end();
    }
    policy_report_free(&report);
    policy_free(&policy);
    return code;
}

static const char *effect_style(const char *effect)
{
    return strcmp(effect, "allow") == 0 ? "32" : strcmp(effect, "deny") == 0 ? "31" : "33";
}

static const struct table_column line_columns[] = {
    {"", false}, {"EFFECT", false}, {"WHERE", false}, {"LINE", false}, {NULL, false}};

static int print_lines(const json_t *lines)
{
    const json_t *line;
    size_t index;
    struct table table;
    table_init(&table, line_columns);
    json_array_foreach(lines, index, line)
    {
        const char *effect = report_text(line, "effect");
        bool decides = json_is_true(json_object_get(line, "decides"));
        table_add(&table, "1", "%s", decides ? ">" : "");
        table_add(&table, effect_style(effect), "%s", effect[0] ? effect : "note");
        table_add(&table, NULL, "%s", report_text(line, "where"));
        table_add(&table, NULL, "%s", report_text(line, "text"));
    }
    return call_print(&table, "no line is about it");
}

static int explain(const struct args *args, const struct bj_paths *paths)
{
    json_t *result;
    if (args->word_count != 4)
        return report_usage("policy: usage is belljar policy explain NAME KIND SUBJECT");
    json_t *params = json_pack("{s:s,s:s,s:s}", "name", args->words[1], "kind", args->words[2],
                               "subject", args->words[3]);
    int code = call_server(paths, "policy.explain", params, &result);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(result);
    bool colour = report_colour(stdout);
    const char *effect = report_text(result, "effect");
    printf("%s%s%s%s", colour ? "\033[" : "", colour ? effect_style(effect) : "", colour ? "m" : "",
           effect);
    fputs(colour ? "\033[m " : " ", stdout);
    call_line(stdout, "%s: %s", report_text(result, "subject"), report_text(result, "why"));
    if (!strstr(report_text(result, "why"), report_text(result, "where")))
        call_line(stdout, "decided by %s", report_text(result, "where"));
    code = print_lines(json_object_get(result, "lines"));
    json_decref(result);
    return code;
}

static void print_list(const json_t *list, const char *title, const char *nothing)
{
    const json_t *item;
    size_t index;
    printf("%s:%s%s\n", title, json_array_size(list) ? "" : " ",
           json_array_size(list) ? "" : nothing);
    json_array_foreach(list, index, item)
        call_line(stdout, "    %s", json_string_value(item) ? json_string_value(item) : "");
}

/* What the agent's project asks for, in words. */
static const struct {
    const char *word, *text;
} proposals[] = {
    {"none", "the project proposes none"},
    {"waiting", "the project's own .belljar/policy.conf waits for your verdict"},
    {"accepted", "the project's own .belljar/policy.conf is accepted"},
    {"refused", "the project's own .belljar/policy.conf is refused"},
};

static int show(const struct args *args, const struct bj_paths *paths)
{
    json_t *result, *preset;
    size_t index;
    if (args->word_count != 2)
        return report_usage("policy: usage is belljar policy show NAME");
    int code =
        call_server(paths, "policy.files", json_pack("{s:s}", "name", args->words[1]), &result);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(result);
    print_list(json_object_get(result, "files"), "files", "none beside the built-in policy");
    json_array_foreach(json_object_get(result, "presets"), index, preset)
    {
        const json_t *hosts = json_object_get(preset, "hosts");
        print_list(hosts, report_text(preset, "name"), "no host");
        if (report_text(preset, "note")[0])
            call_line(stdout, "    (%s)", report_text(preset, "note"));
    }
    print_list(json_object_get(result, "credentials"), "credentials", "none");
    const char *proposal = report_text(result, "proposal");
    for (size_t i = 0; i < sizeof(proposals) / sizeof(proposals[0]); i++)
        if (strcmp(proposal, proposals[i].word) == 0)
            printf("proposal: %s\n", proposals[i].text);
    json_decref(result);
    return report_end();
}

static int reload(const struct args *args, const struct bj_paths *paths)
{
    const json_t *name;
    json_t *result;
    size_t index;
    bool all = args_set(args, "all");
    if (all == (args->word_count > 1))
        return report_usage("policy reload: give names of sandboxes, or --all");
    json_t *names = json_array();
    for (size_t i = 1; i < args->word_count; i++)
        json_array_append_new(names, json_string(args->words[i]));
    json_t *params = all ? json_pack("{s:b}", "all", 1) : json_pack("{s:O}", "names", names);
    json_decref(names);
    int code = call_server(paths, "policy.reload", params, &result);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(result);
    json_array_foreach(json_object_get(result, "names"), index, name)
        call_line(stdout, "reloaded: %s", json_string_value(name) ? json_string_value(name) : "");
    json_decref(result);
    return report_end();
}

int policy_command(const struct args *args, const struct bj_paths *paths)
{
    const char *what = args->words[0];
    if (args_set(args, "all") && strcmp(what, "reload") != 0)
        return report_usage("policy: --all belongs to belljar policy reload");
    if (strcmp(what, "check") == 0)
        return check(args);
    if (strcmp(what, "explain") == 0)
        return explain(args, paths);
    return strcmp(what, "show") == 0 ? show(args, paths) : reload(args, paths);
}
