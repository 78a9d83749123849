#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/policy/policy.h"
#include "mux/policy/rules.h"

/* A line or a remembered rule that matches. */
struct candidate {
    const struct policy_entry *entry; /* or: */
    const struct rule *rule;
    const struct policy_pattern *pattern;
    enum policy_effect effect;
};

struct candidates {
    struct candidate best;
    bool any;
    struct candidate *list; /* all, when `keep` */
    size_t count, room;
    bool keep, failed;
};

/* Strength among equally specific ones: a remembered allow answers an ask. */
static int strength(const struct candidate *candidate)
{
    if (candidate->effect == POLICY_DENY)
        return 3;
    if (candidate->rule)
        return 2;
    return candidate->effect == POLICY_ASK ? 1 : 0;
}

/* Below zero when `one` goes first. Behind what decides it only settles which line is named: rules
 * first, the narrower scope, the later file, the earlier line. */
static int compare(const struct candidate *one, const struct candidate *other)
{
    if (one->pattern->specificity != other->pattern->specificity)
        return one->pattern->specificity > other->pattern->specificity ? -1 : 1;
    if (strength(one) != strength(other))
        return strength(other) - strength(one);
    if (!one->rule != !other->rule)
        return one->rule ? -1 : 1;
    if (one->rule && one->rule->scope != other->rule->scope)
        return (int)one->rule->scope - (int)other->rule->scope;
    if (one->rule)
        return one->rule->id < other->rule->id ? -1 : 1;
    if (one->entry->file != other->entry->file)
        return one->entry->file > other->entry->file ? -1 : 1;
    return one->entry->line - other->entry->line;
}

static int compare_items(const void *one, const void *other)
{
    return compare(one, other);
}

static void take(struct candidates *found, struct candidate candidate)
{
    if (!found->any || compare(&candidate, &found->best) < 0)
        found->best = candidate;
    found->any = true;
    if (!found->keep)
        return;
    if (found->count == found->room) {
        size_t room = found->room ? found->room * 2 : 16;
        struct candidate *list = realloc(found->list, room * sizeof(*list));
        if (!list) {
            found->failed = true;
            return;
        }
        found->list = list;
        found->room = room;
    }
    found->list[found->count++] = candidate;
}

static const struct policy_preset *find_preset(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->presets_count; i++)
        if (strcmp(policy->presets[i].preset.name, name) == 0)
            return &policy->presets[i];
    return NULL;
}

static void try_preset(struct candidates *found, const struct policy *policy,
                       const struct policy_entry *entry, const struct policy_subject *subject)
{
    const struct policy_preset *preset = find_preset(policy, entry->preset);
    const struct policy_pattern *best = NULL;
    for (size_t i = 0; preset && i < preset->patterns_count; i++) {
        const struct policy_pattern *pattern = &preset->patterns[i];
        if (policy_pattern_match(pattern, subject, entry->effect == POLICY_ALLOW) &&
            (!best || pattern->specificity > best->specificity))
            best = pattern;
    }
    if (best)
        take(found, (struct candidate){entry, NULL, best, entry->effect});
}

static void collect(struct candidates *found, const struct policy *policy,
                    const struct rules *rules, const struct policy_query *query,
                    const struct policy_subject *subject)
{
    for (size_t i = 0; i < policy->entries_count; i++) {
        const struct policy_entry *entry = &policy->entries[i];
        if (entry->kind != subject->kind || !entry->effect)
            continue;
        if (entry->preset)
            try_preset(found, policy, entry, subject);
        else if (policy_pattern_match(&entry->pattern, subject, entry->effect == POLICY_ALLOW))
            take(found, (struct candidate){entry, NULL, &entry->pattern, entry->effect});
    }
    for (size_t i = 0; rules && i < rules->count; i++) {
        const struct rule *rule = &rules->list[i];
        if (rule->pattern.kind == subject->kind &&
            rule_applies(rule, query->sandbox, query->project, query->now) &&
            policy_pattern_match(&rule->pattern, subject, rule->effect == POLICY_ALLOW))
            take(found, (struct candidate){NULL, rule, &rule->pattern, rule->effect});
    }
}

