#include "tui/model/copy_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/model/text.h"

void copy_open(struct copy *copy, const char *id)
{
    copy_close(copy);
    copy->open = copy->loading = true;
    snprintf(copy->id, sizeof(copy->id), "%s", id);
}

void copy_close(struct copy *copy)
{
    free(copy->text);
    free(copy->begin);
    for (int i = 0; i < COPY_MARKS; i++)
        free(copy->marks[i].lines);
    memset(copy, 0, sizeof(*copy));
}

/* ---- the text ---- */

static int add_line(struct copy *copy, const char *text, size_t size)
{
    /* What is replaced may take three bytes for one. */
    size_t wanted = copy->size + 3 * size + 1;
    if (wanted > copy->room) {
        size_t room = wanted * 3 / 2 + 4096;
        char *larger = realloc(copy->text, room);
        if (!larger)
            return -ENOMEM;
        copy->text = larger;
        copy->room = room;
    }
    if (copy->lines == copy->lines_room) {
        size_t room = copy->lines_room * 2 + 256;
        size_t *larger = realloc(copy->begin, room * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        copy->begin = larger;
        copy->lines_room = room;
    }
    copy->begin[copy->lines++] = copy->size;
    copy->size += text_clean(copy->text + copy->size, copy->room - copy->size, text, size) + 1;
    return 0;
}

/* The older half goes. */
static void cut_oldest(struct copy *copy)
{
    size_t first = 0;
    while (first < copy->lines && copy->begin[first] < copy->size / 2)
        first++;
    size_t bytes = first < copy->lines ? copy->begin[first] : copy->size;
    memmove(copy->text, copy->text + bytes, copy->size - bytes);
    copy->size -= bytes;
    copy->lines -= first;
    copy->dropped += first;
    for (size_t i = 0; i < copy->lines; i++)
        copy->begin[i] = copy->begin[i + first] - bytes;
    copy->cut = true;
}

int copy_add(struct copy *copy, const char *text, size_t size, struct bj_error *error)
{
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;
        if (copy->size + length > COPY_BYTES_MAX)
            cut_oldest(copy);
        if (add_line(copy, text, length) < 0)
            return bj_fail(error, -ENOMEM, "out of memory for the text of this pane");
        length += end != NULL;
        text += length;
        size -= length;
    }
    return 0;
}

void copy_loaded(struct copy *copy, int rows, size_t back)
{
    size_t shown = (size_t)(rows > 0 ? rows : 1);
    copy->loading = false;
    size_t end = copy->lines > back ? copy->lines - back : copy->lines;
    copy->top = end > shown ? end - shown : 0;
    copy->at = (struct copy_place){end > 0 ? end - 1 : 0, 0};
    while (copy->at.line > copy->top && !copy_line(copy, copy->at.line)[0])
        copy->at.line--; /* below the last output is nothing to take */
}

const char *copy_line(const struct copy *copy, size_t line)
{
    return line < copy->lines ? copy->text + copy->begin[line] : "";
}

/* ---- places ---- */

int copy_column_of(const char *text, size_t byte)
{
    const char *at = text, *end = text + byte;
    int column = 0;
    while (at < end && *at)
        column += text_columns(text_next(&at, NULL));
    return column;
}

/* The character in a column, or the last one. */
static size_t byte_at(const char *text, int column)
{
    const char *at = text, *last = text;
    int width = 0;
    while (*at) {
        const char *next = at;
        int columns = text_columns(text_next(&next, NULL));
        if (width + columns > column && columns > 0)
            return (size_t)(at - text);
        if (columns > 0)
            last = at;
        width += columns;
        at = next;
    }
    return (size_t)(last - text);
}

int copy_cursor_column(const struct copy *copy)
{
    return copy_column_of(copy_line(copy, copy->at.line), copy->at.byte);
}

static void keep_column(struct copy *copy)
{
    copy->column = copy_cursor_column(copy);
}

static void move_lines(struct copy *copy, long long by)
{
    long long line = (long long)copy->at.line + by, last = (long long)copy->lines - 1;
    copy->at.line = (size_t)(line < 0 || last < 0 ? 0 : line > last ? last : line);
    copy->at.byte = byte_at(copy_line(copy, copy->at.line), copy->column);
}

static bool step_right(struct copy *copy)
{
    const char *text = copy_line(copy, copy->at.line), *at = text + copy->at.byte;
    const char *next = at;
    if (*at)
        text_next(&next, NULL);
    for (at = next; *at; at = next) { /* marks stay with their character */
        if (text_columns(text_next(&next, NULL)) == 0)
            continue;
        copy->at.byte = (size_t)(at - text);
        return true;
    }
    return false;
}

static bool step_left(struct copy *copy)
{
    int column = copy_cursor_column(copy);
    if (column == 0)
        return false;
    copy->at.byte = byte_at(copy_line(copy, copy->at.line), column - 1);
    return true;
}

static bool on_space(const struct copy *copy)
{
    char here = copy_line(copy, copy->at.line)[copy->at.byte];
    return !here || here == ' ';
}

/* To the next character, or to the next line. False at the end of the text. */
static bool step_on(struct copy *copy)
{
    if (step_right(copy))
        return true;
    if (copy->at.line + 1 >= copy->lines)
        return false;
    copy->at = (struct copy_place){copy->at.line + 1, 0};
    return true;
}

/* A word is what spaces end; so paths and addresses are one. */
static void word_right(struct copy *copy)
{
    size_t line = copy->at.line;
    while (!on_space(copy) && copy->at.line == line)
        if (!step_on(copy))
            return;
    while (on_space(copy) && step_on(copy))
        ;
}

