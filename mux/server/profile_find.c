/* Where a profile's program is on this host, and what of it must be seen inside. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/driver/driver.h"
#include "mux/server/executable.h"
#include "mux/server/profile.h"

#define INSIDE_MODULES "/opt/agent/node_modules"
#define INSIDE_BIN     "/opt/agent/bin"
#define MODULES        "/node_modules/"

#if defined(__x86_64__)
#define ARCH "x64"
#define CPU  "x86_64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#define CPU  "aarch64"
#else
#define ARCH "unknown"
#define CPU  "unknown"
#endif

struct search {
    const char *path; /* the user's $PATH */
    struct profile_place *place;
    struct bj_error *error;
};

/* Every wall shows /usr as it is. */
static bool is_inside_already(const char *real)
{
    return strncmp(real, "/usr/", 5) == 0;
}

static int add_mount(struct search *search, const char *source, const char *target)
{
    struct profile_place *place = search->place;
    struct stat info;
    if (stat(source, &info) < 0)
        return bj_fail(search->error, -errno, "cannot look at %s: %s", source, strerror(errno));
    if (place->count == PROFILE_MOUNTS_MAX)
        return bj_fail(search->error, -E2BIG, "a profile needs more than 8 mounts");
    struct profile_mount *mount = &place->mounts[place->count++];
    mount->directory = S_ISDIR(info.st_mode);
    int status = bj_path(mount->source, sizeof(mount->source), search->error, "%s", source);
    return status < 0 ? status
                      : bj_path(mount->target, sizeof(mount->target), search->error, "%s", target);
}

/* One file: a native program. `inside` gets its path there. */
static int take_file(struct search *search, const char *path, char inside[BJ_PATH_MAX])
{
    char real[PATH_MAX];
    enum executable kind =
        realpath(path, real) && access(real, X_OK) == 0 ? executable_kind(real) : EXECUTABLE_NOT;
    if (kind != EXECUTABLE_NOT && is_inside_already(real))
        return bj_path(inside, BJ_PATH_MAX, search->error, "%s", real);
    if (kind != EXECUTABLE_PROGRAM)
        return -ENOENT;
    const char *name = strrchr(path, '/');
    int status = bj_path(inside, BJ_PATH_MAX, search->error, INSIDE_BIN "%s", name ? name : path);
    return status < 0 ? status : add_mount(search, real, inside);
}

/* Calls `take` with each directory of $PATH until it says other than -ENOENT. */
static int each_directory(struct search *search, const void *argument,
                          int (*take)(struct search *search, const char *directory,
                                      const void *argument))
{
    char directory[BJ_PATH_MAX];
    int status = -ENOENT;
    for (const char *at = search->path; status == -ENOENT && *at;) {
        size_t size = strcspn(at, ":");
        if (*at == '/' && size < sizeof(directory)) {
            snprintf(directory, sizeof(directory), "%.*s", (int)size, at);
            status = take(search, directory, argument);
        }
        at += size + (at[size] == ':');
    }
    return status;
}

/* --- npm packages --- */

/* The node_modules that belongs to a directory of programs: DIR/node_modules/.bin, or PREFIX/bin
 * beside PREFIX/lib/node_modules. */
static int modules_of(const char *directory, char out[BJ_PATH_MAX])
{
    static const char local[] = "/node_modules/.bin";
    size_t size = strlen(directory);
    if (size > sizeof(local) && strcmp(directory + size - (sizeof(local) - 1), local) == 0)
        return bj_path(out, BJ_PATH_MAX, NULL, "%.*s", (int)(size - 5), directory);
    return bj_path(out, BJ_PATH_MAX, NULL, "%s/../lib/node_modules", directory);
}

/* "@scope/name/..." or "name/...": the length of the package's name. */
static size_t package_size(const char *text)
{
    size_t size = strcspn(text, "/");
    if (text[0] == '@' && text[size] == '/')
        size += 1 + strcspn(text + size + 1, "/");
    return size;
}

struct package {
    const struct profile *profile;
    const char *text; /* package and path in it */
};

