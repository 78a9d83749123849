#include "suite.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/control.h"

static struct fleet *fleet;
static struct layout *layout;
static struct control control;
static struct order order;
static uint64_t now;
static struct hit hit;
static bool wants_mouse, readonly;

static void event(const char *name, const char *json)
{
    fleet_event(fleet, name, object(json), NULL);
}

static void sync_all(void)
{
    control_sync(&control, fleet, now);
    layout_make(layout, control.layout, 40, 160, fleet->count, control.selected_index);
}

static void add(const char *id, const char *state)
{
    char json[256];
    snprintf(json, sizeof(json),
             "{\"id\": \"%s\", \"name\": \"box-%s\", \"state\": \"%s\", \"session\": \"main\", "
             "\"created\": %zu}",
             id, id, state, fleet->count);
    event("event.sandbox", json);
    sync_all();
}

static void ask(const char *id, const char *sandbox)
{
    char json[256];
    snprintf(json, sizeof(json),
             "{\"id\": \"%s\", \"sandbox_id\": \"%s\", \"title\": \"t\", \"created\": %zu}", id,
             sandbox, fleet->request_count);
    event("event.request", json);
    sync_all();
}

/* As the view does it: the oldest request of every pane, or the selected one of the list. */
static void paint(void)
{
    fleet_paint_begin(fleet);
    for (size_t i = 0; control.list == LIST_NONE && i < fleet->count; i++) {
        size_t count;
        struct request *request = fleet_request(fleet, fleet->sandboxes[i]->id, &count);
        if (request)
            fleet_painted(request, now);
    }
    if (control.list == LIST_REQUESTS && control_request(&control, fleet))
        fleet_painted(control_request(&control, fleet), now);
    fleet_paint_end(fleet);
}

static void input(const struct input *what)
{
    struct control_view view = {.fleet = fleet,
                                .layout = layout,
                                .now = now,
                                .typed_after = now,
                                .page = 20,
                                .hit = hit,
                                .agent_wants_mouse = wants_mouse,
                                .readonly = readonly};
    control_input(&control, &view, what, &order);
    sync_all();
}

static enum order_kind press(const char *name)
{
    struct input what = {.kind = INPUT_KEY};
    ck_assert(keys_parse(name, strlen(name), &what.chord));
    input(&what);
    return order.kind;
}

static enum order_kind click(int button, int row, int col)
{
    struct input what = {
        .kind = INPUT_MOUSE, .action = MOUSE_PRESS, .button = button, .row = row, .col = col};
    input(&what);
    return order.kind;
}

static void setup(void)
{
    fleet = calloc(1, sizeof(*fleet));
    layout = calloc(1, sizeof(*layout));
    ck_assert_int_eq(fleet_init(fleet, "main", NULL), 0);
    control_init(&control);
    now = 100000;
    wants_mouse = readonly = false;
    add("a", "running");
    add("b", "running");
    add("c", "exited");
    add("d", "paused");
}

static void teardown(void)
{
    fleet_free(fleet);
    free(fleet);
    free(layout);
}

START_TEST(selection_moves)
{
    setup();
    ck_assert_str_eq(control.selected, "a");
    press("Right");
    ck_assert_str_eq(control.selected, "b");
    press("Down");
    ck_assert_str_eq(control.selected, "d");
    press("o");
    ck_assert_str_eq(control.selected, "a");
    press("O");
    ck_assert_str_eq(control.selected, "d");
    press("3");
    ck_assert_str_eq(control.selected, "c");
    press("9");
    ck_assert_str_eq(control.selected, "c");
    click(1, 0, 0);
    ck_assert_str_eq(control.selected, "a");
    /* It follows the sandbox, and takes its place when that goes. */
    press("2");
    event("event.gone", "{\"id\": \"a\"}");
    sync_all();
    ck_assert_str_eq(control.selected, "b");
    event("event.gone", "{\"id\": \"b\"}");
    sync_all();
    ck_assert_str_eq(control.selected, "c");
    teardown();
}
END_TEST

