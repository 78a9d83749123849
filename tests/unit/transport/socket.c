#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/paths.h"
#include "transport/socket.h"

static char base[64];
static char path[96];

static void setup(void)
{
    snprintf(base, sizeof(base), "/tmp/bj-socket-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(path, sizeof(path), "%s/s", base);
}

static void teardown(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(base), 0);
}

START_TEST(listens_for_its_owner_only)
{
    umask(0);
    struct stat info;
    int fd = bj_socket_listen(path, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lstat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0600);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);

    int client = bj_socket_connect(path, NULL);
    ck_assert_int_ge(client, 0);
    ck_assert(fcntl(client, F_GETFD) & FD_CLOEXEC);
    ck_assert(fcntl(client, F_GETFL) & O_NONBLOCK);
    int peer = accept(fd, NULL, NULL);
    ck_assert_int_ge(peer, 0);

    pid_t pid;
    uid_t uid;
    gid_t gid;
    ck_assert_int_eq(bj_socket_peer(peer, &pid, &uid, &gid, NULL), 0);
    ck_assert_int_eq(pid, getpid());
    ck_assert_uint_eq(uid, geteuid());
    ck_assert_uint_eq(gid, getegid());
    ck_assert_int_eq(bj_socket_check_peer(peer, geteuid(), NULL), 0);
    close(client);
    close(peer);
    close(fd);
}
END_TEST

START_TEST(nobody_listens)
{
    struct bj_error error = {0};
    ck_assert_int_eq(bj_socket_connect(path, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, path));
    int fd = bj_socket_listen(path, NULL);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(bj_socket_connect(path, &error), -ECONNREFUSED);
}
END_TEST

START_TEST(stale_file_is_replaced)
{
    close(bj_socket_listen(path, NULL));
    int fd = bj_socket_listen(path, NULL);
    ck_assert_int_ge(fd, 0);
    close(bj_socket_connect(path, NULL));
    close(fd);
}
END_TEST

START_TEST(taken)
{
    struct bj_error error = {0};
    int fd = bj_socket_listen(path, NULL);
    ck_assert_int_eq(bj_socket_listen(path, &error), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(error.text, "already listens"));
    int client = bj_socket_connect(path, NULL); /* the first is unharmed */
    ck_assert_int_ge(client, 0);
    close(client);
    close(fd);
}
END_TEST

