/*
 * Work out of the jar and into it, with real sandboxes and real git: what comes out is what was
 * made, and nothing of what a hostile agent leaves there is executed, followed or overwritten.
 */
#include "eye.h"
#include "human.h"
#include "process.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;
static char project[96];

static void setup(void)
{
    world_open(&world);
    snprintf(project, sizeof(project), "%s/project", world.base);
    ck_assert_int_eq(mkdir(project, 0755), 0);
}

static void teardown(void)
{
    world_close(&world);
}

static const char *host(const char *script)
{
    return human_shell(&world, project, script);
}

static void make_repository(void)
{
    human_repository(&world, project);
}

static void run_agent(const char *name, const char *script, const char *policy)
{
    human_runs_in(&world, name, project, policy, script);
}

static void must_hold(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

/* The command fails with exit code 1, and its words contain all of these. */
#define FAILS(words, ...)                                                                          \
    fails((const char *const[]){words, NULL},                                                      \
          (const char *const[]){world.belljar, __VA_ARGS__, NULL})
static void fails(const char *const words[], const char *const argv[])
{
    struct result result;
    world_run(&world, &result, NULL, argv);
    ck_assert_msg(result.code == 1, "%s %s: exit %d: %s%s", argv[1], argv[2], result.code,
                  result.out, result.err);
    for (size_t i = 0; words[i]; i++)
        must_hold(result.err, words[i]);
    result_free(&result);
}

/* What belljar printed, until the next call; it must succeed. */
#define SAYS(...) says((const char *const[]){world.belljar, __VA_ARGS__, NULL})
static const char *says(const char *const argv[])
{
    static char text[16384];
    struct result result;
    world_run(&world, &result, NULL, argv);
    ck_assert_msg(result.code == 0, "%s %s: exit %d: %s", argv[1], argv[2], result.code,
                  result.err);
    snprintf(text, sizeof(text), "%s", result.out);
    result_free(&result);
    return text;
}

static bool exists(const char *name)
{
    char path[256];
    struct stat info;
    snprintf(path, sizeof(path), "%s/%s", world.base, name);
    return lstat(path, &info) == 0;
}

/* Nothing is left of a transfer in the state directory. */
static void assert_clean(void)
{
    char script[256];
    snprintf(script, sizeof(script), "ls -A %s/work", world.state);
    ck_assert_str_eq(host(script), "");
}

#define CHANGES                                                                                    \
    "echo more >>a; git commit -qam committed; rm b; printf 'new\\n\\033[31mred\\n' >n\n"          \
    "echo deeper >>sub/c; git add sub/c; echo x >ignored.o; ln -s sub/c link\n"

START_TEST(commits_and_changes_come_out)
{
    make_repository();
    char before[4096];
    snprintf(before, sizeof(before), "%s", host("git rev-parse HEAD && git config --list --local"));
    run_agent("one", CHANGES, NULL);

    const char *diff = SAYS("diff", "one");
    must_hold(diff, "+more\n");
    must_hold(diff, "-two\n");
    must_hold(diff, "+deeper\n");
    must_hold(diff, "+^[[31mred\n");
    ck_assert_ptr_null(strchr(diff, '\033'));
    ck_assert_ptr_null(strstr(diff, "ignored.o"));
    must_hold(SAYS("diff", "one", "--stat"), "5 files changed");

    const char *pulled = SAYS("pull", "one");
    must_hold(pulled, "branch belljar/one at ");
    must_hold(pulled, "2 commits, 5 files, +5 -1");
    must_hold(pulled, "link -> sub/c");
    ck_assert_str_eq(host("git ls-tree -r --name-only belljar/one"),
                     ".gitignore\na\nlink\nn\nsub/c\n");
    ck_assert_str_eq(host("git show belljar/one:a"), "one\nmore\n");
    ck_assert_str_eq(host("git show belljar/one:sub/c"), "deep\ndeeper\n");
    ck_assert_str_eq(host("git log --format=%s main..belljar/one~1"), "committed\n");
    host("git fsck --strict");

    /* The user's own side is as it was, and the agent's index is, too. */
    ck_assert_str_eq(host("git rev-parse HEAD && git config --list --local"), before);
    ck_assert_str_eq(host("git status --porcelain && git branch --format='%(refname)'"),
                     "refs/heads/belljar/one\nrefs/heads/main\n");
    must_hold(SAYS("audit", "show", "--kind", "file_out", "--sandbox", "one"),
              "target=belljar/one");
    assert_clean();
}
END_TEST

START_TEST(branches_are_not_lost)
{
    make_repository();
    run_agent("one", CHANGES, NULL);
    SAYS("pull", "one");
    must_hold(SAYS("pull", "one"), "nothing new in one");
    const char *file = world_file(&world, "own.txt", "mine", 0644);
    SAYS("push", file, "one");
    char first[128];
    snprintf(first, sizeof(first), "%s", host("git rev-parse belljar/one"));
    FAILS("--force", "pull", "one");
    ck_assert_str_eq(host("git rev-parse belljar/one"), first);
    must_hold(SAYS("pull", "one", "--branch", "other"), "branch other at ");
    ck_assert_str_eq(host("git show other:own.txt"), "mine");
    SAYS("pull", "one", "--force");
    ck_assert_str_eq(host("git show belljar/one:own.txt"), "mine");
    /* Never under the user's feet. */
    host("git checkout -q belljar/one");
    SAYS("push", world_file(&world, "third.txt", "3", 0644), "one");
    FAILS("belljar/one", "pull", "one", "--force");
    ck_assert_str_eq(host("git status --porcelain"), "");
    FAILS("cannot be the name", "pull", "one", "--branch", "a..b");
    FAILS("cannot be the name", "pull", "one", "--branch=-x");
    assert_clean();
}
END_TEST

#define COMMIT(tree) "git update-ref HEAD $(git commit-tree " tree " -p HEAD -m bad)\n"
#define BLOB         "b=$(echo x | git hash-object -w --stdin)\n"
#define TREE(name)   "$(printf '100644 blob %s\\t" name "\\n' $b | git mktree)"

/* A commit that must not come out, and why. */
static const struct {
    const char *script, *words;
} bad[] = {
    {"ln -s /etc/passwd evil\n", "evil: it is a symbolic link to an absolute name"},
    {"ln -s ../../../x sub/evil\n", "sub/evil: it is a symbolic link that leads out"},
    {"ln -s .git/config evil\n", "evil: it is a symbolic link into git's own"},
    {"git init -q m; git -C m -c user.name=a -c user.email=a@x commit -q --allow-empty -m m\n",
     "m: it is a link to a submodule"},
    {BLOB "t=" TREE("config") "\n" COMMIT("$(printf '040000 tree %s\\t.git\\n' $t | git mktree)"),
     "hasDotgit"},
    {BLOB "t=" TREE("config") "\n" COMMIT("$(printf '040000 tree %s\\t.GiT\\n' $t | git mktree)"),
     "hasDotgit"},
    {BLOB COMMIT(TREE("..")), "hasDotdot"},
    {BLOB "t=" TREE("x") "\n" COMMIT("$(printf '040000 tree %s\\tgit~1\\n' $t | git mktree)"),
     "git"},
    {"head -c 300000 /dev/urandom >big\n", "--max-size"},
};

START_TEST(hostile_repositories_stay_inside)
{
    make_repository();
    run_agent("one", bad[_i].script, NULL);
    FAILS(bad[_i].words, "pull", "one", "--max-size", "200K");
    ck_assert_str_eq(host("git branch --format='%(refname)'"), "refs/heads/main\n");
    ck_assert_str_eq(host("git status --porcelain"), "");
    host("git fsck --strict");
    assert_clean();
    must_hold(SAYS("audit", "show", "--kind", "file_out"), "outcome=refused");
}
END_TEST

/* Hooks, filters, attributes and monitors that the agent configures, and those of the user. */
START_TEST(nothing_is_executed)
{
    char script[2048];
    make_repository();
    snprintf(script, sizeof(script),
             "for h in post-checkout post-update reference-transaction post-merge; do\n"
             "printf '#!/bin/sh\\ntouch %s/ran\\n' >.git/hooks/$h; chmod +x .git/hooks/$h; done\n"
             "git config filter.evil.smudge 'touch %s/ran; cat'\n"
             "git config core.sshCommand 'touch %s/ran'\n"
             "git config diff.evil.command 'touch %s/ran'\n"
             "echo '* filter=evil diff=evil' >.gitattributes\n"
             "echo new >n\n",
             world.base, world.base, world.base, world.base);
    run_agent("one", "mkdir -p .git/hooks\n", NULL);
    BELLJAR_OK(&world, "kill", "one");
    char with_hooks[2300];
    snprintf(with_hooks, sizeof(with_hooks), "mkdir -p .git/hooks\n%s", script);
    run_agent("two", with_hooks, NULL);
    snprintf(script, sizeof(script),
             "printf '#!/bin/sh\\ntouch %s/ran\\n' >.git/hooks/reference-transaction &&"
             "chmod +x .git/hooks/reference-transaction && git config core.fsmonitor %s/ran.sh",
             world.base, world.base);
    host("mkdir -p .git/hooks");
    host(script);
    SAYS("pull", "two");
    ck_assert(!exists("ran"));
    ck_assert_str_eq(host("git -c core.hooksPath=/dev/null -c core.fsmonitor=false show "
                          "belljar/two:n"),
                     "new\n");
}
END_TEST

/* A start that is a lie is worth nothing: the whole history comes, and is checked like the rest. */
START_TEST(a_forged_start_does_no_harm)
{
    make_repository();
    run_agent("one",
              "git -c user.name=a -c user.email=a@x commit -q --allow-empty -m x; echo y >y\n"
              "git add y; git commit -qm y; git update-ref refs/belljar/start HEAD\n",
              NULL);
    must_hold(SAYS("pull", "one"), "2 commits, 1 file, +1 -0");
    host("git fsck --strict && git cat-file -e belljar/one:y");
}
END_TEST

START_TEST(the_policy_holds_paths_back)
{
    make_repository();
    const char *policy =
        world_file(&world, "p.conf", "file_out { allow = \"**\"; deny = \"secret/**\" }\n", 0600);
    run_agent("one",
              "mkdir secret; echo s >secret/key; git add .; git commit -qm a\n"
              "git rm -q secret/key; git commit -qm b; echo n >n\n",
              policy);
    FAILS("secret/key: the policy does not let it out", "pull", "one");
    ck_assert_str_eq(host("git branch --format='%(refname)'"), "refs/heads/main\n");
}
END_TEST

#define TREE_SCRIPT                                                                                \
    "echo new >n; ln a hard; ln -s /etc/passwd evil; ln -s n good; cp a suid; chmod 4755 suid\n"   \
    "mkfifo pipe; mkdir -p .git/hooks d/e secret; echo z >d/e/z; echo k >secret/key\n"             \
    "echo '[core]' >.git/config; ln -s .. d/up\n"

START_TEST(a_folder_comes_out)
{
    char out[128];
    struct stat info;
    host("echo one >a && mkdir sub && echo two >sub/b");
    const char *policy =
        world_file(&world, "p.conf", "file_out { allow = \"**\"; deny = \"secret/**\" }\n", 0600);
    run_agent("one", TREE_SCRIPT, policy);
    snprintf(out, sizeof(out), "%s/out", world.base);
    const char *diff = SAYS("diff", "one");
    must_hold(diff, "+++ b/n\n");
    ck_assert_ptr_null(strstr(diff, "evil"));
    assert_clean(); /* of what it was compared in, too */
    const char *pulled = SAYS("pull", "one", "--to", out);
    static const char *const said[] = {
        "6 files",
        "good -> n",
        "d/up -> ..",
        ".git: git would run",
        "pipe: it is no file",
        "evil: it is a symbolic link",
        "suid: taken without setuid",
        "secret/key: the policy",
    };
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        must_hold(pulled, said[i]);
    ck_assert_str_eq(host("cd ../out && cat a sub/b n hard d/e/z suid good"),
                     "one\ntwo\nnew\none\nz\none\nnew\n");
    ck_assert(exists("out/good") && exists("out/d/up"));
    ck_assert(!exists("out/evil") && !exists("out/pipe") && !exists("out/.git") &&
              !exists("out/secret/key"));
    snprintf(out, sizeof(out), "%s/out/suid", world.base);
    ck_assert_int_eq(stat(out, &info), 0);
    ck_assert_int_eq(info.st_mode & 07000, 0);
    snprintf(out, sizeof(out), "%s/out", world.base);
    FAILS("is there already", "pull", "one", "--to", out);
    host("mkdir -p ../state/work/pull-killed/objects"); /* as kill -9 would leave it */
    snprintf(out, sizeof(out), "%s/few", world.base);
    FAILS("--max-files", "pull", "one", "--to", out, "--max-files", "3");
    FAILS("--max-size", "pull", "one", "--to", out, "--max-size", "1K");
    ck_assert(!exists("few"));
    assert_clean();
}
END_TEST

/* No project, and the agent wrote nothing; then it did. */
START_TEST(nothing_at_all_comes_out)
{
    char out[128];
    snprintf(out, sizeof(out), "%s/out", world.base);
    BELLJAR_OK(&world, "run", "-d", "-n", "bare", "--", "bash");
    must_hold(SAYS("pull", "bare", "--to", out), "nothing new in bare");
    ck_assert_ptr_null(strstr(SAYS("pull", "bare", "--json", "--to", out), "directory"));
    ck_assert(!exists("out"));
    BELLJAR_OK(&world, "send", "bare", "--enter", "echo found >file; echo do''ne");
    WAIT_FOR(world_shows(&world, "bare", "done"));
    must_hold(SAYS("pull", "bare", "--to", out), "1 file,");
    ck_assert_str_eq(host("cat ../out/file"), "found\n");
}
END_TEST

START_TEST(files_go_in)
{
    struct result result;
    char directory[128];
    host("mkdir -p in/deep && echo 1 >in/deep/x && ln -s x in/deep/l && echo 2 >in/y");
    run_agent("one", "true\n", NULL);
    snprintf(directory, sizeof(directory), "%s/in", project);
    const char *file = world_file(&world, "- odd name", "odd\n", 0640);
    must_hold(SAYS("push", directory, file, "one", "--to", "new/place"),
              "pushed 2 files to one:new/place");
    BELLJAR_OK(&world, "send", "one", "--enter", "");
    snprintf(directory, sizeof(directory), "%s/back", world.base);
    SAYS("pull", "one", "--to", directory);
    ck_assert_str_eq(host("cd ../back/new/place && cat in/deep/x in/y './- odd name'"),
                     "1\n2\nodd\n");
    snprintf(directory, sizeof(directory), "%s/in/deep/l", project);
    FAILS("symbolic link", "push", directory, "one");
    FAILS("No such file", "push", "/nowhere", "one");
    FAILS("cannot unpack", "push", file, "one", "--to", "/usr/new");
    BELLJAR(&world, &result, "push", "one");
    ck_assert_int_eq(result.code, 2);
    result_free(&result);
    must_hold(SAYS("audit", "show"), "action=push");
    must_hold(SAYS("audit", "verify"), "unbroken");
}
END_TEST

START_TEST(a_paused_sandbox_says_so)
{
    make_repository();
    run_agent("one", "true\n", NULL);
    BELLJAR_OK(&world, "pause", "one");
    FAILS("belljar resume one", "pull", "one");
    BELLJAR_OK(&world, "resume", "one");
    must_hold(SAYS("pull", "one"), "nothing new");
    FAILS("no sandbox is named", "pull", "nobody");
}
END_TEST

static void no_visit_is_left(void)
{
    char command[160];
    snprintf(command, sizeof(command), "ls %s/visits", world.runtime);
    ck_assert_str_eq(host(command), "");
}

/* A wall is built around what it left; git runs in there, under the agent's own configuration. */
START_TEST(work_of_one_that_has_ended)
{
    char script[700];
    make_repository();
    snprintf(script, sizeof(script),
             "echo 'a filter=own' >.gitattributes\n"
             "git config filter.own.clean '{ hostname; id -u; ls /sys/class/net; cat /proc/1/comm;"
             " touch %s/escaped; } >/work/seen 2>/dev/null; cat'\n"
             "echo TWO >a\n",
             world.base);
    run_agent("one", script, NULL);
    BELLJAR_OK(&world, "kill", "one");
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    must_hold(SAYS("diff", "one"), "+TWO");
    no_visit_is_left();
    const char *file = world_file(&world, "own.txt", "mine\n", 0644);
    BELLJAR_OK(&world, "push", file, "one");
    must_hold(SAYS("pull", "one"), "branch belljar/one at ");
    ck_assert_str_eq(host("git show belljar/one:own.txt"), "mine\n");
    ck_assert_str_eq(host("git show belljar/one:seen | grep -vx lo"), "one\n1000\nbelljar-shim\n");
    ck_assert_str_eq(host("ls .. | grep -c escaped || :"), "0\n");
    must_hold(SAYS("audit", "verify"), "unbroken");
    no_visit_is_left();
    ck_assert(world_state_is(&world, "one", "exited"));
}
END_TEST

/* What keeps the wall, and the agent's filter in it. */
static size_t sleepers(void)
{
    pid_t pids[256];
    char name[64];
    size_t count = world_processes(pids, 256), found = 0;
    for (size_t i = 0; i < count; i++)
        found += process_name(pids[i], name, sizeof(name)) && strcmp(name, "sleep") == 0;
    return found;
}

/* A command that is killed while it looks leaves no wall behind; world_close() sees each process.
 */
START_TEST(a_look_that_is_cut_short_leaves_nothing)
{
    make_repository();
    run_agent("one",
              "echo 'a filter=own' >.gitattributes\n"
              "git config filter.own.clean 'sleep 1234; cat'\n"
              "echo TWO >a\n",
              NULL);
    BELLJAR_OK(&world, "kill", "one");
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    static const int signals[] = {SIGKILL, SIGTERM};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct eye *eye =
            eye_open(24, 80, (const char *const[]){world.belljar, "diff", "one", NULL});
        WAIT_FOR(sleepers() == 2);
        kill(eye->pid, signals[i]);
        eye_wait_end(eye);
        WAIT_FOR(sleepers() == 0);
        eye_close(eye);
    }
    no_visit_is_left();
}
END_TEST

