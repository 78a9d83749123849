#include "mux/audit/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/audit/store.h"
#include "transport/file.h"

struct walk {
    struct recovery *recovery;
    const struct head *head;
    bool has_head;
    uint64_t head_file; /* where the head's record is to end: number of the file as it is now */
    uint64_t head_end;
    bool found;    /* the head's record stands where the head says */
    bool chained;  /* everything behind it follows */
    bool odd;      /* a whole line is no record of ours */
    uint64_t last; /* seq of the last record */
    uint64_t more; /* records behind the head's */
};

/* Where to begin, so that the head's own line is among those read: its start is not known. A file
 * that was cut is read from its beginning. */
static uint64_t near_end(int fd, uint64_t size)
{
    struct stat info;
    uint64_t from = size > AUDIT_LINE_MAX ? size - AUDIT_LINE_MAX : 0;
    if (from == 0 || fstat(fd, &info) < 0 || (uint64_t)info.st_size < size)
        return 0;
    /* A line begins behind a line end; none there in all that room is no file of ours. */
    char byte = 0;
    for (; from < size && byte != '\n'; from++)
        if (pread(fd, &byte, 1, (off_t)from - 1) != 1)
            return 0;
    return byte == '\n' && from - 1 < size ? from - 1 : 0;
}

static void take_record(struct walk *walk, const struct audit_record *record, uint64_t end,
                        uint64_t file)
{
    struct recovery *recovery = walk->recovery;
    if (walk->found) {
        walk->chained = walk->chained && strcmp(record->prev, recovery->hash) == 0 &&
                        record->seq == walk->last + 1;
        walk->more++;
    } else if (walk->has_head && record->seq == walk->head->seq &&
               strcmp(record->hash, walk->head->hash) == 0) {
        walk->found = end == walk->head_end && file == walk->head_file;
        walk->chained = true;
    }
    walk->last = record->seq;
    memcpy(recovery->hash, record->hash, AUDIT_HASH_SIZE);
}

static int walk_file(struct walk *walk, int directory, uint64_t number, bool tail,
                     struct bj_error *error)
{
    int fd = store_open(directory, number);
    if (fd == -ENOENT)
        return 0;
    struct store_lines lines;
    int status =
        fd < 0 ? fd : store_lines_open(&lines, fd, tail ? near_end(fd, walk->head_end) : 0);
    if (status < 0)
        return bj_fail(error, status, "cannot read the audit log: %s", strerror(-status));
    while ((status = store_lines_next(&lines)) == 1) {
        struct audit_record record;
        int parsed = 0;
        if (!lines.whole && number == 0) {
            walk->recovery->torn = true;
            walk->recovery->torn_at = lines.start;
            walk->recovery->torn_size = lines.end - lines.start;
        } else if (!lines.whole || lines.over ||
                   (parsed = audit_record_parse(&record, lines.line, lines.size, NULL)) ==
                       -EINVAL) {
            walk->odd = true;
        } else if (parsed == -ENOMEM) {
            status = parsed;
            break;
        } else {
            walk->odd = walk->odd || !record.intact;
            take_record(walk, &record, lines.end, number);
            audit_record_free(&record);
        }
    }
    store_lines_close(&lines);
    return status < 0 ? bj_fail(error, status, "cannot read the audit log: %s", strerror(-status))
                      : 0;
}

__attribute__((format(printf, 4, 5))) static void
say(struct recovery *recovery, enum audit_state state, const char *cause, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(recovery->text, sizeof(recovery->text), format, args);
    va_end(args);
    recovery->state = state;
    recovery->cause = cause;
}

static void say_lost(struct walk *walk, enum audit_state state, const char *cause, const char *why)
{
    struct recovery *recovery = walk->recovery;
    recovery->lost_from = walk->last + 1;
    recovery->lost_to = walk->head->seq;
    recovery->seq = walk->head->seq;
    say(recovery, state, cause,
        "records %" PRIu64 " to %" PRIu64 " of the audit log are missing at its end: %s",
        recovery->lost_from, recovery->lost_to, why);
}

