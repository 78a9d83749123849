#include "suite.h"

#include <errno.h>
#include <string.h>

#include "tui/cli/git.h"
#include "tui/cli/tree_check.h"

static const struct {
    const char *path, *clean; /* NULL: refused */
} paths[] = {
    {"a", "a"},       {"./a/b", "a/b"}, {"./", ""},     {".", ""},
    {"a/", "a"},      {"a/./b", "a/b"}, {"...", "..."}, {"..a", "..a"},
    {"/a", NULL},     {"", NULL},       {"..", NULL},   {"a/..", NULL},
    {"a/../b", NULL}, {"./../b", NULL}, {"a//b", NULL}, {"//", NULL},
};

START_TEST(names)
{
    char clean[TREE_PATH_MAX];
    struct bj_error error = {0};
    int status = tree_path(paths[_i].path, clean, &error);
    ck_assert_msg((status == 0) == (paths[_i].clean != NULL), "%s: %d", paths[_i].path, status);
    if (status == 0)
        ck_assert_str_eq(clean, paths[_i].clean);
    else
        ck_assert_int_eq(status, -EPERM);
}
END_TEST

START_TEST(long_and_deep_names)
{
    static char text[TREE_PATH_MAX * 2], clean[TREE_PATH_MAX];
    memset(text, 'x', 256);
    ck_assert_int_eq(tree_path(text, clean, NULL), -EPERM);
    text[255] = '\0';
    ck_assert_int_eq(tree_path(text, clean, NULL), 0);
    for (size_t i = 0; i < TREE_DEPTH_MAX; i++)
        memcpy(text + 2 * i, "x/", 3);
    ck_assert_int_eq(tree_path(text, clean, NULL), 0);
    strcat(text, "x");
    ck_assert_int_eq(tree_path(text, clean, NULL), -EPERM);
    memset(text, 'x', sizeof(text) - 1);
    ck_assert_int_eq(tree_path(text, clean, NULL), -EPERM);
}
END_TEST

static const struct {
    const char *path;
    bool git;
} gits[] = {
    {".git", true},
    {".GIT", true},
    {"a/.Git/config", true},
    {".git ", true},
    {".git.", true},
    {".git. .", true},
    {"git~1", true},
    {"GIT~2", true},
    {".g\xe2\x80\x8cit", true}, /* zero width non-joiner */
    {"\xef\xbb\xbf.git", true}, /* byte order mark */
    {".git\xe2\x81\xaf", true}, /* nominal digit shapes */
    {".git:stream", true},
    {".git::$INDEX_ALLOCATION", true},
    {"a\\.git\\config", true},
    {".gitignore", false},
    {".gitmodules", false},
    {".github/workflows", false},
    {"git", false},
    {"git~10", false},
    {"a.git", false},
    {".git-x", false},
    {"\xe2\x80\x8d.x", false},
    {"caf\xc3\xa9", false},
    {"\xe2", false},
    {"", false},
};

START_TEST(names_of_git)
{
    ck_assert_msg(tree_is_git(gits[_i].path) == gits[_i].git, "%s", gits[_i].path);
}
END_TEST

static const struct {
    const char *path, *target;
    bool good;
} links[] = {
    {"a", "b", true},          {"a", "./b", true},          {"a", "b/c", true},
    {"a/b", "../c", true},     {"a/b/c", "../../d", true},  {"a", ".", true},
    {"a/b", "..", true},       {"a", "..", false},          {"a", "../b", false},
    {"a/b", "../../c", false}, {"a/b", ".././../c", false}, {"a", "/etc/passwd", false},
    {"a", "b/../../c", false}, {"a/b", "c/../d", false}, /* c may be a link to anywhere in the tree
                                                          */
    {"a", "", false},          {"a", ".git/config", false}, {"a/b", "../.git", false},
};

START_TEST(symbolic_links)
{
    struct bj_error error = {0};
    int status = tree_link(links[_i].path, links[_i].target, &error);
    ck_assert_msg((status == 0) == links[_i].good, "%s -> %s: %s", links[_i].path, links[_i].target,
                  error.text);
}
END_TEST

START_TEST(object_ids)
{
    ck_assert(git_is_id("0123456789abcdef0123456789abcdef01234567"));
    ck_assert(git_is_id("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
    ck_assert(!git_is_id("0123456789abcdef0123456789abcdef0123456"));
    ck_assert(!git_is_id("--upload-pack=0123456789abcdef0123456789"));
    ck_assert(!git_is_id("0123456789ABCDEF0123456789abcdef01234567"));
    ck_assert(!git_is_id("HEAD"));
    ck_assert(!git_is_id(""));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tree_check");
    tcase_add_loop_test(tests, names, 0, sizeof(paths) / sizeof(paths[0]));
    tcase_add_test(tests, long_and_deep_names);
    tcase_add_loop_test(tests, names_of_git, 0, sizeof(gits) / sizeof(gits[0]));
    tcase_add_loop_test(tests, symbolic_links, 0, sizeof(links) / sizeof(links[0]));
    tcase_add_test(tests, object_ids);
    return run_suite("tree_check", tests);
}
