/*
 * Reads one file of a recording (recording_format.h). Needs nothing of the monitor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/monitor/recording_format.h"
#include "transport/error.h"

struct recording_header {
    int rows, cols;
    uint64_t timestamp; /* unix seconds */
    uint8_t epoch[RECORDING_EPOCH];
    uint64_t offset, sequence;
    bool redraw;
};

struct recording_event {
    double time; /* seconds since the header's timestamp */
    char code;   /* 'o' (bytes are exact), 'r' or 'm' */
    bool redraw; /* an 'o' that is no part of the stream */
    const char *data;
    size_t size;
};

/* Reads the header only. -ENODATA for an empty file, -EPROTO for one that is no recording. */
int recording_read_header(int fd, struct recording_header *header, struct bj_error *error);

/*
 * Calls `event` for each event in order; the data is valid during the call. *good_size is set to
 * the length of what is whole: the file may be cut there and written on. Damage ends the reading,
 * it is no error.
 */
int recording_read(int fd, struct recording_header *header,
                   void (*event)(void *owner, const struct recording_event *event), void *owner,
                   uint64_t *good_size, struct bj_error *error);
