#include "tui/model/help.h"

#include <stdio.h>
#include <string.h>

static size_t put(struct help_row *rows, size_t count, const struct key_action *action,
                  unsigned mode, const char *group)
{
    if (count == HELP_ROWS_MAX)
        return count;
    if (rows)
        rows[count] = (struct help_row){action, mode, group};
    return count + 1;
}

size_t help_rows(struct help_row *rows)
{
    size_t count = 0;
    for (size_t i = 0; keys_prefixed() && i < keys_count; i++)
        if (keys_of(KEYS_PREFIX, keys_table[i].action).text[0])
            count = put(rows, count, &keys_table[i], KEYS_PREFIX, count == 0 ? "Prefix" : NULL);
    for (int group = 0; group < KEYS_GROUPS; group++) {
        const char *name = keys_group_name((enum key_group)group);
        for (size_t i = 0; i < keys_count; i++) {
            if (keys_table[i].group != (enum key_group)group || keys_table[i].modes == KEYS_PREFIX)
                continue;
            count = put(rows, count, &keys_table[i], 0, name);
            name = NULL;
        }
    }
    return count;
}

struct keys_text help_keys(const struct help_row *row)
{
    struct keys_text keys = keys_of(row->mode, row->action->action);
    if (row->action->action == ACTION_NUMBER && strncmp(keys.text, "1 2 3 4 5 6 7 8 9", 17) == 0)
        strcpy(keys.text, keys.text[17] ? "1 to 9, 0" : "1 to 9"); /* in three words */
    return keys.text[0] ? keys : keys_first(row->mode, row->action->action);
}
