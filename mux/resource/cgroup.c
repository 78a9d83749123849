#include "mux/resource/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/resource/process.h"

#define PERIOD_USEC 100000U /* cpu.max: the kernel's default period */

static int write_file(const char *group, const char *name, const char *text)
{
    char path[CGROUP_PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", group, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, text, strlen(text));
    int code = written < 0 ? -errno : 0;
    close(fd);
    return code;
}

static ssize_t read_file(const char *group, const char *name, char *text, size_t size)
{
    char path[CGROUP_PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", group, name);
    return process_read_file(path, text, size);
}

static bool has_file(const char *group, const char *name)
{
    char path[CGROUP_PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", group, name);
    return access(path, F_OK) == 0;
}

/* Whether `word` is one of the words in a file. */
static bool has_word(const char *group, const char *name, const char *word)
{
    char text[1024];
    if (read_file(group, name, text, sizeof(text)) <= 0)
        return false;
    char *rest = NULL;
    for (char *at = strtok_r(text, " \n", &rest); at; at = strtok_r(NULL, " \n", &rest))
        if (strcmp(at, word) == 0)
            return true;
    return false;
}

static bool find_mount(char out[CGROUP_PATH_MAX])
{
    FILE *file = setmntent("/proc/self/mounts", "re");
    if (!file)
        return false;
    bool found = false;
    struct mntent *entry;
    while (!found && (entry = getmntent(file)))
        if (strcmp(entry->mnt_type, "cgroup2") == 0 &&
            strlen(entry->mnt_dir) < CGROUP_PATH_MAX / 4) {
            snprintf(out, CGROUP_PATH_MAX, "%s", entry->mnt_dir);
            found = true;
        }
    endmntent(file);
    return found;
}

static bool own_group(char *out, size_t size)
{
    char text[4096];
    if (process_read_file("/proc/self/cgroup", text, sizeof(text)) <= 0)
        return false;
    char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!line)
        return false;
    line = strchr(line, '/');
    if (!line)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return (size_t)snprintf(out, size, "%s", strcmp(line, "/") == 0 ? "" : line) < size;
}

static bool writable(const char *group)
{
    char procs[CGROUP_PATH_MAX + 64];
    snprintf(procs, sizeof(procs), "%s/cgroup.procs", group);
    return access(group, W_OK) == 0 && access(procs, W_OK) == 0;
}

/* The highest group on the way from the top to our own in which we may make others: only from
 * there can a process be moved into a sandbox's group (it needs both groups' common ancestor). */
static bool find_writable(const char *mount, char *own, char out[CGROUP_PATH_MAX])
{
    size_t length = strlen(own);
    for (size_t end = 0; end <= length; end++) {
        if (end != length && own[end] != '/')
            continue;
        char saved = own[end];
        own[end] = '\0';
        int size = snprintf(out, CGROUP_PATH_MAX, "%s%s", mount, own);
        own[end] = saved;
        if (size > 0 && size < CGROUP_PATH_MAX - 64 && writable(out))
            return true;
    }
    return false;
}

/* Hands a controller down; each alone, because one that is missing would refuse all. */
static bool enable(const char *parent, const char *place, const char *controller)
{
    char word[32];
    snprintf(word, sizeof(word), "+%s", controller);
    if (!has_word(parent, "cgroup.controllers", controller))
        return false;
    write_file(parent, "cgroup.subtree_control", word);
    write_file(place, "cgroup.subtree_control", word);
    return has_word(place, "cgroup.subtree_control", controller);
}

static int make_place(struct cgroup_place *place, const char *parent)
{
    int size = snprintf(place->path, sizeof(place->path), "%s/belljar", parent);
    if (size < 0 || (size_t)size >= sizeof(place->path))
        return -ENAMETOOLONG;
    if (mkdir(place->path, 0755) < 0 && errno != EEXIST)
        return -errno;
    place->memory = enable(parent, place->path, "memory");
    place->cpu = enable(parent, place->path, "cpu");
    place->pids = enable(parent, place->path, "pids");
    place->kill = has_file(place->path, "cgroup.kill");
    place->freeze = has_file(place->path, "cgroup.freeze");
    rmdir(place->path); /* made again with the first sandbox, so that nothing stays behind idle */
    return 0;
}

void cgroup_find(struct cgroup_place *place)
{
    *place = (struct cgroup_place){0};
    char mount[CGROUP_PATH_MAX];
    char own[CGROUP_PATH_MAX / 2];
    char parent[CGROUP_PATH_MAX];
    if (!find_mount(mount)) {
        snprintf(place->why, sizeof(place->why), "no cgroup v2 is mounted");
        return;
    }
    if (!own_group(own, sizeof(own)) || !find_writable(mount, own, parent)) {
        snprintf(place->why, sizeof(place->why), "no cgroup is delegated to this user");
        return;
    }
    int status = make_place(place, parent);
    if (status < 0) {
        snprintf(place->why, sizeof(place->why), "cannot make a cgroup: %s", strerror(-status));
        place->path[0] = '\0';
    }
}

static int set_limits(const struct cgroup_place *place, const char *path,
                      const struct cgroup_limits *limits)
{
    char text[64];
    int status = 0;
    if (status == 0 && place->memory && limits->memory) {
        snprintf(text, sizeof(text), "%" PRIu64, limits->memory);
        status = write_file(path, "memory.max", text);
        write_file(path, "memory.swap.max", "0"); /* absent without swap accounting */
        write_file(path, "memory.oom.group", "0");
    }
    if (status == 0 && place->cpu && limits->millicpus) {
        snprintf(text, sizeof(text), "%" PRIu64 " %u", limits->millicpus * PERIOD_USEC / 1000,
                 PERIOD_USEC);
        status = write_file(path, "cpu.max", text);
    }
    if (status == 0 && place->pids && limits->pids) {
        snprintf(text, sizeof(text), "%" PRIu64, limits->pids);
        status = write_file(path, "pids.max", text);
    }
    return status;
}

int cgroup_make(const struct cgroup_place *place, const char *id,
                const struct cgroup_limits *limits, char path[CGROUP_PATH_MAX],
                struct bj_error *error)
{
    if (mkdir(place->path, 0755) == 0) {
        struct cgroup_place again = *place;
        char parent[CGROUP_PATH_MAX];
        snprintf(parent, sizeof(parent), "%s", place->path);
        *strrchr(parent, '/') = '\0';
        again.memory = place->memory && enable(parent, place->path, "memory");
        again.cpu = place->cpu && enable(parent, place->path, "cpu");
        again.pids = place->pids && enable(parent, place->path, "pids");
        if (again.memory != place->memory || again.cpu != place->cpu || again.pids != place->pids) {
            rmdir(place->path); /* so that the next start looks again */
            return bj_fail(error, -EIO, "a cgroup controller went away: restart belljar's server");
        }
    } else if (errno != EEXIST) {
        return bj_fail(error, -errno, "cannot make the cgroup %s: %s", place->path,
                       strerror(errno));
    }
    int size = snprintf(path, CGROUP_PATH_MAX, "%s/%s", place->path, id);
    if (size < 0 || size >= CGROUP_PATH_MAX)
        return bj_fail(error, -ENAMETOOLONG, "the path of the cgroup is too long");
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return bj_fail(error, -errno, "cannot make the cgroup %s: %s", path, strerror(errno));
    int status = set_limits(place, path, limits);
    if (status < 0) {
        cgroup_remove(path);
        return bj_fail(error, status, "cannot set the limits of the cgroup: %s", strerror(-status));
    }
    return 0;
}

int cgroup_open(const char *path, struct bj_error *error)
{
    int fd = open(path, O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? bj_fail(error, -errno, "cannot open %s: %s", path, strerror(errno)) : fd;
}

int cgroup_kill(const char *path)
{
    return write_file(path, "cgroup.kill", "1");
}

int cgroup_freeze(const char *path, bool freeze)
{
    return write_file(path, "cgroup.freeze", freeze ? "1" : "0");
}

static int event_value(const char *path, const char *file, const char *name)
{
    char text[512];
    ssize_t size = read_file(path, file, text, sizeof(text));
    if (size < 0)
        return (int)size;
    const char *at = strstr(text, name);
    return at ? atoi(at + strlen(name)) : -ENOENT;
}

int cgroup_is_frozen(const char *path, bool freeze)
{
    int value = event_value(path, "cgroup.events", "frozen ");
    return value < 0 ? value : (value == 1) == freeze;
}

int cgroup_populated(const char *path)
{
    return event_value(path, "cgroup.events", "populated ") == 1;
}

int64_t cgroup_ooms(const char *path)
{
    return event_value(path, "memory.events", "oom_kill ");
}

int cgroup_cpu(const char *path, uint64_t *usec)
{
    char text[1024];
    ssize_t size = read_file(path, "cpu.stat", text, sizeof(text));
    if (size < 0)
        return (int)size;
    const char *at = strstr(text, "usage_usec ");
    if (!at)
        return -ENOENT;
    *usec = strtoull(at + strlen("usage_usec "), NULL, 10);
    return 0;
}

int cgroup_memory(const char *path, uint64_t *bytes)
{
    char text[64];
    ssize_t size = read_file(path, "memory.current", text, sizeof(text));
    if (size < 0)
        return (int)size;
    *bytes = strtoull(text, NULL, 10);
    return 0;
}

int cgroup_members(const char *path, struct procfs_pids *pids)
{
    char file[CGROUP_PATH_MAX + 64];
    snprintf(file, sizeof(file), "%s/cgroup.procs", path);
    FILE *stream = fopen(file, "re");
    if (!stream)
        return -errno;
    pids->count = 0;
    int status = 0;
    int pid;
    while (status == 0 && fscanf(stream, "%d", &pid) == 1)
        status = procfs_pids_add(pids, (pid_t)pid);
    fclose(stream);
    return status;
}

int cgroup_remove(const char *path)
{
    if (rmdir(path) < 0 && errno != ENOENT)
        return -errno;
    char place[CGROUP_PATH_MAX];
    snprintf(place, sizeof(place), "%s", path);
    char *slash = strrchr(place, '/');
    if (slash && slash > place) {
        *slash = '\0';
        rmdir(place); /* refused while another sandbox is in it */
    }
    return 0;
}
