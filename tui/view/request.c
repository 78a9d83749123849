#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define TITLE_LINES    5  /* of a request in the selected pane */
#define BESIDE_COLUMNS 62 /* that class, risk and keys take */
#define NARROW_COLUMNS 32 /* of a pane: below that, class and keys hardly fit beside each other */

struct style request_chip(const struct paint *paint, const struct request *request)
{
    return paint_style(paint, ROLE_REQUEST_TEXT,
                       request->wall ? ROLE_REQUEST_WALL : ROLE_REQUEST_COURTESY, BJ_ATTR_BOLD);
}

/* How a request stands in its pane. */
struct standing {
    size_t more;     /* others of the same sandbox */
    bool selected;   /* the pane is */
    bool whole;      /* all of the text is there */
    bool beside;     /* and it is on the line of the keys */
    const char *gap; /* between the parts of that line */
};

/* What may be pressed now, or why nothing. */
static void add_keys(const struct view_input *input, const struct request *request,
                     const struct standing *standing, const struct style *plain,
                     const struct style *bold, struct piece *piece, int *count)
{
    const char *gap = standing->gap;
    if (!standing->selected) {
        pieces_add(piece, count, 1, plain, "%s%s", standing->whole ? "" : gap,
                   standing->whole ? "" : "select to read");
    } else if (input->control->mode == CONTROL_FOCUS) {
        pieces_add(piece, count, 1, plain, "%s%s, then %s or %s", gap,
                   keys_way_out(&input->control->prefix).text, keys_first(0, ACTION_ALLOW).text,
                   keys_first(0, ACTION_DENY).text);
    } else if (!standing->whole) {
        pieces_add(piece, count, 1, bold, "%s%s shows all of it", gap,
                   keys_first(0, ACTION_DETAILS).text);
    } else if (fleet_armed(request, input->now)) {
        pieces_add(piece, count, 1, bold, "%s%s once", gap, keys_first(0, ACTION_ALLOW).text);
        pieces_add(piece, count, 4, bold, "%s%s remember", gap,
                   keys_first(0, ACTION_ALLOW_RULE).text);
        pieces_add(piece, count, 1, bold, "%s%s deny", gap, keys_first(0, ACTION_DENY).text);
        pieces_add(piece, count, 5, bold, "%s%s details", gap, keys_first(0, ACTION_DETAILS).text);
    } else {
        pieces_add(piece, count, 1, plain, "%sread first ...", gap);
    }
}

/* The line with the keys, in place of the pane's lower border. The class is there before all else.
 */
static void paint_keys(struct view *view, const struct view_input *input,
                       const struct request *request, const struct standing *standing,
                       const struct rect *line)
{
    struct paint *paint = &view->paint;
    bool ascii = !paint->facts.utf8;
    struct style bold = request_chip(paint, request), plain = bold;
    plain.flags = 0;
    const char *gap = standing->gap;
    char age[FORMAT_MAX];
    format_age(age, input->wall - request->created);
    paint_fill(paint, line, " ", &plain);
    struct piece piece[PIECES_MAX];
    int count = 0;
    pieces_add(piece, &count, 0, &bold, " %s %s", request_glyph(request, ascii),
               request_class(request));
    if (standing->beside)
        pieces_add(piece, &count, 1, &plain, "%s%s", gap, request->title);
    else
        pieces_add(piece, &count, 6, &bold, "%s%s", gap, request->kind);
    if (request->risk > RISK_LOW)
        pieces_add(piece, &count, 3, &bold, "%s%s %s", gap, risk_glyph(request->risk, ascii),
                   risk_word(request->risk));
    if (request->count > 1)
        pieces_add(piece, &count, 2, &bold, ascii ? "%sx%llu" : "%s×%llu", gap,
                   (unsigned long long)request->count);
    add_keys(input, request, standing, &plain, &bold, piece, &count);
    bool piled = request->lead->pile > 1; /* they can be decided together */
    if (standing->more > 0)
        pieces_add(piece, &count, 7, &plain, piled ? "%s+%zu more: %s" : "%s+%zu more", gap,
                   standing->more, keys_first(0, ACTION_REQUESTS).text);
    pieces_add(piece, &count, 8, &plain, "%s%s", gap, age);
    struct pen pen = {paint, line->row, line->col, line->col + line->cols};
    pieces_fit(piece, count, line->cols - 1);
    pieces_put(piece, count, &pen);
}

/*
 * A request stands in the place of the pane's lower border, which no agent can draw; its text grows
 * upwards over the cells as far as it needs. Only a text that is there as a whole counts as shown.
 */
void view_request_paint(struct view *view, const struct view_input *input, struct request *request,
                        size_t more, const struct rect *pane, bool selected)
{
    struct paint *paint = &view->paint;
    struct style plain = request_chip(paint, request);
    plain.flags = 0;
    int columns = pane->cols - 4;
    int lines = text_lines(request->title, columns);
    int room = pane->rows - 3;
    int limit = selected ? TITLE_LINES : 1;
    int shown = lines < limit ? lines : limit;
    if (shown > room)
        shown = room;
    struct standing standing = {more, selected, shown == lines && !request->cut, false,
                                pane->cols < NARROW_COLUMNS ? " " : "  "};
    /* A wall request's title is the server's own; with room it stands beside the keys. */
    if (request->wall && !request->cut && lines == 1 &&
        text_width(request->title) + BESIDE_COLUMNS <= pane->cols) {
        standing.beside = standing.whole = true;
        shown = 0;
    }
    bool whole = standing.whole;
    int bottom = pane->row + pane->rows - 1;
    struct rect keys = {bottom, pane->col, 1, pane->cols};
    struct rect text = {bottom - shown, pane->col, shown, pane->cols};
    paint_fill(paint, &text, " ", &plain);
    const char *at = request->title;
    for (int i = 0; i < shown; i++) {
        char line[sizeof(request->title) + 8];
        const char *next;
        size_t size = text_wrap(at, columns, &next);
        memcpy(line, at, size);
        line[size] = '\0';
        bool cut = i == shown - 1 && !whole;
        if (cut)
            snprintf(line, sizeof(line), "%s", at); /* paint_text marks the cut */
        paint_text(paint, text.row + i, text.col + 2, columns, line, &plain);
        at = next;
    }
    paint_keys(view, input, request, &standing, &keys);
    const struct control *control = input->control;
    if (whole && control->list == LIST_NONE && box_covers_nothing(control))
        fleet_painted(request, input->now);
}
