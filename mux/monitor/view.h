/*
 * view.sock: any number of clients see the terminal and type (bj_api_view).
 *
 * Each client has a copy of what it was sent; a frame is the difference between that and now, so a
 * slow client gets the newest state and never a backlog. At most two frames are unacknowledged, and
 * after the first one, which goes out at once, there are at most about 60 in a second, and one more
 * for each time that the client types. No client can delay another, or the agent.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "mux/monitor/cell.h"
#include "transport/rpc.h"

struct monitor;

#define VIEW_TYPED_MAX 16

struct view_client {
    struct bj_rpc rpc;
    struct monitor *monitor;
    struct view_client *next;
    bool attached, readonly, hidden;
    int wish_rows, wish_cols; /* 0: only looks */
    uint64_t acted;           /* view.acts when its human acted on the pane last; 0: never */

    uint64_t frame; /* number of the last one sent */
    uint64_t acked;
    uint64_t sent_at; /* milliseconds; 0: the next frame goes out at once */

    struct cell *shadow; /* what the client has on screen */
    int rows, cols;      /* of the shadow; 0: nothing was sent */
    uint64_t seen;       /* stamp up to which rows were compared */
    const void *grid;    /* which screen that was */
    uint64_t scrolled_up;
    uint32_t *looks; /* bitmap of attribute ids that were sent */
    uint32_t looks_generation;

    size_t offset; /* rows above the live screen */
    uint64_t pushed;
    bool view_stale; /* other lines are to be seen: all rows are to be compared */

    struct {
        int row, col;
        uint8_t shape;
        uint32_t modes;
        uint64_t bells;
        size_t offset, history;
        bool known;
    } told;
    char title[256];

    uint32_t typed[VIEW_TYPED_MAX]; /* calls that are answered when the shim has their input */
    size_t typed_count;
};

struct view {
    uint64_t acts;
    const struct view_client *sized; /* whose size the pty has; NULL: nobody's who is here */
    uv_poll_t listener;
    uv_timer_t pace; /* runs only while a frame is due */
    int listen_fd;
    int count;
    struct view_client *clients;
    bool promised; /* some of them wait for an answer to their input */
    uint64_t syncs, sync_since;
};

#define VIEW_CLIENTS_MAX 64

int view_open(struct monitor *monitor, int listen_fd, struct bj_error *error);
void view_close(struct monitor *monitor);

/* The shim's socket has the input, also that from before there was one. */
void view_input_sent(struct monitor *monitor);

/*
 * The pty takes the size of one client of those that show it and have said how much room they have:
 * of the one whose human acted on it last (typed, focused, zoomed). Who only attaches, shows it
 * again or lays panes out anew takes the size from nobody; it comes to him when nobody else shows
 * it who acted later.
 */
void view_size(struct monitor *monitor);

/* Something that clients see has changed. */
void view_changed(struct monitor *monitor);
