/*
 * Reads a tar archive that came from inside: ustar with pax extended headers (POSIX.1-2017, pax,
 * "ustar Interchange Format" and "pax Extended Header").
 *
 * The archive lies in a file and is read by offset, so that it can be walked twice and nothing is
 * kept. Bounded: every length is checked against the file's end before it is used. What POSIX does
 * not define (GNU's long names, sparse files, base-256 numbers) is an error: our own tar inside is
 * told not to write them. Names are as in the archive: tree_check.h says which are good.
 *
 * Written here rather than taken from libarchive: of its formats, filters and metadata none but
 * this subset is wanted, and each of them would parse hostile bytes on the host.
 */
#pragma once

#include <stdint.h>

#include "transport/error.h"

#define TAR_NAME_MAX 4096

enum tar_type { TAR_FILE, TAR_DIRECTORY, TAR_SYMLINK, TAR_HARDLINK, TAR_OTHER };

struct tar_entry {
    enum tar_type type;
    char path[TAR_NAME_MAX];
    char link[TAR_NAME_MAX]; /* target of a link */
    uint32_t mode;           /* permission bits, setuid and so on as they are */
    uint64_t size;           /* bytes at `offset`; 0 unless a file */
    uint64_t offset;         /* in the archive's file */
    int64_t mtime;           /* unix seconds */
};

struct tar {
    int fd;        /* borrowed */
    uint64_t end;  /* the file's size */
    uint64_t next; /* offset of the next header */
};

/* Begins at the archive's start. */
int tar_open(struct tar *tar, int fd, struct bj_error *error);

/* 1 and an entry; 0 at the end of the archive; -EBADMSG where it is no such archive or is cut. */
int tar_next(struct tar *tar, struct tar_entry *entry, struct bj_error *error);
