/* The writer is killed at any moment; nothing that it was told is written gets lost. */
#include "mux/audit/audit.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "mux/audit/head.h"
#include "tests/unit/audit/log.h"
#include "tests/unit/transport/suite.h"

#define ROUNDS 20

/* Appends until it is killed; `done` is the seq that audit_append() has returned for. */
static void write_for_ever(volatile uint64_t *done)
{
    struct audit *audit;
    struct audit_options options = {3000, *done % 2 == 0};
    if (audit_open(&audit, dir, &options, NULL, NULL) < 0)
        _exit(1);
    for (int i = 1;; i++) {
        json_t *fields = json_pack("{s:i, s:s}", "number", i, "text", "some text of some length");
        if (audit_append(audit, i % 3 ? AUDIT_CONNECTION : AUDIT_VERDICT, fields, NULL) < 0)
            _exit(2);
        json_decref(fields);
        *done = audit_seq(audit);
    }
}

START_TEST(killed_again_and_again)
{
    unsigned seed = 9;
    uint64_t *done =
        mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(done, MAP_FAILED);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = *(volatile uint64_t *)done;
        uint64_t wanted = before + 1 + (uint64_t)(rand_r(&seed) % 30);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            write_for_ever(done);
        int status;
        while (*(volatile uint64_t *)done < wanted)
            ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFSIGNALED(status), "the writer ended with %d", WEXITSTATUS(status));

        /* Unbroken before anybody repairs, at most one record more than was promised. */
        struct audit_verdict verdict = log_verify();
        ck_assert_msg(verdict.fault == AUDIT_FAULT_NONE, "round %d: %s", round, verdict.text);
        ck_assert_uint_ge(verdict.records, *done);
        ck_assert_uint_le(verdict.records, *done + 1);
        struct audit_opened opened;
        audit_close(log_open(3000, &opened));
        ck_assert_msg(opened.state == AUDIT_CLEAN || opened.state == AUDIT_CAUGHT_UP ||
                          opened.state == AUDIT_REPAIRED,
                      "round %d: %s", round, opened.text);
        verdict = log_verify();
        ck_assert_int_eq(verdict.fault, AUDIT_FAULT_NONE);
        ck_assert(!verdict.unfinished);
        *done = verdict.records;
    }
    munmap(done, sizeof(*done));
}
END_TEST

/* Killed between the record and the head: the head is set back to what it was. */
START_TEST(head_behind)
{
    size_t size;
    log_fill(5, 0);
    char *head = log_read("audit.head", &size);
    struct audit *audit = log_open(0, NULL);
    log_add(audit, 6);
    audit_close(audit);
    log_write("audit.head", head, size);
    free(head);
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_NONE);
    struct audit_opened opened;
    audit = log_open(0, &opened);
    ck_assert_int_eq(opened.state, AUDIT_CAUGHT_UP);
    ck_assert_uint_eq(audit_seq(audit), 6);
    log_add(audit, 7);
    audit_close(audit);
    ck_assert_uint_eq(log_verify().records, 7);
}
END_TEST

/* The very first record: the head says that there is none yet. */
START_TEST(head_behind_at_the_start)
{
    size_t size;
    audit_close(log_open(0, NULL));
    char *head = log_read("audit.head", &size);
    log_fill(1, 0);
    log_write("audit.head", head, size);
    struct audit_opened opened;
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_CAUGHT_UP);
    log_fill(1, 0);
    log_write("audit.head", head,
              size); /* two records more than the head knows: no crash does that */
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
    free(head);
}
END_TEST

