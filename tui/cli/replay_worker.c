#include "tui/cli/replay_worker.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seccomp.h>

#include "tui/cli/git.h"
#include "tui/cli/plain.h"

#define PIECE_MAX  (64U * 1024)        /* bytes in one WRITE */
#define ANSWER_MAX (64U * 1024 * 1024) /* bytes; the process is not believed */
#define CHANNEL    3                   /* the process's only descriptor */

enum task { TASK_WRITE, TASK_RESIZE, TASK_CELLS, TASK_TEXT };

struct order {
    uint32_t task;
    uint32_t rows, cols, all;
    uint32_t size; /* bytes that follow */
};

static int read_whole(int descriptor, void *out, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = read(descriptor, (char *)out + at, size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -EPIPE;
        at += (size_t)got;
    }
    return 0;
}

static int write_whole(int descriptor, const void *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t put = send(descriptor, (const char *)bytes + at, size - at, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return -EPIPE;
        at += (size_t)put;
    }
    return 0;
}

/* All that computing and answering takes. Memory can not be made executable. */
static const int allowed[] = {
    SCMP_SYS(read),        SCMP_SYS(sendto),    SCMP_SYS(brk),          SCMP_SYS(munmap),
    SCMP_SYS(mremap),      SCMP_SYS(madvise),   SCMP_SYS(futex),        SCMP_SYS(exit_group),
    SCMP_SYS(exit),        SCMP_SYS(getrandom), SCMP_SYS(rt_sigreturn), SCMP_SYS(clock_gettime),
    SCMP_SYS(sched_yield),
};

static bool lock_down(void)
{
    const struct rlimit none = {0, 0};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool done =
        filter && setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    for (size_t i = 0; done && i < sizeof(allowed) / sizeof(allowed[0]); i++)
        done = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    done = done && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
    done = done && seccomp_load(filter) == 0;
    if (filter)
        seccomp_release(filter);
    return done;
}

static bool carry_out(struct replay_screen *screen, const struct order *order, const char *bytes,
                      FILE *out)
{
    switch (order->task) {
    case TASK_WRITE:
        replay_screen_write(screen, bytes, order->size);
        return true;
    case TASK_RESIZE:
        replay_screen_resize(screen, order->rows, order->cols);
        return true;
    case TASK_CELLS:
        replay_screen_cells(screen, out, order->all);
        return true;
    case TASK_TEXT:
        replay_screen_text(screen, out);
        return true;
    default:
        return false;
    }
}

