/*
 * The dashboard as it looks: paints the model onto the terminal.
 *
 * Every frame is painted from the model alone; ncurses sends what differs from the frame before.
 * Agents' cells are painted row by row as they changed, everything of our own anew, unless only
 * agents' cells changed: then an echo does not wait for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tui/model/control.h"
#include "tui/model/fleet.h"
#include "tui/model/layout.h"
#include "tui/model/picture.h"
#include "tui/model/screen.h"
#include "tui/view/paint.h"

#define VIEW_BOXES 4

enum pane_state { PANE_CLOSED, PANE_CONNECTING, PANE_LIVE, PANE_BROKEN };

/* A sandbox's screen as this client has it. */
struct view_pane {
    enum pane_state state;
    struct screen screen;
    char error[128];      /* why it is broken */
    struct rect painted;  /* where its cells were painted last; no rows: nowhere */
    int first_row;        /* row of the screen in the first line of the pane */
    uint64_t heads;       /* the screen's, when its title was painted */
    int rows, cols;       /* of the screen then */
    bool dotted;          /* what is beyond it */
    uint64_t acknowledge; /* frame painted but not acknowledged; 0: none */
};

/* The link to another host. */
struct view_host {
    const char *label;
    const char *words; /* why it is down */
    enum { VIEW_HOST_UP, VIEW_HOST_CONNECTING, VIEW_HOST_DOWN } state;
    uint64_t seconds; /* since when it is down */
};

struct view_input {
    struct fleet *fleet;
    const struct control *control;
    const struct details *details; /* as control_wish() wants them */
    const struct layout *layout;
    struct view_pane *(*pane)(void *owner, const char *id); /* NULL when there is none */
    void *owner;
    const struct picture *picture; /* of the recording that is played; may be NULL */
    const char *trouble; /* the server is lost, and what is done about it; NULL: all is well */
    bool known;          /* the server has told what runs, now or before */
    const char *limits;  /* which limits are not enforced here; NULL: all are */
    bool readonly;       /* this dashboard only looks */
    const struct view_host *hosts;
    size_t host_count;
    uint64_t now; /* ms */
    double wall;  /* unix seconds */
    int rows, cols;
    bool cells_only; /* since the last frame nothing changed but screens of agents */
};

#define VIEW_HITS 512

struct view {
    struct paint paint;
    bool everything; /* the next frame paints all cells */
    bool plain;      /* nothing but panes, cards and the bar is on screen */
    size_t list_top;
    int list_rows; /* rows of the open list, for paging */
    struct {
        char id[FLEET_ID_MAX];
        size_t at;
    } inbox; /* where its cursor was in the last frame */
    struct {
        struct card_look {
            char id[FLEET_ID_MAX]; /* of its request; "" for a pile */
            int columns;
            size_t piled;    /* requests of the pile */
            unsigned opened; /* as control's pile_opened */
        } look;              /* of which card: */
        size_t seen;         /* lines from the first one that have been on screen */
        size_t last;         /* greatest first line */
    } card;
    bool long_note;    /* the message does not fit into the bar */
    bool prompt_whole; /* all of the open question is on screen */
    bool menu_shown;   /* the menu's sentence, or its question, is on screen as a whole */
    struct rect boxes[VIEW_BOXES]; /* of this frame; when they change all is painted again */
    size_t box_count;
    struct view_hit {
        struct rect rect;
        struct hit hit;
    } hits[VIEW_HITS]; /* what can be clicked; what was painted later is above */
    size_t hit_count;
    int cursor_row, cursor_col, cursor_shape;
    bool cursor_blink;
};

/* A recording that is played without a dashboard around it: paints a frame, with the keys over it
 * when `help`, and sends it. */
void view_replay_frame(struct view *view, int rows, int cols, const struct player *player,
                       const struct picture *picture, const char *name, bool help);

/* What was painted there in the last frame. */
struct hit view_hit(const struct view *view, int row, int col);

/* Paints a frame and sends it. */
void view_frame(struct view *view, const struct view_input *input);
