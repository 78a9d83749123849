#include "mux/resource/weight.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICE_SMALL  10      /* about a ninth of nice 0's share */
#define SLICE_FIRST 500000U /* ns; the kernel's own is about 3 ms */
#define TEXT_FULL   "100"   /* of cpu.weight */
#define TEXT_SMALL  "11"

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

/* sched_setattr(2), its first version; headers that declare it come with some C libraries only. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

void weight_slice(pid_t pid, bool first)
{
    struct attributes attr = {.size = sizeof(attr)};
    if (syscall(SYS_sched_getattr, pid, &attr, sizeof(attr), 0) < 0 || attr.policy != 0)
        return; /* gone, or somebody's own choice */
    attr.runtime = first ? SLICE_FIRST : 0;
    syscall(SYS_sched_setattr, pid, &attr, 0);
}

static void set_nice(pid_t pid, int value)
{
    char path[64], text[8];
    setpriority(PRIO_PROCESS, (id_t)pid, value);
    snprintf(path, sizeof(path), "/proc/%d/autogroup", (int)pid);
    snprintf(text, sizeof(text), "%d", value);
    write_text(path, text);
}

static void set_share(pid_t pid, enum weight weight)
{
    if (geteuid() == 0)
        set_nice(pid, weight == WEIGHT_SMALL ? NICE_SMALL : 0);
    weight_slice(pid, weight == WEIGHT_FIRST);
}

void weight_set(const struct cgroup_place *place, const char *group, pid_t init, pid_t helper,
                enum weight weight)
{
    struct procfs_pids pids = {0};
    if (place->cpu && group[0]) {
        char path[CGROUP_PATH_MAX + 16];
        snprintf(path, sizeof(path), "%s/cpu.weight", group);
        write_text(path, weight == WEIGHT_SMALL ? TEXT_SMALL : TEXT_FULL);
    }
    if (helper > 0)
        set_share(helper, weight);
    if ((group[0] ? cgroup_members(group, &pids) : procfs_tree(init, &pids)) == 0)
        for (size_t i = 0; i < pids.count; i++)
            set_share(pids.pid[i], weight);
    procfs_pids_free(&pids);
}
