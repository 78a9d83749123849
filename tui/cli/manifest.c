#include "tui/cli/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mux/policy/document.h"
#include "mux/policy/policy.h"
#include "mux/policy/units.h"

#define PLAIN_FILE   "belljar.up"
#define PROJECT_FILE ".belljar/up.conf"

/* What is read, and how far. */
struct reading {
    struct manifest *manifest;
    struct manifest_sandbox *sandbox;
    json_t *defaults;
    crypto_generichash_state hash;
    struct bj_error *error;
};

void manifest_free(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++) {
        free(manifest->sandboxes[i].name);
        json_decref(manifest->sandboxes[i].params);
    }
    manifest->count = 0;
}

static int mistake(const struct reading *reading, const struct document_node *node,
                   const char *what)
{
    return bj_fail(reading->error, -EINVAL, "%.200s:%d: %.60s: %.300s", reading->manifest->file,
                   node->line, node->name ? node->name : "a value", what);
}

static int put(const struct reading *reading, const struct document_node *node, const char *key,
               json_t *value)
{
    return json_object_set_new(reading->sandbox->params, key, value) < 0
               ? mistake(reading, node, "it is not valid UTF-8")
               : 0;
}

/* --- kinds of values --- */

static int read_text(struct reading *reading, const struct document_node *node)
{
    return node->kind == DOCUMENT_TEXT ? put(reading, node, node->name, json_string(node->text))
                                       : mistake(reading, node, "one text is expected");
}

/* Both `args` and `command` are the call's argv: with an agent they are its arguments. */
static int read_argv(struct reading *reading, const struct document_node *node)
{
    json_t *argv = json_array();
    bool whole = node->kind == DOCUMENT_LIST;
    for (const struct document_node *item = node->first; whole && item; item = item->next)
        whole = json_array_append_new(argv, json_string(item->text)) == 0;
    if (!whole || json_object_get(reading->sandbox->params, "argv")) {
        json_decref(argv);
        return mistake(reading, node, "one list of texts is expected: [a, b]");
    }
    return put(reading, node, "argv", argv);
}

static int read_env(struct reading *reading, const struct document_node *node)
{
    json_t *env = json_array();
    bool whole = node->kind == DOCUMENT_SECTION;
    for (const struct document_node *item = node->first; whole && item; item = item->next)
        whole = item->kind == DOCUMENT_TEXT &&
                json_array_append_new(env, json_sprintf("%s=%s", item->name, item->text)) == 0;
    if (!whole) {
        json_decref(env);
        return mistake(reading, node, "a section is expected: env { NAME = value }");
    }
    return put(reading, node, "env", env);
}

static int read_number(struct reading *reading, const struct document_node *node)
{
    static const struct {
        const char *name, *param;
        int (*read)(const char *text, uint64_t *value, struct bj_error *error);
        uint64_t divisor;
    } numbers[] = {
        {"memory", "memory", units_size, 1}, {"disk", "disk", units_size, 1},
        {"egress", "egress", units_size, 1}, {"cpus", "millicpus", units_thousandths, 1},
        {"pids", "pids", units_count, 1},    {"wall_clock", "wall_clock", units_duration, 1000},
    };
    struct bj_error why = {0};
    uint64_t value = 0;
    size_t i = 0;
    if (node->kind != DOCUMENT_TEXT)
        return mistake(reading, node, "one number is expected");
    while (strcmp(numbers[i].name, node->name) != 0)
        i++;
    if (numbers[i].read(node->text, &value, &why) < 0)
        return mistake(reading, node, why.text);
    /* Rounded up: 0 would be no limit at all. */
    value = (value + numbers[i].divisor - 1) / numbers[i].divisor;
    return put(reading, node, numbers[i].param, json_integer((json_int_t)value));
}

