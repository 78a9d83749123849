#include "mux/policy/rules.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mux/policy/rules_file.h"

#define CLOCK_SLACK 60.0 /* seconds that a clock may be set back without consequence */

static const char *const scope_names[] = {
    [RULE_SANDBOX] = "sandbox", [RULE_PROJECT] = "project", [RULE_ALL] = "all"};

const char *rule_scope_name(enum rule_scope scope)
{
    return scope_names[scope];
}

int rule_scope_find(const char *name)
{
    for (int i = RULE_SANDBOX; i <= RULE_ALL; i++)
        if (strcmp(scope_names[i], name) == 0)
            return i;
    return -1;
}

void rule_free(struct rule *rule)
{
    policy_pattern_free(&rule->pattern);
    free(rule->value);
    *rule = (struct rule){0};
}

void rules_free(struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        rule_free(&rules->list[i]);
    free(rules->list);
    free(rules->path);
    *rules = (struct rules){0};
}

int rules_open(struct rules *rules, const char *path, struct bj_error *error)
{
    *rules = (struct rules){.next = 1};
    if (!path)
        return 0;
    rules->path = strdup(path);
    if (!rules->path)
        return bj_fail(error, -ENOMEM, "out of memory");
    int status = rules_load(rules, error);
    if (status < 0)
        rules_free(rules);
    return status;
}

/* Making -------------------------------------------------------------------------------------- */

int rule_from_pattern(struct rule *rule, enum policy_kind kind, const char *pattern,
                      enum policy_effect effect, enum rule_scope scope, const char *value,
                      double now, double seconds, const char *request, struct bj_error *error)
{
    *rule = (struct rule){.effect = effect, .scope = scope, .created = now};
    if (effect != POLICY_ALLOW && effect != POLICY_DENY)
        return bj_fail(error, -EINVAL, "a rule allows or denies");
    if (scope < RULE_SANDBOX || scope > RULE_ALL)
        return bj_fail(error, -EINVAL, "a rule's scope is sandbox, project or all");
    if (scope != RULE_ALL && (!value || !*value || strlen(value) >= RULE_VALUE_MAX))
        return bj_fail(error, -EINVAL, "a rule for one %s must name it", rule_scope_name(scope));
    if (!isfinite(now) || !isfinite(seconds) || seconds < 0)
        return bj_fail(error, -EINVAL, "a rule's duration is a number of seconds");
    rule->expires = seconds > 0 ? now + seconds : 0;
    snprintf(rule->request, sizeof(rule->request), "%s", request ? request : "");
    int status = policy_pattern_parse(&rule->pattern, kind, pattern, error);
    if (status == 0 && scope != RULE_ALL && !(rule->value = strdup(value)))
        status = bj_fail(error, -ENOMEM, "out of memory");
    if (status < 0)
        rule_free(rule);
    return status;
}

int rule_from_request(struct rule *rule, enum policy_kind kind, const char *subject, size_t size,
                      enum policy_effect effect, enum rule_scope scope, const char *value,
                      double now, double seconds, const char *request, struct bj_error *error)
{
    struct policy_subject parsed;
    char pattern[POLICY_SUBJECT_MAX * 2];
    *rule = (struct rule){0};
    int status = policy_subject_parse(&parsed, kind, subject, size, error);
    if (status == 0)
        status = policy_pattern_exact(&parsed, pattern, error);
    if (status == 0)
        status = rule_from_pattern(rule, kind, pattern, effect, scope, value, now, seconds, request,
                                   error);
    return status;
}

void rule_sentence(const struct rule *rule, const char *name, char out[RULE_SENTENCE_MAX])
{
    static const char *const whats[POLICY_KINDS] = {
        [POLICY_EGRESS] = "connections to",       [POLICY_EXEC] = "the tool call",
        [POLICY_FILE_OUT] = "taking out files",   [POLICY_CLIPBOARD] = "clipboard access:",
        [POLICY_NOTIFICATION] = "notifications:", [POLICY_OPEN_URL] = "opening",
    };
    char until[64] = "for good";
    if (rule->expires > 0) {
        time_t when = (time_t)rule->expires;
        struct tm parts;
        if (gmtime_r(&when, &parts))
            strftime(until, sizeof(until), "until %Y-%m-%d %H:%M:%S UTC", &parts);
    }
    const char *whom = name ? name : rule->value ? rule->value : "";
    snprintf(out, RULE_SENTENCE_MAX, "%s %s %s%s, for %s%s, %s.",
             rule->effect == POLICY_ALLOW ? "Allow" : "Deny", whats[rule->pattern.kind],
             rule->pattern.text,
             (rule->pattern.kind == POLICY_EGRESS || rule->pattern.kind == POLICY_OPEN_URL) &&
                     !rule->pattern.port
                 ? " on every port"
                 : "",
             rule->scope == RULE_ALL       ? "every sandbox"
             : rule->scope == RULE_PROJECT ? "every sandbox of the project "
                                           : "the sandbox ",
             rule->scope == RULE_ALL ? "" : whom, until);
}

/* Changing ------------------------------------------------------------------------------------ */

static bool same(const struct rule *one, const struct rule *other)
{
    return one->effect == other->effect && one->scope == other->scope &&
           one->pattern.kind == other->pattern.kind &&
           strcmp(one->pattern.text, other->pattern.text) == 0 &&
           strcmp(one->value ? one->value : "", other->value ? other->value : "") == 0;
}

