#include "mux/audit/record.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "mux/json/json.h"
#include "transport/utf8.h"

#define DEPTH_MAX 3
#define CUT_ROOM  48 /* bytes that "... (N bytes cut)" takes */

/* The form is what is hashed, so it never changes: 15 digits come back from a double unchanged. */
#define FORM (JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))

static const char *const names[AUDIT_KINDS] = {
    [AUDIT_START] = "start",
    [AUDIT_EXIT] = "exit",
    [AUDIT_KILL] = "kill",
    [AUDIT_PAUSE] = "pause",
    [AUDIT_RESUME] = "resume",
    [AUDIT_REMOVE] = "remove",
    [AUDIT_RENAME] = "rename",
    [AUDIT_ATTACH] = "attach",
    [AUDIT_DETACH] = "detach",
    [AUDIT_REQUEST] = "request",
    [AUDIT_VERDICT] = "verdict",
    [AUDIT_RULE_ADDED] = "rule_added",
    [AUDIT_RULE_REMOVED] = "rule_removed",
    [AUDIT_CONNECTION] = "connection",
    [AUDIT_FILE_OUT] = "file_out",
    [AUDIT_ALERT] = "alert",
    [AUDIT_SERVER_START] = "server_start",
    [AUDIT_GAP] = "gap",
};

static const char *const reserved[] = {"seq", "time", "kind", "prev", "hash"};

const char *audit_kind_name(enum audit_kind kind)
{
    return names[kind];
}

