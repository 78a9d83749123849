/*
 * Sizes and durations as UCL writes them: 512, 10k (10 000), 10kb (10 240), 1.5gb; 90s, 15min, 8h,
 * 7d.
 */
#pragma once

#include <stdint.h>

#include "transport/error.h"

/* Bytes. -EINVAL with a sentence that names what would be right. */
int units_size(const char *text, uint64_t *bytes, struct bj_error *error);
/* Milliseconds; a unit must be named unless the number is 0. */
int units_duration(const char *text, uint64_t *milliseconds, struct bj_error *error);
/* A number with up to three decimals, in thousandths. */
int units_thousandths(const char *text, uint64_t *value, struct bj_error *error);
int units_count(const char *text, uint64_t *value, struct bj_error *error);
