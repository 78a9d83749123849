/* Profiles: what is read, what is refused, and where a program is found. */
#include "mux/server/profile.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "mux/policy/policy.h"
#include "sandbox-shim/ask.h"
#include "suite.h"

#define SCRIPT "#!/usr/bin/env node\n"
#define NATIVE                                                                                     \
    "\x7f"                                                                                         \
    "ELF"

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
    "command = x\nfixed_home { \"/etc/x\" = one.conf }",
    "command = x\nfixed_home { \"a/b/c\" = one.conf }",
    "command = x\npolicy = \"/etc/passwd\"",
    "command = x\ninside_install = y",
    "command = x\ninside_install = y\ninside_program = \"/etc/x\"",
    "command = x\ninside_install = y\ninside_program = \"a/../../x\"",
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
    put("npm/node_modules/@a/b/bin/one", SCRIPT, 0755);
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

static void link_to(const char *name, const char *target)
{
    char path[SUITE_PATH_MAX * 2];
    put(name, "", 0755); /* makes its directories */
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(target, path), 0);
}

/* Where it is found with DIRECTORY/bin alone in PATH, below the directory of this test. */
static const char *found(void)
{
    struct bj_error error = {0};
    char path[SUITE_PATH_MAX * 2], real[PATH_MAX];
    ck_assert_int_eq(load("command = \"{program}\"\nsearch = [\"npm:@a/one/bin/one.exe\", "
                          "\"npm:@a/one-linux/one\", \"path:one\"]\npackages = c\n",
                          &error),
                     0);
    snprintf(path, sizeof(path), "%s/bin", directory);
    int status = profile_find(&profile, path, &place, &error);
    ck_assert_msg(status == 0 || status == -ENOENT, "%s", error.text);
    ck_assert_ptr_nonnull(realpath(directory, real));
    return status < 0 ? "" : place.found + strlen(real) + 1;
}

/* bun and yarn have links to a package elsewhere. */
START_TEST(a_package_is_found_by_a_link)
{
    put("store/node_modules/@a/one/bin/one.js", SCRIPT, 0755);
    put("store/node_modules/@a/one-linux/one", NATIVE, 0755);
    put("store/node_modules/c/file", "", 0644);
    link_to("bin/one", "../store/node_modules/@a/one/bin/one.js");
    ck_assert_str_eq(found(), "store/node_modules/@a/one-linux/one");
    ck_assert_str_eq(place.program, "/opt/agent/node_modules/@a/one-linux/one");
    ck_assert_uint_eq(place.count, 2); /* and the package c */
    put("store/node_modules/@a/one/bin/one.exe", NATIVE, 0755);
    ck_assert_str_eq(found(), "store/node_modules/@a/one/bin/one.exe");
    /* A package whose own script never ran has a text there that says so. */
    put("store/node_modules/@a/one/bin/one.exe", "echo not installed\n", 0755);
    ck_assert_str_eq(found(), "store/node_modules/@a/one-linux/one");
}
END_TEST

/* pnpm has scripts, which name what they start, or have it behind $basedir, and a store that links
 * lead to. */
START_TEST(a_package_is_found_by_a_script)
{
    char text[SUITE_PATH_MAX * 2];
    put("store/1/node_modules/@a/one/bin/one.js", SCRIPT, 0755);
    put("store/1/node_modules/@a/one-linux/one", NATIVE, 0755);
    link_to("global/node_modules/@a/one", "../../../store/1/node_modules/@a/one");
    put("bin/one", "#!/bin/sh\nexec node  \"$basedir/../global/node_modules/@a/one/bin/one.js\"\n",
        0755);
    ck_assert_str_eq(found(), "store/1/node_modules/@a/one-linux/one");
    snprintf(text, sizeof(text),
             "#!/bin/sh\nexec x\n# cmd-shim-target=%s/global/node_modules/@a/one/bin/one.js\n",
             directory);
    put("bin/one", text, 0755);
    ck_assert_str_eq(found(), "store/1/node_modules/@a/one-linux/one");
}
END_TEST

