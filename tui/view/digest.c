#include <stdio.h>
#include <string.h>
#include <time.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

void view_digest_paint(struct view *view, const struct view_input *input)
{
    const struct digest *digest = &input->control->digest;
    if (!digest->open || view->box_count == VIEW_BOXES)
        return;
    struct paint *paint = &view->paint;
    int cols = input->cols < 34 ? input->cols : input->cols - 4 < 76 ? input->cols - 4 : 76;
    char sum[DIGEST_SUM_MAX], title[60], age[FORMAT_MAX];
    digest_sum(digest, sum);
    format_age(age, input->wall - digest->since);
    snprintf(title, sizeof(title), "Since you left, %s ago", age);
    int head = text_lines(sum, cols - 4);
    struct rect inside =
        box_paint(view, input, head + (int)digest->line_count + 3, cols, title, "any key closes");
    struct style text = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    int end = inside.row + inside.rows;
    bool whole;
    int row = box_wrapped(view, inside.row, end, &inside, sum, &text, &whole);
    if (digest->line_count > 0)
        row++;
    /* When there is no room for all of them the newest are shown. */
    size_t room = end > row ? (size_t)(end - row) : 0;
    size_t from = digest->line_count > room ? digest->line_count - room : 0;
    for (size_t i = from; i < digest->line_count; i++, row++) {
        struct style style = paint_style(
            paint, digest->line[i].bad ? ROLE_ALERT_WARNING : ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
        struct pen pen = {paint, row, inside.col, inside.col + inside.cols};
        char clock[16] = "";
        time_t when = (time_t)digest->line[i].time;
        struct tm local;
        if (localtime_r(&when, &local))
            strftime(clock, sizeof(clock), "%H:%M  ", &local);
        pen_put(&pen, &dim, clock);
        paint_text(paint, row, pen.col, pen.end - pen.col, digest->line[i].text, &style);
    }
}