/* A listener whose backlog is full answers nobody, but is there: its file must not be taken. */
START_TEST(taken_by_a_busy_one)
{
    struct bj_error error = {0};
    int fd = bj_socket_listen(path, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(listen(fd, 0), 0);
    int clients[8];
    int count = 0;
    while (count < 8 && (clients[count] = bj_socket_connect(path, NULL)) >= 0)
        count++;
    ck_assert_int_lt(count, 8);
    ck_assert_int_eq(bj_socket_connect(path, NULL), -EAGAIN);
    ck_assert_int_eq(bj_socket_listen(path, &error), -EADDRINUSE);
    ck_assert_int_eq(access(path, F_OK), 0);
    while (count > 0)
        close(clients[--count]);
    close(fd);
}
END_TEST

START_TEST(not_a_socket)
{
    struct bj_error error = {0};
    close(open(path, O_CREAT | O_WRONLY, 0600));
    ck_assert_int_eq(bj_socket_listen(path, &error), -EEXIST);
    ck_assert_int_eq(access(path, F_OK), 0);
    unlink(path);
    /* A link to somebody's file is not followed and not removed. */
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    ck_assert_int_eq(bj_socket_listen(path, &error), -EEXIST);
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(path_lengths)
{
    struct bj_error error = {0};
    char longer[BJ_SOCKET_PATH_MAX + 2];
    memset(longer, 'x', sizeof(longer));
    memcpy(longer, base, strlen(base));
    longer[strlen(base)] = '/';
    longer[BJ_SOCKET_PATH_MAX + 1] = '\0';
    ck_assert_int_eq(bj_socket_listen(longer, &error), -ENAMETOOLONG);
    ck_assert_ptr_nonnull(strstr(error.text, "BELLJAR_RUNTIME_DIR"));
    ck_assert_int_eq(bj_socket_connect(longer, &error), -ENAMETOOLONG);
    longer[BJ_SOCKET_PATH_MAX] = '\0';
    int fd = bj_socket_listen(longer, &error);
    ck_assert_msg(fd >= 0, "%s", error.text);
    int client = bj_socket_connect(longer, &error);
    ck_assert_int_ge(client, 0);
    close(client);
    close(fd);
    unlink(longer);

    ck_assert_int_eq(bj_socket_listen("", NULL), -EINVAL);
    ck_assert_int_eq(bj_socket_connect("", NULL), -EINVAL);
}
END_TEST

START_TEST(no_directory)
{
    struct bj_error error = {0};
    ck_assert_int_eq(bj_socket_listen("/tmp/bj-not-here/x/s", &error), -ENOENT);
    ck_assert(error.text[0]);
}
END_TEST

START_TEST(another_user_is_refused)
{
    if (geteuid() != 0)
        return; /* only root can play another user */
    int fd = bj_socket_listen(path, NULL);
    ck_assert_int_eq(chmod(base, 0755), 0);
    /* The file's mode keeps him out ... */
    pid_t child = fork();
    if (child == 0)
        _exit(setuid(12345) == 0 && bj_socket_connect(path, NULL) == -EACCES ? 0 : 1);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    /* ... and where it would not, the check of the peer does. */
    ck_assert_int_eq(chmod(path, 0666), 0);
    child = fork();
    if (child == 0)
        _exit(setuid(12345) == 0 && bj_socket_connect(path, NULL) >= 0 ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    int peer = accept(fd, NULL, NULL);
    ck_assert_int_ge(peer, 0);
    struct bj_error error = {0};
    ck_assert_int_eq(bj_socket_check_peer(peer, 0, &error), -EPERM);
    ck_assert_ptr_nonnull(strstr(error.text, "12345"));
    ck_assert_int_eq(bj_socket_check_peer(peer, 12345, &error), 0);
    close(peer);
    close(fd);
}
END_TEST

START_TEST(peer_of_no_socket)
{
    struct bj_error error = {0};
    ck_assert_int_eq(bj_socket_check_peer(-1, 0, &error), -EBADF);
    ck_assert_int_eq(bj_socket_peer(STDERR_FILENO, NULL, NULL, NULL, &error) < 0, 1);
}
END_TEST

static int open_client(void)
{
    int fd = bj_socket_connect(path, NULL);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* Who comes then is hung up on: a loop on the listener would never sleep again. */
START_TEST(no_descriptor_is_left)
{
    struct rlimit limit;
    char byte;
    int listener = bj_socket_listen(path, NULL);
    int first = open_client(), refused[] = {open_client(), open_client()};
    int accepted = bj_socket_accept(listener);
    ck_assert_int_ge(accepted, 0);
    int next = dup(STDERR_FILENO);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit full = {(rlim_t)next, limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &full), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(bj_socket_accept(listener), -1);
        ck_assert_int_eq(read(refused[i], &byte, 1), 0);
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, 0), 0);
    int later = open_client(), again = bj_socket_accept(listener);
    ck_assert_int_ge(again, 0);
    ck_assert(fcntl(again, F_GETFD) & FD_CLOEXEC);
    const int all[] = {listener, first, accepted, later, again, refused[0], refused[1]};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        close(all[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("socket");
    TCase *cases = tcase_create("socket");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, listens_for_its_owner_only);
    tcase_add_test(cases, nobody_listens);
    tcase_add_test(cases, stale_file_is_replaced);
    tcase_add_test(cases, taken);
    tcase_add_test(cases, taken_by_a_busy_one);
    tcase_add_test(cases, not_a_socket);
    tcase_add_test(cases, path_lengths);
    tcase_add_test(cases, no_directory);
    tcase_add_test(cases, another_user_is_refused);
    tcase_add_test(cases, peer_of_no_socket);
    tcase_add_test(cases, no_descriptor_is_left);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
