#include "mux/policy/rules_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/json/json.h"
#include "mux/policy/file.h"

static json_t *pack_rule(const struct rule *rule)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s*, s:f, s:f, s:s}", "id", (json_int_t)rule->id,
                     "kind", policy_kind_name(rule->pattern.kind), "effect",
                     policy_effect_name(rule->effect), "pattern", rule->pattern.text, "scope",
                     rule_scope_name(rule->scope), "value", rule->value, "created", rule->created,
                     "expires", rule->expires, "request", rule->request);
}

int rules_save(const struct rules *rules, struct bj_error *error)
{
    if (!rules->path)
        return 0;
    json_watch();
    json_t *list = json_array();
    for (size_t i = 0; list && i < rules->count; i++) {
        if (json_array_append_new(list, pack_rule(&rules->list[i])) == 0)
            continue;
        json_decref(list);
        list = NULL;
    }
    json_t *root = list ? json_pack("{s:i, s:I, s:o}", "version", 1, "next",
                                    (json_int_t)rules->next, "rules", list)
                        : NULL;
    return file_replace_json(rules->path, root, error);
}

/* Nothing in the file is taken on trust: a rule that is not whole makes the file damaged. */
static int read_rule(struct rule *rule, const json_t *object, struct bj_error *error)
{
    json_int_t id = 0;
    const char *kind, *effect, *pattern, *scope, *value = NULL, *request;
    json_error_t why;
    if (json_unpack_ex((json_t *)object, &why, JSON_STRICT,
                       "{s:I, s:s, s:s, s:s, s:s, s?s, s:F, s:F, s:s}", "id", &id, "kind", &kind,
                       "effect", &effect, "pattern", &pattern, "scope", &scope, "value", &value,
                       "created", &rule->created, "expires", &rule->expires, "request",
                       &request) < 0)
        return bj_fail(error, json_starved() ? -ENOMEM : -EINVAL, "%.120s", why.text);
    int kind_number = policy_kind_find(kind), effect_number = policy_effect_find(effect);
    int scope_number = rule_scope_find(scope);
    if (id <= 0 || kind_number < 0 || effect_number < 0 || effect_number == POLICY_ASK ||
        scope_number < 0 || (scope_number != RULE_ALL) != (value != NULL) ||
        !isfinite(rule->created) || !isfinite(rule->expires))
        return bj_fail(error, -EINVAL, "a member has a value that rules do not have");
    rule->id = (uint64_t)id;
    rule->effect = (enum policy_effect)effect_number;
    rule->scope = (enum rule_scope)scope_number;
    snprintf(rule->request, sizeof(rule->request), "%s", request);
    int status =
        policy_pattern_parse(&rule->pattern, (enum policy_kind)kind_number, pattern, error);
    if (status == 0 && value && !(rule->value = strdup(value)))
        status = bj_fail(error, -ENOMEM, "out of memory");
    return status;
}

static int read_all(struct rules *rules, const json_t *root, struct bj_error *error)
{
    const json_t *list = json_object_get(root, "rules");
    size_t count = json_array_size(list);
    json_int_t next = json_integer_value(json_object_get(root, "next"));
    if (!json_is_array(list) || count > RULES_MAX || next <= 0)
        return bj_fail(error, -EINVAL, "no list of rules");
    rules->list = calloc(count ? count : 1, sizeof(*rules->list));
    if (!rules->list)
        return bj_fail(error, -ENOMEM, "out of memory");
    rules->room = count ? count : 1;
    rules->next = (uint64_t)next;
    uint64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        struct rule *rule = &rules->list[rules->count++];
        int status = read_rule(rule, json_array_get(list, i), error);
        if (status == 0 && (rule->id <= last || rule->id >= rules->next))
            status = bj_fail(error, -EINVAL, "ids out of order");
        if (status < 0) {
            char which[48];
            snprintf(which, sizeof(which), "rule number %zu", i + 1);
            return error ? bj_fail_prefix(error, which) : status;
        }
        last = rule->id;
    }
    return 0;
}

int rules_load(struct rules *rules, struct bj_error *error)
{
    json_t *root = NULL;
    struct bj_error why = {0};
    int status = file_read_json(rules->path, &root, error);
    if (status < 0 || !root)
        return status;
    status = read_all(rules, root, &why);
    json_decref(root);
    if (status == -ENOMEM)
        return bj_fail(error, status, "out of memory while %s was read", rules->path);
    if (status < 0)
        return bj_fail(error, status, "%s is damaged (%.300s): restore it, or move it away",
                       rules->path, why.text);
    return 0;
}
