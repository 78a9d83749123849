#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/audit/audit.h"
#include "mux/audit/head.h"
#include "mux/audit/store.h"

static const char *const fault_names[] = {
    [AUDIT_FAULT_NONE] = "none",           [AUDIT_FAULT_EDITED] = "edited",
    [AUDIT_FAULT_REMOVED] = "removed",     [AUDIT_FAULT_REORDERED] = "reordered",
    [AUDIT_FAULT_TRUNCATED] = "truncated", [AUDIT_FAULT_GAP] = "gap",
};

const char *audit_fault_name(enum audit_fault fault)
{
    return fault_names[fault];
}

struct walk {
    int directory, log;
    uint64_t newest;
    bool has_head;
    struct head head;
    uint64_t last; /* seq of the last good record */
    char hash[AUDIT_HASH_SIZE];
    struct audit_verdict *verdict;
    uint64_t missing; /* looking whether this seq comes later; 0: no */
    bool later;
};

__attribute__((format(printf, 3, 4))) static void fault(struct walk *walk, enum audit_fault which,
                                                        const char *format, ...)
{
    struct audit_verdict *verdict = walk->verdict;
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    verdict->fault = which;
    snprintf(verdict->text, sizeof(verdict->text), "%s:%" PRIu64 ": %s: %s", verdict->file,
             verdict->line, fault_names[which], text);
}

static void check_gap(struct walk *walk, const struct audit_record *record)
{
    const char *cause = json_string_value(json_object_get(record->json, "cause"));
    const char *text = json_string_value(json_object_get(record->json, "text"));
    if (!cause || strcmp(cause, "tampered") == 0)
        fault(walk, AUDIT_FAULT_GAP, "found when the log was opened then: %.180s",
              text ? text : "?");
    else
        walk->verdict->gaps++;
}

/* A gap after a crash of the machine says itself which records are missing. */
static bool explains(const struct walk *walk, const struct audit_record *record)
{
    json_int_t from = json_integer_value(json_object_get(record->json, "lost_from"));
    json_int_t to = json_integer_value(json_object_get(record->json, "lost_to"));
    return record->kind == AUDIT_GAP && strcmp(record->prev, walk->hash) == 0 &&
           from == (json_int_t)walk->last + 1 && to + 1 == (json_int_t)record->seq;
}

static void check_place(struct walk *walk, const struct audit_record *record)
{
    bool next = record->seq == walk->last + 1;
    bool follows = strcmp(record->prev, walk->hash) == 0;
    if (walk->has_head && record->seq == walk->head.seq && next && follows &&
        strcmp(record->hash, walk->head.hash) != 0) {
        fault(walk, AUDIT_FAULT_EDITED, "record %" PRIu64 " is not the one that audit.head knows",
              record->seq);
    } else if ((next && follows) || explains(walk, record)) {
        if (record->kind == AUDIT_GAP)
            check_gap(walk, record);
    } else if (record->seq <= walk->last) {
        fault(walk, AUDIT_FAULT_REORDERED, "record %" PRIu64 " stands behind record %" PRIu64,
              record->seq, walk->last);
    } else if (next) {
        fault(walk, AUDIT_FAULT_EDITED,
              "record %" PRIu64
              " does not follow the one before it, which was changed or exchanged",
              record->seq);
    } else {
        fault(walk, AUDIT_FAULT_REMOVED, "records %" PRIu64 " to %" PRIu64 " are missing before it",
              walk->last + 1, record->seq - 1);
        walk->missing = walk->last + 1;
    }
}

/* 1, or -ENOMEM. */
static int check_line(struct walk *walk, const struct store_lines *lines, bool newest)
{
    struct audit_verdict *verdict = walk->verdict;
    struct audit_record record;
    struct bj_error why = {0};
    if (!lines->whole && newest) {
        verdict->unfinished = true;
        return 1;
    }
    int status =
        lines->over ? -EINVAL : audit_record_parse(&record, lines->line, lines->size, &why);
    if (status == -ENOMEM)
        return status;
    if (walk->missing) { /* a fault was found; only: is the missing one elsewhere? */
        walk->later = walk->later || (status == 0 && record.seq == walk->missing);
    } else {
        verdict->line = lines->number;
        if (status < 0 || !lines->whole)
            fault(walk, AUDIT_FAULT_EDITED, "%s", why.text[0] ? why.text : "not an audit record");
        else
            check_place(walk, &record);
        if (verdict->fault == AUDIT_FAULT_NONE) {
            verdict->records++;
            walk->last = record.seq;
            memcpy(walk->hash, record.hash, AUDIT_HASH_SIZE);
        }
    }
    if (status == 0 || status == -EBADMSG)
        audit_record_free(&record);
    return 1;
}

