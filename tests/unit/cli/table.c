#include "suite.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/cli/plain.h"
#include "tui/cli/table.h"

static const struct table_column columns[] = {
    {"NAME", false}, {"N", true}, {"TEXT", false}, {NULL, false}};

static char *print(const struct table *table, bool colour, size_t limit)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(table_print(table, out, colour, limit), 0);
    fclose(out);
    return text;
}

static void row(struct table *table, const char *name, int number, const char *text)
{
    table_add(table, "31", "%s", name);
    table_add(table, NULL, "%d", number);
    table_add(table, NULL, "%s", text);
}

START_TEST(columns_are_aligned)
{
    struct table table;
    table_init(&table, columns);
    row(&table, "a", 7, "seven");
    row(&table, "漢字", 1234, "wide");
    row(&table, "e\u0301x", 10, "combining");
    row(&table, "❤️", 1, "emoji");
    char *text = print(&table, false, 0);
    ck_assert_str_eq(text, "NAME     N  TEXT\n"
                           "a        7  seven\n"
                           "漢字  1234  wide\n"
                           "e\u0301x      10  combining\n"
                           "❤️       1  emoji\n");
    free(text);
    table_free(&table);
}
END_TEST

START_TEST(colours_only_when_asked)
{
    struct table table;
    table_init(&table, columns);
    row(&table, "a", 7, "seven");
    char *text = print(&table, true, 0);
    ck_assert_ptr_nonnull(strstr(text, "\x1b[31ma\x1b[0m"));
    free(text);
    text = print(&table, false, 0);
    ck_assert_ptr_null(strchr(text, '\x1b'));
    free(text);
    table_free(&table);
}
END_TEST

START_TEST(the_last_column_is_cut)
{
    struct table table;
    table_init(&table, columns);
    row(&table, "a", 7, "漢字漢字漢字");
    char *text = print(&table, false, 14); /* NAME__N__ takes 9, 5 are left: two wide ones */
    ck_assert_ptr_nonnull(strstr(text, "a     7  漢字\n"));
    free(text);
    text = print(&table, false, 3);
    ck_assert_ptr_nonnull(strstr(text, "a     7  \n"));
    free(text);
    table_free(&table);
}
END_TEST

START_TEST(hostile_cells_are_shown_as_such)
{
    struct table table;
    table_init(&table, columns);
    row(&table, "a\nb\x1b[2J", 1, "\xc2\x9b\x7f\xff\u202e\u2028");
    char *text = print(&table, false, 0);
    ck_assert_ptr_nonnull(strstr(text, "a^Jb^[[2J  1  \\u{9b}^?\xef\xbf\xbd\\u{202e}\\u{2028}\n"));
    free(text);
    table_free(&table);
}
END_TEST

struct filtering {
    const char *in;
    unsigned flags;
    const char *out;
};

static const struct filtering filterings[] = {
    {"a\tb\n", PLAIN_LINES, "a\tb\n"},
    {"a\tb\n", 0, "a^Ib^J"},
    {"\x1b[1;38;2;1:2:3mx\x1b[0m\x1b[m", PLAIN_SGR, "\x1b[1;38;2;1:2:3mx\x1b[0m\x1b[m"},
    {"\x1b[1;31mx", 0, "^[[1;31mx"},
    {"\x1b[2J\x1b[?25l\x1b[>4m\x1b[31", PLAIN_SGR, "^[[2J^[[?25l^[[>4m^[[31"},
    {"\x1b]0;x\x07", PLAIN_SGR, "^[]0;x^G"},
    {"\x1b\x1b[0m", PLAIN_SGR, "^[\x1b[0m"},
    {"\x1b[1;20Hx\x1b[K\x1b[?25l", PLAIN_SGR, "^[[1;20Hx^[[K^[[?25l"},
    {"👩‍👧", 0, "👩‍👧"},
};

START_TEST(filter)
{
    const struct filtering *filtering = &filterings[_i];
    char *out = plain_copy(filtering->in, strlen(filtering->in), filtering->flags);
    ck_assert_str_eq(out, filtering->out);
    free(out);
}
END_TEST

START_TEST(a_nul_is_no_end)
{
    char *out = plain_copy("a\0b", 3, PLAIN_LINES);
    ck_assert_str_eq(out, "a^@b");
    free(out);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("table");
    tcase_add_test(tests, columns_are_aligned);
    tcase_add_test(tests, colours_only_when_asked);
    tcase_add_test(tests, the_last_column_is_cut);
    tcase_add_test(tests, hostile_cells_are_shown_as_such);
    tcase_add_loop_test(tests, filter, 0, (int)(sizeof(filterings) / sizeof(*filterings)));
    tcase_add_test(tests, a_nul_is_no_end);
    return run_suite("table", tests);
}
