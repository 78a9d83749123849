#include "tui/cli/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mux/audit/audit.h"
#include "mux/audit/store.h"
#include "tui/cli/call.h"
#include "tui/cli/report.h"

#define FOLLOW_MS  300
#define CENTURY_MS (UINT64_C(100) * 366 * 24 * 3600 * 1000)

struct show {
    const char *sandbox; /* NULL: all */
    int kind;            /* -1: all */
    double since;
    bool json;
    uint64_t newest; /* seq of the last record read */
};

/* "2h" (ago), "2031-05-01", "2031-05-01T10:00[:00]" or unix seconds with an @ in front. */
static int parse_since(const char *text, double *since, struct bj_error *error)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"};
    uint64_t number;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm when = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i], &when);
        if (end && !*end) {
            *since = (double)mktime(&when);
            return 0;
        }
    }
    if (*text == '@' && unit_count(text + 1, INT64_MAX, &number, NULL) == 0) {
        *since = (double)number;
        return 0;
    }
    if (unit_duration(text, CENTURY_MS, &number, NULL) == 0) {
        *since = (double)time(NULL) - (double)number / 1000;
        return 0;
    }
    return bj_fail(error, -EINVAL,
                   "--since takes 2h (ago), 2031-05-01 or 2031-05-01T10:00, not "
                   "%.64s",
                   text);
}

static bool is_text(const json_t *json, const char *key, const char *text)
{
    return strcmp(report_text(json, key), text) == 0;
}

static bool wanted(const struct show *show, const struct audit_record *record)
{
    if (show->kind >= 0 && record->kind != show->kind)
        return false;
    if (show->sandbox && !is_text(record->json, "sandbox", show->sandbox) &&
        !is_text(record->json, "sandbox_id", show->sandbox))
        return false;
    return record->time >= show->since;
}