int audit_kind_find(const char *name)
{
    for (int i = 0; i < AUDIT_KINDS; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

/* Text ----------------------------------------------------------------------------------------- */

json_t *audit_text(const char *text, size_t size)
{
    static const char replacement[] = "\xef\xbf\xbd";
    char out[AUDIT_TEXT_MAX];
    size_t length = 0, at = 0;
    if (!text)
        return json_null();
    while (at < size) {
        size_t taken = utf8_length((const uint8_t *)text + at, size - at);
        /* DEL is the one control that JSON writers leave as it is. */
        bool odd = taken == 0 || text[at] == 0x7f || text[at] == '\0';
        const char *piece = odd ? replacement : text + at;
        size_t piece_size = odd ? strlen(replacement) : taken;
        if (length + piece_size > sizeof(out) - CUT_ROOM)
            break;
        memcpy(out + length, piece, piece_size);
        length += piece_size;
        at += taken ? taken : 1;
    }
    if (at < size)
        length += (size_t)snprintf(out + length, CUT_ROOM, "... (%zu bytes cut)", size - at);
    return json_stringn(out, length);
}

/* A copy of the caller's value in which texts are bounded. NULL with *status set. */
static json_t *clean(const json_t *value, int depth, int *status)
{
    json_t *out = NULL;
    const char *key;
    json_t *item;
    size_t index;
    switch (json_typeof(value)) {
    case JSON_STRING:
        out = audit_text(json_string_value(value), json_string_length(value));
        break;
    case JSON_REAL:
        out = isfinite(json_real_value(value)) ? json_real(json_real_value(value)) : NULL;
        break;
    case JSON_INTEGER:
        out = json_integer(json_integer_value(value));
        break;
    case JSON_ARRAY:
        if (depth >= DEPTH_MAX || json_array_size(value) > AUDIT_FIELDS_MAX) {
            *status = -EINVAL;
            return NULL;
        }
        out = json_array();
        json_array_foreach(value, index, item)
        {
            json_t *made = out ? clean(item, depth + 1, status) : NULL;
            if (!made || json_array_append_new(out, made) < 0)
                goto fail;
        }
        break;
    case JSON_OBJECT:
        if (depth >= DEPTH_MAX || json_object_size(value) > AUDIT_FIELDS_MAX) {
            *status = -EINVAL;
            return NULL;
        }
        out = json_object();
        json_object_foreach((json_t *)value, key, item)
        {
            json_t *made = out ? clean(item, depth + 1, status) : NULL;
            if (!made || json_object_set_new(out, key, made) < 0)
                goto fail;
        }
        break;
    default:
        return json_incref((json_t *)value); /* true, false and null are shared */
    }
    if (!out)
        *status = json_is_real(value) ? -EINVAL : -ENOMEM;
    return out;
fail:
    if (*status == 0)
        *status = -ENOMEM;
    json_decref(out);
    return NULL;
}

/* Hash -------------------------------------------------------------------------------------------
 */

/* `record` without its hash, behind the hash of the one before. */
static int make_hash(const json_t *record, const char *prev, char hash[AUDIT_HASH_SIZE])
{
    char *text = json_dumps(record, FORM);
    if (!text)
        return -ENOMEM;
    unsigned char digest[crypto_generichash_BYTES];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof(digest));
    crypto_generichash_update(&state, (const unsigned char *)prev, strlen(prev));
    crypto_generichash_update(&state, (const unsigned char *)text, strlen(text));
    crypto_generichash_final(&state, digest, sizeof(digest));
    sodium_bin2hex(hash, AUDIT_HASH_SIZE, digest, sizeof(digest));
    free(text);
    return 0;
}

static int check_fields(const json_t *fields, struct bj_error *error)
{
    if (!fields)
        return 0;
    if (!json_is_object(fields) || json_object_size(fields) > AUDIT_FIELDS_MAX)
        return bj_fail(error, -EINVAL, "an audit record has up to %d named fields",
                       AUDIT_FIELDS_MAX);
    for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
        if (json_object_get(fields, reserved[i]))
            return bj_fail(error, -EINVAL, "the audit log itself writes the field %s", reserved[i]);
    return 0;
}

int audit_record_format(uint64_t seq, double time, enum audit_kind kind, const json_t *fields,
                        const char prev[AUDIT_HASH_SIZE], char hash[AUDIT_HASH_SIZE], char **line,
                        size_t *size, struct bj_error *error)
{
    *line = NULL;
    int status = check_fields(fields, error);
    if (status < 0)
        return status;
    json_watch();
    json_t *root = fields ? clean(fields, 0, &status) : json_object();
    if (!root)
        return status == -EINVAL ? bj_fail(error, status,
                                           "a field of an audit record has a form "
                                           "that records do not have")
                                 : bj_fail(error, -ENOMEM, "out of memory for an audit record");
    json_t *head = json_pack("{s:I, s:f, s:s, s:s}", "seq", (json_int_t)seq, "time",
                             round(time * 1000) / 1000, "kind", names[kind], "prev", prev);
    char *text = NULL;
    if (head && json_object_update(root, head) == 0 && make_hash(root, prev, hash) == 0 &&
        json_object_set_new(root, "hash", json_string(hash)) == 0)
        text = json_dumps(root, FORM);
    json_decref(head);
    json_decref(root);
    size_t length = text ? strlen(text) : 0;
    char *ended = text && !json_starved() ? realloc(text, length + 2) : NULL;
    if (!ended) {
        free(text);
        return bj_fail(error, -ENOMEM, "out of memory for an audit record");
    }
    ended[length] = '\n';
    ended[length + 1] = '\0';
    if (length + 1 > AUDIT_LINE_MAX) {
        free(ended);
        return bj_fail(error, -E2BIG, "an audit record of kind %s is over 64 KiB", names[kind]);
    }
    *line = ended;
    *size = length + 1;
    return 0;
}

/* Reading ----------------------------------------------------------------------------------------
 */

static bool is_hash(const char *text)
{
    return text && strlen(text) == AUDIT_HASH_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == AUDIT_HASH_SIZE - 1;
}

static int read_head(struct audit_record *record, struct bj_error *error)
{
    json_int_t seq = json_integer_value(json_object_get(record->json, "seq"));
    const json_t *time = json_object_get(record->json, "time");
    const char *kind = json_string_value(json_object_get(record->json, "kind"));
    const char *prev = json_string_value(json_object_get(record->json, "prev"));
    const char *hash = json_string_value(json_object_get(record->json, "hash"));
    if (seq <= 0 || !json_is_number(time) || !kind || !is_hash(prev) || !is_hash(hash))
        return bj_fail(error, -EINVAL,
                       "not an audit record: seq, time, kind, prev or hash is wrong");
    record->seq = (uint64_t)seq;
    record->time = json_number_value(time);
    record->kind = audit_kind_find(kind);
    memcpy(record->prev, prev, AUDIT_HASH_SIZE);
    memcpy(record->hash, hash, AUDIT_HASH_SIZE);
    return 0;
}

/* The line is exactly what we would write, and the hash is that of its content. */
static int check_content(struct audit_record *record, const char *line, size_t size,
                         struct bj_error *error)
{
    char hash[AUDIT_HASH_SIZE];
    char *text = json_dumps(record->json, FORM);
    if (!text)
        return bj_fail(error, -ENOMEM, "out of memory while reading the audit log");
    bool same = strlen(text) == size && memcmp(text, line, size) == 0;
    free(text);
    json_t *bare = json_copy(record->json);
    if (!bare || json_object_del(bare, "hash") < 0 || make_hash(bare, record->prev, hash) < 0) {
        json_decref(bare);
        return bj_fail(error, -ENOMEM, "out of memory while reading the audit log");
    }
    json_decref(bare);
    if (json_starved()) /* the copy may lack something */
        return bj_fail(error, -ENOMEM, "out of memory while reading the audit log");
    if (!same || strcmp(hash, record->hash) != 0)
        return bj_fail(error, -EBADMSG, "the content is not what was written: its hash differs");
    return 0;
}

int audit_record_parse(struct audit_record *record, const char *line, size_t size,
                       struct bj_error *error)
{
    *record = (struct audit_record){.kind = -1};
    if (size == 0 || size >= AUDIT_LINE_MAX || line[0] != '{')
        return bj_fail(error, -EINVAL, "not an audit record");
    json_error_t why;
    int status;
    record->json = json_read(line, size, JSON_REJECT_DUPLICATES, &why, &status);
    if (status == -ENOMEM)
        return bj_fail(error, -ENOMEM, "out of memory while reading the audit log");
    if (!record->json)
        return bj_fail(error, -EINVAL, "not an audit record: %.120s", why.text);
    status = read_head(record, error);
    if (status == 0)
        status = check_content(record, line, size, error);
    record->intact = status == 0;
    if (status < 0 && status != -EBADMSG)
        audit_record_free(record);
    return status;
}

void audit_record_free(struct audit_record *record)
{
    json_decref(record->json);
    record->json = NULL;
}
