/*
 * The card of a request as lines of text: everything that is known of it, wrapped to a width.
 *
 * Made from the request alone, and from its details as far as they are known. All text is clean;
 * where something was cut, a line says so. The card owns its lines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tui/model/details.h"
#include "tui/model/request.h"

#define CARD_LINES_MAX 8192
#define CARD_LABEL     12 /* columns of the labels on the left */

enum card_style { CARD_CLASS, CARD_SUBJECT, CARD_TEXT, CARD_DIM, CARD_RULE, CARD_DETAIL };

struct card_line {
    enum card_style style;
    const char *label; /* or NULL; a constant */
    int indent;        /* columns before the text */
    char *text;
};

struct card {
    struct card_line *lines;
    size_t count, capacity;
    size_t head; /* lines that must have been seen before a verdict: class, subject and title */
};

/* Columns below 20 count as 20. `now` is in unix seconds. 0 or -ENOMEM. */
int card_build(struct card *card, const struct request *request, const struct details *details,
               int columns, double now, bool ascii);
/* The card of several requests of one sandbox and class, to be decided together: all of it must
 * have been seen. At least one. */
int card_build_pile(struct card *card, const struct request *const *pile, size_t count, int columns,
                    double now, bool ascii);
void card_free(struct card *card);

/* What a class means, in a sentence. */
const char *card_class_sentence(const struct request *request);
