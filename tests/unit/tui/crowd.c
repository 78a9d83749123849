#include "suite.h"

#include <string.h>

#include "tui/model/fleet.h"

#define THREE                                                                                      \
    "{\"you\": 7, \"clients\": ["                                                                  \
    "{\"number\": 9, \"user\": \"ana\", \"from\": \"pts/3\", \"sandbox_id\": \"a\", "              \
    "\"sandbox\": \"web\", \"typing\": true},"                                                     \
    "{\"number\": 8, \"user\": \"bob\", \"from\": \"10.0.0.9\", \"sandbox_id\": \"a\", "           \
    "\"sandbox\": \"web\", \"readonly\": true},"                                                   \
    "{\"number\": 7, \"user\": \"ana\", \"from\": \"pts/1\", \"sandbox_id\": \"a\", "              \
    "\"sandbox\": \"web\"}]}"

static struct fleet *fleet;

static void setup(void)
{
    fleet = calloc(1, sizeof(*fleet));
    ck_assert_int_eq(fleet_init(fleet, "main", NULL), 0);
    ck_assert_int_eq(fleet_event(fleet, "event.clients", object(THREE), NULL), 1);
}

static void teardown(void)
{
    fleet_free(fleet);
    free(fleet);
}

START_TEST(others_are_named_by_what_tells_them_apart)
{
    setup();
    const struct crowd *crowd = &fleet->crowd;
    char name[CROWD_NAME_MAX];
    ck_assert_uint_eq(crowd_others(crowd), 2);
    const struct crowd_client *ana = crowd_looking(crowd, "a", NULL);
    ck_assert_ptr_nonnull(ana);
    crowd_name(crowd, ana, false, name);
    ck_assert_str_eq(name, "pts/3"); /* the same user as here */
    crowd_name(crowd, ana, true, name);
    ck_assert_str_eq(name, "ana pts/3");
    ck_assert_str_eq(crowd_glyph(ana, true), "@");
    const struct crowd_client *bob = crowd_looking(crowd, "a", ana);
    ck_assert_ptr_nonnull(bob);
    crowd_name(crowd, bob, false, name);
    ck_assert_str_eq(name, "bob");
    ck_assert(bob->readonly);
    ck_assert_str_eq(crowd_glyph(bob, true), "&");
    ck_assert_ptr_null(crowd_looking(crowd, "a", bob)); /* this one is no other */
    ck_assert_ptr_null(crowd_looking(crowd, "b", NULL));
    teardown();
}
END_TEST

START_TEST(each_host_has_its_own)
{
    setup();
    ck_assert_int_eq(fleet_event_from(fleet, 2, "event.clients", object(THREE), NULL), 1);
    ck_assert_uint_eq(fleet->crowd.count, 6);
    ck_assert_ptr_nonnull(crowd_looking(&fleet->crowd, "2/a", NULL));
    ck_assert_int_eq(fleet_event(fleet, "event.clients", object("{\"you\": 7}"), NULL), 1);
    ck_assert_uint_eq(fleet->crowd.count, 3);
    ck_assert_ptr_null(crowd_looking(&fleet->crowd, "a", NULL));
    fleet_cut(fleet, 2, true);
    ck_assert_uint_eq(fleet->crowd.count, 0);
    teardown();
}
END_TEST

START_TEST(hostile_words_are_cleaned_and_too_many_are_left_out)
{
    setup();
    char json[16384] = "{\"you\": 1, \"clients\": [{\"number\": 2, \"user\": \"\\u001b]0;x\"}";
    for (int i = 0; i < 100; i++)
        strcat(json, ", {\"number\": 3}");
    strcat(json, "]}");
    ck_assert_int_eq(fleet_event(fleet, "event.clients", object(json), NULL), 1);
    ck_assert_uint_eq(fleet->crowd.count, CROWD_MAX);
    ck_assert_ptr_null(strchr(fleet->crowd.list[0].user, '\x1b'));
    teardown();
}
END_TEST

SUITE_MAIN("crowd", others_are_named_by_what_tells_them_apart, each_host_has_its_own,
           hostile_words_are_cleaned_and_too_many_are_left_out)
