#include "mux/monitor/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/monitor/recording_read.h"

struct replay {
    struct terminal *terminal;
    struct recording_past *past;
    bool skip_redraw; /* the terminal is in that state already */
    uint64_t offset;
};

static void take_marker(struct replay *replay, const char *text)
{
    struct recording_past *past = replay->past;
    int end = 0;
    if (sscanf(text, "exited %d %d %n", &past->code, &past->signal, &end) == 2 && end > 0) {
        past->exited = true;
        snprintf(past->error, sizeof(past->error), "%s", text + end);
    }
    unsigned long long offset;
    if (sscanf(text, "resumed %llu", &offset) == 1)
        replay->offset = offset;
}

static void take_event(void *owner, const struct recording_event *event)
{
    struct replay *replay = owner;
    int rows, cols;
    switch (event->code) {
    case 'o':
        if (!event->redraw)
            replay->offset += event->size;
        if (!event->redraw || !replay->skip_redraw)
            terminal_write(replay->terminal, event->data, event->size);
        replay->skip_redraw = false;
        break;
    case 'r':
        if (sscanf(event->data, "%dx%d", &cols, &rows) == 2)
            terminal_resize(replay->terminal, rows, cols);
        break;
    default:
        take_marker(replay, event->data);
        break;
    }
}

int recording_restore(struct recording *recording, struct terminal *terminal,
                      struct recording_past *past, struct bj_error *error)
{
    *past = (struct recording_past){0};
    struct recording_header headers[RECORDING_FILES];
    bool usable[RECORDING_FILES] = {false, false};
    for (int i = 0; i < RECORDING_FILES; i++) {
        int status = recording->fds[i] < 0
                         ? -ENODATA
                         : recording_read_header(recording->fds[i], &headers[i], error);
        usable[i] = status == 0;
        if (status < 0 && status != -ENODATA && status != -EPROTO)
            return status; /* what cannot be read now may be there all the same */
    }
    if (!usable[0] && !usable[1])
        return 0;
    int newer = !usable[0] || (usable[1] && headers[1].sequence > headers[0].sequence);
    bool both =
        usable[1 - newer] && memcmp(headers[0].epoch, headers[1].epoch, RECORDING_EPOCH) == 0;

    terminal->muted = true;
    struct replay replay = {.terminal = terminal, .past = past};
    uint64_t good = 0;
    int status = 0;
    for (int turn = both ? 0 : 1; status == 0 && turn < 2; turn++) {
        int file = turn == 0 ? 1 - newer : newer;
        const struct recording_header *header = &headers[file];
        replay.skip_redraw = turn == 1 && both && replay.offset == header->offset;
        if (!replay.skip_redraw)
            terminal_resize(terminal, header->rows, header->cols);
        replay.offset = header->offset;
        status =
            recording_read(recording->fds[file], &headers[file], take_event, &replay, &good, error);
    }
    terminal->muted = false;
    if (status < 0)
        return status;
    if (ftruncate(recording->fds[newer], (off_t)good) < 0)
        return bj_fail(error, -errno, "cannot cut the recording: %s", strerror(errno));
    past->any = true;
    memcpy(past->epoch, headers[newer].epoch, RECORDING_EPOCH);
    memcpy(recording->epoch, past->epoch, RECORDING_EPOCH);
    recording->begun = true;
    recording->offset = recording->safe = replay.offset;
    recording->active = newer;
    recording->sequence = headers[newer].sequence;
    recording->size = good;
    recording->start = (double)headers[newer].timestamp;
    return 0;
}
