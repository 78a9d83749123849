#include <string.h>

#include "tui/model/diff.h"

#define RUN_MAX 500 /* lines; nobody compares longer runs line by line */

static uint32_t run_begin(const struct diff *diff, uint32_t line)
{
    uint32_t at = line, least = line > RUN_MAX ? line - RUN_MAX : 0;
    while (at > least && diff->lines[at - 1].kind == diff->lines[line].kind)
        at--;
    return at;
}

static uint32_t run_end(const struct diff *diff, uint32_t line)
{
    uint32_t at = line + 1;
    while (at < diff->count && at - line < RUN_MAX &&
           diff->lines[at].kind == diff->lines[line].kind)
        at++;
    return at;
}

/* The line that stands beside it when both sides do: the same one of its run. */
static bool other_side(const struct diff *diff, uint32_t line, uint32_t *other)
{
    uint32_t first = run_begin(diff, line);
    enum diff_kind kind = diff->lines[line].kind;
    if (kind == DIFF_REMOVED) {
        uint32_t end = run_end(diff, line);
        *other = end + (line - first);
        for (uint32_t at = end; at <= *other; at++)
            if (at >= diff->count || diff->lines[at].kind != DIFF_ADDED)
                return false;
        return true;
    }
    if (kind != DIFF_ADDED || first == 0 || diff->lines[first - 1].kind != DIFF_REMOVED)
        return false;
    *other = run_begin(diff, first - 1) + (line - first);
    return *other < first;
}

static bool inside_character(const char *text, size_t byte)
{
    return ((unsigned char)text[byte] & 0xc0) == 0x80;
}

bool diff_differs(const struct diff *diff, uint32_t line, size_t *from, size_t *to)
{
    uint32_t number;
    if (line >= diff->count || !other_side(diff, line, &number))
        return false;
    const char *mine = diff_text(diff, diff->lines[line].text);
    const char *other = diff_text(diff, diff->lines[number].text);
    size_t size = strlen(mine), other_size = strlen(other), head = 0, tail = 0;
    while (mine[head] && mine[head] == other[head])
        head++;
    while (head > 0 && inside_character(mine, head))
        head--;
    while (tail < size - head && tail < other_size - head &&
           mine[size - 1 - tail] == other[other_size - 1 - tail])
        tail++;
    while (tail > 0 && inside_character(mine, size - tail))
        tail--;
    *from = head;
    *to = size - tail;
    return *from < *to && head + tail >= size / 3 && head + tail > 0;
}
