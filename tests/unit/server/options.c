#include "mux/driver/bwrap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/server/suite.h"

static const char *const agent[] = {"true", NULL};
static const struct bwrap_version newest = {true, true};
static const struct bwrap_descriptors fds = {10, 11, 12, 13, 14, 15, 16, 17, 18};

static struct wall_plan plan(void)
{
    return (struct wall_plan){.name = "box",
                              .shim = "/mnt/shim",
                              .link = "/mnt/link",
                              .project = "/mnt/project",
                              .home = "/mnt/home",
                              .argv = agent};
}

/* The words as a list; they point into the options. */
static size_t words(const struct bwrap_options *options, const char *list[1024])
{
    size_t count = 0;
    for (size_t at = 0; at < options->size; at += strlen(options->text + at) + 1)
        list[count++] = options->text + at;
    ck_assert_uint_eq(count, options->count);
    return count;
}

static bool has(const char *const list[], size_t count, const char *a, const char *b)
{
    for (size_t i = 0; i + 1 < count; i++)
        if (strcmp(list[i], a) == 0 && (!b || strcmp(list[i + 1], b) == 0))
            return true;
    return false;
}

START_TEST(what_must_be_there)
{
    static const char *const alone[] = {"--unshare-user", "--unshare-all", "--as-pid-1",
                                        "--new-session",  "--clearenv",    "--disable-userns"};
    static const char *const pairs[][2] = {
        {"--cap-drop", "ALL"}, {"--uid", "1000"},   {"--hostname", "box"}, {"--chdir", "/work"},
        {"--remount-ro", "/"}, {"--seccomp", "10"}, {"--info-fd", "11"},   {"--block-fd", "12"},
        {"--proc", "/proc"},   {"--tmpfs", "/tmp"}, {"--tmpfs", "/run"},   {"--dev", "/dev"},
    };
    const char *list[1024];
    struct bwrap_options options = {0};
    struct wall_plan box = plan();
    ck_assert_int_eq(bwrap_options_make(&options, &box, &newest, &fds, NULL), 0);
    size_t count = words(&options, list);
    for (size_t i = 0; i < sizeof(alone) / sizeof(*alone); i++)
        ck_assert_msg(has(list, count, alone[i], NULL), "%s is missing", alone[i]);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        ck_assert_msg(has(list, count, pairs[i][0], pairs[i][1]), "%s %s is missing", pairs[i][0],
                      pairs[i][1]);
    ck_assert(!has(list, count, "--share-net", NULL));
    bwrap_options_free(&options);
}
END_TEST

/* A copy comes from a file of its name. */
static bool is_copied(const struct bwrap_options *options, const char *number, const char *target)
{
    char link[64], path[256];
    for (size_t i = 0; i < options->copies_count; i++)
        if (options->copies[i] == atoi(number)) {
            snprintf(link, sizeof(link), "/proc/self/fd/%s", number);
            ssize_t length = readlink(link, path, sizeof(path) - 1);
            path[length > 0 ? length : 0] = '\0';
            return strcmp(path, target) == 0;
        }
    return false;
}

/* Nothing of the host comes in but /usr, its old neighbours, single entries of /etc and the four
 * parts; only the project and the home may be written. */
START_TEST(no_other_host_path)
{
    static const char *const roots[] = {"/usr",   "/bin",    "/sbin",     "/lib",     "/lib32",
                                        "/lib64", "/libx32", "/mnt/shim", "/mnt/link"};
    static const char *const secret[] = {"/etc/shadow",      "/etc/passwd",    "/etc/ssl",
                                         "/etc/ssl/private", "/etc/gitconfig", "/etc"};
    int copied = 0;
    const char *list[1024];
    struct bwrap_options options = {0};
    struct wall_plan box = plan();
    ck_assert_int_eq(bwrap_options_make(&options, &box, &newest, &fds, NULL), 0);
    size_t count = words(&options, list);
    for (size_t i = 0; i + 2 < count; i++) {
        const char *from = list[i + 1];
        if (strcmp(list[i], "--bind") == 0) {
            ck_assert(strcmp(from, "/mnt/project") == 0 || strcmp(from, "/mnt/home") == 0);
        } else if (strcmp(list[i], "--ro-bind") == 0) {
            bool known = strncmp(from, "/etc/", 5) == 0;
            for (size_t r = 0; r < sizeof(roots) / sizeof(*roots); r++)
                known = known || strcmp(from, roots[r]) == 0;
            for (size_t s = 0; s < sizeof(secret) / sizeof(*secret); s++)
                known = known && strcmp(from, secret[s]) != 0;
            ck_assert_msg(known, "%s is bound", from);
        } else if (strcmp(list[i], "--file") == 0) {
            bool made = atoi(from) >= fds.passwd && atoi(from) <= fds.resolv;
            ck_assert_msg(made || is_copied(&options, from, list[i + 2]), "%s is a copy of another",
                          list[i + 2]);
            copied += strcmp(list[i + 2], "/etc/services") == 0;
        }
        ck_assert_str_ne(list[i], "--dev-bind");
        ck_assert_str_ne(list[i], "--bind-try");
    }
    ck_assert_int_eq(copied, access("/etc/services", R_OK) == 0);
    bwrap_options_free(&options);
}
END_TEST

