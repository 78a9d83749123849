#include <string.h>

#include "tui/model/copy_parts.h"
#include "tui/model/text.h"

/*
 * Moves that know characters: words, what f and t look for, brackets. They work on bytes of the
 * whole text, in which a soft wrap is nothing and the end of a line one NUL.
 */

enum kind { KIND_END, KIND_BLANK, KIND_OTHER, KIND_WORD };

static enum kind kind_at(const struct copy *copy, size_t byte, bool big)
{
    const char *at = copy->text + byte;
    if (byte >= copy->size || !*at)
        return KIND_END;
    if (*at == ' ')
        return KIND_BLANK;
    return big || text_is_word(text_next(&at, NULL)) ? KIND_WORD : KIND_OTHER;
}

static bool is_mark(const struct copy *copy, size_t byte)
{
    const char *at = copy->text + byte;
    return *at && text_columns(text_next(&at, NULL)) == 0;
}

/* Behind a character with its marks, or a line's end; never beyond the text. */
static size_t forth(const struct copy *copy, size_t byte)
{
    const char *at = copy->text + byte;
    if (byte >= copy->size)
        return copy->size;
    if (!*at)
        return byte + 1;
    do
        text_next(&at, NULL);
    while (is_mark(copy, (size_t)(at - copy->text)));
    return (size_t)(at - copy->text);
}

static size_t back(const struct copy *copy, size_t byte)
{
    if (byte == 0)
        return 0;
    if (!copy->text[--byte])
        return byte;
    while (byte > 0 && (((unsigned char)copy->text[byte] & 0xc0) == 0x80 || is_mark(copy, byte)) &&
           copy->text[byte - 1])
        byte--;
    return byte;
}

/* The line's end at a byte is where an empty line stands. */
static bool is_empty_line(const struct copy *copy, size_t byte)
{
    return !copy->text[byte] && (byte == 0 || !copy->text[byte - 1]);
}

/* The cursor stands on characters, and on the end of a line only when that is all there is. */
static void go_to(struct copy *copy, size_t byte)
{
    if (byte >= copy->size)
        byte = copy->size - 1;
    if (!copy->text[byte] && !is_empty_line(copy, byte))
        byte = back(copy, byte);
    copy->at = copy_place(copy, byte);
}

static size_t word_right(const struct copy *copy, size_t byte, bool big)
{
    size_t at = byte;
    enum kind kind = kind_at(copy, at, big);
    while (kind >= KIND_OTHER && kind_at(copy, at, big) == kind)
        at = forth(copy, at);
    while (at < copy->size && kind_at(copy, at, big) < KIND_OTHER &&
           (at == byte || !is_empty_line(copy, at)))
        at = forth(copy, at);
    return at;
}

static size_t word_end(const struct copy *copy, size_t byte, bool big)
{
    size_t at = forth(copy, byte);
    while (at < copy->size && kind_at(copy, at, big) < KIND_OTHER)
        at = forth(copy, at);
    enum kind kind = kind_at(copy, at, big);
    for (size_t next = at; kind_at(copy, next, big) == kind && next < copy->size;
         next = forth(copy, next))
        at = next;
    return at;
}

static size_t word_left(const struct copy *copy, size_t byte, bool big)
{
    size_t at = back(copy, byte);
    while (at > 0 && kind_at(copy, at, big) < KIND_OTHER && !is_empty_line(copy, at))
        at = back(copy, at);
    enum kind kind = kind_at(copy, at, big);
    while (kind >= KIND_OTHER && at > 0 && kind_at(copy, back(copy, at), big) == kind)
        at = back(copy, at);
    return at;
}

bool copy_move_word(struct copy *copy, enum action action)
{
    size_t byte = copy_byte(copy, &copy->at);
    bool big = action == ACTION_COPY_BIG_WORD || action == ACTION_COPY_BIG_WORD_BACK ||
               action == ACTION_COPY_BIG_WORD_END;
    switch (action) {
    case ACTION_COPY_WORD:
    case ACTION_COPY_BIG_WORD:
        byte = word_right(copy, byte, big);
        break;
    case ACTION_COPY_WORD_BACK:
    case ACTION_COPY_BIG_WORD_BACK:
        byte = word_left(copy, byte, big);
        break;
    case ACTION_COPY_WORD_END:
    case ACTION_COPY_BIG_WORD_END:
        byte = word_end(copy, byte, big);
        break;
    default:
        return false;
    }
    go_to(copy, byte);
    return true;
}

