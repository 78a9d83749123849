/*
 * STORE/audit.head: what the newest record was, kept beside the log so that a missing tail shows.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/audit/record.h"
#include "transport/error.h"

#define HEAD_BOOT_MAX 64

struct head {
    uint64_t seq;     /* 0: nothing written yet */
    uint64_t size;    /* bytes of audit.jsonl with that record */
    uint64_t file;    /* how many files were rotated away before */
    uint64_t durable; /* seq of the last record that was synced */
    char hash[AUDIT_HASH_SIZE];
    char boot[HEAD_BOOT_MAX]; /* the kernel's boot id when it was written */
};

extern const char head_zero_hash[AUDIT_HASH_SIZE];

void head_boot(char out[HEAD_BOOT_MAX]);

/* 1, or 0 when there is none; -EINVAL when it is no head. */
int head_read(int directory, struct head *head, struct bj_error *error);
/* Replaces it atomically; syncs it too when asked. */
int head_write(int directory, const struct head *head, bool sync, struct bj_error *error);
