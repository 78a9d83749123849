/*
 * What came of a pull, for people and as JSON.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define PULLED_LISTED 1000 /* entries of each list that are kept */

struct pulled {
    const char *name;      /* of the sandbox */
    const char *branch;    /* repository, else NULL */
    const char *directory; /* other folder, else NULL */
    char commit[65];
    uint64_t commits, files, insertions, deletions, bytes;
    bool unchanged; /* there was nothing to take */

    json_t *symlinks; /* [{path, target}] */
    json_t *refused;  /* [{path, why}] */
    uint64_t symlinks_count, refused_count;
};

/* 0 or -ENOMEM. */
int pulled_init(struct pulled *pulled, const char *name);
void pulled_free(struct pulled *pulled);

void pulled_symlink(struct pulled *pulled, const char *path, const char *target);
void pulled_refused(struct pulled *pulled, const char *path, const char *why);

/* Prints the summary, or why nothing was taken (the lists alone, on stderr). Returns an exit
 * code. */
int pulled_print(struct pulled *pulled, bool json);
void pulled_print_refused(const struct pulled *pulled);