void copy_move_indent(struct copy *copy)
{
    struct copy_place first = copy_joined(copy, copy->at.line);
    size_t byte = copy_byte(copy, &first);
    while (copy->text[byte] == ' ')
        byte++;
    go_to(copy, byte);
}

/* ---- f F t T ; , ---- */

/* From a byte to the next such character in its line; SIZE_MAX when there is none. */
static size_t find_character(const struct copy *copy, size_t byte, bool backward)
{
    size_t size = strlen(copy->sought.key);
    for (;;) {
        size_t next = backward ? back(copy, byte) : forth(copy, byte);
        if (next == byte || next >= copy->size || !copy->text[next])
            return SIZE_MAX;
        if (strncmp(copy->text + next, copy->sought.key, size) == 0)
            return next;
        byte = next;
    }
}

void copy_seek(struct copy *copy, unsigned times, bool again, bool turned)
{
    size_t byte = copy_byte(copy, &copy->at);
    bool backward = copy->sought.backward != turned;
    if (!copy->sought.key[0]) {
        copy->said = "no character was looked for";
        return;
    }
    if (again && copy->sought.till) { /* else it would find the same one for ever */
        size_t next = backward ? back(copy, byte) : forth(copy, byte);
        byte = next < copy->size && copy->text[next] ? next : byte;
    }
    for (unsigned i = 0; i < times && byte != SIZE_MAX; i++)
        byte = find_character(copy, byte, backward);
    if (byte == SIZE_MAX) {
        copy->said = backward ? "not before this in its line" : "not behind this in its line";
        return;
    }
    if (copy->sought.till)
        byte = backward ? forth(copy, byte) : back(copy, byte);
    go_to(copy, byte);
}

/* ---- brackets ---- */

void copy_move_partner(struct copy *copy)
{
    static const char brackets[] = "()[]{}";
    size_t byte = copy_byte(copy, &copy->at);
    byte += strcspn(copy->text + byte, brackets);
    if (!copy->text[byte]) {
        copy->said = "no bracket here";
        return;
    }
    size_t which = (size_t)(strchr(brackets, copy->text[byte]) - brackets);
    char mine = brackets[which], partner = brackets[which ^ 1];
    bool backward = which & 1;
    size_t depth = 1;
    while (depth > 0 && (backward ? byte > 0 : byte + 1 < copy->size)) {
        byte = backward ? byte - 1 : byte + 1;
        depth += copy->text[byte] == mine;
        depth -= copy->text[byte] == partner;
    }
    if (depth > 0)
        copy->said = "this bracket has no partner";
    else
        go_to(copy, byte);
}

/* ---- the word here ---- */

bool copy_word_edge(const struct copy *copy, const struct copy_hit *hit)
{
    return (hit->begin == 0 || kind_at(copy, back(copy, hit->begin), false) != KIND_WORD) &&
           kind_at(copy, hit->end, false) != KIND_WORD;
}

bool copy_word_here(const struct copy *copy, struct copy_hit *word, bool *whole)
{
    size_t byte = copy_byte(copy, &copy->at), at = byte;
    while (kind_at(copy, at, false) != KIND_WORD && kind_at(copy, at, false) != KIND_END)
        at = forth(copy, at);
    *whole = kind_at(copy, at, false) == KIND_WORD;
    for (at = *whole ? at : byte; !*whole && kind_at(copy, at, true) == KIND_BLANK;)
        at = forth(copy, at);
    if (kind_at(copy, at, true) == KIND_END)
        return false;
    *word = (struct copy_hit){at, at};
    while (word->begin > 0 && kind_at(copy, back(copy, word->begin), !*whole) == KIND_WORD)
        word->begin = back(copy, word->begin);
    while (kind_at(copy, word->end, !*whole) == KIND_WORD)
        word->end = forth(copy, word->end);
    return true;
}
