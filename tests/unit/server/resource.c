#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "mux/resource/cgroup.h"
#include "mux/resource/fence.h"
#include "mux/resource/process.h"
#include "mux/resource/procfs.h"
#include "mux/resource/reader.h"
#include "mux/resource/sample.h"
#include "mux/resource/tree.h"
#include "mux/resource/weight.h"
#include "tests/unit/server/suite.h"

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

/* A process with two children, all of which wait; with `busy` one of them spins. */
static pid_t family(bool busy)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid)
        return pid;
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            for (;;)
                if (!busy || i)
                    pause();
    for (;;)
        pause();
}

static bool has_children(void *argument)
{
    struct procfs_pids pids = {0};
    procfs_tree(*(pid_t *)argument, &pids);
    bool all = pids.count == 3;
    procfs_pids_free(&pids);
    return all;
}

static void end_family(pid_t pid)
{
    struct procfs_pids pids = {0};
    procfs_tree(pid, &pids);
    for (size_t i = 0; i < pids.count; i++)
        kill(pids.pid[i], SIGKILL);
    procfs_pids_free(&pids);
    waitpid(pid, NULL, 0);
}

START_TEST(identity)
{
    struct process_id self, other;
    ck_assert_int_eq(process_identify(getpid(), &self), 0);
    ck_assert(process_alive(&self));
    other = self;
    other.start++;
    ck_assert(!process_alive(&other));
    ck_assert_int_eq(process_signal(&other, 0), -ESRCH);
    ck_assert_int_eq(process_signal(&self, 0), 0);
    ck_assert_int_eq(process_signal(&(struct process_id){0}, 0), -ESRCH);
    ck_assert_int_eq(process_parent(getpid()), getppid());
    ck_assert_int_eq(process_inner_pid(getpid()), getpid());
    ck_assert_int_eq(process_identify(0, &other), -ESRCH);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    siginfo_t info;
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(process_identify(pid, &other), 0);
    ck_assert(!process_alive(&other)); /* a zombie */
    waitpid(pid, NULL, 0);
    char boot[PROCESS_BOOT_ID_MAX];
    ck_assert_int_eq(process_boot_id(boot), 0);
    ck_assert_uint_eq(strlen(boot), 36);
}
END_TEST

static bool spins(void *argument)
{
    struct sample *sample = ((void **)argument)[0];
    struct sample_source *source = ((void **)argument)[1];
    ck_assert_int_ge(sample_take(sample, source, now()), 0);
    return sample->cpu > 20.0;
}

/* A file of 64 KiB in the open folder. */
static void put_file(const char *name)
{
    static const char bytes[65536] = "x";
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
    ck_assert_int_eq(fsync(fd), 0); /* some file systems give out blocks late */
    close(fd);
}

/* Makes `depth` folders inside each other, a file in the last, and removes all again. */
static int count_deep(struct tree_use *use, unsigned depth)
{
    int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
    for (unsigned i = 0; i < depth; i++)
        ck_assert(mkdir("deeper", 0700) == 0 && chdir("deeper") == 0);
    put_file("deepest");
    int last = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(fchdir(home), 0);
    *use = (struct tree_use){0};
    status = tree_add(use, ".");
    ck_assert_int_eq(fchdir(last), 0);
    ck_assert_int_eq(unlink("deepest"), 0);
    for (unsigned i = 0; i < depth; i++)
        ck_assert(chdir("..") == 0 && rmdir("deeper") == 0);
    close(home);
    close(last);
    return status;
}

