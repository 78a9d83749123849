#include <stdlib.h>
#include <string.h>

#include "tui/model/copy_parts.h"
#include "tui/model/text.h"

static bool before(const struct copy_place *one, const struct copy_place *other)
{
    return one->line != other->line ? one->line < other->line : one->byte < other->byte;
}

/* The two ends of what is selected, in order. Whole lines are so with all their wraps. */
static void ends(const struct copy *copy, struct copy_place *first, struct copy_place *last)
{
    bool forward = before(&copy->anchor, &copy->at);
    *first = forward ? copy->anchor : copy->at;
    *last = forward ? copy->at : copy->anchor;
    if (copy->selecting != COPY_LINES)
        return;
    *first = copy_joined(copy, first->line);
    last->line = copy_joined_last(copy, last->line);
    last->byte = copy_size(copy, last->line);
}

size_t copy_behind(const struct copy *copy, const struct copy_place *place)
{
    const char *text = copy_line(copy, place->line), *end = text + copy_size(copy, place->line);
    const char *at = text + place->byte, *next = at;
    if (at < end)
        text_next(&next, NULL);
    for (at = next; at < end && text_columns(text_next(&next, NULL)) == 0; at = next)
        ;
    return (size_t)(at - text);
}

bool copy_selected(const struct copy *copy, size_t line, int *from, int *to)
{
    struct copy_place first, last;
    ends(copy, &first, &last);
    if (copy->selecting == COPY_NOTHING || line < first.line || line > last.line)
        return false;
    const char *text = copy_line(copy, line);
    *from = 0;
    *to = copy_column_of(text, copy_size(copy, line));
    if (copy->selecting == COPY_BLOCK) {
        int one = copy_column_of(copy_line(copy, copy->at.line), copy->at.byte);
        int other = copy_column_of(copy_line(copy, copy->anchor.line), copy->anchor.byte);
        *from = one < other ? one : other;
        *to = (one < other ? other : one) + 1;
    } else if (copy->selecting == COPY_CHARS) {
        if (line == first.line)
            *from = copy_column_of(text, first.byte);
        if (line == last.line)
            *to = copy_column_of(text, copy_behind(copy, &last));
    }
    return true;
}

/* The characters that begin in columns [from, to). */
static size_t take_columns(char *out, const char *text, const char *end, int from, int to)
{
    size_t size = 0;
    for (int column = 0; text < end;) {
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

static size_t take_block(const struct copy *copy, size_t first, size_t last, char *out)
{
    size_t size = 0;
    for (size_t line = first; line <= last; line++) {
        const char *text = copy_line(copy, line);
        int from, to;
        if (copy_selected(copy, line, &from, &to))
            size += take_columns(out + size, text, text + copy_size(copy, line), from, to);
        while (size > 0 && out[size - 1] == ' ')
            size--;
        if (line < last)
            out[size++] = '\n';
    }
    return size;
}

char *copy_text(const struct copy *copy, size_t *size)
{
    struct copy lines = *copy;
    struct copy_place first, last;
    if (lines.selecting == COPY_NOTHING) {
        lines.selecting = COPY_LINES;
        lines.anchor = lines.at;
    }
    ends(&lines, &first, &last);
    struct copy_place start = {first.line, 0}, end = {last.line, copy_size(copy, last.line)};
    size_t from = copy_byte(copy, &start), to = copy_byte(copy, &end);
    /* A line of a block ends even where its text goes on. */
    char *out = malloc(to - from + (last.line - first.line) + 2);
    *size = 0;
    if (!out)
        return NULL;
    if (lines.selecting == COPY_BLOCK) {
        *size = take_block(&lines, first.line, last.line, out);
    } else {
        last.byte = copy_behind(copy, &last);
        to = copy_byte(copy, &last);
        for (from += first.byte; from < to; from++)
            out[(*size)++] = copy->text[from] ? copy->text[from] : '\n';
        if (lines.selecting == COPY_LINES)
            out[(*size)++] = '\n';
    }
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
