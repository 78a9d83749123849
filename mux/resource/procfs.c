#include "mux/resource/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mux/resource/process.h"

void procfs_pids_free(struct procfs_pids *pids)
{
    free(pids->pid);
    *pids = (struct procfs_pids){0};
}

int procfs_pids_add(struct procfs_pids *pids, pid_t pid)
{
    if (pids->count == pids->capacity) {
        size_t capacity = pids->capacity ? pids->capacity * 2 : 32;
        pid_t *grown = realloc(pids->pid, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        pids->pid = grown;
        pids->capacity = capacity;
    }
    pids->pid[pids->count++] = pid;
    return 0;
}

static DIR *open_threads(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    return opendir(path);
}

/* 0 behind the last. */
static pid_t next_thread(DIR *threads)
{
    for (const struct dirent *entry; (entry = readdir(threads));)
        if (isdigit((unsigned char)entry->d_name[0]))
            return (pid_t)strtol(entry->d_name, NULL, 10);
    return 0;
}

/* The children of one thread: /proc/PID/task/TID/children, as long as it may be. */
static int thread_children(const char *path, struct procfs_pids *pids)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return -ESRCH;
    int status = 0;
    int pid;
    while (status == 0 && fscanf(file, "%d", &pid) == 1)
        status = procfs_pids_add(pids, (pid_t)pid);
    fclose(file);
    return status;
}

int procfs_children(pid_t pid, struct procfs_pids *pids)
{
    char path[64];
    DIR *threads = open_threads(pid);
    if (!threads)
        return -ESRCH;
    int status = 0;
    for (pid_t thread; status != -ENOMEM && (thread = next_thread(threads));) {
        snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)thread);
        status = thread_children(path, pids);
    }
    closedir(threads);
    return status == -ENOMEM ? status : 0;
}

int procfs_tree(pid_t init, struct procfs_pids *pids)
{
    pids->count = 0;
    if (!process_state(init))
        return -ESRCH;
    int status = procfs_pids_add(pids, init);
    for (size_t i = 0; status == 0 && i < pids->count; i++) {
        status = procfs_children(pids->pid[i], pids);
        if (status == -ESRCH)
            status = 0;
    }
    return status;
}

int procfs_namespace(pid_t init, uint64_t *inode)
{
    char path[64];
    struct stat info;
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)init);
    if (stat(path, &info) < 0)
        return -errno;
    *inode = info.st_ino;
    return 0;
}

int procfs_members(uint64_t inode, struct procfs_pids *pids)
{
    pids->count = 0;
    DIR *directory = opendir("/proc");
    if (!directory)
        return -errno;
    int status = 0;
    struct dirent *entry;
    while (status == 0 && (entry = readdir(directory))) {
        uint64_t found;
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (procfs_namespace(pid, &found) == 0 && found == inode)
            status = procfs_pids_add(pids, pid);
    }
    closedir(directory);
    return status;
}

/* A first thread that has ended is an empty zombie in /proc while others of its process run on: the
 * one to look at is any that has not. */
static pid_t living_thread(pid_t pid)
{
    pid_t found = pid;
    DIR *threads = process_state(pid) == 'Z' ? open_threads(pid) : NULL;
    if (!threads)
        return pid;
    for (pid_t thread; found == pid && (thread = next_thread(threads));) {
        char state = process_state(thread);
        if (state && state != 'Z' && state != 'X')
            found = thread;
    }
    closedir(threads);
    return found;
}

static uint64_t ticks_to_usec(uint64_t ticks)
{
    long per_second = sysconf(_SC_CLK_TCK);
    return ticks * (1000000U / (uint64_t)(per_second > 0 ? per_second : 100));
}

static void add_disk(pid_t pid, struct procfs_usage *usage)
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
    if (process_read_file(path, text, sizeof(text)) <= 0)
        return;
    const char *read = strstr(text, "\nread_bytes: ");
    const char *written = strstr(text, "\nwrite_bytes: ");
    if (!read || !written)
        return;
    usage->disk_read += strtoull(read + strlen("\nread_bytes: "), NULL, 10);
    usage->disk_write += strtoull(written + strlen("\nwrite_bytes: "), NULL, 10);
    usage->has_disk = true;
}