/* The fields of this kind of record, as "key=value"; --json has the others, too. */
static void print_fields(const json_t *json)
{
    static const char *const common[] = {"seq",  "time",    "kind",       "prev",
                                         "hash", "sandbox", "sandbox_id", "project"};
    const char *key;
    const json_t *value;
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    if (!out)
        return;
    json_object_foreach((json_t *)json, key, value)
    {
        bool said = json_is_null(value) || (json_is_string(value) && !json_string_length(value));
        for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
            said = said || strcmp(key, common[i]) == 0;
        if (said)
            continue;
        fprintf(out, "  %s=", key);
        if (json_is_string(value))
            fputs(json_string_value(value), out);
        else
            json_dumpf(value, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    }
    if (fclose(out) == 0)
        call_line(stdout, "%s", line);
    free(line);
}

static void print_record(const struct show *show, const struct audit_record *record)
{
    char when[32];
    time_t second = (time_t)record->time;
    struct tm parts;
    if (show->json) {
        json_dumpf(record->json, stdout, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
        putchar('\n');
        return;
    }
    if (!localtime_r(&second, &parts) || !strftime(when, sizeof(when), "%F %T", &parts))
        snprintf(when, sizeof(when), "@%.0f", record->time);
    const char *kind =
        record->kind >= 0 ? audit_kind_name(record->kind) : report_text(record->json, "kind");
    char *head = NULL;
    if (asprintf(&head, "%6llu  %s  %-12s  %-16s%s", (unsigned long long)record->seq, when, kind,
                 report_text(record->json, "sandbox"), record->intact ? "" : "  EDITED") < 0)
        return;
    for (char *at = head; *at; at++) /* the fields follow on the same line */
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    fputs(head, stdout);
    free(head);
    print_fields(record->json);
}

/* Prints one and frees it. */
static void take(struct show *show, struct audit_record *record)
{
    if (record->seq > show->newest) {
        show->newest = record->seq;
        if (wanted(show, record))
            print_record(show, record);
    }
    audit_record_free(record);
}

/* Every record behind the newest, over all files. */
static int read_all(const struct bj_paths *paths, struct show *show, struct bj_error *error)
{
    struct audit_filter filter = {.after = show->newest};
    struct audit_reader *reader;
    struct audit_record record;
    int status = audit_read_open(&reader, paths->state, &filter, error);
    if (status < 0)
        return status;
    while ((status = audit_read_next(reader, &record, error)) == 1)
        take(show, &record);
    audit_read_close(reader);
    return status;
}

/* The records behind `*offset` of the newest file. */
static int read_tail(int directory, struct show *show, uint64_t *offset)
{
    struct store_lines lines;
    struct audit_record record;
    int fd = store_open(directory, 0);
    int status = fd < 0 ? fd : store_lines_open(&lines, fd, *offset);
    if (status < 0)
        return status;
    while ((status = store_lines_next(&lines)) == 1 && lines.whole) {
        *offset = lines.end;
        int parsed =
            lines.over ? -EINVAL : audit_record_parse(&record, lines.line, lines.size, NULL);
        if (parsed == 0 || parsed == -EBADMSG)
            take(show, &record);
    }
    store_lines_close(&lines);
    return status < 0 ? status : 0;
}

/* The log is a file: it is looked at a few times a second, and read when it has grown. When another
 * file took its place (it was rotated), all files are read for what is newer. */
static int follow(const struct bj_paths *paths, struct show *show, struct bj_error *error)
{
    struct stat now, known = {0};
    uint64_t offset = 0;
    int status = 0;
    int directory = open(paths->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return bj_fail(error, -errno, "cannot open %s: %s", paths->state, strerror(errno));
    while (status == 0 && fflush(stdout) == 0) {
        bool there = fstatat(directory, STORE_LOG, &now, 0) == 0;
        if (there && now.st_ino != known.st_ino) {
            status = read_all(paths, show, error);
            known = now;
            offset = 0;
        }
        if (status == 0 && there && (uint64_t)now.st_size > offset)
            status = read_tail(directory, show, &offset);
        fflush(stdout);
        poll(NULL, 0, FOLLOW_MS);
    }
    close(directory);
    if (status == 0)
        return bj_fail(error, -EIO, "cannot write the records: %s", strerror(errno));
    return error->code < 0
               ? status
               : bj_fail(error, status, "cannot read the audit log: %s", strerror(-status));
}

static int show(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct show show = {
        .sandbox = args_text(args, "sandbox"), .kind = -1, .json = args_set(args, "json")};
    const char *kind = args_text(args, "kind"), *since = args_text(args, "since");
    if (kind && (show.kind = audit_kind_find(kind)) < 0)
        return report_usage("audit: there is no kind of record %.32s: start, exit, kill, request, "
                            "verdict, rule_added, connection, file_out, alert, ...",
                            kind);
    if (since && parse_since(since, &show.since, &error) < 0)
        return report_usage("audit: %s", error.text);
    int status =
        args_set(args, "follow") ? follow(paths, &show, &error) : read_all(paths, &show, &error);
    return status < 0 ? report_error(&error) : report_end();
}

static int verify(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct audit_verdict verdict = {0};
    if (audit_verify(paths->state, &verdict, &error) < 0)
        return report_error(&error);
    bool good = verdict.fault == AUDIT_FAULT_NONE;
    if (args_set(args, "json")) {
        int code = report_json(
            json_pack("{s:b,s:s,s:I,s:I,s:b,s:s,s:I,s:s}", "ok", good, "fault",
                      audit_fault_name(verdict.fault), "records", (json_int_t)verdict.records,
                      "gaps", (json_int_t)verdict.gaps, "unfinished", verdict.unfinished, "file",
                      verdict.file, "line", (json_int_t)verdict.line, "text", verdict.text));
        return good ? code : COMMAND_FAILED;
    }
    if (!good)
        return report_failure("%s", verdict.text);
    call_line(stdout, "%s", verdict.text);
    if (verdict.gaps)
        printf("%llu gap%s that a crash explains\n", (unsigned long long)verdict.gaps,
               verdict.gaps == 1 ? "" : "s");
    return report_end();
}

int audit_command(const struct args *args, const struct bj_paths *paths)
{
    static const char *const only_show[] = {"sandbox", "kind", "since", "follow"};
    if (args->word_count == 0 || strcmp(args->words[0], "show") == 0)
        return show(args, paths);
    for (size_t i = 0; i < sizeof(only_show) / sizeof(only_show[0]); i++)
        if (args_set(args, only_show[i]))
            return report_usage("audit: --%s belongs to belljar audit show", only_show[i]);
    return verify(args, paths);
}
