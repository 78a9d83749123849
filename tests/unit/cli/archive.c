#include "archive.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(int fd, const void *bytes, size_t size)
{
    static const char zeros[512];
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    size_t over = size % 512;
    if (over)
        ck_assert_int_eq(write(fd, zeros, 512 - over), (ssize_t)(512 - over));
}

static void put_header(int fd, const struct archive_entry *entry, char type, const char *path,
                       size_t size)
{
    char block[512] = {0};
    unsigned sum = 0;
    snprintf(block, 100, "%s", path);
    snprintf(block + 100, 8, "%07o", entry->mode ? entry->mode & 07777U : 0644U);
    snprintf(block + 108, 8, "%07o", 1000);
    snprintf(block + 116, 8, "%07o", 1000);
    if (entry->size && type != 'x')
        memcpy(block + 124, entry->size, strnlen(entry->size, 12));
    else
        snprintf(block + 124, 12, "%011zo", size);
    snprintf(block + 136, 12, "%011o", 1000000);
    block[156] = type;
    snprintf(block + 157, 100, "%s", entry->link ? entry->link : "");
    memcpy(block + 257, "ustar\00000", 8);
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < sizeof(block); i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 7, "%06o", (sum + (entry->bad_checksum != 0)) & 0777777U);
    put(fd, block, sizeof(block));
}

static void put_extended(int fd, const struct archive_entry *entry)
{
    char text[8192];
    size_t length = strlen(entry->pax) + 3; /* a space, the line end, one digit */
    size_t digits = length + 1 > 99 ? length + 2 > 999 ? 4 : 3 : length > 9 ? 2 : 1;
    length = strlen(entry->pax) + 2 + digits;
    int size = snprintf(text, sizeof(text), "%zu %s\n", length, entry->pax);
    put_header(fd, entry, 'x', "pax", (size_t)size);
    put(fd, text, (size_t)size);
}

int archive_make(const struct archive_entry *entries)
{
    char path[] = "/tmp/bjt-tar-XXXXXX";
    static const char zeros[1024];
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    for (; entries->path; entries++) {
        size_t size = entries->body ? strlen(entries->body) : 0;
        if (entries->pax)
            put_extended(fd, entries);
        put_header(fd, entries, entries->type ? entries->type : '0', entries->path, size);
        if (size)
            put(fd, entries->body, size);
    }
    put(fd, zeros, sizeof(zeros));
    return fd;
}
