#include "mux/policy/preset.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "mux/policy/policy.h"
#include "tests/unit/policy/scratch.h"
#include "tests/unit/transport/suite.h"

static struct preset_context context;

/* PATH has only our own programs and those of the base system that the programs need. */
static void setup(void)
{
    scratch_make();
    mkdir(scratch_path("bin"), 0755);
    mkdir(scratch_path("home"), 0755);
    setenv("PATH", scratch_path("bin"), 1);
    setenv("HOME", scratch_path("home"), 1);
    unsetenv("PIP_INDEX_URL");
    unsetenv("PIP_EXTRA_INDEX_URL");
    unsetenv("CARGO_HOME");
    static char project[512], apt[512];
    strcpy(project, scratch_path("project"));
    strcpy(apt, scratch_path("apt"));
    context = (struct preset_context){.project = project, .apt = apt, .timeout = 20000};
}

static void program(const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof(path), "bin/%s", name);
    scratch_write(path, text, 0755);
}

/* "host:port host:port", or the note in brackets when it is empty. */
static const char *resolve(const char *name)
{
    static char text[4096];
    struct preset preset;
    struct bj_error error = {0};
    ck_assert_msg(preset_resolve(&preset, name, &context, &error) == 0, "%s", error.text);
    ck_assert_str_eq(preset.name, name);
    ck_assert(preset.note[0]);
    text[0] = '\0';
    for (size_t i = 0; i < preset.count; i++)
        strcat(strcat(text, i ? " " : ""), preset.hosts[i]);
    if (!preset.count)
        snprintf(text, sizeof(text), "[%s]", preset.note);
    preset_free(&preset);
    return text;
}

START_TEST(npm)
{
    program("npm", "#!/bin/sh\n[ \"$1 $2 $3\" = 'config list --json' ] || exit 1\n"
                   "echo '{\"registry\": \"https://Registry.Test/npm/\", \"@me:registry\": "
                   "\"http://user:pw@me.test:4873\", \"proxy\": \"http://proxy.test\", "
                   "\"@x:registryx\": \"http://no.test\", \"long\": 3}'\n");
    ck_assert_str_eq(resolve("@npm"), "registry.test:443 me.test:4873");
    program("npm", "#!/bin/sh\n[ \"$2\" = get ] || exit 1\necho https://old.test/\n");
    ck_assert_str_eq(resolve("@npm"), "old.test:443");
    program("npm", "#!/bin/sh\necho undefined\n");
    ck_assert_str_eq(resolve("@npm"), "[npm config names no registry]");
    unlink(scratch_path("bin/npm"));
    ck_assert_ptr_nonnull(strstr(resolve("@npm"), "cannot run npm"));
}
END_TEST

/* It runs in the home directory, so that a project's own files do not speak for the user. */
START_TEST(runs_at_home)
{
    program("npm", "#!/bin/sh\necho \"{\\\"registry\\\": \\\"https://x$(pwd | /usr/bin/tr -c "
                   "a-z0-9 -)x.test\\\"}\"\n");
    scratch_write("project/.npmrc", "registry=https://evil.example/\n", 0600);
    ck_assert_ptr_nonnull(strstr(resolve("@npm"), "home-x.test"));
}
END_TEST

START_TEST(stuck_programs)
{
    program("npm", "#!/bin/sh\necho '{'\n/bin/sleep 1000 &\nwait\n");
    context.timeout = 200;
    time_t before = time(NULL);
    ck_assert_ptr_nonnull(strstr(resolve("@npm"), "did not answer within 200 ms"));
    ck_assert_int_lt(time(NULL) - before, 30);
    program("npm", "#!/bin/sh\nexec >&-\n/bin/sleep 1000\n");
    ck_assert_ptr_nonnull(strstr(resolve("@npm"), "did not answer"));
}
END_TEST

START_TEST(floods)
{
    program("npm", "#!/bin/sh\n/usr/bin/head -c 3000000 /dev/zero\n");
    ck_assert_str_eq(resolve("@npm"), "[npm config names no registry]");
}
END_TEST

START_TEST(pip)
{
    program("pip",
            "#!/bin/sh\ncase $1 in\nconfig) echo \"global.cert='/x'\" ;;\n"
            "download) printf '  -i, --index-url <url>  Base URL (default\\n  "
            "https://index.test/simple). x\\n  --extra-index-url <u> http://no.test' ;;\nesac\n");
    ck_assert_str_eq(resolve("@pip"), "index.test:443");
    program("pip3",
            "#!/bin/sh\necho \"global.index-url='https://mirror.test:8443/simple'\"\n"
            "printf '%s\\n' \"global.extra-index-url='\\\\nhttps://a.test/\\\\nhttp://b.test'\"\n");
    ck_assert_str_eq(resolve("@pip"), "mirror.test:8443 a.test:443 b.test:80");
    setenv("PIP_INDEX_URL", "https://token@env.test/simple", 1);
    ck_assert_str_eq(resolve("@pip"), "env.test:443 mirror.test:8443 a.test:443 b.test:80");
    unlink(scratch_path("bin/pip3"));
    unlink(scratch_path("bin/pip"));
    ck_assert_str_eq(resolve("@pip"), "env.test:443");
    unsetenv("PIP_INDEX_URL");
    ck_assert_ptr_nonnull(strstr(resolve("@pip"), "cannot run pip"));
}
END_TEST

