/*
 * Targets of OSC 8 hyperlinks. Only http, https, file and mailto are kept; a target with control
 * characters, white space or more than HYPERLINK_MAX bytes is refused. Ids only go up, so that one
 * which was forgotten (the table holds the newest HYPERLINKS_KEPT) never means something else.
 *
 * Source: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HYPERLINK_MAX   2083U
#define HYPERLINKS_KEPT 256U

struct hyperlinks {
    char *urls[HYPERLINKS_KEPT]; /* id at id % HYPERLINKS_KEPT */
    uint32_t last;               /* newest id, 0 none */
};

void hyperlinks_free(struct hyperlinks *links);

/* The id of a target; 0 when it is refused or memory is short. */
uint32_t hyperlinks_intern(struct hyperlinks *links, const char *url, size_t size);

/* NULL when the id is 0 or forgotten. */
const char *hyperlinks_get(const struct hyperlinks *links, uint32_t id);