/* What only starts a package is not there without it, rather than that it cannot start. */
START_TEST(a_launcher_alone_is_nothing)
{
    put("store/node_modules/@a/one/bin/one.js", SCRIPT, 0755);
    link_to("bin/one", "../store/node_modules/@a/one/bin/one.js");
    ck_assert_str_eq(found(), "");
    put("bin/two", "", 0755);
    link_to("bin/one", "two");
    put("bin/two", "#!/bin/sh\nexec \"$basedir/../gone/node_modules/@a/one/bin/one.js\"\n", 0755);
    ck_assert_str_eq(found(), "");
    put("bin/two", "echo not installed\n", 0755);
    ck_assert_str_eq(found(), "");
    char path[SUITE_PATH_MAX * 2];
    snprintf(path, sizeof(path), "%s/bin/two", directory);
    ck_assert(unlink(path) == 0 && mkfifo(path, 0755) == 0); /* nobody waits for it */
    ck_assert_str_eq(found(), "");
    ck_assert_int_eq(unlink(path), 0);
    put("bin/two", NATIVE, 0755);
    ck_assert_str_eq(found(), "bin/one");
}
END_TEST

/* What the host has goes first, and nothing is tried that what is needed for is missing. */
START_TEST(it_can_be_installed_inside)
{
    struct bj_error error = {0};
    char path[SUITE_PATH_MAX * 2];
    const char *const none[] = {NULL};
    ck_assert_int_eq(load("command = [\"{program}\", --x]\nsearch = \"path:one\"\n"
                          "inside_install = \"get it\"\ninside_program = \".a/one\"\n"
                          "inside_needs = sh\ninstall = \"by hand\"\n",
                          &error),
                     0);
    snprintf(path, sizeof(path), "%s/bin:/usr/bin", directory);
    ck_assert_int_eq(profile_find(&profile, path, &place, &error), 0);
    ck_assert(place.installs);
    ck_assert_str_eq(place.program, "/home/agent/.a/one");
    ck_assert_uint_eq(place.count, 0);
    char **argv = profile_argv(&profile, &place, none, "", false);
    ck_assert_str_eq(argv[0], "/bin/sh");
    ck_assert_ptr_nonnull(strstr(argv[2], "(get it)"));
    ck_assert_str_eq(argv[3], "/home/agent/.a/one");
    ck_assert_str_eq(argv[4], "/home/agent/.a/one");
    ck_assert_str_eq(argv[5], "--x");
    ck_assert_ptr_null(argv[6]);
    profile_list_free(argv);
    ck_assert_int_eq(profile_find(&profile, "/nowhere", &place, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "by hand"));
    put("bin/one", NATIVE, 0755);
    ck_assert_int_eq(profile_find(&profile, path, &place, &error), 0);
    ck_assert(!place.installs);
    ck_assert_str_eq(place.program, "/opt/agent/bin/one");
}
END_TEST

START_TEST(one_file_is_mounted_alone)
{
    struct bj_error error = {0};
    char path[SUITE_PATH_MAX * 2];
    put("bin/one", SCRIPT, 0755);
    ck_assert_int_eq(load("command = \"{program}\"\nsearch = \"path:one\"\nneeds = sh\n", &error),
                     0);
    snprintf(path, sizeof(path), "%s/bin:/usr/bin", directory);
    ck_assert_int_eq(profile_find(&profile, path, &place, &error), 0);
    ck_assert_str_eq(place.program, "/opt/agent/bin/one");
    ck_assert_uint_eq(place.count, 1); /* sh is below /usr, which every wall shows */
    ck_assert(!place.mounts[0].directory);
}
END_TEST

