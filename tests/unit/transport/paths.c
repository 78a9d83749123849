#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/paths.h"

static char base[64];

static void setup(void)
{
    snprintf(base, sizeof(base), "/tmp/bj-paths-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    static const char *const names[] = {
        "BELLJAR_RUNTIME_DIR", "BELLJAR_STATE_DIR", "BELLJAR_CONFIG_DIR", "BELLJAR_LIBEXEC_DIR",
        "BELLJAR_DATA_DIR",    "XDG_RUNTIME_DIR",   "XDG_STATE_HOME",     "XDG_CONFIG_HOME"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    setenv("HOME", "/home/nobody-here", 1);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", base);
    ck_assert_int_eq(system(command), 0);
}

static const char *below(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", base, name);
    return path;
}

START_TEST(defaults)
{
    struct bj_paths paths;
    char expected[64];
    ck_assert_int_eq(bj_paths_find(&paths, NULL), 0);
    snprintf(expected, sizeof(expected), "/tmp/belljar-%u", (unsigned)getuid());
    ck_assert_str_eq(paths.runtime, expected);
    ck_assert_str_eq(paths.state, "/home/nobody-here/.local/state/belljar");
    ck_assert_str_eq(paths.config, "/home/nobody-here/.config/belljar");
    ck_assert(paths.libexec[0] == '/' && paths.data[0] == '/');
}
END_TEST

START_TEST(xdg_directories)
{
    struct bj_paths paths;
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    setenv("XDG_STATE_HOME", "/state", 1);
    setenv("XDG_CONFIG_HOME", "relative/is/ignored", 1);
    ck_assert_int_eq(bj_paths_find(&paths, NULL), 0);
    ck_assert_str_eq(paths.runtime, "/run/user/7/belljar");
    ck_assert_str_eq(paths.state, "/state/belljar");
    ck_assert_str_eq(paths.config, "/home/nobody-here/.config/belljar");
}
END_TEST

START_TEST(own_variables_win)
{
    struct bj_paths paths;
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    setenv("BELLJAR_RUNTIME_DIR", "/a", 1);
    setenv("BELLJAR_STATE_DIR", "/b", 1);
    setenv("BELLJAR_CONFIG_DIR", "/c", 1);
    setenv("BELLJAR_LIBEXEC_DIR", "/d", 1);
    setenv("BELLJAR_DATA_DIR", "/e", 1);
    ck_assert_int_eq(bj_paths_find(&paths, NULL), 0);
    ck_assert_str_eq(paths.runtime, "/a");
    ck_assert_str_eq(paths.state, "/b");
    ck_assert_str_eq(paths.config, "/c");
    ck_assert_str_eq(paths.libexec, "/d");
    ck_assert_str_eq(paths.data, "/e");
}
END_TEST

START_TEST(relative_is_refused)
{
    struct bj_paths paths;
    struct bj_error error = {0};
    setenv("BELLJAR_RUNTIME_DIR", "here", 1);
    ck_assert_int_eq(bj_paths_find(&paths, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "BELLJAR_RUNTIME_DIR"));
    unsetenv("BELLJAR_RUNTIME_DIR");
    setenv("BELLJAR_STATE_DIR", "./there", 1);
    ck_assert_int_eq(bj_paths_find(&paths, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "BELLJAR_STATE_DIR"));
}
END_TEST

START_TEST(no_home)
{
    struct bj_paths paths;
    struct bj_error error = {0};
    unsetenv("HOME");
    ck_assert_int_eq(bj_paths_find(&paths, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "HOME"));
}
END_TEST

START_TEST(too_long)
{
    struct bj_paths paths;
    struct bj_error error = {0};
    char *path = malloc(BJ_PATH_MAX + 10);
    memset(path, 'x', BJ_PATH_MAX + 9);
    path[0] = '/';
    path[BJ_PATH_MAX + 9] = '\0';
    setenv("BELLJAR_STATE_DIR", path, 1);
    ck_assert_int_eq(bj_paths_find(&paths, &error), -ENAMETOOLONG);
    ck_assert_int_eq(bj_directory_private(path, &error), -ENAMETOOLONG);
    path[BJ_PATH_MAX - 1] = '\0'; /* just fits */
    setenv("BELLJAR_STATE_DIR", path, 1);
    ck_assert_int_eq(bj_paths_find(&paths, &error), 0);
    free(path);
}
END_TEST

START_TEST(made_private)
{
    struct stat info;
    struct bj_paths paths = {0};
    snprintf(paths.runtime, sizeof(paths.runtime), "%s/a/b/run", base);
    snprintf(paths.state, sizeof(paths.state), "%s/state//", base);
    umask(0);
    ck_assert_int_eq(bj_paths_prepare(&paths, NULL), 0);
    ck_assert_int_eq(stat(paths.runtime, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0700);
    ck_assert_int_eq(stat(below("a"), &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0700);
    ck_assert_int_eq(bj_paths_prepare(&paths, NULL), 0); /* again */
}
END_TEST

/* A link is refused, also when its name is written with slashes behind it. */
START_TEST(link_is_refused)
{
    struct bj_error error = {0};
    char link[128];
    snprintf(link, sizeof(link), "%s/link", base);
    ck_assert_int_eq(mkdir(below("real"), 0700), 0);
    ck_assert_int_eq(symlink("real", link), 0);
    ck_assert_int_eq(bj_directory_private(link, &error), -ENOTDIR);
    ck_assert_ptr_nonnull(strstr(error.text, link));
    ck_assert_int_eq(bj_directory_private(below("link/"), &error), -ENOTDIR);
    ck_assert_int_eq(bj_directory_private(below("link//"), &error), -ENOTDIR);
    ck_assert_int_eq(bj_directory_private(below("real/"), &error), 0);
}
END_TEST

START_TEST(file_is_refused)
{
    struct bj_error error = {0};
    FILE *file = fopen(below("file"), "w");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    ck_assert_int_eq(bj_directory_private(below("file"), &error), -ENOTDIR);
    ck_assert_int_eq(bj_directory_private(below("file/below"), &error), -ENOTDIR);
    ck_assert(error.text[0]);
}
END_TEST

START_TEST(open_to_others_is_refused)
{
    static const mode_t modes[] = {0701, 0710, 0750, 0777, 01777};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct bj_error error = {0};
        mkdir(below("open"), 0700);
        ck_assert_int_eq(chmod(below("open"), modes[i]), 0);
        ck_assert_int_eq(bj_directory_private(below("open"), &error), -EPERM);
        ck_assert_ptr_nonnull(strstr(error.text, "chmod 700"));
    }
}
END_TEST

START_TEST(of_someone_else_is_refused)
{
    if (geteuid() != 0)
        return; /* only root can give a directory away */
    struct bj_error error = {0};
    ck_assert_int_eq(mkdir(below("other"), 0700), 0);
    ck_assert_int_eq(chown(below("other"), 12345, 12345), 0);
    ck_assert_int_eq(bj_directory_private(below("other"), &error), -EPERM);
    ck_assert_ptr_nonnull(strstr(error.text, "12345"));
    ck_assert_ptr_nonnull(strstr(error.text, "BELLJAR_RUNTIME_DIR"));
}
END_TEST

START_TEST(no_path)
{
    ck_assert_int_eq(bj_directory_private("", NULL), -EINVAL);
    ck_assert_int_eq(bj_directory_private("relative", NULL), -EINVAL);
    ck_assert_int_ne(bj_directory_private("/proc/not-here/x", NULL), 0);
}
END_TEST

START_TEST(path_helper)
{
    char out[8];
    struct bj_error error = {0};
    ck_assert_int_eq(bj_path(out, sizeof(out), &error, "%s/%d", "/ab", 123), 0);
    ck_assert_str_eq(out, "/ab/123");
    ck_assert_int_eq(bj_path(out, sizeof(out), &error, "%s/%d", "/ab", 1234), -ENAMETOOLONG);
    ck_assert_int_eq(error.code, -ENAMETOOLONG);
}
END_TEST

START_TEST(error_prefix)
{
    struct bj_error error;
    ck_assert_int_eq(bj_fail(NULL, -EIO, "unheard"), -EIO);
    ck_assert_int_eq(bj_fail_prefix(NULL, "x"), -EIO);
    bj_fail(&error, -EBUSY, "it is taken");
    ck_assert_int_eq(bj_fail_prefix(&error, "sandbox a"), -EBUSY);
    ck_assert_str_eq(error.text, "sandbox a: it is taken");

    char longer[2 * BJ_ERROR_TEXT_MAX];
    memset(longer, 'y', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    bj_fail(&error, -EBUSY, "%s", longer);
    ck_assert_uint_eq(strlen(error.text), BJ_ERROR_TEXT_MAX - 1);
    bj_fail_prefix(&error, "p");
    ck_assert_uint_eq(strlen(error.text), BJ_ERROR_TEXT_MAX - 1);
    bj_fail_prefix(&error, longer);
    ck_assert_uint_eq(strlen(error.text), BJ_ERROR_TEXT_MAX - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("paths");
    TCase *cases = tcase_create("paths");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, defaults);
    tcase_add_test(cases, xdg_directories);
    tcase_add_test(cases, own_variables_win);
    tcase_add_test(cases, relative_is_refused);
    tcase_add_test(cases, no_home);
    tcase_add_test(cases, too_long);
    tcase_add_test(cases, made_private);
    tcase_add_test(cases, link_is_refused);
    tcase_add_test(cases, file_is_refused);
    tcase_add_test(cases, open_to_others_is_refused);
    tcase_add_test(cases, of_someone_else_is_refused);
    tcase_add_test(cases, no_path);
    tcase_add_test(cases, path_helper);
    tcase_add_test(cases, error_prefix);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
