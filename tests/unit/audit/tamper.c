/* Whatever is done to a finished log is found, and the place is named. */
#include "mux/audit/audit.h"

#include <errno.h>

#include <sodium.h>

#include "tests/unit/audit/log.h"
#include "tests/unit/transport/suite.h"

#define RECORDS 12

static char *text;
static size_t size;

/* Where line `number` (from 1) begins and how long it is, with its end. */
static char *line_of(int number, size_t *length)
{
    char *at = text;
    for (int i = 1; i < number; i++)
        at = strchr(at, '\n') + 1;
    *length = (size_t)(strchr(at, '\n') - at) + 1;
    return at;
}

static void setup(void)
{
    log_make();
    log_fill(RECORDS, 0);
    text = log_read("audit.jsonl", &size);
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_NONE);
}

static void teardown(void)
{
    free(text);
    log_remove();
}

static void put(void)
{
    log_write("audit.jsonl", text, size);
}

static void expect(enum audit_fault fault, uint64_t line)
{
    struct audit_verdict verdict = log_verify();
    ck_assert_msg(verdict.fault == fault, "%s instead of %s", verdict.text,
                  audit_fault_name(fault));
    ck_assert_uint_eq(verdict.line, line);
    ck_assert_str_eq(verdict.file, "audit.jsonl");
    char place[64];
    snprintf(place, sizeof(place), "audit.jsonl:%llu: %s: ", (unsigned long long)line,
             audit_fault_name(fault));
    ck_assert_msg(strncmp(verdict.text, place, strlen(place)) == 0, "%s", verdict.text);
}

START_TEST(edited)
{
    size_t length;
    char *host = strstr(line_of(_i, &length), "a.test");
    *host = 'b';
    put();
    expect(AUDIT_FAULT_EDITED, (uint64_t)_i);
}
END_TEST

/* Edited with the hash made right: then the next one does not follow; of the last, audit.head
 * knows. */
START_TEST(edited_with_its_hash)
{
    size_t length;
    char *line = line_of(_i, &length);
    struct audit_record record;
    char *made, hash[AUDIT_HASH_SIZE];
    size_t made_size;
    ck_assert_int_eq(audit_record_parse(&record, line, length - 1, NULL), 0);
    json_t *fields =
        json_pack("{s:s, s:s, s:s}", "sandbox", "blue", "host", "c.test", "pad", "xxx");
    ck_assert_int_eq(audit_record_format(record.seq, record.time, AUDIT_CONNECTION, fields,
                                         record.prev, hash, &made, &made_size, NULL),
                     0);
    json_decref(fields);
    audit_record_free(&record);
    char *all = malloc(size + made_size);
    size_t before = (size_t)(line - text), after = size - before - length;
    memcpy(all, text, before);
    memcpy(all + before, made, made_size);
    memcpy(all + before + made_size, line + length, after);
    free(made);
    free(text);
    text = all;
    size = before + made_size + after;
    put();
    expect(AUDIT_FAULT_EDITED, _i == RECORDS ? RECORDS : (uint64_t)_i + 1);
}
END_TEST

START_TEST(removed)
{
    size_t length;
    char *line = line_of(_i, &length);
    memmove(line, line + length, size - (size_t)(line - text) - length);
    size -= length;
    put();
    if (_i == RECORDS)
        expect(AUDIT_FAULT_TRUNCATED, RECORDS - 1);
    else
        expect(AUDIT_FAULT_REMOVED, (uint64_t)_i);
}
END_TEST

START_TEST(swapped)
{
    size_t one, two;
    char *line = line_of(_i, &one);
    line_of(_i + 1, &two);
    char *copy = malloc(one);
    memcpy(copy, line, one);
    memmove(line, line + one, two);
    memcpy(line + two, copy, one);
    free(copy);
    put();
    expect(AUDIT_FAULT_REORDERED, (uint64_t)_i);
}
END_TEST

START_TEST(doubled)
{
    size_t length;
    char *line = line_of(5, &length);
    char *all = malloc(size + length);
    size_t upto = (size_t)(line - text) + length;
    memcpy(all, text, upto);
    memcpy(all + upto, line, length);
    memcpy(all + upto + length, text + upto, size - upto);
    free(text);
    text = all;
    size += length;
    put();
    expect(AUDIT_FAULT_REORDERED, 6);
}
END_TEST

/* Cut at any byte: found by verify, and by the server when it opens the log. */
START_TEST(truncated)
{
    size_t length;
    char *line = line_of(_i, &length);
    size_t begin = (size_t)(line - text);
    size = begin + (_i % 2 ? length / 2 : 0);
    put();
    expect(AUDIT_FAULT_TRUNCATED, (uint64_t)_i - 1);
    struct audit_opened opened;
    struct audit *audit = log_open(0, &opened);
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
    ck_assert_ptr_nonnull(strstr(opened.text, "missing"));
    ck_assert_uint_eq(audit_seq(audit), RECORDS + 1);
    log_add(audit, 1);
    audit_close(audit);
    /* It stays visible, also after the log went on, and is said only once. */
    expect(AUDIT_FAULT_GAP, (uint64_t)_i);
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_CLEAN);
    expect(AUDIT_FAULT_GAP, (uint64_t)_i);
}
END_TEST

START_TEST(only_the_last_line_end_cut)
{
    size--;
    put();
    expect(AUDIT_FAULT_TRUNCATED, RECORDS - 1);
    struct audit_opened opened;
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
}
END_TEST

START_TEST(head_gone)
{
    unlink(log_path("audit.head"));
    expect(AUDIT_FAULT_TRUNCATED, RECORDS);
    struct audit_opened opened;
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
    expect(AUDIT_FAULT_GAP, RECORDS + 1);
}
END_TEST

