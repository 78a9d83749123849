#include "mux/server/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/json/json.h"
#include "transport/paths.h"

#define RECORD_VERSION 1
#define RECORD_MAX     (1024 * 1024)

static const char *const states[] = {
    [SANDBOX_STARTING] = "starting", [SANDBOX_RUNNING] = "running", [SANDBOX_PAUSED] = "paused",
    [SANDBOX_EXITED] = "exited",     [SANDBOX_LOST] = "lost",
};

const char *sandbox_state_name(enum sandbox_state state)
{
    return states[state];
}

static void list_free(char **list)
{
    for (char **at = list; at && *at; at++)
        free(*at);
    free(list);
}

void record_free(struct record *record)
{
    list_free(record->argv);
    list_free(record->arguments);
    free(record->project);
    free(record->policy);
    free(record->agent);
    *record = (struct record){0};
}

static char **list_copy(const char *const *list, size_t count)
{
    char **copy = calloc(count + 1, sizeof(*copy));
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = strdup(list[i]);
        if (!copy[i]) {
            list_free(copy);
            copy = NULL;
        }
    }
    return copy;
}

int record_set_argv(struct record *record, const char *const *argv, size_t count)
{
    char **copy = list_copy(argv, count);
    if (!copy)
        return -ENOMEM;
    record->argv = copy;
    return 0;
}

int record_set_arguments(struct record *record, const char *const *argv, size_t count)
{
    char **copy = list_copy(argv, count); /* `argv` may be the list that is there */
    if (!copy)
        return -ENOMEM;
    list_free(record->arguments);
    record->arguments = copy;
    return 0;
}

int record_write_file(const char *path, const char *text, size_t size, struct bj_error *error)
{
    char beside[BJ_PATH_MAX];
    int status = bj_path(beside, sizeof(beside), error, "%s.new", path);
    if (status < 0)
        return status;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot write %s: %s", beside, strerror(errno));
    while (size && status == 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            status = bj_fail(error, written < 0 ? -errno : -EIO, "cannot write %s: %s", beside,
                             strerror(errno));
            break;
        }
        text += written;
        size -= (size_t)written;
    }
    if (close(fd) < 0 && status == 0)
        status = bj_fail(error, -errno, "cannot write %s: %s", beside, strerror(errno));
    if (status == 0 && rename(beside, path) < 0)
        status = bj_fail(error, -errno, "cannot replace %s: %s", path, strerror(errno));
    if (status < 0)
        unlink(beside);
    return status;
}

static json_t *pack_process(const struct process_id *id)
{
    return json_pack("{s:i, s:I}", "pid", (int)id->pid, "start", (json_int_t)id->start);
}

static json_t *pack_list(char *const *words)
{
    json_t *list = json_array();
    for (char *const *at = words; at && *at; at++) /* what is no UTF-8 fails in json_dumps() */
        json_array_append_new(list, json_stringn_nocheck(*at, strlen(*at)));
    return list;
}

int record_save(const struct record *record, const char *directory, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/sandbox.json", directory);
    if (status < 0)
        return status;
    json_watch();
    json_t *root = json_pack(
        "{s:i, s:s, s:s, s:o, s:s?, s:s, s:s, s:f, s:i, s:i, s:I, s:I}", "version", RECORD_VERSION,
        "id", record->id, "name", record->name, "argv", pack_list(record->argv), "project",
        record->project, "driver", record->driver, "session", record->session, "created",
        record->created, "rows", (int)record->rows, "cols", (int)record->cols, "scrollback",
        (json_int_t)record->scrollback, "record_limit", (json_int_t)record->record_limit);
    json_t *rest = json_pack(
        "{s:{s:I, s:I, s:I}, s:s, s:I, s:I, s:s, s:o, s:o, s:o, s:s, s:b, s:i, s:i, s:s}", "limits",
        "memory", (json_int_t)record->limits.memory, "millicpus",
        (json_int_t)record->limits.millicpus, "pids", (json_int_t)record->limits.pids, "cgroup",
        record->cgroup, "uid", (json_int_t)record->uid, "gid", (json_int_t)record->gid, "boot_id",
        record->boot_id, "init", pack_process(&record->init), "outer", pack_process(&record->outer),
        "monitor", pack_process(&record->monitor), "state", states[record->state], "has_exit",
        (int)record->has_exit, "exit_code", record->exit_code, "exit_signal", record->exit_signal,
        "error", record->error);
    json_t *crossing = json_pack(
        "{s:s?, s:o, s:s?, s:o, s:{s:I, s:I, s:I, s:I}}", "agent", record->agent, "arguments",
        pack_list(record->arguments), "policy", record->policy, "egress",
        pack_process(&record->egress), "quotas", "disk", (json_int_t)record->quotas.disk, "egress",
        (json_int_t)record->quotas.egress, "wall_clock", (json_int_t)record->quotas.wall_clock,
        "recording_age", (json_int_t)record->quotas.recording_age);
    if (json_object_update(root, rest) < 0 || json_object_update(root, crossing) < 0) {
        json_decref(root);
        root = NULL;
    }
    json_decref(rest);
    json_decref(crossing);
    char *text = json_text(root, JSON_INDENT(1));
    if (json_starved())
        return bj_fail(error, -ENOMEM, "out of memory");
    if (!text)
        return bj_fail(error, -EINVAL,
                       "cannot describe the sandbox %s as JSON (is its command or "
                       "its project's path valid UTF-8?)",
                       record->name);
    status = record_write_file(path, text, strlen(text), error);
    free(text);
    return status;
}

