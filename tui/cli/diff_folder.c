#include "tui/cli/diff_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "transport/file.h"
#include "tui/cli/pull_tree.h"

/* Files are compared as they are, whatever their own .gitattributes say. */
static const char attributes[] = "* -text -ident -filter -working-tree-encoding\n";

static int make(const struct work *work, const char *name, char out[BJ_PATH_MAX],
                struct bj_error *error)
{
    int status = bj_path(out, BJ_PATH_MAX, error, "%s/%s", work->scratch.path, name);
    if (status == 0 && mkdir(out, 0700) < 0)
        status = bj_fail(error, -errno, "cannot make %s: %s", out, strerror(errno));
    return status;
}

static int make_repository(const struct work *work, const struct git *git, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    struct git_output output;
    int status = git_do(git, -1, "cannot make a repository to compare in",
                        GIT("init", "-q", "--bare", "--template=", "git"), &output, error);
    if (status < 0)
        return status;
    free(output.text);
    status = make(work, "git/info", path, error);
    if (status == 0)
        status = bj_path(path, sizeof(path), error, "%s/git/info/attributes", work->scratch.path);
    return status < 0 ? status
                      : bj_file_replace(path, attributes, sizeof(attributes) - 1, false, error);
}

/* All files of one side become a tree of the repository. */
static int add(const struct git *git, const char *side, char id[GIT_ID_MAX], struct bj_error *error)
{
    char directory[32];
    struct git_output output;
    snprintf(directory, sizeof(directory), "--work-tree=%s", side);
    int status = git_do(git, -1, "cannot compare the files",
                        GIT("--git-dir=git", directory, "add", "-A", "-f", "."), &output, error);
    if (status < 0)
        return status;
    free(output.text);
    return git_line(git, GIT("--git-dir=git", "write-tree"), id, GIT_ID_MAX, error);
}

int diff_folder(struct work *work, struct diff_folder *folder, struct git_output *output,
                struct bj_error *error)
{
    char before[BJ_PATH_MAX], after[BJ_PATH_MAX], from[GIT_ID_MAX], to[GIT_ID_MAX];
    struct pull_limits limits = {folder->size_max, WORK_FILES_MAX};
    struct pulled pulled = {0}, ignored = {0};
    int status = work_scratch(work, error);
    if (status == 0)
        status = make(work, "a", before, error);
    if (status == 0)
        status = make(work, "b", after, error);
    if (status < 0)
        return status;
    struct git git = {.repository = work->scratch.path, .stop = &work_stop};
    if (pulled_init(&pulled, work->name) < 0 || pulled_init(&ignored, work->name) < 0)
        status = bj_fail(error, -ENOMEM, "out of memory");
    if (status == 0)
        status = pull_tree_look(work, false, after, &limits, &pulled, error);
    if (status == 0 && work->project[0])
        status = pull_tree_look(work, true, before, &limits, &ignored, error);
    if (status == 0)
        status = make_repository(work, &git, error);
    if (status == 0)
        status = add(&git, "a", from, error);
    if (status == 0)
        status = add(&git, "b", to, error);
    if (status == 0)
        status = git_do(&git, -1, "cannot compare the files",
                        GIT("--git-dir=git", "-c", "core.quotePath=false", "diff", "--no-color",
                            "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/",
                            folder->stat ? "--stat" : "-p", from, to, "--"),
                        output, error);
    work->files = pulled.files;
    folder->left_out = pulled.refused_count;
    pulled_free(&pulled);
    pulled_free(&ignored);
    return status;
}
