#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/model/control.h"

static struct fleet *fleet;
static struct layout *layout;
static struct details *details;
static struct control control;
static struct order order;
static uint64_t now;

static void sync_all(void)
{
    control_sync(&control, fleet, now);
    layout_make(layout, control.layout, 40, 160, fleet->count, control.selected_index);
}

static void event(const char *name, const char *json)
{
    ck_assert_int_ge(fleet_event(fleet, name, object(json), NULL), 0);
    sync_all();
}

static void add(const char *id)
{
    char json[200];
    snprintf(json, sizeof(json), "{\"id\": \"%s\", \"name\": \"%s\", \"created\": %zu}", id, id,
             fleet->count);
    event("event.sandbox", json);
}

static void ask(const char *id, const char *sandbox, int risk)
{
    static int created;
    char json[300];
    snprintf(json, sizeof(json),
             "{\"id\": \"%s\", \"sandbox_id\": \"%s\", \"title\": \"t\", \"risk\": %d, "
             "\"created\": %d}",
             id, sandbox, risk, ++created);
    event("event.request", json);
}

/* What is on screen: the request on which a verdict would act. Then it is armed. */
static void look_long(void)
{
    struct request *request = control_request(&control, fleet);
    fleet_paint_begin(fleet);
    if (request)
        fleet_painted(request, now);
    fleet_paint_end(fleet);
    now += FLEET_ARM_MS;
}

static uint64_t late; /* ms: how long before it is read a key may have been typed */

static enum order_kind press(const char *name)
{
    struct input what = {.kind = INPUT_KEY};
    struct control_view view = {.fleet = fleet,
                                .layout = layout,
                                .details = details,
                                .now = now,
                                .typed_after = now - late,
                                .page = 10,
                                .card_last = 5};
    ck_assert(keys_parse(name, strlen(name), &what.chord));
    control_input(&control, &view, &what, &order);
    sync_all();
    return order.kind;
}

/* The server answers what is wanted now. */
static void answer(void)
{
    struct details_wish wish;
    char json[300];
    control_wish(&control, fleet, &wish);
    ck_assert(wish.id[0]);
    details_want(details, &wish);
    snprintf(json, sizeof(json),
             "{\"id\": \"%s\", \"answer\": \"%s\", \"seconds\": %u, \"rules\": {\"sandbox\": "
             "\"s\", \"project\": \"p\", \"all\": \"all\"}}",
             wish.id, wish.deny ? "deny" : "allow", wish.seconds);
    details_take(details, details->serial, object(json));
    menu_painted(&control.menu, details, now);
    now += MENU_ARM_MS;
}

static void setup(void)
{
    fleet = calloc(1, sizeof(*fleet));
    layout = calloc(1, sizeof(*layout));
    details = calloc(1, sizeof(*details));
    ck_assert_int_eq(fleet_init(fleet, "main", NULL), 0);
    control_init(&control);
    now = 100000;
    add("a");
    add("b");
    add("c");
}

static void teardown(void)
{
    fleet_free(fleet);
    details_free(details);
    free(details);
    free(fleet);
    free(layout);
}

