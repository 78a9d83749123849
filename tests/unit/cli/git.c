#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tui/cli/git.h"
#include "tui/cli/work.h"

static char top[64];
static struct git git;
static struct bj_error error;

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", top, name);
    FILE *out = fopen(path, "we");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void setup(void)
{
    snprintf(top, sizeof(top), "/tmp/bjt-git-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
    error = (struct bj_error){0};
    git = (struct git){.repository = top};
    ck_assert_int_eq(git_do(&git, -1, "init", GIT("init", "-q", "."), NULL, &error), 0);
}

static void teardown(void)
{
    scratch_remove_tree(top);
}

START_TEST(lines_and_failures)
{
    char line[64], small[4];
    ck_assert_int_eq(
        git_line(&git, GIT("rev-parse", "--show-object-format"), line, sizeof(line), &error), 0);
    ck_assert_str_eq(line, "sha1");
    ck_assert_int_eq(
        git_line(&git, GIT("rev-parse", "--show-object-format"), small, sizeof(small), &error),
        -ENAMETOOLONG);
    ck_assert_int_eq(git_line(&git, GIT("rev-parse", "-q", "--verify", "HEAD^{commit}"), line,
                              sizeof(line), &error),
                     -ENOENT);
    ck_assert_int_eq(git_do(&git, -1, "a test", GIT("no-such-command"), NULL, &error), -EIO);
    ck_assert_msg(strncmp(error.text, "a test: ", 8) == 0, "%s", error.text);
}
END_TEST

/* What a repository names is not run, and what the user's environment says does not count. */
START_TEST(nothing_is_executed)
{
    char path[256];
    write_file("evil", "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\n", 0755);
    write_file("f", "x", 0644);
    snprintf(path, sizeof(path), "%s/evil", top);
    ck_assert_int_eq(
        git_do(&git, -1, "config", GIT("config", "core.fsmonitor", path), NULL, &error), 0);
    snprintf(path, sizeof(path), "%s/.git/hooks", top);
    mkdir(path, 0755);
    write_file(".git/hooks/reference-transaction", "#!/bin/sh\ntouch ../ran ran\n", 0755);
    setenv("GIT_DIR", "/nonexistent", 1);
    setenv("GIT_EXTERNAL_DIFF", "false", 1);
    struct git_output output;
    ck_assert_int_eq(git_run(&git, -1, GIT("add", "f"), &output, &error), 0);
    ck_assert_int_eq(output.status, 0);
    free(output.text);
    ck_assert_int_eq(git_run(&git, -1, GIT("write-tree"), &output, &error), 0);
    ck_assert_uint_eq(output.size, 41);
    output.text[40] = '\0';
    ck_assert_int_eq(
        git_do(&git, -1, "tag", GIT("update-ref", "refs/tags/t", output.text), NULL, &error), 0);
    free(output.text);
    unsetenv("GIT_DIR");
    unsetenv("GIT_EXTERNAL_DIFF");
    snprintf(path, sizeof(path), "%s/ran", top);
    ck_assert_int_lt(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s/.git/ran", top);
    ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_signal_stops_it)
{
    static const volatile sig_atomic_t stop = 1;
    struct git_output output;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0); /* never written: git would wait for ever */
    git.stop = &stop;
    ck_assert_int_eq(git_run(&git, ends[0], GIT("hash-object", "--stdin"), &output, &error),
                     -EINTR);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(input_is_given)
{
    struct git_output output;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    close(ends[1]);
    ck_assert_int_eq(git_run(&git, ends[0], GIT("hash-object", "--stdin"), &output, &error), 0);
    ck_assert_str_eq(output.text, "c1b0730e0133447badcfd47fd144e254807b06e1\n");
    free(output.text);
    close(ends[0]);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("git");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, lines_and_failures);
    tcase_add_test(tests, nothing_is_executed);
    tcase_add_test(tests, a_signal_stops_it);
    tcase_add_test(tests, input_is_given);
    return run_suite("git", tests);
}
