/*
 * Figures and states as people read them. Every function writes a NUL-terminated text that fits
 * into FORMAT_MAX bytes and takes at most five columns, so that columns of figures line up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FORMAT_MAX     24
#define FIGURE_UNKNOWN UINT64_MAX /* a figure that cannot be read here; shown as "-" */

/* Bytes with a binary unit: 0B 999B 1.2K 34M 1.5G. */
void format_bytes(char out[FORMAT_MAX], uint64_t bytes);

/* Percent of one core: 0% 7% 103% 12k%; below zero: "-". */
void format_percent(char out[FORMAT_MAX], double percent);

/* A span of time: 0s 59s 12m 3h05 4d. Below zero counts as zero. */
void format_age(char out[FORMAT_MAX], double seconds);

/* A plain count: 0 999 12k. */
void format_count(char out[FORMAT_MAX], uint64_t count);

/*
 * A history of shares (0..1, below zero unknown) as one block per sample, oldest first, or in
 * ASCII. `out` must hold 3 * count + 1 bytes.
 */
void format_graph(char *out, const float *shares, int count, bool ascii);