START_TEST(the_size_of_a_tree)
{
    struct tree_use use = {0};
    char root[SUITE_PATH_MAX];
    suite_directory(root);
    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(chdir(root), 0);
    ck_assert_int_eq(tree_add(&use, "nowhere"), -ENOENT);
    ck_assert_int_eq(count_deep(&use, 100), 0);
    ck_assert_uint_eq(use.files, 102);
    ck_assert_uint_ge(use.bytes, 65536);
    ck_assert_int_eq(count_deep(&use, 200), -E2BIG); /* what hides there is not missed in silence */
    put_file("one");
    ck_assert_int_eq(link("one", "two"), 0);
    ck_assert_int_eq(symlink("/", "out"), 0);
    ck_assert_int_eq(symlink("..", "up"), 0);
    use = (struct tree_use){0};
    ck_assert_int_eq(tree_add(&use, "."), 0);
    ck_assert_uint_eq(use.files, 5);
    ck_assert_uint_ge(use.bytes, 65536);
    ck_assert_uint_lt(use.bytes, 2 * 65536);
    ck_assert_int_eq(tree_add(&use, "up"), -ENOTDIR);
    ck_assert_int_eq(mkdir("closed", 0), 0);
    if (geteuid() != 0)
        ck_assert_int_eq(tree_add(&use, "."), -EACCES);
    struct rlimit files, few = {0};
    int lowest = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &files);
    few.rlim_max = files.rlim_max;
    few.rlim_cur = (rlim_t)lowest + 1; /* the root's own, and none for what is in it */
    setrlimit(RLIMIT_NOFILE, &few);
    int status = tree_add(&use, ".");
    setrlimit(RLIMIT_NOFILE, &files);
    ck_assert_int_eq(status, -EMFILE);
    ck_assert_int_eq(fchdir(before), 0);
    close(before);
    suite_remove(root);
}
END_TEST

START_TEST(samples_of_real_children)
{
    pid_t pid = family(true);
    suite_wait_for(has_children, &pid);
    struct sample sample = {0};
    struct sample_source source = {"", pid};
    ck_assert_int_eq(sample_take(&sample, &source, now()), 1);
    ck_assert_uint_eq(sample.pids, 3);
    ck_assert(sample.has_memory && sample.memory > 0);
    ck_assert(!sample.has_cpu); /* a share needs two looks */
    ck_assert(sample.has_disk);
    void *both[] = {&sample, &source};
    suite_wait_for(spins, both);
    ck_assert(sample.has_cpu);
    end_family(pid);
    ck_assert_int_eq(sample_take(&sample, &source, now()), -ESRCH);
}
END_TEST

START_TEST(a_namespace_stops_and_goes_on)
{
    if (geteuid() != 0)
        return; /* making a pid namespace needs root */
    int ready[2];
    ck_assert_int_eq(pipe(ready), 0);
    pid_t outer = fork();
    if (outer == 0) {
        if (unshare(CLONE_NEWPID) < 0)
            _exit(1);
        pid_t init = family(true);
        if (write(ready[1], &init, sizeof(init)) < 0)
            _exit(1);
        waitpid(init, NULL, 0);
        _exit(0);
    }
    pid_t init = 0;
    ck_assert_int_eq((int)read(ready[0], &init, sizeof(init)), (int)sizeof(init));
    ck_assert_int_eq(process_inner_pid(init), 1);
    suite_wait_for(has_children, &init);
    uint64_t inode, own;
    struct procfs_pids pids = {0};
    ck_assert_int_eq(procfs_namespace(init, &inode), 0);
    ck_assert_int_eq(procfs_namespace(getpid(), &own), 0);
    ck_assert(inode != own);
    ck_assert_int_eq(procfs_members(inode, &pids), 0);
    ck_assert_uint_eq(pids.count, 3);

    struct fence fence = {.cgroup = ""};
    process_identify(init, &fence.init);
    process_identify(outer, &fence.outer);
    while (fence_stop(&fence, true) == 0)
        ;
    for (size_t i = 0; i < pids.count; i++)
        ck_assert_int_eq(process_state(pids.pid[i]), 'T');
    while (fence_stop(&fence, false) == 0)
        ;
    for (size_t i = 0; i < pids.count; i++)
        ck_assert_int_ne(process_state(pids.pid[i]), 'T');
    while (fence_kill(&fence) == 0)
        ;
    ck_assert_int_eq(procfs_members(inode, &pids), 0);
    ck_assert_uint_eq(pids.count, 0);
    ck_assert_int_eq(fence_stop(&fence, true), -ESRCH);
    procfs_pids_free(&pids);
    waitpid(outer, NULL, 0);
}
END_TEST

static char *volatile memory; /* so that it is really used */

static void *use_memory(void *argument)
{
    size_t size = 32U << 20;
    memory = malloc(size);
    if (memory)
        memset(memory, 1, size);
    if (write(*(int *)argument, "x", 1) < 0)
        _exit(1);
    for (;;)
        pause();
}