/* Absolute and without a link, as it is now. */
static int find(const struct reading *reading, const struct document_node *node, bool directory,
                char out[PATH_MAX])
{
    char path[PATH_MAX];
    struct stat info;
    if (node->kind != DOCUMENT_TEXT)
        return mistake(reading, node, "one path is expected");
    int size = snprintf(path, sizeof(path), "%s%s%s",
                        node->text[0] == '/' ? "" : reading->manifest->directory,
                        node->text[0] == '/' ? "" : "/", node->text);
    if (size < 0 || (size_t)size >= sizeof(path) || !realpath(path, out) || stat(out, &info) < 0)
        return mistake(reading, node, "there is no such file or directory");
    if (directory ? !S_ISDIR(info.st_mode) : !S_ISREG(info.st_mode))
        return mistake(reading, node, directory ? "it is not a directory" : "it is not a file");
    return 0;
}

static int read_project(struct reading *reading, const struct document_node *node)
{
    char path[PATH_MAX];
    const char *directory = reading->manifest->directory;
    size_t size = strlen(directory);
    int status = find(reading, node, true, path);
    if (status < 0)
        return status;
    reading->sandbox->outside =
        strncmp(path, directory, size) != 0 || (path[size] != '\0' && path[size] != '/');
    return put(reading, node, "project", json_string(path));
}

static int read_policy(struct reading *reading, const struct document_node *node)
{
    char path[PATH_MAX], *text;
    size_t size;
    struct policy policy = {0};
    struct policy_report report = {0};
    int status = find(reading, node, false, path);
    if (status == 0)
        status = policy_load_file(&policy, path, &report, reading->error);
    if (status == 0)
        status = document_read(path, &text, &size, reading->error);
    if (status == 0) {
        crypto_generichash_update(&reading->hash, (const unsigned char *)text, size);
        free(text);
        status = put(reading, node, "policy", json_string(path));
    }
    policy_report_free(&report);
    policy_free(&policy);
    return status;
}

static const struct {
    const char *name;
    int (*read)(struct reading *reading, const struct document_node *node);
    bool shared; /* may stand outside of a sandbox, for all */
} fields[] = {
    {"agent", read_text, false},       {"args", read_argv, false},    {"command", read_argv, false},
    {"project", read_project, true},   {"policy", read_policy, true}, {"prompt", read_text, false},
    {"session", read_text, true},      {"memory", read_number, true}, {"cpus", read_number, true},
    {"pids", read_number, true},       {"disk", read_number, true},   {"egress", read_number, true},
    {"wall_clock", read_number, true}, {"env", read_env, true},
};

static int read_field(struct reading *reading, const struct document_node *node, bool shared)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (strcmp(fields[i].name, node->name) == 0 && (fields[i].shared || !shared))
            return fields[i].read(reading, node);
    return mistake(reading, node,
                   shared ? "only session, project, policy, env, limits and sandbox NAME { ... } "
                            "stand here"
                          : "no such field; a sandbox has agent, args, command, project, policy, "
                            "prompt, session, env, memory, cpus, pids, disk, egress, wall_clock");
}

/* --- sandboxes --- */

static int read_sandbox(struct reading *reading, const struct document_node *node,
                        const struct manifest_sandbox *defaults)
{
    struct manifest *manifest = reading->manifest;
    if (!node->label)
        return mistake(reading, node, "its name is missing: sandbox NAME { ... }");
    for (size_t i = 0; i < manifest->count; i++)
        if (strcmp(manifest->sandboxes[i].name, node->label) == 0)
            return mistake(reading, node, "two have the same name");
    if (manifest->count == MANIFEST_SANDBOXES_MAX)
        return mistake(reading, node, "more than 64 sandboxes");
    struct manifest_sandbox *sandbox = &manifest->sandboxes[manifest->count++];
    *sandbox = (struct manifest_sandbox){strdup(node->label), json_deep_copy(defaults->params),
                                         defaults->outside, node->line};
    if (!sandbox->name || !sandbox->params)
        return bj_fail(reading->error, -ENOMEM, "out of memory");
    reading->sandbox = sandbox;
    int status = 0;
    for (const struct document_node *field = node->first; status == 0 && field; field = field->next)
        status = read_field(reading, field, false);
    if (status < 0)
        return status;
    bool agent = json_object_get(sandbox->params, "agent");
    const json_t *argv = json_object_get(sandbox->params, "argv");
    if (!agent && json_array_size(argv) == 0)
        return mistake(reading, node, "it has no agent, and no command either");
    if (!agent && json_object_get(sandbox->params, "prompt"))
        return mistake(reading, node, "a prompt needs an agent");
    if (!argv)
        json_object_set_new(sandbox->params, "argv", json_array());
    return put(reading, node, "name", json_string(node->label));
}

