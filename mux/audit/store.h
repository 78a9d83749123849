/*
 * The files of the audit log below its directory: names, whole writes, lines read one by one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mux/audit/record.h"
#include "transport/error.h"

#define STORE_LOG      "audit.jsonl"
#define STORE_HEAD     "audit.head"
#define STORE_LOCK     "audit.lock"
#define STORE_NAME_MAX 40

/* "audit-N.jsonl", or STORE_LOG for 0. */
void store_name(uint64_t number, char out[STORE_NAME_MAX]);

/* Opens the file with this number for reading; a negative errno value. */
int store_open(int directory, uint64_t number);

/* Greatest N of the files audit-N.jsonl, 0 when there is none. */
int store_newest(int directory, uint64_t *number, struct bj_error *error);

/* One line at a time, each at most AUDIT_LINE_MAX. */
struct store_lines {
    FILE *file;
    char *line;          /* AUDIT_LINE_MAX + 1 bytes, owned */
    size_t size;         /* of the line, without its end */
    bool whole;          /* it had an end */
    bool over;           /* longer than AUDIT_LINE_MAX: cut */
    uint64_t number;     /* of the line, from 1 */
    uint64_t start, end; /* offsets of the line and behind it */
};

/* Takes the descriptor over. */
int store_lines_open(struct store_lines *lines, int fd, uint64_t offset);
/* 1, 0 at the end, or a negative code. */
int store_lines_next(struct store_lines *lines);
void store_lines_close(struct store_lines *lines);
