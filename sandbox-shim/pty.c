#include "sandbox-shim/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "transport/message.h"

#define READ_BATCH BJ_DATA_MAX /* then others get a turn */
#define ECHO_BYTES 256U        /* less than this goes at once */

int pty_open(struct pty *pty, struct bj_error *error)
{
    *pty = (struct pty){.master = -1, .slave = -1};
    int status;
    if (bj_ring_init(&pty->output, BJ_RING_SIZE) < 0 ||
        bj_ring_init(&pty->input, BJ_INPUT_WINDOW) < 0) {
        status = bj_fail(error, -ENOMEM, "no memory for the terminal's buffers");
        goto fail;
    }
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->master < 0) {
        status = bj_fail(error, -errno, "cannot open a terminal: %s (is /dev/pts mounted?)",
                         strerror(errno));
        goto fail;
    }
    /* By descriptor, not by name: nothing that is mounted over /dev/pts can be opened instead. */
    if (unlockpt(pty->master) < 0 ||
        (pty->slave = ioctl(pty->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
        fcntl(pty->master, F_SETFL, O_NONBLOCK) < 0) {
        status =
            bj_fail(error, -errno, "cannot open the terminal's inner end: %s", strerror(errno));
        goto fail;
    }
    struct termios modes;
    if (tcgetattr(pty->slave, &modes) == 0) {
        modes.c_iflag |= IUTF8; /* so that erasing a character erases all of its bytes */
        tcsetattr(pty->slave, TCSANOW, &modes);
    }
    return 0;

fail:
    pty_free(pty);
    return status;
}

void pty_release_slave(struct pty *pty)
{
    if (pty->slave >= 0)
        close(pty->slave);
    pty->slave = -1;
}

void pty_close_master(struct pty *pty)
{
    if (pty->master >= 0)
        close(pty->master);
    pty->master = -1;
}

void pty_free(struct pty *pty)
{
    pty_release_slave(pty);
    pty_close_master(pty);
    bj_ring_free(&pty->output);
    bj_ring_free(&pty->input);
}

void pty_set_size(struct pty *pty, uint64_t rows, uint64_t cols)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    if (pty->master >= 0 && size.ws_row > 0 && size.ws_col > 0)
        ioctl(pty->master, TIOCSWINSZ, &size);
}

void pty_signal(const struct pty *pty, int number)
{
    pid_t group = pty->master >= 0 ? tcgetpgrp(pty->master) : -1;
    if (group > 1) /* not ours, and never -1: that is everyone */
        kill(-group, number);
}

_Static_assert(BJ_OUTPUT_AHEAD <= BJ_RING_KEEP, "a ring that does not grow holds it");

size_t pty_room(const struct pty *pty, bool connected)
{
    size_t used = bj_ring_used(&pty->output);
    if (!connected)
        return bj_ring_room(&pty->output);
    return used < BJ_OUTPUT_AHEAD ? BJ_OUTPUT_AHEAD - used : 0;
}

ptrdiff_t pty_read(struct pty *pty, bool connected)
{
    size_t total = 0, rest;
    while (total < READ_BATCH && (rest = pty_room(pty, connected)) > 0) {
        size_t room;
        uint8_t *space = bj_ring_space(&pty->output, &room);
        rest = rest < READ_BATCH - total ? rest : READ_BATCH - total; /* one DATA message */
        ssize_t got = read(pty->master, space, room < rest ? room : rest);
        if (got > 0) {
            bj_ring_commit(&pty->output, (size_t)got);
            total += (size_t)got;
            if (total < ECHO_BYTES) /* nothing rushes by: it need not wait for what comes next */
                break;
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            return total > 0 ? (ptrdiff_t)total : -EIO;
        } else if (errno == EAGAIN) {
            break;
        }
    }
    return (ptrdiff_t)total;
}

void pty_write(struct pty *pty)
{
    struct iovec pieces[2];
    struct bj_ring *input = &pty->input;
    if (pty->master < 0)
        bj_ring_release(input, input->end);
    while (bj_ring_peek(input, input->start, bj_ring_used(input), pieces) > 0) {
        ssize_t written = write(pty->master, pieces[0].iov_base, pieces[0].iov_len);
        if (written > 0)
            bj_ring_release(input, input->start + (size_t)written);
        else if (written == 0 || errno != EINTR)
            break;
    }
}
