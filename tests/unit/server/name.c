#include "mux/server/name.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "tests/unit/server/suite.h"

START_TEST(what_a_name_may_be)
{
    struct bj_error error;
    ck_assert_int_eq(name_check("build-1_x.Y", &error), 0);
    ck_assert_int_eq(name_check("12345678901234567890123456789012", &error), 0);
    ck_assert_int_eq(name_check("123456789012345678901234567890123", &error), -EINVAL);
    ck_assert_int_eq(name_check("", &error), -EINVAL);
    ck_assert_int_eq(name_check("-a", &error), -EINVAL);
    ck_assert_int_eq(name_check(".a", &error), -EINVAL);
    ck_assert_int_eq(name_check("a b", &error), -EINVAL);
    ck_assert_int_eq(name_check("a/b", &error), -EINVAL);
    ck_assert_int_eq(name_check("a\xc3\xa4", &error), -EINVAL);
    ck_assert_int_eq(name_check("a\n", &error), -EINVAL);
}
END_TEST

static bool taken(void *argument, const char *name)
{
    return strcmp(name, "vim-1") == 0 || strcmp(name, "vim-2") == 0;
}

START_TEST(made_up_ones_are_names)
{
    static const struct {
        const char *program, *name;
    } rows[] = {
        {"/usr/bin/vim", "vim-3"},
        {"bash", "bash-1"},
        {"./...", "sandbox-1"},
        {"/", "sandbox-1"},
        {"a b;c", "abc-1"},
        {"--help", "help-1"},
        {"a-very-long-name-of-a-program-that-nobody-types", "a-very-long-name-of-a--1"},
    };
    char name[NAME_SIZE];
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        name_make(name, rows[i].program, taken, NULL);
        ck_assert_str_eq(name, rows[i].name);
        ck_assert_int_eq(name_check(name, NULL), 0);
    }
}
END_TEST

START_TEST(ids)
{
    char a[ID_SIZE], b[ID_SIZE];
    id_make(a);
    id_make(b);
    ck_assert(id_check(a));
    ck_assert_str_ne(a, b);
    ck_assert(!id_check(""));
    ck_assert(!id_check("abcdefg"));
    ck_assert(!id_check("../../.."));
    ck_assert(!id_check("ABCDEFGH"));
    ck_assert(!id_check("abcdefghi"));
}
END_TEST

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const TTest *const cases[] = {what_a_name_may_be, made_up_ones_are_names, ids, NULL};
    return suite_run("name", cases);
}