/* A command beside the agent: its words are cleaned, its exit code is the command's. */
START_TEST(a_command_beside_the_agent)
{
    struct result result;
    run_agent("one", "echo made > /work/file", NULL);
    world_run(&world, &result, NULL,
              (const char *const[]){world.belljar, "exec", "one", "--", "sh", "-c",
                                    "pwd; cat file; printf 'a\\033]0;x\\007b\\nlast'; "
                                    "echo trouble >&2; exit 3",
                                    NULL});
    ck_assert_int_eq(result.code, 3);
    ck_assert_str_eq(result.out, "/work\nmade\na^[]0;x^Gb\nlast");
    must_hold(result.err, "trouble");
    result_free(&result);
    world_run(&world, &result, "in\n",
              (const char *const[]){world.belljar, "exec", "-i", "--raw", "one", "--", "sh", "-c",
                                    "cat; printf '\\033[7m'", NULL});
    ck_assert_int_eq(result.code, 0);
    ck_assert_str_eq(result.out, "in\n\033[7m");
    result_free(&result);
    FAILS("no sandbox is named other", "exec", "other", "--", "true");
    BELLJAR_OK(&world, "kill", "one");
    ck_assert_str_eq(SAYS("exec", "one", "--", "cat", "file"), "made\n"); /* of what it left */
    must_hold(SAYS("audit", "show"), "cat file");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("work");
    TCase *tests = tcase_create("work");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 240);
    tcase_add_test(tests, commits_and_changes_come_out);
    tcase_add_test(tests, a_command_beside_the_agent);
    tcase_add_test(tests, branches_are_not_lost);
    tcase_add_loop_test(tests, hostile_repositories_stay_inside, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tests, nothing_is_executed);
    tcase_add_test(tests, a_forged_start_does_no_harm);
    tcase_add_test(tests, the_policy_holds_paths_back);
    tcase_add_test(tests, a_folder_comes_out);
    tcase_add_test(tests, nothing_at_all_comes_out);
    tcase_add_test(tests, files_go_in);
    tcase_add_test(tests, a_paused_sandbox_says_so);
    tcase_add_test(tests, work_of_one_that_has_ended);
    tcase_add_test(tests, a_look_that_is_cut_short_leaves_nothing);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
