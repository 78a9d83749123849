/*
 * Tar archives made field by field, good and bad, in an unlinked file.
 */
#pragma once

#include <stdint.h>

struct archive_entry {
    char type; /* 0: '0' */
    const char *path, *link, *body;
    const char *pax; /* "path=x" and so on: an extended header in front, one record */
    uint32_t mode;
    const char *size; /* octal digits instead of the body's size */
    int bad_checksum;
};

/* Returns a descriptor at any offset. The list ends with an entry without path. */
int archive_make(const struct archive_entry *entries);
