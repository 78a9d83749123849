#include <string.h>

#include "transport/api.h"
#include "tui/model/search.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

/* The rest of a line is reached by moving the text, which a mark at its end says. */
static void paint_more(struct view *view, const struct rect *rect, const struct style *style)
{
    struct style mark = {paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, 0).fg, style->bg,
                         BJ_ATTR_BOLD};
    paint_cell(&view->paint, rect->row, rect->col + rect->cols - 1,
               view->paint.facts.utf8 ? "›" : ">", false, &mark);
}

void view_review_text(struct view *view, const struct rect *rect, const struct review_line *line)
{
    const char *at = line->text;
    size_t hit = 0, size = 0;
    int column = 0, end = line->left + rect->cols;
    bool any = search_hit(line->text, line->pattern, 0, &hit, &size);
    paint_fill(&view->paint, rect, " ", &line->style);
    while (*at && column < end) {
        char cell[SCREEN_CLUSTER_MAX];
        size_t byte = (size_t)(at - line->text);
        int columns = pen_cell(&at, cell);
        while (any && byte >= hit + size)
            any = search_hit(line->text, line->pattern, hit + size, &hit, &size);
        struct style style = any && byte >= hit ? line->hit : line->style;
        if (byte >= line->from && byte < line->to)
            style.flags |= BJ_ATTR_BOLD | BJ_ATTR_UNDERLINE;
        if (columns > 0 && column >= line->left && column + columns <= end)
            paint_cell(&view->paint, rect->row, rect->col + column - line->left, cell, columns == 2,
                       &style);
        column += columns;
    }
    if ((*at || column > end) && rect->cols > 1)
        paint_more(view, rect, &line->style);
}