static int walk_file(struct walk *walk, uint64_t number, struct bj_error *error)
{
    bool newest = number == 0;
    int fd = newest ? walk->log : store_open(walk->directory, number);
    if (!walk->missing) {
        store_name(number, walk->verdict->file);
        walk->verdict->line = 0;
    }
    if (newest)
        walk->log = -1;
    if (fd == -ENOENT || (newest && fd < 0)) {
        if (!walk->missing && !newest)
            fault(walk, AUDIT_FAULT_REMOVED, "the whole file is missing");
        return 0;
    }
    struct store_lines lines;
    int status = fd < 0 ? fd : store_lines_open(&lines, fd, 0);
    if (status < 0)
        return bj_fail(error, status, "cannot read the audit log: %s", strerror(-status));
    while ((walk->verdict->fault == AUDIT_FAULT_NONE || (walk->missing && !walk->later)) &&
           (status = store_lines_next(&lines)) == 1 &&
           (status = check_line(walk, &lines, newest)) == 1)
        continue;
    store_lines_close(&lines);
    return status < 0 ? bj_fail(error, status, "cannot read the audit log: %s", strerror(-status))
                      : 0;
}

/* The end: is the newest record that was ever written still there? */
static void check_end(struct walk *walk)
{
    struct audit_verdict *verdict = walk->verdict;
    char boot[HEAD_BOOT_MAX];
    head_boot(boot);
    if (!walk->has_head && (verdict->records > 0 || verdict->unfinished)) {
        fault(walk, AUDIT_FAULT_TRUNCATED,
              "audit.head is missing or damaged: whether the end is whole cannot be told");
    } else if (walk->has_head && walk->last < walk->head.seq) {
        /* Not yet repaired: a crash of the machine lost what was not synced. */
        if (strcmp(boot, walk->head.boot) != 0 && walk->last >= walk->head.durable)
            verdict->unfinished = true;
        else
            fault(walk, AUDIT_FAULT_TRUNCATED,
                  "the log ends here, but records up to %" PRIu64 " were written", walk->head.seq);
    }
}

/* The newest file is opened first and its number settled after that, so that a rotation in between
 * shows as the same file under both names. */
static int open_all(struct walk *walk, const char *directory, struct bj_error *error)
{
    walk->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (walk->directory < 0)
        return bj_fail(error, -errno, "cannot open the state directory %s: %s", directory,
                       strerror(errno));
    int status = head_read(walk->directory, &walk->head, error);
    if (status < 0 && status != -EINVAL)
        return status;
    walk->has_head = status == 1;
    walk->log = store_open(walk->directory, 0);
    if (walk->log < 0 && walk->log != -ENOENT)
        return bj_fail(error, walk->log, "cannot read the audit log: %s", strerror(-walk->log));
    status = store_newest(walk->directory, &walk->newest, error);
    if (status < 0 || walk->log < 0 || walk->newest == 0)
        return status;
    struct stat log, rotated;
    char name[STORE_NAME_MAX];
    store_name(walk->newest, name);
    if (fstat(walk->log, &log) == 0 &&
        fstatat(walk->directory, name, &rotated, AT_SYMLINK_NOFOLLOW) == 0 &&
        log.st_dev == rotated.st_dev && log.st_ino == rotated.st_ino) {
        close(walk->log);
        walk->log = -1;
    }
    return 0;
}

int audit_verify(const char *directory, struct audit_verdict *verdict, struct bj_error *error)
{
    *verdict = (struct audit_verdict){0};
    struct walk walk = {.log = -1, .verdict = verdict};
    memcpy(walk.hash, head_zero_hash, AUDIT_HASH_SIZE);
    int status = open_all(&walk, directory, error);
    if (status == 0) {
        for (uint64_t number = 1; status == 0 && number <= walk.newest &&
                                  (verdict->fault == AUDIT_FAULT_NONE || walk.missing);
             number++)
            status = walk_file(&walk, number, error);
        if (status == 0 && (verdict->fault == AUDIT_FAULT_NONE || walk.missing))
            status = walk_file(&walk, 0, error);
    }
    if (walk.log >= 0)
        close(walk.log);
    if (walk.directory >= 0)
        close(walk.directory);
    if (status < 0)
        return status;
    if (walk.later)
        fault(&walk, AUDIT_FAULT_REORDERED, "record %" PRIu64 " stands further down", walk.missing);
    else if (verdict->fault == AUDIT_FAULT_NONE)
        check_end(&walk);
    if (verdict->fault == AUDIT_FAULT_NONE)
        snprintf(verdict->text, sizeof(verdict->text), "%" PRIu64 " records, unbroken%s",
                 verdict->records,
                 verdict->unfinished ? ", and a half-written one at the end" : "");
    return 0;
}
