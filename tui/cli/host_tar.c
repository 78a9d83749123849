#include "tui/cli/host_tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tui/cli/git.h"

pid_t host_tar_start(const char *const *words, int out, uint64_t size_max, struct bj_error *error)
{
    pid_t pid = git_fork();
    if (pid == 0) {
        git_child_signals();
        setenv("LC_ALL", "C.UTF-8", 1);
        unsetenv("TAR_OPTIONS");
        if (size_max > 0)
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){size_max, size_max});
        if (dup2(out, STDOUT_FILENO) >= 0)
            execvp("tar", (char *const *)words);
        _exit(127);
    }
    return pid > 0 ? pid : bj_fail(error, -errno, "cannot start tar: %s", strerror(errno));
}

int host_tar_wait(pid_t pid, int *how, struct bj_error *error)
{
    while (waitpid(pid, how, 0) < 0)
        if (errno != EINTR)
            return bj_fail(error, -errno, "lost sight of tar: %s", strerror(errno));
    return 0;
}