/* A process whose first thread has ended is a zombie to a hasty look: it uses memory, and stops. */
START_TEST(a_first_thread_that_ended)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t outer = fork();
    if (outer == 0) {
        pthread_t thread;
        if (geteuid() == 0 && unshare(CLONE_NEWPID) < 0)
            _exit(1);
        pid_t init = fork();
        if (init == 0) {
            pthread_create(&thread, NULL, use_memory, &ready[1]);
            syscall(SYS_exit, 0);
        }
        if (write(ready[1], &init, sizeof(init)) < 0)
            _exit(1);
        waitpid(init, NULL, 0);
        _exit(0);
    }
    pid_t init = 0;
    struct procfs_usage usage = {0};
    ck_assert_int_eq((int)read(ready[0], &init, sizeof(init)), (int)sizeof(init));
    ck_assert_int_eq((int)read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(process_state(init), 'Z');
    ck_assert_int_eq(procfs_usage_add(init, &usage), 0);
    ck_assert_uint_gt(usage.memory, 30U << 20);
    if (geteuid() == 0) { /* else the namespace is this test's own */
        uint64_t inode;
        struct procfs_pids pids = {0};
        ck_assert_int_eq(procfs_namespace(init, &inode), 0);
        ck_assert_int_eq(procfs_members(inode, &pids), 0);
        ck_assert_uint_eq(pids.count, 1);
        while (procfs_stop_pass(init, true) == 0)
            ;
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/task", (int)init);
        DIR *tasks = opendir(path);
        ck_assert_ptr_nonnull(tasks);
        for (const struct dirent *entry; (entry = readdir(tasks));) {
            pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
            ck_assert(thread <= 0 || thread == init || process_state(thread) == 'T');
        }
        closedir(tasks);
        procfs_pids_free(&pids);
    }
    kill(init, SIGKILL);
    waitpid(outer, NULL, 0);
}
END_TEST

/* What the program on a shim's terminal does. */
enum program { ASKS, ASKS_IN_A_THREAD, SLEEPS, READS_RAW, READS_A_PIPE, IS_A_SHELL };

static void *read_a_line(void *argument)
{
    char line[64];
    while (read(*(int *)argument, line, sizeof(line)) != 0)
        ;
    return NULL;
}

static void run_program(enum program program)
{
    struct termios modes;
    pthread_t thread;
    int from = 0, ends[2];
    tcgetattr(0, &modes);
    if (program == READS_RAW)
        modes.c_lflag &= ~(tcflag_t)ICANON;
    tcsetattr(0, TCSANOW, &modes);
    if (program == READS_A_PIPE && pipe(ends) == 0)
        from = ends[0];
    if (program == IS_A_SHELL)
        for (size_t i = 0; i < 2; i++)
            signal(i ? SIGTSTP : SIGTTOU, SIG_IGN);
    if (program == ASKS_IN_A_THREAD)
        pthread_create(&thread, NULL, read_a_line, &from);
    else if (program != SLEEPS)
        read_a_line(&from);
    for (;;)
        pause();
}

/* A process that holds a terminal's master, as a shim does, and the program on it. */
static struct process_id shim_with(enum program program)
{
    int ready[2];
    char byte;
    struct process_id id;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        unlockpt(master);
        if (fork() == 0) {
            int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
            setsid();
            if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, 0) < 0 ||
                write(ready[1], "x", 1) < 0)
                _exit(1);
            close(master);
            run_program(program);
        }
        for (;;)
            pause();
    }
    close(ready[1]);
    ck_assert_int_eq((int)read(ready[0], &byte, 1), 1);
    close(ready[0]);
    ck_assert_int_eq(process_identify(pid, &id), 0);
    return id;
}

static bool is_seen_to_read(void *argument)
{
    return reader_looks(argument) == 1;
}

/* Nobody runs any more: what is seen now stays so. */
static bool all_sleep(void *argument)
{
    const struct process_id *id = argument;
    struct procfs_pids pids = {0};
    procfs_tree(id->pid, &pids);
    bool all = pids.count >= 2;
    for (size_t i = 0; i < pids.count; i++)
        all = all && process_state(pids.pid[i]) == 'S';
    procfs_pids_free(&pids);
    return all;
}

