/* Profiles: what is read, what is refused, and where a program is found. */
#include "mux/server/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static char directory[SUITE_PATH_MAX];
static struct bj_paths paths;
static struct profile profile;
static struct profile_place place;

static void put(const char *name, const char *text, mode_t mode)
{
    char path[SUITE_PATH_MAX * 2];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    for (char *slash = path + strlen(directory) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void setup(void)
{
    suite_directory(directory);
    snprintf(paths.config, sizeof(paths.config), "%s/config", directory);
    snprintf(paths.data, sizeof(paths.data), "%s/data", directory);
}

static void teardown(void)
{
    profile_free(&profile);
    suite_remove(directory);
}

static int load(const char *text, struct bj_error *error)
{
    put("config/profiles/one.conf", text, 0644);
    profile_free(&profile);
    return profile_load(&profile, &paths, "one", error);
}

START_TEST(a_whole_one_is_read)
{
    struct bj_error error = {0};
    put("config/profiles/settings", "{}\n", 0644);
    ck_assert_int_eq(load("summary = One\ncommand = [\"{program}\", x]\nprompt = [\"--\", "
                          "\"say {prompt}!\"]\nresume = more\nenv { A = \"b c\" }\n"
                          "files { \"/etc/one/settings\" = settings }\n"
                          "home { \".one/settings\" = settings }\nkeys = [C-c]\n",
                          &error),
                     0);
    strcpy(place.program, "/opt/agent/bin/one");
    const char *const arguments[] = {"-v", NULL};
    char **argv = profile_argv(&profile, &place, arguments, "hello", true);
    static const char *const expected[] = {"/opt/agent/bin/one", "x", "more", "-v", "--",
                                           "say hello!"};
    for (size_t i = 0; i < 6; i++)
        ck_assert_str_eq(argv[i], expected[i]);
    ck_assert_ptr_null(argv[6]);
    profile_list_free(argv);
    argv = profile_argv(&profile, &place, arguments, "", false);
    ck_assert_ptr_null(argv[3]);
    profile_list_free(argv);
    ck_assert_str_eq(profile.env[0], "A=b c");
    ck_assert_uint_eq(profile.files_count, 1);
    ck_assert_str_eq(profile.files[0].text, "{}\n");
}
END_TEST

static const char *const wrong[] = {
    "summary = x",
    "command = x\nunknown = y",
    "command = x\nenv = y",
    "command = x\nfiles { \"/home/agent/x\" = one.conf }",
    "command = x\nfiles { \"/etc/../work/x\" = one.conf }",
    "command = x\nfiles { \"/etc/x\" = \"../x\" }",
    "command = x\nfiles { \"/etc/x\" = missing }",
    "command = x\nhome { \"/etc/x\" = one.conf }",
    "command = x\nhome { \"../x\" = one.conf }",
    "command = x\npolicy = \"/etc/passwd\"",
    "command = {",
};

START_TEST(mistakes_are_named)
{
    struct bj_error error = {0};
    ck_assert_int_lt(load(wrong[_i], &error), 0);
    ck_assert_str_ne(error.text, "");
}
END_TEST

START_TEST(an_unknown_name_lists_those_there_are)
{
    struct bj_error error = {0};
    put("data/profiles/two.conf", "command = x\n", 0644);
    put("data/profiles/two.policy.conf", "", 0644);
    put("config/profiles/one.conf", "command = x\n", 0644);
    ck_assert_int_eq(profile_load(&profile, &paths, "../two", &error), -ENOENT);
    ck_assert_int_eq(profile_load(&profile, &paths, "three", &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "one, two"));
    ck_assert_ptr_null(strstr(error.text, "policy"));
}
END_TEST

START_TEST(a_package_is_found_beside_its_programs)
{
    struct bj_error error = {0};
    char path[SUITE_PATH_MAX * 2];
    put("npm/node_modules/@a/b/bin/one", "", 0755);
    put("npm/node_modules/c/file", "", 0644);
    put("npm/node_modules/.bin/keep", "", 0755);
    ck_assert_int_eq(load("command = \"{program}\"\nsearch = \"npm:@a/b/bin/one\"\n"
                          "packages = [c, missing]\ninstall = \"get it\"\n",
                          &error),
                     0);
    snprintf(path, sizeof(path), "/nowhere:%s/npm/node_modules/.bin", directory);
    ck_assert_int_eq(profile_find(&profile, path, &place, &error), 0);
    ck_assert_str_eq(place.program, "/opt/agent/node_modules/@a/b/bin/one");
    ck_assert_uint_eq(place.count, 2);
    ck_assert_str_eq(place.mounts[0].target, "/opt/agent/node_modules/@a/b");
    ck_assert(place.mounts[0].directory);
    ck_assert_str_eq(place.mounts[1].target, "/opt/agent/node_modules/c");
    ck_assert_int_eq(profile_find(&profile, "/nowhere", &place, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "get it"));
}
END_TEST

START_TEST(one_file_is_mounted_alone)
{
    struct bj_error error = {0};
    char path[SUITE_PATH_MAX * 2];
    put("bin/one", "", 0755);
    ck_assert_int_eq(load("command = \"{program}\"\nsearch = \"path:one\"\nneeds = sh\n", &error),
                     0);
    snprintf(path, sizeof(path), "%s/bin:/usr/bin", directory);
    ck_assert_int_eq(profile_find(&profile, path, &place, &error), 0);
    ck_assert_str_eq(place.program, "/opt/agent/bin/one");
    ck_assert_uint_eq(place.count, 1); /* sh is below /usr, which every wall shows */
    ck_assert(!place.mounts[0].directory);
}
END_TEST

START_TEST(home_files_are_put_once)
{
    struct bj_error error = {0};
    char path[SUITE_PATH_MAX * 2];
    put("config/profiles/settings", "{}\n", 0644);
    ck_assert_int_eq(load("command = x\nhome { \".one/a/b\" = settings }\n", &error), 0);
    ck_assert_int_eq(profile_fill_home(&profile, directory, false, 0, 0, &error), 0);
    snprintf(path, sizeof(path), "%s/.one/a/b", directory);
    ck_assert_int_eq(access(path, R_OK), 0);
    ck_assert_int_eq(profile_fill_home(&profile, directory, false, 0, 0, &error), -EEXIST);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-profile");
    TCase *tcase = tcase_create("profile");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_whole_one_is_read);
    tcase_add_loop_test(tcase, mistakes_are_named, 0, sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tcase, an_unknown_name_lists_those_there_are);
    tcase_add_test(tcase, a_package_is_found_beside_its_programs);
    tcase_add_test(tcase, one_file_is_mounted_alone);
    tcase_add_test(tcase, home_files_are_put_once);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
