#include "suite.h"

#include <string.h>

#include "tui/model/palette.h"

static struct palette palette;

static enum palette_outcome press(const char *name)
{
    struct chord chord;
    ck_assert(keys_parse(name, strlen(name), &chord));
    return palette_key(&palette, &chord);
}

static enum action best(const char *letters)
{
    palette_open(&palette);
    line_set(&palette.line, letters);
    palette_make(&palette);
    return palette.count ? palette.hit[0]->action : ACTION_NONE;
}

START_TEST(few_letters_find_it)
{
    ck_assert_int_eq(best("kill"), ACTION_KILL);
    ck_assert_int_eq(best("pa"), ACTION_PAUSE);
    ck_assert_int_eq(best("pall"), ACTION_PAUSE_ALL);
    ck_assert_int_eq(best("ru"), ACTION_RUN);
    ck_assert_int_eq(best("DETAI"), ACTION_DETAILS);
    ck_assert_int_eq(best("deta h"), ACTION_DETACH);
    ck_assert_int_eq(best("scrup"), ACTION_SCROLL_UP);
    ck_assert_int_eq(best("clipboard"), ACTION_NONE); /* of copy mode only */
    ck_assert_int_eq(best("inbox"), ACTION_REQUESTS); /* in the help */
    ck_assert_int_eq(best("zzzz"), ACTION_NONE);
}
END_TEST

START_TEST(scores)
{
    ck_assert_int_lt(palette_score("x", "pause"), 0);
    ck_assert_int_lt(palette_score("ap", "pa"), 0);
    ck_assert_int_ge(palette_score("", "pause"), 0);
    ck_assert_int_gt(palette_score("pau", "pause"), palette_score("pse", "pause"));
    ck_assert_int_gt(palette_score("list", "list"), palette_score("list", "a list of all"));
}
END_TEST

/* Whatever can be done in supervise mode is there, under its whole name. */
START_TEST(every_command_is_there)
{
    palette_open(&palette);
    size_t all = palette.count;
    ck_assert_uint_gt(all, 30);
    for (size_t i = 0; i < keys_count; i++) {
        const struct key_action *action = &keys_table[i];
        if (!(action->modes & KEYS_SUPERVISE) || action->action == ACTION_NUMBER ||
            action->action == ACTION_PALETTE)
            continue;
        ck_assert_msg(best(action->name) == action->action, "%s is hidden", action->name);
    }
}
END_TEST

START_TEST(keys)
{
    palette_open(&palette);
    press("k");
    press("i");
    ck_assert_int_eq(press("Tab"), PALETTE_STAYS);
    ck_assert_str_eq(palette.line.text, "kill");
    ck_assert_int_eq(press("Enter"), PALETTE_RUNS);
    ck_assert(!palette.open);
    palette_open(&palette);
    press("Up");
    ck_assert_uint_eq(palette.at, palette.count - 1);
    press("Down");
    ck_assert_uint_eq(palette.at, 0);
    for (int i = 0; i < 4; i++)
        press("~");
    ck_assert_uint_eq(palette.count, 0);
    press("Down");
    ck_assert_int_eq(press("Enter"), PALETTE_STAYS);
    ck_assert_int_eq(press("Escape"), PALETTE_LEAVES);
    palette_open(&palette);
    ck_assert_int_eq(press("Backspace"), PALETTE_LEAVES);
}
END_TEST

SUITE_MAIN("palette", few_letters_find_it, scores, every_command_is_there, keys)
