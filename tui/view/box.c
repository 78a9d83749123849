#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

void hit_add(struct view *view, enum hit_kind kind, size_t index, int row, int col, int cols)
{
    if (view->hit_count < VIEW_HITS)
        view->hits[view->hit_count++] =
            (struct view_hit){{row, col, 1, cols}, {.kind = kind, .index = index}};
}

int box_columns(const struct view_input *input, int most)
{
    int cols = input->cols - 4;
    return input->cols < 34 ? input->cols : cols < most ? cols : most;
}

bool box_covers_nothing(const struct control *control)
{
    return control->prompt == PROMPT_NONE && !control->menu.open && !control->digest.open;
}

struct rect box_paint(struct view *view, const struct view_input *input, int rows, int cols,
                      const char *title, const char *foot)
{
    struct paint *paint = &view->paint;
    int most_rows = input->rows - 1, most_cols = input->cols;
    rows = rows < most_rows ? rows : most_rows;
    cols = cols < most_cols ? cols : most_cols;
    struct rect box = {(most_rows - rows) / 2, (most_cols - cols) / 2, rows, cols};
    if (view->box_count < VIEW_BOXES)
        view->boxes[view->box_count++] = box;
    struct style text = paint_style(paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct style border = paint_style(paint, ROLE_BORDER_SELECTED, ROLE_BACKGROUND, 0);
    struct style name = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    paint_fill(paint, &box, " ", &text);
    paint_border(paint, &box, BORDER_PLAIN, &border);
    struct pen pen = {paint, box.row, box.col + 2, box.col + box.cols - 2};
    if (title[0]) {
        pen_put(&pen, &name, " ");
        pen_put(&pen, &name, title);
        pen_put(&pen, &name, " ");
    }
    if (!foot[0])
        return (struct rect){box.row + 1, box.col + 2, box.rows - 2, box.cols - 4};
    int width = text_width(foot) + 2;
    int from = box.col + box.cols - 2 - width;
    pen = (struct pen){paint, box.row + box.rows - 1, from > box.col + 2 ? from : box.col + 2,
                       box.col + box.cols - 2};
    pen_put(&pen, &dim, " ");
    pen_put(&pen, &dim, foot);
    pen_put(&pen, &dim, " ");
    return (struct rect){box.row + 1, box.col + 2, box.rows - 2, box.cols - 4};
}

size_t box_keep_inside(struct view *view, size_t at, size_t count, int rows)
{
    size_t room = rows > 0 ? (size_t)rows : 1;
    view->list_rows = rows;
    if (view->list_top > at)
        view->list_top = at;
    if (at >= view->list_top + room)
        view->list_top = at - room + 1;
    if (view->list_top + room > count)
        view->list_top = count > room ? count - room : 0;
    return view->list_top;
}

void box_say(struct view *view, const struct rect *inside, const char *text)
{
    struct style dim = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    paint_text(&view->paint, inside->row + inside->rows / 2, inside->col, inside->cols, text, &dim);
}

int box_wrapped(struct view *view, int row, int end, const struct rect *inside, const char *text,
                const struct style *style, bool *whole)
{
    while (*text && row < end) {
        char line[1024];
        const char *next;
        size_t size = text_wrap(text, inside->cols, &next);
        size = size < sizeof(line) ? size : sizeof(line) - 1;
        memcpy(line, text, size);
        line[size] = '\0';
        bool last = row == end - 1 && *next;
        if (last)
            snprintf(line, sizeof(line), "%s", text); /* so that the cut is marked */
        paint_text(&view->paint, row++, inside->col, inside->cols, line, style);
        text = next;
    }
    *whole = !*text;
    return row;
}

void box_column(struct pen *pen, const struct style *style, const char *text, int width)
{
    struct pen column = {pen->paint, pen->row, pen->col, pen->col + width - 1};
    if (column.end > pen->end)
        column.end = pen->end;
    pen_put(&column, style, text);
    pen->col += width;
}
