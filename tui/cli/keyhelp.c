#include "tui/cli/keyhelp.h"

#include <string.h>

#include "tui/cli/help.h"
#include "tui/cli/report.h"
#include "tui/config.h"

#define KEYS_COLUMN   22
#define OPTION_COLUMN 20
#define WIDE          108 /* columns from which the options' names are shown, too */

static json_t *bindings(const struct key_action *action)
{
    json_t *modes = json_object();
    for (unsigned mode = 1; modes && mode < KEYS_MODES_END; mode *= 2) {
        struct keys_text keys = keys_of(mode, action->action);
        if (keys.text[0])
            json_object_set_new(modes, keys_mode_name((enum key_mode)mode), json_string(keys.text));
    }
    return modes;
}

static json_t *as_json(void)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < keys_count; i++) {
        const struct key_action *action = &keys_table[i];
        char option[KEYS_OPTION_MAX];
        keys_option_name(action, option);
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:o,s:s,s:s}", "action", action->name, "option", option,
                            "keys", keys_of(0, action->action).text, "bindings", bindings(action),
                            "group", keys_group_name(action->group), "help", action->help));
    }
    return list;
}

/* One line for each set of modes in which the action has the same keys. */
static void print_action(const struct key_action *action, bool wide)
{
    char option[KEYS_OPTION_MAX];
    struct keys_text last = {"-"};
    keys_option_name(action, option);
    for (unsigned mode = 1; mode < KEYS_MODES_END; mode *= 2) {
        struct keys_text keys = keys_of(mode, action->action);
        bool own = (action->modes & mode) != 0;
        if ((!own && !keys.text[0]) || strcmp(keys.text, last.text) == 0)
            continue;
        last = keys;
        printf("  %-*s ", KEYS_COLUMN, keys.text[0] ? keys.text : "-");
        if (wide)
            printf("%-*s ", OPTION_COLUMN, option);
        printf("%s%s\n", action->help, mode == KEYS_PREFIX && !own ? " (behind the prefix)" : "");
    }
}

static void print_group(enum key_group group, bool wide)
{
    printf("%s%s\n", group ? "\n" : "", keys_group_name(group));
    for (size_t i = 0; i < keys_count; i++)
        if (keys_table[i].group == group && (keys_prefixed() || keys_table[i].modes != KEYS_PREFIX))
            print_action(&keys_table[i], wide);
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
    struct bj_error error = {0};
    struct config config;
    if (config_load(&config, paths, &error) < 0)
        return report_error(&error);
    keymap_use(&config.keys);
    if (args_set(args, "json"))
        return report_json(as_json());
    size_t columns = report_columns(stdout);
    for (int group = 0; group < KEYS_GROUPS; group++)
        print_group((enum key_group)group, columns == 0 || columns >= WIDE);
    char prefix[40];
    keys_name(&config.prefix, prefix, sizeof(prefix));
    printf("\nWhile an agent has the focus every key goes to it, but the prefix (%s)", prefix);
    if (config.keys.prefixed)
        printf(", which waits for one of the keys above;\n%s leads to supervise mode.\n",
               keys_way_out(&config.prefix).text);
    else
        puts(", which comes back.");
    return report_end();
}
