/*
 * What an agent changed, read from the unified diff that `belljar diff` prints.
 *
 * The text was made inside a sandbox: it may be anything. Inside a hunk the numbers of its head
 * say which lines belong to it, so that a changed line that looks like a head is none; what is not
 * understood is kept as a note. Lines are cleaned (text.h) with tabs spread out. What is beyond
 * the limits is left out, and `cut` says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIFF_BYTES_MAX (8U << 20) /* of text that is kept */
#define DIFF_LINES_MAX 200000U
#define DIFF_FILES_MAX 10000U
#define DIFF_LINE_MAX  4096 /* bytes of a line; the rest is cut, with a mark */
#define DIFF_TAB       4    /* columns */

enum diff_kind { DIFF_CONTEXT, DIFF_ADDED, DIFF_REMOVED, DIFF_HUNK, DIFF_NOTE };

struct diff_line {
    enum diff_kind kind;
    uint32_t text; /* offset, see diff_text(); without the sign */
    uint32_t file;
    uint32_t old, new; /* line numbers; 0: it is not there */
};

struct diff_file {
    uint32_t name;  /* offset */
    char change;    /* A added, D deleted, R renamed, M else */
    uint32_t first; /* its first line */
    uint32_t lines; /* how many it has */
    uint32_t added, removed;
};

struct diff {
    char *text;
    size_t size, room;
    struct diff_line *lines;
    size_t count, lines_room;
    struct diff_file *files;
    size_t file_count, files_room;
    uint64_t added, removed;
    bool cut;

    /* While it is read. */
    char part[DIFF_LINE_MAX + 1]; /* a line that is not whole yet */
    size_t part_size;
    bool head;                   /* before the first hunk of a file */
    uint32_t old, new;           /* numbers of the next lines */
    uint32_t old_left, new_left; /* of the hunk */
};

void diff_free(struct diff *diff); /* empty afterwards */

/* Takes the next bytes. 0; -EFBIG when nothing more is taken, or -ENOMEM. */
int diff_add(struct diff *diff, const char *bytes, size_t size);
/* The end: a last line may have no line feed. */
int diff_end(struct diff *diff);

const char *diff_text(const struct diff *diff, uint32_t offset);

/* The bytes of a changed line that differ from the line on the other side of the change. False when
 * there is none, or too much differs for that to say anything. */
bool diff_differs(const struct diff *diff, uint32_t line, size_t *from, size_t *to);
