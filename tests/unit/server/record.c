#include "mux/server/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/server/suite.h"
#include "transport/file.h"

static void fill(struct record *record)
{
    static const char *const argv[] = {"sh", "-c", "echo \"h\xc3\xa4\"\n"};
    *record = (struct record){.created = 1700000000.25,
                              .rows = 40,
                              .cols = 120,
                              .scrollback = 5000,
                              .record_limit = 1ULL << 40,
                              .limits = {1ULL << 33, 1500, 64},
                              .uid = 1900000001,
                              .gid = 1900000001,
                              .init = {4242, 1ULL << 40},
                              .outer = {4241, 12345},
                              .monitor = {4240, 12344},
                              .egress = {4239, 12343},
                              .quotas = {1ULL << 30, 1ULL << 29, 3600, 86400},
                              .state = SANDBOX_PAUSED,
                              .has_exit = true,
                              .exit_code = 3,
                              .exit_signal = 15};
    strcpy(record->id, "abcdefgh");
    strcpy(record->name, "one");
    strcpy(record->driver, "bwrap");
    strcpy(record->session, "main");
    strcpy(record->boot_id, "boot");
    strcpy(record->cgroup, "/sys/fs/cgroup/belljar/abcdefgh");
    strcpy(record->error, "why");
    record->project = strdup("/some/where");
    record->agent = strdup("claude");
    record->policy = strdup("/some/policy.conf");
    ck_assert_int_eq(record_set_argv(record, argv, 3), 0);
    ck_assert_int_eq(record_set_arguments(record, argv + 1, 1), 0);
    static const char *const env[] = {"TOKEN=secret=", "EMPTY=", "NONE", NULL};
    ck_assert_int_eq(record_set_variables(record, env), 0);
}

static void same_process(const struct process_id *one, const struct process_id *other)
{
    ck_assert_int_eq(one->pid, other->pid);
    ck_assert_uint_eq(one->start, other->start);
}

START_TEST(round_trip)
{
    char directory[SUITE_PATH_MAX];
    struct record record, back;
    struct bj_error error;
    suite_directory(directory);
    fill(&record);
    ck_assert_int_eq(record_save(&record, directory, &error), 0);
    ck_assert_int_eq(record_save(&record, directory, &error), 0); /* over the old one */
    ck_assert_int_eq(record_load(&back, directory, &error), 0);
    ck_assert_str_eq(back.id, record.id);
    ck_assert_str_eq(back.name, record.name);
    ck_assert_str_eq(back.argv[2], record.argv[2]);
    ck_assert_ptr_null(back.argv[3]);
    ck_assert_str_eq(back.arguments[0], "-c");
    ck_assert_ptr_null(back.arguments[1]);
    ck_assert_str_eq(back.variables[0], "TOKEN"); /* no value is kept */
    ck_assert_str_eq(back.variables[1], "EMPTY");
    ck_assert_str_eq(back.variables[2], "NONE");
    ck_assert_ptr_null(back.variables[3]);
    ck_assert_str_eq(back.project, record.project);
    ck_assert_str_eq(back.agent, record.agent);
    ck_assert_str_eq(back.policy, record.policy);
    ck_assert_str_eq(back.driver, record.driver);
    ck_assert_str_eq(back.session, record.session);
    ck_assert_str_eq(back.boot_id, record.boot_id);
    ck_assert_str_eq(back.cgroup, record.cgroup);
    ck_assert_str_eq(back.error, "why");
    ck_assert_double_eq(back.created, record.created);
    ck_assert_uint_eq(back.rows, record.rows);
    ck_assert_uint_eq(back.cols, record.cols);
    ck_assert_uint_eq(back.scrollback, record.scrollback);
    ck_assert_uint_eq(back.record_limit, record.record_limit);
    ck_assert_mem_eq(&back.limits, &record.limits, sizeof(back.limits));
    ck_assert_mem_eq(&back.quotas, &record.quotas, sizeof(back.quotas));
    ck_assert_uint_eq(back.uid, record.uid);
    ck_assert_uint_eq(back.gid, record.gid);
    same_process(&back.init, &record.init);
    same_process(&back.outer, &record.outer);
    same_process(&back.monitor, &record.monitor);
    same_process(&back.egress, &record.egress);
    ck_assert_int_eq(back.state, SANDBOX_PAUSED);
    ck_assert(back.has_exit);
    ck_assert_int_eq(back.exit_code, 3);
    ck_assert_int_eq(back.exit_signal, 15);
    char path[SUITE_PATH_MAX + 32];
    struct stat info;
    snprintf(path, sizeof(path), "%s/sandbox.json", directory);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    snprintf(path, sizeof(path), "%s/sandbox.json.new", directory);
    ck_assert_int_ne(access(path, F_OK), 0);
    record_free(&record);
    record_free(&back);
    suite_remove(directory);
}
END_TEST

