#include "tests/unit/shim/double.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>
#include <msgpack.h>

#define PATIENCE 30000 /* ms: only a failing test waits so long */

const char *const *double_options;

static char base[128];

static const char *shim_path(void)
{
    const char *path = getenv("BELLJAR_TEST_SHIM");
    ck_assert_ptr_nonnull(path);
    return path;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    return remove(path);
}

void double_base_make(void)
{
    snprintf(base, sizeof(base), "%s", "/tmp/belljar-shim-test.XXXXXX");
    if (!mkdtemp(base))
        exit(99);
}

void double_base_remove(void)
{
    nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void wait_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    ck_assert_msg(poll(&poll_fd, 1, PATIENCE) == 1, "nothing came");
}

int double_wait(pid_t pid)
{
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static const char *const wall_args[] = {"bwrap",
                                        "--unshare-user",
                                        "--uid",
                                        "1000",
                                        "--gid",
                                        "1000",
                                        "--unshare-pid",
                                        "--unshare-net",
                                        "--unshare-ipc",
                                        "--ro-bind",
                                        "/",
                                        "/",
                                        "--dev",
                                        "/dev",
                                        "--proc",
                                        "/proc",
                                        "--cap-drop",
                                        "ALL",
                                        "--die-with-parent",
                                        "--as-pid-1"};
#define WALL_ARGS (sizeof(wall_args) / sizeof(wall_args[0]))

bool double_can_wall(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        const char *argv[WALL_ARGS + 2];
        memcpy(argv, wall_args, sizeof(wall_args));
        argv[WALL_ARGS] = "true";
        argv[WALL_ARGS + 1] = NULL;
        int null = open("/dev/null", O_RDWR);
        dup2(null, 2);
        execvp(argv[0], (char **)argv);
        _exit(1);
    }
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void double_listen_again(struct double_monitor *monitor)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/link.sock", monitor->dir);
    unlink(address.sun_path);
    monitor->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(monitor->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(monitor->listener, 8), 0);
}

void double_start(struct double_monitor *monitor, bool wall, const char *const argv[])
{
    *monitor = (struct double_monitor){.fd = -1};
    snprintf(monitor->dir, sizeof(monitor->dir), "%s/XXXXXX", base);
    ck_assert_ptr_nonnull(mkdtemp(monitor->dir));
    double_listen_again(monitor);

    char link[300], ask[300];
    snprintf(link, sizeof(link), "%s/link.sock", monitor->dir);
    snprintf(ask, sizeof(ask), "%s/ask.sock", monitor->dir);
    const char *all[64];
    size_t count = 0;
    for (size_t i = 0; wall && i < WALL_ARGS; i++) {
        if (i == WALL_ARGS - 1) {
            const char *counters = getenv("BELLJAR_TEST_COUNTERS");
            all[count++] = "--bind";
            all[count++] = monitor->dir;
            all[count++] = monitor->dir;
            if (counters) { /* coverage is written at the end */
                all[count++] = "--bind";
                all[count++] = counters;
                all[count++] = counters;
            }
        }
        all[count++] = wall_args[i];
    }
    const char *const init[] = {shim_path(), "init", "--link", link, "--ask", ask};
    for (size_t i = 0; i < sizeof(init) / sizeof(init[0]); i++)
        all[count++] = init[i];
    for (size_t i = 0; double_options && double_options[i]; i++)
        all[count++] = double_options[i];
    all[count++] = "--";
    for (size_t i = 0; argv[i]; i++)
        all[count++] = argv[i];
    all[count] = NULL;

    monitor->shim = fork();
    if (monitor->shim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("PATH", "/usr/bin:/bin", 1); /* none that this user may not search */
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        execvp(all[0], (char **)all);
        _exit(99);
    }
    ck_assert_int_gt(monitor->shim, 0);
}

void double_start_shell(struct double_monitor *monitor, bool wall, const char *script)
{
    double_start(monitor, wall, (const char *const[]){"sh", "-c", script, NULL});
}

void double_hang_up(struct double_monitor *monitor)
{
    if (monitor->fd >= 0)
        close(monitor->fd);
    monitor->fd = -1;
    monitor->size = monitor->start = 0;
    bj_frame_reset(&monitor->frame);
}

