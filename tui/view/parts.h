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

/* The next character of a text with its marks, as one cell, and its columns. */
int pen_cell(const char **at, char cell[SCREEN_CLUSTER_MAX]);

/* A piece of a line that is left out when there is no room. Lower `rank` stays longer. */
struct piece {
    char text[FLEET_HISTORY * 3 + FORMAT_MAX];
    struct style style;
    int rank;
    bool kept;
};
#define PIECES_MAX 48

/* Keeps the pieces that fit into `columns` by rank; returns the columns they take. */
int pieces_fit(struct piece *pieces, int count, int columns);
void pieces_put(const struct piece *pieces, int count, struct pen *pen);
/* Adds a piece; `pieces` has room for PIECES_MAX. */
void pieces_add(struct piece *pieces, int *count, int rank, const struct style *style,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* These columns of a line can be clicked. */
void hit_add(struct view *view, enum hit_kind kind, size_t index, int row, int col, int cols);

/* Columns of a box with a list or a card, at most `most`. */
int box_columns(const struct view_input *input, int most);
/* Whether no question, menu or digest stands over a request, so that it can be read. */
bool box_covers_nothing(const struct control *control);
/* A box in the middle of the screen, never larger than it. Returns what is inside. */
struct rect box_paint(struct view *view, const struct view_input *input, int rows, int cols,
                      const char *title, const char *foot);
/* Keeps the selected row inside the rows that are shown; returns the first of them. */
size_t box_keep_inside(struct view *view, size_t at, size_t count, int rows);
/* One line in the middle of an empty list. */
void box_say(struct view *view, const struct rect *inside, const char *text);
/* Wrapped text from `row` on; returns the row behind it. *whole is false when it was cut. */
int box_wrapped(struct view *view, int row, int end, const struct rect *inside, const char *text,
                const struct style *style, bool *whole);
/* A column of a table: cut or filled to its width. */
void box_column(struct pen *pen, const struct style *style, const char *text, int width);

/* The style of everything that says which class a request is of. */
struct style request_chip(const struct paint *paint, const struct request *request);

void view_pane_paint(struct view *view, const struct view_input *input, size_t index,
                     const struct rect *rect);
/* Only its cells; false, with nothing painted, when more of it changed. */
bool view_pane_paint_cells(struct view *view, const struct view_input *input, size_t index,
                           const struct rect *rect);
void view_card_paint(struct view *view, const struct view_input *input, size_t index,
                     const struct rect *rect);
/* Copy mode: the text in the pane, and what stands in its lower border. */
void view_copy_paint(struct view *view, const struct view_input *input, const struct copy *copy,
                     const struct rect *inner);
void view_copy_foot(struct view *view, const struct copy *copy, const struct rect *pane);
/* The review, in the place of all panes. */
void view_review_paint(struct view *view, const struct view_input *input);
/* One line of its text, of a diff's line. */
struct review_line {
    const char *text, *pattern; /* whose hits are marked */
    struct style style, hit;
    int left;        /* first column that is shown */
    size_t from, to; /* bytes that differ from the other side's line */
};
void view_review_text(struct view *view, const struct rect *rect, const struct review_line *line);
/* The keys of one group that count while it is open, in a box. */
void view_help_group(struct view *view, const struct view_input *input, enum key_group group);
/* The replay, in the place of all panes; and its keys. */
void view_replay_paint(struct view *view, const struct rect *area, const struct player *player,
                       const struct picture *picture, const char *name);
void view_replay_hints(struct view *view, const struct player *player, struct pen *pen);
void view_form_paint(struct view *view, const struct view_input *input);
void view_palette_paint(struct view *view, const struct view_input *input);
/* Marked, pinned, or neither. */
const char *mark_glyph(const struct sandbox *sandbox, bool ascii);
/* The fleet's tabs. */
void view_projects_paint(struct view *view, const struct view_input *input);
void view_tabs_paint(struct view *view, const struct view_input *input);
void view_request_paint(struct view *view, const struct view_input *input, struct request *request,
                        size_t more, const struct rect *pane, bool selected);
void view_note_paint(struct view *view, const struct view_input *input); /* after the bar */
void view_bar_paint(struct view *view, const struct view_input *input);
void view_list_paint(struct view *view, const struct view_input *input);
void view_help_paint(struct view *view, const struct view_input *input);
void view_fleet_paint(struct view *view, const struct view_input *input);
void view_digest_paint(struct view *view, const struct view_input *input);
void view_clients_paint(struct view *view, const struct view_input *input);
void view_inbox_paint(struct view *view, const struct view_input *input);
void view_output_paint(struct view *view, const struct view_input *input);
void view_about_paint(struct view *view, const struct view_input *input);
void view_pile_paint(struct view *view, const struct view_input *input);
void view_details_paint(struct view *view, const struct view_input *input);
void view_menu_paint(struct view *view, const struct view_input *input);
void view_prompt_paint(struct view *view, const struct view_input *input);

/* A field with the line that is being written, and the cursor in it. */
void view_line_paint(struct view *view, const struct line *line, const struct rect *field);

enum theme_role severity_role(int severity); /* of an alert, on the background and on the bar */
/* What the agent did in the last ten minutes, in the rest of the pen's line. */
void strip_put(struct pen *pen, const struct sandbox *sandbox, enum theme_role ground);
/* The same of a part of it, a column for each. */
void strip_put_part(struct pen *pen, const enum doing *doing, int count, enum theme_role ground);

enum theme_role doing_role(enum doing doing);
enum theme_role state_role(const struct sandbox *sandbox);