int procfs_usage_add(pid_t pid, struct procfs_usage *usage)
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (process_read_file(path, text, sizeof(text)) <= 0)
        return -ESRCH;
    const char *fields = strrchr(text, ')');
    unsigned long long user, system, child_user, child_system;
    if (!fields ||
        sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
               &user, &system, &child_user, &child_system) != 4)
        return -ESRCH;
    usage->cpu_usec += ticks_to_usec(user + system + child_user + child_system);

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)living_thread(pid));
    unsigned long long resident, shared;
    if (process_read_file(path, text, sizeof(text)) > 0 &&
        sscanf(text, "%*u %llu %llu", &resident, &shared) == 2 && resident > shared)
        usage->memory += (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
    add_disk(pid, usage);
    return 0;
}

int procfs_network(pid_t init, uint64_t *received, uint64_t *sent)
{
    char path[64];
    char text[8192];
    snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)init);
    ssize_t size = process_read_file(path, text, sizeof(text));
    if (size < 0)
        return (int)size;
    *received = *sent = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        *colon = '\0';
        line += strspn(line, " ");
        unsigned long long in, out;
        if (strcmp(line, "lo") != 0 &&
            sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &in, &out) == 2) {
            *received += in;
            *sent += out;
        }
    }
    return 0;
}

/* Its number may be another's since the list was made: what the descriptor names is looked at. */
static void signal_member(pid_t pid, uint64_t namespace, int number)
{
    uint64_t inode;
    int fd = process_open(pid);
    if (procfs_namespace(pid, &inode) == 0 && inode == namespace) {
        if (fd >= 0)
            syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
        else
            kill(pid, number); /* a kernel without, or no descriptor to be had */
    }
    if (fd >= 0)
        close(fd);
}

int procfs_stop_pass(pid_t init, bool stop)
{
    uint64_t inode;
    if (procfs_namespace(init, &inode) < 0)
        return -ESRCH;
    struct procfs_pids pids = {0};
    int status = procfs_members(inode, &pids);
    bool all = status == 0;
    for (size_t i = 0; i < pids.count; i++) {
        char state = process_state(living_thread(pids.pid[i]));
        bool stopped = state == 'T' || state == 't' || state == 'Z' || state == 'X' || !state;
        bool moving = state != 'T';
        if (stop ? stopped : moving)
            continue;
        all = false;
        signal_member(pids.pid[i], inode, stop ? SIGSTOP : SIGCONT);
    }
    procfs_pids_free(&pids);
    return status < 0 ? status : all;
}

#define UNLINKED_MAX 65536U

struct unlinked {
    ino_t *inodes;
    size_t count, capacity;
    uint64_t bytes;
};

/* Many processes may share one file: its place in the sorted list says whether it was seen. */
static void count_unlinked(struct unlinked *seen, const struct stat *info)
{
    size_t low = 0, high = seen->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (seen->inodes[middle] == info->st_ino)
            return;
        if (seen->inodes[middle] < info->st_ino)
            low = middle + 1;
        else
            high = middle;
    }
    if (seen->count == seen->capacity) {
        size_t capacity = seen->capacity ? seen->capacity * 2 : 64;
        ino_t *inodes =
            capacity > UNLINKED_MAX ? NULL : realloc(seen->inodes, capacity * sizeof(*inodes));
        if (!inodes)
            return;
        seen->inodes = inodes;
        seen->capacity = capacity;
    }
    memmove(&seen->inodes[low + 1], &seen->inodes[low], (seen->count - low) * sizeof(ino_t));
    seen->inodes[low] = info->st_ino;
    seen->count++;
    seen->bytes += (uint64_t)info->st_blocks * 512;
}

static void look_at_files(struct unlinked *seen, const char *path, dev_t device)
{
    struct stat info;
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (isdigit((unsigned char)entry->d_name[0]) &&
            fstatat(dirfd(directory), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode) &&
            info.st_nlink == 0 && info.st_dev == device)
            count_unlinked(seen, &info);
    closedir(directory);
}

/* Each thread may have a table of descriptors of its own. */
static void look_into(struct unlinked *seen, pid_t pid, dev_t device)
{
    char path[64];
    DIR *threads = open_threads(pid);
    if (!threads)
        return;
    for (pid_t thread; (thread = next_thread(threads));) {
        snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", (int)pid, (int)thread);
        look_at_files(seen, path, device);
    }
    closedir(threads);
}

uint64_t procfs_unlinked(pid_t init, dev_t device)
{
    struct procfs_pids pids = {0};
    struct unlinked seen = {0};
    if (procfs_tree(init, &pids) == 0)
        for (size_t i = 0; i < pids.count; i++)
            look_into(&seen, pids.pid[i], device);
    free(seen.inodes);
    procfs_pids_free(&pids);
    return seen.bytes;
}
