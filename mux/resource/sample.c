#include "mux/resource/sample.h"

#include <errno.h>
#include <stdlib.h>

#include "mux/resource/cgroup.h"
#include "mux/resource/procfs.h"

static void read_processes(struct sample *sample, const struct sample_source *source,
                           struct procfs_pids *pids)
{
    struct procfs_usage usage = {0};
    uint64_t count = 0;
    for (size_t i = 0; i < pids->count; i++)
        if (procfs_usage_add(pids->pid[i], &usage) == 0)
            count++;
    sample->pids = count;
    /* Figures of processes that ended go with them; what was counted stays counted. */
    if (usage.disk_read > sample->disk_read)
        sample->disk_read = usage.disk_read;
    if (usage.disk_write > sample->disk_write)
        sample->disk_write = usage.disk_write;
    sample->has_disk = usage.has_disk;

    sample->has_memory = true;
    if (!source->cgroup[0] || cgroup_memory(source->cgroup, &sample->memory) < 0)
        sample->memory = usage.memory;
    uint64_t usec;
    if (!source->cgroup[0] || cgroup_cpu(source->cgroup, &usec) < 0)
        usec = usage.cpu_usec;
    if (usec > sample->cpu_usec)
        sample->cpu_usec = usec;
}

/* Percent of one core. */
static double share(uint64_t usec, uint64_t nanoseconds)
{
    return (double)usec * 100000.0 / (double)nanoseconds;
}

static bool differs(uint64_t a, uint64_t b, uint64_t by)
{
    return a > b ? a - b >= by : b - a >= by;
}

int sample_take(struct sample *sample, const struct sample_source *source, uint64_t now)
{
    struct sample before = *sample;
    struct procfs_pids pids = {0};
    int status = procfs_tree(source->init, &pids);
    if (status == 0)
        read_processes(sample, source, &pids);
    procfs_pids_free(&pids);
    if (status < 0)
        return status;
    sample->has_net = procfs_network(source->init, &sample->net_in, &sample->net_out) == 0;
    sample->has_cpu = before.taken != 0; /* a share of the time between two looks */
    sample->taken = now;
    if (before.taken && now > before.taken)
        sample->cpu = share(sample->cpu_usec - before.cpu_usec, now - before.taken);
    double change = sample->cpu > before.cpu ? sample->cpu - before.cpu : before.cpu - sample->cpu;
    return !before.taken || change >= 0.1 || differs(sample->memory, before.memory, 64 * 1024) ||
           sample->pids != before.pids || sample->disk_read != before.disk_read ||
           sample->disk_write != before.disk_write || sample->net_in != before.net_in ||
           sample->net_out != before.net_out;
}

int sample_glance(struct glance *glance, const struct sample_source *source, uint64_t now)
{
    struct glance before = *glance;
    uint64_t usec;
    if (!source->cgroup[0] || cgroup_cpu(source->cgroup, &usec) < 0)
        return -ENOENT;
    *glance = (struct glance){.taken = now, .cpu_usec = usec};
    glance->has_cpu = before.taken != 0 && now > before.taken && usec >= before.cpu_usec;
    if (glance->has_cpu)
        glance->cpu = share(usec - before.cpu_usec, now - before.taken);
    return 0;
}

int64_t sample_peek(const struct sample *sample, const struct sample_source *source)
{
    uint64_t usec;
    if (source->cgroup[0] && cgroup_cpu(source->cgroup, &usec) == 0)
        return (int64_t)(usec - sample->cpu_usec);
    return -ENOENT;
}
