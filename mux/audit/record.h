/*
 * Audit records: their kinds, and the one form in which they are written and hashed.
 *
 * A record is one line of compact JSON with sorted keys, everything beyond ASCII escaped:
 *   seq     counts up from 1 over all files
 *   time    unix seconds, to the millisecond
 *   kind    see the table
 *   prev    hash of the record before, 64 zeros for the first
 *   hash    BLAKE2b-256 (libsodium's generic hash) of `prev` followed by the record without `hash`
 * and the caller's own fields. Those that readers of ours rely on:
 *   sandbox, sandbox_id, project             wherever one is concerned
 *   request   id, class, about (policy kind), subject, title
 *   verdict   id (absent when nobody had to ask), about, subject, answer (allow|deny), by
 * (human|rule| policy|gone), where (line or rule that decided), asked (unix seconds), waited
 * (seconds) rule_added, rule_removed   rule, about, pattern, effect, scope, value, expires,
 * sentence, request connection                 host, port, sent, received, seconds attach, detach
 * client, session, readonly (user, from) gap                        cause (torn|crash|tampered),
 * text, and what applies of lost_from, lost_to, aside Secrets do not get here by themselves: only
 * fields that the caller names are written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "transport/error.h"

#define AUDIT_HASH_SIZE  65          /* hexadecimal, with the NUL */
#define AUDIT_LINE_MAX   (64 * 1024) /* bytes of one record with its line end */
#define AUDIT_TEXT_MAX   4096        /* bytes of one string; longer ones are cut and say so */
#define AUDIT_FIELDS_MAX 64

enum audit_kind {
    AUDIT_START,
    AUDIT_EXIT,
    AUDIT_KILL,
    AUDIT_PAUSE,
    AUDIT_RESUME,
    AUDIT_REMOVE,
    AUDIT_RENAME,
    AUDIT_ATTACH,
    AUDIT_DETACH,
    AUDIT_REQUEST,
    AUDIT_VERDICT,
    AUDIT_RULE_ADDED,
    AUDIT_RULE_REMOVED,
    AUDIT_CONNECTION,
    AUDIT_FILE_OUT,
    AUDIT_ALERT,
    AUDIT_SERVER_START,
    AUDIT_GAP,
    AUDIT_KINDS,
};

const char *audit_kind_name(enum audit_kind kind);
int audit_kind_find(const char *name); /* -1 when there is none */

/* A JSON string of any bytes: what is no UTF-8 becomes U+FFFD, cut at AUDIT_TEXT_MAX. NULL when out
 * of memory; NULL text is JSON's null. */
json_t *audit_text(const char *text, size_t size);

/*
 * The line of a record, with its line end, which the caller frees. `fields` is an object (or NULL)
 * of texts, numbers, booleans and flat lists and objects of them; -EINVAL for another form, for a
 * reserved name and for a number that is not finite, -E2BIG over AUDIT_LINE_MAX.
 */
int audit_record_format(uint64_t seq, double time, enum audit_kind kind, const json_t *fields,
                        const char prev[AUDIT_HASH_SIZE], char hash[AUDIT_HASH_SIZE], char **line,
                        size_t *size, struct bj_error *error);

struct audit_record {
    uint64_t seq;
    double time;
    int kind; /* enum audit_kind, -1 when a newer version wrote it */
    char prev[AUDIT_HASH_SIZE], hash[AUDIT_HASH_SIZE];
    bool intact;  /* the hash is that of the content */
    json_t *json; /* the whole record; owned */
};

/* Reads one line without its end and checks form and hash. -EINVAL: not a record; -EBADMSG: a
 * record whose hash is not that of its content, which is read all the same (free it). */
int audit_record_parse(struct audit_record *record, const char *line, size_t size,
                       struct bj_error *error);
void audit_record_free(struct audit_record *record);