static int load_text(const char *directory, const char *text, struct bj_error *error)
{
    char path[SUITE_PATH_MAX + 32];
    struct record record;
    snprintf(path, sizeof(path), "%s/sandbox.json", directory);
    ck_assert_int_eq(bj_file_replace(path, text, strlen(text), false, error), 0);
    int status = record_load(&record, directory, error);
    if (status == 0)
        record_free(&record);
    return status;
}

START_TEST(broken_ones_are_refused)
{
    char directory[SUITE_PATH_MAX];
    struct record record;
    struct bj_error error;
    suite_directory(directory);
    ck_assert_int_eq(record_load(&record, directory, &error), -ENOENT);
    ck_assert_int_eq(load_text(directory, "", &error), -EINVAL);
    ck_assert_int_eq(load_text(directory, "{\"version\": 1,\n \"id\"", &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "line 2"));
    ck_assert_int_eq(load_text(directory, "[]", &error), -EINVAL);
    ck_assert_int_eq(
        load_text(directory, "{\"version\": 1, \"id\": \"../../..\", \"name\": \"a\"}", &error),
        -EINVAL);
    ck_assert_int_eq(
        load_text(directory,
                  "{\"version\": 1, \"id\": \"abcdefgh\", \"name\": \"a\", \"argv\": [1]}", &error),
        -EINVAL);
    ck_assert_int_eq(
        load_text(directory,
                  "{\"version\": 9, \"id\": \"abcdefgh\", \"name\": \"a\", \"argv\": [\"a\"]}",
                  &error),
        -EINVAL);
    ck_assert_int_eq(
        load_text(directory,
                  "{\"version\": 1, \"id\": \"abcdefgh\", \"name\": \"a\", \"argv\": [\"a\"]}",
                  &error),
        0);
    suite_remove(directory);
}
END_TEST

START_TEST(no_utf8_is_an_error_not_a_loss)
{
    char directory[SUITE_PATH_MAX];
    struct record record, back;
    struct bj_error error;
    static const char *const argv[] = {"echo", "\xff\xfe"};
    suite_directory(directory);
    fill(&record);
    ck_assert_int_eq(record_save(&record, directory, &error), 0);
    for (char **at = record.argv; *at; at++)
        free(*at);
    free(record.argv);
    ck_assert_int_eq(record_set_argv(&record, argv, 2), 0);
    ck_assert_int_eq(record_save(&record, directory, &error), -EINVAL);
    ck_assert_int_eq(record_load(&back, directory, &error), 0); /* the old one is still whole */
    ck_assert_str_eq(back.argv[0], "sh");
    record_free(&record);
    record_free(&back);
    suite_remove(directory);
}
END_TEST

START_TEST(cannot_be_written)
{
    struct record record;
    struct bj_error error;
    fill(&record);
    ck_assert_int_eq(record_save(&record, "/nonexistent/directory", &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "cannot write"));
    record_free(&record);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {round_trip, broken_ones_are_refused,
                                  no_utf8_is_an_error_not_a_loss, cannot_be_written, NULL};
    return suite_run("record", cases);
}
