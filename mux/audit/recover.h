/*
 * What audit_open() finds at the end of the log, before it writes anything.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/audit/audit.h"
#include "mux/audit/head.h"

struct recovery {
    enum audit_state state;
    const char *cause; /* of the gap record: torn, crash or tampered; NULL: none is needed */
    char text[BJ_ERROR_TEXT_MAX];
    uint64_t newest;             /* number of the newest rotated file */
    uint64_t seq;                /* the next record is seq + 1 ... */
    char hash[AUDIT_HASH_SIZE];  /* ... and follows this one */
    uint64_t lost_from, lost_to; /* seqs that are missing, 0: none */
    bool torn;                   /* the last line of audit.jsonl is half-written ... */
    uint64_t torn_at, torn_size; /* ... from this offset on */
};

/* Only reads. */
int recover_look(int directory, struct recovery *recovery, struct bj_error *error);

/* Copies the half-written line to a file of its own and cuts it off; `aside` gets its name. */
int recover_set_aside(int directory, int log, const struct recovery *recovery, char *aside,
                      size_t aside_size, struct bj_error *error);