START_TEST(apt)
{
    ck_assert_ptr_nonnull(strstr(resolve("@apt"), "names no source"));
    scratch_write(
        "apt/sources.list",
        "# deb http://commented.test x\n"
        "deb [arch=amd64 signed-by=/x] http://one.test/debian stable main # http://no.test\n"
        "deb-src https://two.test/debian stable main\ndeb cdrom:[x] y\n",
        0600);
    scratch_write(
        "apt/sources.list.d/b.sources",
        "Types: deb\nURIs: https://three.test/x\n  http://four.test\nSuites: http://no.test\n\n"
        "Enabled: no\nURIs: https://off.test\n",
        0600);
    scratch_write("apt/sources.list.d/c.list", "deb mirror+http://five.test/list x y\n", 0600);
    scratch_write("apt/sources.list.d/d.list.save", "deb http://no.test x y\n", 0600);
    ck_assert_str_eq(resolve("@apt"),
                     "one.test:80 two.test:443 three.test:443 four.test:80 five.test:80");
}
END_TEST

START_TEST(cargo)
{
    ck_assert_ptr_nonnull(strstr(resolve("@cargo"), "names no registry"));
    scratch_write(
        "home/.cargo/config.toml",
        "[source.mine]\nregistry = \"sparse+https://mine.test/index/\"\n"
        "[http]\nproxy = \"http://no.test\"\n[registries.x]\nindex = \"https://x.test\"\n",
        0600);
    scratch_write(
        "home/.cargo/registry/index/index.test-0123456789abcdef/config.json",
        "{\n  \"dl\": \"https://static.test/crates\",\n  \"api\": \"https://api.test\"\n}\n", 0600);
    mkdir(scratch_path("home/.cargo/registry/index/odd"), 0755);
    ck_assert_str_eq(resolve("@cargo"),
                     "mine.test:443 x.test:443 index.test:443 static.test:443 api.test:443");
}
END_TEST

/* The real git, on a real configuration that tries to be clever. */
START_TEST(git_remote)
{
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    ck_assert_ptr_nonnull(strstr(resolve("@git-remote"), "no git remote"));
    char command[600];
    snprintf(command, sizeof(command), "git init -q '%s/project'", scratch);
    ck_assert_int_eq(system(command), 0);
    ck_assert_str_eq(resolve("@git-remote"), "[the project has no git remote]");
    scratch_write("evil.conf", "[remote \"e\"]\n url = https://evil.example/x\n", 0600);
    char config[1200];
    snprintf(
        config, sizeof(config),
        "[core]\n fsmonitor = touch %s/ran\n pager = touch %s/ran\n"
        "[include]\n path = %s/evil.conf\n"
        "[remote \"origin\"]\n url = git@ssh.test:me/x.git\n pushurl = https://u:p@push.test/x\n"
        "[remote \"b\"]\n url = ssh://git@two.test:2222/x\n"
        "[remote \"c\"]\n url = git://three.test/x\n[remote \"d\"]\n url = /local/path\n"
        "[remote \"f\"]\n url = ../other\n[remote \"g\"]\n url = ext::sh -c x\n"
        "[remote \"h\"]\n url = https://four.test:8443/x y\n",
        scratch, scratch, scratch);
    scratch_write("project/.git/config", config, 0600);
    ck_assert_str_eq(resolve("@git-remote"), "ssh.test:22 push.test:443 two.test:2222 "
                                             "three.test:9418 four.test:8443");
    ck_assert_int_ne(access(scratch_path("ran"), F_OK), 0);
    context.project = NULL;
    ck_assert_str_eq(resolve("@git-remote"), "[the sandbox has no project]");
}
END_TEST

START_TEST(bounds)
{
    char list[8192] = "";
    for (int i = 0; i < 100; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "deb http://h%d.test x y\n",
                 i % 80);
    scratch_write("apt/sources.list", list, 0600);
    struct preset preset;
    ck_assert_int_eq(preset_resolve(&preset, "@apt", &context, NULL), 0);
    ck_assert_uint_eq(preset.count, PRESET_HOSTS_MAX);
    preset_free(&preset);
    ck_assert_int_eq(preset_resolve(&preset, "@none", &context, NULL), -ENOENT);
}
END_TEST

/* Only those that the policy names are looked for. */
START_TEST(policy_resolves)
{
    struct policy policy = {0};
    static const char file[] = "egress { allow = [\"@apt\"]; deny = \"@npm\" }";
    scratch_write("apt/sources.list", "deb http://one.test x y\n", 0600);
    ck_assert_int_eq(policy_load_text(&policy, file, strlen(file), "f", POLICY_TRUSTED, NULL, NULL),
                     0);
    ck_assert_int_eq(policy_resolve(&policy, &context, NULL), 0);
    ck_assert_uint_eq(policy.presets_count, 2);
    struct policy_query query = {POLICY_EGRESS, "one.test:80", 11, NULL, NULL, 0};
    struct policy_decision decision;
    policy_decide(&policy, NULL, &query, &decision);
    ck_assert_int_eq(decision.effect, POLICY_ALLOW);
    ck_assert_str_eq(decision.pattern, "@apt (one.test:80)");
    query.subject = "one.test:443";
    query.size = 12;
    policy_decide(&policy, NULL, &query, &decision);
    ck_assert_int_eq(decision.effect, POLICY_DENY);
    policy_free(&policy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy presets");
    TCase *tests = tcase_create("preset");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_test(tests, npm);
    tcase_add_test(tests, runs_at_home);
    tcase_add_test(tests, stuck_programs);
    tcase_add_test(tests, floods);
    tcase_add_test(tests, pip);
    tcase_add_test(tests, apt);
    tcase_add_test(tests, cargo);
    tcase_add_test(tests, git_remote);
    tcase_add_test(tests, bounds);
    tcase_add_test(tests, policy_resolves);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