static const char *const heads[] = {
    "", "x", "{}", "[1]",
    "{\"boot\":\"\",\"durable\":0,\"file\":0,\"hash\":\"\",\"seq\":-1,"
    "\"size\":0}"};

START_TEST(head_damaged)
{
    log_write("audit.head", heads[_i], strlen(heads[_i]));
    expect(AUDIT_FAULT_TRUNCATED, RECORDS);
    struct audit_opened opened;
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
}
END_TEST

/* Records cut off together with a head of an earlier day: what an attacker of our own user can do.
 * The chain alone cannot tell; that is said in audit.h. With the head alone set back it is found.
 */
START_TEST(log_gone)
{
    unlink(log_path("audit.jsonl"));
    struct audit_verdict verdict = log_verify();
    ck_assert_int_eq(verdict.fault, AUDIT_FAULT_TRUNCATED);
    struct audit_opened opened;
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
    ck_assert_int_ne(log_verify().fault, AUDIT_FAULT_NONE);
}
END_TEST

START_TEST(junk_at_the_end)
{
    char *all = malloc(size + 6);
    memcpy(all, text, size);
    memcpy(all + size, "junk\n\n", 6);
    free(text);
    text = all;
    size += 6;
    put();
    expect(AUDIT_FAULT_EDITED, RECORDS + 1);
    struct audit_opened opened;
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
}
END_TEST

START_TEST(last_one_edited)
{
    size_t length;
    *strstr(line_of(RECORDS, &length), "a.test") = 'b';
    put();
    struct audit_opened opened;
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
    expect(AUDIT_FAULT_EDITED, RECORDS);
}
END_TEST

/* A crash of the machine may lose what was not synced, and only that: told by boot id and
 * `durable`. */
static void crash(const char *boot, int durable, int left)
{
    size_t length;
    char *last = line_of(RECORDS, &length);
    struct audit_record record;
    ck_assert_int_eq(audit_record_parse(&record, last, length - 1, NULL), 0);
    char head[512];
    snprintf(
        head, sizeof(head),
        "{\"boot\":\"%s\",\"durable\":%d,\"file\":0,\"hash\":\"%s\",\"seq\":%d,\"size\":%zu}\n",
        boot, durable, record.hash, RECORDS, size);
    audit_record_free(&record);
    log_write("audit.head", head, strlen(head));
    char *line = line_of(left + 1, &length);
    size = (size_t)(line - text) + length / 3; /* and a piece of the next */
    put();
}

START_TEST(machine_crashed)
{
    crash("another-boot", 6, 8);
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_NONE);
    struct audit_opened opened;
    struct audit *audit = log_open(0, &opened);
    ck_assert_int_eq(opened.state, AUDIT_REPAIRED);
    ck_assert_ptr_nonnull(strstr(opened.text, "records 9 to 12"));
    log_add(audit, 1);
    audit_close(audit);
    struct audit_verdict verdict = log_verify();
    ck_assert_msg(verdict.fault == AUDIT_FAULT_NONE, "%s", verdict.text);
    ck_assert_uint_eq(verdict.records, 10);
    ck_assert_uint_eq(verdict.gaps, 1);
}
END_TEST

START_TEST(no_crash_takes_what_was_synced)
{
    crash("another-boot", 9, 8);
    expect(AUDIT_FAULT_TRUNCATED, 8);
    struct audit_opened opened;
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
}
END_TEST

/* Files that were rotated away are as safe as the newest. */
START_TEST(old_files)
{
    log_remove();
    log_make();
    log_fill(30, 1000);
    free(text);
    text = log_read("audit-2.jsonl", &size);
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_NONE);
    *strstr(text, "a.test") = 'b';
    log_write("audit-2.jsonl", text, size);
    struct audit_verdict verdict = log_verify();
    ck_assert_int_eq(verdict.fault, AUDIT_FAULT_EDITED);
    ck_assert_str_eq(verdict.file, "audit-2.jsonl");
    ck_assert_uint_eq(verdict.line, 1);
    unlink(log_path("audit-2.jsonl"));
    verdict = log_verify();
    ck_assert_int_eq(verdict.fault, AUDIT_FAULT_REMOVED);
    ck_assert_str_eq(verdict.file, "audit-2.jsonl");
    *strstr(text, "b.test") = 'a';
    log_write("audit-2.jsonl", text, size - 1); /* without its last line end */
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_EDITED);
    log_write("audit-2.jsonl", text, size);
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_NONE);
    unlink(log_path("audit-1.jsonl"));
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_REMOVED);
}
END_TEST

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    Suite *suite = suite_create("audit tampering");
    TCase *tests = tcase_create("tamper");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, edited, 1, RECORDS + 1);
    tcase_add_loop_test(tests, edited_with_its_hash, 1, RECORDS + 1);
    tcase_add_loop_test(tests, removed, 1, RECORDS + 1);
    tcase_add_loop_test(tests, swapped, 1, RECORDS);
    tcase_add_loop_test(tests, truncated, 2, RECORDS + 1);
    tcase_add_loop_test(tests, head_damaged, 0, (int)(sizeof(heads) / sizeof(*heads)));
    tcase_add_test(tests, doubled);
    tcase_add_test(tests, only_the_last_line_end_cut);
    tcase_add_test(tests, head_gone);
    tcase_add_test(tests, log_gone);
    tcase_add_test(tests, junk_at_the_end);
    tcase_add_test(tests, last_one_edited);
    tcase_add_test(tests, machine_crashed);
    tcase_add_test(tests, no_crash_takes_what_was_synced);
    tcase_add_test(tests, old_files);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
