/*
 * The recording of one sandbox: two asciicast files that take turns (recording_format.h), so that
 * nothing is opened after the start and the disk use is bounded.
 *
 * Output is buffered by recording_output and written by recording_flush, once per batch; what may
 * be acknowledged to the shim is recording->safe. When the disk is full the recording pauses:
 * `safe` then follows what is on screen, and every few seconds the next flush tries to go on, with
 * a redraw. A limit of 0 records nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/monitor/bytes.h"
#include "mux/monitor/recording_format.h"
#include "mux/monitor/terminal.h"
#include "transport/error.h"

struct recording {
    int fds[RECORDING_FILES]; /* -1: records nothing */
    int active;
    uint64_t limit; /* bytes of both files together */
    uint64_t age;   /* seconds after which what is recorded should be gone; 0: none. The caller's */
    char id[64];

    bool begun; /* the epoch is known */
    bool paused;
    uint64_t retry_at; /* monotonic milliseconds */
    uint8_t epoch[RECORDING_EPOCH];
    uint64_t sequence;
    uint64_t size; /* of the active file, what is written */
    double start;  /* its timestamp */

    struct bytes buffer;
    uint64_t offset; /* stream offset behind the last byte given */
    uint64_t safe;   /* stream offset behind the last byte that is safe */
    uint8_t tail[4]; /* a UTF-8 sequence that is not whole yet */
    uint8_t tail_size;
};

/* What a recording told about the past. */
struct recording_past {
    bool any;
    uint8_t epoch[RECORDING_EPOCH];
    bool exited;
    int code, signal;
    char error[512];
};

/* Opens (and makes) the files in `directory`. Sets the fds to -1 when `limit` is 0. */
int recording_open(struct recording *recording, const char *directory, const char *id,
                   uint64_t limit, struct bj_error *error);
void recording_close(struct recording *recording);

/* Rebuilds the terminal from the files and prepares for writing on. */
int recording_restore(struct recording *recording, struct terminal *terminal,
                      struct recording_past *past, struct bj_error *error);

/* The first HELLO: output begins at `offset`, on the screen as it is. */
void recording_begin(struct recording *recording, struct terminal *terminal,
                     const uint8_t epoch[RECORDING_EPOCH], uint64_t offset);

/* The terminal was given these bytes. */
void recording_output(struct recording *recording, const void *bytes, size_t size);
void recording_resize(struct recording *recording, int rows, int cols);
void recording_marker(struct recording *recording, const char *text);

/*
 * Writes what was buffered; `whole` also what waits for the rest of a UTF-8 sequence. Changes files
 * when it is time. Returns 0, -EAGAIN while paused, or the negative code of the failure that began
 * the pause, with its sentence.
 */
int recording_flush(struct recording *recording, struct terminal *terminal, bool whole,
                    struct bj_error *error);

/* Output up to `offset` was lost before it came here: what follows is recorded behind a redraw. */
void recording_skip(struct recording *recording, struct terminal *terminal, uint64_t offset);
