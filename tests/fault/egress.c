/*
 * Whatever can fail in the egress proxy does, once, one after the other, while an agent fetches: in
 * clear, through a tunnel, and with a credential that is added outside. Each time it gets what it
 * asked for, or an error at once; right after it, it gets it again. What the policy denies gets
 * through never, nor is it looked up, and the secret goes nowhere else. In a network of the test's
 * own.
 */
#include <stdio.h>
#include <string.h>

#include "tests/e2e/human.h"
#include "tests/e2e/net.h"
#include "tests/fault/sweeping.h"

#define SECRET "sk-3fd1c5a7e0b94d2b8c6f"

static struct world world;
static const char *secure_log;
static int fetch;

static void setup(void)
{
    char text[1024];
    sweeping_open(&world);
    net_start(&world);
    secure_log = net_start_secure(&world);
    snprintf(text, sizeof(text),
             "egress {\n allow = [\"good.example:80\", \"good.example:443\"]\n"
             " deny = [\"bad.example\"]\n}\n"
             "credential model {\n from = \"file:%s\"\n hosts = [\"good.example\"]\n"
             " header = \"x-api-key\"\n format = \"%%s\"\n placeholder_env = \"MODEL_KEY\"\n"
             " base_url_env = \"MODEL_URL\"\n upstream = \"https://good.example\"\n}\n",
             world_file(&world, "key", SECRET "\n", 0600));
    human_policy(&world, text);
    world_file(&world, "www/x", "what was fetched\n", 0644);
}

static void teardown(void)
{
    net_stop();
    world_close(&world);
}

/* Asks for one more round of fetches, and waits until it is over. */
static void fetch_all(void)
{
    char line[16], over[32];
    fetch++;
    snprintf(line, sizeof(line), "%d\r", fetch);
    snprintf(over, sizeof(over), "over %d.", fetch);
    BELLJAR_OK(&world, "send", "agent", line);
    WAIT_FOR(world_shows(&world, "agent", over));
    ck_assert(!world_shows(&world, "agent", "late")); /* an error is an answer, silence is none */
    ck_assert_int_eq(net_queries("bad.example"), 0);
}

static bool fetches(void)
{
    char answer[64];
    fetch_all();
    snprintf(answer, sizeof(answer), "fetch %d: ok ok ok 403", fetch);
    return world_shows(&world, "agent", answer);
}

static void fetch_after(void)
{
    WAIT_FOR(fetches());
}

START_TEST(a_fetch_that_fails_can_be_done_again)
{
    human_runs(
        &world, "agent",
        "stty -echo; got() { out=$(curl -sS -m 20 \"$@\" 2>&1); case \"$? $out\" in "
        "'0 what was fetched') printf ' ok';; 28*) printf ' late';; *) printf ' no';; esac; }; "
        "echo ready; while read -r k; do printf '%s' \"fetch $k:\"; "
        "got http://good.example/x; got -k https://good.example/x; "
        "got -H \"x-api-key: $MODEL_KEY\" -d sent $MODEL_URL/x; "
        "curl -s -m 20 -o /dev/null -w ' %{http_code}\\n' http://bad.example/; "
        "echo \"over $k.\"; done");
    char web_log[256];
    WAIT_FOR(world_shows(&world, "agent", "ready"));
    ck_assert(fetches());
    pid_t server = world_server(&world);
    sweep("belljar-egress", fetch_all, fetch_after);
    ck_assert_int_eq(world_server(&world), server);
    BELLJAR_OK(&world, "audit", "verify");
    ck_assert(!world_shows(&world, "agent", SECRET));
    snprintf(web_log, sizeof(web_log), "%s/web.log", world.base);
    ck_assert(!strstr(world_read(web_log), SECRET)); /* that is another server */
    ck_assert(strstr(world_read(secure_log), "POST /x good.example " SECRET));
    ck_assert(!strstr(world_read(secure_log), "GET /x good.example " SECRET)); /* not asked so */
}
END_TEST

int main(void)
{
    if (!net_make()) {
        printf("skipped: a network of its own needs root\n");
        return 77;
    }
    Suite *suite = suite_create("fault-egress");
    TCase *tcase = tcase_create("egress");
    tcase_set_timeout(tcase, 900);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_fetch_that_fails_can_be_done_again);
    suite_add_tcase(suite, tcase);
    return world_main(suite);
}
