#include "transport/paths.h"

#include <errno.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef BJ_LIBEXECDIR
#define BJ_LIBEXECDIR "/usr/local/libexec/belljar"
#endif
#ifndef BJ_DATADIR
#define BJ_DATADIR "/usr/local/share/belljar"
#endif

int bj_path(char *out, size_t size, struct bj_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(out, size, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= size)
        return bj_fail(error, -ENAMETOOLONG, "path too long: %.200s...", out);
    return 0;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* An XDG variable counts only when absolute (specification, "Environment variables"). */
static const char *xdg(const char *name)
{
    const char *value = environment(name);
    return value && *value == '/' ? value : NULL;
}

static int find_xdg(char *out, const char *variable, const char *below_home, struct bj_error *error)
{
    const char *base = xdg(variable);
    if (base)
        return bj_path(out, BJ_PATH_MAX, error, "%s/belljar", base);
    const char *home = xdg("HOME");
    if (!home)
        return bj_fail(error, -ENOENT, "HOME is not set to an absolute path: set it, or %s",
                       variable);
    return bj_path(out, BJ_PATH_MAX, error, "%s/%s/belljar", home, below_home);
}

/* A program in the build tree uses its siblings; an installed one the configured directories. */
static int find_programs(struct bj_paths *paths, struct bj_error *error)
{
    const char *chosen = environment("BELLJAR_LIBEXEC_DIR");
    const char *data = environment("BELLJAR_DATA_DIR");
    char self[BJ_PATH_MAX - 64];
    char probe[BJ_PATH_MAX];
    bool built = false;
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length > 0) {
        self[length] = '\0';
        char *slash = strrchr(self, '/');
        if (slash && slash > self)
            *slash = '\0';
        snprintf(probe, sizeof(probe), "%s/belljar-shim", self);
        built = access(probe, X_OK) == 0;
    }
    int status = bj_path(paths->libexec, BJ_PATH_MAX, error, "%s",
                         chosen  ? chosen
                         : built ? self
                                 : BJ_LIBEXECDIR);
    if (status < 0)
        return status;
    return bj_path(paths->data, BJ_PATH_MAX, error, "%s",
                   data               ? data
                   : built && !chosen ? self
                                      : BJ_DATADIR);
}

int bj_paths_find(struct bj_paths *paths, struct bj_error *error)
{
    *paths = (struct bj_paths){0};
    int status;
    const char *runtime = environment("BELLJAR_RUNTIME_DIR");
    const char *state = environment("BELLJAR_STATE_DIR");
    const char *config = environment("BELLJAR_CONFIG_DIR");

    if (runtime && *runtime != '/')
        return bj_fail(error, -EINVAL, "BELLJAR_RUNTIME_DIR is not an absolute path: %s", runtime);
    if (state && *state != '/')
        return bj_fail(error, -EINVAL, "BELLJAR_STATE_DIR is not an absolute path: %s", state);

    if (runtime)
        status = bj_path(paths->runtime, BJ_PATH_MAX, error, "%s", runtime);
    else if (xdg("XDG_RUNTIME_DIR"))
        status = bj_path(paths->runtime, BJ_PATH_MAX, error, "%s/belljar", xdg("XDG_RUNTIME_DIR"));
    else
        status = bj_path(paths->runtime, BJ_PATH_MAX, error, "/tmp/belljar-%u", (unsigned)getuid());
    if (status < 0)
        return status;

    status = state ? bj_path(paths->state, BJ_PATH_MAX, error, "%s", state)
                   : find_xdg(paths->state, "XDG_STATE_HOME", ".local/state", error);
    if (status < 0)
        return status;
    status = config ? bj_path(paths->config, BJ_PATH_MAX, error, "%s", config)
                    : find_xdg(paths->config, "XDG_CONFIG_HOME", ".config", error);
    if (status < 0)
        return status;
    return find_programs(paths, error);
}

int bj_directory_private(const char *path, struct bj_error *error)
{
    char part[BJ_PATH_MAX];
    int status = bj_path(part, sizeof(part), error, "%s", path);
    if (status < 0)
        return status;
    if (part[0] != '/')
        return bj_fail(error, -EINVAL, "not an absolute path: \"%s\"", part);
    /* lstat(2) of "link/" looks through the link. */
    for (size_t end = strlen(part); end > 1 && part[end - 1] == '/'; end--)
        part[end - 1] = '\0';
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return bj_fail(error, -errno, "cannot make directory %s: %s", part, strerror(errno));
        *slash = '/';
    }
    if (mkdir(part, 0700) < 0 && errno != EEXIST)
        return bj_fail(error, -errno, "cannot make directory %s: %s", part, strerror(errno));

    struct stat info;
    if (lstat(part, &info) < 0)
        return bj_fail(error, -errno, "cannot look at %s: %s", part, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return bj_fail(error, -ENOTDIR,
                       "%s is not a directory (a link is not followed): remove it, or choose "
                       "another place with BELLJAR_RUNTIME_DIR or BELLJAR_STATE_DIR",
                       part);
    if (info.st_uid != geteuid())
        return bj_fail(error, -EPERM,
                       "%s belongs to user %u, not to you (%u): choose another place with "
                       "BELLJAR_RUNTIME_DIR or BELLJAR_STATE_DIR",
                       part, (unsigned)info.st_uid, (unsigned)geteuid());
    if (info.st_mode & 077)
        return bj_fail(error, -EPERM, "%s is open to other users (mode %04o): chmod 700 it first",
                       part, (unsigned)(info.st_mode & 07777));
    return 0;
}

int bj_paths_prepare(const struct bj_paths *paths, struct bj_error *error)
{
    int status = bj_directory_private(paths->runtime, error);
    return status < 0 ? status : bj_directory_private(paths->state, error);
}

int bj_path_home(char *out, size_t size, struct bj_error *error, const char *name)
{
    const char *home = getenv("HOME");
    bool below = name[0] == '~' && (name[1] == '/' || !name[1]) && home;
    return bj_path(out, size, error, "%s%s", below ? home : "", below ? name + 1 : name);
}

int bj_recording_path(char *out, size_t size, struct bj_error *error, const char *directory,
                      bool previous, int number)
{
    return bj_path(out, size, error, "%s/%s.%d.cast", directory,
                   previous ? "previous" : "recording", number);
}
