/*
 * The way out: what the policy allows passes, what it does not know is held for a human, and
 * nothing is looked up before that. In a network of the test's own.
 */
#include "human.h"
#include "net.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;

/* The user's own policy; the built-in one with its presets counts below it. */
static void policy(const char *text)
{
    human_policy(&world, text);
}

static void setup(void)
{
    world_open(&world);
    net_start(&world);
    world_file(&world, "www/x", "what was fetched\n", 0644);
}

static void teardown(void)
{
    net_stop();
    world_close(&world);
}

static void run(const char *name, const char *script)
{
    human_runs(&world, name, script);
}

static const char *request_field(const char *subject, const char *field)
{
    return human_request(&world, subject, field);
}

static bool held(const char *subject)
{
    return request_field(subject, "id")[0] != '\0';
}

static bool answer(const char *verb, const char *subject, const char *option, const char *value)
{
    return human_answers(&world, verb, subject, option, value);
}

#define SAYS(text, ...) HUMAN_READS(&world, text, __VA_ARGS__)

#define FETCH "curl -sS -m 60 -w '%{http_code}\\n' http://good.example/x"

START_TEST(held_then_allowed_then_silent)
{
    run("one", FETCH "; echo first-over; read x; " FETCH "; echo second-over; sleep 1000");
    WAIT_FOR(held("good.example:80"));
    ck_assert_str_eq(request_field("good.example:80", "class"), "wall");
    ck_assert_str_eq(request_field("good.example:80", "kind"), "egress");
    ck_assert(world_state_is(&world, "one", "waiting"));
    ck_assert_int_eq(net_queries("good.example"), 0);
    WAIT_FOR(answer("allow", "good.example:80", "--rule", "all"));
    WAIT_FOR(world_shows(&world, "one", "first-over"));
    ck_assert(world_shows(&world, "one", "what was fetched"));
    ck_assert_int_gt(net_queries("good.example"), 0);
    ck_assert(SAYS("good.example:80", "rules"));
    BELLJAR_OK(&world, "send", "one", "--enter", "go");
    WAIT_FOR(world_shows(&world, "one", "second-over"));
    ck_assert(!held("good.example:80"));
    ck_assert_int_eq(net_requests("GET /x good.example"), 2);
    ck_assert(SAYS("good.example:80", "audit", "show", "--kind", "rule_added"));
    ck_assert(SAYS("good.example", "audit", "show", "--kind", "connection"));
    ck_assert(SAYS("good.example", "egress", "one"));
    BELLJAR_OK(&world, "audit", "verify");
}
END_TEST

