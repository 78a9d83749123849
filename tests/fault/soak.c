/*
 * Many sandboxes for a long time, with dashboards that come and go: memory and descriptors of the
 * server, of every monitor and of every shim are flat at the end.
 *
 * $BELLJAR_SOAK_SANDBOXES (50), $BELLJAR_SOAK_SECONDS (3600).
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/eye.h"
#include "tests/e2e/world.h"
#include "tests/fault/harness.h"

#define SANDBOXES_MAX 200
#define PROCESSES_MAX (1 + 2 * SANDBOXES_MAX)

/* What may come on top between two looks: a reallocation that doubled, a block of scrollback. */
#define MEMORY_SLACK_KIB 1024L
#define DESCRIPTOR_SLACK 2L

static struct world world;

struct process {
    const char *kind;
    char name[32]; /* of the sandbox */
    pid_t pid;
    long memory, descriptors; /* KiB private, number */
};

static long private_memory(pid_t pid)
{
    char path[64];
    long sum = 0;
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
    for (const char *at = strstr(world_read(path), "Private_"); at; at = strstr(at + 1, "Private_"))
        sum += strtol(strchr(at, ':') + 1, NULL, 10);
    return sum;
}

static long descriptors(pid_t pid)
{
    char path[64];
    long count = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *directory = opendir(path);
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

static void look_at(struct process *process, const char *kind, const char *name, pid_t pid)
{
    process->kind = kind;
    snprintf(process->name, sizeof(process->name), "%s", name);
    process->pid = pid;
    process->memory = private_memory(pid);
    process->descriptors = descriptors(pid);
}

/* Entry 0 is the server, then come a monitor and a shim for each sandbox. Returns how many. */
static long look(struct process *processes, long count)
{
    look_at(&processes[0], "server", "", world_server(&world));
    for (long i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof(name), "s%ld", i + 1);
        look_at(&processes[1 + i], "monitor", name,
                (pid_t)world_number(&world, name, "monitor_pid"));
        look_at(&processes[1 + count + i], "shim", name,
                (pid_t)world_number(&world, name, "init_pid"));
    }
    return 1 + 2 * count;
}

/* What all processes of one kind have together, and the largest of them. */
static void print_kind(const char *kind, const struct process *processes, long count)
{
    long number = 0, memory = 0, largest = 0, open_now = 0;
    for (long i = 0; i < count; i++) {
        if (strcmp(processes[i].kind, kind) != 0)
            continue;
        number++;
        memory += processes[i].memory;
        largest = processes[i].memory > largest ? processes[i].memory : largest;
        open_now += processes[i].descriptors;
    }
    printf("  %ld %s: %ld KiB private, largest %ld, %ld descriptors\n", number, kind, memory,
           largest, open_now);
}

static void print_kinds(const char *when, const struct process *processes, long count)
{
    printf("%s\n", when);
    print_kind("server", processes, count);
    print_kind("monitor", processes, count);
    print_kind("shim", processes, count);
    fflush(stdout);
}

/* Dashboards of several sizes attach, look around and leave or are killed, until then. */
static void visit(long long until)
{
    static const char *const keys[] = {"l", "q", "z", "z", "\t", "T", "?", "\x1b", EYE_DOWN};
    static const int sizes[][2] = {{24, 80}, {50, 160}, {60, 250}};
    for (int visits = 0; world_now() < until; visits++) {
        const int *size = sizes[visits % 3];
        struct eye *eye =
            eye_open(size[0], size[1], (const char *const[]){world.belljar, "attach", NULL});
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            eye_type(eye, keys[i]);
            eye_pump(eye, 200);
        }
        if (visits % 4 == 0) {
            kill(eye->pid, SIGKILL);
        } else {
            eye_type(eye, "Q");
            eye_wait_end(eye);
        }
        eye_close(eye);
    }
}

START_TEST(flat)
{
    static struct process before[PROCESSES_MAX], after[PROCESSES_MAX];
    long count = fault_number("BELLJAR_SOAK_SANDBOXES", 50);
    long seconds = fault_number("BELLJAR_SOAK_SECONDS", 3600);
    ck_assert_msg(count > 0 && count <= SANDBOXES_MAX && seconds > 0, "1 to %d sandboxes",
                  SANDBOXES_MAX);
    world_open(&world);
    for (long i = 1; i <= count; i++) {
        char name[24];
        snprintf(name, sizeof(name), "s%ld", i);
        BELLJAR_OK(&world, "run", "-d", "-n", name, "--scrollback", "1000", "--record-limit", "1M",
                   "--", "sh", "-c",
                   "while :; do date; seq -f '%05.0f of the lines that it prints' 300; sleep 5;"
                   " done");
    }
    /* A quarter of the time is for limits to be reached: scrollback, recordings, caches. */
    visit(world_now() + seconds * 250);
    long processes = look(before, count);
    print_kinds("after a quarter", before, processes);
    visit(world_now() + seconds * 750);
    look(after, count);
    print_kinds("at the end", after, processes);
    bool flat = true;
    for (long i = 0; i < processes; i++) {
        bool grew = after[i].memory > before[i].memory + before[i].memory / 10 + MEMORY_SLACK_KIB ||
                    after[i].descriptors > before[i].descriptors + DESCRIPTOR_SLACK ||
                    after[i].pid != before[i].pid;
        if (grew)
            printf("%s %s GREW: %ld to %ld KiB, %ld to %ld descriptors, process %d to %d\n",
                   after[i].kind, after[i].name, before[i].memory, after[i].memory,
                   before[i].descriptors, after[i].descriptors, before[i].pid, after[i].pid);
        flat = flat && !grew;
    }
    ck_assert(flat);
    world_close(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("soak");
    TCase *cases = tcase_create("soak");
    tcase_set_timeout(cases, 0);
    tcase_add_test(cases, flat);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
