#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/model/roster.h"

static struct fleet *fleet;
static struct roster roster;

static void event(const char *name, const char *json)
{
    ck_assert_int_ge(fleet_event(fleet, name, object(json), NULL), 0);
}

static void add(const char *id, const char *name, const char *state, const char *project)
{
    char json[300];
    snprintf(json, sizeof(json),
             "{\"id\": \"%s\", \"name\": \"%s\", \"state\": \"%s\", \"doing\": \"%s\", "
             "\"project\": \"%s\", "
             "\"session\": \"main\", \"created\": %zu, \"argv\": [\"run-%s\"]}",
             id, name, state, state, project, fleet->count + 1, name);
    event("event.sandbox", json);
}

static void setup(void)
{
    fleet = calloc(1, sizeof(*fleet));
    memset(&roster, 0, sizeof(roster));
    ck_assert_int_eq(fleet_init(fleet, "main", NULL), 0);
    fleet_tick(fleet, 1000, false);
    add("1", "web", "running", "/home/u/shop");
    add("2", "Api", "paused", "/home/u/shop");
    add("3", "docs", "exited", "/home/u/book");
    add("4", "web-2", "running", "/home/u/other");
    event("event.stats",
          "{\"sandboxes\": [{\"id\": \"1\", \"cpu\": 3.0, \"quiet\": 60, \"doing\": \"idle\", "
          "\"memory\": 50}, {\"id\": \"4\", \"cpu\": 90.0, \"quiet\": 1, \"doing\": \"running\", "
          "\"memory\": 20}]}");
    roster_make(&roster, fleet);
}

static void teardown(void)
{
    fleet_free(fleet);
    free(fleet);
}

/* The ids in order, as one word. */
static void rows(const char *wanted)
{
    char text[64] = "";
    roster_make(&roster, fleet);
    for (size_t i = 0; i < roster.count; i++)
        strcat(text, fleet->sandboxes[roster.row[i]]->id);
    ck_assert_str_eq(text, wanted);
}

static void filter(const char *text, const char *wanted)
{
    snprintf(roster.filter, sizeof(roster.filter), "%s", text);
    rows(wanted);
}

START_TEST(filters)
{
    setup();
    roster.key = ROSTER_AGE;
    roster.reversed = false;
    filter("", "1234"); /* the oldest first */
    filter("WEB", "14");
    filter("web other", "4");
    filter("project:shop", "12");
    filter("name:shop", "");
    filter("state:idle", "1");
    filter("state:exited", "3");
    filter("-web", "23");
    filter("-project:shop -state:exited", "4");
    filter("run-docs", "3"); /* the command */
    filter("-", "1234");     /* no word yet: a dash, which every command here has */
    filter("  ", "1234");
    filter("state:", "1234");
    teardown();
}
END_TEST

START_TEST(orders)
{
    setup();
    roster.key = ROSTER_NEED;
    rows("4213"); /* running, paused, idle, ended */
    event("event.request", "{\"id\": \"r\", \"sandbox_id\": \"3\", \"title\": \"t\"}");
    event("event.request",
          "{\"id\": \"q\", \"sandbox_id\": \"1\", \"title\": \"t\", \"created\": 10.0}");
    event("event.stats",
          "{\"sandboxes\": [{\"id\": \"1\", \"doing\": \"verdict\", \"since\": 10.0}]}");
    rows("1423"); /* what has ended asks nothing */
    roster.key = ROSTER_NAME;
    rows("2314");
    roster.reversed = true;
    rows("4132");
    roster.reversed = false;
    roster.key = ROSTER_CPU;
    rows("4123");
    roster.key = ROSTER_MEMORY;
    rows("1423");
    roster.key = ROSTER_REQUESTS;
    rows("1324"); /* what has ended had one, too */
    roster.key = ROSTER_ALERTS;
    event("event.sandbox", "{\"id\": \"4\", \"name\": \"web-2\", \"session\": \"main\", "
                           "\"state\": \"running\", \"alerts\": 2}");
    rows("4123");
    roster.key = ROSTER_MEMORY;
    for (int i = 0; i < ROSTER_KEYS; i++) {
        ck_assert_uint_gt(strlen(roster_key_name(roster.key)), 0);
        roster_sort(&roster, 1);
    }
    ck_assert_int_eq(roster.key, ROSTER_MEMORY);
    roster.key = ROSTER_NEED;
    roster_sort(&roster, -1);
    ck_assert_int_eq(roster.key, ROSTER_PROJECT);
    teardown();
}
END_TEST

START_TEST(the_cursor_is_on_a_sandbox)
{
    setup();
    roster.key = ROSTER_NAME; /* 2 3 1 4 */
    roster_put(&roster, fleet, "1");
    ck_assert_uint_eq(roster.at, 2);
    roster.reversed = true;
    roster_make(&roster, fleet);
    ck_assert_str_eq(roster.at_id, "1");
    ck_assert_uint_eq(roster.at, 1);
    roster_move(&roster, fleet, -50);
    ck_assert_str_eq(roster.at_id, "4");
    roster_move(&roster, fleet, 50);
    ck_assert_str_eq(roster.at_id, "2");
    event("event.gone", "{\"id\": \"2\"}");
    roster_make(&roster, fleet);
    ck_assert_str_eq(roster.at_id, "3"); /* the last row now */
    filter("nothing-has-this", "");
    ck_assert_str_eq(roster.at_id, "");
    roster_move(&roster, fleet, 1);
    ck_assert_uint_eq(roster.at, 0);
    teardown();
}
END_TEST

START_TEST(kept_as_a_word)
{
    struct roster one = {0}, other = {0};
    char word[ROSTER_SORT_MAX];
    for (int key = 0; key < ROSTER_KEYS; key++)
        for (int reversed = 0; reversed < 2; reversed++) {
            one.key = (enum roster_key)key;
            one.reversed = reversed;
            roster_sorted(&one, word);
            roster_sort_as(&other, word);
            ck_assert_int_eq(other.key, key);
            ck_assert_int_eq(other.reversed, reversed);
        }
    static const char *const nonsense[] = {"", "-", "column", "-column", "--name"};
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        roster_sort_as(&other, nonsense[i]);
        ck_assert_int_eq(other.key, ROSTER_KEYS - 1);
        ck_assert(other.reversed);
    }
}
END_TEST

SUITE_MAIN("roster", kept_as_a_word, filters, orders, the_cursor_is_on_a_sandbox)