START_TEST(denied_is_never_looked_up)
{
    run("one", FETCH "; echo over; sleep 1000");
    WAIT_FOR(held("good.example:80"));
    WAIT_FOR(answer("deny", "good.example:80", "--reason", "use-the-mirror"));
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert(world_shows(&world, "one", "403"));
    ck_assert(world_shows(&world, "one", "use-the-mirror"));
    ck_assert_int_eq(net_queries("good.example"), 0);
    /* By a line of the policy: at once, with an alert, and not looked up either. */
    policy("egress { deny = [\"**.bad.example\"] }\n");
    run("two", "curl -sS -m 60 -w '%{http_code}\\n' http://secret.data.bad.example/; "
               "echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "two", "over"));
    ck_assert(world_shows(&world, "two", "403"));
    ck_assert_int_eq(net_queries("secret.data.bad.example"), 0);
    ck_assert(!world_shows(&world, "two", world.home)); /* no path of the host is told inside */
    ck_assert(SAYS("secret.data.bad.example", "alerts"));
    ck_assert(SAYS("policy.conf:1", "policy", "explain", "two", "egress", "a.bad.example:443"));
}
END_TEST

START_TEST(no_private_address_behind_a_name)
{
    policy("egress { allow = [\"inside.example\", \"metadata.example\"] }\n");
    run("one", "for n in inside metadata; do curl -sS -m 60 -o /dev/null -w '%{http_code}\\n' "
               "http://$n.example:8080/; done; echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert(world_shows(&world, "one", "403\n403"));
    ck_assert(SAYS("inside.example", "alerts"));
    ck_assert(SAYS("metadata.example", "alerts"));
    /* The user's own word that a name may be of this machine. */
    policy("egress { allow = [\"inside.example\"]; private = [\"inside.example\"] }\n");
    run("two", "curl -sS -m 60 -o /dev/null -w '%{http_code}\\n' http://inside.example:8080/; "
               "echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "two", "over"));
    ck_assert(!world_shows(&world, "two", "403")); /* nobody listens there: 502 */
}
END_TEST

/* How long after the verdict the last connection stood, as the audit log has it; for people. */
static void print_delay(void)
{
    struct result result;
    double verdict = 0, last = 0;
    BELLJAR(&world, &result, "audit", "show", "--json");
    for (char *line = strtok(result.out, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *item = json_loads(line, 0, NULL);
        ck_assert_ptr_nonnull(item);
        const char *kind = json_string_value(json_object_get(item, "kind"));
        double time = json_number_value(json_object_get(item, "time"));
        double opened = time - json_number_value(json_object_get(item, "seconds"));
        if (kind && strcmp(kind, "verdict") == 0)
            verdict = time;
        if (kind && strcmp(kind, "connection") == 0 && opened > last)
            last = opened;
        json_decref(item);
    }
    ck_assert(verdict > 0 && last > 0);
    result_free(&result);
    printf("the last of 200 connections stood %.0f ms after the verdict\n",
           (last - verdict) * 1000);
}

START_TEST(one_verdict_for_all)
{
    char name[16];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        run(name, "for i in 0 1 2 3 4 5 6 7 8 9; do curl -sS -m 100 -o /dev/null "
                  "http://good.example/x & done; wait; echo all-over; sleep 1000");
    }
    WAIT_FOR(strcmp(request_field("good.example:80", "count"), "20") == 0);
    struct result result;
    BELLJAR(&world, &result, "requests", "--json");
    json_t *list = json_loads(result.out, 0, NULL);
    ck_assert_uint_eq(json_array_size(list), 1);
    json_decref(list);
    result_free(&result);
    usleep(400000); /* who joined last has been on screen for 300 ms, too */
    WAIT_FOR(answer("allow", "good.example:80", NULL, NULL));
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        WAIT_FOR(world_shows(&world, name, "all-over"));
    }
    ck_assert_int_eq(net_requests("GET /x good.example"), 200);
    ck_assert(!held("good.example:80"));
    print_delay();
}
END_TEST

/* Host pids of the egress proxies of this world. */
static size_t proxies(pid_t *out, size_t room)
{
    pid_t pids[1024];
    char path[64];
    size_t count = world_processes(pids, 1024), found = 0;
    for (size_t i = 0; i < count && found < room; i++) {
        snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pids[i]);
        if (strstr(world_read(path), "belljar-egress"))
            out[found++] = pids[i];
    }
    return found;
}

START_TEST(killed_proxy)
{
    pid_t pids[8];
    run("one", FETCH " || echo first-failed; read x; " FETCH "; echo second-over; sleep 1000");
    WAIT_FOR(held("good.example:80"));
    size_t count = proxies(pids, 8);
    ck_assert_uint_gt(count, 0);
    for (size_t i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    WAIT_FOR(world_shows(&world, "one", "first-failed"));
    WAIT_FOR(!held("good.example:80"));
    BELLJAR_OK(&world, "send", "one", "--enter", "go");
    WAIT_FOR(held("good.example:80"));
    WAIT_FOR(answer("allow", "good.example:80", NULL, NULL));
    WAIT_FOR(world_shows(&world, "one", "second-over"));
    ck_assert(world_shows(&world, "one", "what was fetched"));
}
END_TEST

START_TEST(killed_server)
{
    run("one", FETCH "; echo over; sleep 1000");
    WAIT_FOR(held("good.example:80"));
    char id[64];
    snprintf(id, sizeof(id), "%s", request_field("good.example:80", "id"));
    long asked = strtol(request_field("good.example:80", "created"), NULL, 10);
    sleep(4);
    kill(world_server(&world), SIGKILL);
    BELLJAR_OK(&world, "ls");
    WAIT_FOR(held("good.example:80")); /* of a new server */
    ck_assert_str_ne(request_field("good.example:80", "id"), id);
    ck_assert_int_le(strtol(request_field("good.example:80", "created"), NULL, 10), asked + 2);
    ck_assert(!world_shows(&world, "one", "over"));
    ck_assert_int_eq(net_queries("good.example"), 0);
    WAIT_FOR(answer("allow", "good.example:80", NULL, NULL));
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert(world_shows(&world, "one", "what was fetched"));
    BELLJAR_OK(&world, "audit", "verify");
}
END_TEST

START_TEST(revoked_at_once)
{
    run("one", "curl -sSN -m 100 http://good.example/slow; echo cut; sleep 1000");
    WAIT_FOR(held("good.example:80"));
    WAIT_FOR(answer("allow", "good.example:80", "--rule", "sandbox"));
    WAIT_FOR(world_shows(&world, "one", "tick"));
    ck_assert(!world_shows(&world, "one", "cut"));
    BELLJAR_OK(&world, "rules", "undo");
    WAIT_FOR(world_shows(&world, "one", "cut"));
    ck_assert(!SAYS("good.example", "rules"));
}
END_TEST

/* The second time the list of rules cannot be saved: what has ended does not count all the same. */
START_TEST(rules_expire)
{
    char blocks[160];
    snprintf(blocks, sizeof(blocks), "%s/rules.json.new", world.state);
    run("one", "curl -sSN -m 100 http://good.example/slow; echo cut; " FETCH "; sleep 1000");
    WAIT_FOR(held("good.example:80"));
    struct result result;
    char id[64];
    snprintf(id, sizeof(id), "%s", request_field("good.example:80", "id"));
    bool done = false;
    for (int i = 0; i < 100 && !done; i++) {
        BELLJAR(&world, &result, "allow", id, "--rule", "all", "--for", "3s");
        done = result.code == 0;
        result_free(&result);
        world_breathe();
    }
    ck_assert(done);
    ck_assert(_i == 0 || mkdir(blocks, 0700) == 0);
    WAIT_FOR(world_shows(&world, "one", "tick"));
    WAIT_FOR(world_shows(&world, "one", "cut"));
    WAIT_FOR(SAYS("cannot be taken off the list", "alerts") == (_i == 1));
    WAIT_FOR(held("good.example:80"));
}
END_TEST

START_TEST(programs_find_the_proxy)
{
    policy("egress { allow = [\"good.example:80\"] }\n");
    char script[2048], repository[512];
    snprintf(repository, sizeof(repository), "%s/repo", net_directory());
    snprintf(script, sizeof(script),
             "set -e; git init -q %s; cd %s; git -c user.name=a -c user.email=a@good.example "
             "commit -q --allow-empty -m first-commit; git update-server-info",
             repository, repository);
    world_run_ok(&world, (const char *const[]){"bash", "-c", script, NULL});
    run("one", "git clone -q http://good.example/repo/.git r && git -C r log --format=%s; "
               "curl -sS -m 60 --proxytunnel http://good.example/x; "
               "curl -sS -m 60 --socks5-hostname 127.0.0.1:3128 http://good.example/x; "
               "curl -sS -m 60 http://good.example/echo | grep -ci via; "
               "python3 -c 'import urllib.request as u; "
               "print(u.urlopen(\"http://good.example/x\").read())';"
               "echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert(world_shows(&world, "one", "first-commit"));
    ck_assert(world_shows(&world, "one", "what was fetched\nwhat was fetched"));
    ck_assert(world_shows(&world, "one", "b'what was fetched"));
    struct result result;
    BELLJAR(&world, &result, "requests", "--json");
    ck_assert_str_eq(result.out, "[]\n");
    result_free(&result);
}
END_TEST

/* A file of zeros on the host that the policy allows. */
static void serve(const char *size, const char *name)
{
    char script[300];
    snprintf(script, sizeof(script), "head -c %s /dev/zero > %s/%s", size, net_directory(), name);
    world_run_ok(&world, (const char *const[]){"bash", "-c", script, NULL});
    policy("egress { allow = [\"good.example\"] }\n");
}

/* Each connection is below it, and long over before the next begins. */
START_TEST(bytes_of_an_hour_in_pieces)
{
    serve("700k", "part");
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--egress", "1m", "--", "bash", "-c",
               "for i in 1 2; do curl -sS -m 60 -o /dev/null http://good.example/part; "
               "echo fetched $i; sleep 4; done; sleep 1000");
    WAIT_FOR(world_shows(&world, "one", "fetched 1"));
    ck_assert(!SAYS("used up", "alerts"));
    WAIT_FOR(world_shows(&world, "one", "fetched 2"));
    WAIT_FOR(SAYS("used up", "alerts"));
}
END_TEST

START_TEST(bytes_of_an_hour)
{
    serve("3M", "big");
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--egress", "1m", "--", "bash", "-c",
               "curl -sS -m 60 -o /dev/null http://good.example/big; echo fetched; read x; " FETCH
               "; echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "one", "fetched"));
    WAIT_FOR(SAYS("used up", "alerts"));
    BELLJAR_OK(&world, "send", "one", "--enter", "go");
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert(world_shows(&world, "one", "403"));
    ck_assert_int_eq(net_requests("GET /x"), 0);
}
END_TEST

/* npm from a registry of the test's own, as an agent would: held, then remembered, then silent. */
START_TEST(npm_installs)
{
    char script[2048];
    if (access("/usr/bin/npm", X_OK) != 0) {
        printf("npm_installs: skipped: there is no npm here\n");
        return;
    }
    snprintf(
        script, sizeof(script),
        "set -e; cd %s; mkdir -p made/package; cd made; echo 'module.exports = 42' > "
        "package/index.js; "
        "echo '{\"name\":\"small-thing\",\"version\":\"1.0.0\"}' > package/package.json; "
        "tar czf ../small-thing-1.0.0.tgz package; cd ..; "
        "sum=$(openssl dgst -sha512 -binary small-thing-1.0.0.tgz | base64 -w0); "
        "echo "
        "'{\"name\":\"small-thing\",\"dist-tags\":{\"latest\":\"1.0.0\"},\"versions\":{\"1.0.0\":"
        "{\"name\":\"small-thing\",\"version\":\"1.0.0\",\"dist\":{\"integrity\":\"sha512-'$sum'\","
        "\"tarball\":\"http://good.example/small-thing-1.0.0.tgz\"}}}}' > small-thing",
        net_directory());
    world_run_ok(&world, (const char *const[]){"bash", "-c", script, NULL});
#define NPM                                                                                        \
    "npm install --registry http://good.example/ --no-audit --no-fund --no-update-notifier "       \
    "small-thing && node -p 'require(\"small-thing\")'; "
    run("one", NPM "echo first-over; rm -rf node_modules ~/.npm; " NPM "echo over; sleep 1000");
    WAIT_FOR(held("good.example:80"));
    WAIT_FOR(answer("allow", "good.example:80", "--rule", "sandbox"));
    WAIT_FOR(world_shows(&world, "one", "42\nfirst-over"));
    WAIT_FOR(world_shows(&world, "one", "42\nover"));
    struct result result; /* asked once in all */
    BELLJAR(&world, &result, "audit", "show", "--kind", "request", "--json");
    ck_assert_ptr_nonnull(strstr(result.out, "good.example:80"));
    ck_assert_ptr_null(strstr(strstr(result.out, "\"request\"") + 1, "\"request\""));
    result_free(&result);
}
END_TEST

/* While the audit log cannot be written nothing is let through, and nothing that happened is lost.
 */
START_TEST(audit_disk_full)
{
    char path[256], fill[300];
    snprintf(path, sizeof(path), "%s", world.state);
    mkdir(path, 0700);
    ck_assert_int_eq(mount("tmpfs", path, "tmpfs", 0, "size=6m,mode=0700"), 0);
    run("one", FETCH "; echo over; sleep 1000");
    WAIT_FOR(held("good.example:80"));
    snprintf(fill, sizeof(fill), "head -c 20M /dev/zero > %s/fill; true", world.state);
    world_run_ok(&world, (const char *const[]){"bash", "-c", fill, NULL});
    struct result result;
    char id[64];
    snprintf(id, sizeof(id), "%s", request_field("good.example:80", "id"));
    usleep(400000);
    BELLJAR(&world, &result, "allow", id);
    ck_assert_int_eq(result.code, 1);
    ck_assert_msg(strstr(result.err, "audit log"), "%s", result.err);
    result_free(&result);
    ck_assert(SAYS("audit", "alerts"));
    ck_assert(!world_shows(&world, "one", "over"));
    ck_assert(held("good.example:80"));
    snprintf(fill, sizeof(fill), "%s/fill", world.state);
    ck_assert_int_eq(unlink(fill), 0);
    WAIT_FOR(answer("allow", "good.example:80", NULL, NULL));
    WAIT_FOR(world_shows(&world, "one", "what was fetched"));
    BELLJAR_OK(&world, "audit", "verify");
    BELLJAR_OK(&world, "kill", "--all");
    BELLJAR_OK(&world, "server", "stop");
    WAIT_FOR(umount(path) == 0);
}
END_TEST

/* A policy of the project's own is a proposal until a human has accepted its very bytes. */
START_TEST(project_proposes)
{
    char project[256];
    snprintf(project, sizeof(project), "%s/project", world.base);
    world_file(&world, "project/.belljar/policy.conf", "egress { allow = [\"good.example\"] }\n",
               0644);
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--project", project, "--", "bash", "-c",
               "read x; " FETCH "; echo over; sleep 1000");
    struct result result;
    BELLJAR(&world, &result, "requests", "--json");
    ck_assert_ptr_nonnull(strstr(result.out, "own policy file"));
    ck_assert_ptr_nonnull(strstr(result.out, "good.example"));
    result_free(&result);
    BELLJAR_OK(&world, "send", "one", "--enter", "go");
    WAIT_FOR(held("good.example:80")); /* so it does not count yet */
    /* Its acceptance answers the connection, too. */
    BELLJAR(&world, &result, "requests", "--json");
    json_t *list = json_loads(result.out, 0, NULL), *item;
    size_t index;
    char id[64] = "";
    json_array_foreach(list, index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "kind")), "policy") == 0)
            snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(item, "id")));
    }
    json_decref(list);
    result_free(&result);
    usleep(400000);
    BELLJAR_OK(&world, "allow", id);
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert(world_shows(&world, "one", "what was fetched"));
    ck_assert(SAYS("accepted", "policy", "show", "one"));
}
END_TEST

int main(void)
{
    if (!net_make()) {
        printf("skipped: a network of its own needs root\n");
        return 77;
    }
    Suite *suite = suite_create("e2e-egress");
    TCase *tcase = tcase_create("egress");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, held_then_allowed_then_silent);
    tcase_add_test(tcase, denied_is_never_looked_up);
    tcase_add_test(tcase, no_private_address_behind_a_name);
    tcase_add_test(tcase, one_verdict_for_all);
    tcase_add_test(tcase, killed_proxy);
    tcase_add_test(tcase, killed_server);
    tcase_add_test(tcase, revoked_at_once);
    tcase_add_loop_test(tcase, rules_expire, 0, 2);
    tcase_add_test(tcase, programs_find_the_proxy);
    tcase_add_test(tcase, bytes_of_an_hour);
    tcase_add_test(tcase, bytes_of_an_hour_in_pieces);
    tcase_add_test(tcase, npm_installs);
    tcase_add_test(tcase, audit_disk_full);
    tcase_add_test(tcase, project_proposes);
    suite_add_tcase(suite, tcase);
    return world_main(suite);
}
