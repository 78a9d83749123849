#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/help.h"
#include "tui/view/parts.h"

#define GROUP_COLUMN 11
#define KEYS_COLUMN  13
#define WIDE_KEYS    19 /* when there is room */

static void paint_help_row(struct view *view, const struct help_row *help,
                           const struct rect *inside, int row)
{
    struct style head = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style key = paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style text = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct pen pen = {&view->paint, row, inside->col, inside->col + inside->cols};
    int group = inside->cols >= 64 ? GROUP_COLUMN : 0;
    if (help->group && group > 0)
        pen_put(&pen, &head, help->group);
    pen.col = inside->col + group;
    box_column(&pen, &key, help_keys(help).text, inside->cols >= 84 ? WIDE_KEYS : KEYS_COLUMN);
    pen_put(&pen, &text, help->action->help);
}

void view_help_paint(struct view *view, const struct view_input *input)
{
    struct help_row rows[HELP_ROWS_MAX];
    size_t count = help_rows(rows);
    char title[240];
    snprintf(title, sizeof(title),
             keys_prefixed() ? "Keys while supervising; in focus %s leads here"
                             : "Keys while supervising; in focus only %s is ours, twice sends it",
             keys_way_out(&input->control->prefix).text);
    struct rect inside =
        box_paint(view, input, (int)count + 2, input->cols - 4 < 96 ? input->cols - 4 : 96, title,
                  keys_say(KEYS_LIST, "{help} or {close} close").text);
    size_t last = count > (size_t)inside.rows ? count - (size_t)inside.rows : 0;
    size_t top = input->control->list_at < last ? input->control->list_at : last;
    view->list_rows = inside.rows;
    for (int i = 0; i < inside.rows && top + (size_t)i < count; i++) {
        struct help_row *row = &rows[top + (size_t)i];
        for (size_t k = top; i == 0 && !row->group && k > 0; k--)
            row->group = rows[k - 1].group; /* which one goes on here */
        paint_help_row(view, row, &inside, inside.row + i);
    }
}

void view_help_group(struct view *view, const struct view_input *input, enum key_group group)
{
    struct help_row rows[HELP_ROWS_MAX];
    size_t count = help_rows(rows), kept = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].action->group == group && !(rows[i].action->modes & KEYS_SUPERVISE))
            rows[kept++] = rows[i];
    struct rect inside =
        box_paint(view, input, (int)kept + 2, input->cols - 4 < 84 ? input->cols - 4 : 84,
                  keys_group_name(group), "any key closes");
    for (int i = 0; i < inside.rows && (size_t)i < kept; i++) {
        rows[i].group = NULL; /* the box's title says it */
        paint_help_row(view, &rows[i], &inside, inside.row + i);
    }
}
