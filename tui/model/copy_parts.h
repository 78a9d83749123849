/*
 * The parts of copy mode (copy.h): copy.c has the text, moves and keys, copy_move.c
 * moves by words and characters, copy_mark.c marks,
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

/* To the next or previous beginning or end of a word; false: the action is of another kind. */
bool copy_move_word(struct copy *copy, enum action action);
/* To the first character of the line that is no blank. */
void copy_move_indent(struct copy *copy);
/* To the bracket that belongs to the next one in the line. */
void copy_move_partner(struct copy *copy);
/* To the character that copy->sought has; `again`: as ; and , do, `turned`: the other way. */
void copy_seek(struct copy *copy, unsigned times, bool again, bool turned);
/* The word at the cursor or behind it in its line; without one, what blanks end. */
bool copy_word_here(const struct copy *copy, struct copy_hit *word, bool *whole);
/* Whether no word goes on at either end. */
bool copy_word_edge(const struct copy *copy, const struct copy_hit *hit);

/* From a place to the next hit, round the end; stays when there is none. */
void copy_find(struct copy *copy, const struct copy_place *start, bool backward);
/* To the next hit, or the one before, of what was searched last. */
void copy_search_again(struct copy *copy, bool backward, unsigned times);
/* Searches the word at the cursor. */
void copy_search_here(struct copy *copy, bool backward);
void copy_search_begin(struct copy *copy, bool backward);
void copy_search_key(struct copy *copy, const struct chord *chord);

void copy_keep_in_view(struct copy *copy, int rows, int cols);
/* The column of a byte in a line. */
int copy_column_of(const char *text, size_t byte);
void copy_select_as(struct copy *copy, enum copy_selecting how);
void copy_swap_ends(struct copy *copy);
