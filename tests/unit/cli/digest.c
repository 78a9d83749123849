#include "suite.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mux/audit/audit.h"
#include "tui/cli/digest.h"

static char state[64];
static struct audit *audit;
static struct digest digest;
static struct bj_error error;
static atomic_bool stop;

static void setup(void)
{
    const struct audit_options options = {.lazy = true};
    struct audit_opened opened;
    stop = false;
    snprintf(state, sizeof(state), "/tmp/bj-digest-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(state));
    ck_assert_int_eq(audit_open(&audit, state, &options, &opened, &error), 0);
}

static void teardown(void)
{
    char command[128];
    audit_close(audit);
    snprintf(command, sizeof(command), "rm -rf %s", state);
    ck_assert_int_eq(system(command), 0);
}

static void note(enum audit_kind kind, const char *json)
{
    json_t *fields = json_loads(json, 0, NULL);
    ck_assert_ptr_nonnull(fields);
    ck_assert_int_eq(audit_append(audit, kind, fields, &error), 0);
    json_decref(fields);
}

static const char *sum(void)
{
    static char out[DIGEST_SUM_MAX];
    ck_assert_int_eq(digest_read(&digest, state, "main", 0, &stop, &error), 0);
    digest_sum(&digest, out);
    return out;
}

#define MAIN  "{\"client\":1,\"session\":\"main\"}"
#define OTHER "{\"client\":2,\"session\":\"side\"}"
#define LOOKS "{\"client\":3,\"session\":\"main\",\"readonly\":true}"
#define EXIT  "{\"sandbox\":\"web\",\"code\":3,\"signal\":0,\"error\":\"\"}"

START_TEST(only_what_came_after_leaving)
{
    ck_assert_str_eq(sum(), "");
    ck_assert(digest_empty(&digest)); /* nobody was ever here */
    note(AUDIT_EXIT, EXIT);
    sum();
    ck_assert(digest_empty(&digest));
    note(AUDIT_ATTACH, MAIN);
    note(AUDIT_REQUEST, "{\"sandbox\":\"web\",\"title\":\"seen\"}");
    note(AUDIT_DETACH, MAIN);
    sum();
    ck_assert(digest_empty(&digest)); /* nothing happened */
    note(AUDIT_REQUEST, "{\"sandbox\":\"web\",\"title\":\"make\"}");
    note(AUDIT_REQUEST, "{\"sandbox\":\"web\",\"title\":\"rm \\u001b[31m\"}");
    note(AUDIT_VERDICT, "{\"sandbox\":\"web\",\"title\":\"make\",\"by\":\"human\",\"answer\":"
                        "\"allow\"}");
    note(AUDIT_VERDICT, "{\"sandbox\":\"web\",\"title\":\"rm \\u001b[31m\",\"by\":\"gone\"}");
    note(AUDIT_VERDICT, "{\"sandbox\":\"web\",\"title\":\"ls\",\"by\":\"policy\",\"answer\":"
                        "\"allow\"}");
    note(AUDIT_DETACH, OTHER); /* of another session */
    note(AUDIT_ATTACH, LOOKS); /* who only looks, perhaps not this human */
    note(AUDIT_DETACH, LOOKS);
    note(AUDIT_EXIT, EXIT);
    note(AUDIT_ALERT, "{\"sandbox\":\"web\",\"severity\":\"warning\",\"text\":\"odd\"}");
    ck_assert_str_eq(sum(), "2 requests held, 1 answered by others, 1 expired, 1 failed, 1 alert");
    ck_assert_uint_eq(digest.line_count, 4);
    ck_assert_str_eq(digest.line[0].text, "web was allowed: make");
    ck_assert_ptr_null(strchr(digest.line[1].text, '\x1b'));
    ck_assert_str_eq(digest.line[2].text, "web exited 3");
    ck_assert(digest.line[2].bad && !digest.line[0].bad);
    note(AUDIT_ATTACH, MAIN);
    note(AUDIT_DETACH, MAIN);
    ck_assert_str_eq(sum(), ""); /* it has been seen */
}
END_TEST

START_TEST(a_servers_death_is_leaving)
{
    note(AUDIT_ATTACH, MAIN);
    note(AUDIT_EXIT, EXIT);
    note(AUDIT_SERVER_START, "{}");
    note(AUDIT_EXIT, EXIT);
    ck_assert_str_eq(sum(), "1 failed");
    note(AUDIT_SERVER_START, "{}"); /* nobody was attached then */
    ck_assert_str_eq(sum(), "1 failed");
}
END_TEST

START_TEST(the_newest_lines_are_kept)
{
    struct chord key = {.key = "x"}, enter = {.key = "enter"};
    note(AUDIT_DETACH, MAIN);
    for (int i = 0; i < DIGEST_LINES + 2; i++)
        note(AUDIT_EXIT, i < DIGEST_LINES + 1 ? EXIT : "{\"sandbox\":\"last\",\"code\":0}");
    ck_assert_str_eq(sum(), "1 ended, 7 failed");
    ck_assert_uint_eq(digest.line_count, DIGEST_LINES);
    ck_assert_str_eq(digest.line[DIGEST_LINES - 1].text, "last exited 0");
    ck_assert(!digest_key(&digest, &enter)); /* it is not open */
    digest.open = true;
    ck_assert(digest_key(&digest, &enter) && !digest.open);
    digest.open = true;
    ck_assert(!digest_key(&digest, &key) && !digest.open); /* and does what it does */
}
END_TEST

START_TEST(it_can_be_stopped)
{
    note(AUDIT_DETACH, MAIN);
    stop = true;
    ck_assert_int_eq(digest_read(&digest, state, "main", 0, &stop, &error), -EINTR);
    ck_assert_int_lt(digest_read(&digest, "/nonexistent", "main", 0, &stop, &error), 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("digest");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, only_what_came_after_leaving);
    tcase_add_test(tests, a_servers_death_is_leaving);
    tcase_add_test(tests, the_newest_lines_are_kept);
    tcase_add_test(tests, it_can_be_stopped);
    return run_suite("digest", tests);
}
