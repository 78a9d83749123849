#include "tui/model/copy_parts.h"

#include <errno.h>
#include <limits.h>
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
    free(copy->line);
    for (int i = 0; i < COPY_MARKS; i++)
        free(copy->marks[i].lines);
    for (size_t i = 0; i < COPY_TARGETS; i++)
        free(copy->targets[i].url);
    free(copy->links.list);
    memset(copy, 0, sizeof(*copy));
}

/* ---- the text ---- */

/* Cleans a line in pieces, so that its links stand where they stood. */
static int clean(struct copy *copy, const char *text, size_t size, const struct copy_link *links,
                 size_t count, size_t *cleaned)
{
    char *out = copy->text + copy->size;
    size_t room = copy->room - copy->size, done = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        struct copy_link link = links[i];
        if (link.byte < done || link.byte > size || link.size > size - link.byte)
            continue; /* not in order, or of no text */
        length += text_clean_joined(out + length, room - length, text + done, link.byte - done);
        done = link.byte + link.size;
        size_t linked = text_clean_joined(out + length, room - length, text + link.byte, link.size);
        link.byte = length;
        link.size = linked;
        length += linked;
        if (linked > 0 && copy_link_add(copy, &link) < 0)
            return -ENOMEM;
    }
    *cleaned = length + text_clean_joined(out + length, room - length, text + done, size - done);
    return 0;
}

/* What the notes say of one line. */
struct line_notes {
    bool goes_on;
    size_t blanks;
    const struct copy_link *links;
    size_t links_count;
};

static int add_line(struct copy *copy, const char *text, size_t size,
                    const struct line_notes *notes)
{
    bool goes_on = notes->goes_on;
    /* What is replaced may take three bytes for one. */
    size_t wanted = copy->size + 3 * size + notes->blanks + 1;
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
        struct copy_line *larger = realloc(copy->line, room * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        copy->line = larger;
        copy->lines_room = room;
    }
    size_t length;
    if (clean(copy, text, size, notes->links, notes->links_count, &length) < 0)
        return -ENOMEM;
    if (goes_on) {
        char *end = copy->text + copy->size + length;
        memset(end, ' ', notes->blanks);
        end[notes->blanks] = '\0';
        length += notes->blanks;
    }
    copy->joined += length;
    goes_on &= length > 0 && copy->joined < COPY_JOINED_MAX;
    if (!goes_on)
        copy->joined = 0;
    copy->line[copy->lines++] = (struct copy_line){copy->size, goes_on};
    copy->size += length + !goes_on; /* a NUL is there in any case */
    return 0;
}

/* The older half goes. */
static void cut_oldest(struct copy *copy)
{
    size_t first = 0;
    while (first < copy->lines && copy->line[first].begin < copy->size / 2)
        first++;
    size_t bytes = first < copy->lines ? copy->line[first].begin : copy->size;
    memmove(copy->text, copy->text + bytes, copy->size - bytes);
    copy->size -= bytes;
    copy->lines -= first;
    copy->dropped += first;
    for (size_t i = 0; i < copy->lines; i++)
        copy->line[i] =
            (struct copy_line){copy->line[i + first].begin - bytes, copy->line[i + first].goes_on};
    copy->cut = true;
}

/* Takes what is said of this line off the lists, with all that is said of lines before. */
static struct line_notes notes_of(struct copy_notes *notes, size_t line)
{
    struct line_notes of = {0};
    for (; notes->wraps_count > 0 && notes->wraps->line < line; notes->wraps_count--)
        notes->wraps++;
    for (; notes->links_count > 0 && notes->links->line < line; notes->links_count--)
        notes->links++;
    of.goes_on = notes->wraps_count > 0 && notes->wraps->line == line;
    if (of.goes_on && notes->wraps->blanks < COPY_BLANKS_MAX)
        of.blanks = notes->wraps->blanks;
    of.links = notes->links;
    while (of.links_count < notes->links_count && of.links[of.links_count].line == line)
        of.links_count++;
    return of;
}

int copy_add(struct copy *copy, const char *text, size_t size, const struct copy_notes *notes,
             struct bj_error *error)
{
    struct copy_notes left = notes ? *notes : (struct copy_notes){0};
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;
        if (copy->size + length > COPY_BYTES_MAX)
            cut_oldest(copy);
        const struct line_notes of = notes_of(&left, copy->dropped + copy->lines);
        if (add_line(copy, text, length, &of) < 0)
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
    if (copy->lines > 0 && copy->line[copy->lines - 1].goes_on) {
        copy->line[copy->lines - 1].goes_on = false; /* nothing came that it goes on in */
        copy->size++;
    }
    size_t end = copy->lines > back ? copy->lines - back : copy->lines;
    copy->top = end > shown ? end - shown : 0;
    copy->at = (struct copy_place){end > 0 ? end - 1 : 0, 0};
    while (copy->at.line > copy->top && copy_size(copy, copy->at.line) == 0)
        copy->at.line--; /* below the last output is nothing to take */
}

