#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/copy_parts.h"
#include "tui/model/search.h"

bool copy_hit(const struct copy *copy, size_t line, size_t from, size_t *byte, size_t *size)
{
    return search_hit(copy_line(copy, line), copy->pattern, from, byte, size);
}

/* The last hit in a line that begins before `end`. */
static bool hit_before(const struct copy *copy, size_t line, size_t end, size_t *byte)
{
    bool found = false;
    size_t at, size, from = 0;
    while (copy_hit(copy, line, from, &at, &size) && at < end) {
        *byte = at;
        found = true;
        from = at + 1;
    }
    return found;
}

void copy_find(struct copy *copy, const struct copy_place *start, bool backward)
{
    size_t size, line = start->line, byte;
    if (copy->lines == 0)
        return;
    for (size_t i = 0; i <= copy->lines; i++) {
        bool here = i == 0;
        bool found = backward ? hit_before(copy, line, here ? start->byte : SIZE_MAX, &byte)
                              : copy_hit(copy, line, here ? start->byte + 1 : 0, &byte, &size);
        if (found) {
            copy->at = (struct copy_place){line, byte};
            copy->column = copy_cursor_column(copy);
            return;
        }
        line = backward ? (line + copy->lines - 1) % copy->lines : (line + 1) % copy->lines;
    }
}

static void count_hits(struct copy *copy)
{
    copy->hits = 0;
    for (size_t line = 0; line < copy->lines; line++)
        copy->hits += search_count(copy_line(copy, line), copy->pattern);
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
