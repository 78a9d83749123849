/*
 * What the past asked: decoded from audit records, for `belljar suggest` and `belljar stats`.
 *
 * history_add() takes records as mux/audit/record.h describes them (request, verdict, start, exit,
 * kill, attach, detach); others are passed over. The two functions below are pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "mux/policy/rules.h"
#include "transport/error.h"

#define HISTORY_GUIDE 6.0 /* requests per human and hour that alarm management calls manageable */

struct history_request {
    enum policy_kind kind;
    char *subject;
    char *id, *sandbox, *project; /* project may be NULL */
    double asked;                 /* unix seconds */
    double waited;                /* seconds until the verdict; negative: none came */
    enum policy_effect answer;    /* allow or deny; 0: none */
    bool by_human;                /* else by a rule or a policy line */
};

struct history {
    struct history_request *requests;
    size_t count, room;
    struct history_span *spans; /* of running sandboxes and attached clients */
    size_t spans_count, spans_room;
    double first, last; /* times of the first and last record */
};

int history_add(struct history *history, const json_t *record, struct bj_error *error);
void history_free(struct history *history);

struct suggestion {
    enum policy_kind kind;
    enum policy_effect effect;
    char *pattern;
    enum rule_scope scope; /* project or all */
    char *value;           /* the project */
    size_t answered;       /* past requests it would have answered */
    size_t subjects_count; /* different subjects among them */
    char **subjects;       /* each, most frequent first: what it would have let through */
    size_t *times;
};

struct suggest_options {
    size_t times_min;    /* a rule that would have answered fewer requests is left out; 0: 2 */
    size_t subjects_min; /* a wildcard is proposed only for so many different ones; 0: 3 */
};

/*
 * The fewest rules that would have answered what humans had to: exact ones, and wildcards where
 * several subjects share labels (egress, open_url), a directory (file_out) or first words (exec)
 * and no human ever answered one that it matches differently. Most answered first. Requests that
 * humans answered both ways are left alone.
 */
int history_suggest(const struct history *history, const struct suggest_options *options,
                    struct suggestion **list, size_t *count, struct bj_error *error);
void suggestions_free(struct suggestion *list, size_t count);

struct policy_stats {
    size_t requests; /* all that were decided or waited */
    size_t by_rule;  /* answered without a human */
    size_t by_human;
    size_t unanswered;
    double sandbox_hours, human_hours; /* a human hour is one with a client attached */
    double per_sandbox_hour; /* asked of humans, per sandbox and hour; 0 when there is no hour */
    double per_human_hour;   /* against HISTORY_GUIDE */
    double share_by_rule;    /* 0 to 1 */
    double median_seconds;   /* from question to a human's verdict; negative: none */
};
void history_stats(const struct history *history, double now, struct policy_stats *stats);
