#include "tui/cli/keyhelp.h"

#include <string.h>

#include "tui/cli/help.h"
#include "tui/cli/report.h"
#include "tui/keys.h"

#define KEYS_COLUMN 22

static json_t *as_json(void)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < keys_count; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "action", keys_table[i].name,
                                              "keys", keys_table[i].keys, "group",
                                              keys_group_name(keys_table[i].group), "help",
                                              keys_table[i].help));
    return list;
}

static void print_group(enum key_group group)
{
    printf("%s%s\n", group ? "\n" : "", keys_group_name(group));
    for (size_t i = 0; i < keys_count; i++)
        if (keys_table[i].group == group)
            printf("  %-*s %s\n", KEYS_COLUMN, keys_table[i].keys, keys_table[i].help);
}

void keyhelp_scdoc(FILE *out)
{
    for (int group = 0; group < KEYS_GROUPS; group++) {
        fprintf(out, "\n## %s\n", keys_group_name((enum key_group)group));
        for (size_t i = 0; i < keys_count; i++) {
            if (keys_table[i].group != (enum key_group)group)
                continue;
            fputs("\n*", out);
            help_escaped(out, keys_table[i].keys);
            fputs("*\n\t", out);
            help_escaped(out, keys_table[i].help);
            fputc('\n', out);
        }
    }
}

int keyhelp_command(const struct args *args, const struct bj_paths *paths)
{
    (void)paths;
    if (args_set(args, "json"))
        return report_json(as_json());
    for (int group = 0; group < KEYS_GROUPS; group++)
        print_group((enum key_group)group);
    printf("\nWhile an agent has the focus every key goes to it, but the prefix (%s), which comes "
           "back.\n",
           KEYS_DEFAULT_PREFIX);
    return report_end();
}
