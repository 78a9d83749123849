#include "tui/cli/git.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 96
#define SLICE_MS  500
#define DATA_MAX  ((rlim_t)4 << 30) /* bytes of memory of one git */

/* Given to every call, each behind -c. */
static const char *const settings[] = {
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.alternateRefsCommand=true", /* no names of other repositories: there are none */
    "core.bigFileThreshold=32m",      /* larger ones are hashed as they come, never held */
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "protocol.allow=never",
    "protocol.file.allow=always", /* from our scratch repository into the user's */
    "transfer.fsckObjects=true",
    "fetch.fsckObjects=true",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "fetch.showForcedUpdates=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
    "color.ui=false",
};

static const char *const environment[] = {
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_CONFIG_SYSTEM=/dev/null",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_ATTR_NOSYSTEM=1",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_ASKPASS=false",
    "GIT_PAGER=cat",
    "GIT_EDITOR=false",
    "GIT_NO_REPLACE_OBJECTS=1",
    "GIT_NO_LAZY_FETCH=1",
    "GIT_OPTIONAL_LOCKS=0",
    "GIT_LFS_SKIP_SMUDGE=1",
    "GIT_ALLOW_PROTOCOL=file",
    "GIT_FLUSH=1",
    "LC_ALL=C",
    "HOME=/nonexistent",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

int git_is_id(const char *text)
{
    size_t size = strspn(text, "0123456789abcdef");
    return (size == 40 || size == 64) && text[size] == '\0';
}

/* Between fork and exec our handlers must not run: a signal that they take would be lost. So all
 * are blocked, and the child has the default actions before it lets them in. */
pid_t git_fork(void)
{
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t pid = fork();
    if (pid != 0)
        sigprocmask(SIG_SETMASK, &old, NULL);
    return pid;
}

void git_child_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    sigset_t none;
    for (size_t i = 0; i < COUNT(numbers); i++)
        signal(numbers[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child. Nothing here returns. */
_Noreturn static void become(const struct git *git, const char *const *arguments, int in, int out,
                             int err)
{
    const char *words[WORDS_MAX] = {"git"};
    const char *variables[COUNT(environment) + 2] = {0};
    char path[4096 + 8], safe[4096 + 32];
    size_t count = 1;
    for (size_t i = 0; i < COUNT(settings); i++) {
        words[count++] = "-c";
        words[count++] = settings[i];
    }
    if (git->safe) {
        snprintf(safe, sizeof(safe), "safe.directory=%s", git->safe);
        words[count++] = "-c";
        words[count++] = safe;
    }
    words[count++] = "--no-pager";
    words[count++] = "-C";
    words[count++] = git->repository;
    while (*arguments && count < WORDS_MAX - 1)
        words[count++] = *arguments++;
    const char *search = getenv("PATH");
    snprintf(path, sizeof(path), "PATH=%s", search ? search : "/usr/local/bin:/usr/bin:/bin");
    for (size_t i = 0; i < COUNT(environment); i++)
        variables[i] = environment[i];
    variables[COUNT(environment)] = path;
    git_child_signals();
    /* An object is as large as it says, in few bytes of a pack: git must not take all the memory.
     */
    setrlimit(RLIMIT_DATA, &(struct rlimit){DATA_MAX, DATA_MAX});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (*arguments || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    execvpe("git", (char *const *)words, (char *const *)variables);
    _exit(errno == ENOENT ? 127 : 126);
}

static void keep_error(struct git_output *output, const char *bytes, size_t size)
{
    size_t length = strlen(output->error), room = sizeof(output->error) - 1;
    for (size_t i = 0; i < size && length < room; i++)
        output->error[length++] = bytes[i] == '\n'                     ? ' '
                                  : bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i]
                                                                       : '?';
    output->error[length] = '\0';
}

static int keep_text(struct git_output *output, size_t *capacity, const char *bytes, size_t size,
                     struct bj_error *error)
{
    if (size > GIT_OUTPUT_MAX - output->size)
        return bj_fail(error, -EFBIG, "git prints more than %zu MiB: there are too many files",
                       GIT_OUTPUT_MAX >> 20);
    if (*capacity - output->size <= size) {
        size_t larger = (*capacity + size) * 2;
        char *grown = realloc(output->text, larger);
        if (!grown)
            return bj_fail(error, -ENOMEM, "out of memory");
        output->text = grown;
        *capacity = larger;
    }
    memcpy(output->text + output->size, bytes, size);
    output->size += size;
    output->text[output->size] = '\0';
    return 0;
}

/* Reads both pipes until their ends. */
static int collect(const struct git *git, int out, int err, struct git_output *output,
                   struct bj_error *error)
{
    static char bytes[65536];
    struct pollfd polls[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    size_t capacity = 0;
    int status = keep_text(output, &capacity, "", 0, error);
    while (status == 0 && (polls[0].fd >= 0 || polls[1].fd >= 0)) {
        if (git->stop && *git->stop)
            return bj_fail(error, -EINTR, "interrupted");
        if (poll(polls, 2, SLICE_MS) <= 0)
            continue;
        for (int i = 0; status == 0 && i < 2; i++) {
            ssize_t got = polls[i].revents ? read(polls[i].fd, bytes, sizeof(bytes)) : -1;
            if (got > 0 && i == 0)
                status = keep_text(output, &capacity, bytes, (size_t)got, error);
            else if (got > 0)
                keep_error(output, bytes, (size_t)got);
            else if (polls[i].revents && (got == 0 || errno != EINTR))
                polls[i].fd = -1;
        }
    }
    return status;
}

int git_run(const struct git *git, int input, const char *const *arguments,
            struct git_output *output, struct bj_error *error)
{
    *output = (struct git_output){0};
    int out[2] = {-1, -1}, err[2] = {-1, -1}, wait_status;
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t pid = -1;
    if (in >= 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
        pid = git_fork();
    if (pid == 0)
        become(git, arguments, input >= 0 ? input : in, out[1], err[1]);
    int status = pid < 0 ? bj_fail(error, -errno, "cannot start git: %s", strerror(errno)) : 0;
    if (in >= 0)
        close(in);
    if (out[1] >= 0)
        close(out[1]);
    if (err[1] >= 0)
        close(err[1]);
    if (pid > 0) {
        status = collect(git, out[0], err[0], output, error);
        if (status < 0)
            kill(pid, SIGTERM); /* not SIGKILL: it removes its own temporary files */
    }
    if (out[0] >= 0)
        close(out[0]);
    if (err[0] >= 0)
        close(err[0]);
    while (pid > 0 && waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
        ;
    if (status == 0) {
        output->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128;
        if (output->status == 127)
            status = bj_fail(error, -ENOENT, "git is not installed here");
    }
    if (status < 0) {
        free(output->text);
        output->text = NULL;
    }
    return status;
}

int git_do(const struct git *git, int input, const char *what, const char *const *arguments,
           struct git_output *output, struct bj_error *error)
{
    struct git_output mine;
    int status = git_run(git, input, arguments, &mine, error);
    if (status == 0 && mine.status != 0) {
        status = bj_fail(error, -EIO, "%s: %.300s", what,
                         mine.error[0] ? mine.error : "git does not say why");
        free(mine.text);
    } else if (status == 0 && output) {
        *output = mine;
    } else if (status == 0) {
        free(mine.text);
    }
    return status;
}

int git_line(const struct git *git, const char *const *arguments, char *out, size_t size,
             struct bj_error *error)
{
    struct git_output output;
    out[0] = '\0';
    int status = git_run(git, -1, arguments, &output, error);
    if (status < 0)
        return status;
    size_t length = strcspn(output.text, "\n");
    if (output.status != 0 || length == 0)
        status = bj_fail(error, -ENOENT, "%.300s", output.error);
    else if (length >= size)
        status = bj_fail(error, -ENAMETOOLONG, "git's answer is too long");
    else
        snprintf(out, size, "%.*s", (int)length, output.text);
    free(output.text);
    return status;
}
