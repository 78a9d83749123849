/*
 * What the human decided and what only he may know, rows 54, 57 and 59 of the attack list, in a
 * network of the test's own: a rule lets through what was shown and nothing else, the project's own
 * policy counts only as it was accepted, and a credential's secret stays outside.
 */
#include "canary.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* --- row 54 --- */

/* What is not good.example:80, however near, is asked about. */
static const struct {
    const char *url, *subject;
} near[] = {
    {"http://good.example:443/", "good.example:443"},
    {"http://good.example:8080/", "good.example:8080"},
    {"http://sub.good.example/", "sub.good.example:80"},
    {"http://GOOD.EXAMPLE.evil/", "good.example.evil:80"},
    {"http://xgood.example/", "xgood.example:80"},
    {"http://goodxexample/", "goodxexample:80"},
    {"http://" NET_PUBLIC "/", NET_PUBLIC ":80"},
    {"http://example/", "example:80"},
};

START_TEST(a_rule_is_as_wide_as_what_was_shown)
{
    char script[2048] = "";
    attack_start("a", NETWORK_FETCH("good.example"));
    WAIT_FOR(attack_request("good.example:80", "id")[0]);
    WAIT_FOR(attack_answer("allow", "good.example:80", "--rule", "all"));
    network_wait_over("a");
    ck_assert(world_shows(&attack_world, "a", "code 200"));
    for (size_t i = 0; i < COUNT(near); i++)
        snprintf(script + strlen(script), sizeof(script) - strlen(script), "curl -s -p '%s' & ",
                 near[i].url);
    snprintf(script + strlen(script), sizeof(script) - strlen(script), "%s",
             NETWORK_FETCH("GOOD.example."));
    attack_start("b", script);
    for (size_t i = 0; i < COUNT(near); i++)
        WAIT_FOR(attack_request(near[i].subject, "id")[0]);
    network_wait_over("b");
    ck_assert(world_shows(&attack_world, "b", "code 200"));
    ck_assert_int_eq(network_lookups(), net_queries("good.example"));
    ck_assert(attack_audited("rule_added", "\"pattern\":\"good.example:80\""));
    network_canaries_are_alone();
}
END_TEST

/* A verdict on a request of two, remembered for the sandbox, is for these two. */
START_TEST(a_rule_is_for_those_who_were_shown)
{
    attack_start("a", NETWORK_FETCH("good.example"));
    attack_start("b", NETWORK_FETCH("good.example"));
    WAIT_FOR(strcmp(attack_request("good.example:80", "count"), "2") == 0);
    WAIT_FOR(attack_answer("allow", "good.example:80", "--rule", "sandbox"));
    network_wait_over("a");
    /* b joined less than 300 ms before the verdict, perhaps: then it was not meant by it. */
    WAIT_FOR(world_shows(&attack_world, "b", "over") || attack_request("good.example:80", "id")[0]);
    bool meant = world_shows(&attack_world, "b", "over");
    ck_assert(meant == ATTACK_SAYS(world_field(&attack_world, "b", "id"), "rules", "--json"));
    attack_start("c", NETWORK_FETCH("good.example"));
    WAIT_FOR(attack_request("good.example:80", "id")[0]);
    ck_assert(!world_shows(&attack_world, "c", "code"));
    ck_assert(!ATTACK_SAYS(world_field(&attack_world, "c", "id"), "rules", "--json"));
    ck_assert_int_eq(net_requests("GET /x good.example"), meant ? 2 : 1);
}
END_TEST

/* --- row 57 --- */

#define OPEN_ALL     "egress { allow = [\"**\", \"127.0.0.1\"]; default = allow }"
#define OPEN_PRIVATE "egress { private = [\"**\"] }"

static const char *proposal(void)
{
    static char title[256];
    struct result result;
    BELLJAR(&attack_world, &result, "requests", "--json");
    json_t *list = json_loads(result.out, 0, NULL), *item;
    size_t index;
    title[0] = '\0';
    json_array_foreach(list, index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "kind")), "policy") == 0)
            snprintf(title, sizeof(title), "%s", json_string_value(json_object_get(item, "title")));
    }
    json_decref(list);
    result_free(&result);
    return title;
}

static const char writes_policies[] =
    "read go; curl -s -m 60 -o /dev/null -w 'good %{http_code}\\n' http://good.example/x;"
    "read go; echo '" OPEN_PRIVATE "' >.belljar/policy.conf; echo written first;"
    "read go; echo '" OPEN_ALL "' >.belljar/policy.conf; echo written again;"
    "read go; curl -s -o /dev/null -w 'evil %{http_code}\\n' http://other.example/x;"
    "curl -s -o /dev/null -w 'inside %{http_code}\\n' http://inside.example/; cat";

/* The agent writes a policy for itself, after the human has accepted a narrow one: it counts
 * neither at once, nor when Belljar starts again, nor when it is loaded again. */