static void judge(struct walk *walk, int head_status)
{
    struct recovery *recovery = walk->recovery;
    const struct head *head = walk->head;
    char boot[HEAD_BOOT_MAX];
    head_boot(boot);
    recovery->seq = walk->last > head->seq ? walk->last : head->seq;
    bool empty = walk->last == 0 && !walk->odd && !recovery->torn && recovery->newest == 0;
    if (head_status <= 0 && empty && head_status == 0)
        return; /* a new log */
    if (head_status <= 0) {
        say(recovery, AUDIT_TAMPERED, "tampered",
            "audit.head is %s: it cannot be told whether the end of the audit log is whole",
            head_status == 0 ? "missing" : "damaged");
    } else if (head->seq == 0 && walk->last <= 1 && !walk->odd && recovery->newest == 0) {
        walk->found = walk->chained = true; /* killed at the very first record */
        walk->more = walk->last;
    } else if (walk->last < head->seq && !walk->odd) {
        /* Only the machine's own end loses what was written and not yet synced. */
        bool crashed = strcmp(boot, head->boot) != 0 && walk->last >= head->durable;
        say_lost(walk, crashed ? AUDIT_REPAIRED : AUDIT_TAMPERED, crashed ? "crash" : "tampered",
                 crashed ? "the machine went down before they were on disk"
                         : "the file was cut, this is no crash of ours");
    } else if (!walk->found || !walk->chained || walk->odd) {
        say(recovery, AUDIT_TAMPERED, "tampered",
            "the end of the audit log was changed: it does not agree with audit.head (belljar "
            "audit "
            "verify names the line)");
    }
    if (recovery->cause)
        return;
    if (recovery->torn)
        say(recovery, AUDIT_REPAIRED, "torn",
            "the writer was killed in the middle of a record: its %" PRIu64
            " bytes were moved aside, nothing else is missing",
            recovery->torn_size);
    else if (walk->more > 0)
        say(recovery, AUDIT_CAUGHT_UP, NULL,
            "the writer was killed between a record and audit.head: nothing is missing");
}

/* The head's file has another number once it was rotated away; and a head that was written when
 * nothing stood in the new file yet means the end of the older one. */
static int place_head(struct walk *walk, int directory, struct bj_error *error)
{
    const struct head *head = walk->head;
    uint64_t newest = walk->recovery->newest;
    walk->head_end = head->size;
    if (!walk->has_head || head->seq == 0 || newest == 0)
        return 0;
    if (head->file + 1 == newest && head->size > 0)
        walk->head_file = newest;
    if (head->file != newest || head->size > 0)
        return 0;
    char name[STORE_NAME_MAX];
    struct stat info;
    store_name(newest, name);
    if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return bj_fail(error, -errno, "cannot read %s: %s", name, strerror(errno));
    walk->head_file = newest;
    walk->head_end = (uint64_t)info.st_size;
    return 0;
}

int recover_look(int directory, struct recovery *recovery, struct bj_error *error)
{
    struct head head;
    *recovery = (struct recovery){0};
    memcpy(recovery->hash, head_zero_hash, AUDIT_HASH_SIZE);
    int head_status = head_read(directory, &head, error);
    if (head_status < 0 && head_status != -EINVAL)
        return head_status;
    int status = store_newest(directory, &recovery->newest, error);
    if (status < 0)
        return status;
    struct walk walk = {.recovery = recovery, .head = &head, .has_head = head_status == 1};
    status = place_head(&walk, directory, error);
    /* The older file too, unless the head's record is to stand in the newest. */
    bool in_newest = walk.has_head && head.file == recovery->newest && head.size > 0;
    bool in_older = walk.head_file > 0;
    if (status == 0 && recovery->newest > 0 && !in_newest)
        status = walk_file(&walk, directory, recovery->newest, in_older, error);
    if (status == 0)
        status = walk_file(&walk, directory, 0, in_newest, error);
    if (status == 0)
        judge(&walk, head_status);
    return status;
}

int recover_set_aside(int directory, int log, const struct recovery *recovery, char *aside,
                      size_t aside_size, struct bj_error *error)
{
    int out = -1;
    for (unsigned i = 1; i < 10000 && out < 0; i++) {
        snprintf(aside, aside_size, "audit-torn-%u", i);
        out = openat(directory, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (out < 0 && errno != EEXIST)
            break;
    }
    int status = out < 0 ? -errno : 0;
    char buffer[4096];
    for (uint64_t at = 0; status == 0 && at < recovery->torn_size;) {
        uint64_t left = recovery->torn_size - at;
        size_t want = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
        ssize_t got = pread(log, buffer, want, (off_t)(recovery->torn_at + at));
        if (got < 0 && errno == EINTR)
            continue;
        status = got <= 0 ? -EIO : bj_file_write(out, buffer, (size_t)got);
        at += got > 0 ? (uint64_t)got : 0;
    }
    if (out >= 0)
        close(out);
    if (status < 0 && out >= 0)
        unlinkat(directory, aside, 0); /* the log itself still has it */
    if (status == 0 && ftruncate(log, (off_t)recovery->torn_at) < 0)
        status = -errno;
    return status < 0 ? bj_fail(error, status, "cannot move a half-written audit record aside: %s",
                                strerror(-status))
                      : 0;
}
