/*
 * What a human may open from a pane: an address of the web, or a file of his own project.
 *
 * The text comes from inside. An address is shown and opened as ASCII only: bytes beyond stand as
 * %XX, a name in punycode stays as it is, so that no letter can pass for another; one with a user
 * or control characters is refused. A path inside means the human's own file of that name, never
 * one that the agent can write.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "transport/error.h"

#define TARGET_MAX       2048
#define TARGET_WORDS_MAX 256

struct target {
    bool path;                    /* relative to the project; else an address */
    char text[TARGET_MAX];        /* what is opened */
    char note[96];                /* what is odd about it, or "" */
    char words[TARGET_WORDS_MAX]; /* of a link, when they are not where it leads; else "" */
};

/* -EINVAL with a sentence when it is nothing that is opened. file:// is a path below /work. */
int target_read(struct target *target, const char *word, struct bj_error *error);
/* The same for a hyperlink, of which the pane shows only the words. */
int target_link(struct target *target, const char *url, const char *words, struct bj_error *error);
