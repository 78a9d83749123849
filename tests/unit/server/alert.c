#include "mux/server/alert.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mux/server/record.h"
#include "tests/unit/server/suite.h"
#include "transport/file.h"

static struct alerts alerts;

START_TEST(equal_ones_are_counted)
{
    struct alert *first =
        alert_raise(&alerts, "aaaaaaaa", "a", ALERT_WARNING, "bell", "flood", 1.0);
    ck_assert(first->dirty);
    first->dirty = false;
    alert_acknowledge(&alerts, NULL);
    struct alert *again =
        alert_raise(&alerts, "aaaaaaaa", "a", ALERT_CRITICAL, "bell", "flood", 2.0);
    ck_assert_ptr_eq(first, again);
    ck_assert_uint_eq(again->count, 2);
    ck_assert_double_eq(again->first, 1.0);
    ck_assert_double_eq(again->last, 2.0);
    ck_assert_int_eq(again->severity, ALERT_CRITICAL);
    ck_assert(!again->acknowledged);
    ck_assert(again->dirty);
    ck_assert_uint_eq(alerts.count, 1);
}
END_TEST

START_TEST(sandbox_kind_and_text_tell_them_apart)
{
    alert_raise(&alerts, "aaaaaaaa", "a", ALERT_INFO, "bell", "x", 1);
    alert_raise(&alerts, "bbbbbbbb", "b", ALERT_INFO, "bell", "x", 1);
    alert_raise(&alerts, "aaaaaaaa", "a", ALERT_INFO, "link", "x", 1);
    alert_raise(&alerts, "aaaaaaaa", "a", ALERT_INFO, "bell", "y", 1);
    ck_assert_uint_eq(alerts.count, 4);
    ck_assert_uint_eq(alert_open_count(&alerts, "aaaaaaaa"), 3);
    ck_assert_uint_eq(alert_acknowledge(&alerts, "aaaaaaaa"), 3);
    ck_assert_uint_eq(alert_acknowledge(&alerts, "aaaaaaaa"), 0);
    ck_assert_uint_eq(alert_open_count(&alerts, NULL), 1);
    alert_forget(&alerts, "aaaaaaaa");
    ck_assert_uint_eq(alerts.count, 1);
    ck_assert_str_eq(alerts.list[0].sandbox, "b");
}
END_TEST

START_TEST(bounded_and_seen_ones_go_first)
{
    char text[32];
    for (int i = 0; i < ALERTS_MAX; i++) {
        snprintf(text, sizeof(text), "text %d", i);
        alert_raise(&alerts, "", "", ALERT_INFO, "k", text, i);
    }
    alerts.list[7].acknowledged = true;
    alert_raise(&alerts, "", "", ALERT_INFO, "k", "new", 1000);
    ck_assert_uint_eq(alerts.count, ALERTS_MAX);
    ck_assert_str_eq(alerts.list[0].text, "text 0");
    ck_assert_str_eq(alerts.list[7].text, "text 8");
    alert_raise(&alerts, "", "", ALERT_INFO, "k", "newer", 1001);
    ck_assert_str_eq(alerts.list[0].text, "text 1");
    ck_assert_str_eq(alerts.list[ALERTS_MAX - 1].text, "newer");
}
END_TEST

/* Who raises many loses its own. */
START_TEST(a_flood_takes_nobody_elses_place)
{
    char text[32];
    alert_raise(&alerts, "aaaaaaaa", "a", ALERT_WARNING, "k", "mine", 1);
    for (int i = 0; i < 3 * ALERTS_MAX; i++) {
        snprintf(text, sizeof(text), "text %d", i);
        alert_raise(&alerts, "bbbbbbbb", "b", ALERT_WARNING, "k", text, 2 + i);
    }
    ck_assert_uint_eq(alerts.count, ALERTS_MAX);
    ck_assert_str_eq(alerts.list[0].text, "mine");
    snprintf(text, sizeof(text), "text %d", 3 * ALERTS_MAX - 1);
    ck_assert_str_eq(alerts.list[ALERTS_MAX - 1].text, text);
}
END_TEST

START_TEST(text_is_cleaned_and_cut)
{
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    text[0] = '\n';
    struct alert *alert = alert_raise(&alerts, "", "", ALERT_INFO, "k\x1b", text, 1);
    ck_assert_str_eq(alert->kind, "k\xe2\x90\x9b");
    ck_assert_uint_eq(strlen(alert->text), ALERT_TEXT_MAX - 1);
    ck_assert_mem_eq(alert->text, "\xe2\x8f\x8e", 3);
}
END_TEST

