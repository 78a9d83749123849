#include "suite.h"

#include <string.h>

#include "transport/api.h"
#include "tui/keymap.h"

static struct chord chord(const char *name)
{
    struct chord out;
    ck_assert_msg(keys_parse(name, strlen(name), &out), "%s is no key", name);
    return out;
}

START_TEST(every_binding_is_a_key)
{
    for (size_t i = 0; i < keys_count; i++) {
        ck_assert(keys_table[i].name && keys_table[i].help && keys_table[i].modes);
        ck_assert_uint_gt(strlen(keys_table[i].keys), 0);
        for (const char *at = keys_table[i].keys; *at;) {
            size_t size = strcspn(at, " ");
            struct chord bound;
            ck_assert_msg(keys_parse(at, size, &bound), "%s", keys_table[i].keys);
            at += size + (at[size] == ' ');
        }
    }
}
END_TEST

START_TEST(no_key_means_two_things)
{
    for (int mode = KEYS_SUPERVISE; mode < KEYS_MODES_END; mode *= 2)
        for (size_t i = 0; i < keys_count; i++) {
            if (!(keys_table[i].modes & (unsigned)mode))
                continue;
            for (const char *at = keys_table[i].keys; *at;) {
                size_t size = strcspn(at, " ");
                struct chord bound;
                keys_parse(at, size, &bound);
                ck_assert_msg(keys_find((enum key_mode)mode, &bound) == keys_table[i].action,
                              "%.*s in %s is taken", (int)size, at, keys_table[i].name);
                at += size + (at[size] == ' ');
            }
        }
}
END_TEST

START_TEST(actions_are_there_once)
{
    for (size_t i = 0; i < keys_count; i++)
        ck_assert_ptr_eq(keys_action(keys_table[i].action), &keys_table[i]);
    ck_assert_ptr_null(keys_action(ACTION_NONE));
}
END_TEST

/* The prefix is bound to nothing: it would be lost. */
START_TEST(the_prefix_is_free)
{
    struct chord prefix = chord(KEYS_DEFAULT_PREFIX);
    ck_assert_int_eq(keys_find(KEYS_SUPERVISE, &prefix), ACTION_NONE);
    ck_assert_int_eq(keys_find(KEYS_LIST, &prefix), ACTION_NONE);
}
END_TEST

START_TEST(names_go_both_ways)
{
    static const char *const names[] = {"a",     "A",   "F1",     "F12",     "F24",      "C-]",
                                        "C-\\",  "M-x", "C-M-a",  "S-Tab",   "PageDown", "Enter",
                                        "Space", "-",   "\u00e9", "C-S-Left"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct chord key = chord(names[i]);
        char out[40];
        keys_name(&key, out, sizeof(out));
        ck_assert_str_eq(out, names[i]);
    }
    struct chord key = chord("C-]");
    ck_assert_str_eq(key.key, "]");
    ck_assert_uint_eq(key.mods, BJ_MOD_CTRL);
    key = chord("enter");
    ck_assert_str_eq(key.key, "enter");
}
END_TEST

START_TEST(what_is_no_key)
{
    static const char *const names[] = {
        "", "ab", "F0", "F25", "F1x", "C-", "\x1b", "Return!", "a-very-long-name-that-no-key-has"};
    struct chord key;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_msg(!keys_parse(names[i], strlen(names[i]), &key), "%s", names[i]);
}
END_TEST

SUITE_MAIN("keys", every_binding_is_a_key, no_key_means_two_things, actions_are_there_once,
           the_prefix_is_free, names_go_both_ways, what_is_no_key)
