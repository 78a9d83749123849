/* No space: a record is there whole or not at all, and the log says that it cannot go on. */
#include "mux/audit/audit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/unit/audit/log.h"
#include "tests/unit/transport/suite.h"

static int try(struct audit *audit, struct bj_error *error)
{
    json_t *fields = json_pack("{s:s}", "text", "forty bytes or so, that is what is here.");
    int status = audit_append(audit, AUDIT_VERDICT, fields, error);
    json_decref(fields);
    return status;
}

START_TEST(size_limit)
{
    struct audit *audit = log_open(0, NULL);
    struct bj_error error = {0};
    struct stat before, after;
    struct rlimit limit = {2000, RLIM_INFINITY}, old;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    setrlimit(RLIMIT_FSIZE, &limit);
    int status, count = 0;
    while ((status = try(audit, &error)) == 0)
        count++;
    stat(log_path("audit.jsonl"), &before);
    for (int i = 0; i < 3; i++)
        ck_assert_int_lt(try(audit, &error), 0);
    stat(log_path("audit.jsonl"), &after);
    setrlimit(RLIMIT_FSIZE, &old);
    ck_assert_int_eq(status, -EFBIG);
    ck_assert_int_gt(count, 3);
    ck_assert(before.st_size == after.st_size);
    ck_assert_int_eq(audit_failed(audit, &error), -EFBIG);
    ck_assert_ptr_nonnull(strstr(error.text, "cannot write the audit log"));
    struct audit_verdict verdict = log_verify();
    ck_assert_msg(verdict.fault == AUDIT_FAULT_NONE && !verdict.unfinished, "%s", verdict.text);
    ck_assert_uint_eq(verdict.records, (unsigned)count);
    ck_assert_int_eq(try(audit, &error), 0); /* room again */
    ck_assert_int_eq(audit_failed(audit, NULL), 0);
    audit_close(audit);
    verdict = log_verify();
    ck_assert_int_eq(verdict.fault, AUDIT_FAULT_NONE);
    ck_assert_uint_eq(verdict.records, (unsigned)count + 1);
}
END_TEST

/* A real full disk: a tiny tmpfs in a mount namespace of the test's own. */
START_TEST(full_disk)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", dir, "tmpfs", 0, "size=64k,nr_inodes=32") < 0) {
        printf("full_disk needs root for a tmpfs of its own: not run\n");
        return;
    }
    struct audit *audit = log_open(_i ? 9000 : 0, NULL);
    struct bj_error error = {0};
    int status, count = 0;
    while ((status = try(audit, &error)) == 0 && count < 10000)
        count++;
    ck_assert_int_eq(status, -ENOSPC);
    ck_assert_ptr_nonnull(strstr(error.text, "free some space"));
    ck_assert_int_eq(audit_failed(audit, NULL), -ENOSPC);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(try(audit, &error), -ENOSPC);
        struct audit_verdict verdict = log_verify();
        ck_assert_msg(verdict.fault == AUDIT_FAULT_NONE && !verdict.unfinished, "%s", verdict.text);
        ck_assert_uint_eq(verdict.records, (unsigned)count);
    }
    audit_close(audit);
    /* A restart on the full disk does not lose or invent anything either. */
    struct audit_opened opened;
    struct audit_options options = {_i ? 9000 : 0, true};
    int again = audit_open(&audit, dir, &options, &opened, &error);
    ck_assert(again == 0 || again == -ENOSPC);
    if (again == 0) {
        ck_assert_int_eq(opened.state, AUDIT_CLEAN);
        audit_close(audit);
    }
    ck_assert_int_eq(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=1m"), 0);
    audit = log_open(_i ? 9000 : 0, &opened);
    ck_assert_msg(opened.state == AUDIT_CLEAN, "%s", opened.text);
    ck_assert_int_eq(try(audit, &error), 0);
    audit_close(audit);
    ck_assert_uint_eq(log_verify().records, (unsigned)count + 1);
    umount(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit disk");
    TCase *tests = tcase_create("disk");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, log_make, log_remove);
    tcase_add_test(tests, size_limit);
    tcase_add_loop_test(tests, full_disk, 0, 2);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
