#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "tui/cli/extract.h"
#include "tui/cli/work.h"

static char top[64], inner[96];
static char refused[4096], linked[4096];
static struct extract extract;
static struct bj_error error;

static void on_refused(void *owner, const char *path, const char *why)
{
    (void)owner;
    size_t size = strlen(refused);
    snprintf(refused + size, sizeof(refused) - size, "%s: %s\n", path, why);
}

static void on_symlink(void *owner, const char *path, const char *target)
{
    (void)owner;
    size_t size = strlen(linked);
    snprintf(linked + size, sizeof(linked) - size, "%s -> %s\n", path, target);
}

static void setup(void)
{
    snprintf(top, sizeof(top), "/tmp/bjt-extract-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
    snprintf(inner, sizeof(inner), "%s/inner", top);
    ck_assert_int_eq(mkdir(inner, 0755), 0);
    refused[0] = linked[0] = '\0';
    error = (struct bj_error){0};
    extract = (struct extract){.files_max = 100,
                               .refused = on_refused,
                               .symlink = on_symlink,
                               .root = open(inner, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    ck_assert_int_ge(extract.root, 0);
}

static void teardown(void)
{
    close(extract.root);
    scratch_remove_tree(top);
    ck_assert_int_lt(access(top, F_OK), 0);
}

static int unpack(const struct archive_entry *entries)
{
    int fd = archive_make(entries);
    int status = extract_archive(&extract, fd, &error);
    close(fd);
    return status;
}

static const char *content(const char *name)
{
    static char text[256];
    int fd = openat(extract.root, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[size < 0 ? 0 : size] = '\0';
    if (fd >= 0)
        close(fd);
    return size < 0 ? "(none)" : text;
}

static bool exists(const char *format, const char *base)
{
    char path[256];
    struct stat info;
    snprintf(path, sizeof(path), format, base);
    return lstat(path, &info) == 0;
}

START_TEST(a_good_tree)
{
    static const struct archive_entry entries[] = {
        {.path = "./", .type = '5'},
        {.path = "./sub/", .type = '5'},
        {.path = "./sub/run", .body = "#!", .mode = 0755},
        {.path = "./deep/er/file", .body = "deep"},
        {.path = "./link", .type = '2', .link = "sub/run"},
        {.path = "./sub/hard", .type = '1', .link = "./deep/er/file"},
        {0},
    };
    struct stat info;
    ck_assert_msg(unpack(entries) == 0, "%s", error.text);
    ck_assert_str_eq(content("sub/run"), "#!");
    ck_assert_str_eq(content("sub/hard"), "deep");
    ck_assert_int_eq(fstatat(extract.root, "sub/run", &info, 0), 0);
    ck_assert(info.st_mode & 0100);
    ck_assert_int_eq(info.st_mtime, 1000000);
    ck_assert_uint_eq(extract.files, 3);
    ck_assert_uint_eq(extract.symlinks, 1);
    ck_assert_uint_eq(extract.bytes, 6);
    ck_assert_str_eq(linked, "link -> sub/run\n");
    ck_assert_str_eq(refused, "");
}
END_TEST

/* Nothing of these comes out, and none of them stops the rest. */
START_TEST(a_hostile_tree)
{
    static const struct archive_entry entries[] = {
        {.path = "../out", .body = "x"},
        {.path = "/tmp/out", .body = "x"},
        {.path = "a/../../out", .body = "x"},
        {.path = ".git/", .type = '5'},
        {.path = ".git/config", .body = "x"},
        {.path = "sub/.GIT/hooks/post-checkout", .body = "x", .mode = 0755},
        {.path = "pipe", .type = '6'},
        {.path = "disk", .type = '4'},
        {.path = "zero", .type = '3'},
        {.path = "passwd", .type = '2', .link = "/etc/passwd"},
        {.path = "up", .type = '2', .link = "../out"},
        {.path = "hard", .type = '1', .link = "/etc/passwd"},
        {.path = "hard2", .type = '1', .link = "../../etc/passwd"},
        {.path = "hard3", .type = '1', .link = "nothing"},
        {.path = "suid", .body = "s", .mode = 06755},
        {.path = "good", .body = "good"},
        {0},
    };
    struct stat info;
    ck_assert_msg(unpack(entries) == 0, "%s", error.text);
    ck_assert_str_eq(content("good"), "good");
    ck_assert_uint_eq(extract.files, 2);
    ck_assert_uint_eq(extract.symlinks, 0);
    ck_assert_uint_eq(extract.left_out, 14);
    ck_assert(!exists("%s/out", top));
    static const char *const gone[] = {"%s/.git",   "%s/sub", "%s/pipe", "%s/disk",  "%s/zero",
                                       "%s/passwd", "%s/up",  "%s/hard", "%s/hard2", "%s/hard3"};
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        ck_assert_msg(!exists(gone[i], inner), "%s", gone[i]);
    ck_assert_int_eq(fstatat(extract.root, "suid", &info, 0), 0);
    ck_assert_int_eq(info.st_mode & 07000, 0);
    ck_assert_ptr_nonnull(strstr(refused, "suid: taken without"));
    ck_assert_ptr_nonnull(strstr(refused, "passwd: it is a symbolic link"));
    ck_assert_ptr_nonnull(strstr(refused, "../out: "));
}
END_TEST

/* A link and what is below its name: no write goes through it, whichever comes first. */
START_TEST(a_link_is_never_walked_through)
{
    static const struct archive_entry entries[] = {
        {.path = "sub/", .type = '5'},
        {.path = "door", .type = '2', .link = "sub"},
        {.path = "door/file", .body = "x"},
        {.path = "hall", .type = '2', .link = "sub"},
        {.path = "hall/hard", .type = '1', .link = "sub"},
        {0},
    };
    ck_assert_msg(unpack(entries) == 0, "%s", error.text);
    ck_assert(!exists("%s/sub/file", inner));
    ck_assert(!exists("%s/sub/hard", inner));
    ck_assert_ptr_nonnull(strstr(refused, "door: its name comes twice"));
    ck_assert_ptr_nonnull(strstr(refused, "hall/hard: "));
}
END_TEST

START_TEST(names_that_come_twice)
{
    static const struct archive_entry entries[] = {
        {.path = "a", .body = "first"},
        {.path = "a", .body = "second"},
        {.path = "a/", .type = '5'},
        {.path = "a/b", .body = "x"},
        {0},
    };
    ck_assert_msg(unpack(entries) == 0, "%s", error.text);
    ck_assert_str_eq(content("a"), "first");
    ck_assert_uint_eq(extract.left_out, 3);
}
END_TEST

static bool deny_second(void *owner, uint64_t index)
{
    (void)owner;
    return index == 1;
}

START_TEST(the_policy_leaves_out)
{
    static const struct archive_entry entries[] = {
        {.path = "a", .body = "a"},
        {.path = "secret", .body = "s"},
        {.path = "way", .type = '1', .link = "secret"},
        {0},
    };
    extract.denied = deny_second;
    ck_assert_msg(unpack(entries) == 0, "%s", error.text);
    ck_assert_str_eq(content("a"), "a");
    ck_assert_str_eq(content("secret"), "(none)");
    ck_assert_str_eq(content("way"), "(none)");
    ck_assert_ptr_nonnull(strstr(refused, "secret: the policy"));
}
END_TEST

START_TEST(too_many)
{
    static const struct archive_entry entries[] = {
        {.path = "a"}, {.path = "b"}, {.path = "c"}, {0}};
    extract.files_max = 2;
    ck_assert_int_eq(unpack(entries), -E2BIG);
}
END_TEST

START_TEST(interrupted)
{
    static const struct archive_entry entries[] = {{.path = "a"}, {0}};
    static const volatile sig_atomic_t stop = 1;
    extract.stop = &stop;
    ck_assert_int_eq(unpack(entries), -EINTR);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("extract");
    umask(022);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_good_tree);
    tcase_add_test(tests, a_hostile_tree);
    tcase_add_test(tests, a_link_is_never_walked_through);
    tcase_add_test(tests, names_that_come_twice);
    tcase_add_test(tests, the_policy_leaves_out);
    tcase_add_test(tests, too_many);
    tcase_add_test(tests, interrupted);
    return run_suite("extract", tests);
}
