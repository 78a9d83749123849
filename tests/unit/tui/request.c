#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/model/fleet.h"

static struct fleet *fleet;

static void open_fleet(void)
{
    fleet = calloc(1, sizeof(*fleet));
    ck_assert_int_eq(fleet_init(fleet, "main", NULL), 0);
    fleet_event(fleet, "event.sandbox", object("{\"id\": \"a\", \"name\": \"a\"}"), NULL);
    fleet_event(fleet, "event.sandbox", object("{\"id\": \"b\", \"name\": \"b\"}"), NULL);
}

static void close_fleet(void)
{
    fleet_free(fleet);
    free(fleet);
}

static int event(const char *name, const char *json)
{
    return fleet_event(fleet, name, object(json), NULL);
}

static int ask(const char *id, const char *sandboxes, int risk, int created)
{
    char json[400];
    snprintf(json, sizeof(json),
             "{\"id\": \"%s\", \"sandbox_id\": \"a\", \"sandboxes\": %s, \"risk\": %d, "
             "\"created\": %d, \"title\": \"t\", \"class\": \"wall\", \"subject\": \"h:443\"}",
             id, sandboxes, risk, created);
    return event("event.request", json);
}

static const char *faced(const char *sandbox)
{
    size_t count;
    const struct request *request = fleet_request(fleet, sandbox, &count);
    return request ? request->id : "";
}

START_TEST(ranked_by_risk_then_age)
{
    open_fleet();
    ask("late-low", "[\"a\"]", 0, 30);
    ask("old-low", "[\"a\"]", 0, 10);
    ask("late-high", "[\"a\"]", 2, 40);
    ask("medium", "[\"a\"]", 1, 5);
    ask("old-high", "[\"a\"]", 9, 20); /* what is above high is high */
    static const char *const order[] = {"old-high", "late-high", "medium", "old-low", "late-low"};
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(fleet->requests[i]->id, order[i]);
    close_fleet();
}
END_TEST

START_TEST(one_question_of_many)
{
    open_fleet();
    ck_assert_int_eq(ask("r", "[\"a\"]", 0, 10), 1);
    ck_assert_int_eq(ask("r", "[\"a\"]", 0, 10), 0);
    ck_assert_int_eq(ask("r", "[\"a\", \"b\", 5]", 0, 10), 1);
    ck_assert_uint_eq(fleet->request_count, 1);
    ck_assert_uint_eq(fleet->requests[0]->count, 2);
    ck_assert_str_eq(faced("b"), "r");
    /* One goes, the other waits on. */
    event("event.gone", "{\"id\": \"a\"}");
    ck_assert_uint_eq(fleet->request_count, 1);
    ck_assert_uint_eq(fleet->requests[0]->count, 1);
    event("event.gone", "{\"id\": \"b\"}");
    ck_assert_uint_eq(fleet->request_count, 0);
    close_fleet();
}
END_TEST

START_TEST(sessions_that_share_a_question)
{
    open_fleet();
    event("event.sandbox", "{\"id\": \"x\", \"session\": \"other\"}");
    ask("ours", "[\"x\", \"a\"]", 0, 1);
    ask("theirs", "[\"x\"]", 0, 1);
    ck_assert_uint_eq(fleet->request_count, 1);
    ck_assert_str_eq(fleet->requests[0]->id, "ours");
    close_fleet();
}
END_TEST

START_TEST(what_is_on_screen_stays_there)
{
    open_fleet();
    ask("low", "[\"a\"]", 0, 10);
    ask("high", "[\"a\"]", 2, 20);
    ck_assert_str_eq(faced("a"), "high"); /* nothing was on screen yet */
    fleet_paint_begin(fleet);
    fleet_painted(fleet_request_find(fleet, "high"), 1000);
    fleet_paint_end(fleet);
    ask("older-high", "[\"a\"]", 2, 1);
    ck_assert_str_eq(fleet->requests[0]->id, "older-high");
    ck_assert_str_eq(faced("a"), "high");
    event("event.request_gone", "{\"id\": \"high\", \"outcome\": \"deny\", \"by\": \"cli\"}");
    ck_assert_str_eq(faced("a"), "older-high");
    ck_assert_str_eq(fleet->past.id, "high");
    ck_assert_str_eq(fleet->past.outcome, "deny");
    fleet_face(fleet, "a", fleet_request_find(fleet, "low"));
    ck_assert_str_eq(faced("a"), "low");
    close_fleet();
}
END_TEST

START_TEST(a_raised_risk_must_be_seen_anew)
{
    open_fleet();
    ask("r", "[\"a\"]", 0, 10);
    struct request *request = fleet->requests[0];
    fleet_paint_begin(fleet);
    fleet_painted(request, 1000);
    fleet_paint_end(fleet);
    ask("r", "[\"a\", \"b\"]", 0, 10);
    ck_assert(fleet_armed(request, 1000 + FLEET_ARM_MS));
    ask("r", "[\"a\", \"b\"]", 2, 10);
    ck_assert_int_eq(request->risk, RISK_HIGH);
    ck_assert(!fleet_armed(request, 1000 + FLEET_ARM_MS));
    close_fleet();
}
END_TEST

START_TEST(classes_never_look_alike)
{
    struct request wall = {.wall = true}, courtesy = {.wall = false};
    for (int ascii = 0; ascii < 2; ascii++)
        ck_assert_str_ne(request_glyph(&wall, ascii), request_glyph(&courtesy, ascii));
    ck_assert_str_ne(request_class(&wall), request_class(&courtesy));
    for (int risk = 0; risk < 2; risk++) {
        ck_assert_str_ne(risk_glyph((enum risk)risk, true),
                         risk_glyph((enum risk)(risk + 1), true));
        ck_assert_str_ne(risk_glyph((enum risk)risk, false),
                         risk_glyph((enum risk)(risk + 1), false));
    }
}
END_TEST

SUITE_MAIN("request", ranked_by_risk_then_age, one_question_of_many, sessions_that_share_a_question,
           what_is_on_screen_stays_there, a_raised_risk_must_be_seen_anew, classes_never_look_alike)
