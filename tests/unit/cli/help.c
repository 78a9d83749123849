#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/cli/help.h"

static char *text;

static void capture(void (*print)(FILE *out))
{
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    print(out);
    ck_assert_int_eq(fclose(out), 0);
}

static void must_hold(const char *format, const char *word)
{
    char part[128];
    snprintf(part, sizeof(part), format, word);
    ck_assert_msg(strstr(text, part) != NULL, "'%s' is missing", part);
}

static const struct option_spec *option_at(const struct command_spec *command, int index)
{
    return index < COMMAND_OPTIONS_MAX && command->options[index].name ? &command->options[index]
                                                                       : NULL;
}

START_TEST(completions_hold_every_command_and_option)
{
    const struct option_spec *option;
    void (*const shells[])(FILE *) = {completions_bash, completions_zsh};
    capture(shells[_i]);
    for (const struct command_spec *command = command_table; command->name; command++) {
        if (command->hidden)
            continue;
        must_hold("    %s)\n", command->name);
        for (int i = 0; (option = option_at(command, i)); i++)
            must_hold("--%s", option->name);
    }
    ck_assert_ptr_null(strstr(text, "    completions)"));
    free(text);
}
END_TEST

START_TEST(man_page_holds_every_command_and_option)
{
    const struct option_spec *option;
    capture(help_scdoc);
    for (const struct command_spec *command = command_table; command->name; command++) {
        if (command->hidden)
            continue;
        must_hold("\n## %s\n", command->name);
        for (int i = 0; (option = option_at(command, i)); i++)
            must_hold("*--%s*", option->name);
    }
    free(text);
}
END_TEST

/* What the parser and the completions take for granted about the table. */
START_TEST(the_table_is_sound)
{
    const struct option_spec *option;
    for (const struct command_spec *command = command_table; command->name; command++) {
        ck_assert_ptr_eq(command_find(command->name), command);
        ck_assert_ptr_nonnull(command->arguments);
        ck_assert(command->run != NULL);
        ck_assert_uint_le(command->min, command->max);
        ck_assert_int_ne(command->summary[strlen(command->summary) - 1], '.');
        for (int i = 0; (option = option_at(command, i)); i++) {
            const char *where = option->name;
            bool number = option->type != OPTION_FLAG && option->type != OPTION_TEXT &&
                          option->type != OPTION_LIST;
            ck_assert_msg(option->help != NULL, "%s", where);
            ck_assert_msg((option->type == OPTION_FLAG) == (option->value == NULL), "%s", where);
            ck_assert_msg(number == (option->limit > 0), "%s %s", command->name, where);
            ck_assert_msg(option->letter != 'h' && strlen(option->name) <= 32, "%s", where);
            for (int j = 0; j < i; j++) {
                ck_assert_str_ne(command->options[j].name, option->name);
                ck_assert_msg(!option->letter || command->options[j].letter != option->letter,
                              "%s: -%c twice", command->name, option->letter);
            }
        }
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("help");
    tcase_add_loop_test(tests, completions_hold_every_command_and_option, 0, 2);
    tcase_add_test(tests, man_page_holds_every_command_and_option);
    tcase_add_test(tests, the_table_is_sound);
    return run_suite("help", tests);
}