static int mount_package(struct search *search, const char *modules, const char *name, size_t size)
{
    char source[BJ_PATH_MAX], target[BJ_PATH_MAX], real[PATH_MAX];
    int status =
        bj_path(source, sizeof(source), search->error, "%s/%.*s", modules, (int)size, name);
    if (status == 0)
        status =
            bj_path(target, sizeof(target), search->error, INSIDE_MODULES "/%.*s", (int)size, name);
    if (status < 0)
        return status;
    return realpath(source, real) ? add_mount(search, real, target) : -ENOENT;
}

static int take_from(struct search *search, const char *modules, const struct package *package)
{
    struct profile_place *place = search->place;
    char program[PATH_MAX + 1], path[BJ_PATH_MAX];
    if (bj_path(path, sizeof(path), NULL, "%s/%s", modules, package->text) < 0 ||
        !realpath(path, program) || executable_kind(program) == EXECUTABLE_NOT)
        return -ENOENT;
    int status = bj_path(place->found, sizeof(place->found), search->error, "%s", program);
    if (status < 0 || is_inside_already(program))
        return status < 0 ? status
                          : bj_path(place->program, BJ_PATH_MAX, search->error, "%s", program);
    status =
        bj_path(place->program, BJ_PATH_MAX, search->error, INSIDE_MODULES "/%s", package->text);
    if (status == 0)
        status = mount_package(search, modules, package->text, package_size(package->text));
    for (char **at = package->profile->packages; status == 0 && *at; at++) {
        status = mount_package(search, modules, *at, strlen(*at));
        if (status == -ENOENT) /* not every installation has them there */
            status = 0;
    }
    return status;
}

/* "@scope/name/bin/claude.exe" is called claude. */
static int called(const char *text, char out[NAME_MAX + 1])
{
    const char *name = strrchr(text, '/');
    name = name ? name + 1 : text;
    size_t size = strcspn(name, ".");
    if (size == 0 || size > NAME_MAX)
        return -EINVAL;
    memcpy(out, name, size);
    out[size] = '\0';
    return 0;
}

/* In the modules that belong to a directory of PATH, or wherever its program of that name leads:
 * bun and yarn link into a directory elsewhere, pnpm has scripts and a store. */
static int take_package(struct search *search, const char *directory, const void *argument)
{
    const struct package *package = argument;
    char modules[BJ_PATH_MAX], path[BJ_PATH_MAX], target[PATH_MAX], name[NAME_MAX + 1];
    int status = -ENOENT;
    if (modules_of(directory, modules) == 0)
        status = take_from(search, modules, package);
    if (status != -ENOENT || called(package->text, name) < 0 ||
        bj_path(path, sizeof(path), NULL, "%s/%s", directory, name) < 0 ||
        !executable_follow(path, target))
        return status;
    for (char *at; status == -ENOENT && (at = strstr(target, MODULES));) {
        while (strstr(at + 1, MODULES)) /* the innermost first */
            at = strstr(at + 1, MODULES);
        at[sizeof(MODULES) - 2] = '\0';
        status = take_from(search, target, package);
        *at = '\0';
    }
    return status;
}

/* --- the search --- */

static int take_program(struct search *search, const char *directory, const void *name)
{
    char path[BJ_PATH_MAX];
    if (bj_path(path, sizeof(path), NULL, "%s/%s", directory, (const char *)name) < 0)
        return -ENOENT;
    int status = take_file(search, path, search->place->program);
    if (status == 0)
        snprintf(search->place->found, sizeof(search->place->found), "%s", path);
    return status;
}

/* {arch} and {cpu} are this machine's, ~/ the user's home. */
static int expand(const char *text, char out[BJ_PATH_MAX], struct bj_error *error)
{
    static const char *const holes[][2] = {{"{arch}", ARCH}, {"{cpu}", CPU}};
    char filled[BJ_PATH_MAX];
    size_t used = 0;
    while (*text && used < BJ_PATH_MAX - 32) {
        size_t i = 0;
        while (i < 2 && strncmp(text, holes[i][0], strlen(holes[i][0])) != 0)
            i++;
        if (i < 2) {
            used += (size_t)snprintf(filled + used, BJ_PATH_MAX - used, "%s", holes[i][1]);
            text += strlen(holes[i][0]);
        } else {
            filled[used++] = *text++;
        }
    }
    if (*text)
        return bj_fail(error, -ENAMETOOLONG, "a path in a profile is too long");
    filled[used] = '\0';
    return bj_path_home(out, BJ_PATH_MAX, error, filled);
}

