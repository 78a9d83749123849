/*
 * The form of policy files: a subset of UCL (the universal configuration language).
 *
 *   name = value;   name: value   name value      ; or , or the line's end behind each
 *   name { ... }    name word { ... }             a section, with or without a name of its own
 *   [ a, b ]        lists of values               # and C comments
 *   "text" with JSON's escapes, 'text' as it is, or a bare word up to the end of the value
 *
 * Macros (.include), variables and heredocs are refused by name: a policy is what stands in its
 * file. Every node knows its line. Bounded: DOCUMENT_* below. Only the tree is built here; what
 * names mean is mux/policy/schema.c's business.
 */
#pragma once

#include <stddef.h>

#include "transport/error.h"

#define DOCUMENT_BYTES_MAX (1024 * 1024)
#define DOCUMENT_NODES_MAX 20000
#define DOCUMENT_DEPTH_MAX 8
#define DOCUMENT_TEXT_MAX  4096 /* bytes of one name or value */

enum document_kind { DOCUMENT_SECTION = 1, DOCUMENT_LIST, DOCUMENT_TEXT };

struct document_node {
    enum document_kind kind;
    int line;
    char *name;  /* NULL for the root and for items of a list */
    char *label; /* a section's own name, else NULL */
    char *text;  /* of DOCUMENT_TEXT */
    struct document_node *first, *last, *next;
};

/* Reads the whole text. Errors begin with "file:line: ". The caller frees *root. */
int document_parse(const char *text, size_t size, const char *file, struct document_node **root,
                   struct bj_error *error);
void document_free(struct document_node *root);

/* Reads a regular file of at most DOCUMENT_BYTES_MAX; *text is NUL-terminated and the caller's.
 * -ENOENT when there is none. */
int document_read(const char *path, char **text, size_t *size, struct bj_error *error);
