#include "mux/server/record.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/json/json.h"
#include "transport/file.h"
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
    list_free(record->variables);
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

int record_set_variables(struct record *record, const char *const *env)
{
    size_t count = 0;
    while (env && env[count])
        count++;
    char **names = list_copy(env, count);
    if (!names)
        return -ENOMEM;
    for (char **at = names; *at; at++)
        (*at)[strcspn(*at, "=")] = '\0';
    list_free(record->variables);
    record->variables = names;
    return 0;
}

/* How a field is kept in the file: its type in the struct record tells. */
enum kind { TEXT, OWNED, WORDS, NUMBER32, NUMBER64, INTEGER, TIME, FLAG, PROCESS };

#define KIND(member)                                                                               \
    _Generic(&((struct record *)0)->member,                                                        \
        char **: OWNED,                                                                            \
        char ***: WORDS,                                                                           \
        uint32_t *: NUMBER32,                                                                      \
        uint64_t *: NUMBER64,                                                                      \
        int *: INTEGER,                                                                            \
        double *: TIME,                                                                            \
        bool *: FLAG,                                                                              \
        struct process_id *: PROCESS,                                                              \
        default: TEXT)
#define AT(member)                                                                                 \
    KIND(member), offsetof(struct record, member), sizeof(((struct record *)0)->member)
#define FIELD(member)       NULL, #member, AT(member)
#define PART(group, member) #group, #member, AT(group.member)

/* All but the version and the state. */
static const struct field {
    const char *group, *key; /* group: the object that holds it, or NULL */
    enum kind kind;
    size_t at, size;
} fields[] = {
    {FIELD(id)},
    {FIELD(name)},
    {FIELD(argv)},
    {FIELD(project)},
    {FIELD(driver)},
    {FIELD(session)},
    {FIELD(created)},
    {FIELD(rows)},
    {FIELD(cols)},
    {FIELD(scrollback)},
    {FIELD(record_limit)},
    {PART(limits, memory)},
    {PART(limits, millicpus)},
    {PART(limits, pids)},
    {FIELD(cgroup)},
    {FIELD(uid)},
    {FIELD(gid)},
    {FIELD(boot_id)},
    {FIELD(init)},
    {FIELD(outer)},
    {FIELD(monitor)},
    {FIELD(has_exit)},
    {FIELD(exit_code)},
    {FIELD(exit_signal)},
    {FIELD(error)},
    {FIELD(agent)},
    {FIELD(arguments)},
    {FIELD(variables)},
    {FIELD(instead)},
    {FIELD(unheard)},
    {FIELD(policy)},
    {FIELD(egress)},
    {PART(quotas, disk)},
    {PART(quotas, egress)},
    {PART(quotas, wall_clock)},
    {PART(quotas, recording_age)},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* What is no UTF-8 fails when all is made text. */
static json_t *pack_text(const char *text)
{
    return text ? json_stringn_nocheck(text, strlen(text)) : json_null();
}

static json_t *pack_words(char *const *words)
{
    json_t *list = json_array();
    for (char *const *at = words; at && *at; at++)
        json_array_append_new(list, pack_text(*at));
    return list;
}

static json_t *pack_process(const struct process_id *id)
{
    return json_pack("{s:i, s:I}", "pid", (int)id->pid, "start", (json_int_t)id->start);
}

static json_t *pack_field(enum kind kind, const void *value)
{
    switch (kind) {
    case TEXT:
        return pack_text(value);
    case OWNED:
        return pack_text(*(char *const *)value);
    case WORDS:
        return pack_words(*(char **const *)value);
    case NUMBER32:
        return json_integer(*(const uint32_t *)value);
    case NUMBER64:
        return json_integer((json_int_t) * (const uint64_t *)value);
    case INTEGER:
        return json_integer(*(const int *)value);
    case TIME:
        return json_real(*(const double *)value);
    case FLAG:
        return json_boolean(*(const bool *)value);
    case PROCESS:
        return pack_process(value);
    }
    return NULL;
}

/* The object that holds a field, made when it is missing. */
static json_t *holder(json_t *root, const struct field *field)
{
    json_t *group = field->group ? json_object_get(root, field->group) : root;
    if (group)
        return group;
    group = json_object();
    return json_object_set_new(root, field->group, group) < 0 ? NULL : group;
}

int record_save(const struct record *record, const char *directory, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/sandbox.json", directory);
    if (status < 0)
        return status;
    json_watch();
    json_t *root =
        json_pack("{s:i, s:s}", "version", RECORD_VERSION, "state", states[record->state]);
    for (size_t i = 0; i < FIELDS; i++)
        json_object_set_new(holder(root, &fields[i]), fields[i].key,
                            pack_field(fields[i].kind, (const char *)record + fields[i].at));
    char *text = json_text(root, JSON_INDENT(1));
    if (json_starved())
        return bj_fail(error, -ENOMEM, "out of memory");
    if (!text)
        return bj_fail(error, -EINVAL,
                       "cannot describe the sandbox %s as JSON (is its command or "
                       "its project's path valid UTF-8?)",
                       record->name);
    status = bj_file_replace(path, text, strlen(text), false, error);
    free(text);
    return status;
}

static int read_words(char ***out, const json_t *list)
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

static int read_owned(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? -ENOMEM : 0;
}

/* What is missing, or of another type, is as if it were empty. */
static int read_field(const struct field *field, void *value, const json_t *from)
{
    const json_t *item = json_object_get(from, field->key);
    const char *text = json_string_value(item);
    switch (field->kind) {
    case TEXT:
        snprintf(value, field->size, "%s", text ? text : "");
        break;
    case OWNED:
        return read_owned(value, text);
    case WORDS:
        return read_words(value, item);
    case NUMBER32:
        *(uint32_t *)value = (uint32_t)json_uint(from, field->key);
        break;
    case NUMBER64:
        *(uint64_t *)value = json_uint(from, field->key);
        break;
    case INTEGER:
        *(int *)value = (int)json_integer_value(item);
        break;
    case TIME:
        *(double *)value = json_number_value(item);
        break;
    case FLAG:
        *(bool *)value = json_is_true(item);
        break;
    case PROCESS:
        *(struct process_id *)value =
            (struct process_id){(pid_t)json_uint(item, "pid"), json_uint(item, "start")};
        break;
    }
    return 0;
}

static int read_record(struct record *record, const json_t *root)
{
    const char *state = json_string_value(json_object_get(root, "state"));
    int status = 0;
    for (size_t i = 0; status == 0 && i < FIELDS; i++)
        status = read_field(&fields[i], (char *)record + fields[i].at,
                            fields[i].group ? json_object_get(root, fields[i].group) : root);
    record->state = SANDBOX_LOST;
    for (size_t i = 0; state && i < sizeof(states) / sizeof(*states); i++)
        if (strcmp(states[i], state) == 0)
            record->state = (enum sandbox_state)i;
    if (status == 0 && (json_integer_value(json_object_get(root, "version")) != RECORD_VERSION ||
                        !id_check(record->id) || name_check(record->name, NULL) < 0))
        status = -EINVAL;
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
