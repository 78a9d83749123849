#include "tui/cli/push.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tui/cli/call.h"
#include "tui/cli/host_tar.h"
#include "tui/cli/report.h"
#include "tui/cli/script.h"
#include "tui/cli/work.h"

#define NOISE_MAX (64U * 1024) /* what tar may say on its standard output */

/* How the host's tar is called; the files are the user's own. Owners are the agent's, and no
 * attribute of the host goes along. */
static const char *const tar_words[] = {
    "tar",
    "--create",
    "--file=-",
    "--format=pax",
    "--owner=agent:1000",
    "--no-xattrs",
    "--no-acls",
    "--no-selinux",
    "--group=agent:1000",
    "--pax-option=delete=atime,delete=ctime",
};
#define TAR_WORDS (sizeof(tar_words) / sizeof(tar_words[0]))

struct parcel {
    char **words; /* of tar, with "-C DIRECTORY ./NAME" for each file; owned from TAR_WORDS on */
    size_t count;
};

static void parcel_free(struct parcel *parcel)
{
    for (size_t i = TAR_WORDS; i < parcel->count; i++)
        free(parcel->words[i]);
    free(parcel->words);
}

static int add(struct parcel *parcel, char *word)
{
    parcel->words[parcel->count++] = word;
    return word ? 0 : -ENOMEM;
}

static int add_file(struct parcel *parcel, const char *file, struct bj_error *error)
{
    struct stat info;
    char *member = NULL;
    if (lstat(file, &info) < 0)
        return bj_fail(error, -errno, "cannot push %.200s: %s", file, strerror(errno));
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
        return bj_fail(error, -EINVAL, "cannot push %.200s: it is %s", file,
                       S_ISLNK(info.st_mode) ? "a symbolic link: name the file itself"
                                             : "no file and no directory");
    char *path = realpath(file, NULL);
    char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash || !slash[1] || asprintf(&member, "./%s", slash + 1) < 0) {
        free(path);
        return bj_fail(error, -EINVAL, "cannot push %.200s: it has no name", file);
    }
    for (size_t i = TAR_WORDS + 2; i < parcel->count; i += 3)
        if (strcmp(parcel->words[i], member) == 0) {
            bj_fail(error, -EEXIST, "two of the files are called %.200s", member + 2);
            free(path);
            free(member);
            return -EEXIST;
        }
    slash[slash == path] = '\0'; /* the directory; "/" keeps its slash */
    int status = add(parcel, strdup("-C"));
    status = add(parcel, path) < 0 ? -ENOMEM : status;
    status = add(parcel, member) < 0 ? -ENOMEM : status;
    return status < 0 ? bj_fail(error, status, "out of memory") : 0;
}

static int pack(struct parcel *parcel, const char *const *files, size_t count,
                struct bj_error *error)
{
    parcel->words = calloc(TAR_WORDS + count * 3 + 1, sizeof(*parcel->words));
    if (!parcel->words)
        return bj_fail(error, -ENOMEM, "out of memory");
    for (size_t i = 0; i < TAR_WORDS; i++)
        parcel->words[parcel->count++] = (char *)tar_words[i];
    for (size_t i = 0; i < count; i++) {
        int status = add_file(parcel, files[i], error);
        if (status < 0)
            return status;
    }
    return 0;
}

/* Returns the end of the pipe that tar fills. */
static int start_tar(const struct parcel *parcel, pid_t *pid, struct bj_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return bj_fail(error, -errno, "cannot make a pipe: %s", strerror(errno));
    *pid = host_tar_start((const char *const *)parcel->words, ends[1], 0, error);
    close(ends[1]);
    if (*pid > 0)
        return ends[0];
    close(ends[0]);
    return (int)*pid;
}

static int end_tar(pid_t pid, int status, struct bj_error *error)
{
    int how;
    int waited = host_tar_wait(pid, &how, error);
    if (waited < 0)
        return waited;
    if (status < 0 || (WIFEXITED(how) && WEXITSTATUS(how) == 0))
        return status;
    if (WIFEXITED(how) && WEXITSTATUS(how) == 127)
        return bj_fail(error, -ENOENT, "tar is not installed here");
    return bj_fail(error, -EIO, "tar could not read all of the files (see above)");
}

static int drop(void *owner, const void *bytes, size_t size, struct bj_error *error)
{
    (void)owner;
    (void)bytes;
    (void)size;
    (void)error;
    return 0;
}

static int send_in(struct work *work, const struct parcel *parcel, const char *to,
                   struct bj_error *error)
{
    pid_t pid = -1;
    struct inside_end end;
    int input = start_tar(parcel, &pid, error);
    if (input < 0)
        return input;
    const char *const argv[] = {"sh", "-c", script_unpack, "tar", to, NULL};
    struct inside_program program = {
        .argv = argv, .directory = WORK_INSIDE, .input = input, .limit = NOISE_MAX, .output = drop};
    int status = work_run(work, &program, &end, error);
    if (status == -EIO && end.status > 0)
        bj_fail(error, status, "cannot unpack the files in %.200s: %.200s", to, end.text);
    close(input); /* tar gets SIGPIPE when it has not ended */
    work->bytes = end.sent;
    return end_tar(pid, status, error);
}

int push_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct parcel parcel = {0};
    struct work work;
    size_t count = args->word_count - 1;
    const char *to = args_set(args, "to") ? args_text(args, "to") : WORK_INSIDE;
    int status = pack(&parcel, args->words, count, &error);
    if (status == 0)
        status = work_open(&work, paths, args->words[count], "push", &error);
    if (status == 0) {
        snprintf(work.target, sizeof(work.target), "%s", to);
        work.files = count;
        status = work_close(&work, send_in(&work, &parcel, to, &error), &error);
    }
    parcel_free(&parcel);
    if (status < 0)
        return report_error(&error);
    call_line(stdout, "pushed %zu file%s to %s:%s", count, count == 1 ? "" : "s",
              args->words[count], to);
    return report_end();
}
