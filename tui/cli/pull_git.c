#include "tui/cli/pull_git.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/cli/pack.h"
#include "tui/cli/tree_check.h"

#define MODE_LINK    "120000"
#define MODE_GITLINK "160000"

/* Where the pull stands. */
struct pull {
    struct work *work;
    const struct pull_options *options;
    struct pulled *pulled;
    struct pack pack;
    char ref[256];
    char old[GIT_ID_MAX];  /* what the branch is now, "" when it is new */
    char base[GIT_ID_MAX]; /* what the agent's work is compared with */
};

static int prepare_branch(struct pull *pull, struct bj_error *error)
{
    const char *branch = pull->options->branch;
    struct git git = {.repository = pull->work->project, .safe = pull->work->project};
    struct git_output output;
    if (snprintf(pull->ref, sizeof(pull->ref), "refs/heads/%s", branch) >= (int)sizeof(pull->ref))
        return bj_fail(error, -EINVAL, "the branch's name is too long");
    int status = git_run(&git, -1, GIT("check-ref-format", pull->ref), &output, error);
    if (status < 0)
        return status;
    free(output.text);
    if (output.status != 0 || branch[0] == '-')
        return bj_fail(error, -EINVAL, "%.64s cannot be the name of a branch", branch);
    status = git_line(&git, GIT("rev-parse", "-q", "--verify", pull->ref), pull->old,
                      sizeof(pull->old), error);
    return status == -ENOENT ? 0 : status;
}

/* Whether `a` is reachable from `b`. */
static int is_ancestor(const struct git *git, const char *a, const char *b, bool *is,
                       struct bj_error *error)
{
    struct git_output output;
    int status = git_run(git, -1, GIT("merge-base", "--is-ancestor", a, b), &output, error);
    if (status == 0) {
        *is = output.status == 0;
        free(output.text);
    }
    return status;
}

/* What is not committed inside gets a commit at each pull: one that differs from the branch's only
 * in its time brings nothing new. */
static int is_same_work(const struct git *git, const char *a, const char *b, bool *is,
                        struct bj_error *error)
{
    char works[2][1024];
    int status =
        git_line(git, GIT("log", "-1", "--format=%T %P", a), works[0], sizeof(works[0]), error);
    if (status == 0)
        status =
            git_line(git, GIT("log", "-1", "--format=%T %P", b), works[1], sizeof(works[1]), error);
    *is = status == 0 && strcmp(works[0], works[1]) == 0;
    return status;
}

/* Nothing to take, nothing lost, and what to compare with. */
static int compare(struct pull *pull, struct bj_error *error)
{
    const struct pack *pack = &pull->pack;
    const struct git *git = &pack->scratch;
    bool is = false;
    int status = 0;
    if (pull->old[0])
        status = is_same_work(git, pack->commit, pull->old, &is, error);
    if (status == 0 && !is && pack->head[0])
        status = is_ancestor(git, pack->commit, pack->head, &is, error);
    if (status < 0)
        return status;
    pull->pulled->unchanged = is;
    if (!is && pull->old[0] && !pull->options->force) {
        status = is_ancestor(git, pull->old, pack->commit, &is, error);
        if (status == 0 && !is)
            status = bj_fail(error, -EEXIST,
                             "the branch %.64s is there and has other commits: --force replaces "
                             "it, --branch names another",
                             pull->options->branch);
        if (status < 0)
            return status;
    }
    status = pack->head[0] ? git_line(git, GIT("merge-base", pack->commit, pack->head), pull->base,
                                      sizeof(pull->base), error)
                           : -ENOENT;
    if (status == -ENOENT) /* nothing in common: everything is new */
        status = git_line(git, GIT("hash-object", "-t", "tree", "--stdin"), pull->base,
                          sizeof(pull->base), error);
    return status;
}

/* A symbolic link of the changed tree, whose target is still to be read. */
struct links {
    char **paths;
    size_t count, room;
    FILE *ids;
};

static int add_link(struct links *links, const char *path, const char *id, struct bj_error *error)
{
    if (links->count == links->room) {
        size_t room = links->room ? links->room * 2 : 64;
        char **grown = realloc(links->paths, room * sizeof(*grown));
        if (!grown)
            return bj_fail(error, -ENOMEM, "out of memory");
        links->paths = grown;
        links->room = room;
    }
    char *copy = strdup(path);
    if (!copy || fprintf(links->ids, "%s\n", id) < 0) {
        free(copy);
        return bj_fail(error, copy ? -EIO : -ENOMEM, "cannot keep the list of symbolic links");
    }
    links->paths[links->count++] = copy;
    return 0;
}

static void links_free(struct links *links)
{
    for (size_t i = 0; i < links->count; i++)
        free(links->paths[i]);
    free(links->paths);
    if (links->ids)
        fclose(links->ids);
}

