#include "mux/audit/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void store_name(uint64_t number, char out[STORE_NAME_MAX])
{
    if (number == 0)
        snprintf(out, STORE_NAME_MAX, "%s", STORE_LOG);
    else
        snprintf(out, STORE_NAME_MAX, "audit-%" PRIu64 ".jsonl", number);
}

int store_open(int directory, uint64_t number)
{
    char name[STORE_NAME_MAX];
    store_name(number, name);
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int store_newest(int directory, uint64_t *number, struct bj_error *error)
{
    *number = 0;
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing) {
        int code = -errno;
        if (fd >= 0)
            close(fd);
        return bj_fail(error, code, "cannot list the audit log's directory: %s", strerror(-code));
    }
    for (struct dirent *entry; (entry = readdir(listing));) {
        uint64_t found;
        char name[STORE_NAME_MAX];
        if (sscanf(entry->d_name, "audit-%" SCNu64, &found) != 1 || found == 0)
            continue;
        store_name(found, name);
        if (strcmp(name, entry->d_name) == 0 && found > *number)
            *number = found;
    }
    closedir(listing);
    return 0;
}

int store_lines_open(struct store_lines *lines, int fd, uint64_t offset)
{
    *lines = (struct store_lines){.start = offset, .end = offset};
    lines->line = malloc(AUDIT_LINE_MAX + 1);
    if (lines->line && lseek(fd, (off_t)offset, SEEK_SET) >= 0)
        lines->file = fdopen(fd, "r");
    if (lines->file)
        return 0;
    int code = lines->line ? -errno : -ENOMEM;
    close(fd);
    store_lines_close(lines);
    return code;
}

int store_lines_next(struct store_lines *lines)
{
    lines->size = 0;
    lines->whole = lines->over = false;
    lines->start = lines->end;
    int c;
    while ((c = getc_unlocked(lines->file)) != EOF) {
        lines->end++;
        if (c == '\n') {
            lines->whole = true;
            break;
        }
        if (lines->size < AUDIT_LINE_MAX)
            lines->line[lines->size++] = (char)c;
        else
            lines->over = true;
    }
    if (c == EOF && ferror(lines->file))
        return -EIO;
    lines->line[lines->size] = '\0';
    if (lines->end == lines->start)
        return 0;
    lines->number++;
    return 1;
}

void store_lines_close(struct store_lines *lines)
{
    if (lines->file)
        fclose(lines->file);
    free(lines->line);
    *lines = (struct store_lines){0};
}
