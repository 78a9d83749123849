#include "mux/server/project.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/file.h"
#include "transport/paths.h"

int project_check(const char *source, const char *state, struct bj_error *error)
{
    struct stat info;
    if (source[0] != '/')
        return bj_fail(error, -EINVAL, "project takes an absolute path, not %.200s", source);
    if (stat(source, &info) < 0)
        return bj_fail(error, -errno, "cannot look at the project %.200s: %s", source,
                       strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return bj_fail(error, -ENOTDIR, "the project %.200s is not a directory", source);
    if (access(source, R_OK | X_OK) < 0)
        return bj_fail(error, -errno, "cannot read the project %.200s: %s", source,
                       strerror(errno));
    char *real = realpath(source, NULL);
    char *real_state = realpath(state, NULL);
    size_t length = real ? strlen(real) : 0;
    bool inside = real && real_state && strncmp(real, real_state, length) == 0 &&
                  (real_state[length] == '/' || real_state[length] == '\0' || length == 1);
    free(real);
    free(real_state);
    return inside ? bj_fail(error, -EINVAL,
                            "the project %.200s contains Belljar's own state directory: choose a "
                            "directory below it, or move BELLJAR_STATE_DIR",
                            source)
                  : 0;
}

static bool has(const char *directory, const char *name)
{
    char path[BJ_PATH_MAX];
    return bj_path(path, sizeof(path), NULL, "%s/%s", directory, name) == 0 &&
           access(path, F_OK) == 0;
}

/* The top of a working tree, or a bare repository; a directory further down is copied. */
static bool is_repository(const char *source)
{
    return has(source, ".git") ||
           (has(source, "HEAD") && has(source, "objects") && has(source, "refs"));
}

/* Git for the clone sees this configuration instead of the user's and the system's: no templates,
 * no hooks, no filters, and it may read a repository that belongs to someone else. */
static int write_git_config(const char *path, const char *source, struct bj_error *error)
{
    char text[BJ_PATH_MAX * 3 + 256];
    char quoted[BJ_PATH_MAX + BJ_PATH_MAX / 4];
    size_t length = 0;
    for (const char *at = source; *at && length < sizeof(quoted) - 3; at++) {
        if (*at == '\n')
            return bj_fail(error, -EINVAL, "the project's path contains a line feed");
        if (*at == '"' || *at == '\\')
            quoted[length++] = '\\';
        quoted[length++] = *at;
    }
    quoted[length] = '\0';
    int size = snprintf(text, sizeof(text),
                        "[core]\n\thooksPath = /dev/null\n[safe]\n\tdirectory = \"%s\"\n"
                        "\tdirectory = \"%s/.git\"\n[advice]\n\tdetachedHead = false\n",
                        quoted, quoted);
    if (size < 0 || (size_t)size >= sizeof(text))
        return bj_fail(error, -ENAMETOOLONG, "the project's path is too long");
    return bj_file_replace(path, text, (size_t)size, false, error);
}

static void add_user(struct job *job, const char *source, const char *copy, const char *key)
{
    job_step(job, (const char *const[]){"git", "-C", source, "config", "--get", key, NULL});
    job_feeds_next(job);
    job_step(job, (const char *const[]){"git", "-C", copy, "config", key, NULL});
}

static void add_clone(struct job *job, const char *config, const char *source, const char *copy)
{
    char global[BJ_PATH_MAX + 32];
    char logs[BJ_PATH_MAX + 32];
    snprintf(global, sizeof(global), "GIT_CONFIG_GLOBAL=%s", config);
    snprintf(logs, sizeof(logs), "%s/.git/logs", copy);
    job_step(job, (const char *const[]){"env", global, "GIT_CONFIG_NOSYSTEM=1",
                                        "GIT_TERMINAL_PROMPT=0", "GIT_LFS_SKIP_SMUDGE=1", "git",
                                        "clone", "--quiet", "--no-hardlinks", "--dissociate",
                                        "--template=", "--", source, copy, NULL});
    job_step(job, (const char *const[]){"env", global, "GIT_CONFIG_NOSYSTEM=1", "git", "-C", copy,
                                        "remote", "remove", "origin", NULL});
    job_step(job, (const char *const[]){"rm", "-rf", "--", logs, NULL}); /* names the source */
    /* Where the agent began, for `belljar diff`; an empty repository has no such place. */
    job_step(job, (const char *const[]){"env", global, "GIT_CONFIG_NOSYSTEM=1", "git", "-C", copy,
                                        "rev-parse", "--verify", "--quiet", "HEAD", NULL});
    job_feeds_next(job);
    job_step(job, (const char *const[]){"env", global, "GIT_CONFIG_NOSYSTEM=1", "git", "-C", copy,
                                        "update-ref", "refs/belljar/start", NULL});
    add_user(job, source, copy, "user.name");
    add_user(job, source, copy, "user.email");
}

static int make_directory(const char *path, const struct project_plan *plan, struct bj_error *error)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return bj_fail(error, -errno, "cannot make %s: %s", path, strerror(errno));
    if (plan->change_owner && lchown(path, plan->uid, plan->gid) < 0)
        return bj_fail(error, -errno, "cannot give %s to user %u: %s", path, plan->uid,
                       strerror(errno));
    return 0;
}

