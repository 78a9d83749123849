#include "mux/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "mux/audit/head.h"
#include "mux/audit/recover.h"
#include "mux/audit/store.h"
#include "transport/file.h"

#define BESIDE STORE_LOG ".new"

struct audit {
    int directory, lock, log;
    uint64_t rotate;
    bool lazy;
    bool ragged; /* bytes of a failed record are still behind head.size */
    struct head head;
    struct bj_error failure; /* code 0: the last append worked */
};

/* What a loss of power may take: who was connected or looked, never who decided what. */
static bool is_synced(enum audit_kind kind)
{
    switch (kind) {
    case AUDIT_CONNECTION:
    case AUDIT_ATTACH:
    case AUDIT_DETACH:
    case AUDIT_REQUEST:
    case AUDIT_PAUSE:
    case AUDIT_RESUME:
        return false;
    default:
        return true;
    }
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int cannot(struct bj_error *error, int code)
{
    return bj_fail(error, code, "cannot write the audit log: %s%s", strerror(-code),
                   code == -ENOSPC ? "; free some space, until then nothing more is allowed" : "");
}

/* Appending ------------------------------------------------------------------------------------ */

/* A new audit.jsonl; the old one gets the next number. Either both renames count or none. */
static int rotate(struct audit *audit)
{
    char name[STORE_NAME_MAX];
    store_name(audit->head.file + 1, name);
    if (faccessat(audit->directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return -EEXIST; /* never over another record of the past */
    int fresh = openat(audit->directory, BESIDE,
                       O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fresh < 0)
        return -errno;
    int status = !audit->lazy && fsync(audit->log) < 0 ? -errno : 0;
    if (status == 0 && renameat(audit->directory, STORE_LOG, audit->directory, name) < 0)
        status = -errno;
    if (status == 0 && renameat(audit->directory, BESIDE, audit->directory, STORE_LOG) < 0) {
        status = -errno;
        renameat(audit->directory, name, audit->directory, STORE_LOG);
    }
    if (status < 0) {
        close(fresh);
        unlinkat(audit->directory, BESIDE, 0);
        return status;
    }
    if (!audit->lazy)
        fsync(audit->directory);
    close(audit->log);
    audit->log = fresh;
    audit->head.file++;
    audit->head.size = 0;
    return 0;
}

/* Cuts off what a failed write left. */
static int trim(struct audit *audit)
{
    audit->ragged = ftruncate(audit->log, (off_t)audit->head.size) < 0;
    return audit->ragged ? -errno : 0;
}

/* Record first, then the head; on a failure of either the record is taken back. */
static int store(struct audit *audit, enum audit_kind kind, const char *line, size_t size,
                 const char *hash)
{
    bool sync = !audit->lazy && is_synced(kind);
    int status = audit->ragged ? trim(audit) : 0;
    if (status == 0 && audit->head.size > 0 && audit->head.size + size > audit->rotate)
        status = rotate(audit);
    if (status < 0)
        return status;
    status = bj_file_write(audit->log, line, size);
    if (status == 0 && sync && fdatasync(audit->log) < 0)
        status = -errno;
    if (status == 0) {
        struct head next = audit->head;
        next.seq++;
        next.size += size;
        memcpy(next.hash, hash, AUDIT_HASH_SIZE);
        if (sync)
            next.durable = next.seq;
        status = head_write(audit->directory, &next, sync, NULL);
        if (status == 0)
            audit->head = next;
    }
    if (status < 0)
        trim(audit);
    return status;
}

int audit_append(struct audit *audit, enum audit_kind kind, const json_t *fields,
                 struct bj_error *error)
{
    char hash[AUDIT_HASH_SIZE];
    char *line;
    size_t size;
    int status = audit_record_format(audit->head.seq + 1, now_seconds(), kind, fields,
                                     audit->head.hash, hash, &line, &size, error);
    if (status < 0)
        return status;
    status = store(audit, kind, line, size, hash);
    free(line);
    if (status < 0) {
        cannot(&audit->failure, status);
        return cannot(error, status);
    }
    audit->failure = (struct bj_error){0};
    return 0;
}

int audit_failed(const struct audit *audit, struct bj_error *error)
{
    if (error)
        *error = audit->failure;
    return audit->failure.code;
}

uint64_t audit_seq(const struct audit *audit)
{
    return audit->head.seq;
}

/* Opening -------------------------------------------------------------------------------------- */

static int open_files(struct audit *audit, const char *directory, struct bj_error *error)
{
    audit->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (audit->directory < 0)
        return bj_fail(error, -errno, "cannot open the state directory %s: %s", directory,
                       strerror(errno));
    audit->lock =
        openat(audit->directory, STORE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (audit->lock < 0)
        return cannot(error, -errno);
    if (flock(audit->lock, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? bj_fail(error, -EBUSY, "another server writes the audit log in %s", directory)
                   : cannot(error, -errno);
    return 0;
}

static int write_gap(struct audit *audit, const struct recovery *recovery, const char *aside,
                     struct bj_error *error)
{
    json_t *fields = json_pack("{s:s, s:o}", "cause", recovery->cause, "text",
                               audit_text(recovery->text, strlen(recovery->text)));
    int failed = !fields;
    if (fields && recovery->lost_to) {
        failed |=
            json_object_set_new(fields, "lost_from", json_integer((json_int_t)recovery->lost_from));
        failed |=
            json_object_set_new(fields, "lost_to", json_integer((json_int_t)recovery->lost_to));
    }
    if (fields && *aside)
        failed |= json_object_set_new(fields, "aside", json_string(aside));
    int status = failed ? bj_fail(error, -ENOMEM, "out of memory for an audit record")
                        : audit_append(audit, AUDIT_GAP, fields, error);
    json_decref(fields);
    return status;
}

/* Takes the log up where it was left, and notes what was wrong with its end. */
static int take_up(struct audit *audit, struct audit_opened *opened, struct bj_error *error)
{
    struct recovery recovery;
    char aside[STORE_NAME_MAX] = "";
    int status = recover_look(audit->directory, &recovery, error);
    if (status < 0)
        return status;
    audit->log = openat(audit->directory, STORE_LOG,
                        O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (audit->log < 0)
        return cannot(error, -errno);
    if (recovery.torn)
        status =
            recover_set_aside(audit->directory, audit->log, &recovery, aside, sizeof(aside), error);
    struct stat info;
    if (status == 0 && fstat(audit->log, &info) < 0)
        status = cannot(error, -errno);
    if (status < 0)
        return status;
    audit->head = (struct head){.seq = recovery.seq,
                                .size = (uint64_t)info.st_size,
                                .file = recovery.newest,
                                .durable = recovery.seq};
    memcpy(audit->head.hash, recovery.hash, AUDIT_HASH_SIZE);
    head_boot(audit->head.boot);
    opened->state = recovery.state;
    memcpy(opened->text, recovery.text, sizeof(opened->text));
    if (!audit->lazy && (fdatasync(audit->log) < 0 || fsync(audit->directory) < 0))
        return cannot(error, -errno);
    if (recovery.cause)
        return write_gap(audit, &recovery, aside, error);
    return head_write(audit->directory, &audit->head, !audit->lazy, error);
}

int audit_open(struct audit **out, const char *directory, const struct audit_options *options,
               struct audit_opened *opened, struct bj_error *error)
{
    struct audit_opened ignored = {0};
    *out = NULL;
    struct audit *audit = calloc(1, sizeof(*audit));
    if (!audit)
        return bj_fail(error, -ENOMEM, "out of memory");
    audit->directory = audit->lock = audit->log = -1;
    audit->rotate = options && options->rotate ? options->rotate : AUDIT_ROTATE_DEFAULT;
    audit->lazy = options && options->lazy;
    opened = opened ? opened : &ignored;
    *opened = (struct audit_opened){0};
    int status = sodium_init() < 0 ? bj_fail(error, -EIO, "libsodium cannot be used here") : 0;
    if (status == 0)
        status = open_files(audit, directory, error);
    if (status == 0)
        status = take_up(audit, opened, error);
    if (status < 0) {
        audit_close(audit);
        return status;
    }
    *out = audit;
    return 0;
}

void audit_close(struct audit *audit)
{
    if (!audit)
        return;
    if (audit->log >= 0) {
        if (!audit->lazy)
            fdatasync(audit->log);
        close(audit->log);
    }
    if (audit->lock >= 0)
        close(audit->lock);
    if (audit->directory >= 0)
        close(audit->directory);
    free(audit);
}
