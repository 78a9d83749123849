#include <stdio.h>

#include "transport/api.h"
#include "tui/view/parts.h"

/* Name and origin, for how long, what it looks at and whether it types there. */
static void paint_client(struct view *view, const struct view_input *input,
                         const struct crowd_client *client, const struct rect *inside, int row,
                         bool selected)
{
    struct paint *paint = &view->paint;
    bool ascii = !paint->facts.utf8, wide = inside->cols > 66;
    enum theme_role ground = selected ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
    struct style text = paint_style(paint, ROLE_TITLE, ground, selected ? BJ_ATTR_BOLD : 0);
    struct style dim = paint_style(paint, ROLE_DIM, ground, 0);
    struct rect line = {row, inside->col, 1, inside->cols};
    char name[CROWD_NAME_MAX], age[FORMAT_MAX], words[FLEET_SHOWN_MAX + 24];
    paint_fill(paint, &line, " ", &text);
    crowd_name(&input->fleet->crowd, client, true, name);
    format_age(age, input->wall - client->since);
    struct pen pen = {paint, row, inside->col, inside->col + inside->cols};
    pen_put(&pen, &text, selected ? ascii ? ">" : "▌" : " ");
    pen_put(&pen, &text, crowd_glyph(client, ascii));
    pen_put(&pen, &text, " ");
    box_column(&pen, &text, name, wide ? 28 : 18);
    snprintf(words, sizeof(words), "%5s  ", age);
    pen_put(&pen, &dim, words);
    if (wide)
        box_column(&pen, &dim, client->origin->label[0] ? client->origin->label : client->session,
                   12);
    snprintf(words, sizeof(words), "%s%s%s", client->you ? "you  " : "",
             client->readonly ? "read-only  " : "",
             !client->sandbox[0] ? ""
             : client->typing    ? "types into "
                                 : "looks at ");
    pen_put(&pen, &dim, words);
    pen_put(&pen, &text, client->sandbox);
}

void view_clients_paint(struct view *view, const struct view_input *input)
{
    const struct crowd *crowd = &input->fleet->crowd;
    int cols = box_columns(input, 100);
    char title[40];
    snprintf(title, sizeof(title), "Attached: %zu", crowd->count);
    struct rect inside = box_paint(view, input, (int)crowd->count + 2, cols, title,
                                   keys_say(KEYS_LIST, "{go} go there  {close} close").text);
    if (crowd->count == 0) {
        box_say(view, &inside, "The server has not said who is attached.");
        return;
    }
    size_t at = input->control->list_at;
    size_t top = box_keep_inside(view, at, crowd->count, inside.rows);
    for (int i = 0; i < inside.rows && top + (size_t)i < crowd->count; i++) {
        hit_add(view, HIT_ROW, top + (size_t)i, inside.row + i, inside.col, inside.cols);
        paint_client(view, input, &crowd->list[top + (size_t)i], &inside, inside.row + i,
                     top + (size_t)i == at);
    }
}
