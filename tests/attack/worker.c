/*
 * An egress proxy that was taken over (docs/THREATS.md): what it can say to the server is about its
 * own sandbox, is what the protocol knows, and is shown as what it is. worker.py says it, in the
 * place of belljar-egress.
 */
#include "attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char policy[] =
    "egress {\n allow = [\"good.example:443\"]\n deny = [\"bad.example\"]\n}\n"
    "limits {\n egress_per_hour = 1gb\n}\n"
    "credential model {\n from = \"file:~/key\"\n hosts = [\"model.example\"]\n"
    " header = authorization\n format = \"Bearer %s\"\n placeholder_env = MODEL_API_KEY\n"
    " upstream = \"https://model.example\"\n}\n";

static char *worker; /* worker.py; a world's environment has it no more */

/* The programs, with worker.py as the proxy. */
static void put_worker(void)
{
    char place[200];
    world_copy_programs(&attack_world);
    snprintf(place, sizeof(place), "%s/programs/belljar-egress", attack_world.base);
    world_run_ok(&attack_world, (const char *const[]){"install", "-m", "755", worker, place, NULL});
}

static const char *base_file(const char *name)
{
    static char path[200];
    snprintf(path, sizeof(path), "%s/%s", attack_world.base, name);
    return path;
}

/* What it got for what it said. */
static const struct {
    const char *what, *answer;
} rows[] = {
    {"hello for another", "closed"},
    {"hello for nobody", "closed"},
    {"before hello", "does not speak for that sandbox"},
    {"for another", "does not speak for that sandbox"},
    {"secret for another", "does not speak for that sandbox"},
    {"secret for ../.", "does not speak for that sandbox"},
    {"secret for xxxx", "does not speak for that sandbox"},
    {"host 'a b'", "host"},
    {"host '\\x1b[31m'", "host"},
    {"host 'good.example/'", "host"},
    {"host '[::1'", "host"},
    {"port 65536", "port"},
    {"no host", "host"},
    {"host as number", "host"},
    {"good", "'allow'"},
    {"bad", "'deny'"},
    {"upstream", "'allow'"},
    {"upstream's other port", "'wait'"},
    {"no such secret", "none"},
    {"no such method", "no method egress.verdict"},
    {"revoked", "'good.example'"},
    {"over its quota", "used up"},
};

START_TEST(a_taken_over_proxy_speaks_for_itself)
{
    char start[64];
    const char *said;
    put_worker();
    world_file(&attack_world, "home/key", "top-secret\n", 0600);
    attack_policy(policy);
    human_runs(&attack_world, "other", "exec sleep 1000");
    WAIT_FOR(world_state_is(&attack_world, "other", "running"));
    human_runs(&attack_world, "evil", "exec 3<>/dev/tcp/127.0.0.1/3128; exec sleep 1000");
    pid_t server = world_server(&attack_world);
    WAIT_FOR(access(base_file("over"), F_OK) == 0);
    said = world_read(base_file("said"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(start, sizeof(start), "\n%s: ", rows[i].what);
        const char *line = i == 0 ? said : strstr(said, start);
        ck_assert_msg(line, "%s: no answer in:\n%s", rows[i].what, said);
        const char *end = strchr(line + 1, '\n');
        const char *found = strstr(line, rows[i].answer);
        ck_assert_msg(found && (!end || found < end), "%s: %.200s", rows[i].what, line + 1);
    }
    ck_assert_msg(!strstr(said, "top-secret"), "%s", said);
    /* What it says is told, without what would move the human's terminal. */
    WAIT_FOR(attack_alerted("all is well"));
    ck_assert(!ATTACK_SAYS("\x1b", "alerts"));
    ck_assert(!ATTACK_SAYS("\xe2\x80\xae", "alerts"));
    ck_assert(attack_alerted("used up"));
    /* Nobody else is blamed, and nothing is lost. */
    ck_assert(!ATTACK_SAYS("blamed", "egress", "other"));
    ck_assert(ATTACK_SAYS("good.example", "egress", "evil"));
    ck_assert(!attack_audited("connection", "blamed"));
    ck_assert_int_eq(world_server(&attack_world), server);
    ck_assert(world_state_is(&attack_world, "other", "running"));
    BELLJAR_OK(&attack_world, "audit", "verify");
    ck_assert(ATTACK_SAYS("model.example:80", "requests"));
}
END_TEST

int main(void)
{
    const char *given = getenv("BELLJAR_TEST_WORKER");
    worker = strdup(given ? given : "");
    Suite *suite = suite_create("worker");
    TCase *cases = tcase_create("worker");
    tcase_add_checked_fixture(cases, attack_open, attack_close);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, a_taken_over_proxy_speaks_for_itself);
    suite_add_tcase(suite, cases);
    int status = world_main(suite);
    free(worker);
    return status;
}
