#include "tui/cli/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mux/audit/audit.h"
#include "tui/cli/report.h"

#define BIT(kind) (UINT64_C(1) << (kind))

static const uint64_t kinds = BIT(AUDIT_EXIT) | BIT(AUDIT_KILL) | BIT(AUDIT_ATTACH) |
                              BIT(AUDIT_DETACH) | BIT(AUDIT_REQUEST) | BIT(AUDIT_VERDICT) |
                              BIT(AUDIT_RULE_ADDED) | BIT(AUDIT_RULE_REMOVED) |
                              BIT(AUDIT_FILE_OUT) | BIT(AUDIT_ALERT) | BIT(AUDIT_SERVER_START);

/* Whether the record is of somebody who may have seen what was on screen. */
static bool concerns(const json_t *json, const char *session)
{
    return strcmp(report_text(json, "session"), session) == 0 &&
           !json_is_true(json_object_get(json, "readonly"));
}

static void say(struct digest *digest, const struct audit_record *record, bool bad,
                const char *words, const char *what)
{
    char text[2 * DIGEST_LINE_MAX];
    snprintf(text, sizeof(text), "%.40s %s%s%.200s", report_text(record->json, "sandbox"), words,
             *what ? ": " : "", what);
    digest_say(digest, record->time, bad, text);
}

static void on_exit_of(struct digest *digest, const struct audit_record *record)
{
    char words[40];
    long long code = report_number(record->json, "code");
    long long number = report_number(record->json, "signal");
    bool bad = code != 0 || number != 0;
    if (json_is_true(json_object_get(record->json, "killed")))
        return; /* which is on record by itself */
    *(bad ? &digest->failed : &digest->exited) += 1;
    snprintf(words, sizeof(words), number ? "ended by signal %lld" : "exited %lld",
             number ? number : code);
    say(digest, record, bad, words, report_text(record->json, "error"));
}

/* What a rule or the policy decided was never the human's. */
static void on_verdict(struct digest *digest, const struct audit_record *record)
{
    const char *by = report_text(record->json, "by"), *title = report_text(record->json, "title");
    const char *what = *title ? title : report_text(record->json, "subject");
    if (strcmp(by, "human") == 0) {
        digest->answered++;
        say(digest, record, false,
            strcmp(report_text(record->json, "answer"), "allow") == 0 ? "was allowed"
                                                                      : "was denied",
            what);
    } else if (strcmp(by, "gone") == 0) {
        digest->expired++;
        say(digest, record, false, "no longer asks", what);
    } else if (strcmp(by, "expired") == 0) {
        digest->expired++;
        say(digest, record, true, "was denied, since nobody answered", what);
    }
}

static void take(struct digest *digest, const struct audit_record *record)
{
    const json_t *json = record->json;
    switch (record->kind) {
    case AUDIT_REQUEST:
        digest->held++;
        break;
    case AUDIT_VERDICT:
        on_verdict(digest, record);
        break;
    case AUDIT_EXIT:
        on_exit_of(digest, record);
        break;
    case AUDIT_KILL:
        digest->killed++;
        break;
    case AUDIT_ALERT:
        digest->alerts++;
        say(digest, record, true, "alert", report_text(json, "text"));
        break;
    case AUDIT_FILE_OUT:
        digest->taken++;
        say(digest, record, false, report_text(json, "action"), report_text(json, "outcome"));
        break;
    case AUDIT_RULE_ADDED:
    case AUDIT_RULE_REMOVED:
        digest->rules++;
        break;
    default:
        break;
    }
}

int digest_read(struct digest *digest, const char *state, const char *session, double until,
                const atomic_bool *stop, struct bj_error *error)
{
    struct audit_filter filter = {.kinds = kinds, .until = until};
    struct audit_reader *reader;
    struct audit_record record;
    size_t attached = 0;
    *digest = (struct digest){0};
    int status = audit_read_open(&reader, state, &filter, error);
    if (status < 0)
        return status;
    while (!atomic_load(stop) && (status = audit_read_next(reader, &record, error)) > 0) {
        bool ours = concerns(record.json, session);
        if (record.kind == AUDIT_ATTACH)
            attached += ours;
        else if ((record.kind == AUDIT_DETACH && ours) ||
                 (record.kind == AUDIT_SERVER_START && attached > 0)) {
            attached = record.kind == AUDIT_DETACH && attached > 0 ? attached - 1 : 0;
            digest_begin(digest, record.time);
        } else if (digest->since > 0)
            take(digest, &record);
        audit_record_free(&record);
    }
    audit_read_close(reader);
    return status >= 0 && atomic_load(stop) ? bj_fail(error, -EINTR, "interrupted") : status;
}
