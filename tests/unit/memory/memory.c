/*
 * Memory that runs out in the middle of something: each operation is done again and again, while
 * its first, second, third ... allocation fails, until one passes in which none does. Each time it
 * must either say that memory ran out, or do without; nothing leaks (the sanitizer looks), and what
 * is on the disk stays good.
 *
 * malloc and its kind are replaced by the linker (--wrap) in Belljar's own code, from which jansson
 * has its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/audit/audit.h"
#include "mux/audit/record.h"
#include "mux/json/json.h"
#include "mux/monitor/recording_read.h"
#include "mux/policy/history.h"
#include "mux/policy/policy.h"
#include "mux/policy/proposal.h"
#include "mux/policy/rules.h"
#include "mux/server/alert.h"
#include "mux/server/profile.h"
#include "mux/server/record.h"
#include "mux/server/session.h"
#include "tests/unit/server/suite.h"

#define ALLOCATIONS_MAX 20000

/* ---- the allocator ---- */

static long until; /* so many more succeed, then one fails; 0: all succeed */
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

static bool fails(void)
{
    if (until == 0 || --until > 0)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

/* In an operation: Check itself needs memory. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        long saved_ = until;                                                                       \
        until = 0;                                                                                 \
        ck_assert(condition);                                                                      \
        until = saved_;                                                                            \
    } while (0)

/* ---- the sweep ---- */

static char directory[SUITE_PATH_MAX];

static void setup(void)
{
    suite_directory(directory);
    json_watch();
}

static void teardown(void)
{
    suite_remove(directory);
}

static const char *file(const char *name)
{
    static char path[SUITE_PATH_MAX * 2];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *out = fopen(file(name), "we");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

/* Does the operation with every allocation failing once. It returns 0 or a negative code, and
 * cleans up after itself. Returns how many of its allocations can fail. */
static long sweep(int (*operation)(struct bj_error *error))
{
    for (long nth = 1; nth < ALLOCATIONS_MAX; nth++) {
        struct bj_error error = {0};
        failed = false;
        until = nth;
        int status = operation(&error);
        until = 0;
        if (!failed) {
            ck_assert_msg(status == 0, "with all its memory: %s", error.text);
            return nth - 1;
        }
        ck_assert_msg(status == 0 || status == -ENOMEM, "allocation %ld: %d, %s", nth, status,
                      error.text);
        ck_assert_msg(status == 0 || error.text[0], "allocation %ld: no words", nth);
    }
    ck_abort_msg("it never ends");
}

/* ---- policies ---- */

static const char policy_text[] =
    "egress {\n  allow = [\"*.good.example:443\", \"@apt\"]\n  default = ask\n}\n"
    "exec {\n  deny = [\"Bash(rm *)\"]\n  default = deny\n}\n"
    "file_out {\n  ask = [\"dist/**\"]\n}\n"
    "limits {\n  memory = 2gb\n  pids = 100\n}\n"
    "credential key {\n  from = \"env:NAME\"\n  hosts = [\"api.good.example\"]\n"
    "  header = \"Authorization\"\n  format = \"Bearer %s\"\n}\n";

static int load_policy(struct bj_error *error)
{
    struct policy policy = {0};
    struct policy_report report = {0};
    int status = policy_load_text(&policy, policy_text, strlen(policy_text), "one.conf",
                                  POLICY_TRUSTED, &report, error);
    policy_report_free(&report);
    policy_free(&policy);
    return status;
}

START_TEST(a_policy)
{
    ck_assert_int_gt(sweep(load_policy), 20);
}
END_TEST

static int explain(struct bj_error *error)
{
    struct policy policy = {0};
    struct policy_line *lines = NULL;
    size_t count = 0;
    long saved = until;
    until = 0;
    ck_assert_int_eq(policy_load_text(&policy, policy_text, strlen(policy_text), "one.conf",
                                      POLICY_TRUSTED, NULL, error),
                     0);
    until = saved;
    struct policy_query query = {POLICY_EGRESS, "a.good.example:443", 18, "id", "/srv", 0};
    struct policy_decision decision;
    struct rules rules = {0};
    int status = policy_explain(&policy, &rules, &query, &decision, &lines, &count, error);
    HOLDS(status < 0 || decision.effect == POLICY_ALLOW);
    policy_lines_free(lines, count);
    policy_free(&policy);
    return status;
}

START_TEST(an_explanation)
{
    ck_assert_int_gt(sweep(explain), 2);
}
END_TEST

static int propose(struct bj_error *error)
{
    static const char text[] =
        "egress {\n  allow = [x.example]\n}\nexec {\n  deny = [\"Bash(ls)\"]\n}\n";
    struct policy policy = {0};
    struct proposal proposal = {0};
    struct proposal_line *lines = NULL;
    struct accepted *accepted = NULL;
    size_t count = 0;
    int status = proposal_parse(&proposal, text, strlen(text), NULL, error);
    if (status == 0)
        status = proposal_diff(&policy, &proposal, &lines, &count, error);
    HOLDS(status < 0 || count == 2);
    proposal_lines_free(lines, status < 0 ? 0 : count);
    if (status == 0)
        status = accepted_open(&accepted, file("accepted.json"), error);
    if (status == 0)
        status = accepted_add(accepted, "/srv", &proposal, proposal.hash, 1e9, error);
    if (status == 0)
        status = proposal_load(&policy, &proposal, accepted, "/srv", error);
    if (accepted)
        accepted_free(accepted);
    proposal_free(&proposal);
    policy_free(&policy);
    return status;
}

START_TEST(a_proposal)
{
    ck_assert_int_gt(sweep(propose), 20);
}
END_TEST

/* ---- rules ---- */

static int remember(struct bj_error *error)
{
    struct rules rules = {0};
    struct rule rule = {0};
    int status = rules_open(&rules, file("rules.json"), error);
    size_t before = rules.count;
    HOLDS(status < 0 || before >= 1);
    if (status == 0)
        status = rule_from_request(&rule, POLICY_EXEC, "Bash(make)", 10, POLICY_ALLOW, RULE_PROJECT,
                                   "/srv", 1e9, 60, "r", error);
    if (status == 0) {
        status = rules_add(&rules, &rule, error);
        if (status < 0) {
            rule_free(&rule);
            HOLDS(rules.count == before);
        }
    }
    if (status == 0) {
        status = rules_expire(&rules, 2e9, error);
        HOLDS(status < 0 || status == 1);
        status = status < 0 ? status : 0;
    }
    rules_free(&rules);
    return status;
}

START_TEST(rules_that_are_remembered)
{
    struct rules rules = {0};
    struct rule rule;
    struct bj_error error = {0};
    ck_assert_int_eq(rules_open(&rules, file("rules.json"), &error), 0);
    ck_assert_int_eq(rule_from_pattern(&rule, POLICY_EGRESS, "kept.example", POLICY_DENY, RULE_ALL,
                                       NULL, 1e9, 0, "", &error),
                     0);
    ck_assert_int_eq(rules_add(&rules, &rule, &error), 0);
    rules_free(&rules);
    ck_assert_int_gt(sweep(remember), 20);
    ck_assert_int_eq(rules_open(&rules, file("rules.json"), &error), 0);
    ck_assert_str_eq(rules.list[0].pattern.text, "kept.example");
    rules_free(&rules);
}
END_TEST

/* ---- what the server keeps ---- */

static int keep_record(struct bj_error *error)
{
    static const char *const argv[] = {"sh", "-c", "true"};
    struct record record = {.rows = 24, .cols = 80}, back = {0};
    strcpy(record.id, "abcdefgh");
    strcpy(record.name, "one");
    strcpy(record.driver, "bwrap");
    strcpy(record.session, "main");
    int status = record_set_argv(&record, argv, 3);
    if (status == 0)
        status = record_set_arguments(&record, argv, 2);
    if (status == 0)
        status = record_set_variables(&record, (const char *const[]){"A=1", "B=2", NULL});
    if (status < 0)
        bj_fail(error, status, "out of memory");
    if (status == 0)
        status = record_save(&record, directory, error);
    if (status == 0)
        status = record_load(&back, directory, error);
    HOLDS(status < 0 || strcmp(back.argv[2], "true") == 0);
    if (status == 0)
        record_free(&back);
    record_free(&record);
    return status;
}

START_TEST(a_sandboxes_record)
{
    ck_assert_int_gt(sweep(keep_record), 20);
}
END_TEST

static int keep_sessions(struct bj_error *error)
{
    struct sessions sessions = {0}, back = {0};
    struct session *session;
    int status = session_use(&sessions, "side", &session, error);
    if (status == 0)
        status = session_add_pane(session, "abcdefgh", error);
    if (status == 0)
        status = sessions_save(&sessions, file("sessions.json"), error);
    if (status == 0)
        status = sessions_load(&back, file("sessions.json"), error);
    HOLDS(status < 0 || session_find(&back, "side")->count == 1);
    sessions_free(&sessions);
    sessions_free(&back);
    return status;
}

static int keep_alerts(struct bj_error *error)
{
    static struct alerts alerts, back;
    alerts = back = (struct alerts){0};
    alert_raise(&alerts, "abcdefgh", "one", ALERT_CRITICAL, "seccomp", "a call was refused", 1);
    int status = alerts_save(&alerts, file("alerts.json"), error);
    if (status == 0)
        status = alerts_load(&back, file("alerts.json"), error);
    HOLDS(status < 0 || (back.count == 1 && back.list[0].severity == ALERT_CRITICAL &&
                         strcmp(back.list[0].text, "a call was refused") == 0));
    return status;
}

START_TEST(alerts_that_are_kept)
{
    ck_assert_int_gt(sweep(keep_alerts), 10);
}
END_TEST

START_TEST(sessions_and_their_panes)
{
    ck_assert_int_gt(sweep(keep_sessions), 10);
}
END_TEST

static int use_profile(struct bj_error *error)
{
    static struct profile_place place;
    static const char *const none[] = {NULL};
    struct bj_paths paths = {0};
    struct profile profile = {0};
    snprintf(paths.config, sizeof(paths.config), "%s", directory);
    snprintf(paths.data, sizeof(paths.data), "%s/data", directory);
    place = (struct profile_place){0};
    int status = profile_load(&profile, &paths, "one", error);
    if (status < 0)
        return status;
    status = profile_find(&profile, directory, &place, error);
    char **argv = NULL;
    if (status == 0 && !(argv = profile_argv(&profile, &place, none, "go", true)))
        status = bj_fail(error, -ENOMEM, "out of memory");
    HOLDS(status < 0 || strcmp(argv[2], "say go!") == 0);
    profile_list_free(argv);
    profile_free(&profile);
    char **names = profile_names(&paths);
    profile_list_free(names);
    return status;
}

START_TEST(a_profile)
{
    mkdir(file("profiles"), 0755);
    put("profiles/one.conf",
        "summary = One\ncommand = [\"{program}\"]\nprompt = [\"say {prompt}!\"]\nresume = more\n"
        "search = [\"path:one\"]\nenv { A = \"b c\" }\nhome { \".one/settings\" = one.conf }\n"
        "keys = [C-c]\n");
    put("one", "#!/bin/sh\n");
    chmod(file("one"), 0755);
    ck_assert_int_gt(sweep(use_profile), 20);
}
END_TEST

/* ---- the audit log and what is read out of it ---- */

static int write_audit(struct bj_error *error)
{
    struct audit *audit = NULL;
    struct audit_opened opened;
    struct audit_options options = {.lazy = true};
    long saved = until; /* what the test does itself */
    until = 0;
    unlink(file("audit.jsonl"));
    unlink(file("audit.head"));
    until = saved;
    int status = audit_open(&audit, directory, &options, &opened, error);
    if (status < 0)
        return status;
    saved = until;
    until = 0;
    json_t *fields = json_pack("{s:s}", "answer", "allow");
    until = saved;
    status = audit_append(audit, AUDIT_VERDICT, fields, error);
    json_decref(fields);
    audit_close(audit);
    return status;
}

static size_t records_of(struct bj_error *error, int *status)
{
    struct audit_reader *reader;
    struct audit_record record;
    size_t count = 0;
    *status = audit_read_open(&reader, directory, NULL, error);
    if (*status < 0)
        return 0;
    while ((*status = audit_read_next(reader, &record, error)) > 0) {
        audit_record_free(&record);
        count++;
    }
    audit_read_close(reader);
    return count;
}

static size_t written;

static int read_audit(struct bj_error *error)
{
    int status;
    size_t count = records_of(error, &status);
    HOLDS(status < 0 || count == written);
    return status;
}

START_TEST(the_audit_log)
{
    struct bj_error error = {0};
    struct audit_verdict verdict;
    int status;
    ck_assert_int_gt(sweep(write_audit), 5);
    ck_assert_int_eq(audit_verify(directory, &verdict, &error), 0);
    ck_assert_msg(verdict.fault == AUDIT_FAULT_NONE && verdict.gaps == 0, "%s", verdict.text);
    written = records_of(&error, &status);
    ck_assert_uint_ge(written, 1);
    ck_assert_int_gt(sweep(read_audit), 5);
}
END_TEST

static json_t *records[6];

static int suggest(struct bj_error *error)
{
    struct history history = {0};
    struct suggestion *list = NULL;
    struct suggest_options options = {0};
    size_t count = 0;
    int status = 0;
    for (size_t i = 0; status == 0 && i < 6; i++)
        status = history_add(&history, records[i], error);
    if (status == 0)
        status = history_suggest(&history, &options, &list, &count, error);
    if (status == 0) /* one that there was no memory for may be missing */
        suggestions_free(list, count);
    history_free(&history);
    return status;
}

START_TEST(suggestions)
{
    for (int i = 0; i < 6; i++) {
        records[i] = json_pack("{s:s, s:f, s:s, s:s, s:s, s:s, s:s, s:s, s:f}", "kind", "verdict",
                               "time", 100.0 + i, "about", "egress", "subject", "a.example:443",
                               "sandbox", "abcdefgh", "project", "/srv", "answer", "allow", "by",
                               "human", "waited", 1.0);
        ck_assert_ptr_nonnull(records[i]);
    }
    ck_assert_int_gt(sweep(suggest), 5);
    for (int i = 0; i < 6; i++)
        json_decref(records[i]);
}
END_TEST

/* ---- recordings ---- */

static int recording = -1;
static uint64_t whole;

static void ignore(void *owner, const struct recording_event *event)
{
}

static int read_recording(struct bj_error *error)
{
    struct recording_header header;
    uint64_t good = 0;
    int status = recording_read(recording, &header, ignore, NULL, &good, error);
    HOLDS(status < 0 || good == whole);
    return status;
}

/* Want of memory is not taken for a recording that a crash has cut. */
START_TEST(a_recording)
{
    static const char text[] =
        "{\"version\": 2, \"width\": 80, \"height\": 24, \"timestamp\": 1, \"belljar\": "
        "{\"epoch\": "
        "\"00112233445566778899aabbccddeeff\", \"offset\": 0, \"sequence\": 0}}\n"
        "[0.1, \"o\", \"one\"]\n[0.2, \"o\", \"two \\u00e4\"]\n[0.3, \"r\", \"100x30\"]\n"
        "[0.4, \"o\", \"three\"]\n";
    put("recording", text);
    whole = strlen(text);
    recording = open(file("recording"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_gt(sweep(read_recording), 10);
    close(recording);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {a_policy,
                                  an_explanation,
                                  a_proposal,
                                  rules_that_are_remembered,
                                  a_sandboxes_record,
                                  alerts_that_are_kept,
                                  sessions_and_their_panes,
                                  a_profile,
                                  the_audit_log,
                                  suggestions,
                                  a_recording,
                                  NULL};
    return suite_run_with("memory", cases, setup, teardown);
}
