/*
 * What the fuzz targets share.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts at the line that does not hold. */
#define require(holds)                                                                             \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds);                            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A file in memory that holds the bytes, read from its start; the caller closes it. */
int fuzz_file(const uint8_t *data, size_t size);

/* A copy of exactly these bytes, so that reading behind them is seen; the caller frees it. */
char *fuzz_copy(const uint8_t *data, size_t size);
