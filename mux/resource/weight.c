#include "mux/resource/weight.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE_SMALL   10 /* about a ninth of nice 0's share */
#define WEIGHT_FULL  "100"
#define WEIGHT_SMALL "11"

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    /* A group or process that has just gone refuses; there is nothing to do then. */
    if (write(fd, text, strlen(text)) < 0)
        (void)0;
    close(fd);
}

bool weight_works(const struct cgroup_place *place)
{
    return place->cpu || geteuid() == 0;
}

static void set_nice(pid_t pid, int value)
{
    char path[64], text[8];
    setpriority(PRIO_PROCESS, (id_t)pid, value);
    snprintf(path, sizeof(path), "/proc/%d/autogroup", (int)pid);
    snprintf(text, sizeof(text), "%d", value);
    write_text(path, text);
}

void weight_set(const struct cgroup_place *place, const char *group, pid_t helper, bool full)
{
    if (place->cpu) {
        char path[CGROUP_PATH_MAX + 16];
        snprintf(path, sizeof(path), "%s/cpu.weight", group);
        write_text(path, full ? WEIGHT_FULL : WEIGHT_SMALL);
    }
    if (geteuid() != 0)
        return;
    struct procfs_pids pids = {0};
    if (helper > 0)
        set_nice(helper, full ? 0 : NICE_SMALL);
    if (!place->cpu && cgroup_members(group, &pids) == 0)
        for (size_t i = 0; i < pids.count; i++)
            set_nice(pids.pid[i], full ? 0 : NICE_SMALL);
    procfs_pids_free(&pids);
}