START_TEST(a_policy_that_the_agent_writes)
{
    world_file(&attack_world, "project/.belljar/policy.conf",
               "egress { allow = [\"good.example:80\"] }\n", 0644);
    attack_start("a", writes_policies);
    WAIT_FOR(proposal()[0]);
    ck_assert(attack_audited("request", "own policy file"));
    WAIT_FOR(attack_answer("allow", proposal(), NULL, NULL));
    BELLJAR_OK(&attack_world, "send", "a", "--enter", "go");
    WAIT_FOR(world_shows(&attack_world, "a", "good 200"));
    BELLJAR_OK(&attack_world, "send", "a", "--enter", "go");
    WAIT_FOR(world_shows(&attack_world, "a", "written first"));
    BELLJAR_OK(&attack_world, "policy", "reload", "--all");
    WAIT_FOR(attack_alerted("cannot open private addresses"));
    BELLJAR_OK(&attack_world, "send", "a", "--enter", "go");
    WAIT_FOR(world_shows(&attack_world, "a", "written again"));
    kill(world_server(&attack_world), SIGKILL);
    WAIT_FOR(world_server(&attack_world) == 0);
    BELLJAR_OK(&attack_world, "ls");
    BELLJAR_OK(&attack_world, "policy", "reload", "--all");
    WAIT_FOR(proposal()[0]); /* it is asked about */
    BELLJAR_OK(&attack_world, "send", "a", "--enter", "go");
    WAIT_FOR(attack_request("other.example:80", "id")[0]);
    ck_assert_int_eq(net_queries("other.example"), 0);
    WAIT_FOR(attack_answer("deny", "other.example:80", NULL, NULL));
    WAIT_FOR(world_shows(&attack_world, "a", "evil 403"));
    WAIT_FOR(attack_answer("deny", "inside.example:80", NULL, NULL));
    WAIT_FOR(world_shows(&attack_world, "a", "inside 403"));
    network_canaries_are_alone();
    BELLJAR_OK(&attack_world, "audit", "verify");
}
END_TEST

/* Where the policy file would be there is something else: the host follows no link, waits for no
 * pipe, and shows nobody what it found. */
START_TEST(policy_files_that_are_none)
{
    static const char *const made[] = {
        "ln -s %s .belljar/policy.conf", "mkfifo .belljar/policy.conf; : %s",
        "rm -r .belljar; ln -s $(dirname %s) .belljar", "mkdir .belljar/policy.conf; : %s",
        "head -c 50000000 /dev/zero >.belljar/policy.conf; : %s"};
    char secret[256], script[1024], name[16];
    snprintf(secret, sizeof(secret), "%s",
             world_file(&attack_world, "home/.secret/policy.conf", "TOPSECRET { a = b }\n", 0600));
    for (size_t i = 0; i < COUNT(made); i++) {
        snprintf(name, sizeof(name), "p%zu", i);
        snprintf(script, sizeof(script), "mkdir .belljar; ");
        snprintf(script + strlen(script), sizeof(script) - strlen(script), made[i], secret);
        strcat(script, "; echo made; cat");
        attack_start(name, script);
        WAIT_FOR(world_shows(&attack_world, name, "made"));
        BELLJAR_OK(&attack_world, "policy", "reload", name);
        WAIT_FOR(ATTACK_SAYS(name, "alerts", "--json"));
    }
    ck_assert(attack_alerted("the project's own policy is not usable"));
    ck_assert(!ATTACK_SAYS("TOPSECRET", "alerts", "--json"));
    ck_assert(!ATTACK_SAYS("TOPSECRET", "requests", "--json"));
    ck_assert(!ATTACK_SAYS("TOPSECRET", "audit", "show", "--json"));
    ck_assert(!ATTACK_SAYS("TOPSECRET", "policy", "show", "p0"));
    ck_assert_str_eq(proposal(), "");
}
END_TEST

/* --- row 59 --- */

#define SECRET      "xyzzy-7bd1f0c2"
#define FILE_SECRET "plugh-51c09e4a"

static char found_path[512];

static int visit_file(const char *path, const struct stat *info, int type, struct FTW *where)
{
    char script[1024];
    if (type != FTW_F || info->st_size == 0)
        return 0;
    snprintf(script, sizeof(script), "grep -q -a -e '" SECRET "' -e '" FILE_SECRET "' '%s'", path);
    if (system(script) == 0) /* zstd and base64 are not looked into: nothing of it goes there */
        snprintf(found_path, sizeof(found_path), "%s", path);
    return 0;
}

/* Whether one of the secrets stands in /proc/PID/NAME. */
static bool process_has(pid_t pid, const char *name)
{
    char path[64], text[65536];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof(text), file) : 0;
    if (file)
        fclose(file);
    return memmem(text, size, SECRET, strlen(SECRET)) ||
           memmem(text, size, FILE_SECRET, strlen(FILE_SECRET));
}

