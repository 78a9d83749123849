/*
 * The agent's pty, opened inside the sandbox on its own devpts, and the bytes on their way to and
 * from it: a ring of output that the monitor has not acknowledged and a buffer of input that the
 * pty has not taken.
 *
 * The slave end stays open here as long as the agent lives: an agent that closes its terminal and
 * opens it again would otherwise leave the master in a state of hang-up that poll(2) reports
 * without end. pty_release_slave() gives it up, so that the last process's end is seen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/error.h"
#include "transport/ring.h"

struct pty {
    int master; /* -1 when closed */
    int slave;  /* -1 when released */
    struct bj_ring output;
    struct bj_ring input;
};

int pty_open(struct pty *pty, struct bj_error *error);
void pty_release_slave(struct pty *pty);
void pty_close_master(struct pty *pty); /* input still held is dropped */
void pty_free(struct pty *pty);

/* Zero rows or columns leave the size as it is. */
void pty_set_size(struct pty *pty, uint64_t rows, uint64_t cols);

/* Signals the foreground process group, when there is one. */
void pty_signal(const struct pty *pty, int number);

/* Bytes that may be read now. While a monitor is connected, the ring's first pages are used again
 * and again and an agent that is faster waits in write(2); while none is, the whole ring fills. */
size_t pty_room(const struct pty *pty, bool connected);

/* Reads what is there into the ring, at most one batch; after a little it does not look for more,
 * of which poll(2) tells. Returns the bytes read, 0 when nothing was there or there is no room,
 * -EIO when no process has the terminal open any more. */
ptrdiff_t pty_read(struct pty *pty, bool connected);

/* Writes held input to the pty as far as it takes it; after pty_close_master() all of it is taken.
 */
void pty_write(struct pty *pty);
