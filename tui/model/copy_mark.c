#include <errno.h>
#include <stdlib.h>

#include "tui/model/copy_parts.h"

/* Lines to jump to. */

int copy_mark(struct copy *copy, enum copy_mark mark, size_t line, struct bj_error *error)
{
    size_t count = copy->marks[mark].count, room = copy->marks[mark].room;
    if (line >= copy->dropped + copy->lines ||
        (count > 0 && line <= copy->marks[mark].lines[count - 1]))
        return 0; /* of nothing that is there, or not in order */
    if (count == room) {
        room = room * 2 + 64;
        size_t *larger = realloc(copy->marks[mark].lines, room * sizeof(*larger));
        if (!larger)
            return bj_fail(error, -ENOMEM, "out of memory for the marks of this pane");
        copy->marks[mark].lines = larger;
        copy->marks[mark].room = room;
    }
    copy->marks[mark].lines[copy->marks[mark].count++] = line;
    return 0;
}

/* The first mark that is not above this line. */
static size_t mark_from(const struct copy *copy, enum copy_mark mark, size_t line)
{
    size_t low = 0, high = copy->marks[mark].count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (copy->marks[mark].lines[middle] < line + copy->dropped)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool copy_is_marked(const struct copy *copy, enum copy_mark mark, size_t line)
{
    size_t at = mark_from(copy, mark, line);
    return at < copy->marks[mark].count && copy->marks[mark].lines[at] == line + copy->dropped;
}

void copy_jump(struct copy *copy, enum copy_mark mark, bool up)
{
    static const char *const none[COPY_MARKS][2] = {
        [COPY_PROMPT] = {"no prompt below", "no prompt above (shells mark them with OSC 133)"},
        [COPY_REQUEST] = {"no request below", "no request above"},
    };
    size_t at = mark_from(copy, mark, up ? copy->at.line : copy->at.line + 1);
    bool there = up ? at > 0 && copy->marks[mark].lines[at - 1] >= copy->dropped
                    : at < copy->marks[mark].count;
    if (!there) {
        copy->said = none[mark][up];
        return;
    }
    copy->at = (struct copy_place){copy->marks[mark].lines[up ? at - 1 : at] - copy->dropped, 0};
    copy->column = 0;
}