/* One changed entry: its new mode and id, and its path. */
static int check_entry(struct pull *pull, struct links *links, const char *mode, const char *id,
                       const char *path, struct bj_error *error)
{
    char clean[TREE_PATH_MAX];
    struct bj_error why = {0};
    if (strcmp(mode, "000000") == 0) /* deleted: nothing comes out */
        return 0;
    if (tree_path(path, clean, &why) < 0)
        pulled_refused(pull->pulled, path, why.text);
    else if (tree_is_git(path))
        pulled_refused(pull->pulled, path, "git would run what is in it");
    else if (strcmp(mode, MODE_GITLINK) == 0 && !pull->options->submodules)
        pulled_refused(pull->pulled, path, "it is a link to a submodule: see --submodules");
    else if (strcmp(mode, MODE_LINK) == 0)
        return add_link(links, path, id, error);
    return 0;
}

/* ":OLDMODE NEWMODE OLDID NEWID STATUS" NUL PATH NUL, again and again. */
static int check_entries(struct pull *pull, struct links *links, char *text, size_t size,
                         struct bj_error *error)
{
    uint64_t count = 0;
    for (char *at = text, *end = text + size; at < end;) {
        char mode[8], id[GIT_ID_MAX];
        char *path = at + strlen(at) + 1;
        if (path >= end || sscanf(at, ":%*6s %6s %*64s %64s", mode, id) != 2)
            return bj_fail(error, -EIO, "git's list of changes is not understood");
        if (++count > pull->options->files_max)
            return bj_fail(error, -E2BIG,
                           "more than %" PRIu64 " files are changed: see "
                           "--max-files",
                           pull->options->files_max);
        int status = check_entry(pull, links, mode, id, path, error);
        if (status < 0)
            return status;
        at = path + strlen(path) + 1;
    }
    return 0;
}

/* "ID blob SIZE" LF BYTES LF, in the order asked. */
static int check_targets(struct pull *pull, const struct links *links, const char *text,
                         size_t size, struct bj_error *error)
{
    const char *at = text, *end = text + size;
    for (size_t i = 0; i < links->count; i++) {
        size_t length;
        char target[TREE_PATH_MAX];
        struct bj_error why = {0};
        const char *line = memchr(at, '\n', (size_t)(end - at));
        if (!line || sscanf(at, "%*64s blob %zu", &length) != 1 ||
            length >= (size_t)(end - line - 1))
            return bj_fail(error, -EIO, "git's list of symbolic links is not understood");
        at = line + 1;
        snprintf(target, sizeof(target), "%.*s",
                 (int)(length < sizeof(target) ? length : sizeof(target) - 1), at);
        if (length >= sizeof(target) || memchr(at, '\0', length))
            pulled_refused(pull->pulled, links->paths[i], "its target is no name");
        else if (tree_link(links->paths[i], target, &why) < 0)
            pulled_refused(pull->pulled, links->paths[i], why.text);
        else
            pulled_symlink(pull->pulled, links->paths[i], target);
        at += length + 1;
    }
    return 0;
}

static int read_targets(struct pull *pull, struct links *links, struct bj_error *error)
{
    struct git_output output;
    if (links->count == 0)
        return 0;
    if (fflush(links->ids) != 0 || lseek(fileno(links->ids), 0, SEEK_SET) < 0)
        return bj_fail(error, -errno, "cannot keep the list of symbolic links: %s",
                       strerror(errno));
    int status = git_do(&pull->pack.scratch, fileno(links->ids), "cannot read symbolic links",
                        GIT("cat-file", "--batch"), &output, error);
    if (status < 0)
        return status;
    status = check_targets(pull, links, output.text, output.size, error);
    free(output.text);
    return status;
}

/* Names, kinds and links of all that differs from the user's tree. */
static int check_tree(struct pull *pull, struct bj_error *error)
{
    struct links links = {0};
    struct git_output output;
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/links", pull->work->scratch.path);
    if (status < 0)
        return status;
    links.ids = fopen(path, "w+e");
    if (!links.ids)
        return bj_fail(error, -errno, "cannot make %s: %s", path, strerror(errno));
    status = git_do(&pull->pack.scratch, -1, "cannot compare",
                    GIT("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames",
                        "--no-ext-diff", pull->base, pull->pack.commit),
                    &output, error);
    if (status == 0) {
        status = check_entries(pull, &links, output.text, output.size, error);
        free(output.text);
    }
    if (status == 0)
        status = read_targets(pull, &links, error);
    links_free(&links);
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Splits at NULs, sorts, and drops what comes twice. Returns the number of names. */
static size_t split_names(char *text, size_t size, const char **names)
{
    size_t count = 0, kept = 0;
    for (char *at = text; at < text + size; at += strlen(at) + 1) {
        char *name = at + (*at == '\n');
        if (*name)
            names[count++] = name;
    }
    qsort(names, count, sizeof(*names), by_text);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(names[i], names[kept - 1]) != 0)
            names[kept++] = names[i];
    return kept;
}

