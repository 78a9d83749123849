/*
 * Fuzz target: policy files, which may have come with a project, and the subjects that agents name.
 * The input is a kind, a file, a NUL byte and a subject. Beyond memory errors it checks that the
 * explanation of a decision is the decision, and that a remembered rule matches what was shown.
 */
#include <string.h>

#include "mux/policy/policy.h"
#include "mux/policy/proposal.h"
#include "tests/fuzz/fuzz.h"

static void check_decision(const struct policy *policy, const struct policy_query *query)
{
    struct policy_decision one, other;
    struct policy_line *lines = NULL;
    size_t count = 0;
    policy_decide(policy, NULL, query, &one);
    require(one.effect >= POLICY_ALLOW && one.effect <= POLICY_DENY && one.why[0]);
    require(!one.invalid || one.effect == POLICY_DENY);
    require(policy_explain(policy, NULL, query, &other, &lines, &count, NULL) == 0);
    require(one.effect == other.effect && strcmp(one.where, other.where) == 0);
    for (size_t i = 0; i < count; i++)
        require(!lines[i].decides || lines[i].effect == one.effect);
    policy_lines_free(lines, count);
}

/* The exact pattern of a subject says its effect, whatever else the policy says. */
static void check_exact(const struct policy_query *query)
{
    static struct policy_subject subject;
    static char text[POLICY_SUBJECT_MAX * 2];
    struct policy_pattern pattern;
    if (policy_subject_parse(&subject, query->kind, query->subject, query->size, NULL) < 0 ||
        policy_pattern_exact(&subject, text, NULL) < 0 ||
        policy_pattern_parse(&pattern, query->kind, text, NULL) < 0)
        return;
    require(policy_pattern_match(&pattern, &subject, true));
    require(policy_pattern_match(&pattern, &subject, false));
    policy_pattern_free(&pattern);
}

static void check_proposal(const struct policy *policy, const char *text, size_t size)
{
    struct proposal proposal = {0};
    struct policy_report report = {0};
    struct proposal_line *lines = NULL;
    size_t count = 0;
    if (proposal_parse(&proposal, text, size, &report, NULL) == 0)
        require(proposal_diff(policy, &proposal, &lines, &count, NULL) == 0);
    require(strlen(proposal.hash) == PROPOSAL_HASH_SIZE - 1);
    proposal_lines_free(lines, count);
    proposal_free(&proposal);
    policy_report_free(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const uint8_t *file = data + 1, *cut = memchr(file, 0, size - 1);
    size_t file_size = cut ? (size_t)(cut - file) : size - 1;
    size_t subject_size = cut ? size - 2 - file_size : 0;
    char *text = fuzz_copy(file, file_size);
    char *subject = fuzz_copy(cut ? cut + 1 : file, subject_size);
    struct policy policy = {0};
    struct policy_report report = {0};
    struct bj_error error = {0};
    struct policy_query query = {
        .kind = data[0] % POLICY_KINDS, .subject = subject, .size = subject_size};
    if (policy_load_text(&policy, text, file_size, "f", POLICY_TRUSTED, &report, &error) < 0)
        require(error.text[0] && policy.entries_count == 0);
    check_decision(&policy, &query);
    check_exact(&query);
    check_proposal(&policy, text, file_size);
    policy_report_free(&report);
    policy_free(&policy);
    free(text);
    free(subject);
    return 0;
}
