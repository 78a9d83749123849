#include "tui/model/review_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void review_open(struct review *review, const char *id)
{
    bool split = review->split;
    review_close(review);
    review->open = true;
    review->split = split;
    snprintf(review->id, sizeof(review->id), "%s", id);
}

void review_close(struct review *review)
{
    bool split = review->split;
    diff_free(&review->diff);
    free(review->rows);
    memset(review, 0, sizeof(*review));
    review->split = split;
}

void review_fail(struct review *review, const char *why)
{
    review->state = REVIEW_FAILED;
    snprintf(review->error, sizeof(review->error), "%s", why);
}

/* ---- geometry ---- */

int review_body_rows(const struct review *review)
{
    return review->screen_rows > 2 ? review->screen_rows - 1 : 1;
}

int review_panel_cols(const struct review *review)
{
    int cols = review->screen_cols, panel = cols / 4 < 48 ? cols / 4 : 48;
    bool room = cols >= REVIEW_PANEL_COLS && (!review->split || cols - panel >= REVIEW_SPLIT_COLS);
    return room ? panel : 0;
}

int review_text_cols(const struct review *review)
{
    return review->screen_cols - review_panel_cols(review);
}

int review_number_cols(const struct review *review)
{
    uint32_t most = 999;
    int cols = 3;
    for (size_t i = 0; i < review->diff.count; i++) {
        const struct diff_line *line = &review->diff.lines[i];
        most = line->old > most ? line->old : most;
        most = line->new > most ? line->new : most;
    }
    for (; most > 999; most /= 10)
        cols++;
    return cols;
}

/* ---- rows ---- */

static void add_row(struct review *review, enum review_row_kind kind, uint32_t file, uint32_t left,
                    uint32_t right)
{
    if (review->count == review->room) {
        size_t room = review->room * 2 + 256;
        struct review_row *larger = realloc(review->rows, room * sizeof(*larger));
        if (!larger) {
            review_fail(review, "out of memory for what was changed");
            return;
        }
        review->rows = larger;
        review->room = room;
    }
    review->rows[review->count++] = (struct review_row){kind, file, left, right};
}

/* A run of removed lines and the added ones behind it stand beside each other. Returns the line
 * behind them. */
static uint32_t add_sides(struct review *review, uint32_t at, uint32_t end)
{
    const struct diff_line *lines = review->diff.lines;
    uint32_t file = lines[at].file, old = at, new;
    if (lines[at].kind == DIFF_CONTEXT) {
        add_row(review, ROW_LINE, file, at + 1, at + 1);
        return at + 1;
    }
    if (lines[at].kind != DIFF_REMOVED && lines[at].kind != DIFF_ADDED) {
        add_row(review, ROW_LINE, file, at + 1, 0);
        return at + 1;
    }
    while (at < end && lines[at].kind == DIFF_REMOVED)
        at++;
    uint32_t old_end = new = at;
    while (at < end && lines[at].kind == DIFF_ADDED)
        at++;
    while (old < old_end || new < at) {
        uint32_t left = old < old_end ? ++old : 0, right = new < at ? ++new : 0;
        add_row(review, ROW_LINE, file, left, right);
    }
    return at;
}

static void add_file(struct review *review, uint32_t number)
{
    const struct diff_file *file = &review->diff.files[number];
    uint32_t end = file->first + file->lines;
    if (review->count > 0)
        add_row(review, ROW_BLANK, number, 0, 0);
    add_row(review, ROW_FILE, number, 0, 0);
    for (uint32_t at = file->first; at < end;)
        if (review->split_shown)
            at = add_sides(review, at, end);
        else
            add_row(review, ROW_LINE, number, ++at, 0);
}

static bool same_place(const struct review_row *one, const struct review_row *other)
{
    uint32_t line = other->left ? other->left : other->right;
    if (line == 0)
        return one->kind == other->kind && one->file == other->file;
    return one->left == line || one->right == line;
}

void review_keep_inside(struct review *review)
{
    size_t rows = (size_t)review_body_rows(review);
    if (review->at >= review->count)
        review->at = review->count ? review->count - 1 : 0;
    if (review->top > review->at)
        review->top = review->at;
    if (review->at >= review->top + rows)
        review->top = review->at - rows + 1;
    if (review->top + rows > review->count)
        review->top = review->count > rows ? review->count - rows : 0;
}

void review_make_rows(struct review *review)
{
    struct review_row was = {0};
    bool any = review->at < review->count;
    if (any)
        was = review->rows[review->at];
    review->count = 0;
    review->split_shown = review->split && review_text_cols(review) >= REVIEW_SPLIT_COLS;
    bool panel = review_panel_cols(review) > 0;
    for (uint32_t i = 0; !panel && i < review->diff.file_count; i++)
        add_row(review, ROW_ENTRY, i, 0, 0);
    for (uint32_t i = 0; i < review->diff.file_count; i++)
        add_file(review, i);
    if (review->diff.cut)
        add_row(review, ROW_CUT,
                review->diff.file_count ? (uint32_t)review->diff.file_count - 1 : 0, 0, 0);
    review->at = 0;
    for (size_t i = 0; any && i < review->count; i++)
        if (same_place(&review->rows[i], &was)) {
            review->at = i;
            break;
        }
    review_keep_inside(review);
}

void review_loaded(struct review *review)
{
    review->state = REVIEW_READY;
    review_make_rows(review);
}

void review_fit(struct review *review, int rows, int cols)
{
    bool same = review->screen_rows == rows && review->screen_cols == cols;
    review->screen_rows = rows;
    review->screen_cols = cols;
    if (!same && review->state == REVIEW_READY)
        review_make_rows(review);
}

/* ---- the place ---- */

long review_file(const struct review *review)
{
    if (review->diff.file_count == 0)
        return -1;
    return review->at < review->count ? (long)review->rows[review->at].file : 0;
}

void review_place(const struct review *review, char out[REVIEW_PLACE_MAX])
{
    long file = review_file(review);
    out[0] = '\0';
    if (file < 0)
        return;
    const struct diff *diff = &review->diff;
    const struct review_row *row = &review->rows[review->at];
    const struct diff_line *left = row->left ? &diff->lines[row->left - 1] : NULL;
    const struct diff_line *right = row->right ? &diff->lines[row->right - 1] : NULL;
    uint32_t number = right && right->new ? right->new : left && left->new ? left->new : 0;
    uint32_t old = left ? left->old : 0;
    const char *name = diff_text(diff, diff->files[file].name);
    if (number)
        snprintf(out, REVIEW_PLACE_MAX, "%.*s:%u", DIFF_LINE_MAX, name, number);
    else if (old)
        snprintf(out, REVIEW_PLACE_MAX, "%.*s:-%u", DIFF_LINE_MAX, name, old);
    else
        snprintf(out, REVIEW_PLACE_MAX, "%.*s", DIFF_LINE_MAX, name);
}
