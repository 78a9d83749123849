#include "mux/policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/policy/credential.h"
#include "mux/policy/document.h"
#include "mux/policy/schema.h"

static void preset_drop(struct policy_preset *preset)
{
    for (size_t i = 0; i < preset->patterns_count; i++)
        policy_pattern_free(&preset->patterns[i]);
    free(preset->patterns);
    preset_free(&preset->preset);
}

void policy_free(struct policy *policy)
{
    for (size_t i = 0; i < policy->files_count; i++)
        free(policy->files[i]);
    for (size_t i = 0; i < policy->entries_count; i++) {
        policy_pattern_free(&policy->entries[i].pattern);
        free(policy->entries[i].preset);
    }
    for (size_t i = 0; i < policy->credentials_count; i++)
        credential_free(&policy->credentials[i]);
    for (size_t i = 0; i < policy->presets_count; i++)
        preset_drop(&policy->presets[i]);
    free(policy->files);
    free(policy->entries);
    free(policy->credentials);
    free(policy->presets);
    *policy = (struct policy){0};
}

void policy_report_free(struct policy_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->lines[i]);
    free(report->lines);
    *report = (struct policy_report){0};
}

void policy_where(const struct policy *policy, uint32_t file, int line, char *out, size_t size)
{
    const char *name = file < policy->files_count ? policy->files[file] : "?";
    size_t length = strlen(name);
    size_t room = size > 16 ? size - 16 : 0;
    if (length > room)
        snprintf(out, size, "...%s:%d", name + length - (room > 3 ? room - 3 : 0), line);
    else
        snprintf(out, size, "%s:%d", name, line);
}

/* Loading ------------------------------------------------------------------------------------ */

