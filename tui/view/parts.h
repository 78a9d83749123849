/*
 * The parts of a frame, each in a file of its own, and the pen they write with.
 */
#pragma once

#include "tui/view/view.h"

/* Writes text along a line, never beyond `end`. */
struct pen {
    struct paint *paint;
    int row, col, end;
};
void pen_put(struct pen *pen, const struct style *style, const char *text);

/* A piece of a line that is left out when there is no room. Lower `rank` stays longer. */
struct piece {
    char text[FLEET_HISTORY * 3 + FORMAT_MAX];
    struct style style;
    int rank;
    bool kept;
};
#define PIECES_MAX 16

/* Keeps the pieces that fit into `columns` by rank; returns the columns they take. */
int pieces_fit(struct piece *pieces, int count, int columns);
void pieces_put(const struct piece *pieces, int count, struct pen *pen);
/* Adds a piece; `pieces` has room for PIECES_MAX. */
void pieces_add(struct piece *pieces, int *count, int rank, const struct style *style,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

void view_pane_paint(struct view *view, const struct view_input *input, size_t index,
                     const struct rect *rect);
void view_card_paint(struct view *view, const struct view_input *input, size_t index,
                     const struct rect *rect);
void view_tabs_paint(struct view *view, const struct view_input *input);
void view_request_paint(struct view *view, const struct view_input *input, struct request *request,
                        size_t more, const struct rect *pane, bool selected);
void view_bar_paint(struct view *view, const struct view_input *input);
void view_list_paint(struct view *view, const struct view_input *input);
void view_prompt_paint(struct view *view, const struct view_input *input);

enum theme_role state_role(const struct sandbox *sandbox);
