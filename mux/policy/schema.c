#include "mux/policy/schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/policy/credential.h"
#include "mux/policy/units.h"

#define REPORT_MAX 20

struct context {
    struct policy *policy;
    uint32_t file;
    enum policy_trust trust;
    struct policy_report *report;
    struct bj_error *error;
    int status; /* of the first mistake */
};

/* Notes a mistake with its place; goes on, so that one check shows all of them. */
__attribute__((format(printf, 4, 5))) static int mistake(struct context *context,
                                                         const struct document_node *node, int code,
                                                         const char *format, ...)
{
    struct bj_error local;
    char text[BJ_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bj_fail(&local, code, "%.200s:%d: %s", context->policy->files[context->file], node->line, text);
    if (context->status == 0) {
        context->status = code;
        if (context->error)
            *context->error = local;
    }
    struct policy_report *report = context->report;
    if (report && report->count < REPORT_MAX) {
        char **lines = realloc(report->lines, (report->count + 1) * sizeof(*lines));
        char *copy = strdup(local.text);
        if (lines)
            report->lines = lines;
        if (lines && copy)
            report->lines[report->count++] = copy;
        else
            free(copy);
    }
    return code;
}

static int no_memory(struct context *context, const struct document_node *node)
{
    return mistake(context, node, -ENOMEM, "out of memory");
}

static int add_entry(struct context *context, const struct document_node *node,
                     enum policy_kind kind, enum policy_effect effect)
{
    struct policy *policy = context->policy;
    if (policy->entries_count == policy->entries_room) {
        size_t room = policy->entries_room ? policy->entries_room * 2 : 32;
        struct policy_entry *entries = realloc(policy->entries, room * sizeof(*entries));
        if (!entries)
            return no_memory(context, node);
        policy->entries = entries;
        policy->entries_room = room;
    }
    struct policy_entry entry = {
        .kind = kind, .effect = effect, .file = context->file, .line = node->line};
    struct bj_error why = {0};
    entry.pattern.kind = kind;
    if (node->text[0] == '@' && kind == POLICY_EGRESS) {
        if (!preset_known(node->text)) {
            char known[128] = "";
            for (size_t i = 0; preset_names[i]; i++)
                snprintf(known + strlen(known), sizeof(known) - strlen(known), " %s",
                         preset_names[i]);
            return mistake(context, node, -EINVAL, "there is no preset %.40s; presets are%s",
                           node->text, known);
        }
        entry.preset = strdup(node->text);
        if (!entry.preset)
            return no_memory(context, node);
    } else if (policy_pattern_parse(&entry.pattern, kind, node->text, &why) < 0) {
        return mistake(context, node, why.code, "the %s pattern \"%.100s\": %s",
                       policy_kind_name(kind), node->text, why.text);
    }
    policy->entries[policy->entries_count++] = entry;
    return 0;
}

/* allow, ask or deny: one text or a list of them. */
static void read_list(struct context *context, const struct document_node *node,
                      enum policy_kind kind, enum policy_effect effect)
{
    if (node->kind == DOCUMENT_TEXT)
        add_entry(context, node, kind, effect);
    else if (node->kind == DOCUMENT_LIST)
        for (const struct document_node *item = node->first; item; item = item->next)
            add_entry(context, item, kind, effect);
    else
        mistake(context, node, -EINVAL, "%s is a list of patterns: write %s = [\"...\", \"...\"]",
                node->name, node->name);
}

static void read_kind(struct context *context, const struct document_node *section,
                      enum policy_kind kind)
{
    const struct document_node *stated = NULL;
    for (const struct document_node *node = section->first; node; node = node->next) {
        int effect = policy_effect_find(node->name);
        if (kind == POLICY_EGRESS && strcmp(node->name, "private") == 0) {
            if (context->trust == POLICY_PROPOSED)
                mistake(context, node, -EPERM,
                        "a project's file cannot open private addresses; put them into your own "
                        "policy.conf");
            else
                read_list(context, node, kind, 0);
            continue;
        }
        if (effect >= 0) {
            read_list(context, node, kind, (enum policy_effect)effect);
            continue;
        }
        if (strcmp(node->name, "default") != 0) {
            mistake(context, node, -EINVAL,
                    "%s has no \"%.40s\"; it has allow, ask, deny%s and default", section->name,
                    node->name, kind == POLICY_EGRESS ? ", private" : "");
            continue;
        }
        effect = node->kind == DOCUMENT_TEXT ? policy_effect_find(node->text) : -1;
        if (effect < 0) {
            mistake(context, node, -EINVAL, "default is one of allow, ask, deny");
        } else if (stated) {
            mistake(context, node, -EINVAL, "default was set in line %d before; keep one of them",
                    stated->line);
        } else {
            stated = node;
            context->policy->defaults[kind].effect = (enum policy_effect)effect;
            context->policy->defaults[kind].file = context->file;
            context->policy->defaults[kind].line = node->line;
        }
    }
}

static const struct {
    const char *name;
    int (*read)(const char *text, uint64_t *value, struct bj_error *error);
} limits[POLICY_LIMITS] = {
    [POLICY_LIMIT_MEMORY] = {"memory", units_size},
    [POLICY_LIMIT_CPUS] = {"cpus", units_thousandths},
    [POLICY_LIMIT_PIDS] = {"pids", units_count},
    [POLICY_LIMIT_DISK] = {"disk", units_size},
    [POLICY_LIMIT_EGRESS] = {"egress_per_hour", units_size},
    [POLICY_LIMIT_WALL] = {"wall_clock", units_duration},
    [POLICY_LIMIT_RECORDING_AGE] = {"recording_age", units_duration},
    [POLICY_LIMIT_WAIT] = {"wait", units_duration},
};

const char *policy_limit_name(enum policy_limit limit)
{
    return limits[limit].name;
}

static void read_limits(struct context *context, const struct document_node *section)
{
    for (const struct document_node *node = section->first; node; node = node->next) {
        size_t i = 0;
        while (i < POLICY_LIMITS && strcmp(limits[i].name, node->name) != 0)
            i++;
        struct bj_error why = {0};
        uint64_t value = 0;
        if (i == POLICY_LIMITS) {
            mistake(context, node, -EINVAL,
                    "limits has no \"%.40s\"; it has memory, cpus, pids, disk, egress_per_hour, "
                    "wall_clock, recording_age and wait",
                    node->name);
        } else if (node->kind != DOCUMENT_TEXT) {
            mistake(context, node, -EINVAL, "%s is one value", node->name);
        } else if (limits[i].read(node->text, &value, &why) < 0) {
            mistake(context, node, -EINVAL, "%s: %s", node->name, why.text);
        } else if (context->policy->limits[i].set &&
                   context->policy->limits[i].file == context->file) {
            mistake(context, node, -EINVAL, "%s was set in line %d before; keep one of them",
                    node->name, context->policy->limits[i].line);
        } else {
            context->policy->limits[i] =
                (struct policy_value){value, true, context->file, node->line};
        }
    }
}

static void read_credential(struct context *context, const struct document_node *section)
{
    if (context->trust == POLICY_PROPOSED) {
        mistake(context, section, -EPERM,
                "a project's file cannot name credentials; put them into your own policy.conf");
        return;
    }
    struct policy *policy = context->policy;
    struct policy_credential credential = {.file = context->file, .line = section->line};
    struct bj_error why = {0};
    const struct document_node *at = section;
    int status = credential_read(&credential, section, &at, &why);
    if (status < 0) {
        mistake(context, at, status, "%s", why.text);
        credential_free(&credential);
        return;
    }
    for (size_t i = 0; i < policy->credentials_count; i++) {
        struct policy_credential *old = &policy->credentials[i];
        if (strcmp(old->name, credential.name) != 0)
            continue;
        if (old->file == context->file) {
            mistake(context, section, -EINVAL, "the credential %s stands in line %d as well",
                    credential.name, old->line);
            credential_free(&credential);
            return;
        }
        credential_free(old);
        *old = credential;
        return;
    }
    struct policy_credential *list =
        realloc(policy->credentials, (policy->credentials_count + 1) * sizeof(*list));
    if (!list) {
        no_memory(context, section);
        credential_free(&credential);
        return;
    }
    policy->credentials = list;
    policy->credentials[policy->credentials_count++] = credential;
}

int schema_read(struct policy *policy, uint32_t file, const struct document_node *root,
                enum policy_trust trust, struct policy_report *report, struct bj_error *error)
{
    struct context context = {policy, file, trust, report, error, 0};
    for (const struct document_node *node = root->first; node; node = node->next) {
        int kind = policy_kind_find(node->name);
        bool limited = strcmp(node->name, "limits") == 0;
        bool credential = strcmp(node->name, "credential") == 0;
        if (kind < 0 && !limited && !credential)
            mistake(&context, node, -EINVAL,
                    "there is no \"%.40s\"; a policy has egress, exec, file_out, clipboard, "
                    "notification, open_url, limits and credential",
                    node->name);
        else if (node->kind != DOCUMENT_SECTION)
            mistake(&context, node, -EINVAL, "%s is a section: write %s %s{ ... }", node->name,
                    node->name, credential ? "NAME " : "");
        else if (credential)
            read_credential(&context, node);
        else if (node->label)
            mistake(&context, node, -EINVAL, "%s has no name of its own: write %s { ... }",
                    node->name, node->name);
        else if (limited)
            read_limits(&context, node);
        else
            read_kind(&context, node, (enum policy_kind)kind);
    }
    return context.status;
}
