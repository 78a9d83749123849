#include "mux/driver/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mux/filter/apply.h"
#include "mux/resource/cgroup.h"
#include "tests/unit/server/suite.h"

static struct bj_error error;

struct world {
    int go[2], trouble[2], null;
    const char *argv[3];
};

static void open_world(struct world *world)
{
    *world = (struct world){.argv = {"sleep", "60"}};
    ck_assert(pipe2(world->go, O_CLOEXEC) == 0 && pipe2(world->trouble, O_CLOEXEC) == 0);
    world->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(world->null, 0);
}

static pid_t start(const struct world *world, const char *program, int cgroup)
{
    static char *const none[] = {NULL};
    struct launch launch = {.program = program,
                            .argv = (char *const *)world->argv,
                            .envp = none,
                            .go = world->go[0],
                            .go_other = world->go[1],
                            .trouble = world->trouble[1],
                            .null = world->null,
                            .keep = {-1},
                            .cgroup = cgroup};
    pid_t pid = launch_fork(&launch, &error);
    ck_assert_int_gt(pid, 0);
    close(world->go[0]);
    close(world->trouble[1]);
    return pid;
}

/* As some containers do it. */
static void refuse_clone3(void)
{
    static const struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    ck_assert_int_eq(filter_apply(program, 4, &error), 0);
}

static bool populated(void *argument)
{
    return cgroup_populated(argument);
}

static bool removed(void *argument)
{
    return cgroup_remove(argument) == 0;
}

/* In its group before it is let go, and nobody else is in it. */
static void wait_in_cgroup(const char *name, bool refused)
{
    struct cgroup_place place;
    struct cgroup_limits limits = {0};
    struct procfs_pids pids = {0};
    struct world world;
    char path[CGROUP_PATH_MAX];
    cgroup_find(&place);
    if (!place.path[0])
        return; /* none is ours on this machine */
    ck_assert_int_eq(cgroup_make(&place, name, &limits, path, &error), 0);
    int group = cgroup_open(path, &error);
    ck_assert_int_ge(group, 0);
    open_world(&world);
    if (refused)
        refuse_clone3();
    pid_t pid = start(&world, "/bin/sleep", group);
    close(group);
    if (refused)
        suite_wait_for(populated, path);
    ck_assert_int_eq(cgroup_members(path, &pids), 0);
    ck_assert_uint_eq(pids.count, 1);
    ck_assert_int_eq(pids.pid[0], pid);
    procfs_pids_free(&pids);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    suite_wait_for(removed, path);
}

START_TEST(it_is_born_in_its_cgroup)
{
    wait_in_cgroup("testborn", false);
}
END_TEST

START_TEST(without_clone3_it_moves_there)
{
    wait_in_cgroup("testmove", true);
}
END_TEST

/* Who started it has died before it was let go. */
START_TEST(it_ends_with_who_started_it)
{
    struct world world;
    int wait_status;
    open_world(&world);
    pid_t pid = start(&world, "/bin/sleep", -1);
    close(world.go[1]);
    ck_assert_int_eq(waitpid(pid, &wait_status, 0), pid);
    ck_assert(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0);
}
END_TEST

static void fail_to(const char *program, bool bad_group, const char *words)
{
    struct world world;
    char trouble[64];
    int wait_status;
    open_world(&world);
    pid_t pid = start(&world, program, bad_group ? world.null : -1);
    if (write(world.go[1], "", 1) != 1)
        ck_assert_int_eq(errno, EPIPE); /* it failed before it had to wait */
    ck_assert_int_gt(read(world.trouble[0], trouble, sizeof(trouble)), 0);
    ck_assert_int_eq(trouble[0], LAUNCH_REPORT);
    launch_explain(trouble, &error);
    ck_assert_ptr_nonnull(strstr(error.text, words));
    ck_assert_int_eq(waitpid(pid, &wait_status, 0), pid);
    ck_assert(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 125);
}

START_TEST(what_went_wrong_is_told)
{
    fail_to("/bin/no-such-program", false, "execute the program that builds the wall");
    fail_to("/bin/sleep", true, "enter the sandbox's cgroup");
}
END_TEST

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const TTest *const cases[] = {it_is_born_in_its_cgroup, without_clone3_it_moves_there,
                                  it_ends_with_who_started_it, what_went_wrong_is_told, NULL};
    return suite_run("launch", cases);
}