static int ask_policy(struct pull *pull, char *text, size_t size, struct bj_error *error)
{
    const char **names = calloc(size / 2 + 1, sizeof(*names));
    size_t count = names ? split_names(text, size, names) : 0;
    bool *denied = calloc(count + 1, sizeof(*denied));
    int status = names && denied ? work_check(pull->work, names, count, denied, error)
                                 : bj_fail(error, -ENOMEM, "out of memory");
    for (size_t i = 0; status == 0 && i < count; i++)
        if (denied[i])
            pulled_refused(pull->pulled, names[i], "the policy does not let it out");
    free(names);
    free(denied);
    return status;
}

/* The paths of all new commits, since a file that was deleted again comes out as well. */
static int check_policy(struct pull *pull, struct bj_error *error)
{
    char not [GIT_ID_MAX + 1];
    struct git_output output;
    snprintf(not, sizeof(not ), "^%s", pull->pack.head);
    int status =
        git_do(&pull->pack.scratch, -1, "cannot list the paths",
               GIT("log", "--format=", "--name-only", "-z", "-m", "--no-renames", "--no-ext-diff",
                   "--no-textconv", pull->pack.commit, pull->pack.head[0] ? not : NULL),
               &output, error);
    if (status == 0) {
        status = ask_policy(pull, output.text, output.size, error);
        free(output.text);
    }
    return status;
}

/* "INSERTIONS TAB DELETIONS TAB PATH" NUL; dashes for what is no text. */
static int count_changes(struct pull *pull, struct bj_error *error)
{
    char not [GIT_ID_MAX + 1], number[32];
    struct git_output output;
    snprintf(not, sizeof(not ), "^%s", pull->pack.head);
    int status =
        git_line(&pull->pack.scratch,
                 GIT("rev-list", "--count", pull->pack.commit, pull->pack.head[0] ? not : NULL),
                 number, sizeof(number), error);
    if (status == 0)
        status = git_do(&pull->pack.scratch, -1, "cannot compare",
                        GIT("diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff",
                            "--no-textconv", pull->base, pull->pack.commit),
                        &output, error);
    if (status < 0)
        return status;
    pull->pulled->commits = strtoull(number, NULL, 10);
    for (char *at = output.text; at < output.text + output.size; at += strlen(at) + 1) {
        char *rest;
        pull->pulled->files++;
        pull->pulled->insertions += strtoull(at, &rest, 10);
        if (*rest == '\t')
            pull->pulled->deletions += strtoull(rest + 1, NULL, 10);
    }
    free(output.text);
    return 0;
}

/* The one commit, under the one name. git itself refuses a branch that is checked out somewhere,
 * and without + one that would lose commits. */
static int take_in(struct pull *pull, struct bj_error *error)
{
    char what[sizeof(pull->ref) + 32];
    int status = git_do(&pull->pack.scratch, -1, "cannot name the commit",
                        GIT("update-ref", "refs/heads/pull", pull->pack.commit), NULL, error);
    if (status < 0)
        return status;
    snprintf(what, sizeof(what), "%srefs/heads/pull:%s", pull->options->force ? "+" : "",
             pull->ref);
    return git_do(&pull->pack.user, -1, "git does not take it into your repository",
                  GIT("fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
                      "--no-recurse-submodules", "--no-auto-maintenance",
                      "--refmap=", pull->pack.repository, what),
                  NULL, error);
}

int pull_git(struct work *work, const struct pull_options *options, struct pulled *pulled,
             struct bj_error *error)
{
    struct pull pull = {.work = work, .options = options, .pulled = pulled};
    int status = prepare_branch(&pull, error);
    if (status == 0)
        status = pack_receive(&pull.pack, work, options->size_max, error);
    if (status == 0)
        status = compare(&pull, error);
    memcpy(pulled->commit, pull.pack.commit, sizeof(pulled->commit));
    pulled->bytes = pull.pack.bytes;
    if (status < 0 || pulled->unchanged)
        return status;
    status = check_tree(&pull, error);
    if (status == 0)
        status = check_policy(&pull, error);
    if (status == 0 && pulled->refused_count > 0)
        status = bj_fail(error, -EPERM,
                         "nothing was taken: %" PRIu64 " path%s of %s must not come out (they are "
                         "listed above)",
                         pulled->refused_count, pulled->refused_count == 1 ? "" : "s", work->name);
    if (status == 0)
        status = count_changes(&pull, error);
    return status < 0 ? status : take_in(&pull, error);
}
