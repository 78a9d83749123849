#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/model/menu.h"

static struct menu menu;
static struct details *details;
static uint64_t now;
static const char *note;

static void begin(bool deny, enum risk risk)
{
    struct request request = {.id = "r1", .risk = risk};
    details = calloc(1, sizeof(*details));
    now = 100000;
    menu_open(&menu, &request, deny);
}

static void end(void)
{
    details_free(details);
    free(details);
}

/* The server answers what the menu wants to know now; project cannot be remembered. */
static void answer(void)
{
    struct details_wish wish = {.deny = menu.deny, .seconds = menu_seconds(&menu), .count = 1};
    char json[400];
    strcpy(wish.id, menu.request);
    details_want(details, &wish);
    snprintf(json, sizeof(json),
             "{\"id\": \"r1\", \"answer\": \"%s\", \"seconds\": %u, \"rules\": {\"sandbox\": "
             "\"only a, %us\", \"project\": null, \"all\": \"everyone, %us\"}}",
             menu.deny ? "deny" : "allow", wish.seconds, wish.seconds, wish.seconds);
    ck_assert_int_eq(details_take(details, details->serial, object(json)), 0);
}

static enum menu_outcome press(const char *name)
{
    struct chord chord;
    ck_assert(keys_parse(name, strlen(name), &chord));
    return menu_key(&menu, details, &chord, now, &note);
}

static const char *sentence(void)
{
    const char *why;
    const char *text = menu_sentence(&menu, details, &why);
    return text ? text : "";
}

START_TEST(the_least_is_chosen_first)
{
    begin(false, RISK_LOW);
    ck_assert_int_eq(menu.scope, MENU_SANDBOX);
    ck_assert_uint_eq(menu_seconds(&menu), 1800);
    answer();
    ck_assert_str_eq(sentence(), "only a, 1800s");
    press("l");
    ck_assert_int_eq(menu.scope, MENU_PROJECT);
    ck_assert_str_eq(sentence(), "");
    press("Right");
    ck_assert_int_eq(menu.scope, MENU_ALL);
    press("l"); /* an allow has no fourth choice */
    ck_assert_int_eq(menu.scope, MENU_ALL);
    press("h");
    press("1");
    ck_assert_int_eq(menu.scope, MENU_SANDBOX);
    press("j");
    press("3");
    ck_assert_uint_eq(menu_seconds(&menu), 604800);
    ck_assert_str_eq(sentence(), ""); /* that was asked for another time */
    answer();
    ck_assert_str_eq(sentence(), "only a, 604800s");
    press("4");
    ck_assert_uint_eq(menu_seconds(&menu), 0);
    end();
}
END_TEST

START_TEST(enter_needs_the_sentence_to_have_been_seen)
{
    begin(false, RISK_LOW);
    ck_assert_int_eq(press("Enter"), MENU_STAYS);
    ck_assert_ptr_nonnull(strstr(note, "asking the server"));
    answer();
    ck_assert_int_eq(press("Enter"), MENU_STAYS);
    ck_assert_ptr_nonnull(strstr(note, "not yet"));
    menu_painted(&menu, details, now);
    now += MENU_ARM_MS - 1;
    ck_assert_int_eq(press("Enter"), MENU_STAYS);
    now += 1;
    press("3"); /* another choice, not painted yet */
    ck_assert_int_eq(press("Enter"), MENU_STAYS);
    menu_painted(&menu, details, now);
    ck_assert_int_eq(press("Enter"), MENU_DECIDES);
    /* What cannot be remembered is not. */
    press("2");
    menu_painted(&menu, details, now);
    ck_assert_int_eq(press("Enter"), MENU_STAYS);
    ck_assert_ptr_nonnull(strstr(note, "cannot"));
    ck_assert_int_eq(press("Escape"), MENU_LEAVES);
    end();
}
END_TEST

static void choose_widest(void)
{
    press("3");
    press("j");
    press("4");
    answer();
    menu_painted(&menu, details, now);
    now += MENU_ARM_MS;
}