static int look(struct search *search, const struct profile *profile, const char *entry)
{
    char text[BJ_PATH_MAX];
    int status = expand(entry, text, search->error);
    if (status < 0)
        return status;
    if (strncmp(text, "npm:", 4) == 0) {
        struct package package = {profile, text + 4};
        return each_directory(search, &package, take_package);
    }
    if (strncmp(text, "path:", 5) == 0)
        return each_directory(search, text + 5, take_program);
    if (text[0] != '/')
        return bj_fail(search->error, -EINVAL,
                       "%.200s: search takes npm:PACKAGE/FILE, path:NAME or a path, not %.80s",
                       profile->file, entry);
    status = take_file(search, text, search->place->program);
    if (status == 0)
        snprintf(search->place->found, sizeof(search->place->found), "%s", text);
    return status;
}

/* A further program is found by its name inside, too. */
static int take_need(struct search *search, const char *directory, const void *name)
{
    char path[BJ_PATH_MAX], inside[BJ_PATH_MAX];
    if (bj_path(path, sizeof(path), NULL, "%s/%s", directory, (const char *)name) < 0)
        return -ENOENT;
    return take_file(search, path, inside);
}

/* All of the home directory, or more, would be what a sandbox is to keep out. */
static bool holds_home(const char *real)
{
    char home[PATH_MAX];
    const char *name = getenv("HOME");
    size_t size = strlen(real);
    if (!name || !realpath(name, home))
        return strcmp(real, "/") == 0;
    return size == 1 ||
           (strncmp(home, real, size) == 0 && (home[size] == '/' || home[size] == '\0'));
}

static int take_mount(struct search *search, const struct profile *profile, const char *inside,
                      const char *host)
{
    char path[BJ_PATH_MAX], real[PATH_MAX];
    int status = expand(host, path, search->error);
    if (status < 0)
        return status;
    if (!realpath(path, real))
        return bj_fail(search->error, -errno, "%.60s needs %.200s: %s", profile->summary, path,
                       strerror(errno));
    if (holds_home(real))
        return bj_fail(search->error, -EPERM,
                       "%.200s: %.200s is no mount for a sandbox: it has your home directory in it",
                       profile->file, path);
    return add_mount(search, real, inside);
}

static int find_needs(struct search *search, const struct profile *profile, char *const *needs)
{
    int status = 0;
    for (; status == 0 && *needs; needs++) {
        status = each_directory(search, *needs, take_need);
        if (status == -ENOENT)
            return bj_fail(search->error, -ENOENT,
                           "%.60s needs the program %.60s, which is not installed",
                           profile->summary, *needs);
    }
    return status;
}

/* The host does not have it: it is installed inside, in each home directory. */
static int use_inside(struct search *search, const struct profile *profile)
{
    struct profile_place *place = search->place;
    char path[BJ_PATH_MAX];
    if (!profile->inside_install || find_needs(search, profile, profile->inside_needs) < 0)
        return -ENOENT;
    place->installs = true;
    int status = expand(profile->inside_program, path, search->error);
    return status < 0 ? status
                      : bj_path(place->program, BJ_PATH_MAX, search->error, WALL_HOME "/%s", path);
}

int profile_find(const struct profile *profile, const char *path, struct profile_place *place,
                 struct bj_error *error)
{
    struct search search = {path && *path ? path : "/usr/local/bin:/usr/bin:/bin", place, error};
    int status = profile->search[0] ? -ENOENT : 0;
    *place = (struct profile_place){0};
    for (char **at = profile->search; status == -ENOENT && *at; at++)
        status = look(&search, profile, *at);
    if (status == -ENOENT)
        status = use_inside(&search, profile);
    if (status == -ENOENT)
        return bj_fail(error, -ENOENT, "%.60s is not installed here, as far as PATH says%s%.200s",
                       profile->summary, profile->install ? ": " : "",
                       profile->install ? profile->install : "");
    if (status == 0)
        status = find_needs(&search, profile, profile->needs);
    for (char **at = profile->mounts; status == 0 && at[0]; at += 2)
        status = take_mount(&search, profile, at[0], at[1]);
    return status;
}