static void word_left(struct copy *copy)
{
    do {
        if (!step_left(copy)) {
            if (copy->at.line == 0)
                return;
            copy->at.line--;
            copy->at.byte = byte_at(copy_line(copy, copy->at.line), 1 << 30);
        }
    } while (on_space(copy));
    while (copy->at.byte > 0) {
        struct copy_place before = copy->at;
        step_left(copy);
        if (on_space(copy)) {
            copy->at = before;
            return;
        }
    }
}

/* To the next empty line, which is where one command's output often ends. */
static void paragraph(struct copy *copy, int by)
{
    size_t line = copy->at.line;
    bool text = false;
    while (by < 0 ? line > 0 : line + 1 < copy->lines) {
        line = by < 0 ? line - 1 : line + 1;
        bool empty = !copy_line(copy, line)[0];
        text |= !empty;
        if (empty && text)
            break;
    }
    copy->at = (struct copy_place){line, 0};
}

/* ---- keys ---- */

static void keep_in_view(struct copy *copy, int rows, int cols)
{
    size_t shown = (size_t)(rows > 0 ? rows : 1);
    int column = copy_cursor_column(copy);
    if (copy->at.line < copy->top)
        copy->top = copy->at.line;
    if (copy->at.line >= copy->top + shown)
        copy->top = copy->at.line - shown + 1;
    if (column < copy->left)
        copy->left = column;
    if (column >= copy->left + cols)
        copy->left = column - cols + 1;
}

static bool move_by_line(struct copy *copy, enum action action, int rows)
{
    long long page = rows > 2 ? rows - 1 : 1, half = rows > 3 ? rows / 2 : 1;
    switch (action) {
    case ACTION_COPY_UP:
        move_lines(copy, -1);
        return true;
    case ACTION_COPY_DOWN:
        move_lines(copy, 1);
        return true;
    case ACTION_COPY_PAGE_UP:
        move_lines(copy, -page);
        return true;
    case ACTION_COPY_PAGE_DOWN:
        move_lines(copy, page);
        return true;
    case ACTION_COPY_HALF_UP:
        move_lines(copy, -half);
        return true;
    case ACTION_COPY_HALF_DOWN:
        move_lines(copy, half);
        return true;
    case ACTION_COPY_TOP:
        move_lines(copy, -(long long)copy->lines);
        return true;
    case ACTION_COPY_BOTTOM:
        move_lines(copy, (long long)copy->lines);
        return true;
    default:
        return false;
    }
}

static bool move_in_line(struct copy *copy, enum action action)
{
    switch (action) {
    case ACTION_COPY_LEFT:
        step_left(copy);
        break;
    case ACTION_COPY_RIGHT:
        step_right(copy);
        break;
    case ACTION_COPY_WORD:
        word_right(copy);
        break;
    case ACTION_COPY_WORD_BACK:
        word_left(copy);
        break;
    case ACTION_COPY_LINE_START:
        copy->at.byte = 0;
        break;
    case ACTION_COPY_LINE_END:
        copy->at.byte = byte_at(copy_line(copy, copy->at.line), 1 << 30);
        break;
    case ACTION_COPY_PARAGRAPH_UP:
        paragraph(copy, -1);
        break;
    case ACTION_COPY_PARAGRAPH_DOWN:
        paragraph(copy, 1);
        break;
    case ACTION_COPY_NEXT:
        copy_find(copy, &copy->at, copy->backward);
        break;
    case ACTION_COPY_PREVIOUS:
        copy_find(copy, &copy->at, !copy->backward);
        break;
    case ACTION_COPY_SWAP:
        copy_swap_ends(copy);
        break;
    default:
        return false;
    }
    keep_column(copy);
    return true;
}

enum copy_outcome copy_act(struct copy *copy, enum action action, int rows, int cols)
{
    copy->said = NULL;
    if (action == ACTION_COPY_LEAVE) {
        if (copy->selecting == COPY_NOTHING)
            return COPY_LEAVES;
        copy->selecting = COPY_NOTHING;
        return COPY_STAYS;
    }
    if (copy->loading)
        return COPY_STAYS;
    switch (action) {
    case ACTION_COPY_TAKE:
        return COPY_TAKES;
    case ACTION_COPY_SAVE:
        return COPY_SAVES;
    case ACTION_COPY_OPEN:
        return COPY_OPENS;
    case ACTION_COPY_PROMPT_UP:
    case ACTION_COPY_PROMPT_DOWN:
        copy_jump(copy, COPY_PROMPT, action == ACTION_COPY_PROMPT_UP);
        break;
    case ACTION_COPY_REQUEST_UP:
    case ACTION_COPY_REQUEST_DOWN:
        copy_jump(copy, COPY_REQUEST, action == ACTION_COPY_REQUEST_UP);
        break;
    case ACTION_COPY_CHARS:
        copy_select_as(copy, COPY_CHARS);
        break;
    case ACTION_COPY_LINES:
        copy_select_as(copy, COPY_LINES);
        break;
    case ACTION_COPY_BLOCK:
        copy_select_as(copy, COPY_BLOCK);
        break;
    case ACTION_COPY_SEARCH:
    case ACTION_COPY_SEARCH_BACK:
        copy_search_begin(copy, action == ACTION_COPY_SEARCH_BACK);
        break;
    default:
        if (!move_by_line(copy, action, rows))
            move_in_line(copy, action);
    }
    keep_in_view(copy, rows, cols);
    return COPY_STAYS;
}

enum copy_outcome copy_key(struct copy *copy, const struct chord *chord, int rows, int cols)
{
    if (!copy->searching)
        return copy_act(copy, keys_find(KEYS_COPY, chord), rows, cols);
    copy_search_key(copy, chord);
    keep_in_view(copy, rows, cols);
    return COPY_STAYS;
}
