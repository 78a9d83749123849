#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/card.h"
#include "tui/view/parts.h"

static void paint_card_line(struct view *view, const struct request *request,
                            const struct card_line *line, const struct rect *inside, int row)
{
    struct paint *paint = &view->paint;
    const struct style styles[] = {
        [CARD_CLASS] = request_chip(paint, request),
        [CARD_SUBJECT] = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD),
        [CARD_TEXT] = paint_style(paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0),
        [CARD_DIM] = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0),
        [CARD_RULE] = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, 0),
        [CARD_DETAIL] = paint_style(paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0),
    };
    if (line->style == CARD_CLASS) {
        struct rect whole = {row, inside->col, 1, inside->cols};
        paint_fill(paint, &whole, " ", &styles[CARD_CLASS]);
    }
    if (line->label)
        paint_text(paint, row, inside->col, line->indent, line->label, &styles[CARD_DIM]);
    int col = inside->col + line->indent + (line->style == CARD_CLASS ? 1 : 0);
    paint_text(paint, row, col, inside->col + inside->cols - col, line->text, &styles[line->style]);
}

/* Counts the lines that have been on screen without a gap from the first one on. */
static bool head_seen(struct view *view, const struct card_look *look, const struct card *card,
                      const struct rect *inside, size_t top)
{
    size_t rows = (size_t)(inside->rows > 0 ? inside->rows : 0);
    struct card_look *last = &view->card.look;
    if (strcmp(last->id, look->id) != 0 || last->columns != look->columns ||
        last->piled != look->piled || last->opened != look->opened) {
        *last = *look;
        view->card.seen = 0;
    }
    if (top <= view->card.seen && top + rows > view->card.seen)
        view->card.seen = top + rows;
    return view->card.seen >= card->head;
}

/* The lines that fit, and where they are among all. */
static size_t paint_lines(struct view *view, const struct view_input *input,
                          const struct request *request, const struct card *card,
                          const struct rect *inside)
{
    size_t rows = (size_t)(inside->rows > 0 ? inside->rows : 0), at = input->control->list_at;
    view->card.last = card->count > rows ? card->count - rows : 0;
    view->list_rows = inside->rows;
    size_t top = at < view->card.last ? at : view->card.last;
    for (size_t i = 0; i < rows && top + i < card->count; i++)
        paint_card_line(view, request, &card->lines[top + i], inside, inside->row + (int)i);
    if (view->card.last > 0) {
        char words[60];
        struct style dim = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, 0);
        int last = (int)(top + rows < card->count ? top + rows : card->count);
        snprintf(words, sizeof(words), " lines %zu-%d of %zu ", top + 1, last, card->count);
        struct pen pen = {&view->paint, inside->row - 1, inside->col + 12,
                          inside->col + inside->cols};
        pen_put(&pen, &dim, words);
    }
    return top;
}

void view_details_paint(struct view *view, const struct view_input *input)
{
    struct request *request = fleet_request_find(input->fleet, input->control->list_id);
    int cols = box_columns(input, 110);
    struct rect inside = box_paint(
        view, input, input->rows - 3, cols, "Request",
        keys_say(KEYS_LIST,
                 cols > 70 ? "{allow} once  {allow --rule} remember  {deny} deny  {deny --rule} "
                             "deny...  {up} {down}  {close} close"
                           : "{allow} {allow --rule} {deny} {deny --rule}  {up} {down}  {close}")
            .text);
    struct card card;
    if (!request)
        return;
    if (card_build(&card, request, input->details, inside.cols - 1, input->wall,
                   !view->paint.facts.utf8) < 0) {
        box_say(view, &inside, "out of memory");
        return;
    }
    size_t top = paint_lines(view, input, request, &card, &inside);
    struct card_look look = {.columns = inside.cols};
    memcpy(look.id, request->id, sizeof(look.id));
    if (head_seen(view, &look, &card, &inside, top) && box_covers_nothing(input->control))
        fleet_painted(request, input->now);
    card_free(&card);
}

void view_pile_paint(struct view *view, const struct view_input *input)
{
    struct request *pile[PILE_MAX];
    size_t count = control_piled(input->control, input->fleet, pile);
    int cols = box_columns(input, 110);
    struct rect inside = box_paint(
        view, input, input->rows - 3, cols, "Requests",
        keys_say(KEYS_LIST, cols > 70 ? "{allow} all once  {deny} deny all  {go} one by one"
                                        "  {up} {down}  {close} close"
                                      : "{allow} {deny} all  {up} {down}  {close}")
            .text);
    struct card card;
    if (count == 0)
        return;
    if (card_build_pile(&card, (const struct request *const *)pile, count, inside.cols - 1,
                        input->wall, !view->paint.facts.utf8) < 0) {
        box_say(view, &inside, "out of memory");
        return;
    }
    size_t top = paint_lines(view, input, pile[0], &card, &inside);
    struct card_look look = {
        .columns = inside.cols, .piled = count, .opened = input->control->pile_opened};
    if (head_seen(view, &look, &card, &inside, top) && box_covers_nothing(input->control))
        for (size_t i = 0; i < count; i++)
            fleet_painted(pile[i], input->now);
    card_free(&card);
}