/* What it needs beside its program; never what would let the home directory in. */
START_TEST(mounts_of_its_own)
{
    struct bj_error error = {0};
    char text[SUITE_PATH_MAX * 3], *home = strdup(getenv("HOME") ? getenv("HOME") : "/");
    put("home/models/one", "", 0644);
    snprintf(text, sizeof(text), "%s/home", directory);
    setenv("HOME", text, 1);
    ck_assert_int_eq(load("command = sh\nmounts { \"/opt/models\" = \"~/models\" }\n", &error), 0);
    ck_assert_int_eq(profile_find(&profile, "/usr/bin:/bin", &place, &error), 0);
    ck_assert_uint_eq(place.count, 1);
    ck_assert_str_eq(place.mounts[0].target, "/opt/models");
    snprintf(text, sizeof(text), "%s/home/models", directory);
    ck_assert_str_eq(place.mounts[0].source, text);
    ck_assert(place.mounts[0].directory);
    static const char *const refused[] = {"~/", "/", "~/models/..", "~/missing"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        snprintf(text, sizeof(text), "command = sh\nmounts { \"/opt/models\" = \"%s\" }\n",
                 refused[i]);
        ck_assert_int_eq(load(text, &error), 0);
        ck_assert_int_lt(profile_find(&profile, "/usr/bin:/bin", &place, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.text, i == 3 ? "needs" : "home directory"));
    }
    ck_assert_int_lt(load("command = sh\nmounts { \"/usr/x\" = \"~/models\" }\n", &error), 0);
    ck_assert_int_lt(load("command = sh\nmounts { \"/opt/x\" = \"models\" }\n", &error), 0);
    setenv("HOME", home, 1);
    free(home);
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

static bool is_kind(const char *name, mode_t kind)
{
    char path[SUITE_PATH_MAX * 2];
    struct stat info;
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return lstat(path, &info) == 0 && (info.st_mode & S_IFMT) == kind;
}

/* What an earlier run has there is moved, and kept; a link that was put in its place is not
 * followed. */
START_TEST(fixed_files_have_a_place_outside)
{
    struct bj_error error = {0};
    char home[SUITE_PATH_MAX * 2], kept[SUITE_PATH_MAX * 2], path[SUITE_PATH_MAX * 2 + 8];
    snprintf(home, sizeof(home), "%s/home", directory);
    snprintf(kept, sizeof(kept), "%s/kept", directory);
    put("config/profiles/settings", "{}\n", 0644);
    put("home/.one/talk", "hello\n", 0644);
    put("away/mine", "mine\n", 0644);
    ck_assert_int_eq(load("command = x\nfixed_home { \".one/a\" = settings; \".one/b\" = settings; "
                          "\".two/a\" = settings; \".rc\" = settings }\n",
                          &error),
                     0);
    ck_assert_int_eq(profile_fix_home(&profile, home, kept, false, 0, 0, &error), 0);
    ck_assert(is_kind("kept/.one/talk", S_IFREG) && is_kind("home/.one", S_IFDIR));
    ck_assert(!is_kind("home/.one/talk", S_IFREG));
    ck_assert(is_kind("kept/.one/a", S_IFREG) && is_kind("kept/.one/b", S_IFREG) &&
              is_kind("kept/.two/a", S_IFREG) && is_kind("home/.rc", S_IFREG));
    snprintf(path, sizeof(path), "%s/.one", home);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(symlink("../away", path), 0);
    snprintf(path, sizeof(path), "%s/.one/a", kept);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("../../away/mine", path), 0);
    ck_assert_int_eq(profile_fix_home(&profile, home, kept, false, 0, 0, &error), 0);
    ck_assert(is_kind("home/.one", S_IFDIR) && is_kind("kept/.one/a", S_IFREG));
    ck_assert(is_kind("away/mine", S_IFREG) && !is_kind("away/a", S_IFREG));
    ck_assert(is_kind("kept/.one/talk", S_IFREG));
}
END_TEST

/* --- the profiles that come with Belljar --- */