START_TEST(kept_on_disk)
{
    static struct alerts back;
    struct bj_error error;
    char directory[SUITE_PATH_MAX], path[SUITE_PATH_MAX + 32];
    suite_directory(directory);
    snprintf(path, sizeof(path), "%s/alerts.json", directory);
    ck_assert_int_eq(alerts_load(&back, path, &error), 0); /* none yet */
    ck_assert_uint_eq(back.count, 0);
    alert_raise(&alerts, "aaaaaaaa", "a", ALERT_INFO, "gone", "x", 1);
    alert_raise(&alerts, "bbbbbbbb", "b", ALERT_CRITICAL, "bell", "\xff\"\n", 2.5);
    alert_raise(&alerts, "", "", ALERT_WARNING, "audit", "y", 3);
    alert_raise(&alerts, "", "", ALERT_WARNING, "audit", "y", 4);
    alert_acknowledge(&alerts, "bbbbbbbb");
    alert_forget(&alerts, "aaaaaaaa");
    ck_assert_int_eq(alerts_save(&alerts, path, &error), 0);
    ck_assert_int_eq(alerts_load(&back, path, &error), 0);
    ck_assert_uint_eq(back.count, 2);
    for (size_t i = 0; i < 2; i++) {
        back.list[i].dirty = alerts.list[i].dirty;
        ck_assert_uint_eq(back.list[i].id, alerts.list[i].id);
        ck_assert_str_eq(back.list[i].sandbox_id, alerts.list[i].sandbox_id);
        ck_assert_str_eq(back.list[i].sandbox, alerts.list[i].sandbox);
        ck_assert_int_eq(back.list[i].severity, alerts.list[i].severity);
        ck_assert_str_eq(back.list[i].kind, alerts.list[i].kind);
        ck_assert_str_eq(back.list[i].text, alerts.list[i].text);
        ck_assert_uint_eq(back.list[i].count, alerts.list[i].count);
        ck_assert_double_eq(back.list[i].first, alerts.list[i].first);
        ck_assert_double_eq(back.list[i].last, alerts.list[i].last);
        ck_assert_int_eq(back.list[i].acknowledged, alerts.list[i].acknowledged);
    }
    ck_assert_uint_eq(alert_raise(&back, "", "", ALERT_INFO, "k", "new", 5)->id, 4);
    suite_remove(directory);
}
END_TEST

START_TEST(what_is_no_alert_is_left_out)
{
    struct bj_error error;
    char directory[SUITE_PATH_MAX], path[SUITE_PATH_MAX + 32];
    suite_directory(directory);
    snprintf(path, sizeof(path), "%s/alerts.json", directory);
    static const char broken[] = "[{\"id\": 1,\n", none[] = "{}";
    ck_assert_int_eq(bj_file_replace(path, broken, strlen(broken), false, &error), 0);
    ck_assert_int_eq(alerts_load(&alerts, path, &error), -EINVAL);
    ck_assert_int_eq(bj_file_replace(path, none, strlen(none), false, &error), 0);
    ck_assert_int_eq(alerts_load(&alerts, path, &error), -EINVAL);
    static const char strange[] =
        "[7, {}, {\"id\": -1}, {\"id\": 3, \"sandbox_id\": \"../../..\"},"
        " {\"id\": 5, \"sandbox_id\": \"aaaaaaaa\", \"text\": \"\\u001b[31m\", \"count\": \"x\"},"
        " {\"id\": 5, \"text\": \"the same id again\"}]";
    ck_assert_int_eq(bj_file_replace(path, strange, strlen(strange), false, &error), 0);
    ck_assert_int_eq(alerts_load(&alerts, path, &error), 0);
    ck_assert_uint_eq(alerts.count, 1);
    ck_assert_uint_eq(alerts.next_id, 5);
    ck_assert_str_eq(alerts.list[0].text, "\xe2\x90\x9b[31m");
    ck_assert_uint_eq(alerts.list[0].count, 1);
    suite_remove(directory);
}
END_TEST

START_TEST(severities)
{
    ck_assert_int_eq(alert_severity_read("critical"), ALERT_CRITICAL);
    ck_assert_int_eq(alert_severity_read("nonsense"), ALERT_WARNING);
    ck_assert_str_eq(alert_severity_name(ALERT_INFO), "info");
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {equal_ones_are_counted,
                                  sandbox_kind_and_text_tell_them_apart,
                                  bounded_and_seen_ones_go_first,
                                  a_flood_takes_nobody_elses_place,
                                  text_is_cleaned_and_cut,
                                  kept_on_disk,
                                  what_is_no_alert_is_left_out,
                                  severities,
                                  NULL};
    return suite_run("alert", cases);
}
