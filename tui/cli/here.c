#include "tui/cli/here.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/cli/git.h"

/* The nearest directory, from `path` upwards, that is the top of a working tree. */
static bool find_top(const char *path, char out[PATH_MAX])
{
    if (!realpath(path, out))
        return false;
    for (;;) {
        char dot[PATH_MAX + 8];
        snprintf(dot, sizeof(dot), "%s/.git", out);
        if (access(dot, F_OK) == 0)
            return true;
        char *slash = strrchr(out, '/');
        if (!slash || slash == out)
            return false;
        *slash = '\0';
    }
}

static bool holds(const char *directory, const char *path)
{
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

bool here_repository(char out[PATH_MAX])
{
    const char *home = getenv("HOME");
    char real[PATH_MAX];
    return find_top(".", out) && !(home && realpath(home, real) && holds(out, real));
}

static size_t count_changes(const char *repository)
{
    struct git git = {.repository = repository, .safe = repository};
    struct git_output output = {0};
    size_t lines = 0;
    if (git_run(&git, -1, GIT("status", "--porcelain"), &output, NULL) == 0 && output.status == 0)
        for (size_t i = 0; i < output.size; i++)
            lines += output.text[i] == '\n';
    free(output.text);
    return lines;
}

void here_left_behind(const char *project, char *out, size_t size)
{
    char top[PATH_MAX];
    out[0] = '\0';
    if (!find_top(project, top))
        return;
    if (strcmp(top, project) != 0) {
        snprintf(out, size,
                 "its copy of %s is without history: --project %s gives it the repository", project,
                 top);
        return;
    }
    size_t changes = count_changes(project);
    if (changes > 0)
        snprintf(out, size, "%zu uncommitted change%s of %s %s not in its copy", changes,
                 changes == 1 ? "" : "s", project, changes == 1 ? "is" : "are");
}
