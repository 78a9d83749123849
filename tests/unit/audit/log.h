/*
 * An audit log in a directory of its own, for a test.
 */
#pragma once

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/audit/audit.h"

static char dir[64];

static inline void log_make(void)
{
    snprintf(dir, sizeof(dir), "/tmp/bj-audit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static inline void log_remove(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

static inline const char *log_path(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

/* Opens it, lazily and with files of `rotate` bytes; says how it was found. */
static inline struct audit *log_open(uint64_t rotate, struct audit_opened *opened)
{
    struct audit *audit;
    struct audit_opened found;
    struct audit_options options = {rotate, true};
    struct bj_error error = {0};
    ck_assert_msg(audit_open(&audit, dir, &options, &found, &error) == 0, "%s", error.text);
    if (opened)
        *opened = found;
    return audit;
}

static inline void log_add(struct audit *audit, int number)
{
    json_t *fields = json_pack("{s:s, s:i, s:s}", "sandbox", number % 2 ? "blue" : "green",
                               "number", number, "host", "a.test");
    struct bj_error error = {0};
    ck_assert_msg(audit_append(audit, AUDIT_CONNECTION, fields, &error) == 0, "%s", error.text);
    json_decref(fields);
}

/* A log of so many records. */
static inline void log_fill(int count, uint64_t rotate)
{
    struct audit *audit = log_open(rotate, NULL);
    for (int i = 1; i <= count; i++)
        log_add(audit, i);
    audit_close(audit);
}

static inline char *log_read(const char *name, size_t *size)
{
    int fd = open(log_path(name), O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    struct stat info;
    ck_assert_int_eq(fstat(fd, &info), 0);
    char *text = malloc((size_t)info.st_size + 1);
    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(read(fd, text, (size_t)info.st_size), info.st_size);
    text[info.st_size] = '\0';
    *size = (size_t)info.st_size;
    close(fd);
    return text;
}

static inline void log_write(const char *name, const char *text, size_t size)
{
    int fd = open(log_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
    close(fd);
}

static inline struct audit_verdict log_verify(void)
{
    struct audit_verdict verdict;
    struct bj_error error = {0};
    ck_assert_msg(audit_verify(dir, &verdict, &error) == 0, "%s", error.text);
    return verdict;
}
