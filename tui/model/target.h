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

#define TARGET_MAX 2048

struct target {
    bool path;             /* relative to the project; else an address */
    char text[TARGET_MAX]; /* what is opened */
    char note[96];         /* what is odd about it, or "" */
};

/* -EINVAL with a sentence when it is nothing that is opened. */
int target_read(struct target *target, const char *word, struct bj_error *error);
