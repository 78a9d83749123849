/*
 * Numbers as people write them on a command line: sizes, counts, parts of a core, durations.
 *
 * Each reads the whole text or fails with -EINVAL (not such a number) or -ERANGE (over `limit`,
 * which is in the unit of the result) and a sentence that says what would be accepted.
 */
#pragma once

#include <stdint.h>

#include "transport/error.h"

/* Bytes: "4096", "512K", "1.5G", "64MiB"; units are powers of 1024 (K M G T). */
int unit_size(const char *text, uint64_t limit, uint64_t *bytes, struct bj_error *error);

/* A whole number without unit. */
int unit_count(const char *text, uint64_t limit, uint64_t *count, struct bj_error *error);

/* Thousandths: "2" is 2000, "0.25" is 250. At most three decimals count. */
int unit_milli(const char *text, uint64_t limit, uint64_t *thousandths, struct bj_error *error);

/* Milliseconds: "5" and "5s" are 5000, "250ms", "1.5m", "2h", "1d". */
int unit_duration(const char *text, uint64_t limit, uint64_t *milliseconds, struct bj_error *error);

/* A size for people, at most 6 columns: "812B", "1.2M", "24G". */
#define UNIT_TEXT_MAX 32
void unit_size_text(uint64_t bytes, char out[UNIT_TEXT_MAX]);

/* An age for people: "5s", "12m", "3h10m", "4d". */
void unit_age_text(uint64_t seconds, char out[UNIT_TEXT_MAX]);
