#include "suite.h"

#include <errno.h>
#include <string.h>

#include "transport/api.h"
#include "tui/cli/keyname.h"

struct reading {
    const char *text;
    const char *key; /* NULL: refused */
    unsigned mods;
};

static const struct reading readings[] = {
    {"Enter", "enter", 0},
    {"enter", "enter", 0},
    {"Escape", "escape", 0},
    {"Space", " ", 0},
    {"C-c", "c", BJ_MOD_CTRL},
    {"C-C", "c", BJ_MOD_CTRL},
    {"^C", "c", BJ_MOD_CTRL},
    {"^", "^", 0},
    {"M-x", "x", BJ_MOD_ALT},
    {"M-X", "X", BJ_MOD_ALT},
    {"C-M-S-Up", "up", BJ_MOD_CTRL | BJ_MOD_ALT | BJ_MOD_SHIFT},
    {"S-Tab", "tab", BJ_MOD_SHIFT},
    {"BTab", "tab", BJ_MOD_SHIFT},
    {"PPage", "pageup", 0},
    {"NPage", "pagedown", 0},
    {"DC", "delete", 0},
    {"BSpace", "backspace", 0},
    {"F1", "f1", 0},
    {"f12", "f12", 0},
    {"S-F24", "f24", BJ_MOD_SHIFT},
    {"F", "F", 0},
    {"-", "-", 0},
    {"C--", "-", BJ_MOD_CTRL},
    {"a", "a", 0},
    {"A", "A", 0},
    {"ü", "ü", 0},
    {"漢", "漢", 0},
    {"F25", NULL, 0},
    {"F0", NULL, 0},
    {"F1x", NULL, 0},
    {"", NULL, 0},
    {"ab", NULL, 0},
    {"C-", NULL, 0},
    {"C-ab", NULL, 0},
    {"X-a", NULL, 0},
    {"\x1b", NULL, 0},
    {"\x7f", NULL, 0},
    {"\xc2\x9b", NULL, 0},
    {"\xff", NULL, 0},
};

START_TEST(names)
{
    const struct reading *reading = &readings[_i];
    struct bj_error error = {0};
    struct keyname key;
    int status = keyname_parse(reading->text, &key, &error);
    if (!reading->key) {
        ck_assert_int_eq(status, -EINVAL);
        ck_assert_ptr_nonnull(strstr(error.text, "no key is called"));
        return;
    }
    ck_assert_msg(status == 0, "'%s': %s", reading->text, error.text);
    ck_assert_str_eq(key.key, reading->key);
    ck_assert_uint_eq(key.mods, reading->mods);
}
END_TEST

START_TEST(suggests_the_nearest)
{
    struct bj_error error = {0};
    struct keyname key;
    ck_assert_int_eq(keyname_parse("Entre", &key, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "did you mean Enter?"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("keyname");
    tcase_add_loop_test(tests, names, 0, (int)(sizeof(readings) / sizeof(*readings)));
    tcase_add_test(tests, suggests_the_nearest);
    return run_suite("keyname", tests);
}
