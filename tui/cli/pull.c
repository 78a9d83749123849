#include "tui/cli/pull.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "tui/cli/pull_git.h"
#include "tui/cli/pull_tree.h"
#include "tui/cli/report.h"

/* Options that make no sense for the kind of project it is. */
static int check_options(const struct work *work, const struct args *args, struct bj_error *error)
{
    static const char *const only_git[] = {"branch", "force", "submodules"};
    for (size_t i = 0; !work->repository && i < sizeof(only_git) / sizeof(only_git[0]); i++)
        if (args_set(args, only_git[i]))
            return bj_fail(error, -EINVAL,
                           "%s does not work on a git repository: --%s is not for it, see --to",
                           work->name, only_git[i]);
    if (work->repository && args_set(args, "to"))
        return bj_fail(error, -EINVAL,
                       "%s works on a git repository: its work becomes a branch, see --branch",
                       work->name);
    return 0;
}

static int take(struct work *work, const struct args *args, struct pulled *pulled,
                struct bj_error *error)
{
    uint64_t size_max = args_number(args, "max-size", WORK_SIZE_MAX);
    uint64_t files_max = args_number(args, "max-files", WORK_FILES_MAX);
    int status = check_options(work, args, error);
    if (status < 0)
        return status;
    if (!work->repository) {
        pulled->directory = args_set(args, "to") ? args_text(args, "to") : work->name;
        snprintf(work->target, sizeof(work->target), "%s", pulled->directory);
        return pull_tree(work, pulled->directory, &(struct pull_limits){size_max, files_max},
                         pulled, error);
    }
    snprintf(work->target, sizeof(work->target), "belljar/%s", work->name);
    if (args_set(args, "branch"))
        snprintf(work->target, sizeof(work->target), "%s", args_text(args, "branch"));
    pulled->branch = work->target;
    struct pull_options options = {.branch = work->target,
                                   .force = args_set(args, "force"),
                                   .submodules = args_set(args, "submodules"),
                                   .size_max = size_max,
                                   .files_max = files_max};
    return pull_git(work, &options, pulled, error);
}

int pull_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct pulled pulled;
    struct work work;
    if (pulled_init(&pulled, args->words[0]) < 0) {
        pulled_free(&pulled);
        return report_failure("out of memory");
    }
    int status = work_open(&work, paths, args->words[0], "pull", &error);
    if (status == 0) {
        status = take(&work, args, &pulled, &error);
        work.files = pulled.files;
        work.bytes = pulled.bytes;
        if (status == 0 && pulled.refused_count > 0)
            snprintf(work.detail, sizeof(work.detail), "%" PRIu64 " not taken as they were",
                     pulled.refused_count);
        status = work_close(&work, status, &error);
    }
    int code = COMMAND_FAILED;
    if (status == 0) {
        code = pulled_print(&pulled, args_set(args, "json"));
    } else {
        pulled_print_refused(&pulled);
        report_error(&error);
    }
    pulled_free(&pulled);
    return code;
}
