#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

struct process {
    pid_t pid, parent;
    char state;
    bool below;
};

static bool read_process(pid_t pid, struct process *process)
{
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    char *end = strrchr(text, ')'); /* the name may contain anything */
    int parent;
    *process = (struct process){.pid = pid};
    if (!end || sscanf(end + 1, " %c %d", &process->state, &parent) != 2)
        return false;
    process->parent = parent;
    return true;
}

/* Every process of the host. The caller frees. */
static struct process *all_processes(size_t *count)
{
    struct process *list = NULL;
    size_t room = 0;
    DIR *proc = opendir("/proc");
    *count = 0;
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        struct process process;
        if (pid <= 0 || !read_process(pid, &process))
            continue;
        if (*count == room) {
            room = room ? 2 * room : 256;
            list = realloc(list, room * sizeof(*list));
            if (!list)
                abort();
        }
        list[(*count)++] = process;
    }
    if (proc)
        closedir(proc);
    return list;
}

size_t world_processes(pid_t *pids, size_t size)
{
    size_t count, found = 0;
    struct process *list = all_processes(&count);
    pid_t self = getpid();
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < count; i++) {
            bool below = list[i].parent == self;
            for (size_t j = 0; j < count && !below; j++)
                below = list[j].below && list[j].pid == list[i].parent;
            more = more || (below && !list[i].below);
            list[i].below = below;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (list[i].below && list[i].state != 'Z') {
            if (found < size)
                pids[found] = list[i].pid;
            found++;
        }
    free(list);
    return found < size ? found : size;
}

static ino_t pid_namespace(pid_t pid)
{
    char path[64];
    struct stat info;
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
    return stat(path, &info) == 0 ? info.st_ino : 0;
}

bool process_in_namespace_below(pid_t pid)
{
    ino_t own = pid_namespace(getpid()), its = pid_namespace(pid);
    return its != 0 && its != own;
}

size_t world_inside(pid_t init, pid_t *pids, size_t size)
{
    ino_t space = pid_namespace(init);
    ck_assert_msg(space != 0, "process %d is gone", (int)init);
    ck_assert_msg(space != pid_namespace(getpid()), "no pid namespace of its own");
    size_t count, found = 0;
    struct process *list = all_processes(&count);
    for (size_t i = 0; i < count; i++)
        if (list[i].state != 'Z' && pid_namespace(list[i].pid) == space && found < size)
            pids[found++] = list[i].pid;
    free(list);
    return found;
}

bool world_alive(pid_t pid)
{
    struct process process;
    return read_process(pid, &process) && process.state != 'Z';
}

bool process_name(pid_t pid, char *out, size_t size)
{
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (length <= 0)
        return false;
    text[length] = '\0';
    const char *slash = strrchr(text, '/');
    snprintf(out, size, "%s", slash ? slash + 1 : text);
    return true;
}

void process_names(char *out, size_t size)
{
    pid_t pids[64];
    size_t count = world_processes(pids, 64), at = 0;
    for (size_t i = 0; i < count && at < size; i++) {
        char name[64] = "?";
        process_name(pids[i], name, sizeof(name));
        at += (size_t)snprintf(out + at, size - at, "%s(%d) ", name, (int)pids[i]);
    }
}

void process_end_all(void)
{
    pid_t pids[4096];
    size_t count;
    for (int round = 0; round < 100 && (count = world_processes(pids, 4096)) > 0; round++) {
        for (size_t i = 0; i < count; i++)
            kill(pids[i], SIGKILL);
        world_breathe();
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

static void run(const char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

/* Programs that go down any depth. */
void process_remove_tree(const char *path)
{
    run((const char *const[]){"chmod", "-R", "-f", "u+rwX", "--", path, NULL});
    run((const char *const[]){"rm", "-rf", "--", path, NULL});
}

/* What a failed test has left: its logs are worth reading, then everything goes. */
static void print_log(const char *path)
{
    const char *text = world_read(path);
    size_t size = strlen(text);
    if (size > 0)
        printf("--- %s\n%s\n", path, size > 4000 ? text + size - 4000 : text);
}

static int visit_log(const char *path, const struct stat *info, int type, struct FTW *where)
{
    size_t size = strlen(path);
    if (type == FTW_F && size > 4 && strcmp(path + size - 4, ".log") == 0)
        print_log(path);
    return 0;
}

static void end_worlds(void)
{
    char prefix[32];
    snprintf(prefix, sizeof(prefix), "bjt-%d-", (int)getpid());
    DIR *tmp = opendir("/tmp");
    for (struct dirent *entry; tmp && (entry = readdir(tmp));) {
        char path[300];
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        snprintf(path, sizeof(path), "/tmp/%s", entry->d_name);
        nftw(path, visit_log, 32, FTW_PHYS);
        char state[320]; /* where a test may have mounted a small file system */
        snprintf(state, sizeof(state), "%s/state", path);
        umount2(state, MNT_DETACH);
        process_remove_tree(path);
    }
    if (tmp)
        closedir(tmp);
}

int world_main(Suite *suite)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    fflush(stdout);
    process_end_all();
    end_worlds();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
