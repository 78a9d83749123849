/*
 * The audit log: what crossed the wall, who said so, and what changed, in STATE/audit.jsonl.
 *
 *   audit.jsonl     the newest records; audit-1.jsonl, audit-2.jsonl, ... the older files, the
 * chain of hashes going on from one to the next audit.head      {seq, hash, size, file, durable,
 * boot}: the newest record, so that a tail cut off is found; replaced atomically after each record
 *   audit.lock      held by the one writer
 *   audit-torn-N    half-written last lines that were moved aside
 *
 * Order: the record is written with one write(2), synced for the kinds that record.h's table marks
 * (all but connection, attach, detach, request, pause and resume), then the head is replaced. So
 * after a kill of the process the head is at most one record behind; it is ahead only when the
 * machine itself went down and lost records that were not synced, which `durable` (seq of the last
 * synced record) and `boot` (the kernel's boot id) tell. Anything else is tampering.
 *
 * The chain is not signed: who can write the directory as this user can write a new chain. It finds
 * what was edited, removed, cut or moved afterwards. Not for several threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "mux/audit/record.h"
#include "transport/error.h"

#define AUDIT_ROTATE_DEFAULT (64U * 1024 * 1024)

struct audit;

struct audit_options {
    uint64_t rotate; /* bytes of one file; 0: AUDIT_ROTATE_DEFAULT */
    bool lazy;       /* never sync (tests) */
};

enum audit_state {
    AUDIT_CLEAN,     /* the log ends where its head says */
    AUDIT_CAUGHT_UP, /* the head was behind: the writer was killed in between; nothing is lost */
    AUDIT_REPAIRED,  /* a half-written line was moved aside, or a crash of the machine lost some */
    AUDIT_TAMPERED,  /* cut, edited at its end, or without its head */
};

struct audit_opened {
    enum audit_state state;
    char text[BJ_ERROR_TEXT_MAX]; /* one sentence for the human; "" when clean */
};

/* Opens the log for writing, makes it when there is none. All but CLEAN and CAUGHT_UP append a
 * `gap` record that says what was found. -EBUSY when another process writes it; -ENOSPC when the
 * gap cannot be written. `options` may be NULL. */
int audit_open(struct audit **audit, const char *directory, const struct audit_options *options,
               struct audit_opened *opened, struct bj_error *error);
void audit_close(struct audit *audit);

/*
 * Appends a record. `fields` is borrowed, see record.h. On an error (-ENOSPC, -EIO, ...) nothing of
 * the record stays in the file; the caller then must refuse new verdicts until an append succeeds
 * again. -EINVAL and -E2BIG are the caller's mistakes and leave the log healthy.
 */
int audit_append(struct audit *audit, enum audit_kind kind, const json_t *fields,
                 struct bj_error *error);

/* 0, or the code with which the last append failed; then its sentence is in *error. */
int audit_failed(const struct audit *audit, struct bj_error *error);

uint64_t audit_seq(const struct audit *audit); /* of the newest record */

enum audit_fault {
    AUDIT_FAULT_NONE,
    AUDIT_FAULT_EDITED,    /* content and hash do not agree, or it is no record */
    AUDIT_FAULT_REMOVED,   /* records before this line are missing */
    AUDIT_FAULT_REORDERED, /* it stands at another place than it was written */
    AUDIT_FAULT_TRUNCATED, /* the end is missing */
    AUDIT_FAULT_GAP,       /* tampering that audit_open() had found */
};
const char *audit_fault_name(enum audit_fault fault);

struct audit_verdict {
    enum audit_fault fault;       /* of the first fault */
    uint64_t records;             /* good ones before it, or all */
    uint64_t gaps;                /* harmless ones: crashes */
    bool unfinished;              /* the last line is half-written: a writer at work, or killed */
    char file[40];                /* name of the file below the directory */
    uint64_t line;                /* from 1 */
    char text[BJ_ERROR_TEXT_MAX]; /* "audit.jsonl:17: edited: ..." or "1204 records, unbroken" */
};

/* Walks all files; may run beside a writer. 0 also when it found a fault; a negative code when the
 * log could not be read. */
int audit_verify(const char *directory, struct audit_verdict *verdict, struct bj_error *error);

struct audit_filter {
    uint64_t kinds;      /* bits 1 << enum audit_kind; 0: all */
    const char *sandbox; /* name or id; NULL: all */
    double since, until; /* unix seconds; 0: open */
    uint64_t after;      /* only seq beyond it */
};

struct audit_reader;

/* Reads the records in order. Lines that are no records are passed over (audit_verify names them).
 */
int audit_read_open(struct audit_reader **reader, const char *directory,
                    const struct audit_filter *filter, struct bj_error *error);
/* 1 and a record (the caller frees it), 0 at the end, or a negative code. */
int audit_read_next(struct audit_reader *reader, struct audit_record *record,
                    struct bj_error *error);
void audit_read_close(struct audit_reader *reader);
