#include "tui/cli/tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK       512U
#define PAX_MAX     (16U * 1024) /* bytes of one extended header: two names and change */
#define HEADERS_MAX 4            /* extended headers in front of one entry */

/* The header block (POSIX ustar). */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

/* What an extended header says about the next entry. */
struct extended {
    bool path, link, size;
    uint64_t size_value;
};

static int broken(const struct tar *tar, const char *what, struct bj_error *error)
{
    return bj_fail(error, -EBADMSG,
                   "the archive from the sandbox is broken at byte %" PRIu64 ": %s", tar->next,
                   what);
}

int tar_open(struct tar *tar, int fd, struct bj_error *error)
{
    struct stat info;
    *tar = (struct tar){.fd = fd};
    if (fstat(fd, &info) < 0)
        return bj_fail(error, -errno, "cannot look at the archive: %s", strerror(errno));
    tar->end = (uint64_t)info.st_size;
    return 0;
}

/* Octal digits with spaces around, ended by a NUL, a space or the field. */
static bool octal(const char *field, size_t size, uint64_t *value)
{
    size_t at = 0;
    *value = 0;
    while (at < size && field[at] == ' ')
        at++;
    for (; at < size && field[at] >= '0' && field[at] <= '7'; at++) {
        if (*value > UINT64_MAX >> 3)
            return false;
        *value = *value << 3 | (uint64_t)(field[at] - '0');
    }
    while (at < size && (field[at] == ' ' || field[at] == '\0'))
        at++;
    return at == size;
}

static bool checksum_fits(const struct header *header)
{
    const unsigned char *bytes = (const unsigned char *)header;
    size_t from = offsetof(struct header, checksum), to = from + sizeof(header->checksum);
    uint64_t sum = 0, stated;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= from && i < to ? ' ' : bytes[i];
    return octal(header->checksum, sizeof(header->checksum), &stated) && stated == sum;
}

/* 1 and a header, 0 for a block of zeros. */
static int read_header(struct tar *tar, struct header *header, struct bj_error *error)
{
    static const char zeros[BLOCK];
    if (tar->end - tar->next < BLOCK || pread(tar->fd, header, BLOCK, (off_t)tar->next) != BLOCK)
        return broken(tar, "it is cut off", error);
    if (memcmp(header, zeros, BLOCK) == 0)
        return 0;
    if (!checksum_fits(header))
        return broken(tar, "a header's checksum is wrong", error);
    if (memcmp(header->magic, "ustar", 6) != 0)
        return broken(tar, "a header is not of the POSIX form", error);
    return 1;
}

/* The body's size with its padding, when it lies in the file. */
static int body_end(const struct tar *tar, uint64_t size, uint64_t *end, struct bj_error *error)
{
    uint64_t start = tar->next + BLOCK;
    uint64_t room = tar->end - start;
    uint64_t padded = size > UINT64_MAX - BLOCK ? UINT64_MAX : (size + BLOCK - 1) / BLOCK * BLOCK;
    if (padded > room)
        return broken(tar, "an entry goes beyond its end", error);
    *end = start + padded;
    return 0;
}

static bool take_text(char out[TAR_NAME_MAX], const char *value, size_t size)
{
    if (size == 0 || size >= TAR_NAME_MAX || memchr(value, '\0', size))
        return false;
    memcpy(out, value, size);
    out[size] = '\0';
    return true;
}

static bool take_decimal(const char *value, size_t size, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < size; i++) {
        if (value[i] < '0' || value[i] > '9' || *number > (UINT64_MAX - 9) / 10)
            return false;
        *number = *number * 10 + (uint64_t)(value[i] - '0');
    }
    return size > 0;
}

static bool is_key(const char *key, size_t size, const char *name)
{
    return strlen(name) == size && memcmp(key, name, size) == 0;
}

static bool take_record(struct extended *extended, struct tar_entry *entry, const char *key,
                        size_t key_size, const char *value, size_t size)
{
    if (is_key(key, key_size, "path"))
        return extended->path = take_text(entry->path, value, size);
    if (is_key(key, key_size, "linkpath"))
        return extended->link = take_text(entry->link, value, size);
    if (is_key(key, key_size, "size"))
        return extended->size = take_decimal(value, size, &extended->size_value);
    return key_size < 11 || memcmp(key, "GNU.sparse.", 11) != 0;
}

