#include "tui/cli/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/file.h"
#include "tui/cli/script.h"

#define MESSAGE "Uncommitted work of the agent in "

/* The script's output: the commit's id in a line, then the pack. */
struct arrival {
    int fd;
    char line[GIT_ID_MAX];
    size_t length;
    bool known; /* the line has ended */
};

static int on_output(void *owner, const void *bytes, size_t size, struct bj_error *error)
{
    struct arrival *arrival = owner;
    const char *at = bytes;
    for (; size > 0 && !arrival->known; at++, size--) {
        if (*at == '\n')
            arrival->known = true;
        else if (arrival->length + 1 >= sizeof(arrival->line))
            return bj_fail(error, -EPROTO, "the sandbox does not name a commit");
        else
            arrival->line[arrival->length++] = *at;
    }
    int status = bj_file_write(arrival->fd, at, size);
    return status < 0 ? bj_fail(error, status, "cannot store the pack: %s", strerror(-status)) : 0;
}

/* Receives into `fd`, and rewinds it. */
static int receive(struct pack *pack, struct work *work, int fd, bool thin, uint64_t size_max,
                   struct bj_error *error)
{
    char message[128];
    struct arrival arrival = {.fd = fd};
    struct inside_end end;
    snprintf(message, sizeof(message), MESSAGE "%.64s", work->name);
    const char *const argv[] = {
        "sh",       "-c", script_pack, "git", pack->head, message, thin ? "thin" : "whole",
        work->name, NULL};
    struct inside_program program = {.argv = argv,
                                     .directory = WORK_INSIDE,
                                     .input = -1,
                                     .limit = size_max,
                                     .output = on_output,
                                     .owner = &arrival};
    if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return bj_fail(error, -errno, "cannot store the pack: %s", strerror(errno));
    int status = work_run(work, &program, &end, error);
    if (status == -EFBIG)
        return bj_fail(error, status,
                       "the work of %s is more than %" PRIu64 " MiB: give a greater "
                       "--max-size",
                       work->name, size_max >> 20);
    if (status == -EIO && end.status > 0)
        bj_fail(error, status, "git failed inside the sandbox: %.300s", end.text);
    if (status < 0)
        return status;
    pack->bytes = end.received;
    if (!arrival.known || !git_is_id(arrival.line))
        return bj_fail(error, -EPROTO, "the sandbox does not name a commit");
    memcpy(pack->commit, arrival.line, sizeof(arrival.line));
    return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int write_alternates(const struct pack *pack, const char *objects, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/objects/info", pack->repository);
    if (status < 0)
        return status;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return bj_fail(error, -errno, "cannot make %s: %s", path, strerror(errno));
    status = bj_path(path, sizeof(path), error, "%s/objects/info/alternates", pack->repository);
    FILE *out = status == 0 ? fopen(path, "we") : NULL;
    if (status == 0 && (!out || fprintf(out, "%s\n", objects) < 0))
        status = bj_fail(error, -errno, "cannot write %s: %s", path, strerror(errno));
    if (out && fclose(out) != 0 && status == 0)
        status = bj_fail(error, -errno, "cannot write %s: %s", path, strerror(errno));
    return status;
}

/* The user's repository as far as it is needed, and an empty one beside it. */
static int prepare(struct pack *pack, struct work *work, struct bj_error *error)
{
    char format[16], option[64], objects[BJ_PATH_MAX];
    struct git scratch = {.repository = work->scratch.path, .stop = &work_stop};
    pack->user =
        (struct git){.repository = work->project, .safe = work->project, .stop = &work_stop};
    if (git_line(&pack->user, GIT("rev-parse", "--show-object-format"), format, sizeof(format),
                 error) < 0 ||
        git_line(&pack->user, GIT("rev-parse", "--path-format=absolute", "--git-path", "objects"),
                 objects, sizeof(objects), error) < 0)
        return bj_fail_prefix(error, "cannot use your repository");
    int status = git_line(&pack->user, GIT("rev-parse", "-q", "--verify", "HEAD^{commit}"),
                          pack->head, sizeof(pack->head), error);
    if (status < 0 && status != -ENOENT)
        return status;
    snprintf(option, sizeof(option), "--object-format=%s", format);
    status =
        git_do(&scratch, -1, "cannot make a scratch repository",
               GIT("init", "--quiet", "--bare", "--template=", option, "repo.git"), NULL, error);
    if (status == 0)
        status = bj_path(pack->repository, sizeof(pack->repository), error, "%s/repo.git",
                         work->scratch.path);
    pack->scratch = (struct git){.repository = pack->repository, .stop = &work_stop};
    return status < 0 ? status : write_alternates(pack, objects, error);
}

/* Form, then that everything the commit needs is there. */
static int check(struct pack *pack, int fd, uint64_t size_max, struct bj_error *error)
{
    char limit[48], type[16], not [GIT_ID_MAX + 1];
    snprintf(limit, sizeof(limit), "--max-input-size=%" PRIu64, size_max);
    int status = git_do(&pack->scratch, fd, "git refuses what came from the sandbox",
                        GIT("index-pack", "--stdin", "--fix-thin", "--strict", limit), NULL, error);
    if (status < 0)
        return status;
    status =
        git_line(&pack->scratch, GIT("cat-file", "-t", pack->commit), type, sizeof(type), error);
    if (status < 0 || strcmp(type, "commit") != 0)
        return bj_fail(error, -EIO, "what the sandbox names is no commit in what it sent");
    snprintf(not, sizeof(not ), "^%s", pack->head);
    return git_do(&pack->scratch, -1, "what came from the sandbox is not whole",
                  GIT("rev-list", "--objects", "--quiet", pack->commit, pack->head[0] ? not : NULL),
                  NULL, error);
}

int pack_receive(struct pack *pack, struct work *work, uint64_t size_max, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    *pack = (struct pack){0};
    int status = work_scratch(work, error);
    if (status == 0)
        status = prepare(pack, work, error);
    if (status == 0)
        status = bj_path(path, sizeof(path), error, "%s/pack", work->scratch.path);
    if (status < 0)
        return status;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot make %s: %s", path, strerror(errno));
    bool refused = false;
    for (int thin = 1; thin >= 0; thin--) {
        status = receive(pack, work, fd, thin, size_max, error);
        refused = status == 0 && (status = check(pack, fd, size_max, error)) == -EIO;
        if (!refused)
            break;
    }
    close(fd);
    if (refused && error)
        error->code = -EPERM;
    return refused ? -EPERM : status;
}
