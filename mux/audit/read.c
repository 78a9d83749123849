#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/audit/audit.h"
#include "mux/audit/store.h"

struct audit_reader {
    int directory;
    int log;               /* audit.jsonl as it was at the beginning; -1: none */
    uint64_t next, newest; /* rotated files still to come */
    bool open;
    struct store_lines lines;
    struct audit_filter filter;
    char *sandbox;
};

void audit_read_close(struct audit_reader *reader)
{
    if (!reader)
        return;
    if (reader->open)
        store_lines_close(&reader->lines);
    if (reader->log >= 0)
        close(reader->log);
    if (reader->directory >= 0)
        close(reader->directory);
    free(reader->sandbox);
    free(reader);
}

int audit_read_open(struct audit_reader **out, const char *directory,
                    const struct audit_filter *filter, struct bj_error *error)
{
    *out = NULL;
    struct audit_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return bj_fail(error, -ENOMEM, "out of memory");
    reader->log = -1;
    reader->next = 1;
    int status = 0;
    if (filter)
        reader->filter = *filter;
    if (filter && filter->sandbox && !(reader->sandbox = strdup(filter->sandbox)))
        status = bj_fail(error, -ENOMEM, "out of memory");
    reader->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (status == 0 && reader->directory < 0)
        status = bj_fail(error, -errno, "cannot open the state directory %s: %s", directory,
                         strerror(errno));
    if (status == 0) {
        reader->log = store_open(reader->directory, 0);
        if (reader->log < 0 && reader->log != -ENOENT)
            status = bj_fail(error, reader->log, "cannot read the audit log: %s",
                             strerror(-reader->log));
    }
    if (status == 0)
        status = store_newest(reader->directory, &reader->newest, error);
    if (status < 0) {
        audit_read_close(reader);
        return status;
    }
    *out = reader;
    return 0;
}

/* 1 when another file was opened, 0 at the end. */
static int next_file(struct audit_reader *reader, struct bj_error *error)
{
    int fd = -ENOENT;
    while (fd == -ENOENT && reader->next <= reader->newest)
        fd = store_open(reader->directory, reader->next++);
    if (fd == -ENOENT) {
        if (reader->log < 0)
            return 0;
        fd = reader->log;
        reader->log = -1;
    }
    int status = fd < 0 ? fd : store_lines_open(&reader->lines, fd, 0);
    if (status < 0)
        return bj_fail(error, status, "cannot read the audit log: %s", strerror(-status));
    reader->open = true;
    return 1;
}

static bool is_text(const struct audit_record *record, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(record->json, key));
    return value && strcmp(value, text) == 0;
}

static bool passes(struct audit_reader *reader, const struct audit_record *record)
{
    const struct audit_filter *filter = &reader->filter;
    if (record->seq <= filter->after)
        return false;
    /* Also keeps a record from being read twice when its file was rotated meanwhile. */
    reader->filter.after = record->seq;
    if (filter->kinds && (record->kind < 0 || !(filter->kinds >> record->kind & 1)))
        return false;
    if (reader->sandbox && !is_text(record, "sandbox", reader->sandbox) &&
        !is_text(record, "sandbox_id", reader->sandbox))
        return false;
    return (filter->since == 0 || record->time >= filter->since) &&
           (filter->until == 0 || record->time < filter->until);
}

int audit_read_next(struct audit_reader *reader, struct audit_record *record,
                    struct bj_error *error)
{
    for (;;) {
        int status = reader->open ? 1 : next_file(reader, error);
        if (status <= 0)
            return status;
        status = store_lines_next(&reader->lines);
        if (status < 0)
            return bj_fail(error, status, "cannot read the audit log: %s", strerror(-status));
        if (status == 0) {
            store_lines_close(&reader->lines);
            reader->open = false;
            continue;
        }
        if (!reader->lines.whole || reader->lines.over)
            continue;
        status = audit_record_parse(record, reader->lines.line, reader->lines.size, NULL);
        if (status == -ENOMEM)
            return bj_fail(error, status, "out of memory while reading the audit log");
        if (status == -EINVAL)
            continue;
        if (passes(reader, record))
            return 1;
        audit_record_free(record);
    }
}