const char *copy_line(const struct copy *copy, size_t line)
{
    return line < copy->lines ? copy->text + copy->line[line].begin : "";
}

size_t copy_size(const struct copy *copy, size_t line)
{
    if (line >= copy->lines)
        return 0;
    size_t end = line + 1 < copy->lines ? copy->line[line + 1].begin : copy->size;
    return end - copy->line[line].begin - !copy->line[line].goes_on;
}

/* ---- places ---- */

size_t copy_byte(const struct copy *copy, const struct copy_place *place)
{
    return place->line < copy->lines ? copy->line[place->line].begin + place->byte : copy->size;
}

struct copy_place copy_place(const struct copy *copy, size_t byte)
{
    size_t low = 0, high = copy->lines;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;
        if (copy->line[middle].begin <= byte)
            low = middle;
        else
            high = middle;
    }
    return (struct copy_place){low, copy->lines ? byte - copy->line[low].begin : 0};
}

struct copy_place copy_joined(const struct copy *copy, size_t line)
{
    while (line > 0 && line <= copy->lines && copy->line[line - 1].goes_on)
        line--;
    return (struct copy_place){line, 0};
}

size_t copy_joined_last(const struct copy *copy, size_t line)
{
    while (line < copy->lines && copy->line[line].goes_on)
        line++;
    return line;
}

int copy_column_of(const char *text, size_t byte)
{
    const char *at = text, *end = text + byte;
    int column = 0;
    while (at < end && *at)
        column += text_columns(text_next(&at, NULL));
    return column;
}

