#include <stdio.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define NAME_COLUMN 18
#define KEYS_COLUMN 14
#define LEAVE       "  {line leave} close"
#define COMPLETE    "  {line complete} complete" LEAVE
#define DO_IT       "{line enter} do it"
#define CHOOSE      "{line up} {line down} choose" COMPLETE

/* The columns of names and keys; a narrow box has only names beside the help. */
static int columns(const struct rect *list, int *keys)
{
    *keys = list->cols >= 60 ? KEYS_COLUMN : 0;
    return 2 + NAME_COLUMN + *keys;
}

static void paint_hit(struct view *view, const struct palette *palette, size_t at,
                      const struct rect *list, int row)
{
    const struct palette_hit *hit = &palette->hit[at];
    bool here = palette->chosen && at == palette->at;
    enum theme_role ground = here ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
    struct style name = paint_style(&view->paint, ROLE_TITLE, ground, here ? BJ_ATTR_BOLD : 0);
    struct style bound = paint_style(&view->paint, ROLE_KEY, ground, 0);
    struct style text = paint_style(&view->paint, ROLE_DIM, ground, 0);
    struct rect line = {list->row + row, list->col, 1, list->cols};
    struct pen pen = {&view->paint, line.row, line.col, line.col + line.cols};
    int keys;
    columns(list, &keys);
    paint_fill(&view->paint, &line, " ", &text);
    pen_put(&pen, &name, here ? view->paint.facts.utf8 ? "▌ " : "> " : "  ");
    box_column(&pen, &name, hit->name, NAME_COLUMN);
    if (keys > 0)
        box_column(&pen, &bound, keys_of(0, hit->action).text, keys);
    pen_put(&pen, &text, hit->help);
}

/* What the chosen row's help says beyond the edge: all of it, in the last rows. Returns them. */
static int paint_whole(struct view *view, const struct palette *palette, const struct rect *list)
{
    const char *help = palette->hit[palette->at].help;
    struct style text = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    int keys, end = list->row + list->rows, lines = text_lines(help, list->cols);
    bool whole;
    if (!palette->chosen || text_width(help) <= list->cols - columns(list, &keys) ||
        lines + 2 > list->rows)
        return 0;
    box_wrapped(view, end - lines, end, list, help, &text, &whole);
    return lines;
}

void view_palette_paint(struct view *view, const struct view_input *input)
{
    const struct palette *palette = &input->control->palette;
    if (!palette->open)
        return;
    int cols = input->cols - 4 < 96 ? input->cols - 4 : 96;
    int rows = input->rows - 3 < 21 ? input->rows - 3 : 21;
    bool sure = palette->chosen || palette->count == 0;
    struct rect inside = box_paint(view, input, rows, cols, "Command",
                                   keys_say(KEYS_LINE, !sure        ? CHOOSE
                                                       : cols >= 46 ? DO_IT COMPLETE
                                                                    : DO_IT LEAVE)
                                       .text);
    struct style key = paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct rect field = {inside.row, inside.col + 2, 1, inside.cols - 2};
    paint_text(&view->paint, inside.row, inside.col, 2, ": ", &key);
    struct rect list = {inside.row + 1, inside.col, inside.rows - 1, inside.cols};
    if (palette->count == 0)
        box_say(view, &list, "No command fits.");
    else
        list.rows -= paint_whole(view, palette, &list);
    size_t top = box_keep_inside(view, palette->at, palette->count, list.rows);
    for (int i = 0; i < list.rows && top + (size_t)i < palette->count; i++)
        paint_hit(view, palette, top + (size_t)i, &list, i);
    view_line_paint(view, &palette->line, &field);
}