/* A question's hook outlasts every question by a while, an event's every event: in which event of
 * the agent it stands, its command, and its timeout in seconds. */
static void check_hook(const char *event, const char *command, double timeout)
{
    const char *tells = strstr(command, " --event ");
    ck_assert_msg(strstr(command, "belljar-shim ask --dialect "), "%s: %s", event, command);
    ck_assert_msg(timeout == (tells ? ASK_EVENT_TIME : BJ_ASK_WAIT_MAX) + ASK_HOOK_MORE,
                  "%s: %s has %f s", event, command, timeout);
    ck_assert_msg(!tells || strcmp(tells + strlen(" --event "), event) == 0, "%s: %s", event,
                  command);
    bool asks = strcmp(event, "PreToolUse") == 0 || strcmp(event, "PermissionRequest") == 0 ||
                strcmp(event, "BeforeTool") == 0;
    ck_assert_msg(asks == !tells, "%s: %s", event, command);
}

static size_t check_json(const char *file, double per_second)
{
    size_t count = 0, at, which;
    const char *event;
    json_t *root = json_load_file(file, 0, NULL), *list, *entry, *hook;
    ck_assert_msg(root != NULL, "%s", file);
    json_object_foreach(json_object_get(root, "hooks"), event, list)
        json_array_foreach(list, at, entry)
            json_array_foreach(json_object_get(entry, "hooks"), which, hook)
    {
        check_hook(event, json_string_value(json_object_get(hook, "command")),
                   json_number_value(json_object_get(hook, "timeout")) / per_second);
        count++;
    }
    json_decref(root);
    return count;
}

/* [[hooks.EVENT]], then a command, then a timeout. */
static size_t check_toml(const char *file)
{
    char line[256], event[64] = "", command[160] = "";
    size_t count = 0;
    double timeout;
    FILE *in = fopen(file, "re");
    ck_assert_msg(in != NULL, "%s", file);
    while (fgets(line, sizeof(line), in)) {
        sscanf(line, "[[hooks.%63[A-Za-z]]]", event);
        sscanf(line, "command = \"%159[^\"]", command);
        if (sscanf(line, "timeout = %lf", &timeout) == 1) {
            check_hook(event, command, timeout);
            count++;
        }
    }
    fclose(in);
    return count;
}

START_TEST(hooks_outlast_what_they_ask)
{
    struct policy policy = {0};
    struct bj_error error = {0};
    ck_assert_uint_ge(check_json(SOURCE "/profiles/claude.settings.json", 1), 5);
    ck_assert_uint_ge(check_json(SOURCE "/profiles/gemini.settings.json", 1000), 4);
    ck_assert_uint_ge(check_toml(SOURCE "/profiles/codex.requirements.toml"), 4);
    /* The shim gives up between the longest wait and the hook's end. */
    ck_assert(BJ_ASK_WAIT_MAX < ASK_TIME && ASK_TIME < BJ_ASK_WAIT_MAX + ASK_HOOK_MORE);
    ck_assert_int_eq(policy_load_file(&policy, SOURCE "/policies/default.conf", NULL, &error), 0);
    const struct policy_value *wait = &policy.limits[POLICY_LIMIT_WAIT];
    ck_assert(wait->set && wait->value > 0 && wait->value < BJ_ASK_WAIT_MAX * UINT64_C(1000));
    policy_free(&policy);
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
    tcase_add_test(tcase, a_package_is_found_by_a_link);
    tcase_add_test(tcase, a_package_is_found_by_a_script);
    tcase_add_test(tcase, a_launcher_alone_is_nothing);
    tcase_add_test(tcase, it_can_be_installed_inside);
    tcase_add_test(tcase, one_file_is_mounted_alone);
    tcase_add_test(tcase, mounts_of_its_own);
    tcase_add_test(tcase, home_files_are_put_once);
    tcase_add_test(tcase, fixed_files_have_a_place_outside);
    tcase_add_test(tcase, hooks_outlast_what_they_ask);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