/* "LENGTH key=value\n", LENGTH counting all of it. */
static bool take_records(struct extended *extended, struct tar_entry *entry, const char *text,
                         size_t size)
{
    while (size > 0) {
        uint64_t length;
        const char *space = memchr(text, ' ', size < 8 ? size : 8);
        if (!space || !take_decimal(text, (size_t)(space - text), &length) || length > size ||
            length < (size_t)(space - text) + 4 || text[length - 1] != '\n')
            return false;
        const char *key = space + 1;
        const char *equals = memchr(key, '=', (size_t)(text + length - 1 - key));
        if (!equals || !take_record(extended, entry, key, (size_t)(equals - key), equals + 1,
                                    (size_t)(text + length - 1 - equals - 1)))
            return false;
        text += length;
        size -= length;
    }
    return true;
}

static int read_extended(struct tar *tar, const struct header *header, struct extended *extended,
                         struct tar_entry *entry, struct bj_error *error)
{
    char text[PAX_MAX];
    uint64_t size, end = 0;
    if (!octal(header->size, sizeof(header->size), &size) || size > sizeof(text))
        return broken(tar, "an extended header is too long", error);
    int status = body_end(tar, size, &end, error);
    if (status < 0)
        return status;
    if (pread(tar->fd, text, (size_t)size, (off_t)(tar->next + BLOCK)) != (ssize_t)size)
        return broken(tar, "it cannot be read", error);
    /* What a global one says about all entries is of no use here: only its form is checked. */
    struct extended all = {0};
    static struct tar_entry nowhere;
    bool global = header->type == 'g';
    if (!take_records(global ? &all : extended, global ? &nowhere : entry, text, (size_t)size) ||
        all.path || all.link || all.size)
        return broken(tar, "an extended header is wrong", error);
    tar->next = end;
    return 0;
}

static enum tar_type type_of(char type)
{
    switch (type) {
    case '0':
    case '\0':
    case '7': /* contiguous: POSIX says to treat it as a file */
        return TAR_FILE;
    case '1':
        return TAR_HARDLINK;
    case '2':
        return TAR_SYMLINK;
    case '5':
        return TAR_DIRECTORY;
    default:
        return TAR_OTHER;
    }
}

static int read_names(const struct tar *tar, const struct header *header,
                      const struct extended *extended, struct tar_entry *entry,
                      struct bj_error *error)
{
    size_t prefix = strnlen(header->prefix, sizeof(header->prefix));
    size_t name = strnlen(header->name, sizeof(header->name));
    size_t link = strnlen(header->link, sizeof(header->link));
    if (!extended->path) {
        if (name == 0)
            return broken(tar, "an entry has no name", error);
        if (prefix > 0) {
            memcpy(entry->path, header->prefix, prefix);
            entry->path[prefix++] = '/';
        }
        memcpy(entry->path + prefix, header->name, name);
        entry->path[prefix + name] = '\0';
    }
    if (!extended->link) {
        memcpy(entry->link, header->link, link);
        entry->link[link] = '\0';
    }
    return 0;
}

static int read_entry(struct tar *tar, const struct header *header, const struct extended *extended,
                      struct tar_entry *entry, struct bj_error *error)
{
    uint64_t mode, size, mtime, end = 0;
    if (header->type == 'L' || header->type == 'K' || header->type == 'S')
        return broken(tar, "it has an entry of GNU's own form", error);
    if (!octal(header->mode, sizeof(header->mode), &mode) ||
        !octal(header->size, sizeof(header->size), &size) ||
        !octal(header->mtime, sizeof(header->mtime), &mtime))
        return broken(tar, "a number in a header is wrong", error);
    if (extended->size)
        size = extended->size_value;
    entry->type = type_of(header->type);
    entry->mode = (uint32_t)(mode & 07777);
    entry->mtime = (int64_t)(mtime > INT64_MAX ? 0 : mtime);
    entry->offset = tar->next + BLOCK;
    int status = read_names(tar, header, extended, entry, error);
    /* Only files have a body (links and directories may state the size of what they are). */
    bool body = entry->type == TAR_FILE || entry->type == TAR_OTHER;
    if (status == 0)
        status = body_end(tar, body ? size : 0, &end, error);
    if (status < 0)
        return status;
    entry->size = entry->type == TAR_FILE ? size : 0;
    tar->next = end;
    return 1;
}

int tar_next(struct tar *tar, struct tar_entry *entry, struct bj_error *error)
{
    struct header header;
    struct extended extended = {0};
    entry->path[0] = entry->link[0] = '\0';
    for (int headers = 0; headers <= HEADERS_MAX; headers++) {
        int status = read_header(tar, &header, error);
        if (status == 0 && headers > 0)
            return broken(tar, "it ends behind an extended header", error);
        if (status <= 0)
            return status;
        if (header.type != 'x' && header.type != 'g')
            return read_entry(tar, &header, &extended, entry, error);
        status = read_extended(tar, &header, &extended, entry, error);
        if (status < 0)
            return status;
    }
    return broken(tar, "too many extended headers", error);
}