START_TEST(half_a_line)
{
    size_t size;
    log_fill(_i == 0 ? 0 : 5, 0);
    char *text = log_read("audit.jsonl", &size);
    char *torn = malloc(size + 10);
    memcpy(torn, text, size);
    memcpy(torn + size, "{\"a\":\"half", 10);
    log_write("audit.jsonl", torn, size + 10);
    struct audit_verdict verdict = log_verify();
    ck_assert_int_eq(verdict.fault, AUDIT_FAULT_NONE);
    ck_assert(verdict.unfinished);
    struct audit_opened opened;
    struct audit *audit = log_open(0, &opened);
    ck_assert_int_eq(opened.state, AUDIT_REPAIRED);
    ck_assert_ptr_nonnull(strstr(opened.text, "10 bytes"));
    audit_close(audit);
    verdict = log_verify();
    ck_assert_int_eq(verdict.fault, AUDIT_FAULT_NONE);
    ck_assert(!verdict.unfinished);
    ck_assert_uint_eq(verdict.gaps, 1);
    free(text);
    free(torn);
    text = log_read("audit-torn-1", &size);
    ck_assert_str_eq(text, "{\"a\":\"half");
    free(text);

    struct audit_reader *reader;
    struct audit_record record;
    struct audit_filter filter = {.kinds = 1ULL << AUDIT_GAP};
    ck_assert_int_eq(audit_read_open(&reader, dir, &filter, NULL), 0);
    ck_assert_int_eq(audit_read_next(reader, &record, NULL), 1);
    ck_assert_str_eq(json_string_value(json_object_get(record.json, "cause")), "torn");
    ck_assert_str_eq(json_string_value(json_object_get(record.json, "aside")), "audit-torn-1");
    audit_record_free(&record);
    audit_read_close(reader);
}
END_TEST

/* Killed in the middle of a rotation: after the first rename, and before the first record behind
 * it. */
START_TEST(rotation_cut_short)
{
    struct audit_opened opened;
    log_fill(5, 0);
    ck_assert_int_eq(rename(log_path("audit.jsonl"), log_path("audit-1.jsonl")), 0);
    if (_i == 1)
        log_write("audit.jsonl", "", 0);
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_NONE);
    struct audit *audit = log_open(0, &opened);
    ck_assert_msg(opened.state == AUDIT_CLEAN, "%s", opened.text);
    for (int again = 0; again < 2; again++) { /* and again before the next record */
        audit_close(audit);
        audit = log_open(0, &opened);
        ck_assert_msg(opened.state == AUDIT_CLEAN, "%s", opened.text);
    }
    log_add(audit, 6);
    audit_close(audit);
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_CLEAN);
    ck_assert_uint_eq(log_verify().records, 6);
}
END_TEST

/* The same, and the record behind it got no head any more. */
START_TEST(rotation_then_head_behind)
{
    struct audit_opened opened;
    size_t size;
    log_fill(5, 0);
    char *head = log_read("audit.head", &size);
    log_fill(1, 10); /* turns over first */
    ck_assert_int_eq(access(log_path("audit-1.jsonl"), F_OK), 0);
    log_write("audit.head", head, size);
    free(head);
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_NONE);
    audit_close(log_open(0, &opened));
    ck_assert_int_eq(opened.state, AUDIT_CAUGHT_UP);
    ck_assert_uint_eq(log_verify().records, 6);
}
END_TEST

/* A log longer than what is looked at when it is opened. */
START_TEST(long_log)
{
    struct audit_opened opened;
    log_fill(600, 0);
    struct audit *audit = log_open(0, &opened);
    ck_assert_int_eq(opened.state, AUDIT_CLEAN);
    ck_assert_uint_eq(audit_seq(audit), 600);
    audit_close(audit);
    size_t size;
    char *text = log_read("audit.jsonl", &size);
    ck_assert_uint_gt(size, 2 * AUDIT_LINE_MAX);
    log_write("audit.jsonl", text, size / 4); /* cut far before */
    free(text);
    audit = log_open(0, &opened);
    ck_assert_int_eq(opened.state, AUDIT_TAMPERED);
    ck_assert_uint_eq(audit_seq(audit), 601);
    audit_close(audit);
    ck_assert_int_eq(log_verify().fault, AUDIT_FAULT_GAP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit crashes");
    TCase *tests = tcase_create("crash");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, log_make, log_remove);
    tcase_add_test(tests, killed_again_and_again);
    tcase_add_test(tests, head_behind);
    tcase_add_test(tests, head_behind_at_the_start);
    tcase_add_loop_test(tests, half_a_line, 0, 2);
    tcase_add_loop_test(tests, rotation_cut_short, 0, 2);
    tcase_add_test(tests, rotation_then_head_behind);
    tcase_add_test(tests, long_log);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