/* No process shows it to `ps`; only the server, which the user gave it to, has it in its
 * environment; and none of ours leaves a core file. */
static void check_processes(void)
{
    pid_t pids[1024];
    char path[64];
    pid_t server = world_server(&attack_world);
    size_t count = world_processes(pids, COUNT(pids));
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pids[i]);
        char name[512];
        snprintf(name, sizeof(name), "%s", world_read(path));
        if (!strstr(name, "belljar"))
            continue;
        ck_assert_msg(!process_has(pids[i], "cmdline"), "in the command line of %s", name);
        if (pids[i] != server)
            ck_assert_msg(!process_has(pids[i], "environ"), "in the environment of %s", name);
        snprintf(path, sizeof(path), "/proc/%d/limits", (int)pids[i]);
        const char *line = strstr(world_read(path), "Max core file size");
        long size = line ? strtol(line + strlen("Max core file size"), NULL, 10) : 0;
        ck_assert_msg(!line || (size <= 1 && !strstr(line, "Max core file size        unlimited")),
                      "%s may leave a core file: %.60s", name, line);
    }
}

static void check_listings(const char *name)
{
    const char *const listings[][6] = {
        {"ls", "--json"},
        {"requests", "--json"},
        {"alerts", "--json"},
        {"rules", "--json"},
        {"audit", "show", "--json"},
        {"egress", name, "--json"},
        {"policy", "show", name},
        {"capture", name, "--scrollback"},
    };
    for (size_t i = 0; i < COUNT(listings); i++) {
        ck_assert_msg(!human_reads(&attack_world, SECRET, listings[i]), "belljar %s says it",
                      listings[i][0]);
        ck_assert_msg(!human_reads(&attack_world, FILE_SECRET, listings[i]), "belljar %s says it",
                      listings[i][0]);
    }
}

static const char looks[] =
    "env | grep MODEL; for u in \"$MODEL_URL\" \"$OTHER_URL\"; do "
    "curl -s -m 60 -o /dev/null -w 'upstream %{http_code}\\n' \"$u/v1\"; done; "
    "grep -l -a -e 'xyzz[y]-' -e 'plug[h]-' /proc/*/environ /proc/*/cmdline 2>/dev/null | "
    "grep -v -e /self/ -e /thread-self/ | while read f; do echo FOUND $f; done; "
    "find / -xdev -type f -size -1M -newer /belljar/link -readable 2>/dev/null | grep -v ^/proc | "
    "xargs -r grep -l -a -e 'xyzz[y]-' -e 'plug[h]-' 2>/dev/null | while read f; do echo FOUND $f; "
    "done; "
    "echo over; cat";

START_TEST(secrets_stay_outside)
{
    char policy[1024];
    setenv("MODEL_SECRET", SECRET, 1); /* as the user's shell has it, from which all is started */
    snprintf(policy, sizeof(policy),
             "credential model { from = \"env:MODEL_SECRET\"; hosts = [\"good.example\"]\n"
             " header = \"x-api-key\"; placeholder_env = \"MODEL_KEY\"\n"
             " base_url_env = \"MODEL_URL\"; upstream = \"https://good.example\" }\n"
             "credential other { from = \"file:%s/home/key\"; hosts = [\"good.example\"]\n"
             " header = \"x-api-key\"; base_url_env = \"OTHER_URL\"\n"
             " placeholder_env = \"OTHER_KEY\"; upstream = \"https://good.example\" }\n",
             attack_world.base);
    world_file(&attack_world, "home/key", FILE_SECRET "\n", 0600);
    attack_policy(policy);
    attack_start("a", looks);
    network_wait_over("a");
    const char *text = world_capture(&attack_world, "a");
    /* Both secrets were handed to the egress proxy; nobody answers there: 502. */
    ck_assert_msg(strstr(text, "upstream 502\nupstream 502"), "%s", text);
    ck_assert_msg(!strstr(text, "FOUND"), "%s", text);
    check_processes();
    check_listings("a");
    found_path[0] = '\0';
    nftw(attack_world.state, visit_file, 32, FTW_PHYS);
    nftw(attack_world.runtime, visit_file, 32, FTW_PHYS);
    ck_assert_msg(!found_path[0], "a secret is in %s", found_path);
}
END_TEST

int main(void)
{
    const struct network_case cases[] = {
        {"row 54: a rule is as wide as what was shown", a_rule_is_as_wide_as_what_was_shown},
        {"row 54: a rule is for those who were shown", a_rule_is_for_those_who_were_shown},
        {"row 57: a policy that the agent writes", a_policy_that_the_agent_writes},
        {"row 57: policy files that are none", policy_files_that_are_none},
        {"row 59: secrets stay outside", secrets_stay_outside},
    };
    return network_main("trust", cases, COUNT(cases));
}