/* Takes those out for which `drop` says so, saves, and only then lets go of them. */
static int drop_where(struct rules *rules, bool (*drop)(const struct rule *rule, const void *what),
                      const void *what, struct bj_error *error)
{
    struct rule *kept = calloc(rules->count ? rules->count : 1, sizeof(*kept));
    struct rule *dropped = calloc(rules->count ? rules->count : 1, sizeof(*dropped));
    size_t kept_count = 0, dropped_count = 0;
    int status = 0;
    if (!kept || !dropped) {
        status = bj_fail(error, -ENOMEM, "out of memory");
    } else {
        for (size_t i = 0; i < rules->count; i++) {
            if (drop(&rules->list[i], what))
                dropped[dropped_count++] = rules->list[i];
            else
                kept[kept_count++] = rules->list[i];
        }
        struct rules after = {kept, kept_count, rules->count, rules->next, rules->path};
        if (dropped_count > 0)
            status = rules_save(&after, error);
    }
    if (status == 0 && dropped_count > 0) {
        for (size_t i = 0; i < dropped_count; i++)
            rule_free(&dropped[i]);
        struct rule *old = rules->list;
        rules->list = kept;
        rules->room = rules->count;
        rules->count = kept_count;
        kept = old;
    }
    free(kept);
    free(dropped);
    return status < 0 ? status : (int)dropped_count;
}

int rules_add(struct rules *rules, struct rule *rule, struct bj_error *error)
{
    size_t replaced = rules->count;
    for (size_t i = 0; i < rules->count; i++)
        if (same(&rules->list[i], rule))
            replaced = i;
    if (replaced == rules->count && rules->count >= RULES_MAX)
        return bj_fail(error, -ENOSPC,
                       "there are %d rules already: remove some first (belljar rules)", RULES_MAX);
    if (rules->count == rules->room) {
        size_t room = rules->room ? rules->room * 2 : 16;
        struct rule *list = realloc(rules->list, room * sizeof(*list));
        if (!list)
            return bj_fail(error, -ENOMEM, "out of memory");
        rules->list = list;
        rules->room = room;
    }
    /* Try the new list on disk first; ids grow, so the newest always stands last. */
    struct rule old = {0};
    size_t count = rules->count;
    if (replaced < count) {
        old = rules->list[replaced];
        memmove(&rules->list[replaced], &rules->list[replaced + 1],
                (count - replaced - 1) * sizeof(*rules->list));
        rules->count--;
    }
    rule->id = rules->next++;
    rules->list[rules->count++] = *rule;
    int status = rules_save(rules, error);
    if (status < 0) {
        rules->count--;
        rules->next--;
        rule->id = 0;
        if (replaced < count) {
            memmove(&rules->list[replaced + 1], &rules->list[replaced],
                    (count - replaced - 1) * sizeof(*rules->list));
            rules->list[replaced] = old;
            rules->count++;
        }
        return status;
    }
    rule_free(&old);
    return 0;
}

static int remove_at(struct rules *rules, size_t index, struct rule *removed,
                     struct bj_error *error)
{
    struct rule rule = rules->list[index];
    size_t behind = (rules->count - index - 1) * sizeof(*rules->list);
    memmove(&rules->list[index], &rules->list[index + 1], behind);
    rules->count--;
    int status = rules_save(rules, error);
    if (status < 0) {
        memmove(&rules->list[index + 1], &rules->list[index], behind);
        rules->list[index] = rule;
        rules->count++;
        return status;
    }
    if (removed)
        *removed = rule;
    else
        rule_free(&rule);
    return 0;
}

int rules_remove(struct rules *rules, uint64_t id, struct rule *removed, struct bj_error *error)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->list[i].id == id)
            return remove_at(rules, i, removed, error);
    return bj_fail(error, -ENOENT, "there is no rule %llu (belljar rules lists them)",
                   (unsigned long long)id);
}

int rules_undo(struct rules *rules, struct rule *removed, struct bj_error *error)
{
    if (rules->count == 0)
        return bj_fail(error, -ENOENT, "there is no rule to take back");
    return remove_at(rules, rules->count - 1, removed, error);
}

static bool is_expired(const struct rule *rule, const void *now)
{
    return rule->expires > 0 && rule->expires <= *(const double *)now;
}

int rules_expire(struct rules *rules, double now, struct bj_error *error)
{
    return drop_where(rules, is_expired, &now, error);
}

static bool is_of_sandbox(const struct rule *rule, const void *sandbox)
{
    return rule->scope == RULE_SANDBOX && strcmp(rule->value, sandbox) == 0;
}

int rules_forget(struct rules *rules, const char *sandbox, struct bj_error *error)
{
    return drop_where(rules, is_of_sandbox, sandbox, error);
}

const struct rule *rules_find(const struct rules *rules, uint64_t id)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->list[i].id == id)
            return &rules->list[i];
    return NULL;
}

bool rule_applies(const struct rule *rule, const char *sandbox, const char *project, double now)
{
    if (rule->expires > 0 && (now >= rule->expires ||
                              (rule->effect == POLICY_ALLOW && now < rule->created - CLOCK_SLACK)))
        return false;
    switch (rule->scope) {
    case RULE_SANDBOX:
        return sandbox && strcmp(rule->value, sandbox) == 0;
    case RULE_PROJECT:
        return project && strcmp(rule->value, project) == 0;
    default:
        return true;
    }
}
