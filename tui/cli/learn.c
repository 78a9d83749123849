#include "tui/cli/learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mux/audit/audit.h"
#include "mux/policy/history.h"
#include "tui/cli/call.h"
#include "tui/cli/report.h"

#define SUBJECTS_SHOWN 8

static int read_history(const struct bj_paths *paths, struct history *history,
                        struct bj_error *error)
{
    struct audit_reader *reader;
    struct audit_record record;
    int status = audit_read_open(&reader, paths->state, NULL, error);
    if (status < 0)
        return status;
    while (status >= 0 && (status = audit_read_next(reader, &record, error)) == 1) {
        status = history_add(history, record.json, error);
        audit_record_free(&record);
    }
    audit_read_close(reader);
    return status < 0 ? status : 0;
}

/* A word as a POSIX shell takes it. */
static char *quoted(const char *text)
{
    char *copy = malloc(strlen(text) * 4 + 3), *at = copy;
    if (!copy)
        return NULL;
    *at++ = '\'';
    for (; *text; text++)
        if (*text == '\'')
            at = stpcpy(at, "'\\''");
        else
            *at++ = *text;
    stpcpy(at, "'");
    return copy;
}

/* The command that accepts a proposal; the caller frees it. */
static char *command_of(const struct suggestion *one)
{
    char *pattern = quoted(one->pattern), *scope = NULL, *word = NULL, *command = NULL;
    if (one->scope == RULE_PROJECT && asprintf(&scope, "project:%s", one->value) < 0)
        scope = NULL;
    word = one->scope == RULE_PROJECT ? scope ? quoted(scope) : NULL : strdup("all");
    if (!pattern || !word ||
        asprintf(&command, "belljar rules add %s %s --%s --scope %s", policy_kind_name(one->kind),
                 pattern, policy_effect_name(one->effect), word) < 0)
        command = NULL;
    free(pattern);
    free(scope);
    free(word);
    return command;
}

static json_t *json_of(const struct suggestion *one, const char *command)
{
    json_t *subjects = json_array();
    for (size_t i = 0; i < one->subjects_count; i++)
        json_array_append_new(subjects, json_pack("{s:s,s:I}", "subject", one->subjects[i], "times",
                                                  (json_int_t)one->times[i]));
    return json_pack("{s:s,s:s,s:s,s:s,s:s*,s:I,s:o,s:s}", "kind", policy_kind_name(one->kind),
                     "effect", policy_effect_name(one->effect), "pattern", one->pattern, "scope",
                     rule_scope_name(one->scope), "value", one->value, "answered",
                     (json_int_t)one->answered, "subjects", subjects, "command", command);
}

static void print_suggestion(const struct suggestion *one, const char *command)
{
    call_line(stdout, "%s %s %s, for %s%s: would have answered %zu request%s",
              policy_effect_name(one->effect), policy_kind_name(one->kind), one->pattern,
              one->scope == RULE_PROJECT ? "the project " : "every sandbox",
              one->scope == RULE_PROJECT ? one->value : "", one->answered,
              one->answered == 1 ? "" : "s");
    for (size_t i = 0; i < one->subjects_count && i < SUBJECTS_SHOWN; i++)
        call_line(stdout, "    %4zu x %s", one->times[i], one->subjects[i]);
    if (one->subjects_count > SUBJECTS_SHOWN)
        printf("    and %zu others: --json lists them\n", one->subjects_count - SUBJECTS_SHOWN);
    call_line(stdout, "  %s", command);
}

static int print_suggestions(const struct suggestion *list, size_t count, bool json)
{
    json_t *all = json ? json_array() : NULL;
    for (size_t i = 0; i < count; i++) {
        char *command = command_of(&list[i]);
        if (!command) {
            json_decref(all);
            return report_failure("out of memory");
        }
        if (json)
            json_array_append_new(all, json_of(&list[i], command));
        else
            print_suggestion(&list[i], command);
        free(command);
    }
    if (json)
        return report_json(all);
    if (count == 0)
        puts("no rule would have spared you questions");
    return report_end();
}

int learn_suggest(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct history history = {0};
    struct suggestion *list = NULL;
    size_t count = 0;
    struct suggest_options options = {.times_min = (size_t)args_number(args, "times", 0)};
    int status = read_history(paths, &history, &error);
    if (status == 0)
        status = history_suggest(&history, &options, &list, &count, &error);
    int code =
        status < 0 ? report_error(&error) : print_suggestions(list, count, args_set(args, "json"));
    suggestions_free(list, count);
    history_free(&history);
    return code;
}

static int print_stats(const struct policy_stats *stats, bool json)
{
    if (json)
        return report_json(json_pack(
            "{s:I,s:I,s:I,s:I,s:f,s:f,s:f,s:f,s:f,s:f,s:o}", "requests",
            (json_int_t)stats->requests, "by_rule", (json_int_t)stats->by_rule, "by_human",
            (json_int_t)stats->by_human, "unanswered", (json_int_t)stats->unanswered,
            "sandbox_hours", stats->sandbox_hours, "human_hours", stats->human_hours,
            "per_sandbox_hour", stats->per_sandbox_hour, "per_human_hour", stats->per_human_hour,
            "guide", HISTORY_GUIDE, "share_by_rule", stats->share_by_rule, "median_seconds",
            stats->median_seconds < 0 ? json_null() : json_real(stats->median_seconds)));
    printf("requests: %zu (%zu answered by rules, %zu by you, %zu not answered)\n", stats->requests,
           stats->by_rule, stats->by_human, stats->unanswered);
    printf("asked per sandbox and hour: %.2f (%.1f sandbox hours)\n", stats->per_sandbox_hour,
           stats->sandbox_hours);
    printf("asked per human and hour: %.2f (%.1f hours; up to %.0f is manageable%s)\n",
           stats->per_human_hour, stats->human_hours, HISTORY_GUIDE,
           stats->per_human_hour > HISTORY_GUIDE ? ": this is too many, see belljar suggest" : "");
    printf("answered by rules: %.0f%%\n", stats->share_by_rule * 100);
    if (stats->median_seconds >= 0)
        printf("median time to your verdict: %.1fs\n", stats->median_seconds);
    else
        puts("median time to your verdict: none was given");
    return report_end();
}

int learn_stats(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct history history = {0};
    struct policy_stats stats;
    int status = read_history(paths, &history, &error);
    if (status == 0)
        history_stats(&history, (double)time(NULL), &stats);
    history_free(&history);
    return status < 0 ? report_error(&error) : print_stats(&stats, args_set(args, "json"));
}
