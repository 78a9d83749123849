/*
 * What no kernel limit watches for us: wall clock, disk, the age of recordings, and memory,
 * processor and output where no controller does. A look each QUOTA_MS while a sandbox lives or a
 * recording grows old. Who is over its time, disk or memory is paused, which loses nothing and
 * stops the use, and a critical alert says so: the human resumes it or ends it. One that was
 * resumed is paused again when it takes a tenth more of disk or memory. Of processor, processes and
 * output an alert tells; who has used up its bytes of an hour has no connections until they are
 * older.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/policy/policy.h"

#define QUOTA_MS 10000U

struct server;
struct sandbox;
struct start_options;

struct watched {
    unsigned told;                       /* bits: an alert says so already */
    uint64_t disk_paused, memory_paused; /* bytes when it was paused for them, 0 not */
    int64_t ooms;
    unsigned over_cpu;      /* looks in a row */
    uint64_t disk_looked;   /* monotonic ms */
    uint64_t disk_took;     /* ms of the last count */
    bool disk_busy;         /* a worker counts */
    uint64_t active;        /* monotonic ms when it last used the processor */
    uint64_t output, since; /* bytes at the beginning of this measurement, and when that was */
};

void quota_open(struct server *server);

/* Looks from now on, as long as a sandbox lives. */
void quota_adjust(struct server *server);

/* The agent has put out so many bytes in all. */
void quota_output(struct sandbox *sandbox, uint64_t bytes);

/* The policy's limits, for those that the caller did not give (UINT64_MAX). */
void quota_fill(struct start_options *options, const struct policy *policy);
