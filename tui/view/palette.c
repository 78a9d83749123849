#include <stdio.h>

#include "transport/api.h"
#include "tui/view/parts.h"

void view_palette_paint(struct view *view, const struct view_input *input)
{
    const struct palette *palette = &input->control->palette;
    if (!palette->open)
        return;
    int cols = input->cols - 4 < 96 ? input->cols - 4 : 96;
    int rows = input->rows - 3 < 20 ? input->rows - 3 : 20;
    struct rect inside =
        box_paint(view, input, rows, cols, "Command", "Enter does it  Tab completes  Esc leaves");
    struct style key = paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct rect field = {inside.row, inside.col + 2, 1, inside.cols - 2};
    paint_text(&view->paint, inside.row, inside.col, 2, ": ", &key);
    struct rect list = {inside.row + 1, inside.col, inside.rows - 1, inside.cols};
    if (palette->count == 0)
        box_say(view, &list, "No command fits.");
    size_t top = box_keep_inside(view, palette->at, palette->count, list.rows);
    for (int i = 0; i < list.rows && top + (size_t)i < palette->count; i++) {
        size_t at = top + (size_t)i;
        const struct key_action *action = palette->hit[at];
        bool here = at == palette->at;
        enum theme_role ground = here ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
        struct style name = paint_style(&view->paint, ROLE_TITLE, ground, here ? BJ_ATTR_BOLD : 0);
        struct style bound = paint_style(&view->paint, ROLE_KEY, ground, 0);
        struct style text = paint_style(&view->paint, ROLE_DIM, ground, 0);
        struct rect line = {list.row + i, list.col, 1, list.cols};
        struct pen pen = {&view->paint, line.row, line.col, line.col + line.cols};
        paint_fill(&view->paint, &line, " ", &text);
        pen_put(&pen, &name, here ? view->paint.facts.utf8 ? "▌ " : "> " : "  ");
        box_column(&pen, &name, action->name, 18);
        box_column(&pen, &bound, keys_of(0, action->action).text, 14);
        pen_put(&pen, &text, action->help);
    }
    view_line_paint(view, &palette->line, &field);
}
