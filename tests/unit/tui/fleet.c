#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/model/fleet.h"

static struct fleet *fleet;

static void open_fleet(void)
{
    fleet = calloc(1, sizeof(*fleet));
    ck_assert_int_eq(fleet_init(fleet, "main", NULL), 0);
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

static void add(const char *id, const char *name, int created)
{
    char json[256];
    snprintf(json, sizeof(json),
             "{\"id\": \"%s\", \"name\": \"%s\", \"state\": \"running\", \"session\": \"main\", "
             "\"created\": %d, \"view\": \"/x\", \"argv\": [\"make\", \"-j\"]}",
             id, name, created);
    ck_assert_int_eq(event("event.sandbox", json), 1);
}

START_TEST(sandboxes_come_change_and_go)
{
    open_fleet();
    add("b", "second", 20);
    add("a", "first", 10);
    ck_assert_uint_eq(fleet->count, 2);
    ck_assert_str_eq(fleet->sandboxes[0]->name, "first");
    ck_assert_str_eq(fleet->sandboxes[0]->command, "make -j");
    struct sandbox *sandbox = fleet_find(fleet, "b");
    event("event.sandbox", "{\"id\": \"b\", \"name\": \"renamed\", \"state\": \"exited\", "
                           "\"exit_code\": 3, \"created\": 20}");
    ck_assert_ptr_eq(fleet_find(fleet, "b"), sandbox);
    ck_assert_str_eq(sandbox->name, "renamed");
    char words[FORMAT_MAX];
    sandbox_state_text(sandbox, false, words);
    ck_assert_str_eq(words, "exited 3");
    ck_assert(!sandbox_alive(sandbox));
    event("event.sandbox",
          "{\"id\": \"b\", \"state\": \"exited\", \"exit_signal\": 9, \"created\": 20}");
    sandbox_state_text(sandbox, false, words);
    ck_assert_str_eq(words, "killed SIGKILL");
    event("event.gone", "{\"id\": \"a\"}");
    ck_assert_uint_eq(fleet->count, 1);
    ck_assert_uint_eq(fleet_index(fleet, "a"), 1);
    close_fleet();
}
END_TEST

START_TEST(other_sessions_stay_out)
{
    open_fleet();
    event("event.sandbox", "{\"id\": \"x\", \"name\": \"x\", \"session\": \"other\"}");
    ck_assert_uint_eq(fleet->count, 0);
    ck_assert_uint_eq(fleet->elsewhere, 1);
    event("event.request", "{\"id\": \"1\", \"sandbox_id\": \"x\", \"title\": \"t\"}");
    ck_assert_uint_eq(fleet->request_count, 0);
    struct fleet_totals totals;
    fleet_totals(fleet, &totals);
    ck_assert_uint_eq(totals.waiting_elsewhere, 0);
    event("event.sandbox", "{\"id\": \"x\", \"doing\": \"verdict\"}");
    fleet_totals(fleet, &totals);
    ck_assert_uint_eq(totals.waiting_elsewhere, 1);
    event("event.gone", "{\"id\": \"x\"}");
    ck_assert_uint_eq(fleet->elsewhere, 0);
    close_fleet();
}
END_TEST

START_TEST(the_saved_order_counts)
{
    open_fleet();
    fleet_set_order(fleet, object("[\"c\", \"unknown\", \"a\"]"), 0);
    add("a", "a", 1);
    add("b", "b", 2);
    add("c", "c", 3);
    ck_assert_str_eq(fleet->sandboxes[0]->id, "c");
    ck_assert_str_eq(fleet->sandboxes[1]->id, "a");
    ck_assert_str_eq(fleet->sandboxes[2]->id, "b");
    fleet_promote(fleet, 2);
    ck_assert_str_eq(fleet->sandboxes[0]->id, "b");
    add("d", "d", 4);
    ck_assert_str_eq(fleet->sandboxes[3]->id, "d");
    event("event.session", "{\"name\": \"main\", \"panes\": [\"d\", \"c\"]}");
    ck_assert_str_eq(fleet->sandboxes[0]->id, "d");
    event("event.session", "{\"name\": \"other\", \"panes\": [\"a\"]}");
    ck_assert_str_eq(fleet->sandboxes[0]->id, "d");
    close_fleet();
}
END_TEST

START_TEST(figures_and_history)
{
    open_fleet();
    add("a", "a", 1);
    struct figures *figures = &fleet->sandboxes[0]->figures;
    ck_assert_uint_eq(figures->memory, FIGURE_UNKNOWN);
    event("event.stats", "{\"sandboxes\": [{\"id\": \"a\", \"cpu\": 50.0, \"memory\": 1024, "
                         "\"net_in\": null}, {\"id\": \"zzz\"}, 5]}");
    ck_assert(figures->cpu > 49.9 && figures->cpu < 50.1);
    ck_assert_uint_eq(figures->memory, 1024);
    ck_assert_uint_eq(figures->net_in, FIGURE_UNKNOWN);
    fleet_tick(fleet, 1000, true);
    event("event.stats", "{\"sandboxes\": [{\"id\": \"a\", \"cpu\": 7.0}]}");
    fleet_tick(fleet, 1000, true);
    ck_assert(figures->cpu_history[FLEET_HISTORY - 1] < 7.1F);
    ck_assert(figures->cpu_history[FLEET_HISTORY - 2] > 49.9F);
    ck_assert(figures->cpu_history[FLEET_HISTORY - 3] < 0);
    ck_assert_uint_eq(figures->memory, 1024); /* missing is unchanged */
    struct fleet_totals totals;
    fleet_totals(fleet, &totals);
    ck_assert_uint_eq(totals.alive, 1);
    ck_assert_uint_eq(totals.memory, 1024);
    close_fleet();
}
END_TEST

START_TEST(requests_oldest_first)
{
    open_fleet();
    add("a", "a", 1);
    event("event.request", "{\"id\": \"2\", \"sandbox_id\": \"a\", \"title\": \"late\", "
                           "\"created\": 20.5, \"class\": \"wall\"}");
    event("event.request", "{\"id\": \"1\", \"sandbox_id\": \"a\", \"title\": \"ea\\nrly\\u001b\", "
                           "\"created\": 10.0, \"class\": \"courtesy\", \"detail\": \"d\"}");
    event("event.request", "{\"id\": \"1\", \"sandbox_id\": \"a\", \"title\": \"changed\"}");
    ck_assert_uint_eq(fleet->request_count, 2);
    size_t count;
    struct request *request = fleet_request(fleet, "a", &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(request->title, "ea\u23cerly\ufffd");
    ck_assert(!request->wall);
    ck_assert_str_eq(request->detail, "d");
    event("event.request_gone", "{\"id\": \"1\"}");
    request = fleet_request(fleet, "a", &count);
    ck_assert(request->wall);
    event("event.gone", "{\"id\": \"a\"}");
    ck_assert_uint_eq(fleet->request_count, 0);
    close_fleet();
}
END_TEST

START_TEST(a_long_detail_is_cut_and_says_so)
{
    open_fleet();
    add("a", "a", 1);
    static char json[REQUEST_DETAIL_MAX + 400];
    int size = snprintf(json, sizeof(json),
                        "{\"id\": \"1\", \"sandbox_id\": \"a\", \"title\": \"t\", \"detail\": \"");
    memset(json + size, 'x', REQUEST_DETAIL_MAX + 100);
    strcpy(json + size + REQUEST_DETAIL_MAX + 100, "\"}");
    event("event.request", json);
    ck_assert_uint_eq(strlen(fleet->requests[0]->detail), REQUEST_DETAIL_MAX);
    ck_assert_uint_eq(fleet->requests[0]->detail_left, 100);
    close_fleet();
}
END_TEST

START_TEST(arming)
{
    open_fleet();
    add("a", "a", 1);
    event("event.request", "{\"id\": \"1\", \"sandbox_id\": \"a\", \"title\": \"t\"}");
    struct request *request = fleet->requests[0];
    ck_assert(!fleet_armed(request, 1000000));
    fleet_paint_begin(fleet);
    fleet_painted(request, 1000);
    fleet_paint_end(fleet);
    ck_assert(!fleet_armed(request, 1000));
    ck_assert(!fleet_armed(request, 1000 + FLEET_ARM_MS - 1));
    ck_assert(fleet_armed(request, 1000 + FLEET_ARM_MS));
    ck_assert(!fleet_armed(request, 500)); /* the clock went back */
    /* Painted again later: the time counts from the first frame. */
    fleet_paint_begin(fleet);
    fleet_painted(request, 1200);
    fleet_paint_end(fleet);
    ck_assert(fleet_armed(request, 1000 + FLEET_ARM_MS));
    /* Covered for one frame: it must be seen anew. */
    fleet_paint_begin(fleet);
    fleet_paint_end(fleet);
    ck_assert(!fleet_armed(request, 99999));
    fleet_paint_begin(fleet);
    fleet_painted(request, 99999);
    fleet_paint_end(fleet);
    ck_assert(!fleet_armed(request, 100000));
    /* Its first frame took long: until it was sent, nobody had seen it. Later frames change
     * nothing. */
    fleet_paint_sent(fleet, 99999, 100400);
    ck_assert(!fleet_armed(request, 100400 + FLEET_ARM_MS - 1));
    ck_assert(fleet_armed(request, 100400 + FLEET_ARM_MS));
    fleet_paint_begin(fleet);
    fleet_painted(request, 100500);
    fleet_paint_end(fleet);
    fleet_paint_sent(fleet, 100500, 101000);
    ck_assert(fleet_armed(request, 100400 + FLEET_ARM_MS));
    close_fleet();
}
END_TEST

START_TEST(alerts_go_with_their_sandbox)
{
    open_fleet();
    event("event.alert", "{\"id\": 1, \"text\": \"of none\"}");
    event("event.alert", "{\"id\": 2, \"sandbox_id\": \"x\", \"text\": \"of x\"}");
    event("event.alert", "{\"id\": 3, \"sandbox_id\": \"y\", \"text\": \"of y\"}");
    event("event.gone", "{\"id\": \"x\"}");
    event("event.gone", "{}");
    ck_assert_uint_eq(fleet->alert_count, 2);
    ck_assert_str_eq(fleet->alerts[0]->text, "of none");
    ck_assert_str_eq(fleet->alerts[1]->text, "of y");
    close_fleet();
}
END_TEST

START_TEST(alerts_count_up)
{
    open_fleet();
    event("event.alert", "{\"id\": 1, \"severity\": \"critical\", \"text\": \"x\", \"count\": 1}");
    event("event.alert", "{\"id\": 1, \"severity\": \"critical\", \"text\": \"x\", \"count\": 5}");
    ck_assert_uint_eq(fleet->alert_count, 1);
    ck_assert_uint_eq(fleet->alerts[0]->count, 5);
    struct fleet_totals totals;
    fleet_totals(fleet, &totals);
    ck_assert_uint_eq(totals.alerts, 1);
    event("event.alert", "{\"id\": 1, \"acknowledged\": true}");
    fleet_totals(fleet, &totals);
    ck_assert_uint_eq(totals.alerts, 0);
    for (int i = 0; i < FLEET_ALERTS_MAX + 10; i++) {
        char json[64];
        snprintf(json, sizeof(json), "{\"id\": %d, \"text\": \"n\"}", i + 10);
        event("event.alert", json);
    }
    ck_assert_uint_eq(fleet->alert_count, FLEET_ALERTS_MAX);
    ck_assert_uint_eq(fleet->alerts[FLEET_ALERTS_MAX - 1]->id, FLEET_ALERTS_MAX + 19);
    fleet_forget_asked(fleet, 0);
    ck_assert_uint_eq(fleet->alert_count, 0);
    close_fleet();
}
END_TEST

START_TEST(nonsense_changes_nothing)
{
    static const char *const events[] = {"event.sandbox", "event.gone",  "event.stats",
                                         "event.request", "event.alert", "event.request_gone",
                                         "event.session", "event.other"};
    static const char *const bodies[] = {"{}",
                                         "[]",
                                         "5",
                                         "null",
                                         "{\"id\": 5}",
                                         "{\"id\": [1]}",
                                         "{\"sandboxes\": 5}",
                                         "{\"name\": \"main\", \"panes\": 5}"};
    open_fleet();
    for (size_t i = 0; i < 8; i++)
        for (size_t k = 0; k < 8; k++)
            ck_assert_int_ge(event(events[i], bodies[k]), 0);
    ck_assert_uint_eq(fleet->count + fleet->request_count, 0);
    close_fleet();
}
END_TEST

static void from(unsigned origin, const char *name, const char *json)
{
    ck_assert_int_ge(fleet_event_from(fleet, origin, name, object(json), NULL), 0);
}

/* Two servers that use the same ids, and one that would like to name the other's. */
START_TEST(other_hosts_are_kept_apart)
{
    open_fleet();
    strcpy(fleet->origins[1].label, "far");
    strcpy(fleet->origins[2].label, "evil");
    for (unsigned origin = 0; origin < 3; origin++) {
        from(origin, "event.sandbox",
             "{\"id\": \"a\", \"name\": \"web\", \"state\": \"running\", \"created\": 10}");
        from(origin, "event.request",
             "{\"id\": \"7-x\", \"sandbox_id\": \"a\", \"sandbox\": \"web\", \"title\": \"t\"}");
        from(origin, "event.alert", "{\"id\": 1, \"sandbox_id\": \"a\", \"text\": \"t\"}");
    }
    ck_assert_uint_eq(fleet->count, 3);
    ck_assert_uint_eq(fleet->request_count, 3);
    ck_assert_uint_eq(fleet->alert_count, 3);
    ck_assert_str_eq(fleet_find(fleet, "a")->name, "web");
    struct sandbox *far = fleet_find(fleet, "1/a");
    ck_assert_str_eq(far->name, "far:web");
    ck_assert_str_eq(sandbox_own_name(far), "web");
    ck_assert_uint_eq(origin_number(far->id), 1);
    ck_assert_str_eq(origin_bare(far->id), "a");
    size_t count;
    ck_assert_str_eq(fleet_request(fleet, "1/a", &count)->id, "1/7-x");
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(fleet_request(fleet, "1/a", &count)->sandbox, "far:web");

    from(2, "event.request", "{\"id\": \"8-y\", \"sandbox_id\": \"1/a\", \"sandbox\": \"web\"}");
    from(2, "event.gone", "{\"id\": \"1/a\"}");
    from(2, "event.gone", "{\"id\": \"../1/a\"}");
    ck_assert_ptr_eq(fleet_find(fleet, "1/a"), far);
    fleet_request(fleet, "1/a", &count);
    ck_assert_uint_eq(count, 1);
    from(2, "event.session", "{\"name\": \"main\", \"panes\": [\"2/a\", \"a\"]}");
    ck_assert_uint_eq(fleet->order_count, 0);
    close_fleet();
}
END_TEST

static void add_of(const char *id, const char *project, const char *doing, int created)
{
    char json[256];
    snprintf(json, sizeof(json),
             "{\"id\": \"%s\", \"name\": \"%s\", \"state\": \"running\", \"session\": \"main\", "
             "\"created\": %d, \"project\": \"%s\", \"doing\": \"%s\", \"since\": %d.0}",
             id, id, created, project, doing, created);
    ck_assert_int_eq(event("event.sandbox", json), 1);
}

/* The ids in order, as one word. */
static void order_is(const char *wanted)
{
    char text[64] = "";
    for (size_t i = 0; i < fleet->count; i++)
        strcat(text, fleet->sandboxes[i]->id);
    ck_assert_str_eq(text, wanted);
}

START_TEST(pins_and_orders)
{
    const char *ids[FLEET_SANDBOXES_MAX];
    size_t pinned;
    open_fleet();
    add_of("a", "/p/shop", "idle", 1);
    add_of("b", "/p/book", "verdict", 2);
    add_of("c", "/p/shop", "input", 3);
    add_of("d", "", "running", 4);
    order_is("abcd");
    fleet_order_by(fleet); /* by need */
    order_is("bcda");
    fleet_pin(fleet, fleet_find(fleet, "d"));
    order_is("dbca");
    /* A change moves nothing until it is settled. */
    event("event.stats",
          "{\"sandboxes\": [{\"id\": \"a\", \"doing\": \"verdict\", \"since\": 1.0}]}");
    add_of("e", "/p/book", "verdict", 5);
    order_is("dbcae");
    ck_assert(fleet_settle(fleet));
    order_is("dabec");
    ck_assert(!fleet_settle(fleet));
    fleet_order_by(fleet); /* by project; without one first */
    order_is("dbeac");
    char label[SANDBOX_LABEL_MAX];
    sandbox_label(fleet, fleet_find(fleet, "a"), label);
    ck_assert_str_eq(label, "shop/a");
    fleet_order_by(fleet); /* the human's own */
    order_is("dabce");
    ck_assert_uint_eq(fleet_saved(fleet, ids, &pinned), 5);
    ck_assert_uint_eq(pinned, 1);
    ck_assert_str_eq(ids[0], "d");
    fleet_promote(fleet, 4);
    order_is("deabc");
    event("event.session", "{\"name\": \"main\", \"panes\": [\"c\", \"a\", \"b\"], \"pinned\": 2}");
    order_is("cabde");
    ck_assert(fleet_find(fleet, "a")->pinned && !fleet_find(fleet, "d")->pinned);
    close_fleet();
}
END_TEST

/* Nothing is known of what is behind a cut link, and nothing there can be answered. */
START_TEST(a_cut_host_is_unknown)
{
    static const char sandbox[] = "{\"id\": \"a\", \"name\": \"web\", \"state\": \"running\", "
                                  "\"doing\": \"running\", \"source\": \"output\"}";
    static const char asks[] = "{\"id\": \"7-x\", \"sandbox_id\": \"a\", \"title\": \"t\"}";
    open_fleet();
    strcpy(fleet->origins[1].label, "far");
    for (unsigned origin = 0; origin < 2; origin++) {
        from(origin, "event.sandbox", sandbox);
        from(origin, "event.request", asks);
    }
    enum doing before = fleet_find(fleet, "1/a")->doing.doing;
    ck_assert_int_ne(before, DOING_UNKNOWN);
    fleet_cut(fleet, 1, true);
    ck_assert_int_eq(fleet_find(fleet, "1/a")->doing.doing, DOING_UNKNOWN);
    ck_assert_int_eq(fleet_find(fleet, "1/a")->doing.evidence, EVIDENCE_CUT);
    ck_assert_int_eq(fleet_find(fleet, "a")->doing.doing, before);
    ck_assert_uint_eq(fleet->request_count, 1);
    ck_assert_str_eq(fleet->requests[0]->id, "7-x");
    fleet_cut(fleet, 1, false);
    from(1, "event.sandbox", sandbox);
    from(1, "event.request", asks);
    ck_assert_int_eq(fleet_find(fleet, "1/a")->doing.doing, before);
    ck_assert_uint_eq(fleet->request_count, 2);
    close_fleet();
}
END_TEST

START_TEST(tabs)
{
    struct fleet_tab tab[FLEET_TABS_MAX];
    open_fleet();
    add_of("a", "/p/shop", "idle", 1);
    ck_assert(!fleet_tab_move(fleet, 1)); /* one project: no tabs */
    add_of("b", "/p/book", "verdict", 2);
    add_of("c", "/p/shop", "input", 3);
    ck_assert_uint_eq(fleet->shown, 3);
    ck_assert_uint_eq(fleet_tabs(fleet, tab), 2);
    ck_assert_str_eq(fleet_project_name(tab[1].project), "shop");
    ck_assert_uint_eq(tab[1].count, 2);
    ck_assert_uint_eq(tab[1].need, 1);
    ck_assert(fleet_tab_move(fleet, 1));
    ck_assert_str_eq(fleet->tab, "/p/book");
    ck_assert_uint_eq(fleet->shown, 1);
    order_is("bac");
    fleet_tab_move(fleet, 1);
    ck_assert_uint_eq(fleet->shown, 2);
    order_is("acb");
    fleet_tab_move(fleet, 1);
    ck_assert(!fleet->tabbed);
    ck_assert_uint_eq(fleet->shown, 3);
    fleet_tab_move(fleet, -1);
    ck_assert_str_eq(fleet->tab, "/p/shop");
    event("event.gone", "{\"id\": \"a\"}");
    event("event.gone", "{\"id\": \"c\"}"); /* the tab is empty: all again */
    ck_assert(!fleet->tabbed);
    ck_assert_uint_eq(fleet->shown, 1);
    close_fleet();
}
END_TEST

static int stuck_steps(const struct sandbox *sandbox)
{
    enum doing strip[STATE_SAMPLES];
    int count = 0;
    state_strip(&sandbox->doing, STATE_SAMPLES, strip);
    for (int i = 0; i < STATE_SAMPLES; i++)
        count += strip[i] == DOING_STUCK;
    return count;
}

START_TEST(the_list_has_the_past)
{
    static const char *const nonsense[] = {
        "{\"id\": \"a\"}",
        "{\"id\": \"a\", \"timeline\": 7}",
        "{\"id\": \"a\", \"timeline\": [7]}",
        "{\"id\": \"a\", \"timeline\": [[\"stuck\"]]}",
        "{\"id\": \"a\", \"timeline\": [[\"stuck\", -3]]}",
        "{\"id\": \"a\", \"timeline\": [[3, \"stuck\"]]}",
        "{\"id\": \"a\", \"timeline\": [[\"stuck\", 122]]}",
        "{\"id\": \"a\", \"timeline\": [[\"stuck\", 100], [\"idle\", 22]]}",
        "{\"id\": \"a\", \"timeline\": [[\"of another version\", 9]]}",
        "{\"id\": \"nobody\", \"timeline\": [[\"stuck\", 9]]}",
    };
    open_fleet();
    fleet_tick(fleet, 1000, false);
    add("a", "a", 10);
    const struct sandbox *sandbox = fleet_find(fleet, "a");
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        fleet_timeline(fleet, 0, object(nonsense[i]));
        ck_assert_msg(stuck_steps(sandbox) == 0, "%s", nonsense[i]);
    }
    fleet_timeline(fleet, 0,
                   object("{\"id\": \"a\", \"timeline\": [[\"stuck\", 9], [\"idle\", 3]]}"));
    ck_assert_int_eq(stuck_steps(sandbox), 9);
    fleet_timeline(fleet, 0, object("{\"id\": \"a\", \"timeline\": [[\"stuck\", 121]]}"));
    ck_assert_int_eq(stuck_steps(sandbox), STATE_SAMPLES);
    close_fleet();
}
END_TEST

SUITE_MAIN("fleet", sandboxes_come_change_and_go, other_sessions_stay_out, the_saved_order_counts,
           figures_and_history, requests_oldest_first, a_long_detail_is_cut_and_says_so, arming,
           alerts_count_up, alerts_go_with_their_sandbox, nonsense_changes_nothing,
           other_hosts_are_kept_apart, a_cut_host_is_unknown, pins_and_orders, tabs,
           the_list_has_the_past)