START_TEST(focus_takes_every_key_but_the_prefix)
{
    setup();
    ck_assert_int_eq(press("Enter"), ORDER_NONE);
    ck_assert_int_eq(control.mode, CONTROL_FOCUS);
    static const char *const keys[] = {"a",  "d",  "k",      "y",      "D",    "q",
                                       "n",  "?",  "Escape", "C-c",    "C-]",  "Tab",
                                       "Up", "F1", "M-x",    "PageUp", "Space"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        ck_assert_int_eq(press(keys[i]), ORDER_KEY);
        ck_assert_str_eq(order.id, "a");
        ck_assert_int_eq(control.mode, CONTROL_FOCUS);
    }
    ck_assert_int_eq(press("F12"), ORDER_NONE);
    ck_assert_int_eq(control.mode, CONTROL_SUPERVISE);
    /* Twice sends it, and goes on in focus. */
    now += CONTROL_DOUBLE_MS - 1;
    ck_assert_int_eq(press("F12"), ORDER_KEY);
    ck_assert_str_eq(order.chord.key, "f12");
    ck_assert_int_eq(control.mode, CONTROL_FOCUS);
    /* Slowly, it only goes back and forth. */
    press("F12");
    now += CONTROL_DOUBLE_MS;
    ck_assert_int_eq(press("F12"), ORDER_NONE);
    ck_assert_int_eq(control.mode, CONTROL_FOCUS);
    teardown();
}
END_TEST

START_TEST(an_ended_agent_takes_no_keys)
{
    setup();
    press("3");
    press("Enter");
    ck_assert_int_eq(control.mode, CONTROL_SUPERVISE);
    ck_assert_ptr_nonnull(strstr(control.note, "ended"));
    press("1");
    press("Enter");
    event("event.sandbox",
          "{\"id\": \"a\", \"name\": \"a\", \"state\": \"exited\", \"created\": 0}");
    sync_all();
    /* What is typed on is not taken for commands. */
    ck_assert_int_eq(press("k"), ORDER_NONE);
    ck_assert_int_eq(control.mode, CONTROL_FOCUS);
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    press("F12");
    ck_assert_int_eq(control.mode, CONTROL_SUPERVISE);
    teardown();
}
END_TEST

START_TEST(verdicts_need_to_have_been_seen)
{
    setup();
    ask("r1", "a");
    ck_assert_int_eq(press("a"), ORDER_NONE); /* not painted yet */
    paint();
    ck_assert_int_eq(press("a"), ORDER_NONE);
    ck_assert_ptr_nonnull(strstr(control.note, "too fast"));
    now += FLEET_ARM_MS - 1;
    ck_assert_int_eq(press("d"), ORDER_NONE);
    now += 1;
    ck_assert_int_eq(press("a"), ORDER_ALLOW);
    ck_assert_str_eq(order.id, "r1");
    ck_assert_int_eq(press("d"), ORDER_DENY);
    /* Another pane's request is not meant. */
    press("2");
    ck_assert_int_eq(press("a"), ORDER_NONE);
    teardown();
}
END_TEST

START_TEST(the_next_request_must_be_seen_too)
{
    setup();
    ask("r1", "a");
    ask("r2", "a");
    paint();
    now += FLEET_ARM_MS;
    ck_assert_int_eq(press("a"), ORDER_ALLOW);
    event("event.request_gone", "{\"id\": \"r1\"}");
    ck_assert_int_eq(press("a"), ORDER_NONE);
    paint();
    ck_assert_int_eq(press("a"), ORDER_NONE);
    now += FLEET_ARM_MS;
    ck_assert_int_eq(press("a"), ORDER_ALLOW);
    ck_assert_str_eq(order.id, "r2");
    teardown();
}
END_TEST

START_TEST(a_selection_that_moved_by_itself_is_not_meant)
{
    setup();
    ask("r1", "b");
    paint();
    now += FLEET_ARM_MS;
    press("1");
    event("event.gone", "{\"id\": \"a\"}");
    sync_all();
    ck_assert_str_eq(control.selected, "b");
    ck_assert_int_eq(press("a"), ORDER_NONE);
    now += FLEET_ARM_MS;
    ck_assert_int_eq(press("a"), ORDER_ALLOW);
    teardown();
}
END_TEST

