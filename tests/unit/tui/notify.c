#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/model/notify.h"

static struct fleet *fleet;
static struct notify notify;
static uint64_t now, key_at;
static bool focused;

static void begin(void)
{
    fleet = calloc(1, sizeof(*fleet));
    ck_assert_int_eq(fleet_init(fleet, "main", NULL), 0);
    notify = (struct notify){.how = NOTIFY_BELL};
    now = key_at = 1000000;
    focused = true;
}

static void end(void)
{
    fleet_free(fleet);
    free(fleet);
}

static void event(const char *name, const char *json)
{
    ck_assert_int_ge(fleet_event(fleet, name, object(json), NULL), 0);
}

static bool due(void)
{
    return notify_due(&notify, fleet, focused, key_at, now);
}

START_TEST(only_when_nobody_looks)
{
    begin();
    event("event.request", "{\"id\": \"1\", \"sandbox_id\": \"a\", \"title\": \"t\"}");
    ck_assert(!due()); /* a key was pressed just now */
    now += NOTIFY_DWELL_MS - 1;
    ck_assert(!due());
    now += 1;
    ck_assert(due());
    ck_assert(!due());
    /* Not again for the same, nor soon for another one. */
    now += NOTIFY_COOLDOWN_MS - 1;
    event("event.request", "{\"id\": \"2\", \"sandbox_id\": \"a\", \"title\": \"t\"}");
    ck_assert(!due());
    now += 1;
    ck_assert(due());
    end();
}
END_TEST

START_TEST(at_once_without_the_focus)
{
    begin();
    focused = false;
    event("event.alert", "{\"id\": 1, \"severity\": \"critical\", \"text\": \"x\"}");
    ck_assert(due());
    /* What is only an information is no reason. */
    now += NOTIFY_COOLDOWN_MS;
    event("event.alert", "{\"id\": 2, \"severity\": \"info\", \"text\": \"x\"}");
    ck_assert(!due());
    end();
}
END_TEST

START_TEST(what_was_seen_or_answered_is_no_reason)
{
    begin();
    event("event.request", "{\"id\": \"1\", \"sandbox_id\": \"a\", \"title\": \"t\"}");
    ck_assert(!due());
    notify_seen(&notify, fleet);
    now += NOTIFY_DWELL_MS;
    ck_assert(!due());
    event("event.request", "{\"id\": \"2\", \"sandbox_id\": \"a\", \"title\": \"t\"}");
    key_at = now;
    ck_assert(!due());
    event("event.request_gone", "{\"id\": \"1\"}");
    event("event.request_gone", "{\"id\": \"2\"}");
    now += NOTIFY_DWELL_MS;
    ck_assert(!due());
    notify.how = NOTIFY_OFF;
    event("event.request", "{\"id\": \"3\", \"sandbox_id\": \"a\", \"title\": \"t\"}");
    ck_assert(!due());
    end();
}
END_TEST

START_TEST(the_text_is_ours)
{
    char text[NOTIFY_TEXT_MAX];
    begin();
    event("event.request",
          "{\"id\": \"1\", \"sandbox\": \"web-1\", \"sandbox_id\": \"a\", \"title\": "
          "\"pay me\\u001b]0;x\\u0007\", \"risk\": 2}");
    notify_text(fleet, text);
    ck_assert_str_eq(text, "web-1 waits for your verdict (high risk)");
    event("event.request", "{\"id\": \"2\", \"sandbox\": \"b\", \"sandbox_id\": \"b\"}");
    event("event.alert", "{\"id\": 1, \"severity\": \"warning\", \"text\": \"x\"}");
    notify_text(fleet, text);
    ck_assert_str_eq(text, "2 requests wait for your verdict, first web-1 (high risk), 1 alert");
    event("event.request_gone", "{\"id\": \"1\"}");
    event("event.request_gone", "{\"id\": \"2\"}");
    event("event.request", "{\"id\": \"3\", \"sandbox\": \"a;b\\u00e9\", \"sandbox_id\": \"a\"}");
    notify_text(fleet, text);
    ck_assert_ptr_null(strchr(text, ';'));
    ck_assert_ptr_nonnull(strstr(text, "a sandbox"));
    end();
}
END_TEST

SUITE_MAIN("notify", only_when_nobody_looks, at_once_without_the_focus,
           what_was_seen_or_answered_is_no_reason, the_text_is_ours)