/* The character in a column of a line, or the last one. */
static size_t byte_at(const struct copy *copy, size_t line, int column)
{
    const char *text = copy_line(copy, line), *at = text, *last = text;
    const char *end = text + copy_size(copy, line);
    int width = 0;
    while (at < end) {
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
    copy->at.byte = byte_at(copy, copy->at.line, copy->column);
}

/* Marks stay with their character. */
static bool step_right(struct copy *copy)
{
    const char *text = copy_line(copy, copy->at.line), *at = text + copy->at.byte;
    const char *end = text + copy_size(copy, copy->at.line), *next = at;
    if (at < end)
        text_next(&next, NULL);
    for (at = next; at < end; at = next) {
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
    copy->at.byte = byte_at(copy, copy->at.line, column - 1);
    return true;
}

/* To the next empty line, which is where one command's output often ends. */
static void paragraph(struct copy *copy, int by)
{
    size_t line = copy->at.line;
    bool text = false;
    while (by < 0 ? line > 0 : line + 1 < copy->lines) {
        line = by < 0 ? line - 1 : line + 1;
        bool empty = copy_size(copy, line) == 0;
        text |= !empty;
        if (empty && text)
            break;
    }
    copy->at = (struct copy_place){line, 0};
}

/* To the nth line that is shown, or the last one of them when it is less than 0, counted from the
 * end. */
static void go_in_view(struct copy *copy, long long nth, int rows)
{
    long long shown = rows > 0 ? rows : 1, last = (long long)(copy->lines - copy->top) - 1;
    last = last < shown - 1 ? last : shown - 1;
    long long row = nth < 0 ? last + 1 + nth : nth;
    copy->at.line = copy->top + (size_t)(row < 0 ? 0 : row > last ? last : row);
    const char *text = copy_line(copy, copy->at.line);
    size_t size = copy_size(copy, copy->at.line);
    for (copy->at.byte = 0; copy->at.byte < size && text[copy->at.byte] == ' ';)
        copy->at.byte++;
    if (copy->at.byte == size)
        copy->at.byte = 0;
}

static long long middle_of_view(const struct copy *copy, int rows)
{
    long long shown = rows > 0 ? rows : 1, last = (long long)(copy->lines - copy->top) - 1;
    return (last < shown - 1 ? last : shown - 1) / 2;
}

/* The text moves, and the cursor only where it would be out of view. */
static void scroll(struct copy *copy, long long by, int rows)
{
    long long shown = rows > 0 ? rows : 1, most = (long long)copy->lines - shown;
    long long top = (long long)copy->top + by, line = (long long)copy->at.line;
    top = top > most ? most : top;
    copy->top = (size_t)(top < 0 ? 0 : top);
    if (line < (long long)copy->top)
        move_lines(copy, (long long)copy->top - line);
    if (line >= (long long)copy->top + shown)
        move_lines(copy, (long long)copy->top + shown - 1 - line);
}

/* ---- keys ---- */

void copy_keep_in_view(struct copy *copy, int rows, int cols)
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

/* Moves that keep the wished column; `count` is 0 when none was typed. */
static bool move_by_line(struct copy *copy, enum action action, unsigned count, int rows)
{
    long long page = rows > 2 ? rows - 1 : 1, half = rows > 3 ? rows / 2 : 1;
    long long times = count ? count : 1, here = (long long)copy->at.line;
    switch (action) {
    case ACTION_COPY_UP:
        move_lines(copy, -times);
        return true;
    case ACTION_COPY_DOWN:
        move_lines(copy, times);
        return true;
    case ACTION_COPY_PAGE_UP:
        move_lines(copy, -page * times);
        return true;
    case ACTION_COPY_PAGE_DOWN:
        move_lines(copy, page * times);
        return true;
    case ACTION_COPY_HALF_UP:
        move_lines(copy, -half * times);
        return true;
    case ACTION_COPY_HALF_DOWN:
        move_lines(copy, half * times);
        return true;
    case ACTION_COPY_SCROLL_UP:
        scroll(copy, -times, rows);
        return true;
    case ACTION_COPY_SCROLL_DOWN:
        scroll(copy, times, rows);
        return true;
    case ACTION_COPY_TOP:
        move_lines(copy, times - 1 - here);
        return true;
    case ACTION_COPY_BOTTOM:
        move_lines(copy, (count ? times - 1 : (long long)copy->lines) - here);
        return true;
    default:
        return false;
    }
}

/* Moves that are done as often as the number says. */
static bool move_once(struct copy *copy, enum action action)
{
    switch (action) {
    case ACTION_COPY_LEFT:
        step_left(copy);
        return true;
    case ACTION_COPY_RIGHT:
        step_right(copy);
        return true;
    case ACTION_COPY_PARAGRAPH_UP:
    case ACTION_COPY_PARAGRAPH_DOWN:
        paragraph(copy, action == ACTION_COPY_PARAGRAPH_UP ? -1 : 1);
        return true;
    case ACTION_COPY_PROMPT_UP:
    case ACTION_COPY_PROMPT_DOWN:
        copy_jump(copy, COPY_PROMPT, action == ACTION_COPY_PROMPT_UP);
        return true;
    case ACTION_COPY_REQUEST_UP:
    case ACTION_COPY_REQUEST_DOWN:
        copy_jump(copy, COPY_REQUEST, action == ACTION_COPY_REQUEST_UP);
        return true;
    default:
        return copy_move_word(copy, action);
    }
}

static bool move_often(struct copy *copy, enum action action, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        struct copy_place before = copy->at;
        if (!move_once(copy, action))
            return false;
        if (copy->at.line != before.line || copy->at.byte != before.byte)
            continue;
        if (i > 0)
            copy->said = NULL; /* it went as far as there is something */
        break;
    }
    return true;
}

static bool move_in_line(struct copy *copy, enum action action, unsigned count, int rows)
{
    unsigned times = count ? count : 1;
    switch (action) {
    case ACTION_COPY_LINE_START:
        copy->at = copy_joined(copy, copy->at.line);
        return true;
    case ACTION_COPY_INDENT:
        copy_move_indent(copy);
        return true;
    case ACTION_COPY_LINE_END:
        move_lines(copy, (long long)times - 1);
        copy->at.line = copy_joined_last(copy, copy->at.line);
        copy->at.byte = byte_at(copy, copy->at.line, INT_MAX);
        return true;
    case ACTION_COPY_VIEW_TOP:
        go_in_view(copy, (long long)times - 1, rows);
        return true;
    case ACTION_COPY_VIEW_MIDDLE:
        go_in_view(copy, middle_of_view(copy, rows), rows);
        return true;
    case ACTION_COPY_VIEW_BOTTOM:
        go_in_view(copy, -(long long)times, rows);
        return true;
    case ACTION_COPY_PARTNER:
        if (count)
            move_lines(copy, (long long)((copy->lines * (count < 100 ? count : 100) + 99) / 100) -
                                 1 - (long long)copy->at.line);
        else
            copy_move_partner(copy);
        return true;
    case ACTION_COPY_SEEK_AGAIN:
    case ACTION_COPY_SEEK_BACK_AGAIN:
        copy_seek(copy, times, true, action == ACTION_COPY_SEEK_BACK_AGAIN);
        return true;
    case ACTION_COPY_NEXT:
    case ACTION_COPY_PREVIOUS:
        copy_search_again(copy, copy->backward != (action == ACTION_COPY_PREVIOUS), times);
        return true;
    case ACTION_COPY_HERE_NEXT:
    case ACTION_COPY_HERE_BEFORE:
        copy_search_here(copy, action == ACTION_COPY_HERE_BEFORE);
        return true;
    case ACTION_COPY_SWAP:
        copy_swap_ends(copy);
        return true;
    default:
        return move_often(copy, action, times);
    }
}

static void move(struct copy *copy, enum action action, unsigned count, int rows, int cols)
{
    if (copy->lines == 0)
        return;
    if (!move_by_line(copy, action, count, rows) && move_in_line(copy, action, count, rows))
        keep_column(copy);
    copy_keep_in_view(copy, rows, cols);
}

/* What is no move. */
static enum copy_outcome act(struct copy *copy, enum action action)
{
    switch (action) {
    case ACTION_COPY_TAKE:
        return COPY_TAKES;
    case ACTION_COPY_SAVE:
        return COPY_SAVES;
    case ACTION_COPY_OPEN:
        return COPY_OPENS;
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
    case ACTION_COPY_TO:
    case ACTION_COPY_TO_BACK:
    case ACTION_COPY_TILL:
    case ACTION_COPY_TILL_BACK:
        copy->waits = action;
        break;
    default:
        break;
    }
    return COPY_STAYS;
}

/* A digit of a number: one of the keys of that action, or a 0 that does not begin it. */
static bool count_key(struct copy *copy, const struct chord *chord, enum action action,
                      unsigned position)
{
    unsigned digit = 10;
    if (action == ACTION_COPY_COUNT)
        digit = position + 1;
    else if (copy->count > 0 && chord->mods == 0 && strcmp(chord->key, "0") == 0)
        digit = 0;
    if (digit > 9)
        return false;
    copy->count = copy->count * 10 + digit;
    if (copy->count > COPY_COUNT_MAX)
        copy->count = COPY_COUNT_MAX;
    return true;
}

/* The character that one of f F t T has waited for; any other key only ends that. */
static void sought_key(struct copy *copy, const struct chord *chord, unsigned count)
{
    enum action action = copy->waits;
    const char *behind = chord->key;
    text_next(&behind, NULL);
    copy->waits = ACTION_NONE;
    if (chord->mods != 0 || *behind)
        return;
    snprintf(copy->sought.key, sizeof(copy->sought.key), "%.4s", chord->key);
    copy->sought.backward = action == ACTION_COPY_TO_BACK || action == ACTION_COPY_TILL_BACK;
    copy->sought.till = action == ACTION_COPY_TILL || action == ACTION_COPY_TILL_BACK;
    if (copy->lines > 0)
        copy_seek(copy, count ? count : 1, false, false);
    keep_column(copy);
}

void copy_forget(struct copy *copy)
{
    copy->count = 0;
    copy->waits = ACTION_NONE;
}

enum copy_outcome copy_key(struct copy *copy, const struct chord *chord, int rows, int cols)
{
    if (copy->searching) {
        copy_search_key(copy, chord);
        copy_keep_in_view(copy, rows, cols);
        return COPY_STAYS;
    }
    unsigned position = 0, count = copy->count;
    enum action action = keys_find_at(KEYS_COPY, chord, &position);
    copy->said = copy->round = NULL;
    if (copy->waits) {
        copy->count = 0;
        sought_key(copy, chord, count);
        copy_keep_in_view(copy, rows, cols);
        return COPY_STAYS;
    }
    if (action == ACTION_COPY_LEAVE)
        return COPY_LEAVES;
    if (action == ACTION_COPY_CLEAR) {
        bool nothing = copy->selecting == COPY_NOTHING && count == 0;
        if (count == 0)
            copy->selecting = COPY_NOTHING;
        copy_forget(copy);
        return nothing ? COPY_LEAVES : COPY_STAYS;
    }
    if (copy->loading || count_key(copy, chord, action, position))
        return COPY_STAYS;
    enum copy_outcome outcome = act(copy, action);
    if (!copy->waits)
        copy->count = 0;
    if (outcome == COPY_STAYS && !copy->waits && !copy->searching)
        move(copy, action, count, rows, cols);
    return outcome;
}
