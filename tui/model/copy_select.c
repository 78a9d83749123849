#include <stdlib.h>
#include <string.h>

#include "tui/model/copy_parts.h"
#include "tui/model/text.h"

static bool before(const struct copy_place *one, const struct copy_place *other)
{
    return one->line != other->line ? one->line < other->line : one->byte < other->byte;
}

bool copy_selected(const struct copy *copy, size_t line, int *from, int *to)
{
    bool forward = before(&copy->anchor, &copy->at);
    const struct copy_place *first = forward ? &copy->anchor : &copy->at;
    const struct copy_place *last = forward ? &copy->at : &copy->anchor;
    if (copy->selecting == COPY_NOTHING || line < first->line || line > last->line)
        return false;
    const char *text = copy_line(copy, line);
    *from = 0;
    *to = text_width(text);
    if (copy->selecting == COPY_BLOCK) {
        int one = copy_column_of(copy_line(copy, copy->at.line), copy->at.byte);
        int other = copy_column_of(copy_line(copy, copy->anchor.line), copy->anchor.byte);
        *from = one < other ? one : other;
        *to = (one < other ? other : one) + 1;
    } else if (copy->selecting == COPY_CHARS) {
        if (line == first->line)
            *from = copy_column_of(text, first->byte);
        if (line == last->line && text[last->byte]) {
            const char *next = text + last->byte;
            text_next(&next, NULL);
            *to = copy_column_of(text, (size_t)(next - text));
        }
    }
    return true;
}

/* The characters that begin in [from, to). */
static size_t take_columns(char *out, const char *text, int from, int to)
{
    size_t size = 0;
    for (int column = 0; *text;) {
        const char *next = text;
        int columns = text_columns(text_next(&next, NULL));
        if (column >= to && columns > 0)
            break; /* but a mark belongs to what stands before it */
        if (column >= from || (columns == 0 && column > from)) {
            memcpy(out + size, text, (size_t)(next - text));
            size += (size_t)(next - text);
        }
        column += columns;
        text = next;
    }
    return size;
}

char *copy_text(const struct copy *copy, size_t *size)
{
    struct copy lines = *copy;
    if (lines.selecting == COPY_NOTHING) {
        lines.selecting = COPY_LINES;
        lines.anchor = lines.at;
    }
    bool forward = before(&lines.anchor, &lines.at);
    size_t first = forward ? lines.anchor.line : lines.at.line;
    size_t last = forward ? lines.at.line : lines.anchor.line;
    size_t most = 1;
    for (size_t i = first; i <= last; i++)
        most += strlen(copy_line(copy, i)) + 1;
    char *out = malloc(most);
    *size = 0;
    for (size_t i = first; out && i <= last; i++) {
        int from, to;
        if (copy_selected(&lines, i, &from, &to))
            *size += take_columns(out + *size, copy_line(copy, i), from, to);
        while (lines.selecting == COPY_BLOCK && *size > 0 && out[*size - 1] == ' ')
            --*size;
        if (i < last || lines.selecting == COPY_LINES)
            out[(*size)++] = '\n';
    }
    if (out)
        out[*size] = '\0';
    return out;
}

void copy_select_as(struct copy *copy, enum copy_selecting how)
{
    if (copy->selecting == COPY_NOTHING)
        copy->anchor = copy->at;
    copy->selecting = copy->selecting == how ? COPY_NOTHING : how;
}

void copy_swap_ends(struct copy *copy)
{
    struct copy_place at = copy->at;
    if (copy->selecting == COPY_NOTHING)
        return;
    copy->at = copy->anchor;
    copy->anchor = at;
    copy->column = copy_cursor_column(copy);
}