static int start_copy(uv_loop_t *loop, const struct project_plan *plan, const char *copy,
                      struct job **job, job_done *done, void *owner, struct bj_error *error)
{
    char config[BJ_PATH_MAX];
    char from[BJ_PATH_MAX];
    char user[32];
    bool clone = is_repository(plan->source);
    int status = bj_path(config, sizeof(config), error, "%s/gitconfig", plan->directory);
    if (status == 0)
        status = bj_path(from, sizeof(from), error, "%s/.", plan->source);
    if (status == 0 && clone)
        status = write_git_config(config, plan->source, error);
    if (status < 0)
        return status;
    *job = job_new(loop, "copy the project", done, owner);
    if (!*job)
        return bj_fail(error, -ENOMEM, "out of memory");
    if (clone)
        add_clone(*job, config, plan->source, copy);
    else
        job_step(*job, (const char *const[]){"cp", "-a", "--reflink=auto", "--", from, copy, NULL});
    snprintf(user, sizeof(user), "%u:%u", plan->uid, plan->gid);
    if (plan->change_owner)
        job_step(*job, (const char *const[]){"chown", "-hR", user, "--", copy, NULL});
    status = job_start(*job, error);
    if (status < 0)
        *job = NULL;
    return status;
}

int project_prepare(uv_loop_t *loop, const struct project_plan *plan, struct job **job,
                    job_done *done, void *owner, struct bj_error *error)
{
    char home[BJ_PATH_MAX];
    char copy[BJ_PATH_MAX];
    int status = bj_path(home, sizeof(home), error, "%s/home", plan->directory);
    if (status == 0)
        status = bj_path(copy, sizeof(copy), error, "%s/project", plan->directory);
    if (status == 0)
        status = make_directory(home, plan, error);
    if (status < 0)
        return status;
    if (plan->source)
        return start_copy(loop, plan, copy, job, done, owner, error);
    status = make_directory(copy, plan, error);
    return status < 0 ? status : 1;
}

struct job *project_delete(uv_loop_t *loop, const char *directory, job_done *done, void *owner,
                           struct bj_error *error)
{
    struct job *job = job_new(loop, "delete the sandbox's files", done, owner);
    if (!job) {
        bj_fail(error, -ENOMEM, "out of memory");
        return NULL;
    }
    /* Directories that the agent made unwritable for itself, that is, for us when we are not root.
     */
    if (geteuid() != 0)
        job_step(job, (const char *const[]){"chmod", "-R", "-f", "u+rwX", "--", directory, NULL});
    job_step(job, (const char *const[]){"rm", "-rf", "--one-file-system", "--", directory, NULL});
    return job_start(job, error) < 0 ? NULL : job;
}