static void describe(const struct policy *policy, const struct candidate *candidate, char *where,
                     char *pattern, size_t pattern_size)
{
    if (candidate->rule)
        snprintf(where, POLICY_WHERE_MAX, "rule %llu", (unsigned long long)candidate->rule->id);
    else
        policy_where(policy, candidate->entry->file, candidate->entry->line, where,
                     POLICY_WHERE_MAX);
    if (candidate->entry && candidate->entry->preset)
        snprintf(pattern, pattern_size, "%s (%s)", candidate->entry->preset,
                 candidate->pattern->text);
    else
        snprintf(pattern, pattern_size, "%s", candidate->pattern->text);
}

static const char *effect_says(enum policy_effect effect)
{
    return effect == POLICY_ALLOW ? "allowed" : effect == POLICY_ASK ? "asked about" : "denied";
}

static void conclude(const struct policy *policy, const struct candidates *found,
                     enum policy_kind kind, struct policy_decision *decision)
{
    if (found->any) {
        const struct candidate *best = &found->best;
        decision->effect = best->effect;
        decision->rule = best->rule ? best->rule->id : 0;
        describe(policy, best, decision->where, decision->pattern, sizeof(decision->pattern));
        snprintf(decision->why, sizeof(decision->why), "%s by the %s pattern %.200s (%.200s)",
                 effect_says(best->effect), policy_kind_name(kind), decision->pattern,
                 decision->where);
        return;
    }
    decision->by_default = true;
    decision->effect = policy->defaults[kind].effect;
    if (!decision->effect) {
        decision->effect = POLICY_DENY;
        snprintf(decision->where, sizeof(decision->where), "built in");
        snprintf(decision->why, sizeof(decision->why),
                 "denied: no %s line matches and no file states a default", policy_kind_name(kind));
        return;
    }
    policy_where(policy, policy->defaults[kind].file, policy->defaults[kind].line, decision->where,
                 sizeof(decision->where));
    snprintf(decision->why, sizeof(decision->why),
             "%s by default, since no %s line or rule matches (%.200s)",
             effect_says(decision->effect), policy_kind_name(kind), decision->where);
}

/* Returns 0 when the subject could be parsed. */
static int begin(const struct policy_query *query, struct policy_subject *subject,
                 struct policy_decision *decision)
{
    struct bj_error why = {0};
    *decision = (struct policy_decision){.effect = POLICY_DENY};
    int status = policy_subject_parse(subject, query->kind, query->subject, query->size, &why);
    if (status < 0) {
        decision->invalid = true;
        snprintf(decision->where, sizeof(decision->where), "built in");
        snprintf(decision->why, sizeof(decision->why), "denied: %.400s", why.text);
        return status;
    }
    memcpy(decision->subject, subject->text, subject->size + 1);
    return 0;
}

void policy_decide(const struct policy *policy, const struct rules *rules,
                   const struct policy_query *query, struct policy_decision *decision)
{
    struct policy_subject subject;
    struct candidates found = {0};
    if (begin(query, &subject, decision) < 0)
        return;
    collect(&found, policy, rules, query, &subject);
    conclude(policy, &found, query->kind, decision);
}

bool policy_private(const struct policy *policy, const char *text, size_t size)
{
    struct policy_subject subject;
    if (policy_subject_parse(&subject, POLICY_EGRESS, text, size, NULL) < 0)
        return false;
    if (subject.host.kind != POLICY_HOST_NAME)
        return true;
    for (size_t i = 0; i < policy->entries_count; i++) {
        const struct policy_entry *entry = &policy->entries[i];
        struct candidates found = {0};
        if (entry->kind != POLICY_EGRESS || (entry->effect && entry->effect != POLICY_ALLOW))
            continue;
        if (entry->preset)
            try_preset(&found, policy, entry, &subject);
        if (found.any || (!entry->effect && !entry->preset &&
                          policy_pattern_match(&entry->pattern, &subject, true)))
            return true;
    }
    return false;
}