/* What the terminal sends to all its processes is the parent's business. */
static void leave_signals(void)
{
    static const int numbers[] = {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGWINCH, SIGCHLD, SIGCONT};
    sigset_t none;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        signal(numbers[i], SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The process: never returns. What it prints collects in a stream and goes with each answer. */
static void work(int channel, unsigned rows, unsigned cols, bool lines)
{
    static char bytes[PIECE_MAX];
    char *text = NULL;
    size_t size = 0;
    struct order order;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    leave_signals();
    if (channel != CHANNEL && dup2(channel, CHANNEL) < 0)
        _exit(1);
    for (int i = 0; i < CHANNEL; i++)
        close(i);
    if (syscall(SYS_close_range, CHANNEL + 1U, ~0U, 0) < 0)
        for (int i = CHANNEL + 1; i < 1024; i++)
            close(i);
    FILE *out = open_memstream(&text, &size);
    struct replay_screen *screen = out ? replay_screen_new(rows, cols, lines ? out : NULL) : NULL;
    if (!screen || !lock_down())
        _exit(1);
    while (read_whole(CHANNEL, &order, sizeof(order)) == 0) {
        if (order.size > sizeof(bytes) || read_whole(CHANNEL, bytes, order.size) < 0)
            break;
        rewind(out);
        if (!carry_out(screen, &order, bytes, out) || fflush(out) != 0)
            break;
        uint32_t count = (uint32_t)ftell(out);
        if (write_whole(CHANNEL, &count, sizeof(count)) < 0 ||
            write_whole(CHANNEL, text, count) < 0)
            break;
    }
    _exit(0);
}

int replay_worker_start(struct replay_worker *worker, unsigned rows, unsigned cols, bool lines,
                        struct bj_error *error)
{
    int ends[2];
    *worker = (struct replay_worker){.pid = -1, .channel = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return bj_fail(error, -errno, "cannot make a socket pair: %s", strerror(errno));
    fflush(NULL);
    worker->pid = git_fork(); /* no signal is taken in between */
    if (worker->pid == 0)
        work(ends[1], rows, cols, lines);
    close(ends[1]);
    if (worker->pid < 0) {
        close(ends[0]);
        return bj_fail(error, -errno, "cannot start a process: %s", strerror(errno));
    }
    worker->channel = ends[0];
    return 0;
}

void replay_worker_stop(struct replay_worker *worker)
{
    if (worker->channel >= 0)
        close(worker->channel);
    worker->channel = -1;
    while (worker->pid > 0 && waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    worker->pid = -1;
}

/* Sends an order, and gives the answer, which the caller frees. */
static int ask(struct replay_worker *worker, const struct order *what, const char *bytes,
               char **answer, uint32_t *size, struct bj_error *error)
{
    *answer = NULL;
    int status = write_whole(worker->channel, what, sizeof(*what));
    if (status == 0)
        status = write_whole(worker->channel, bytes, what->size);
    if (status == 0)
        status = read_whole(worker->channel, size, sizeof(*size));
    if (status == 0 && *size > ANSWER_MAX)
        status = -EPROTO;
    *answer = status == 0 ? malloc(*size + 1U) : NULL;
    if (status == 0 && !*answer)
        return bj_fail(error, -ENOMEM, "out of memory");
    if (status == 0)
        status = read_whole(worker->channel, *answer, *size);
    if (status == 0)
        return 0;
    free(*answer);
    *answer = NULL;
    return bj_fail(error, status,
                   "the process that shows the recording ended: the recording is damaged, or made "
                   "to do that");
}

static int order(struct replay_worker *worker, const struct order *what, const char *bytes,
                 FILE *out, struct bj_error *error)
{
    uint32_t size;
    char *answer;
    int status = ask(worker, what, bytes, &answer, &size, error);
    if (status == 0 && out)
        plain_write(out, answer, size, PLAIN_LINES);
    free(answer);
    return status;
}

int replay_worker_write(struct replay_worker *worker, const char *bytes, size_t size, FILE *lines,
                        struct bj_error *error)
{
    int status = 0;
    for (size_t at = 0; status == 0 && at < size;) {
        size_t piece = size - at < PIECE_MAX ? size - at : PIECE_MAX;
        const struct order what = {.task = TASK_WRITE, .size = (uint32_t)piece};
        status = order(worker, &what, bytes + at, lines, error);
        at += piece;
    }
    return status;
}

int replay_worker_resize(struct replay_worker *worker, unsigned rows, unsigned cols, FILE *lines,
                         struct bj_error *error)
{
    const struct order what = {.task = TASK_RESIZE, .rows = rows, .cols = cols};
    return order(worker, &what, NULL, lines, error);
}

static int read_cells(struct picture *picture, const char *at, size_t size)
{
    while (size > 0) {
        struct replay_cell cell;
        if (size < sizeof(cell))
            return -EPROTO;
        memcpy(&cell, at, sizeof(cell));
        if (cell.size > size - sizeof(cell))
            return -EPROTO;
        picture_set(picture, cell.row, cell.col, at + sizeof(cell), cell.size, cell.fg, cell.bg,
                    cell.flags);
        at += sizeof(cell) + cell.size;
        size -= sizeof(cell) + cell.size;
    }
    return 0;
}

static int read_frame(struct picture *picture, const char *answer, size_t size)
{
    struct replay_frame frame;
    if (size < sizeof(frame))
        return -EPROTO;
    memcpy(&frame, answer, sizeof(frame));
    if (frame.rows > PICTURE_ROWS_MAX || frame.cols > PICTURE_COLS_MAX)
        return -EPROTO;
    bool same = picture->rows == (int)frame.rows && picture->cols == (int)frame.cols;
    int status = same ? 0 : picture_resize(picture, (int)frame.rows, (int)frame.cols);
    if (status < 0)
        return status;
    picture->cursor_row = frame.cursor_row < frame.rows ? (int)frame.cursor_row : 0;
    picture->cursor_col = frame.cursor_col < frame.cols ? (int)frame.cursor_col : 0;
    picture->cursor_visible = frame.cursor_visible != 0;
    return read_cells(picture, answer + sizeof(frame), size - sizeof(frame));
}

int replay_worker_picture(struct replay_worker *worker, struct picture *picture,
                          struct bj_error *error)
{
    /* A screen that was resized marks all its rows; a new picture has none yet. */
    const struct order what = {.task = TASK_CELLS, .all = picture->rows == 0};
    uint32_t size;
    char *answer;
    int status = ask(worker, &what, NULL, &answer, &size, error);
    if (status < 0)
        return status;
    status = read_frame(picture, answer, size);
    free(answer);
    return status < 0 ? bj_fail(error, status,
                                "the process that reads the recording sent an invalid answer")
                      : 0;
}

int replay_worker_text(struct replay_worker *worker, FILE *out, struct bj_error *error)
{
    const struct order what = {.task = TASK_TEXT};
    return order(worker, &what, NULL, out, error);
}