START_TEST(remembering)
{
    setup();
    ask("r1", "a", 0);
    ck_assert_int_eq(press("A"), ORDER_NONE);
    ck_assert(!control.menu.open); /* it has not been seen */
    look_long();
    press("A");
    ck_assert(control.menu.open);
    /* The keys of the panes are not meant now. */
    ck_assert_int_eq(press("a"), ORDER_NONE);
    ck_assert_int_eq(press("k"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    press("2");
    press("j");
    press("2");
    answer();
    ck_assert_int_eq(press("Enter"), ORDER_ALLOW);
    ck_assert_str_eq(order.id, "r1");
    ck_assert(order.remember);
    ck_assert_int_eq(order.scope, SCOPE_PROJECT);
    ck_assert_uint_eq(order.seconds, 28800);
    ck_assert_str_eq(order.text, "");
    ck_assert(!control.menu.open);
    ck_assert_int_eq(press("a"), ORDER_ALLOW); /* it is still there, and was seen */
    ck_assert(!order.remember);
    teardown();
}
END_TEST

/* What was typed while this process could not run may have been typed before it was in view. */
START_TEST(read_late)
{
    setup();
    ask("r1", "a", 0);
    look_long();
    ck_assert_uint_eq(control_arms_in(&control, fleet, now - 1), 1);
    ck_assert_uint_eq(control_arms_in(&control, fleet, now), 0);
    late = 1;
    ck_assert_int_eq(press("a"), ORDER_NONE);
    press("A");
    ck_assert(!control.menu.open);
    late = 0;
    press("A");
    answer();
    ck_assert_uint_eq(control_arms_in(&control, fleet, now - 1), 1);
    late = 1;
    ck_assert_int_eq(press("Enter"), ORDER_NONE);
    late = 0;
    ck_assert_int_eq(press("Enter"), ORDER_ALLOW);
    teardown();
}
END_TEST

START_TEST(denying_with_a_reason)
{
    setup();
    ask("r1", "a", 2);
    look_long();
    press("D");
    press("4");
    press("Down");
    press("n");
    press("o");
    menu_painted(&control.menu, details, now);
    now += MENU_ARM_MS;
    ck_assert_int_eq(press("Enter"), ORDER_DENY);
    ck_assert(!order.remember);
    ck_assert_str_eq(order.text, "no");
    teardown();
}
END_TEST

START_TEST(the_menu_goes_with_its_request)
{
    setup();
    ask("r1", "a", 0);
    ask("r2", "a", 0);
    look_long();
    press("A");
    answer();
    event("event.request_gone", "{\"id\": \"r1\", \"outcome\": \"deny\", \"by\": \"cli\"}");
    ck_assert(!control.menu.open);
    ck_assert_str_eq(control.note, "the menu is closed: it was denied by cli");
    ck_assert_int_eq(press("Enter"), ORDER_NONE);
    press("F12");
    look_long();
    press("A");
    ck_assert_str_eq(control.menu.request, "r2");
    event("event.request", "{\"id\": \"r2\", \"sandbox_id\": \"a\", \"sandboxes\": [\"a\"], "
                           "\"risk\": 2}");
    ck_assert(!control.menu.open);
    ck_assert_ptr_nonnull(strstr(control.note, "high risk"));
    teardown();
}
END_TEST

START_TEST(the_inbox_keeps_its_cursor)
{
    setup();
    ask("low1", "a", 0);
    ask("low2", "b", 0);
    ask("low3", "c", 0);
    press("r");
    press("Down");
    ck_assert_str_eq(control.list_id, "low2");
    look_long();
    ask("high", "c", 2); /* goes above */
    ck_assert_uint_eq(control.list_at, 2);
    ck_assert_int_eq(press("a"), ORDER_ALLOW);
    ck_assert_str_eq(order.id, "low2");
    event("event.request_gone", "{\"id\": \"high\"}");
    ck_assert_uint_eq(control.list_at, 1);
    /* Its own end moves it to what comes into its place, which is not armed. */
    event("event.request_gone", "{\"id\": \"low2\"}");
    ck_assert_str_eq(control.list_id, "low3");
    ck_assert_int_eq(press("a"), ORDER_NONE);
    look_long();
    press("Enter");
    ck_assert_int_eq(control.list, LIST_NONE);
    ck_assert_str_eq(control.selected, "c");
    teardown();
}
END_TEST

START_TEST(the_card)
{
    struct details_wish wish;
    setup();
    press("i"); /* nothing is asked: what is known of the sandbox */
    ck_assert_int_eq(control.list, LIST_ABOUT);
    ck_assert_str_eq(control.list_id, "a");
    press("i");
    ck_assert_int_eq(control.list, LIST_NONE);
    ask("r1", "a", 0);
    ask("r2", "b", 0);
    press("r");
    press("Down");
    press("i");
    ck_assert_int_eq(control.list, LIST_CARD);
    control_wish(&control, fleet, &wish);
    ck_assert_str_eq(wish.id, "r2");
    press("PageDown");
    ck_assert_uint_eq(control.list_at, 5);
    press("g");
    ck_assert_uint_eq(control.list_at, 0);
    look_long();
    ck_assert_int_eq(press("d"), ORDER_DENY);
    ck_assert_str_eq(order.id, "r2");
    event("event.request_gone", "{\"id\": \"r2\", \"outcome\": \"gone\"}");
    ck_assert_int_eq(control.list, LIST_REQUESTS); /* where it was opened */
    ck_assert_str_eq(control.note, "");            /* its end is no news */
    press("i");
    event("event.request_gone", "{\"id\": \"r1\", \"outcome\": \"gone\"}");
    ck_assert_ptr_nonnull(strstr(control.note, "does not wait any more"));
    ask("r3", "a", 0);
    control_wish(&control, fleet, &wish);
    ck_assert_str_eq(wish.id, "");
    press("Escape");
    press("i");
    ck_assert_int_eq(control.list, LIST_CARD);
    press("i");
    ck_assert_int_eq(control.list, LIST_NONE);
    teardown();
}
END_TEST

START_TEST(to_what_needs_him_most)
{
    setup();
    ask("low", "b", 0);
    ask("high", "c", 2);
    press("Tab");
    ck_assert_str_eq(control.selected, "c");
    press("Tab");
    ck_assert_str_eq(control.selected, "b");
    press("Tab");
    ck_assert_str_eq(control.selected, "c");
    /* From anywhere else it begins with the first again. */
    press("2");
    press("Tab");
    ck_assert_str_eq(control.selected, "c");
    /* A second one of the same pane comes to the front there. */
    ask("higher", "c", 2);
    size_t count;
    press("Tab");
    ck_assert_str_eq(fleet_request(fleet, "c", &count)->id, "higher");
    teardown();
}
END_TEST

/* All that are open are on screen, for long enough. */
static void look_at_all(void)
{
    fleet_paint_begin(fleet);
    for (size_t i = 0; i < fleet->request_count; i++)
        fleet_painted(fleet->requests[i], now);
    fleet_paint_end(fleet);
    now += FLEET_ARM_MS;
}

/* A flood is one row, decided as what it was when it was opened and read. */
START_TEST(a_pile)
{
    char id[12];
    setup();
    ask("other", "b", 0);
    for (int i = 1; i <= FLEET_PILE_FROM; i++) {
        snprintf(id, sizeof(id), "r%d", i);
        ask(id, "a", 0);
    }
    ck_assert_uint_eq(fleet_rows(fleet), FLEET_PILE_FROM + 1);
    press("r");
    press("Down");
    press("Down");
    ck_assert_str_eq(control.list_id, "r2");
    event("event.request", "{\"id\": \"wall\", \"sandbox_id\": \"a\", \"class\": \"wall\", "
                           "\"title\": \"t\", \"created\": 900}");
    ck_assert_uint_eq(fleet_rows(fleet), FLEET_PILE_FROM + 2); /* of another class */
    ask("r11", "a", 0);
    ck_assert_uint_eq(fleet_rows(fleet), 3);
    for (int i = 0; i < 2 * FLEET_PILE_FROM; i++) { /* a flood at the wall, and a policy file */
        char json[200];
        snprintf(json, sizeof(json),
                 "{\"id\": \"w%d\", \"sandbox_id\": \"c\", \"class\": \"wall\", \"kind\": \"%s\", "
                 "\"title\": \"t\", \"created\": 901}",
                 i, i == 0 ? "policy" : "egress");
        event("event.request", json);
    }
    ck_assert_uint_eq(fleet_rows(fleet), 5);
    event("event.gone", "{\"id\": \"c\"}");
    ck_assert_uint_eq(fleet_rows(fleet), 3);
    ck_assert_uint_eq(control.list_at, 1); /* where r2 stands now */
    ck_assert_uint_eq(control_request(&control, fleet)->pile, FLEET_PILE_FROM + 1);
    ck_assert_uint_eq(fleet_row_of(fleet, "r7"), 1);
    ck_assert_uint_eq(fleet_row_of(fleet, "wall"), 2);
    ck_assert_uint_eq(fleet_row_of(fleet, "none"), SIZE_MAX);
    ck_assert_int_eq(press("a"), ORDER_NONE); /* of none of them is all on screen */

    press("i");
    ck_assert_int_eq(control.list, LIST_PILE);
    ask("r12", "a", 0); /* too late to be meant */
    ck_assert_uint_eq(control_allowable(&control, fleet), FLEET_PILE_FROM + 1);
    ck_assert_int_eq(press("d"), ORDER_NONE);
    look_at_all();
    press("A");
    ck_assert(!control.menu.open);
    ck_assert_int_eq(press("d"), ORDER_DENY);
    ck_assert(order.many);
    press("a");
    ck_assert_int_eq(control.prompt, PROMPT_ALLOW_PILE);
    ck_assert_int_eq(press("y"), ORDER_NONE); /* the question has not been read */
    control.prompt_seen = true;
    ck_assert_int_eq(press("y"), ORDER_ALLOW);
    ck_assert(order.many);
    struct request *pile[PILE_MAX];
    ck_assert_uint_eq(control_piled(&control, fleet, pile), FLEET_PILE_FROM + 1);

    /* What another sandbox asks as well now is not meant, */
    event("event.request", "{\"id\": \"r2\", \"sandbox_id\": \"a\", \"sandboxes\": [\"a\", \"b\"], "
                           "\"count\": 2}");
    ck_assert_uint_eq(control_allowable(&control, fleet), FLEET_PILE_FROM);
    event("event.request", "{\"id\": \"r2\", \"sandbox_id\": \"a\", \"sandboxes\": [\"a\"], "
                           "\"count\": 1}");
    ck_assert_uint_eq(control_allowable(&control, fleet), FLEET_PILE_FROM + 1);

    /* and what ends is not meant any more; with the last one the card closes. */
    event("event.request_gone", "{\"id\": \"r3\"}");
    ck_assert_uint_eq(control_allowable(&control, fleet), FLEET_PILE_FROM);
    for (int i = 1; i <= FLEET_PILE_FROM + 1; i++) {
        char json[60];
        snprintf(json, sizeof(json), "{\"id\": \"r%d\"}", i);
        event("event.request_gone", json);
    }
    ck_assert_int_eq(control.list, LIST_REQUESTS);
    ck_assert_uint_eq(fleet_rows(fleet), 3); /* other, wall, r12 */
    teardown();
}
END_TEST

/* Who goes from one to the next goes to a flood once. */
START_TEST(a_pile_is_one_place_to_go_to)
{
    char id[12];
    setup();
    for (int i = 0; i <= FLEET_PILE_FROM; i++) {
        snprintf(id, sizeof(id), "r%d", i);
        ask(id, "a", 0);
    }
    ask("other", "b", 0);
    press("Tab"); /* a is here already */
    ck_assert_str_eq(control.selected, "b");
    press("Tab");
    ck_assert_str_eq(control.selected, "a");
    press("Tab");
    ck_assert_str_eq(control.selected, "b");
    teardown();
}
END_TEST

START_TEST(undoing)
{
    setup();
    ck_assert_int_eq(press("u"), ORDER_UNDO);
    press("r");
    ck_assert_int_eq(press("u"), ORDER_UNDO);
    teardown();
}
END_TEST

SUITE_MAIN("decide", remembering, read_late, denying_with_a_reason, the_menu_goes_with_its_request,
           the_inbox_keeps_its_cursor, the_card, to_what_needs_him_most, a_pile,
           a_pile_is_one_place_to_go_to, undoing)
