#include "tui/view/parts.h"

void strip_put(struct pen *pen, const struct sandbox *sandbox, enum theme_role ground)
{
    enum doing doing[STATE_SAMPLES];
    int width = pen->end - pen->col;
    if (width > STATE_SAMPLES)
        width = STATE_SAMPLES;
    if (width < 1)
        return;
    state_strip(&sandbox->doing, width, doing);
    strip_put_part(pen, doing, width, ground);
}

void strip_put_part(struct pen *pen, const enum doing *doing, int count, enum theme_role ground)
{
    bool ascii = !pen->paint->facts.utf8;
    for (int i = 0; i < count; i++) {
        struct style style = paint_style(pen->paint, doing_role(doing[i]), ground, 0);
        pen_put(pen, &style, state_strip_glyph(doing[i], ascii));
    }
}
