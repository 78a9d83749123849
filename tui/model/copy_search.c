#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/model/copy_parts.h"
#include "tui/model/search.h"

bool copy_hit(const struct copy *copy, size_t from, struct copy_hit *hit)
{
    size_t byte, size;
    while (from < copy->size && search_hit(copy->text + from, copy->pattern, 0, &byte, &size)) {
        *hit = (struct copy_hit){from + byte, from + byte + size};
        if (!copy->whole || copy_word_edge(copy, hit))
            return true;
        from = hit->begin + 1;
    }
    return false;
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

/* How many hits there are, and how many of them up to the cursor. */
static void count_hits(struct copy *copy)
{
    size_t cursor = copy_byte(copy, &copy->at);
    struct copy_hit hit;
    copy->hits = copy->nth = 0;
    for (size_t line = 0; copy->pattern[0] && line < copy->size; line = next_line(copy, line))
        for (size_t at = line; copy_hit(copy, at, &hit); at = hit.end) {
            copy->hits++;
            copy->nth += hit.begin <= cursor;
        }
}

size_t copy_nth(const struct copy *copy)
{
    return copy->nth_byte == copy_byte(copy, &copy->at) ? copy->nth : 0;
}

void copy_find(struct copy *copy, const struct copy_place *start, bool backward)
{
    size_t from = copy_byte(copy, start), byte;
    size_t nth = copy->nth_byte == from ? copy->nth : 0;
    copy->round = NULL;
    copy->nth = 0;
    if (!copy->pattern[0])
        return;
    bool found = backward ? hit_before(copy, from, &byte)
                          : hit_within(copy, from + 1, copy->size, false, &byte);
    if (!found) {
        found = backward ? hit_before(copy, copy->size, &byte)
                         : hit_within(copy, 0, copy->size, false, &byte);
        if (found)
            copy->round = backward ? "from the end again" : "from the beginning again";
    }
    if (!found)
        return;
    copy->at = copy_place(copy, byte);
    copy->column = copy_cursor_column(copy);
    copy->nth_byte = byte;
    if (nth == 0)
        count_hits(copy);
    else if (copy->round)
        copy->nth = backward ? copy->hits : 1;
    else
        copy->nth = backward ? nth - 1 : nth + 1;
}

/* A search of its own: nothing is known of its hits before one has been found. */
static void search_for(struct copy *copy, const char *pattern, bool whole)
{
    snprintf(copy->pattern, sizeof(copy->pattern), "%s", pattern);
    copy->whole = whole;
    copy->nth = copy->hits = 0;
}

/* What was searched last is searched again. False: nothing was. */
static bool revive(struct copy *copy)
{
    if (!copy->last.pattern[0]) {
        copy->said = "nothing was searched yet";
        return false;
    }
    if (!copy->pattern[0]) {
        search_for(copy, copy->last.pattern, copy->last.whole);
        count_hits(copy);
        copy->nth = 0;
    }
    return true;
}

static void remember(struct copy *copy)
{
    memcpy(copy->last.pattern, copy->pattern, sizeof(copy->pattern));
    copy->last.whole = copy->whole;
}

void copy_search_again(struct copy *copy, bool backward, unsigned times)
{
    const char *round = NULL;
    if (!revive(copy))
        return;
    if (copy->hits == 0)
        copy->said = "not found";
    size_t steps = copy->hits ? (times - 1) % copy->hits + 1 : 0; /* more would only go round */
    for (size_t i = 0; i < steps; i++) {
        copy_find(copy, &copy->at, backward);
        round = copy->round ? copy->round : round;
    }
    copy->round = round;
}

void copy_search_here(struct copy *copy, bool backward)
{
    struct copy_hit word;
    char pattern[LINE_MAX_BYTES];
    bool whole;
    if (!copy_word_here(copy, &word, &whole) || word.end - word.begin >= sizeof(pattern)) {
        copy->said = "no word here";
        return;
    }
    memcpy(pattern, copy->text + word.begin, word.end - word.begin);
    pattern[word.end - word.begin] = '\0';
    search_for(copy, pattern, whole);
    remember(copy);
    copy->backward = backward;
    struct copy_place start = copy_place(copy, word.begin);
    copy_find(copy, &start, backward);
}

/* ---- while it is typed ---- */

void copy_search_begin(struct copy *copy, bool backward)
{
    copy->searching = true;
    copy->backward = backward;
    copy->began = copy->from = copy->at;
    line_set(&copy->search, "");
}

static void search_typed(struct copy *copy)
{
    search_for(copy, copy->search.text, false);
    copy->at = copy->from;
    if (copy->pattern[0])
        copy_find(copy, &copy->from, copy->backward);
}

bool copy_paste(struct copy *copy, const char *text, size_t size, int rows, int cols)
{
    if (!copy->open || !copy->searching)
        return false;
    line_insert(&copy->search, text, size);
    search_typed(copy);
    copy_keep_in_view(copy, rows, cols);
    return true;
}

/* The keys that began it go on to the next hit, as in emacs; on an empty line with what was
 * searched last. What is typed then is looked for from this hit on. */
static void search_on(struct copy *copy, bool backward)
{
    copy->backward = backward;
    if (copy->search.size == 0) {
        line_set(&copy->search, copy->last.pattern);
        search_for(copy, copy->search.text, false);
    }
    copy->from = copy->at;
    copy_find(copy, &copy->from, backward);
}

/* An empty search is the last one again. */
static void search_done(struct copy *copy)
{
    copy->searching = false;
    if (copy->search.size > 0) {
        remember(copy);
        if (copy->hits == 0)
            copy->said = "not found";
    } else if (copy->last.pattern[0]) {
        search_for(copy, copy->last.pattern, copy->last.whole);
        copy_find(copy, &copy->from, copy->backward);
    }
}

void copy_search_key(struct copy *copy, const struct chord *chord)
{
    enum action action = chord->mods ? keys_find(KEYS_COPY, chord) : ACTION_NONE;
    enum action typed = keys_find(KEYS_LINE, chord);
    copy->round = NULL;
    if (typed == ACTION_LINE_ENTER) {
        search_done(copy);
    } else if (typed == ACTION_LINE_LEAVE) {
        copy->searching = false;
        copy->at = copy->began;
        search_for(copy, "", false);
    } else if (action == ACTION_COPY_SEARCH || action == ACTION_COPY_SEARCH_BACK) {
        search_on(copy, action == ACTION_COPY_SEARCH_BACK);
    } else if (line_key(&copy->search, chord)) {
        search_typed(copy);
    }
}
