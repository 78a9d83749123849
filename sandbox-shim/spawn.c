#include "sandbox-shim/spawn.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND  127

static const char *const step_texts[] = {
    [SPAWN_SESSION] = "cannot give it a session",
    [SPAWN_TERMINAL] = "cannot give it the terminal",
    [SPAWN_DESCRIPTORS] = "cannot give it its descriptors",
    [SPAWN_DIRECTORY] = "cannot enter its directory",
    [SPAWN_LIMIT] = "cannot limit its processes",
    [SPAWN_EXEC] = "cannot run it",
};

static int limit(int resource, uint64_t value)
{
    struct rlimit old;
    if (getrlimit((__rlimit_resource_t)resource, &old) < 0)
        return -1;
    rlim_t bounded = value < old.rlim_max ? (rlim_t)value : old.rlim_max;
    struct rlimit new = {bounded, bounded};
    return setrlimit((__rlimit_resource_t)resource, &new);
}

static void reset_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* fails for the two that cannot be changed */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

enum spawn_step spawn_become(const struct spawn *spawn)
{
    reset_signals();
    umask(022);
    if (setsid() < 0)
        return SPAWN_SESSION;
    if (spawn->terminal && ioctl(spawn->in, TIOCSCTTY, 0) < 0)
        return SPAWN_TERMINAL;
    if (dup2(spawn->in, 0) < 0 || dup2(spawn->out, 1) < 0 || dup2(spawn->err, 2) < 0)
        return SPAWN_DESCRIPTORS;
    if (spawn->directory && spawn->directory[0] && chdir(spawn->directory) < 0)
        return SPAWN_DIRECTORY;
    if (limit(RLIMIT_CORE, 0) < 0 || (spawn->nproc > 0 && limit(RLIMIT_NPROC, spawn->nproc) < 0))
        return SPAWN_LIMIT;
    execvp(spawn->argv[0], spawn->argv);
    return SPAWN_EXEC;
}

const char *spawn_step_text(enum spawn_step step)
{
    return step_texts[step];
}

int spawn_exit_code(int number)
{
    return number == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}