START_TEST(the_widest_wants_a_second_key)
{
    for (int deny = 0; deny < 2; deny++) {
        begin(deny, RISK_LOW);
        choose_widest();
        ck_assert_int_eq(press("Enter"), MENU_STAYS);
        ck_assert(menu.asking);
        ck_assert_int_eq(press("y"), MENU_STAYS); /* the question was not on screen */
        menu_painted(&menu, details, now);
        ck_assert_int_eq(press("Enter"), MENU_STAYS); /* the same key is no second one */
        ck_assert(!menu.asking);
        ck_assert_int_eq(press("Enter"), MENU_STAYS);
        menu_painted(&menu, details, now);
        ck_assert_int_eq(press("y"), MENU_DECIDES);
        ck_assert(menu_remembers(&menu));
        end();
    }
}
END_TEST

START_TEST(high_risk_wants_it_to_allow_only)
{
    for (int deny = 0; deny < 2; deny++) {
        begin(deny, RISK_HIGH);
        answer();
        menu_painted(&menu, details, now);
        now += MENU_ARM_MS;
        ck_assert_int_eq(press("Enter"), deny ? MENU_DECIDES : MENU_STAYS);
        ck_assert(menu.asking == !deny);
        end();
    }
}
END_TEST

START_TEST(a_denial_may_be_for_once_with_a_reason)
{
    begin(true, RISK_LOW);
    press("4");
    ck_assert(!menu_remembers(&menu));
    press("Down"); /* there is no time to choose */
    ck_assert_int_eq(menu.field, MENU_REASON);
    static const char *const keys[] = {"q", "j", "k", "Space", "4", "y", "Left", "Backspace"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        ck_assert_int_eq(press(keys[i]), MENU_STAYS);
    ck_assert_str_eq(menu.reason.text, "qjk y");
    menu_paste(&menu, " then\nno", 8);
    ck_assert_str_eq(menu.reason.text, "qjk  theny");
    char long_text[MENU_REASON_MAX + 10];
    memset(long_text, 'x', sizeof(long_text));
    menu_paste(&menu, long_text, sizeof(long_text));
    ck_assert_str_eq(menu.reason.text, "qjk  theny");
    menu_painted(&menu, details, now);
    now += MENU_ARM_MS;
    ck_assert_int_eq(press("Enter"), MENU_DECIDES);
    press("Up");
    ck_assert_int_eq(menu.field, MENU_SCOPE);
    end();
}
END_TEST

/* Attack row 54: what is decided is what was shown, of this request and this verdict. */
START_TEST(sentences_of_something_else_do_not_count)
{
    begin(true, RISK_LOW);
    struct details_wish wish = {.id = "r1", .deny = true, .seconds = 1800, .count = 1};
    ck_assert(details_want(details, &wish));
    ck_assert(!details_want(details, &wish));
    unsigned serial = details->serial;
    details_take(details, serial - 1, object("{\"id\": \"r1\", \"rules\": {\"sandbox\": \"x\"}}"));
    ck_assert_int_eq(details->state, DETAILS_LOADING);
    details_take(details, serial, object("{\"id\": \"r2\", \"rules\": {\"sandbox\": \"x\"}}"));
    ck_assert_int_eq(details->state, DETAILS_LOADING);
    details_take(details, serial,
                 object("{\"id\": \"r1\", \"answer\": \"allow\", \"seconds\": 1800, "
                        "\"rules\": {\"sandbox\": \"Allow x\"}}"));
    ck_assert_int_eq(details->state, DETAILS_READY);
    ck_assert_str_eq(sentence(), "");
    menu_painted(&menu, details, now);
    now += MENU_ARM_MS;
    ck_assert_int_eq(press("Enter"), MENU_STAYS);
    ck_assert_ptr_nonnull(note);
    /* A server that cannot say it. */
    wish.count = 2;
    details_want(details, &wish);
    details_fail(details, details->serial, "request.details is not answered by this server");
    press("Enter");
    ck_assert_str_eq(note, "request.details is not answered by this server");
    end();
}
END_TEST

SUITE_MAIN("menu", the_least_is_chosen_first, enter_needs_the_sentence_to_have_been_seen,
           the_widest_wants_a_second_key, high_risk_wants_it_to_allow_only,
           a_denial_may_be_for_once_with_a_reason, sentences_of_something_else_do_not_count)
