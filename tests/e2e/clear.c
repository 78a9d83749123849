/*
 * A hundred mixed requests are cleared from the keyboard, and none is mis-answered.
 *
 * Agents of five sandboxes ask a hundred different things: hooks' questions of low risk,
 * connections of medium and of high risk; ten of them are asked by all five in the same words. Some
 * come while others are answered. The human goes to the next one (Tab), reads what is selected, and
 * when its keys are shown presses one: once or remembered, allow or deny, as belongs to that text;
 * half of the time in the panes, half in the inbox. He looks only at the screen. Afterwards each
 * asker must have got what was pressed on its card. In a network of the test's own, since
 * connections are held.
 */
#include "eye.h"
#include "human.h"
#include "net.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES         5
#define OWN            18 /* requests that one sandbox asks alone */
#define SHARED         10 /* and that all ask */
#define REQUESTS       (PLACES * OWN + SHARED)
#define ROWS           40
#define COLUMNS        120
#define INBOX          "go there" /* below it; a note may cover its title */
#define ASKS_ONCE_MORE "High risk: "
#define PATIENCE_MS    15000
#define READ_MS        500    /* behind which it has been in view for 300, of the server too */
#define LIMIT_MS       300000 /* five minutes; only told, as machines differ */

static struct world world;

enum press { NONE, ALLOWS, DENIES };

static struct card {
    char text[48]; /* as it stands on the card, and no part of another's */
    bool wall;
    enum press should, pressed;
    bool remember;
    int pressed_times;
} cards[REQUESTS];

static void setup(void)
{
    world_open(&world);
    net_start(&world);
}

static void teardown(void)
{
    net_stop();
    world_close(&world);
}

/* --- what is asked --- */

/* Of four, two go to a wall: one at a usual port, one at an unusual, which is of high risk. What
 * the human thinks of it has no pattern that his neighbour's verdict would fit, too. */
static void make_card(struct card *card, const char *place, unsigned number)
{
    static const char *const ports[] = {NULL, "443", NULL, "8443"};
    const char *port = ports[number % 4];
    unsigned mixed = (number * 2654435761U + (unsigned)place[1] * 40503U) >> 13;
    if (port)
        snprintf(card->text, sizeof(card->text), "n%02u.%s.example:%s", number, place, port);
    else
        snprintf(card->text, sizeof(card->text), "make n%02u-%s now", number, place);
    card->wall = port != NULL;
    card->should = mixed & 1 ? ALLOWS : DENIES;
    card->remember = (mixed >> 1) % 4 == 0;
}

static void make_cards(void)
{
    char place[8];
    for (unsigned i = 0; i < REQUESTS; i++) {
        snprintf(place, sizeof(place), "p%u", i / OWN);
        make_card(&cards[i], i < PLACES * OWN ? place : "all", i);
    }
}

static bool is_of(const struct card *card, int place)
{
    long index = card - cards;
    return index >= PLACES * OWN || index / OWN == place;
}

/* Each question is asked by a process of its own, some a little later than others; what became of
 * it is printed only at the end, so that nothing on the screen but a card names it. */
static void start(int place)
{
    char name[16], script[8192];
    size_t used = (size_t)snprintf(
        script, sizeof(script),
        "hook() { sleep $2; belljar-shim ask --kind exec --title \"$3\" >/dev/null 2>&1; "
        "echo \"answer $1 $?\" >>~/log; }\n"
        "wall() { sleep $2; c=$(curl -s -m 3000 -o /dev/null -w '%%{http_connect}' https://$3/); "
        "echo \"answer $1 $c\" >>~/log; }\n");
    int nth = 0;
    for (int i = 0; i < REQUESTS; i++)
        if (is_of(&cards[i], place))
            used +=
                (size_t)snprintf(script + used, sizeof(script) - used, "%s %d %d '%s' &\n",
                                 cards[i].wall ? "wall" : "hook", i, nth++ % 4 * 4, cards[i].text);
    used += (size_t)snprintf(script + used, sizeof(script) - used,
                             "wait; clear; cat ~/log; echo all-is-answered; sleep 1000");
    ck_assert_uint_lt(used, sizeof(script));
    snprintf(name, sizeof(name), "p%d", place);
    human_runs(&world, name, script);
}

/* --- the human --- */

/* The card whose text is on one of these rows; NULL: none, or two. */
static struct card *card_on(struct eye *eye, int from, int to)
{
    struct card *found = NULL;
    for (int row = from; row <= to; row++) {
        const char *text = eye_row(eye, row);
        for (size_t i = 0; i < REQUESTS; i++)
            if (strstr(text, cards[i].text)) {
                if (found && found != &cards[i])
                    return NULL;
                found = &cards[i];
            }
    }
    return found;
}

/* The one that may be answered now, in the pane that fills the screen: it shows its keys. */
static struct card *in_pane(struct eye *eye)
{
    int row = eye_find(eye, "a once", NULL);
    return row < 0 ? NULL : card_on(eye, row > 0 ? row - 1 : 0, row);
}

/* In the inbox: the row that is marked. */
static struct card *in_inbox(struct eye *eye)
{
    int row = eye_shows(eye, INBOX) ? eye_find(eye, "▌", NULL) : -1;
    return row < 0 ? NULL : card_on(eye, row, row);
}

static struct card *in_view(struct eye *eye, bool inbox)
{
    return inbox ? in_inbox(eye) : in_pane(eye);
}

static bool in_menu(struct eye *eye)
{
    return eye_shows(eye, ", and remember");
}

#define WAIT_A_WHILE(eye, condition)                                                               \
    for (long long until_ = world_now() + PATIENCE_MS; !(condition) && world_now() < until_;)      \
    eye_pump(eye, 20)

