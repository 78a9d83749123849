#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model/copy_parts.h"
#include "tui/model/target.h"
#include "tui/model/text.h"

/* What stands at the cursor and could be opened: a hyperlink, or a word. */

int copy_link_add(struct copy *copy, const struct copy_link *link)
{
    size_t count = copy->links.count, room = copy->links.room;
    if (count == COPY_LINKS_MAX) { /* the older half goes */
        copy->links.count = count /= 2;
        memmove(copy->links.list, copy->links.list + count, count * sizeof(*link));
    }
    if (count == room) {
        room = room * 2 + 64;
        struct copy_link *larger = realloc(copy->links.list, room * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        copy->links.list = larger;
        copy->links.room = room;
    }
    copy->links.list[copy->links.count++] = *link;
    return 0;
}

static const char *find_target(const struct copy *copy, uint32_t id)
{
    for (size_t i = 0; i < COPY_TARGETS; i++)
        if (copy->targets[i].url && copy->targets[i].id == id)
            return copy->targets[i].url;
    return NULL;
}

int copy_target(struct copy *copy, uint32_t id, const char *url, size_t size,
                struct bj_error *error)
{
    if (size == 0 || size >= TARGET_MAX || find_target(copy, id))
        return 0;
    /* What is replaced may take three bytes for one. */
    char *clean = malloc(3 * size + 1);
    if (!clean)
        return bj_fail(error, -ENOMEM, "out of memory for the links of this pane");
    text_clean(clean, 3 * size + 1, url, size);
    size_t at = copy->targets_added++ % COPY_TARGETS;
    free(copy->targets[at].url);
    copy->targets[at].url = clean;
    copy->targets[at].id = id;
    return 0;
}

/* The first byte of the text that a link has. */
static size_t begin_of(const struct copy *copy, const struct copy_link *link)
{
    struct copy_place place = {link->line - copy->dropped, link->byte};
    return copy_byte(copy, &place);
}

/* The link that has a byte of the text, or SIZE_MAX. */
static size_t link_at(const struct copy *copy, size_t byte)
{
    size_t low = 0, high = copy->links.count;
    while (low < high) { /* the first that begins behind it */
        size_t middle = (low + high) / 2;
        const struct copy_link *link = &copy->links.list[middle];
        if (link->line < copy->dropped || begin_of(copy, link) <= byte)
            low = middle + 1;
        else
            high = middle;
    }
    const struct copy_link *link = low > 0 ? &copy->links.list[low - 1] : NULL;
    bool there = link && link->line >= copy->dropped && byte < begin_of(copy, link) + link->size;
    return there ? low - 1 : SIZE_MAX;
}

bool copy_link(const struct copy *copy, char *url, size_t size, char *words, size_t words_size)
{
    size_t at = link_at(copy, copy_byte(copy, &copy->at));
    if (copy->selecting != COPY_NOTHING || at == SIZE_MAX)
        return false;
    const struct copy_link *list = copy->links.list;
    const char *target = find_target(copy, list[at].target);
    if (!target || strlen(target) >= size)
        return false;
    strcpy(url, target);
    /* Over soft wraps. */
    size_t first = at, last = at, from = begin_of(copy, &list[at]), to = from + list[at].size;
    while (first > 0 && list[first - 1].target == list[at].target &&
           list[first - 1].line >= copy->dropped &&
           begin_of(copy, &list[first - 1]) + list[first - 1].size == from)
        from = begin_of(copy, &list[--first]);
    while (last + 1 < copy->links.count && list[last + 1].target == list[at].target &&
           begin_of(copy, &list[last + 1]) == to)
        to += list[++last].size;
    text_clean(words, words_size, copy->text + from, to - from);
    return true;
}

bool copy_word(const struct copy *copy, char *out, size_t size)
{
    static const char around[] = "\"'`()[]{}<>,;";
    struct copy_place first = copy_joined(copy, copy->at.line);
    const char *line = copy_line(copy, first.line);
    const char *from = copy_line(copy, copy->at.line) + copy->at.byte, *to = from;
    bool selected =
        copy->selecting == COPY_CHARS && copy_joined(copy, copy->anchor.line).line == first.line;
    if (selected) {
        bool forward = copy_byte(copy, &copy->anchor) < copy_byte(copy, &copy->at);
        const struct copy_place *begin = forward ? &copy->anchor : &copy->at;
        const struct copy_place *end = forward ? &copy->at : &copy->anchor;
        from = copy_line(copy, begin->line) + begin->byte;
        to = copy_line(copy, end->line) + copy_behind(copy, end);
    } else {
        while (from > line && from[-1] != ' ')
            from--;
        to += strcspn(to, " ");
    }
    while (from < to && strchr(around, *from))
        from++;
    while (to > from && (strchr(around, to[-1]) || strchr(".:!?", to[-1])))
        to--;
    if (to == from || (size_t)(to - from) >= size)
        return false;
    memcpy(out, from, (size_t)(to - from));
    out[to - from] = '\0';
    return true;
}
