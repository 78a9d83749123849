#include <stdio.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define LABEL 12 /* columns of the fields' names */

void view_form_paint(struct view *view, const struct view_input *input)
{
    const struct form *form = &input->control->form;
    if (!form->open)
        return;
    struct paint *paint = &view->paint;
    bool utf8 = paint->facts.utf8;
    char title[FLEET_SHOWN_MAX + 20] = "New sandbox";
    if (form->like[0])
        snprintf(title, sizeof(title), "New sandbox like %s", form->like_name);
    struct rect inside =
        box_paint(view, input, FORM_FIELDS + 5, input->cols - 4 < 84 ? input->cols - 4 : 84, title,
                  keys_say(KEYS_LINE, "{line enter} start it  {line up} {line down}  "
                                      "{line complete}  {line leave} close")
                      .text);
    struct style name = paint_style(paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct style text = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, 0);
    struct style bad = paint_style(paint, ROLE_STATE_LOST, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    /* With few rows, those around the cursor, and no empty one behind them. */
    int rows = inside.rows - 2 < FORM_FIELDS ? inside.rows - 2 : FORM_FIELDS;
    int gap = rows == FORM_FIELDS;
    int first = (int)form->at < rows ? 0 : (int)form->at - rows + 1;
    struct rect field = {0};
    for (int i = 0; i < rows; i++) {
        enum form_field at = (enum form_field)(first + i);
        bool here = at == form->at;
        char words[40];
        struct pen pen = {paint, inside.row + i, inside.col, inside.col + inside.cols};
        snprintf(words, sizeof(words), "%s%s", here ? utf8 ? "▸ " : "> " : "  ", form_label(at));
        box_column(&pen, here ? &name : &dim, words, LABEL + 2);
        if (here)
            field = (struct rect){pen.row, pen.col, 1, pen.end - pen.col};
        else
            pen_put(&pen, &text, form->line[at].text);
    }
    bool whole;
    char below[sizeof(form->hint) + FLEET_TITLE_MAX];
    form_help(form, below, sizeof(below));
    if (form->hint[0])
        snprintf(below, sizeof(below), "%s", form->hint);
    box_wrapped(view, inside.row + rows + gap, inside.row + inside.rows, &inside, below,
                form->hint[0] && form->bad ? &bad : &dim, &whole);
    if (field.cols > 0)
        view_line_paint(view, &form->line[form->at], &field);
}
