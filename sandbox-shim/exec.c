#include "sandbox-shim/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox-shim/spawn.h"

#define READ_SIZE    4096
#define READ_BATCHES 256 /* as much as a pipe can hold, then others get a turn */

struct command {
    char **argv; /* one block of memory, with the text behind it */
    char directory[1024 + 1];
};

/* Returns -EPROTO, -ENOMEM or 0; the caller frees argv. */
static int decode(struct command *command, const struct bj_message *message, struct bj_error *error)
{
    const struct bj_field *text = &message->field[BJ_EXEC_ARGV];
    const struct bj_field *directory = &message->field[BJ_EXEC_DIRECTORY];
    if (text->size < 2 || text->data[0] == '\0' || text->data[text->size - 1] != '\0')
        return bj_fail(error, -EPROTO, "EXEC without a program");
    if (directory->size >= sizeof(command->directory))
        return bj_fail(error, -EPROTO, "EXEC with a directory that is too long");
    command->directory[directory->size] = '\0';
    if (directory->size > 0) /* else it has no address */
        memcpy(command->directory, directory->data, directory->size);
    if (strlen(command->directory) != directory->size)
        return bj_fail(error, -EPROTO, "EXEC with a NUL in its directory");

    size_t count = 0;
    for (uint32_t i = 0; i < text->size; i++)
        count += text->data[i] == '\0';
    command->argv = malloc((count + 1) * sizeof(char *) + text->size);
    if (!command->argv)
        return bj_fail(error, -ENOMEM, "no memory for the program's arguments");
    char *at = (char *)(command->argv + count + 1);
    memcpy(at, text->data, text->size);
    for (size_t i = 0; i < count; i++) {
        command->argv[i] = at;
        at += strlen(at) + 1;
    }
    command->argv[count] = NULL;
    return 0;
}

/* In the child: its standard error is the monitor's reason, so a failure is told there. */
_Noreturn static void become(const struct spawn *spawn)
{
    enum spawn_step step = spawn_become(spawn);
    int number = errno;
    char text[EXEC_ERR_MAX];
    int size = snprintf(text, sizeof(text), "%.300s: %s: %s", spawn->argv[0], spawn_step_text(step),
                        strerror(number));
    ssize_t written = write(spawn->err, text, (size_t)size);
    _exit(written < 0 ? spawn_exit_code(EIO) : spawn_exit_code(number));
}

enum { THEIR_IN, OUR_IN, OUR_OUT, THEIR_OUT, OUR_ERR, THEIR_ERR, ENDS };

static void close_ends(int ends[ENDS])
{
    for (int i = 0; i < ENDS; i++) {
        if (ends[i] >= 0)
            close(ends[i]);
        ends[i] = -1;
    }
}

/* Only our ends are non-blocking: what the program expects of its own is not ours to change. */
static int open_ends(int ends[ENDS])
{
    for (int i = 0; i < ENDS; i++)
        ends[i] = -1;
    for (int i = 0; i < ENDS; i += 2)
        if (pipe2(ends + i, O_CLOEXEC) < 0)
            return -1;
    return fcntl(ends[OUR_IN], F_SETFL, O_NONBLOCK) < 0 ||
                   fcntl(ends[OUR_OUT], F_SETFL, O_NONBLOCK) < 0 ||
                   fcntl(ends[OUR_ERR], F_SETFL, O_NONBLOCK) < 0
               ? -1
               : 0;
}

int exec_start(struct exec **exec, const struct bj_message *message, uint64_t nproc, int *in,
               int *out, struct bj_error *error)
{
    int ends[ENDS] = {-1, -1, -1, -1, -1, -1};
    struct command command = {0};
    struct exec *new = NULL;
    int status = decode(&command, message, error);
    if (status < 0)
        return status;
    new = calloc(1, sizeof(*new));
    if (!new || open_ends(ends) < 0) {
        status = bj_fail(error, new ? -errno : -ENOMEM, "cannot start it: %s",
                         new ? strerror(errno) : "no memory");
        goto done;
    }
    struct spawn spawn = {.argv = command.argv,
                          .in = ends[THEIR_IN],
                          .out = ends[THEIR_OUT],
                          .err = ends[THEIR_ERR],
                          .directory = command.directory,
                          .nproc = nproc};
    new->pid = fork();
    if (new->pid == 0)
        become(&spawn);
    if (new->pid < 0) {
        status = bj_fail(error, -errno, "cannot start it: %s", strerror(errno));
        goto done;
    }
    *in = ends[OUR_IN];
    *out = ends[OUR_OUT];
    new->err_fd = ends[OUR_ERR];
    ends[OUR_IN] = ends[OUR_OUT] = ends[OUR_ERR] = -1;
    *exec = new;
    new = NULL;

done:
    close_ends(ends);
    free(new);
    free(command.argv);
    return status;
}

/* Itself first: before its setsid(2) there is no group, and afterwards it made no other. */
static void kill_group(pid_t pid)
{
    kill(pid, SIGKILL);
    kill(-pid, SIGKILL);
}

void exec_free(struct exec *exec)
{
    if (!exec)
        return;
    if (exec->pid > 1)
        kill_group(exec->pid);
    if (exec->err_fd >= 0)
        close(exec->err_fd);
    free(exec);
}

static void keep_err(struct exec *exec, const char *bytes, size_t size)
{
    if (size > EXEC_ERR_MAX) {
        bytes += size - EXEC_ERR_MAX;
        size = EXEC_ERR_MAX;
    }
    size_t over = exec->err_size + size > EXEC_ERR_MAX ? exec->err_size + size - EXEC_ERR_MAX : 0;
    memmove(exec->err, exec->err + over, exec->err_size - over);
    exec->err_size -= over;
    memcpy(exec->err + exec->err_size, bytes, size);
    exec->err_size += size;
}

void exec_read_err(struct exec *exec)
{
    char bytes[READ_SIZE];
    for (int i = 0; i < READ_BATCHES && exec->err_fd >= 0; i++) {
        ssize_t got = read(exec->err_fd, bytes, sizeof(bytes));
        if (got > 0) {
            keep_err(exec, bytes, (size_t)got);
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            close(exec->err_fd);
            exec->err_fd = -1;
        } else if (errno == EAGAIN) {
            break;
        }
    }
}

void exec_on_end(struct exec *exec, const siginfo_t *info)
{
    exec->status = info->si_code == CLD_EXITED ? info->si_status & 0xff : 128 + info->si_status;
    kill_group(exec->pid);
    exec->pid = 0;
}

size_t exec_reason(struct exec *exec, char reason[EXEC_REASON_MAX])
{
    exec_read_err(exec);
    size_t size = (size_t)snprintf(reason, EXEC_REASON_MAX, "%d ", exec->status);
    for (size_t i = 0; i < exec->err_size; i++) {
        char c = exec->err[i];
        if (c == '\n' || c == '\t')
            c = ' ';
        reason[size + i] = c < ' ' || c > '~' ? '?' : c;
    }
    size_t end = size + exec->err_size;
    while (end > size && reason[end - 1] == ' ')
        end--;
    return end;
}
