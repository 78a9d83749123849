#include "suite.h"

#include <string.h>

#include "tui/model/review.h"

static struct review review;

static const char text[] = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n one\n-two\n"
                           "+TWO two\n three\n@@ -10 +10,2 @@\n ten\n+eleven\n"
                           "diff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,2 +0,0 @@\n-x\n-y\n";

static void open_at(int rows, int cols)
{
    review_open(&review, "id");
    ck_assert_int_eq(diff_add(&review.diff, text, strlen(text)), 0);
    review_fit(&review, rows, cols);
    review_loaded(&review);
    ck_assert_int_eq(review.state, REVIEW_READY);
}

static enum review_outcome press(const char *name)
{
    struct chord chord;
    ck_assert(keys_parse(name, strlen(name), &chord));
    enum review_outcome outcome = review_key(&review, &chord);
    size_t rows = (size_t)review_body_rows(&review);
    ck_assert(review.count == 0 || review.at < review.count);
    ck_assert(review.top <= review.at && review.at < review.top + rows);
    return outcome;
}

static void place_is(const char *wanted)
{
    char place[REVIEW_PLACE_MAX];
    review_place(&review, place);
    ck_assert_str_eq(place, wanted);
}

START_TEST(the_list_leads_to_the_files)
{
    open_at(10, 80);
    ck_assert_int_eq(review.rows[0].kind, ROW_ENTRY);
    ck_assert_int_eq(review.rows[1].kind, ROW_ENTRY);
    ck_assert_int_eq(review.rows[2].kind, ROW_BLANK);
    place_is("a");
    press("j");
    place_is("b");
    press("Enter");
    ck_assert_int_eq(review.rows[review.at].kind, ROW_FILE);
    place_is("b");
    press("S-Tab");
    place_is("a");
    ck_assert_int_eq(review.rows[review.at].kind, ROW_FILE);
    /* Wide enough for a panel, the list is not needed. */
    review_fit(&review, 10, 160);
    ck_assert_int_eq(review.rows[0].kind, ROW_FILE);
    place_is("a");
    review_close(&review);
}
END_TEST

START_TEST(hunks_and_places)
{
    open_at(10, 80);
    press("]");
    press("j");
    place_is("a:1");
    press("j");
    place_is("a:-2"); /* a line that is gone has its old number */
    press("j");
    place_is("a:2");
    press("]");
    press("j");
    place_is("a:10");
    press("]");
    press("]"); /* there is no other */
    place_is("b");
    press("[");
    press("j");
    place_is("a:10");
    press("G");
    place_is("b:-2");
    press("g");
    place_is("a");
    review_close(&review);
}
END_TEST

START_TEST(sides_stand_beside_each_other)
{
    open_at(20, 79);
    ck_assert_int_eq(press("s"), REVIEW_NARROW);
    ck_assert(!review.split);
    review_fit(&review, 20, 200);
    for (int i = 0; i < 3; i++)
        press("j"); /* the removed line */
    place_is("a:-2");
    size_t unified = review.count;
    ck_assert_int_eq(press("s"), REVIEW_STAYS);
    ck_assert(review.split_shown);
    ck_assert_uint_eq(review.count, unified - 1); /* -two and +TWO share a row */
    place_is("a:2");
    const struct review_row *row = &review.rows[review.at];
    ck_assert_int_eq(review.diff.lines[row->left - 1].kind, DIFF_REMOVED);
    ck_assert_int_eq(review.diff.lines[row->right - 1].kind, DIFF_ADDED);
    /* Too narrow now; wide again, it is as it was wanted. */
    review_fit(&review, 20, 70);
    ck_assert(review.split && !review.split_shown);
    review_fit(&review, 20, 200);
    ck_assert(review.split_shown);
    /* The wish stays for the next review. */
    open_at(20, 200);
    ck_assert(review.split_shown);
    review_close(&review);
    review.split = false;
}
END_TEST

START_TEST(search_finds_and_comes_back)
{
    open_at(6, 80);
    press("/");
    press("t");
    press("w");
    press("o");
    ck_assert_uint_eq(review.hits, 3);
    place_is("a:-2");
    press("Enter");
    press("n");
    place_is("a:2");
    press("n");
    place_is("a:-2");
    press("N");
    place_is("a:2");
    press("/");
    press("T");
    press("W");
    ck_assert_uint_eq(review.hits, 1);
    press("q"); /* typed, no command */
    ck_assert_uint_eq(review.hits, 0);
    press("Escape");
    place_is("a:2");
    ck_assert_str_eq(review.pattern, "");
    press("n");
    place_is("a:2");
    review_close(&review);
}
END_TEST

START_TEST(without_changes_nothing_but_leaving)
{
    review_open(&review, "id");
    review_fit(&review, 20, 80);
    static const char *const all[] = {"j", "k", "G",   "g", "Tab", "S-Tab", "]", "[",
                                      "s", "/", "Esc", "n", "N",   "c",     "p", "Enter"};
    for (int state = 0; state < 3; state++) {
        if (state == 1)
            review_loaded(&review);
        else if (state == 2)
            review_fail(&review, "why not");
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            struct chord chord;
            if (keys_parse(all[i], strlen(all[i]), &chord))
                ck_assert_int_eq(review_key(&review, &chord), REVIEW_STAYS);
        }
        ck_assert(!review.searching);
        place_is("");
        struct chord reload = {.key = "r"}, leave = {.key = "q"};
        ck_assert_int_eq(review_key(&review, &reload), state ? REVIEW_RELOADS : REVIEW_STAYS);
        ck_assert_int_eq(review_key(&review, &leave), REVIEW_LEAVES);
    }
    ck_assert_str_eq(review.error, "why not");
    review_close(&review);
    review_close(&review);
}
END_TEST

START_TEST(outcomes)
{
    open_at(20, 80);
    ck_assert_int_eq(press("c"), REVIEW_COMMENTS);
    ck_assert_int_eq(press("p"), REVIEW_PULLS);
    ck_assert_int_eq(press("?"), REVIEW_HELPS);
    ck_assert_int_eq(press("r"), REVIEW_RELOADS);
    ck_assert_int_eq(press("q"), REVIEW_LEAVES);
    press("l");
    ck_assert_int_gt(review.left, 0);
    press("h");
    press("h");
    ck_assert_int_eq(review.left, 0);
    review_move(&review, -100);
    ck_assert_uint_eq(review.at, 0);
    review_close(&review);
}
END_TEST

SUITE_MAIN("review", the_list_leads_to_the_files, hunks_and_places, sides_stand_beside_each_other,
           search_finds_and_comes_back, without_changes_nothing_but_leaving, outcomes)