/* Room for what is merged, so that the merge itself cannot fail half-way. */
static int reserve(struct policy *policy, const struct policy *more)
{
    size_t entries = policy->entries_count + more->entries_count;
    size_t credentials = policy->credentials_count + more->credentials_count;
    char **files = realloc(policy->files, (policy->files_count + 1) * sizeof(*files));
    if (!files)
        return -ENOMEM;
    policy->files = files;
    struct policy_entry *list = realloc(policy->entries, (entries ? entries : 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    policy->entries = list;
    policy->entries_room = entries ? entries : 1;
    struct policy_credential *secrets =
        realloc(policy->credentials, (credentials ? credentials : 1) * sizeof(*secrets));
    if (!secrets)
        return -ENOMEM;
    policy->credentials = secrets;
    return 0;
}

static void merge_credential(struct policy *policy, const struct policy_credential *credential)
{
    for (size_t i = 0; i < policy->credentials_count; i++) {
        if (strcmp(policy->credentials[i].name, credential->name) != 0)
            continue;
        credential_free(&policy->credentials[i]);
        policy->credentials[i] = *credential;
        return;
    }
    policy->credentials[policy->credentials_count++] = *credential;
}

/* Moves one file's policy (its only file has index 0) behind what is there. */
static void merge(struct policy *policy, struct policy *more)
{
    uint32_t file = (uint32_t)policy->files_count;
    policy->files[policy->files_count++] = more->files[0];
    for (size_t i = 0; i < more->entries_count; i++) {
        more->entries[i].file = file;
        policy->entries[policy->entries_count++] = more->entries[i];
    }
    for (size_t i = 0; i < POLICY_KINDS; i++) {
        if (!more->defaults[i].effect)
            continue;
        policy->defaults[i] = more->defaults[i];
        policy->defaults[i].file = file;
    }
    for (size_t i = 0; i < POLICY_LIMITS; i++) {
        if (!more->limits[i].set)
            continue;
        policy->limits[i] = more->limits[i];
        policy->limits[i].file = file;
    }
    for (size_t i = 0; i < more->credentials_count; i++) {
        more->credentials[i].file = file;
        merge_credential(policy, &more->credentials[i]);
    }
    free(more->files);
    free(more->entries);
    free(more->credentials);
    *more = (struct policy){0};
}

int policy_load_text(struct policy *policy, const char *text, size_t size, const char *file,
                     enum policy_trust trust, struct policy_report *report, struct bj_error *error)
{
    struct policy more = {0};
    struct document_node *root = NULL;
    struct bj_error why = {0};
    int status = document_parse(text, size, file, &root, &why);
    if (status < 0) {
        if (report && (report->lines = calloc(1, sizeof(char *))) &&
            (report->lines[0] = strdup(why.text)))
            report->count = 1;
        if (error)
            *error = why;
        return status;
    }
    more.files = calloc(1, sizeof(char *));
    if (more.files && (more.files[0] = strdup(file))) {
        more.files_count = 1;
        status = schema_read(&more, 0, root, trust, report, error);
        if (status == 0 && reserve(policy, &more) < 0)
            status = bj_fail(error, -ENOMEM, "out of memory while reading %.200s", file);
        if (status == 0)
            merge(policy, &more);
    } else {
        status = bj_fail(error, -ENOMEM, "out of memory while reading %.200s", file);
    }
    document_free(root);
    policy_free(&more);
    return status;
}

int policy_load_file(struct policy *policy, const char *path, struct policy_report *report,
                     struct bj_error *error)
{
    char *text = NULL;
    size_t size = 0;
    int status = document_read(path, &text, &size, error);
    if (status == 0)
        status = policy_load_text(policy, text, size, path, POLICY_TRUSTED, report, error);
    free(text);
    return status;
}

int policy_load_optional(struct policy *policy, const char *path, struct policy_report *report,
                         struct bj_error *error)
{
    struct bj_error why = {0};
    int status = policy_load_file(policy, path, report, &why);
    if (status == -ENOENT)
        return 0;
    if (status < 0 && error)
        *error = why;
    return status;
}

int policy_load_builtin(struct policy *policy, const struct bj_paths *paths, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/policies/default.conf", paths->data);
    return status < 0 ? status : policy_load_file(policy, path, NULL, error);
}

int policy_load_own(struct policy *policy, const struct bj_paths *paths, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/policy.conf", paths->config);
    return status < 0 ? status : policy_load_optional(policy, path, NULL, error);
}

/* Presets ------------------------------------------------------------------------------------ */

static int copy_preset(struct preset *to, const struct preset *from)
{
    *to = *from;
    to->count = 0;
    to->hosts = calloc(from->count ? from->count : 1, sizeof(*to->hosts));
    if (!to->hosts)
        return -ENOMEM;
    for (size_t i = 0; i < from->count; i++) {
        to->hosts[to->count] = strdup(from->hosts[i]);
        if (!to->hosts[to->count++])
            return -ENOMEM;
    }
    return 0;
}

static int parse_preset(struct policy_preset *preset)
{
    preset->patterns =
        calloc(preset->preset.count ? preset->preset.count : 1, sizeof(*preset->patterns));
    if (!preset->patterns)
        return -ENOMEM;
    for (size_t i = 0; i < preset->preset.count; i++) {
        struct policy_pattern *pattern = &preset->patterns[preset->patterns_count];
        int status = policy_pattern_parse(pattern, POLICY_EGRESS, preset->preset.hosts[i], NULL);
        if (status == -ENOMEM)
            return status;
        preset->patterns_count += status == 0;
    }
    return 0;
}

int policy_set_preset(struct policy *policy, const struct preset *preset, struct bj_error *error)
{
    struct policy_preset made = {0};
    struct policy_preset *list =
        realloc(policy->presets, (policy->presets_count + 1) * sizeof(*list));
    if (list)
        policy->presets = list;
    if (!list || copy_preset(&made.preset, preset) < 0 || parse_preset(&made) < 0) {
        preset_drop(&made);
        return bj_fail(error, -ENOMEM, "out of memory while resolving %s", preset->name);
    }
    for (size_t i = 0; i < policy->presets_count; i++) {
        if (strcmp(policy->presets[i].preset.name, preset->name) != 0)
            continue;
        preset_drop(&policy->presets[i]);
        policy->presets[i] = made;
        return 0;
    }
    policy->presets[policy->presets_count++] = made;
    return 0;
}

int policy_resolve(struct policy *policy, const struct preset_context *context,
                   struct bj_error *error)
{
    for (size_t name = 0; preset_names[name]; name++) {
        bool used = false;
        for (size_t i = 0; i < policy->entries_count && !used; i++)
            used = policy->entries[i].preset &&
                   strcmp(policy->entries[i].preset, preset_names[name]) == 0;
        for (size_t i = 0; i < policy->presets_count && used; i++)
            used = strcmp(policy->presets[i].preset.name, preset_names[name]) != 0;
        if (!used)
            continue;
        struct preset preset = {0};
        int status = preset_resolve(&preset, preset_names[name], context, error);
        if (status == 0)
            status = policy_set_preset(policy, &preset, error);
        preset_free(&preset);
        if (status < 0)
            return status;
    }
    return 0;
}