static int read_document(struct reading *reading, const struct document_node *root)
{
    struct manifest_sandbox defaults = {.params = json_object()};
    int status = defaults.params ? 0 : bj_fail(reading->error, -ENOMEM, "out of memory");
    reading->sandbox = &defaults;
    for (const struct document_node *node = root->first; status == 0 && node; node = node->next)
        if (node->kind != DOCUMENT_SECTION || strcmp(node->name, "sandbox") != 0)
            status = read_field(reading, node, true);
    for (const struct document_node *node = root->first; status == 0 && node; node = node->next)
        if (node->kind == DOCUMENT_SECTION && strcmp(node->name, "sandbox") == 0)
            status = read_sandbox(reading, node, &defaults);
    json_decref(defaults.params);
    if (status == 0 && reading->manifest->count == 0)
        status = bj_fail(reading->error, -EINVAL, "%.200s names no sandbox: sandbox NAME { ... }",
                         reading->manifest->file);
    return status;
}

/* --- the file --- */

static int place(struct manifest *manifest, const char *path, struct bj_error *error)
{
    const char *given = path ? path : access(PLAIN_FILE, F_OK) == 0 ? PLAIN_FILE : PROJECT_FILE;
    if (!realpath(given, manifest->file))
        return path ? bj_fail(error, -errno, "cannot use the manifest %.200s: %s", path,
                              strerror(errno))
                    : bj_fail(error, -ENOENT,
                              "there is no manifest here: neither " PLAIN_FILE " nor " PROJECT_FILE
                              " (man belljar shows one)");
    snprintf(manifest->directory, sizeof(manifest->directory), "%s", manifest->file);
    *strrchr(manifest->directory, '/') = '\0';
    char *inner = strrchr(manifest->directory, '/');
    if (inner && strcmp(inner, "/.belljar") == 0)
        *inner = '\0';
    return 0;
}

int manifest_read(struct manifest *manifest, const char *path, struct bj_error *error)
{
    struct reading reading = {.manifest = manifest, .error = error};
    struct document_node *root = NULL;
    unsigned char hash[crypto_generichash_BYTES];
    char *text = NULL;
    size_t size;
    manifest->count = 0;
    int status = place(manifest, path, error);
    if (status == 0 && sodium_init() < 0)
        status = bj_fail(error, -EIO, "libsodium cannot be used");
    if (status == 0)
        status = document_read(manifest->file, &text, &size, error);
    if (status < 0)
        return status;
    crypto_generichash_init(&reading.hash, NULL, 0, sizeof(hash));
    crypto_generichash_update(&reading.hash, (const unsigned char *)manifest->file,
                              strlen(manifest->file) + 1);
    crypto_generichash_update(&reading.hash, (const unsigned char *)text, size);
    status = document_parse(text, size, manifest->file, &root, error);
    if (status == 0)
        status = read_document(&reading, root);
    crypto_generichash_final(&reading.hash, hash, sizeof(hash));
    sodium_bin2hex(manifest->hash, sizeof(manifest->hash), hash, sizeof(hash));
    document_free(root);
    free(text);
    return status;
}