START_TEST(the_list_of_requests)
{
    setup();
    ask("r1", "b");
    ask("r2", "d");
    press("r");
    ck_assert_int_eq(control.list, LIST_REQUESTS);
    press("Down");
    press("Down");
    ck_assert_uint_eq(control.list_at, 1);
    paint();
    now += FLEET_ARM_MS;
    ck_assert_int_eq(press("d"), ORDER_DENY);
    ck_assert_str_eq(order.id, "r2");
    press("Up");
    ck_assert_int_eq(press("a"), ORDER_NONE); /* its text was not below the list */
    press("Enter");
    ck_assert_int_eq(control.list, LIST_NONE);
    ck_assert_str_eq(control.selected, "b");
    press("w");
    ck_assert_str_eq(control.selected, "d");
    press("w");
    ck_assert_str_eq(control.selected, "b");
    press("r");
    press("Escape");
    ck_assert_int_eq(control.list, LIST_NONE);
    teardown();
}
END_TEST

START_TEST(kill_asks_and_is_not_typed_ahead)
{
    setup();
    ck_assert_int_eq(press("k"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_KILL);
    ck_assert_int_eq(press("y"), ORDER_NONE); /* the question has not been on screen */
    control.prompt_seen = true;
    ck_assert_int_eq(press("y"), ORDER_KILL);
    ck_assert_str_eq(order.id, "a");
    press("k");
    ck_assert_int_eq(press("n"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    /* It is about the sandbox that was selected when it was asked. */
    press("k");
    event("event.gone", "{\"id\": \"a\"}");
    sync_all();
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    press("2"); /* c has ended */
    ck_assert_str_eq(control.selected, "c");
    press("k");
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    press("x");
    ck_assert_int_eq(control.prompt, PROMPT_REMOVE);
    control.prompt_seen = true;
    ck_assert_int_eq(press("y"), ORDER_REMOVE);
    teardown();
}
END_TEST

START_TEST(pausing)
{
    setup();
    ck_assert_int_eq(press("p"), ORDER_PAUSE);
    press("4");
    ck_assert_int_eq(press("p"), ORDER_RESUME);
    ck_assert_int_eq(press("P"), ORDER_PAUSE_ALL);
    event("event.sandbox", "{\"id\": \"a\", \"state\": \"paused\", \"created\": 0}");
    event("event.sandbox", "{\"id\": \"b\", \"state\": \"paused\", \"created\": 1}");
    ck_assert_int_eq(press("P"), ORDER_RESUME_ALL);
    teardown();
}
END_TEST

START_TEST(lines)
{
    setup();
    press("s");
    ck_assert_int_eq(control.prompt, PROMPT_RUN);
    ck_assert_int_eq(press("Enter"), ORDER_RUN); /* empty: the shell */
    press("s");
    press("l");
    press("s");
    ck_assert_int_eq(press("Enter"), ORDER_RUN);
    ck_assert_str_eq(order.text, "ls");
    press("R");
    ck_assert_str_eq(control.line.text, "box-a");
    press("Escape");
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    press("R");
    press("2");
    ck_assert_int_eq(press("Enter"), ORDER_RENAME);
    ck_assert_str_eq(order.text, "box-a2");
    ck_assert_str_eq(order.id, "a");
    teardown();
}
END_TEST

START_TEST(in_an_empty_place)
{
    setup();
    press("n");
    ck_assert(!control.form.open);
    fleet_free(fleet);
    ck_assert_int_eq(fleet_init(fleet, "main", NULL), 0);
    readonly = true;
    press("n");
    ck_assert(!control.form.open);
    readonly = false;
    press("n");
    ck_assert(control.form.open);
    teardown();
}
END_TEST

START_TEST(pastes_are_no_commands)
{
    struct input paste = {.kind = INPUT_PASTE, .text = "kyD\n", .size = 4};
    setup();
    input(&paste);
    ck_assert_int_eq(order.kind, ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    press("Enter");
    input(&paste);
    ck_assert_int_eq(order.kind, ORDER_PASTE);
    press("F12");
    press("s");
    input(&paste);
    ck_assert_str_eq(control.line.text, "kyD");
    teardown();
}
END_TEST

START_TEST(layouts_and_scrolling)
{
    setup();
    press("T");
    ck_assert_int_eq(control.layout, LAYOUT_MAIN);
    press("z");
    ck_assert_int_eq(control.layout, LAYOUT_ZOOM);
    press("Right");
    ck_assert_str_eq(control.selected, "b");
    press("z");
    ck_assert_int_eq(control.layout, LAYOUT_MAIN);
    press("M");
    ck_assert_str_eq(fleet->sandboxes[0]->id, "b");
    ck_assert_int_eq(press("PageUp"), ORDER_SCROLL);
    ck_assert_int_eq(order.amount, 19);
    ck_assert_int_eq(press("]"), ORDER_SCROLL);
    ck_assert_int_eq(order.amount, -19);
    press("g");
    ck_assert_int_eq(order.amount, INT_MAX);
    press("G");
    ck_assert_int_eq(order.amount, INT_MIN);
    teardown();
}
END_TEST

START_TEST(the_mouse)
{
    setup();
    click(1, 0, 159); /* b, right above */
    ck_assert_str_eq(control.selected, "b");
    ck_assert_int_eq(control.mode, CONTROL_SUPERVISE);
    now += 100;
    click(1, 0, 159);
    ck_assert_int_eq(control.mode, CONTROL_FOCUS);
    click(1, 0, 0); /* another pane: focus does not jump */
    ck_assert_int_eq(control.mode, CONTROL_SUPERVISE);
    ck_assert_int_eq(click(4, 0, 159), ORDER_SCROLL);
    ck_assert_str_eq(order.id, "b");
    ck_assert_int_eq(order.amount, 3);
    ck_assert_int_eq(click(5, 0, 159), ORDER_SCROLL);
    ck_assert_int_eq(order.amount, -3);
    wants_mouse = true;
    ck_assert_int_eq(click(4, 0, 159), ORDER_MOUSE);
    wants_mouse = false;
    ck_assert_int_eq(click(1, 39, 5), ORDER_NONE); /* the bar */

    /* In a list a click selects, a second one goes there; a column's head sorts. */
    press("l");
    hit = (struct hit){HIT_ROW, 1, 0};
    click(1, 3, 3);
    ck_assert_uint_eq(control.roster.at, 1);
    ck_assert_int_eq(control.list, LIST_FLEET);
    hit = (struct hit){HIT_COLUMN, ROSTER_NAME, 0};
    click(1, 1, 20);
    ck_assert(control.roster.key == ROSTER_NAME && !control.roster.reversed);
    click(1, 1, 20);
    ck_assert(control.roster.key == ROSTER_NAME && control.roster.reversed);
    hit = (struct hit){HIT_ROW, 0, 0};
    click(1, 2, 3);
    const char *first = fleet->sandboxes[control.roster.row[0]]->id;
    now += 100;
    click(1, 2, 3);
    ck_assert_int_eq(control.list, LIST_NONE);
    ck_assert_str_eq(control.selected, first);
    hit = (struct hit){.kind = HIT_TAB, .index = 1};
    click(1, 0, 30);
    ck_assert_uint_eq(control.selected_index, 1);
    hit = (struct hit){.kind = HIT_PROJECT, .index = 7}; /* it has gone */
    ck_assert_int_eq(click(1, 0, 30), ORDER_NONE);
    hit = (struct hit){.kind = HIT_NONE};
    teardown();
}
END_TEST

START_TEST(read_only_changes_nothing)
{
    setup();
    ask("r1", "a");
    paint();
    now += FLEET_ARM_MS;
    readonly = true;
    static const char *const keys[] = {"a", "d", "A", "D", "u", "k",     "p",
                                       "P", "s", "R", "c", "C", "Enter", "x"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        ck_assert_int_eq(press(keys[i]), ORDER_NONE);
        ck_assert_int_eq(control.mode, CONTROL_SUPERVISE);
        ck_assert_int_eq(control.prompt, PROMPT_NONE);
        ck_assert(!control.menu.open);
    }
    ck_assert_int_eq(press("F12"), ORDER_NONE);
    ck_assert_int_eq(control.mode, CONTROL_SUPERVISE);
    press("r");
    ck_assert_int_eq(press("a"), ORDER_NONE);
    press("Escape");
    ck_assert_int_eq(press("Q"), ORDER_DETACH);
    teardown();
}
END_TEST

START_TEST(leaving)
{
    setup();
    ck_assert_int_eq(press("Q"), ORDER_DETACH);
    press("q");
    ck_assert_int_eq(press("y"), ORDER_NONE);
    control.prompt_seen = true;
    ck_assert_int_eq(press("y"), ORDER_DETACH);
    press("q");
    ck_assert_int_eq(press("x"), ORDER_NONE);
    ck_assert_int_eq(press("t"), ORDER_THEME);
    press("!");
    ck_assert_int_eq(press("c"), ORDER_NONE); /* there are none */
    event("event.alert", "{\"id\": 1, \"sandbox_id\": \"b\", \"text\": \"x\"}");
    ck_assert_int_eq(press("c"), ORDER_ACKNOWLEDGE);
    ck_assert_str_eq(order.id, "b");
    ck_assert_int_eq(press("C"), ORDER_ACKNOWLEDGE_ALL);

    press("Enter");
    ck_assert_int_eq(control.list, LIST_NONE);
    ck_assert_str_eq(control.selected, "b");
    event("event.sandbox", "{\"id\": \"x\", \"name\": \"far-off\", \"session\": \"other\"}");
    event("event.alert", "{\"id\": 2, \"sandbox_id\": \"x\", \"text\": \"of another session\"}");
    press("!");
    press("Enter");
    ck_assert_int_eq(control.list, LIST_ALERTS);
    ck_assert_str_eq(control.note, "far-off is in another session: belljar attach other");
    ck_assert_str_eq(control.selected, "b");
    event("event.alert", "{\"id\": 3, \"text\": \"of no sandbox\"}");
    press("Enter");
    ck_assert_int_eq(control.list, LIST_ALERTS);
    ck_assert_str_eq(control.note, "no sandbox to go to");
    teardown();
}
END_TEST

START_TEST(the_list_and_marks)
{
    setup();
    press("l");
    ck_assert_int_eq(control.list, LIST_FLEET);
    ck_assert_str_eq(control_target(&control), "a");
    press("/");
    press("x"); /* a letter of the filter, not a command */
    press("-");
    press("b");
    ck_assert_str_eq(control.roster.filter, "x-b");
    press("Enter");
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    ck_assert_str_eq(control_target(&control), "b");
    ck_assert_int_eq(press("p"), ORDER_PAUSE); /* of the cursor, not of the selected pane */
    ck_assert_str_eq(order.id, "b");
    ck_assert(!order.many);
    ck_assert_int_eq(press("a"), ORDER_NONE);
    press("/");
    press("Escape"); /* shows all again */
    ck_assert_uint_eq(control.roster.count, 4);
    press("Space");
    press("*"); /* clears, since one is marked */
    ck_assert_uint_eq(control_marked(fleet), 0);
    press("*");
    ck_assert_uint_eq(control_marked(fleet), 4);
    press("Enter");
    ck_assert_int_eq(control.list, LIST_NONE);

    /* Asks first; means those that the question named. */
    ck_assert_int_eq(press("k"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_KILL_MANY);
    ck_assert_uint_eq(control.target_count, 3); /* c has ended */
    char question[200];
    control_question(&control, fleet, question, sizeof(question));
    ck_assert_str_eq(question, "Kill 3 marked: box-a, box-b, box-d");
    ck_assert_int_eq(press("y"), ORDER_NONE); /* not painted yet */
    control.prompt_seen = true;
    ck_assert_int_eq(press("y"), ORDER_KILL);
    ck_assert(order.many);
    press("p");
    ck_assert_int_eq(control.prompt, PROMPT_PAUSE_MANY);
    ck_assert_uint_eq(control.target_count, 2);
    press("Escape");
    press("x");
    ck_assert_int_eq(control.prompt, PROMPT_REMOVE_MANY);
    ck_assert_uint_eq(control.target_count, 1);
    press("n");
    press("*");
    press("4"); /* d, paused */
    press("m");
    press("p");
    ck_assert_int_eq(control.prompt, PROMPT_RESUME_MANY);
    control.prompt_seen = true;
    ck_assert_int_eq(press("y"), ORDER_RESUME);
    press("k");
    press("n");
    press("3"); /* c, exited: only d is marked */
    press("x");
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    teardown();
}
END_TEST

START_TEST(to_who_calls)
{
    setup();
    fleet_tick(fleet, 1000, false);
    ck_assert_int_eq(press("Tab"), ORDER_NONE);
    ck_assert_str_eq(control.selected, "a");
    event("event.stats",
          "{\"sandboxes\": [{\"id\": \"b\", \"doing\": \"input\", \"source\": \"bell\", "
          "\"since\": 1000.0}]}");
    event("event.stats",
          "{\"sandboxes\": [{\"id\": \"a\", \"doing\": \"input\", \"source\": \"hook\", "
          "\"since\": 1005.0}]}");
    press("Tab");
    ck_assert_str_eq(control.selected, "b"); /* calls for longer */
    press("Tab");
    ck_assert_str_eq(control.selected, "a");
    press("Tab");
    ck_assert_str_eq(control.selected, "b");
    teardown();
}
END_TEST

START_TEST(what_ended_goes_on)
{
    setup();
    press("3");
    ck_assert_int_eq(press("+"), ORDER_RESTART);
    ck_assert_str_eq(order.id, "c");
    ck_assert(!control.form.open);
    press("1");
    ck_assert_int_eq(press("+"), ORDER_NONE); /* a running one is not touched */
    readonly = true;
    press("3");
    ck_assert_int_eq(press("+"), ORDER_NONE);
    teardown();
}
END_TEST

/* A command in the palette, and Enter. */
static enum order_kind command(const char *text)
{
    press(":");
    line_set(&control.palette.line, text);
    palette_make(&control.palette);
    return press("Enter");
}

START_TEST(commands_name_what_they_are_about)
{
    setup();
    ck_assert_int_eq(command("kill box-b"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_KILL); /* asks, as its key does */
    ck_assert_str_eq(control.subject, "b");
    ck_assert_str_eq(control.selected, "b");
    press("n");
    ck_assert_int_eq(command("kill nobody"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    ck_assert_ptr_nonnull(strstr(control.note, "nobody"));
    ck_assert_int_eq(command("kill box-a box-b"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    ck_assert_int_eq(command("kill --all"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    press("1");
    press("m"); /* marks are not meant by a name */
    ck_assert_int_eq(command("pause box-b "), ORDER_PAUSE);
    ck_assert_str_eq(order.id, "b");
    ck_assert_int_eq(command("pause box-d"), ORDER_NONE); /* is paused already */
    ck_assert_int_eq(command("resume box-d"), ORDER_RESUME);
    ck_assert_str_eq(order.id, "d");
    press("1");
    press("m");
    ck_assert_int_eq(command("resume"), ORDER_NONE);
    ck_assert_ptr_nonnull(strstr(control.note, "box-a is not paused"));
    ck_assert_int_eq(command("restart"), ORDER_NONE);
    ck_assert_int_eq(command("restart box-c"), ORDER_RESTART);
    ck_assert_str_eq(order.id, "c");
    ck_assert_int_eq(command("rename box-a front"), ORDER_RENAME);
    ck_assert_str_eq(order.id, "a");
    ck_assert_str_eq(order.text, "front");
    ck_assert_int_eq(command("rename box-a two words"), ORDER_NONE);
    ck_assert_int_eq(command("run -n x make all"), ORDER_RUN);
    ck_assert_str_eq(order.text, "-n x make all");
    ck_assert_int_eq(command("requests box-a"), ORDER_NONE); /* takes no words */
    ck_assert_int_eq(control.list, LIST_NONE);
    ck_assert_int_eq(command("pull box-b"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_PULL);
    ck_assert_str_eq(control.subject, "b");
    press("n");
    teardown();
}
END_TEST

/* Where there is no room for all names, a question says how many it leaves out. */
START_TEST(questions_about_many)
{
    char text[200];
    setup();
    press("*");
    press("k");
    ck_assert_int_eq(control.prompt, PROMPT_KILL_MANY);
    control_question(&control, fleet, text, sizeof(text));
    ck_assert_str_eq(text, "Kill 3 marked: box-a, box-b, box-d");
    control_question(&control, fleet, text, 48);
    ck_assert_str_eq(text, "Kill 3 marked: box-a and 2 more");
    for (size_t size = 1; size < sizeof(text); size++) {
        text[size] = '!';
        control_question(&control, fleet, text, size);
        ck_assert_uint_lt(strlen(text), size);
        ck_assert_int_eq(text[size], '!');
    }
    press("n");
    teardown();
}
END_TEST

START_TEST(commands_that_print)
{
    setup();
    ck_assert_int_eq(command("egress box-b"), ORDER_OUTPUT);
    ck_assert_int_eq(control.list, LIST_OUTPUT);
    ck_assert_str_eq(order.text, "egress");
    ck_assert_str_eq(order.id, "b");
    output_add(&control.output, "one\n", 4);
    output_end(&control.output, "");
    press("Escape");
    ck_assert_int_eq(control.list, LIST_NONE);
    ck_assert_int_eq(command("stats"), ORDER_OUTPUT);
    ck_assert_str_eq(order.id, "");
    ck_assert_uint_eq(control.output.size, 0);
    press("Escape");
    ck_assert_int_eq(command("push"), ORDER_NONE);
    ck_assert_ptr_nonnull(strstr(control.note, "belljar push FILE... NAME"));
    readonly = true;
    ck_assert_int_eq(command("stats"), ORDER_OUTPUT); /* looks only */
    press("Escape");
    ck_assert_int_eq(command("resume box-d"), ORDER_NONE);
    ck_assert_int_eq(command("run make"), ORDER_NONE);
    ck_assert_int_eq(command("rename box-a b"), ORDER_NONE);
    ck_assert_int_eq(command("pull"), ORDER_NONE);
    ck_assert_int_eq(control.prompt, PROMPT_NONE);
    teardown();
}
END_TEST

START_TEST(output_keeps_its_end)
{
    static struct output output;
    char line[32];
    output_begin(&output, "audit show");
    ck_assert(output.newest);
    for (int i = 0; i < 20000; i++)
        output_add(&output, line, (size_t)snprintf(line, sizeof(line), "line %d\n", i));
    output_end(&output, "failed");
    ck_assert(output.cut && output.ended);
    ck_assert_uint_le(output.size, OUTPUT_MAX);
    ck_assert_uint_gt(output.size, OUTPUT_MAX / 3);
    ck_assert_int_eq(strncmp(output.text, "line ", 5), 0); /* a whole one */
    ck_assert_ptr_nonnull(memmem(output.text, output.size, "line 19999\nfailed", 17));
    static char block[2 * OUTPUT_MAX];
    memset(block, 'x', sizeof(block)); /* without any line feed */
    output_begin(&output, "stats");
    output_add(&output, block, sizeof(block));
    ck_assert(output.cut && !output.newest);
    ck_assert_uint_le(output.size, OUTPUT_MAX);
}
END_TEST

SUITE_MAIN("control", what_ended_goes_on, selection_moves, focus_takes_every_key_but_the_prefix,
           an_ended_agent_takes_no_keys, verdicts_need_to_have_been_seen,
           the_next_request_must_be_seen_too, a_selection_that_moved_by_itself_is_not_meant,
           the_list_of_requests, kill_asks_and_is_not_typed_ahead, pausing, lines,
           in_an_empty_place, pastes_are_no_commands, layouts_and_scrolling, the_mouse,
           read_only_changes_nothing, leaving, the_list_and_marks, to_who_calls,
           questions_about_many, commands_name_what_they_are_about, commands_that_print,
           output_keeps_its_end)
