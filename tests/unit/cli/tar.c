#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "tui/cli/tar.h"

static struct tar_entry entry, last; /* of walk() */

/* Walks to the end: how many entries, or the error. */
static int walk(int fd)
{
    struct tar tar;
    struct bj_error error = {0};
    int status, count = 0;
    ck_assert_int_eq(tar_open(&tar, fd, &error), 0);
    while ((status = tar_next(&tar, &entry, &error)) == 1) {
        last = entry;
        count++;
    }
    ck_assert_msg(status == 0 || error.text[0], "an error without words");
    return status < 0 ? status : count;
}

START_TEST(every_kind_is_read)
{
    static const struct archive_entry entries[] = {
        {.path = "./dir/", .type = '5', .mode = 0755},
        {.path = "./dir/file", .body = "hello", .mode = 04755},
        {.path = "./link", .type = '2', .link = "dir/file"},
        {.path = "./hard", .type = '1', .link = "./dir/file"},
        {.path = "./pipe", .type = '6'},
        {0},
    };
    struct tar tar;
    struct bj_error error = {0};
    char body[6] = "";
    int fd = archive_make(entries);
    ck_assert_int_eq(tar_open(&tar, fd, &error), 0);
    ck_assert_int_eq(tar_next(&tar, &entry, &error), 1);
    ck_assert_int_eq(entry.type, TAR_DIRECTORY);
    ck_assert_str_eq(entry.path, "./dir/");
    ck_assert_int_eq(tar_next(&tar, &entry, &error), 1);
    ck_assert_int_eq(entry.type, TAR_FILE);
    ck_assert_uint_eq(entry.mode, 04755);
    ck_assert_uint_eq(entry.size, 5);
    ck_assert_int_eq(pread(fd, body, 5, (off_t)entry.offset), 5);
    ck_assert_str_eq(body, "hello");
    ck_assert_int_eq(tar_next(&tar, &entry, &error), 1);
    ck_assert_int_eq(entry.type, TAR_SYMLINK);
    ck_assert_str_eq(entry.link, "dir/file");
    ck_assert_int_eq(tar_next(&tar, &entry, &error), 1);
    ck_assert_int_eq(entry.type, TAR_HARDLINK);
    ck_assert_int_eq(tar_next(&tar, &entry, &error), 1);
    ck_assert_int_eq(entry.type, TAR_OTHER);
    ck_assert_int_eq(tar_next(&tar, &entry, &error), 0);
    close(fd);
}
END_TEST

/* One entry, and what reading it yields: 1 entry or an error. */
static const struct {
    struct archive_entry entry;
    int result;
    const char *path; /* that it then has */
} table[] = {
    {{.path = "short", .pax = "path=a/longer/one"}, 1, "a/longer/one"},
    {{.path = "x", .type = '2', .pax = "linkpath=target"}, 1, "x"},
    {{.path = "x", .body = "12345", .size = "00000000000\0", .pax = "size=5"}, 1, "x"},
    {{.path = "x", .pax = "comment=nothing"}, 1, "x"},
    {{.path = "x", .pax = "size=-1"}, -EBADMSG, NULL},
    {{.path = "x", .pax = "size=99999999999999999999"}, -EBADMSG, NULL},
    {{.path = "x", .pax = "size=18446744073709551615"}, -EBADMSG, NULL},
    {{.path = "x", .pax = "size=18446744073709551104"}, -EBADMSG, NULL},
    {{.path = "x", .pax = "path="}, -EBADMSG, NULL},
    {{.path = "x", .pax = "no equals sign"}, -EBADMSG, NULL},
    {{.path = "x", .pax = "GNU.sparse.size=1"}, -EBADMSG, NULL},
    {{.path = "x", .bad_checksum = 1}, -EBADMSG, NULL},
    {{.path = "x", .size = "77777777777\0"}, -EBADMSG, NULL},
    {{.path = "x", .size = "\x80\0\0\0\0\0\0\0\0\0\0\1"}, -EBADMSG, NULL}, /* base-256 */
    {{.path = "x", .size = "12 34567890\0"}, -EBADMSG, NULL},
    {{.path = "x", .type = 'L', .body = "long"}, -EBADMSG, NULL},
    {{.path = "x", .type = 'K', .body = "long"}, -EBADMSG, NULL},
    {{.path = "x", .type = 'S'}, -EBADMSG, NULL},
    {{.path = "", .pax = "comment=x"}, -EBADMSG, NULL},
};

START_TEST(headers)
{
    const struct archive_entry entries[] = {table[_i].entry, {0}};
    int fd = archive_make(entries);
    int result = walk(fd);
    ck_assert_msg(result == table[_i].result, "case %d: %d", _i, result);
    if (result == 1)
        ck_assert_str_eq(last.path, table[_i].path);
    close(fd);
}
END_TEST

START_TEST(a_long_name_is_bounded)
{
    static char record[TAR_NAME_MAX + 16] = "path=";
    memset(record + 5, 'x', TAR_NAME_MAX - 1);
    const struct archive_entry entries[] = {{.path = "x", .pax = record}, {0}};
    int fd = archive_make(entries);
    ck_assert_int_eq(walk(fd), 1);
    ck_assert_uint_eq(strlen(last.path), TAR_NAME_MAX - 1);
    close(fd);
    record[5 + TAR_NAME_MAX - 1] = 'x';
    fd = archive_make(entries);
    ck_assert_int_eq(walk(fd), -EBADMSG);
    close(fd);
}
END_TEST

/* Cut anywhere it is an error, never another archive. */
START_TEST(cut_archives)
{
    static const struct archive_entry entries[] = {
        {.path = "a", .body = "hello", .pax = "path=b"}, {.path = "c"}, {0}};
    int fd = archive_make(entries);
    off_t whole = lseek(fd, 0, SEEK_END);
    for (off_t size = 0; size < whole - 512; size += 128) {
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        close(fd);
        fd = archive_make(entries);
        ck_assert_int_eq(ftruncate(fd, size), 0);
        ck_assert_msg(walk(fd) == -EBADMSG || size >= whole - 512, "cut at %ld", (long)size);
    }
    close(fd);
}
END_TEST

/* Every single bit of an archive, turned: no crash, no endless walk. */
START_TEST(flipped_bits)
{
    static const struct archive_entry entries[] = {{.path = "a", .body = "hello", .pax = "path=b"},
                                                   {.path = "c", .type = '2', .link = "b"},
                                                   {0}};
    int fd = archive_make(entries);
    off_t whole = lseek(fd, 0, SEEK_END);
    for (off_t at = 0; at < whole; at++) {
        char byte, turned;
        ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
        turned = (char)(byte ^ (1 << (at % 8)));
        ck_assert_int_eq(pwrite(fd, &turned, 1, at), 1);
        ck_assert_int_le(walk(fd), 2);
        ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tar");
    tcase_add_test(tests, every_kind_is_read);
    tcase_add_loop_test(tests, headers, 0, sizeof(table) / sizeof(table[0]));
    tcase_add_test(tests, a_long_name_is_bounded);
    tcase_add_test(tests, cut_archives);
    tcase_add_test(tests, flipped_bits);
    return run_suite("tar", tests);
}