/* The dashboard says so of a key that it did not take. */
static bool was_early(struct eye *eye)
{
    return eye_shows(eye, "not yet");
}

/* Through the menu: for this sandbox, for a while, as it offers; of high risk it asks once more. */
static void remember(struct eye *eye, const struct card *card)
{
    eye_type(eye, card->should == ALLOWS ? "A" : "D");
    WAIT_A_WHILE(eye, in_menu(eye) || was_early(eye));
    while (in_menu(eye)) {
        bool asks = eye_shows(eye, ASKS_ONCE_MORE);
        WAIT_A_WHILE(eye, asks || eye_shows(eye, ", for the sandbox "));
        eye_type(eye, asks ? "y" : EYE_ENTER);
        WAIT_A_WHILE(eye,
                     !in_menu(eye) || was_early(eye) || eye_shows(eye, ASKS_ONCE_MORE) != asks);
        EYE_WAIT(eye, !in_menu(eye) || !was_early(eye));
    }
}

/* One verdict on what is in view, which is waited for: the next key else would be for whatever came
 * in its place. It is pressed again when it was not taken, or when the card stays, for who joined
 * when it was read already. */
static void press(struct eye *eye, struct card *card, bool inbox)
{
    card->pressed = card->should;
    card->pressed_times++;
    if (card->remember)
        remember(eye, card);
    else
        eye_type(eye, card->should == ALLOWS ? "a" : "d");
    WAIT_A_WHILE(eye, in_view(eye, inbox) != card || was_early(eye));
    EYE_WAIT(eye, !was_early(eye));
}

static size_t open_requests(void)
{
    struct result result;
    BELLJAR(&world, &result, "requests", "--json");
    json_t *list = json_loads(result.out, 0, NULL);
    size_t count = json_array_size(list);
    json_decref(list);
    result_free(&result);
    return count;
}

static bool all_are_answered(void)
{
    char name[16];
    for (int i = 0; i < PLACES; i++) {
        snprintf(name, sizeof(name), "p%d", i);
        if (!world_shows(&world, name, "all-is-answered"))
            return false;
    }
    return true;
}

static void turn_to(struct eye *eye, bool inbox)
{
    eye_type(eye, inbox ? "r" : "\x1b");
    EYE_WAIT(eye, eye_shows(eye, INBOX) == inbox);
}

/* What is in view, and is read. */
static struct card *read_one(struct eye *eye, bool inbox)
{
    struct card *card = NULL;
    for (long long until = world_now() + 1000;
         !(card = in_view(eye, inbox)) && world_now() < until;)
        eye_pump(eye, 20);
    for (long long until = world_now() + READ_MS;
         card && in_view(eye, inbox) == card && world_now() < until;)
        eye_pump(eye, 20);
    return in_view(eye, inbox) == card ? card : NULL;
}

static void clear_all(struct eye *eye)
{
    long long until = world_now() + 30LL * world_patience();
    bool inbox = false;
    for (int turn = 1;; turn++) {
        if (turn % 10 == 0)
            turn_to(eye, inbox = !inbox);
        if (!inbox)
            eye_type(eye, "\t");
        struct card *card = read_one(eye, inbox);
        if (card)
            press(eye, card, inbox);
        else if (open_requests() == 0 && all_are_answered())
            return;
        ck_assert_msg(world_now() < until, "%zu requests are left", open_requests());
    }
}

/* --- what must hold --- */

static size_t check_place(int place)
{
    char name[16];
    size_t count = 0;
    struct result result;
    snprintf(name, sizeof(name), "p%d", place);
    BELLJAR(&world, &result, "capture", name, "--scrollback");
    for (char *save = NULL, *line = strtok_r(result.out, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save)) {
        int index, code;
        if (sscanf(line, "answer %d %d", &index, &code) != 2)
            continue;
        ck_assert(index >= 0 && index < REQUESTS);
        const struct card *card = &cards[index];
        /* What was let through finds no such name: 502. */
        int right = card->wall ? card->pressed == ALLOWS ? 502 : 403 : card->pressed != ALLOWS;
        ck_assert_msg(card->pressed != NONE, "%s: nobody pressed a key on %s", name, card->text);
        ck_assert_msg(code == right, "%s: %s was %s and got %d", name, card->text,
                      card->pressed == ALLOWS ? "allowed" : "denied", code);
        count++;
    }
    result_free(&result);
    return count;
}

START_TEST(a_hundred_from_the_keyboard)
{
    size_t answers = 0, keys = 0;
    make_cards();
    for (int i = 0; i < PLACES; i++)
        start(i);
    WAIT_FOR(open_requests() > REQUESTS / 5);
    struct eye *eye = eye_open(ROWS, COLUMNS, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    long long began = world_now();
    eye_type(eye, "z");
    clear_all(eye);
    long long took = world_now() - began;
    for (int i = 0; i < PLACES; i++)
        answers += check_place(i);
    ck_assert_uint_eq(answers, PLACES * (OWN + SHARED));
    for (size_t i = 0; i < REQUESTS; i++)
        keys += (size_t)cards[i].pressed_times;
    printf("%d requests of %zu askers were cleared with %zu verdict keys in %.1f s%s, none was "
           "mis-answered\n",
           REQUESTS, answers, keys, (double)took / 1000,
           took > LIMIT_MS ? " (more than five minutes)" : "");
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}
END_TEST

int main(void)
{
    if (!net_make()) {
        printf("skipped: a network of its own needs root\n");
        return 77;
    }
    Suite *suite = suite_create("e2e-clear");
    TCase *tcase = tcase_create("clear");
    tcase_set_timeout(tcase, 0);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_hundred_from_the_keyboard);
    suite_add_tcase(suite, tcase);
    return world_main(suite);
}
