#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/copy_parts.h"
#include "tui/model/search.h"

bool copy_hit(const struct copy *copy, size_t from, struct copy_hit *hit)
{
    size_t byte, size;
    if (from >= copy->size || !search_hit(copy->text + from, copy->pattern, 0, &byte, &size))
        return false;
    *hit = (struct copy_hit){from + byte, from + byte + size};
    return true;
}

/* The line, with all its wraps, behind the one in which a byte is. */
static size_t next_line(const struct copy *copy, size_t byte)
{
    return byte + strlen(copy->text + byte) + 1;
}

/* The first hit that begins in [from, to), or the last. The hits of a line are looked for from its
 * beginning, so that they are the same from wherever one comes. */
static bool hit_within(const struct copy *copy, size_t from, size_t to, bool last, size_t *byte)
{
    struct copy_place place = copy_place(copy, from);
    bool found = false;
    struct copy_hit hit;
    place = copy_joined(copy, place.line);
    for (size_t line = copy_byte(copy, &place); line < to; line = next_line(copy, line))
        for (size_t at = line; copy_hit(copy, at, &hit) && hit.begin < to; at = hit.end) {
            if (hit.begin < from)
                continue;
            *byte = hit.begin;
            found = true;
            if (!last)
                return true;
        }
    return found;
}

/* The last hit in [0, to), looked for from the end. */
static bool hit_before(const struct copy *copy, size_t to, size_t *byte)
{
    while (to > 0) {
        struct copy_place line = copy_joined(copy, copy_place(copy, to - 1).line);
        size_t from = copy_byte(copy, &line);
        if (hit_within(copy, from, to, true, byte))
            return true;
        to = from;
    }
    return false;
}

void copy_find(struct copy *copy, const struct copy_place *start, bool backward)
{
    size_t from = copy_byte(copy, start), byte;
    if (!copy->pattern[0])
        return;
    bool found = backward ? hit_before(copy, from, &byte) || hit_before(copy, copy->size, &byte)
                          : hit_within(copy, from + 1, copy->size, false, &byte) ||
                                hit_within(copy, 0, copy->size, false, &byte);
    if (!found)
        return;
    copy->at = copy_place(copy, byte);
    copy->column = copy_cursor_column(copy);
}

static void count_hits(struct copy *copy)
{
    copy->hits = 0;
    for (size_t line = 0; copy->pattern[0] && line < copy->size; line = next_line(copy, line))
        copy->hits += search_count(copy->text + line, copy->pattern);
}

void copy_search_key(struct copy *copy, const struct chord *chord)
{
    bool leave = strcmp(chord->key, "escape") == 0 ||
                 (chord->mods == BJ_MOD_CTRL && strcmp(chord->key, "g") == 0);
    if (leave || strcmp(chord->key, "enter") == 0) {
        copy->searching = false;
        if (!leave)
            return;
        copy->at = copy->from;
        line_set(&copy->search, "");
    } else {
        line_key(&copy->search, chord);
    }
    snprintf(copy->pattern, sizeof(copy->pattern), "%s", copy->search.text);
    count_hits(copy);
    copy->at = copy->from;
    if (copy->pattern[0])
        copy_find(copy, &copy->from, copy->backward);
}

void copy_search_begin(struct copy *copy, bool backward)
{
    copy->searching = true;
    copy->backward = backward;
    copy->from = copy->at;
    line_set(&copy->search, "");
}
