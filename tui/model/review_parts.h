/*
 * The parts of the review (review.h): review.c has its rows and sizes, review_keys.c what keys do.
 */
#pragma once

#include "tui/model/review.h"

/* Makes the rows for the screen's size; the cursor stays on the line that it is on. */
void review_make_rows(struct review *review);
/* The cursor is on a row, and that row on the screen. */
void review_keep_inside(struct review *review);
