#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/socket.h"
#include "tui/connect.h"

static char base[64];
static struct bj_paths paths;
static struct bj_error error;

static void setup(void)
{
    snprintf(base, sizeof(base), "/tmp/bj-connect-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    paths = (struct bj_paths){0};
    error = (struct bj_error){0};
    snprintf(paths.runtime, sizeof(paths.runtime), "%s/run", base);
    snprintf(paths.state, sizeof(paths.state), "%s/state", base);
    snprintf(paths.libexec, sizeof(paths.libexec), "%s", base);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", base);
    ck_assert_int_eq(system(command), 0);
}

/* Puts a script in the place of belljar-server. */
static void install_server(const char *script)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/belljar-server", base);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(script, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0700), 0);
}

static void says(const char *part)
{
    ck_assert_msg(strstr(error.text, part) != NULL, "'%s' lacks '%s'", error.text, part);
}

START_TEST(none_runs)
{
    ck_assert_int_eq(connect_server(&paths, false, &error), -ECONNREFUSED);
    says("no server runs in");
    ck_assert_int_ne(access(paths.runtime, F_OK), 0); /* looking makes nothing */
}
END_TEST

START_TEST(program_missing)
{
    ck_assert_int_eq(connect_server(&paths, true, &error), -ENOENT);
    says("cannot start the server");
    says("belljar-server");
}
END_TEST

START_TEST(program_cannot_be_executed)
{
    install_server("#!/no/such/interpreter\n");
    ck_assert_int_eq(connect_server(&paths, true, &error), -ENOENT);
    says("cannot start the server");
}
END_TEST

START_TEST(server_fails)
{
    install_server("#!/bin/sh\necho first >&2; echo 'the reason why' >&2; exit 1\n");
    ck_assert_int_lt(connect_server(&paths, true, &error), 0);
    says("ended at once: the reason why");
    says("server.log");
}
END_TEST

/* The server must not hold what its starter had open, nor its terminal or session. */
START_TEST(server_inherits_nothing)
{
    char script[512], path[128], text[256] = "";
    snprintf(script, sizeof(script),
             "#!/bin/sh\ncd /proc/self/fd && echo * >'%s/fds'\n"
             "exit 1\n",
             base);
    install_server(script);
    ck_assert_int_ge(dup2(STDERR_FILENO, 77), 0); /* left open on purpose */
    ck_assert_int_lt(connect_server(&paths, true, &error), 0);
    close(77);
    snprintf(path, sizeof(path), "%s/fds", base);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
    fclose(file);
    ck_assert_ptr_null(strstr(text, "77"));
}
END_TEST

START_TEST(path_too_long)
{
    memset(paths.runtime, 'x', 120);
    paths.runtime[0] = '/';
    paths.runtime[120] = '\0';
    ck_assert_int_eq(connect_server(&paths, false, &error), -ENAMETOOLONG);
    says("choose a shorter one with BELLJAR_RUNTIME_DIR");
}
END_TEST

START_TEST(runtime_of_someone_else)
{
    if (geteuid() != 0)
        return; /* only root can make such a directory */
    ck_assert_int_eq(mkdir(paths.runtime, 0700), 0);
    ck_assert_int_eq(chown(paths.runtime, 12345, 12345), 0);
    ck_assert_int_eq(connect_server(&paths, _i != 0, &error), -EPERM);
    says("belongs to user 12345");
}
END_TEST

START_TEST(runtime_open_to_others)
{
    ck_assert_int_eq(mkdir(paths.runtime, 0700), 0);
    ck_assert_int_eq(chmod(paths.runtime, 0755), 0);
    ck_assert_int_eq(connect_server(&paths, _i != 0, &error), -EPERM);
    says("open to other users");
}
END_TEST

START_TEST(runtime_is_a_link)
{
    ck_assert_int_eq(symlink("/tmp", paths.runtime), 0);
    ck_assert_int_eq(connect_server(&paths, _i != 0, &error), -ENOTDIR);
    says("not a directory");
}
END_TEST

START_TEST(a_running_server_is_used)
{
    char path[128];
    ck_assert_int_eq(bj_paths_prepare(&paths, &error), 0);
    snprintf(path, sizeof(path), "%s/run/server.sock", base);
    int listener = bj_socket_listen(path, &error);
    ck_assert_int_ge(listener, 0);
    int descriptor = connect_server(&paths, _i != 0, &error);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    close(listener);
    /* A socket file that nobody listens at is no server. */
    ck_assert_int_eq(connect_server(&paths, false, &error), -ECONNREFUSED);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("connect");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, none_runs);
    tcase_add_test(tests, program_missing);
    tcase_add_test(tests, program_cannot_be_executed);
    tcase_add_test(tests, server_fails);
    tcase_add_test(tests, server_inherits_nothing);
    tcase_add_test(tests, path_too_long);
    tcase_add_loop_test(tests, runtime_of_someone_else, 0, 2);
    tcase_add_loop_test(tests, runtime_open_to_others, 0, 2);
    tcase_add_loop_test(tests, runtime_is_a_link, 0, 2);
    tcase_add_loop_test(tests, a_running_server_is_used, 0, 2);
    return run_suite("connect", tests);
}