void double_accept(struct double_monitor *monitor, struct bj_message *hello)
{
    double_hang_up(monitor);
    wait_readable(monitor->listener);
    monitor->fd = accept4(monitor->listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(monitor->fd, 0);
    ck_assert(double_next(monitor, hello));
    ck_assert_int_eq(hello->type, BJ_HELLO);
    ck_assert_uint_eq(hello->field[BJ_HELLO_VERSION].u, BJ_PROTOCOL_VERSION);
    ck_assert_uint_eq(hello->field[BJ_HELLO_EPOCH].size, 16);
    monitor->in_next = hello->field[BJ_HELLO_IN_NEXT].u;
}

void double_welcome(struct double_monitor *monitor, uint64_t out_limit)
{
    double_send_uints(monitor, BJ_WELCOME, 0, 6,
                      (const uint64_t[]){BJ_PROTOCOL_VERSION, monitor->out_next, out_limit,
                                         monitor->in_next, 24, 80});
}

void double_connect(struct double_monitor *monitor)
{
    struct bj_message hello;
    double_accept(monitor, &hello);
    double_welcome(monitor, UINT64_MAX);
}

void double_send_raw(struct double_monitor *monitor, const void *bytes, size_t size)
{
    /* The shim may close while we still write. */
    while (size > 0) {
        ssize_t sent = send(monitor->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0)
            return;
        bytes = (const uint8_t *)bytes + sent;
        size -= (size_t)sent;
    }
}

void double_send(struct double_monitor *monitor, const struct bj_message *message)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    ck_assert_int_eq(bj_message_encode(message, &out), 0);
    double_send_raw(monitor, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
}

void double_send_uints(struct double_monitor *monitor, enum bj_message_type type, uint32_t channel,
                       size_t count, const uint64_t values[])
{
    struct bj_message message = {.type = type, .channel = channel};
    for (size_t i = 0; i < count; i++)
        message.field[i].u = values[i];
    double_send(monitor, &message);
}

void double_send_input(struct double_monitor *monitor, const void *bytes, size_t size)
{
    struct bj_message message = {.type = BJ_DATA, .channel = BJ_CHANNEL_PTY};
    message.field[BJ_DATA_OFFSET].u = monitor->in_next;
    message.field[BJ_DATA_BYTES].data = bytes;
    message.field[BJ_DATA_BYTES].size = (uint32_t)size;
    double_send(monitor, &message);
    monitor->in_next += size;
}

void double_ack(struct double_monitor *monitor)
{
    double_send_uints(monitor, BJ_ACK, BJ_CHANNEL_PTY, 1, &monitor->out_next);
}

static bool receive(struct double_monitor *monitor)
{
    memmove(monitor->bytes, monitor->bytes + monitor->start, monitor->size - monitor->start);
    monitor->size -= monitor->start;
    monitor->start = 0;
    wait_readable(monitor->fd);
    ssize_t got = recv(monitor->fd, monitor->bytes + monitor->size,
                       sizeof(monitor->bytes) - monitor->size, 0);
    if (got <= 0)
        return false;
    monitor->size += (size_t)got;
    return true;
}

bool double_next(struct double_monitor *monitor, struct bj_message *message)
{
    struct bj_error error = {0};
    size_t end;
    int whole;
    while ((whole = bj_frame_scan(&monitor->frame, &bj_frame_limits_link,
                                  monitor->bytes + monitor->start, monitor->size - monitor->start,
                                  &end, &error)) == 0)
        if (!receive(monitor))
            return false;
    ck_assert_msg(whole == 1, "frame: %s", error.text);
    bj_frame_reset(&monitor->frame);
    ck_assert_msg(
        bj_message_decode(message, BJ_SIDE_SHIM, monitor->bytes + monitor->start, end, &error) == 0,
        "message: %s", error.text);
    monitor->start += end;
    if (message->type == BJ_DATA && message->channel == BJ_CHANNEL_PTY) {
        ck_assert_uint_eq(message->field[BJ_DATA_OFFSET].u, monitor->out_next);
        ck_assert_uint_gt(message->field[BJ_DATA_BYTES].size, 0);
        monitor->out_next += message->field[BJ_DATA_BYTES].size;
    }
    return true;
}

void double_expect(struct double_monitor *monitor, enum bj_message_type type,
                   struct bj_message *message)
{
    for (;;) {
        ck_assert_msg(double_next(monitor, message), "the link ended before message %d", type);
        if (message->type == type && (type != BJ_DATA || message->channel == BJ_CHANNEL_PTY))
            return;
        ck_assert_msg(message->type == BJ_DATA || message->type == BJ_CREDIT ||
                          message->type == BJ_ACK || message->type == BJ_STARTED,
                      "message %d instead of %d", message->type, type);
    }
}

void double_expect_output(struct double_monitor *monitor, const char *text)
{
    static char seen[64 * 1024];
    size_t size = 0;
    struct bj_message message;
    do {
        double_expect(monitor, BJ_DATA, &message);
        const struct bj_field *bytes = &message.field[BJ_DATA_BYTES];
        ck_assert_uint_lt(size + bytes->size, sizeof(seen));
        memcpy(seen + size, bytes->data, bytes->size);
        size += bytes->size;
        seen[size] = '\0';
    } while (!memmem(seen, size, text, strlen(text)));
}

void double_take(struct double_monitor *monitor, uint64_t offset)
{
    struct bj_message message;
    while (monitor->out_next < offset) {
        double_expect(monitor, BJ_DATA, &message);
        double_ack(monitor);
    }
}

int double_finish(struct double_monitor *monitor, struct bj_message *exited)
{
    double_expect(monitor, BJ_EXITED, exited);
    double_ack(monitor);
    struct bj_message message;
    ck_assert_msg(!double_next(monitor, &message), "a message behind EXITED");
    double_hang_up(monitor);
    int code = double_wait(monitor->shim);
    monitor->shim = 0;
    return code;
}

void double_end(struct double_monitor *monitor)
{
    double_hang_up(monitor);
    if (monitor->shim > 0) {
        kill(monitor->shim, SIGTERM);
        double_wait(monitor->shim);
    }
    close(monitor->listener);
}

pid_t double_ask(struct double_monitor *monitor, const char *const argv[], int *err)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/ask.sock", monitor->dir);
    int out[2];
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    const char *all[32] = {shim_path(), "ask"};
    for (size_t i = 0; argv[i]; i++)
        all[2 + i] = argv[i];
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("BELLJAR_ASK_SOCKET", path, 1);
        dup2(out[1], 2);
        execv(all[0], (char **)all);
        _exit(99);
    }
    close(out[1]);
    *err = out[0];
    return pid;
}