/* Explaining ----------------------------------------------------------------------------------- */

struct lines {
    struct policy_line *list;
    size_t count;
};

static struct policy_line *add_line(struct lines *lines, const char *text)
{
    struct policy_line *list = realloc(lines->list, (lines->count + 1) * sizeof(*list));
    if (!list)
        return NULL;
    lines->list = list;
    struct policy_line *line = &list[lines->count];
    *line = (struct policy_line){.text = strdup(text)};
    if (!line->text)
        return NULL;
    lines->count++;
    return line;
}

static int add_candidates(struct lines *lines, const struct policy *policy,
                          struct candidates *found)
{
    if (found->count)
        qsort(found->list, found->count, sizeof(*found->list), compare_items);
    for (size_t i = 0; i < found->count; i++) {
        char where[POLICY_WHERE_MAX], pattern[POLICY_PATTERN_MAX + 64];
        describe(policy, &found->list[i], where, pattern, sizeof(pattern));
        struct policy_line *line = add_line(lines, pattern);
        if (!line)
            return -ENOMEM;
        line->effect = found->list[i].effect;
        line->decides = i == 0;
        line->rule = found->list[i].rule ? found->list[i].rule->id : 0;
        memcpy(line->where, where, sizeof(where));
    }
    return 0;
}

static int add_default(struct lines *lines, const struct policy_decision *decision,
                       const struct policy *policy, enum policy_kind kind)
{
    struct policy_line *line = add_line(lines, "default");
    if (!line)
        return -ENOMEM;
    line->effect = policy->defaults[kind].effect ? policy->defaults[kind].effect : POLICY_DENY;
    line->decides = decision->by_default;
    if (policy->defaults[kind].effect)
        policy_where(policy, policy->defaults[kind].file, policy->defaults[kind].line, line->where,
                     sizeof(line->where));
    else
        snprintf(line->where, sizeof(line->where), "built in");
    return 0;
}

static int add_empty_presets(struct lines *lines, const struct policy *policy,
                             enum policy_kind kind)
{
    for (size_t i = 0; i < policy->entries_count; i++) {
        const struct policy_entry *entry = &policy->entries[i];
        if (entry->kind != kind || !entry->preset)
            continue;
        const struct policy_preset *preset = find_preset(policy, entry->preset);
        if (preset && preset->patterns_count)
            continue;
        char text[PRESET_NAME_MAX + sizeof(preset->preset.note) + 32];
        snprintf(text, sizeof(text), "%s is empty: %s", entry->preset,
                 preset ? preset->preset.note : "not resolved");
        struct policy_line *line = add_line(lines, text);
        if (!line)
            return -ENOMEM;
        policy_where(policy, entry->file, entry->line, line->where, sizeof(line->where));
    }
    return 0;
}

int policy_explain(const struct policy *policy, const struct rules *rules,
                   const struct policy_query *query, struct policy_decision *decision,
                   struct policy_line **lines, size_t *count, struct bj_error *error)
{
    struct policy_subject subject;
    struct candidates found = {.keep = true};
    struct lines made = {0};
    int status = 0;
    *lines = NULL;
    *count = 0;
    if (begin(query, &subject, decision) < 0)
        return 0;
    collect(&found, policy, rules, query, &subject);
    conclude(policy, &found, query->kind, decision);
    if (found.failed || add_candidates(&made, policy, &found) < 0 ||
        add_default(&made, decision, policy, query->kind) < 0 ||
        add_empty_presets(&made, policy, query->kind) < 0) {
        policy_lines_free(made.list, made.count);
        status = bj_fail(error, -ENOMEM, "out of memory while explaining");
    } else {
        *lines = made.list;
        *count = made.count;
    }
    free(found.list);
    return status;
}

void policy_lines_free(struct policy_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(lines[i].text);
    free(lines);
}
