/*
 * The parts of copy mode (copy.h): copy.c has the text, moves and keys, copy_mark.c marks,
 * copy_link.c links and words to open, copy_search.c the search, copy_select.c the selection.
 */
#pragma once

#include "tui/model/copy.h"

/* The place of a byte of the text. */
struct copy_place copy_place(const struct copy *copy, size_t byte);
/* The last line that soft wraps make one with this one. */
size_t copy_joined_last(const struct copy *copy, size_t line);

/* The byte of the line behind the character there, and behind its marks. */
size_t copy_behind(const struct copy *copy, const struct copy_place *place);

/* Keeps a link, whose place is in the clean text. -ENOMEM. */
int copy_link_add(struct copy *copy, const struct copy_link *link);

/* To the next marked line, or the one before. */
void copy_jump(struct copy *copy, enum copy_mark mark, bool up);

/* From a place to the next hit, round the end; stays when there is none. */
void copy_find(struct copy *copy, const struct copy_place *start, bool backward);
void copy_search_begin(struct copy *copy, bool backward);
void copy_search_key(struct copy *copy, const struct chord *chord);

/* The column of a byte in a line. */
int copy_column_of(const char *text, size_t byte);
void copy_select_as(struct copy *copy, enum copy_selecting how);
void copy_swap_ends(struct copy *copy);