static void read_text(const json_t *root, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(root, key));
    snprintf(out, size, "%s", text ? text : "");
}

static struct process_id read_process(const json_t *root, const char *key)
{
    const json_t *object = json_object_get(root, key);
    return (struct process_id){(pid_t)json_uint(object, "pid"), json_uint(object, "start")};
}

static int read_list(char ***out, const json_t *list)
{
    size_t count = json_array_size(list);
    char **words = *out = calloc(count + 1, sizeof(*words));
    for (size_t i = 0; words && i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        words[i] = text ? strdup(text) : NULL;
        if (!words[i])
            return text ? -ENOMEM : -EINVAL;
    }
    return words ? 0 : -ENOMEM;
}

static int read_record(struct record *record, const json_t *root)
{
    char state[16];
    read_text(root, "id", record->id, sizeof(record->id));
    read_text(root, "name", record->name, sizeof(record->name));
    read_text(root, "driver", record->driver, sizeof(record->driver));
    read_text(root, "session", record->session, sizeof(record->session));
    read_text(root, "cgroup", record->cgroup, sizeof(record->cgroup));
    read_text(root, "boot_id", record->boot_id, sizeof(record->boot_id));
    read_text(root, "error", record->error, sizeof(record->error));
    read_text(root, "state", state, sizeof(state));
    const char *project = json_string_value(json_object_get(root, "project"));
    if (project && !(record->project = strdup(project)))
        return -ENOMEM;
    record->created = json_number_value(json_object_get(root, "created"));
    record->rows = (uint32_t)json_uint(root, "rows");
    record->cols = (uint32_t)json_uint(root, "cols");
    record->scrollback = json_uint(root, "scrollback");
    record->record_limit = json_uint(root, "record_limit");
    record->uid = (uint32_t)json_uint(root, "uid");
    record->gid = (uint32_t)json_uint(root, "gid");
    const json_t *limits = json_object_get(root, "limits");
    record->limits.memory = json_uint(limits, "memory");
    record->limits.millicpus = json_uint(limits, "millicpus");
    record->limits.pids = json_uint(limits, "pids");
    const char *agent = json_string_value(json_object_get(root, "agent"));
    if (agent && !(record->agent = strdup(agent)))
        return -ENOMEM;
    const char *policy = json_string_value(json_object_get(root, "policy"));
    if (policy && !(record->policy = strdup(policy)))
        return -ENOMEM;
    const json_t *quotas = json_object_get(root, "quotas");
    record->quotas.disk = json_uint(quotas, "disk");
    record->quotas.egress = json_uint(quotas, "egress");
    record->quotas.wall_clock = json_uint(quotas, "wall_clock");
    record->quotas.recording_age = json_uint(quotas, "recording_age");
    record->egress = read_process(root, "egress");
    record->init = read_process(root, "init");
    record->outer = read_process(root, "outer");
    record->monitor = read_process(root, "monitor");
    record->has_exit = json_is_true(json_object_get(root, "has_exit"));
    record->exit_code = (int)json_integer_value(json_object_get(root, "exit_code"));
    record->exit_signal = (int)json_integer_value(json_object_get(root, "exit_signal"));
    record->state = SANDBOX_LOST;
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (strcmp(states[i], state) == 0)
            record->state = (enum sandbox_state)i;
    if (json_integer_value(json_object_get(root, "version")) != RECORD_VERSION ||
        !id_check(record->id) || name_check(record->name, NULL) < 0)
        return -EINVAL;
    int status = read_list(&record->arguments, json_object_get(root, "arguments"));
    if (status == 0)
        status = read_list(&record->argv, json_object_get(root, "argv"));
    return status == 0 && !record->argv[0] ? -EINVAL : status;
}

int record_load(struct record *record, const char *directory, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    *record = (struct record){0};
    int status = bj_path(path, sizeof(path), error, "%s/sandbox.json", directory);
    if (status < 0)
        return status;
    char *text = malloc(RECORD_MAX);
    if (!text)
        return bj_fail(error, -ENOMEM, "out of memory");
    ssize_t size = process_read_file(path, text, RECORD_MAX);
    json_error_t where;
    json_t *root = size > 0 ? json_read(text, (size_t)size, 0, &where, &status) : NULL;
    free(text);
    if (size <= 0)
        return bj_fail(error, size < 0 ? (int)size : -EINVAL, "cannot read %s: %s", path,
                       size < 0 ? strerror((int)-size) : "it is empty");
    if (status == -ENOMEM)
        return bj_fail(error, -ENOMEM, "out of memory while %s was read", path);
    if (!root)
        return bj_fail(error, -EINVAL, "%s line %d: %s", path, where.line, where.text);
    status = read_record(record, root);
    json_decref(root);
    if (status < 0) {
        record_free(record);
        return status == -ENOMEM
                   ? bj_fail(error, status, "out of memory while %s was read", path)
                   : bj_fail(error, status, "%s is no sandbox's record of this version", path);
    }
    return 0;
}
