#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define OUTPUT_LINE 1024 /* bytes of a line that are shown */

/* Lines as wrapped from the first one; those from `top` on are painted when `inside` says where. */
static size_t put_lines(struct view *view, const struct output *output, int cols, size_t top,
                        const struct rect *inside)
{
    struct style style = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    const char *at = output->text, *end = output->text + output->size;
    size_t count = 0;
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        const char *stop = feed ? feed : end;
        char line[OUTPUT_LINE], part[OUTPUT_LINE];
        text_clean(line, sizeof(line), at, (size_t)(stop - at));
        const char *from = line;
        do {
            const char *next = from;
            size_t size = *from ? text_wrap(from, cols, &next) : 0;
            if (inside && count >= top && count < top + (size_t)inside->rows) {
                snprintf(part, sizeof(part), "%.*s", (int)size, from);
                paint_text(&view->paint, inside->row + (int)(count - top), inside->col,
                           inside->cols, part, &style);
            }
            count++;
            from = next;
        } while (*from);
        at = stop + 1;
    }
    return count;
}

void view_output_paint(struct view *view, const struct view_input *input)
{
    const struct output *output = &input->control->output;
    int cols = input->cols < 34 ? input->cols : input->cols - 4 < 116 ? input->cols - 4 : 116;
    char title[sizeof(output->words) + 80], range[60] = "";
    int most = input->rows - 3 > 3 ? input->rows - 3 : 3, inner = cols - 4 > 1 ? cols - 4 : 1;
    size_t count = put_lines(view, output, inner, 0, NULL), room = (size_t)(most - 2);
    size_t rows = count < room ? count : room, last = count - rows;
    size_t top = input->control->list_at < last ? input->control->list_at : last;
    if (last > 0)
        snprintf(range, sizeof(range), ": lines %zu-%zu of %zu%s", top + 1, top + rows, count,
                 output->cut ? ", the newest" : "");
    snprintf(title, sizeof(title), "belljar %s%s", output->words, range);
    struct rect inside = box_paint(
        view, input, (int)(rows > 1 ? rows : 1) + 2, cols, title,
        keys_say(KEYS_LIST, last > 0 ? "{up} {down}  {close} close" : "{close} close").text);
    view->card.last = last;
    view->list_rows = inside.rows;
    if (count == 0)
        box_say(view, &inside, output->ended ? "It printed nothing." : "It runs.");
    put_lines(view, output, inner, top, &inside);
}