START_TEST(environment)
{
    static const char *const env[] = {"A_1=x=y", "EMPTY=", NULL};
    static const char *const bad[][2] = {
        {"1A=x", NULL}, {"=x", NULL}, {"novalue", NULL}, {"A B=x", NULL}, {"A-B=c", NULL}};
    const char *list[1024];
    struct bwrap_options options = {0};
    struct wall_plan box = plan();
    struct bj_error error;
    setenv("LANG", "de_DE.UTF-8", 1);
    setenv("LC_ALL", "../../evil", 1);
    setenv("TZ", "$(reboot)", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    box.env = env;
    ck_assert_int_eq(bwrap_options_make(&options, &box, &newest, &fds, NULL), 0);
    size_t count = words(&options, list);
    ck_assert(has(list, count, "A_1", "x=y"));
    ck_assert(has(list, count, "EMPTY", ""));
    ck_assert(has(list, count, "LANG", "de_DE.UTF-8"));
    ck_assert(has(list, count, "BELLJAR_SANDBOX", "box"));
    ck_assert(!has(list, count, "LC_ALL", NULL));
    ck_assert(!has(list, count, "TZ", NULL));
    ck_assert(!has(list, count, "AWS_SECRET_ACCESS_KEY", NULL));
    bwrap_options_free(&options);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        box.env = bad[i];
        ck_assert_int_eq(bwrap_options_make(&options, &box, &newest, &fds, &error), -EINVAL);
        bwrap_options_free(&options);
    }
}
END_TEST

START_TEST(older_bwrap)
{
    static const struct bwrap_version old = {false, false};
    const char *list[1024];
    struct bwrap_options options = {0};
    struct wall_plan box = plan();
    ck_assert_int_eq(bwrap_options_make(&options, &box, &old, &fds, NULL), 0);
    size_t count = words(&options, list);
    ck_assert(!has(list, count, "--disable-userns", NULL));
    ck_assert(!has(list, count, "--size", NULL));
    bwrap_options_free(&options);
}
END_TEST

START_TEST(not_installed)
{
    char path[256];
    struct bj_error error;
    setenv("PATH", "/nonexistent:relative", 1);
    ck_assert_int_eq(bwrap_find(path, sizeof(path), &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "bubblewrap"));
}
END_TEST

START_TEST(what_bwrap_says_is_explained)
{
    struct bj_error error;
    driver_bwrap.explain("bwrap: Can't find source path /x: No such file or directory\n", 0,
                         &error);
    ck_assert_ptr_nonnull(strstr(error.text, "Can't find source path /x"));
    driver_bwrap.explain("bwrap: setting up uid map: Permission denied\n", 0, &error);
    ck_assert_int_eq(error.code, -EPERM);
    ck_assert_ptr_nonnull(strstr(error.text, "user namespaces"));
    ck_assert_ptr_nonnull(strstr(error.text, "setting up uid map"));
    driver_bwrap.explain("", 9, &error); /* ended by SIGKILL */
    ck_assert_ptr_nonnull(strstr(error.text, "signal 9"));
    ck_assert_int_eq(driver_bwrap.read_init("{ \"child-pid\": 77,\n", 19), 0);
    ck_assert_int_eq(driver_bwrap.read_init("{ \"child-pid\": 77 }\n", 20), 77);
    ck_assert_int_eq(driver_bwrap.read_init("{ \"child-pid\": -1 }\n", 20), 0);
    ck_assert_int_eq(driver_bwrap.read_init("", 0), 0);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        what_must_be_there, no_other_host_path,           environment, older_bwrap,
        not_installed,      what_bwrap_says_is_explained, NULL};
    return suite_run("options", cases);
}