START_TEST(who_reads_its_terminal)
{
    static const struct {
        enum program program;
        bool reads;
    } rows[] = {{ASKS, true},       {ASKS_IN_A_THREAD, true}, {SLEEPS, false},
                {READS_RAW, false}, {READS_A_PIPE, false},    {IS_A_SHELL, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct process_id id = shim_with(rows[i].program);
        if (rows[i].reads)
            suite_wait_for(is_seen_to_read, &id);
        else
            for (int look = 0; look < 20; look++) {
                suite_wait_for(all_sleep, &id);
                ck_assert_msg(reader_looks(&id) == 0, "row %zu", i);
            }
        struct process_id other = {id.pid, id.start + 1};
        ck_assert_int_eq(reader_looks(&other), -ESRCH);
        end_family(id.pid);
        ck_assert_int_eq(reader_looks(&id), -ESRCH);
    }
    struct process_id id;
    pid_t without = family(false);
    ck_assert_int_eq(process_identify(without, &id), 0);
    ck_assert_int_eq(reader_looks(&id), -ENOTTY);
    end_family(without);
}
END_TEST

static bool frozen(void *argument)
{
    return cgroup_is_frozen(argument, true) == 1;
}

static bool is_empty(void *argument)
{
    return !cgroup_populated(argument);
}

static bool removed(void *argument)
{
    return cgroup_remove(argument) == 0;
}

static uint64_t slice_of(pid_t pid)
{
    uint64_t attr[6] = {0}; /* struct sched_attr, whose fourth word is sched_runtime */
    ck_assert_int_eq(syscall(SYS_sched_getattr, pid, attr, sizeof(attr), 0), 0);
    return attr[3];
}

START_TEST(a_cgroup_freezes_kills_and_goes)
{
    struct cgroup_place place;
    char path[CGROUP_PATH_MAX];
    struct bj_error error;
    struct cgroup_limits none = {0};
    cgroup_find(&place);
    if (!place.path[0]) {
        ck_assert_uint_gt(strlen(place.why), 0);
        return; /* none is ours on this machine */
    }
    ck_assert_int_eq(cgroup_make(&place, "testtest", &none, path, &error), 0);
    int group = cgroup_open(path, &error);
    int procs = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    ck_assert(group >= 0 && procs >= 0);
    close(group);
    pid_t pid = fork();
    if (pid == 0) {
        if (write(procs, "0", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(procs);
    while (!cgroup_populated(path))
        ;
    struct procfs_pids pids = {0};
    uint64_t usec;
    ck_assert_int_eq(cgroup_members(path, &pids), 0);
    ck_assert_uint_eq(pids.count, 1);
    ck_assert_int_eq(pids.pid[0], pid);
    procfs_pids_free(&pids);
    ck_assert_int_eq(cgroup_cpu(path, &usec), 0);
    ck_assert_int_eq(cgroup_remove(path), -EBUSY);
    weight_set(&place, path, pid, getpid(), WEIGHT_SMALL);
    if (geteuid() == 0)
        ck_assert(getpriority(PRIO_PROCESS, (id_t)pid) == 10 && getpriority(PRIO_PROCESS, 0) == 10);
    weight_set(&place, path, pid, getpid(), WEIGHT_FIRST);
    ck_assert(getpriority(PRIO_PROCESS, (id_t)pid) == 0 && getpriority(PRIO_PROCESS, 0) == 0);
    uint64_t slice = slice_of(pid);
    weight_set(&place, "", pid, 0, WEIGHT_FULL);
    ck_assert(slice == 0 || slice < slice_of(pid)); /* 0: a kernel that has none */
    ck_assert_uint_eq(slice_of(0), slice);
    weight_slice(0, false);
    ck_assert_uint_eq(slice_of(0), slice_of(pid));
    if (place.freeze) {
        ck_assert_int_eq(cgroup_freeze(path, true), 0);
        suite_wait_for(frozen, path);
    }
    if (!place.kill)
        kill(pid, SIGKILL);
    else
        ck_assert_int_eq(cgroup_kill(path), 0); /* frozen as it is */
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    suite_wait_for(is_empty, path);
    suite_wait_for(removed, path);
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* A directory stands for a group whose controllers this machine may not have: the files have the
 * kernel's names (cgroup-v2.rst), and what is written stays to be read. */
static void put(const char *group, const char *name, const char *text)
{
    char path[CGROUP_PATH_MAX * 2];
    snprintf(path, sizeof(path), "%s/%s", group, name);
    FILE *out = fopen(path, "we");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static const char *got(const char *group, const char *name)
{
    static char text[256];
    char path[CGROUP_PATH_MAX * 2];
    snprintf(path, sizeof(path), "%s/%s", group, name);
    ck_assert_int_ge(process_read_file(path, text, sizeof(text)), 0);
    return text;
}

START_TEST(a_cgroup_gets_its_limits)
{
    char directory[SUITE_PATH_MAX], path[CGROUP_PATH_MAX];
    struct bj_error error = {0};
    struct cgroup_limits limits = {.memory = 1U << 30, .millicpus = 1500, .pids = 77};
    struct cgroup_place place = {.memory = true, .cpu = true, .pids = true};
    suite_directory(directory);
    snprintf(place.path, sizeof(place.path), "%s/belljar", directory);
    put(directory, "cgroup.controllers", "cpu memory pids");
    /* Made again, it has none of the controllers that it had. */
    ck_assert_int_eq(cgroup_make(&place, "one", &limits, path, &error), -EIO);
    ck_assert_ptr_nonnull(strstr(error.text, "controller went away"));
    ck_assert_int_eq(mkdir(place.path, 0700), 0); /* it was not left without them */
    /* No such file: the group is not left half limited. */
    ck_assert_int_eq(cgroup_make(&place, "one", &limits, path, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "cannot set the limits"));
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(mkdir(place.path, 0700), 0);
    snprintf(path, sizeof(path), "%s/belljar/one", directory);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    put(path, "memory.max", "max");
    put(path, "memory.swap.max", "max");
    put(path, "cpu.max", "max 100000");
    put(path, "pids.max", "0");
    ck_assert_int_eq(cgroup_make(&place, "one", &limits, path, &error), 0);
    ck_assert_str_eq(got(path, "memory.max"), "1073741824");
    ck_assert_int_eq(got(path, "memory.swap.max")[0], '0');
    ck_assert_str_eq(got(path, "cpu.max"), "150000 100000");
    ck_assert_str_eq(got(path, "pids.max"), "77");
    put(path, "memory.max", "-");
    place.memory = false;
    limits.pids = 0;
    ck_assert_int_eq(cgroup_make(&place, "one", &limits, path, &error), 0);
    ck_assert_str_eq(got(path, "memory.max"), "-"); /* what is not there is not limited */
    ck_assert_int_eq(cgroup_remove(path), -ENOTEMPTY);

    uint64_t bytes, usec;
    ck_assert_int_eq(cgroup_memory(path, &bytes), -ENOENT);
    ck_assert_int_eq(cgroup_cpu(path, &usec), -ENOENT);
    ck_assert_int_eq((int)cgroup_ooms(path), -ENOENT);
    ck_assert_int_eq(cgroup_is_frozen(path, true), -ENOENT);
    ck_assert(!cgroup_populated(path));
    ck_assert_int_eq(cgroup_freeze(path, true), -ENOENT);
    ck_assert_int_eq(cgroup_open("/no-such-group", &error), -ENOENT);
    put(path, "memory.current", "4096\n");
    put(path, "memory.events", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\n");
    put(path, "cgroup.events", "populated 1\nfrozen 1\n");
    put(path, "cpu.stat", "user_usec 1\n");
    ck_assert_int_eq(cgroup_memory(path, &bytes), 0);
    ck_assert_uint_eq(bytes, 4096);
    ck_assert_int_eq((int)cgroup_ooms(path), 1);
    ck_assert_int_eq(cgroup_is_frozen(path, true), 1);
    ck_assert_int_eq(cgroup_is_frozen(path, false), 0);
    ck_assert(cgroup_populated(path));
    ck_assert_int_eq(cgroup_cpu(path, &usec), -ENOENT);
    memset(place.path, 'x', sizeof(place.path) - 1);
    ck_assert_int_lt(cgroup_make(&place, "one", &limits, path, &error), 0);
    suite_remove(directory);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {identity,
                                  a_first_thread_that_ended,
                                  the_size_of_a_tree,
                                  samples_of_real_children,
                                  who_reads_its_terminal,
                                  a_namespace_stops_and_goes_on,
                                  a_cgroup_freezes_kills_and_goes,
                                  a_cgroup_gets_its_limits,
                                  NULL};
    return suite_run("resource", cases);
}
