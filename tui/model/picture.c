#include "tui/model/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model/text.h"

void picture_free(struct picture *picture)
{
    free(picture->cells);
    memset(picture, 0, sizeof(*picture));
}

int picture_resize(struct picture *picture, int rows, int cols)
{
    if (rows < 1 || cols < 1 || rows > PICTURE_ROWS_MAX || cols > PICTURE_COLS_MAX)
        return -EPROTO;
    struct picture_cell *cells = calloc((size_t)rows * (size_t)cols, sizeof(*cells));
    if (!cells)
        return -ENOMEM;
    free(picture->cells);
    *picture = (struct picture){.rows = rows, .cols = cols, .cells = cells};
    return 0;
}

void picture_set(struct picture *picture, int row, int col, const char *text, size_t size,
                 uint32_t fg, uint32_t bg, uint16_t flags)
{
    if (row < 0 || col < 0 || row >= picture->rows || col >= picture->cols)
        return;
    struct picture_cell *cell = &picture->cells[(size_t)row * (size_t)picture->cols + (size_t)col];
    *cell = (struct picture_cell){.fg = fg, .bg = bg, .flags = flags};
    text_clean(cell->text, sizeof(cell->text), text, size);
    /* One character and its marks. */
    const char *at = cell->text, *end;
    int columns = text_columns(text_next(&at, NULL));
    for (end = at; *end && text_columns(text_next(&end, NULL)) == 0;)
        at = end;
    cell->text[at - cell->text] = '\0';
    cell->wide = columns == 2 && col + 1 < picture->cols;
    if (columns == 0 || (columns == 2 && !cell->wide))
        cell->text[0] = '\0';
}
