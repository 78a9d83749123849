#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/model/review_parts.h"
#include "tui/model/search.h"

#define SIDE_STEP 8 /* columns that the text moves to the side */

/* ---- moving ---- */

void review_move(struct review *review, long long rows)
{
    long long at = (long long)review->at + rows;
    review->at = at < 0 ? 0 : (size_t)at;
    review_keep_inside(review);
}

static bool is_hunk(const struct review *review, const struct review_row *row)
{
    return row->kind == ROW_LINE && row->left &&
           review->diff.lines[row->left - 1].kind == DIFF_HUNK;
}

/* The next row of a kind, which then stands at the top. Without one, nothing moves. */
static void jump(struct review *review, bool file, int step)
{
    size_t at = review->at;
    while (step > 0 ? at + 1 < review->count : at > 0) {
        at = step > 0 ? at + 1 : at - 1;
        const struct review_row *row = &review->rows[at];
        if (file ? row->kind == ROW_FILE : is_hunk(review, row)) {
            review->at = review->top = at;
            review_keep_inside(review);
            return;
        }
    }
}

/* From the list of files to the file. */
static void enter(struct review *review)
{
    if (review->at >= review->count || review->rows[review->at].kind != ROW_ENTRY)
        return;
    uint32_t file = review->rows[review->at].file;
    for (size_t i = review->at; i < review->count; i++)
        if (review->rows[i].kind == ROW_FILE && review->rows[i].file == file) {
            review->at = review->top = i;
            review_keep_inside(review);
            return;
        }
}

/* ---- search ---- */

static const char *row_side(const struct review *review, uint32_t line)
{
    return line ? diff_text(&review->diff, review->diff.lines[line - 1].text) : "";
}

static size_t row_hits(const struct review *review, const struct review_row *row)
{
    if (row->kind == ROW_FILE)
        return search_count(diff_text(&review->diff, review->diff.files[row->file].name),
                            review->pattern);
    if (row->kind != ROW_LINE)
        return 0;
    size_t hits = search_count(row_side(review, row->left), review->pattern);
    if (row->right && row->right != row->left)
        hits += search_count(row_side(review, row->right), review->pattern);
    return hits;
}

/* Moves to a row; one that was not on the screen comes into its middle. */
static void go_to(struct review *review, size_t at)
{
    size_t rows = (size_t)review_body_rows(review);
    review->at = at;
    if (at < review->top || at >= review->top + rows)
        review->top = at > rows / 2 ? at - rows / 2 : 0;
    review_keep_inside(review);
}

static void find(struct review *review, size_t from, int step)
{
    size_t at = from;
    for (size_t i = 0; i < review->count; i++) {
        at = (at + (step > 0 ? 1 : review->count - 1)) % review->count;
        if (row_hits(review, &review->rows[at]) > 0) {
            go_to(review, at);
            return;
        }
    }
}

static void search_key(struct review *review, const struct chord *chord)
{
    enum action action = keys_find(KEYS_LINE, chord);
    if (action == ACTION_LINE_LEAVE || action == ACTION_LINE_ENTER) {
        review->searching = false;
        if (action == ACTION_LINE_ENTER)
            return;
        line_set(&review->search, "");
    } else {
        line_key(&review->search, chord);
    }
    snprintf(review->pattern, sizeof(review->pattern), "%s", review->search.text);
    review->hits = 0;
    for (size_t i = 0; i < review->count && review->pattern[0]; i++)
        review->hits += row_hits(review, &review->rows[i]);
    review->at = review->from;
    if (review->hits > 0)
        find(review, review->from ? review->from - 1 : review->count - 1, 1);
    review_keep_inside(review);
}

/* ---- keys ---- */

static void move_aside(struct review *review, int by)
{
    review->left += by;
    if (review->left < 0)
        review->left = 0;
    if (review->left > DIFF_LINE_MAX)
        review->left = DIFF_LINE_MAX;
}

static enum review_outcome toggle_sides(struct review *review)
{
    if (!review->split && review->screen_cols < REVIEW_SPLIT_COLS)
        return REVIEW_NARROW;
    review->split = !review->split;
    review->left = 0;
    review_make_rows(review);
    return REVIEW_STAYS;
}

static void look_around(struct review *review, enum action action)
{
    int page = review_body_rows(review);
    switch (action) {
    case ACTION_REVIEW_UP:
        review_move(review, -1);
        break;
    case ACTION_REVIEW_DOWN:
        review_move(review, 1);
        break;
    case ACTION_REVIEW_PAGE_UP:
        review_move(review, page > 2 ? 1 - page : -1);
        break;
    case ACTION_REVIEW_PAGE_DOWN:
        review_move(review, page > 2 ? page - 1 : 1);
        break;
    case ACTION_REVIEW_TOP:
        review_move(review, -(long long)review->count);
        break;
    case ACTION_REVIEW_BOTTOM:
        review_move(review, (long long)review->count);
        break;
    case ACTION_REVIEW_LEFT:
        move_aside(review, -SIDE_STEP);
        break;
    case ACTION_REVIEW_RIGHT:
        move_aside(review, SIDE_STEP);
        break;
    case ACTION_REVIEW_FILE_NEXT:
    case ACTION_REVIEW_FILE_PREVIOUS:
        jump(review, true, action == ACTION_REVIEW_FILE_NEXT ? 1 : -1);
        break;
    case ACTION_REVIEW_HUNK_NEXT:
    case ACTION_REVIEW_HUNK_PREVIOUS:
        jump(review, false, action == ACTION_REVIEW_HUNK_NEXT ? 1 : -1);
        break;
    case ACTION_REVIEW_ENTER:
        enter(review);
        break;
    case ACTION_REVIEW_HIT_NEXT:
    case ACTION_REVIEW_HIT_PREVIOUS:
        if (review->hits > 0)
            find(review, review->at, action == ACTION_REVIEW_HIT_NEXT ? 1 : -1);
        break;
    case ACTION_REVIEW_SEARCH:
        review->searching = true;
        review->from = review->at;
        line_set(&review->search, "");
        break;
    default:
        break;
    }
}

enum review_outcome review_key(struct review *review, const struct chord *chord)
{
    if (review->searching) {
        search_key(review, chord);
        return REVIEW_STAYS;
    }
    enum action action = keys_find(KEYS_REVIEW, chord);
    bool any = review->state == REVIEW_READY && review->count > 0;
    switch (action) {
    case ACTION_REVIEW_LEAVE:
        return REVIEW_LEAVES;
    case ACTION_REVIEW_RELOAD:
        return review->state == REVIEW_LOADING ? REVIEW_STAYS : REVIEW_RELOADS;
    case ACTION_REVIEW_HELP:
        return REVIEW_HELPS;
    case ACTION_REVIEW_SPLIT:
        return any ? toggle_sides(review) : REVIEW_STAYS;
    case ACTION_REVIEW_PULL:
        return any ? REVIEW_PULLS : REVIEW_STAYS;
    case ACTION_REVIEW_COMMENT:
        return any ? REVIEW_COMMENTS : REVIEW_STAYS;
    default:
        if (any)
            look_around(review, action);
        return REVIEW_STAYS;
    }
}
