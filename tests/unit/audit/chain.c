#include "mux/audit/audit.h"

#include <errno.h>

#include "tests/unit/audit/log.h"
#include "tests/unit/transport/suite.h"

/* Number of records that a filter lets through; the sum of their `number` in *sum. */
static int read_all(const struct audit_filter *filter, json_int_t *sum)
{
    struct audit_reader *reader;
    struct audit_record record;
    struct bj_error error = {0};
    ck_assert_int_eq(audit_read_open(&reader, dir, filter, &error), 0);
    int count = 0, status;
    uint64_t before = 0;
    *sum = 0;
    while ((status = audit_read_next(reader, &record, &error)) == 1) {
        count++;
        ck_assert_uint_gt(record.seq, before);
        before = record.seq;
        *sum += json_integer_value(json_object_get(record.json, "number"));
        audit_record_free(&record);
    }
    ck_assert_int_eq(status, 0);
    audit_read_close(reader);
    return count;
}

START_TEST(begins_and_goes_on)
{
    struct audit_opened opened;
    struct audit *audit = log_open(0, &opened);
    ck_assert_int_eq(opened.state, AUDIT_CLEAN);
    ck_assert_uint_eq(audit_seq(audit), 0);
    log_add(audit, 1);
    log_add(audit, 2);
    ck_assert_uint_eq(audit_seq(audit), 2);
    audit_close(audit);
    audit = log_open(0, &opened);
    ck_assert_int_eq(opened.state, AUDIT_CLEAN);
    ck_assert_str_eq(opened.text, "");
    ck_assert_uint_eq(audit_seq(audit), 2);
    ck_assert_int_eq(audit_append(audit, AUDIT_SERVER_START, NULL, NULL), 0);
    ck_assert_int_eq(audit_failed(audit, NULL), 0);
    audit_close(audit);
    struct audit_verdict verdict = log_verify();
    ck_assert_str_eq(verdict.text, "3 records, unbroken");
    ck_assert_uint_eq(verdict.records, 3);
    struct stat info;
    ck_assert_int_eq(stat(log_path("audit.jsonl"), &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    ck_assert_int_eq(stat(log_path("audit.head"), &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
}
END_TEST

START_TEST(empty)
{
    struct audit_verdict verdict = log_verify();
    ck_assert_int_eq(verdict.fault, AUDIT_FAULT_NONE);
    audit_close(log_open(0, NULL));
    struct audit_opened opened;
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_CLEAN);
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_NONE);
}
END_TEST

START_TEST(one_writer)
{
    struct audit *audit = log_open(0, NULL), *other;
    struct bj_error error = {0};
    ck_assert_int_eq(audit_open(&other, dir, NULL, NULL, &error), -EBUSY);
    ck_assert_ptr_null(other);
    audit_close(audit);
    ck_assert_int_eq(audit_open(&other, log_path("nowhere"), NULL, NULL, &error), -ENOENT);
}
END_TEST

/* Also synced, and with the files turning over again and again. */
START_TEST(rotation)
{
    struct audit *audit;
    struct audit_options options = {1000, false};
    struct audit_opened opened;
    for (int round = 0; round < 5; round++) {
        ck_assert_int_eq(audit_open(&audit, dir, &options, &opened, NULL), 0);
        ck_assert_int_eq(opened.state, AUDIT_CLEAN);
        for (int i = 1; i <= 20; i++)
            log_add(audit, round * 20 + i);
        audit_close(audit);
    }
    ck_assert_int_eq(access(log_path("audit-10.jsonl"), F_OK), 0);
    struct audit_verdict verdict = log_verify();
    ck_assert_msg(verdict.fault == AUDIT_FAULT_NONE, "%s", verdict.text);
    ck_assert_uint_eq(verdict.records, 100);
    json_int_t sum;
    ck_assert_int_eq(read_all(NULL, &sum), 100);
    ck_assert_int_eq(sum, 5050);
}
END_TEST

START_TEST(never_over_an_old_file)
{
    log_fill(3, 0);
    log_write("audit-1.jsonl", "precious\n", 9);
    struct audit *audit;
    struct audit_options options = {10, true};
    ck_assert_int_eq(audit_open(&audit, dir, &options, NULL, NULL), 0);
    size_t size;
    char *text = log_read("audit-1.jsonl", &size);
    ck_assert_str_eq(text, "precious\n");
    free(text);
    audit_close(audit);
}
END_TEST

START_TEST(filters)
{
    struct audit *audit = log_open(700, NULL);
    for (int i = 1; i <= 10; i++)
        log_add(audit, i);
    ck_assert_int_eq(audit_append(audit, AUDIT_ALERT, NULL, NULL), 0);
    audit_close(audit);
    json_int_t sum;
    struct audit_filter filter = {.kinds = 1ULL << AUDIT_CONNECTION};
    ck_assert_int_eq(read_all(&filter, &sum), 10);
    filter = (struct audit_filter){.kinds = 1ULL << AUDIT_ALERT | 1ULL << AUDIT_START};
    ck_assert_int_eq(read_all(&filter, &sum), 1);
    filter = (struct audit_filter){.sandbox = "blue"};
    ck_assert_int_eq(read_all(&filter, &sum), 5);
    ck_assert_int_eq(sum, 25);
    filter = (struct audit_filter){.after = 8};
    ck_assert_int_eq(read_all(&filter, &sum), 3);
    filter = (struct audit_filter){.since = 4e9};
    ck_assert_int_eq(read_all(&filter, &sum), 0);
    filter = (struct audit_filter){.until = 4e9};
    ck_assert_int_eq(read_all(&filter, &sum), 11);
}
END_TEST

/* Mistakes of the caller are refused and change nothing. */
START_TEST(callers_mistakes)
{
    struct audit *audit = log_open(0, NULL);
    json_t *fields = json_pack("{s:s}", "prev", "x");
    ck_assert_int_eq(audit_append(audit, AUDIT_START, fields, NULL), -EINVAL);
    ck_assert_int_eq(audit_failed(audit, NULL), 0);
    ck_assert_uint_eq(audit_seq(audit), 0);
    json_decref(fields);
    log_add(audit, 1);
    audit_close(audit);
    ck_assert_uint_eq(log_verify().records, 1);
}
END_TEST

/* Reading and checking beside a writer that rotates never sees a fault. */
START_TEST(beside_a_writer)
{
    struct audit *audit = log_open(600, NULL);
    for (int i = 1; i <= 60; i++) {
        log_add(audit, i);
        struct audit_verdict verdict = log_verify();
        ck_assert_msg(verdict.fault == AUDIT_FAULT_NONE, "%s", verdict.text);
        ck_assert_uint_eq(verdict.records, (unsigned)i);
    }
    struct audit_reader *reader;
    struct audit_record record;
    ck_assert_int_eq(audit_read_open(&reader, dir, NULL, NULL), 0);
    for (int i = 61; i <= 80; i++)
        log_add(audit, i);
    uint64_t last = 0;
    while (audit_read_next(reader, &record, NULL) == 1) {
        ck_assert_uint_eq(record.seq, last + 1);
        last = record.seq;
        audit_record_free(&record);
    }
    ck_assert_uint_ge(last, 60);
    audit_read_close(reader);
    audit_close(audit);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit chain");
    TCase *tests = tcase_create("chain");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, log_make, log_remove);
    tcase_add_test(tests, begins_and_goes_on);
    tcase_add_test(tests, empty);
    tcase_add_test(tests, one_writer);
    tcase_add_test(tests, rotation);
    tcase_add_test(tests, never_over_an_old_file);
    tcase_add_test(tests, filters);
    tcase_add_test(tests, callers_mistakes);
    tcase_add_test(tests, beside_a_writer);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
