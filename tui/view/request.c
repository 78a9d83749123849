#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define TITLE_LINES 5 /* of a request in the selected pane */

/* The line with the keys, in place of the pane's lower border. */
static void paint_keys(struct view *view, const struct view_input *input,
                       const struct request *request, size_t more, const struct rect *line,
                       bool selected, bool whole)
{
    struct paint *paint = &view->paint;
    bool utf8 = paint->facts.utf8, armed = fleet_armed(request, input->now);
    enum theme_role ground = request->wall ? ROLE_REQUEST_WALL : ROLE_REQUEST_COURTESY;
    struct style plain = paint_style(paint, ROLE_REQUEST_TEXT, ground, 0);
    struct style bold = paint_style(paint, ROLE_REQUEST_TEXT, ground, BJ_ATTR_BOLD);
    char age[FORMAT_MAX];
    format_age(age, input->wall - request->created);
    paint_fill(paint, line, " ", &plain);
    struct piece piece[PIECES_MAX];
    int count = 0;
    pieces_add(piece, &count, 0, &bold, " %s ",
               request->wall ? utf8 ? "▣" : "#"
               : utf8        ? "◆"
                             : "?");
    pieces_add(piece, &count, 3, &bold, "%s ", request->wall ? "wall" : "courtesy");
    pieces_add(piece, &count, 2, &bold, "%s  ", request->kind);
    if (!selected)
        pieces_add(piece, &count, 1, &plain, "%s", whole ? "" : "select to read  ");
    else if (!whole)
        pieces_add(piece, &count, 1, &bold, "r read all of it  ");
    else if (input->control->mode == CONTROL_FOCUS) {
        char prefix[32];
        keys_name(&input->control->prefix, prefix, sizeof(prefix));
        pieces_add(piece, &count, 1, &plain, "%s, then a or d  ", prefix);
    } else if (armed)
        pieces_add(piece, &count, 1, &bold, "a allow  d deny  ");
    else
        pieces_add(piece, &count, 1, &plain, "read first ...  ");
    if (more > 0)
        pieces_add(piece, &count, 4, &plain, "+%zu more  ", more);
    pieces_add(piece, &count, 5, &plain, "%s", age);
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
    enum theme_role ground = request->wall ? ROLE_REQUEST_WALL : ROLE_REQUEST_COURTESY;
    struct style plain = paint_style(paint, ROLE_REQUEST_TEXT, ground, 0);
    int columns = pane->cols - 4;
    int lines = text_lines(request->title, columns);
    int room = pane->rows - 3;
    int limit = selected ? TITLE_LINES : 1;
    int shown = lines < limit ? lines : limit;
    if (shown > room)
        shown = room;
    bool whole = shown == lines;
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
    paint_keys(view, input, request, more, &keys, selected, whole);
    if (whole && input->control->list == LIST_NONE && input->control->prompt == PROMPT_NONE)
        fleet_painted(request, input->now);
}
