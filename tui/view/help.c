#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/help.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define GROUP_COLUMN 11
#define KEYS_COLUMN  13
#define WIDE_KEYS    19 /* when there is room */

/* The columns of a row: its group, keys and text. What does not fit into the latter two goes on
 * below. */
struct columns {
    int keys, text, end;
};

static struct columns columns_of(const struct rect *inside)
{
    int keys = inside->cols >= 64 ? GROUP_COLUMN : 0;
    return (struct columns){keys, keys + (inside->cols >= 84 ? WIDE_KEYS : KEYS_COLUMN),
                            inside->cols};
}

static int help_lines(const struct help_row *help, const struct columns *columns)
{
    int keys = text_lines(help_keys(help).text, columns->text - columns->keys - 1);
    int text = text_lines(help->action->help, columns->end - columns->text);
    return keys > text ? keys : text > 1 ? text : 1;
}

/* Returns the row behind it, at most `end`. */
static int paint_help_row(struct view *view, const struct help_row *help, const struct rect *inside,
                          int row, int end)
{
    struct style head = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style key = paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style text = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct pen pen = {&view->paint, row, inside->col, inside->col + inside->cols};
    const struct columns columns = columns_of(inside);
    struct rect keys = {row, inside->col + columns.keys, 1, columns.text - columns.keys - 1};
    struct rect words = {row, inside->col + columns.text, 1, columns.end - columns.text};
    bool whole;
    if (help->group && columns.keys > 0)
        pen_put(&pen, &head, help->group);
    int one = box_wrapped(view, row, end, &keys, help_keys(help).text, &key, &whole);
    int other = box_wrapped(view, row, end, &words, help->action->help, &text, &whole);
    return one > other ? one : other;
}

void view_help_paint(struct view *view, const struct view_input *input)
{
    struct help_row rows[HELP_ROWS_MAX];
    size_t count = help_rows(rows), last = count;
    int cols = input->cols < 34 ? input->cols : input->cols - 4 < 96 ? input->cols - 4 : 96;
    int most = input->rows - 3 > 1 ? input->rows - 3 : 1, lines = 0;
    const struct columns columns = columns_of(&(struct rect){.cols = cols - 4});
    /* From the last row on that may be the first one, all of the rest fits. */
    while (last > 0 && lines + help_lines(&rows[last - 1], &columns) <= most)
        lines += help_lines(&rows[--last], &columns);
    last = last < count ? last : count - 1;
    size_t top = input->control->list_at < last ? input->control->list_at : last, end = top;
    for (int used = 0; end < count && (used += help_lines(&rows[end], &columns)) <= most;)
        end++;
    char title[240], foot[240];
    bool narrow = cols < 70;
    snprintf(title, sizeof(title),
             narrow            ? "Keys while supervising"
             : keys_prefixed() ? "Keys while supervising; in focus %s leads here"
                               : "Keys while supervising; in focus only %s is ours, twice sends it",
             keys_way_out(&input->control->prefix).text);
    const char *close = narrow ? "{close} close" : "{help} or {close} close";
    if (last == 0)
        snprintf(foot, sizeof(foot), "%s", keys_say(KEYS_LIST, close).text);
    else
        snprintf(foot, sizeof(foot), "%zu-%zu of %zu  %s", top + 1, end, count,
                 keys_say(KEYS_LIST, narrow ? "{down} {up}  {close}"
                                            : "{down} {up} scroll  {help} or {close} close")
                     .text);
    struct rect inside = box_paint(view, input, (last == 0 ? lines : most) + 2, cols, title, foot);
    view->list_rows = (int)(end - top) + 1; /* a page further, the next one is the first */
    view->card.last = last;
    int row = inside.row;
    for (size_t i = top; i < end || i == top; i++) {
        for (size_t k = i; i == top && !rows[i].group && k > 0; k--)
            rows[i].group = rows[k - 1].group; /* which one goes on here */
        row = paint_help_row(view, &rows[i], &inside, row, inside.row + inside.rows);
    }
}

void view_help_group(struct view *view, const struct view_input *input, enum key_group group)
{
    struct help_row rows[HELP_ROWS_MAX];
    size_t count = help_rows(rows), kept = 0;
    int cols = input->cols < 34 ? input->cols : input->cols - 4 < 84 ? input->cols - 4 : 84;
    const struct columns columns = columns_of(&(struct rect){.cols = cols - 4});
    int lines = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].action->group != group || (rows[i].action->modes & KEYS_SUPERVISE))
            continue;
        lines += help_lines(&rows[i], &columns);
        rows[kept++] = rows[i];
    }
    struct rect inside =
        box_paint(view, input, lines + 2, cols, keys_group_name(group), "any key closes");
    int row = inside.row;
    for (size_t i = 0; i < kept && row < inside.row + inside.rows; i++) {
        rows[i].group = NULL; /* the box's title says it */
        row = paint_help_row(view, &rows[i], &inside, row, inside.row + inside.rows);
    }
}
