#include "suite.h"

#include <string.h>

#include "transport/api.h"
#include "tui/model/picture.h"
#include "tui/model/player.h"

static struct player player;

static const struct player_mark marks[] = {
    {2, MARK_REQUEST, "asks"},
    {2.01, MARK_ALLOWED, "allowed"},
    {50, MARK_ALERT, "alert"},
    {99, MARK_STATE, "exited"},
};

static void setup(void)
{
    player_open(&player, "id");
    player_ready(&player, 1000, 100, marks, 4);
    player.behind = false;
}

static enum player_outcome press(const char *name)
{
    struct chord chord;
    ck_assert(keys_parse(name, strlen(name), &chord));
    enum player_outcome outcome = player_key(&player, &chord);
    ck_assert(player.time >= 0 && player.time <= player.end);
    return outcome;
}

static void at(double time)
{
    ck_assert_double_eq_tol(player.time, time, 0.001);
}

START_TEST(time_passes_at_the_speed)
{
    setup();
    player_advance(&player, 0.5, 1);
    at(0.5);
    press("+");
    player_advance(&player, 0.5, 2);
    at(1.5);
    press("Space");
    player_advance(&player, 5, 2);
    at(1.5);
    press("Space");
    for (int i = 0; i < 10; i++)
        press("+");
    ck_assert_double_eq(player.speed, 16);
    for (int i = 0; i < 10; i++)
        press("-");
    ck_assert_double_eq(player.speed, 0.5);
    player_advance(&player, 1, 2);
    at(2);
    player.behind = true; /* the picture comes first */
    player_advance(&player, 1, 3);
    at(2);
}
END_TEST

/* A silence is as long as wished; what is marked in it is not passed over. */
START_TEST(silences_are_short)
{
    setup();
    player.time = 3;
    player_advance(&player, 0, 200);
    at(48);
    player_advance(&player, 3, 200);
    at(51);
    player_advance(&player, 0, -1);
    at(97);
    player_advance(&player, 10, -1);
    at(100);
    ck_assert(player_over(&player));
    setup();
    player.idle = 0;
    player.time = 3;
    player_advance(&player, 1, 40);
    at(4);
}
END_TEST

START_TEST(jumps)
{
    setup();
    press("Right");
    at(10);
    ck_assert(player.behind);
    press("Left");
    press("Left");
    at(0);
    press("n");
    at(2);
    press("n");
    at(50); /* the one at the same moment is no other place */
    press("Space");
    press("N");
    at(2.01);
    press("N");
    at(2.01); /* there is none before that could be told from it */
    press("n");
    press("n");
    at(99);
    press("n");
    at(99);
    press("G");
    at(100);
    press("g");
    at(0);
    press("G");
    press("Space"); /* again */
    at(0);
    ck_assert(!player.paused);
    ck_assert_int_eq(press("?"), PLAYER_HELPS);
    ck_assert_int_eq(press("q"), PLAYER_LEAVES);
}
END_TEST

START_TEST(finer_and_wider_jumps)
{
    setup();
    press("5");
    at(50);
    press("9");
    at(90);
    press("S-Left");
    at(30);
    press("L");
    at(90);
    press("0");
    at(0);
    ck_assert(!player.paused);
    press(".");
    press(".");
    ck_assert_int_eq(player.outputs, 2); /* whoever has the outputs knows where that is */
    press(",");
    ck_assert_int_eq(player.outputs, 1);
    player_stop_at(&player, 7);
    at(7);
    ck_assert(player.paused && player.behind && player.outputs == 0);
    ck_assert_int_eq(press("s"), PLAYER_EXPORTS);
}
END_TEST

/* The run before may not be there: the same key leaves it. */
START_TEST(the_run_before)
{
    setup();
    ck_assert_int_eq(press("p"), PLAYER_RELOADS);
    player_other_run(&player);
    ck_assert(player.open && player.previous && player.state == PLAYER_LOADING);
    ck_assert_str_eq(player.id, "id");
    player_fail(&player, "there is none");
    ck_assert_int_eq(press("s"), PLAYER_STAYS);
    ck_assert_int_eq(press("p"), PLAYER_RELOADS);
    player_other_run(&player);
    ck_assert(!player.previous);
}
END_TEST

START_TEST(the_bar_shows_what_matters)
{
    enum mark_kind columns[101];
    setup();
    player_bar(&player, columns, 101);
    ck_assert_int_eq(columns[2], MARK_REQUEST); /* more than the verdict beside it */
    ck_assert_int_eq(columns[50], MARK_ALERT);
    ck_assert_int_eq(columns[99], MARK_STATE);
    ck_assert_int_eq(columns[3], MARK_NONE);
    ck_assert_int_eq(player_column(&player, 100, 101), 100);
    ck_assert_int_eq(player_column(&player, 1e9, 101), 100);
    ck_assert_int_eq(player_column(&player, 5, 0), 0);
    player_bar(&player, columns, 1);
    ck_assert_int_eq(columns[0], MARK_REQUEST);
    player.time = 2;
    ck_assert_str_eq(player_near(&player)->text, marks[0].text); /* not the one 10 ms later */
    player.time = 52;
    ck_assert_str_eq(player_near(&player)->text, "alert");
    player.time = 60;
    ck_assert_ptr_null(player_near(&player));
    char clock[16];
    player_clock(3723.9, clock);
    ck_assert_str_eq(clock, "1:02:03");
    player_clock(-1, clock);
    ck_assert_str_eq(clock, "0:00");
}
END_TEST

START_TEST(nothing_to_play)
{
    player_open(&player, "id");
    press("n");
    press("Right");
    player_advance(&player, 1, -1);
    at(0);
    player_fail(&player, "why not");
    press("Space");
    ck_assert(!player.paused);
    ck_assert_int_eq(press("q"), PLAYER_LEAVES);
    player_open(&player, "id");
    player_ready(&player, 0, 0, NULL, 0);
    press("n");
    press("N");
    press("G");
    ck_assert_int_eq(player_column(&player, 0, 80), 0);
}
END_TEST

START_TEST(a_picture_believes_nobody)
{
    struct picture picture = {0};
    ck_assert_int_lt(picture_resize(&picture, 0, 10), 0);
    ck_assert_int_lt(picture_resize(&picture, 10, PICTURE_COLS_MAX + 1), 0);
    ck_assert_int_eq(picture_resize(&picture, 2, 3), 0);
    picture_set(&picture, 5, 0, "x", 1, 0, 0, 0);
    picture_set(&picture, 0, -1, "x", 1, 0, 0, 0);
    picture_set(&picture, 0, 0, "\x1b", 1, 0, 0, BJ_ATTR_BOLD);
    ck_assert_ptr_null(strchr(picture.cells[0].text, '\x1b'));
    picture_set(&picture, 0, 1, "\xe2\x80\xae", 3, 0, 0, 0);
    ck_assert_ptr_null(strstr(picture.cells[1].text, "\xe2\x80\xae"));
    picture_set(&picture, 0, 0, "ab", 2, 0, 0, 0); /* no cell holds two */
    ck_assert(!picture.cells[0].text[0] || !picture.cells[0].text[1]);
    picture_set(&picture, 0, 2, "\xe6\xbc\xa2", 3, 0, 0, 0); /* half of it would be outside */
    ck_assert_str_eq(picture.cells[2].text, "");
    picture_free(&picture);
}
END_TEST

SUITE_MAIN("player", time_passes_at_the_speed, silences_are_short, jumps, finer_and_wider_jumps,
           the_run_before, the_bar_shows_what_matters, nothing_to_play, a_picture_believes_nobody)
