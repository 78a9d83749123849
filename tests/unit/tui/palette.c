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
    return palette.count ? palette.hit[0].action : ACTION_NONE;
}

/* What Enter does with it. */
static enum palette_outcome enter(const char *letters)
{
    best(letters);
    return press("Enter");
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

START_TEST(beginnings_of_words)
{
    ck_assert(palette_begins("pall", "pause --all"));
    ck_assert(palette_begins("scrup", "scroll up"));
    ck_assert(palette_begins("su", "scroll up"));
    ck_assert(palette_begins("rm all", "rm --all-exited"));
    ck_assert(palette_begins("", "pause"));
    ck_assert(!palette_begins("pull", "pause --all"));
    ck_assert(!palette_begins("ause", "pause"));
    ck_assert(!palette_begins("pausex", "pause"));
}
END_TEST

/* Letters that are just anywhere run nothing until the human has chosen. */
START_TEST(scattered_letters_wait_for_a_choice)
{
    ck_assert_int_eq(enter("ll"), PALETTE_UNSURE); /* kill, pause --all, ... */
    ck_assert(palette.open && palette.count > 1 && !palette.chosen);
    ck_assert_int_eq(enter("inbox"), PALETTE_UNSURE); /* a word of a help */
    ck_assert_int_eq(press("Down"), PALETTE_STAYS);
    ck_assert(palette.chosen && palette.at == 0);
    ck_assert_int_eq(press("Enter"), PALETTE_RUNS);
    ck_assert_int_eq(palette.hit[palette.at].action, ACTION_REQUESTS);
    best("ll");
    press("Up");
    ck_assert_uint_eq(palette.at, palette.count - 1);
    best("pull");
    ck_assert_int_eq(palette.hit[0].action, ACTION_PULL);
    ck_assert_int_eq(enter("pull"), PALETTE_RUNS);
    ck_assert_int_eq(enter("pul"), PALETTE_RUNS);
    ck_assert_int_eq(enter("pall"), PALETTE_RUNS);
    ck_assert_int_eq(enter("zzzz"), PALETTE_UNSURE);
}
END_TEST

START_TEST(a_name_takes_what_stands_behind_it)
{
    ck_assert_int_eq(best("kill web"), ACTION_KILL);
    ck_assert_uint_eq(palette.count, 1);
    ck_assert_str_eq(palette.argument, "web");
    ck_assert(palette.chosen);
    ck_assert_int_eq(best("kill "), ACTION_KILL);
    ck_assert_str_eq(palette.argument, "");
    ck_assert_int_eq(best("run again"), ACTION_AGAIN);
    ck_assert_int_eq(best("run ag"), ACTION_AGAIN);
    ck_assert_int_eq(best("run -n x make"), ACTION_RUN);
    ck_assert_str_eq(palette.argument, "-n x make");
    ck_assert_int_eq(best("pause --all"), ACTION_PAUSE_ALL);
    ck_assert_str_eq(palette.argument, "");
    ck_assert_int_eq(best("rename old new"), ACTION_RENAME);
    ck_assert_str_eq(palette.argument, "old new");
    ck_assert_int_eq(best("kilt web"), ACTION_NONE);
    ck_assert_uint_eq(palette.count, 0);
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
    ck_assert_int_eq(press("Enter"), PALETTE_UNSURE);
    ck_assert_int_eq(press("Escape"), PALETTE_LEAVES);
    palette_open(&palette);
    ck_assert_int_eq(press("Backspace"), PALETTE_LEAVES);
}
END_TEST

SUITE_MAIN("palette", few_letters_find_it, scores, beginnings_of_words,
           scattered_letters_wait_for_a_choice, a_name_takes_what_stands_behind_it,
           every_command_is_there, keys)
