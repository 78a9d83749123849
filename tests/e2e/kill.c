/*
 * `belljar kill` leaves nothing behind, whatever the agent does against it, and `belljar pause
 * --all` stops all of them, whatever has become of the dashboard.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct world world;

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

/* Kills it and asserts that no process, mount, socket or cgroup of it is left. */
static void kill_and_check(const char *name)
{
    static pid_t inside[8192];
    char id[64];
    snprintf(id, sizeof(id), "%s", world_field(&world, name, "id"));
    ck_assert_str_ne(id, "");
    pid_t init = (pid_t)world_number(&world, name, "init_pid");
    pid_t monitor = (pid_t)world_number(&world, name, "monitor_pid");
    size_t count = world_inside(init, inside, sizeof(inside) / sizeof(inside[0]));
    ck_assert_uint_gt(count, 0);

    long long began = world_now();
    BELLJAR_OK(&world, "kill", name); /* fails when not all is gone in two seconds */
    printf("%s, %zu processes: killed in %lld ms\n", name, count, world_now() - began);

    for (size_t i = 0; i < count; i++)
        ck_assert_msg(!world_alive(inside[i]), "process %d is left", (int)inside[i]);
    ck_assert(!world_alive(monitor));
    ck_assert_msg(!world_mount_named(id), "a mount is left");
    ck_assert_msg(!world_socket_named(id), "a socket is left");
    ck_assert_msg(!world_cgroup_named(id), "a cgroup is left");
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", world.runtime, id);
    ck_assert_msg(access(path, F_OK) != 0, "%s is left", path);
    ck_assert(world_state_is(&world, name, "exited"));
}

/* Each ignores what can be ignored; the last fills its limit of processes. */
static const struct agent {
    const char *name;
    const char *script;
    const char *ready;
} agents[] = {
    {"plain", "echo ready; sleep 1000", "ready"},
    {"deaf",
     "trap '' TERM HUP INT QUIT TSTP TTIN TTOU USR1 USR2 PIPE; echo ready; "
     "while :; do sleep 1000; done",
     "ready"},
    {"double-fork",
     "for i in 1 2 3 4 5; do (setsid sh -c 'trap \"\" TERM HUP; (setsid sleep 1000 &) ; "
     "sleep 1000' >/dev/null 2>&1 &); done; echo ready; sleep 1000",
     "ready"},
    {"stopped", "(sleep 1000 & kill -STOP $!); echo ready; kill -STOP $$", "ready"},
    {"respawner",
     "f() { (trap '' TERM HUP; while :; do sleep 0.1 & wait; done) & }; "
     "for i in 1 2 3 4 5; do f; done; echo ready; wait",
     "ready"},
    {"fork-bomb",
     "trap '' TERM HUP INT; b() { while :; do (setsid sleep 1000 &) 2>/dev/null || echo full; "
     "done; }; b & b & b & b & exec sleep 1000",
     NULL},
};

START_TEST(leaves_nothing)
{
    const struct agent *agent = &agents[_i];
    BELLJAR_OK(&world, "run", "-d", "-n", agent->name, "--pids", "200", "--", "bash", "-c",
               agent->script);
    pid_t inside[1024];
    if (agent->ready)
        WAIT_FOR(world_shows(&world, agent->name, agent->ready));
    else
        WAIT_FOR(world_inside((pid_t)world_number(&world, agent->name, "init_pid"), inside, 1024) >
                 150);
    kill_and_check(agent->name);
}
END_TEST

/* The limit holds for what is inside, not for everybody together. */
START_TEST(fork_bomb_stays_within_its_limit)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "bomb", "--pids", "100", "--", "bash", "-c",
               agents[5].script);
    BELLJAR_OK(&world, "run", "-d", "-n", "other", "--pids", "100", "--", "bash", "-c",
               "while :; do date >/dev/null || echo failed; echo alive $((++i)); sleep 0.05; done");
    pid_t inside[1024];
    pid_t init = (pid_t)world_number(&world, "bomb", "init_pid");
    WAIT_FOR(world_inside(init, inside, 1024) > 80);
    for (int i = 0; i < 20; i++) {
        ck_assert_uint_le(world_inside(init, inside, 1024), 102);
        world_breathe();
    }
    WAIT_FOR(world_shows(&world, "other", "alive 30"));
    ck_assert(!world_shows(&world, "other", "failed"));
    kill_and_check("bomb");
}
END_TEST

START_TEST(many_at_once)
{
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        BELLJAR_OK(&world, "run", "-d", "-n", name, "--", "bash", "-c", agents[1].script);
    }
    BELLJAR_OK(&world, "kill", "--all");
    pid_t left[64];
    ck_assert_uint_le(world_processes(left, 64), 1);
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        ck_assert(world_state_is(&world, name, "exited"));
    }
}
END_TEST

/* Clock ticks that all processes inside have used. */
static unsigned long long used_inside(const char *name)
{
    pid_t inside[1024];
    char path[64];
    unsigned long long sum = 0, user, system;
    size_t count = world_inside((pid_t)world_number(&world, name, "init_pid"), inside, 1024);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "/proc/%d/stat", (int)inside[i]);
        const char *rest = strrchr(world_read(path), ')');
        if (rest && sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
                           &system) == 2)
            sum += user + system;
    }
    return sum;
}

/* Its screen, and so its place in the server's queues, is full of what it does not take. */
static struct eye *wedged_dashboard(void)
{
    struct eye *eye = eye_open(40, 120, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "8 sandboxes");
    ck_assert_int_eq(kill(eye->pid, SIGSTOP), 0);
    return eye;
}

START_TEST(pause_all_beside_a_wedged_dashboard)
{
    char name[16];
    unsigned long long used[8];
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        human_runs(&world, name, "i=0; while :; do i=$((i+1)); echo \"out $i\"; : $(true); done");
    }
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        WAIT_FOR(world_counted(&world, name) > 0);
    }
    struct eye *stopped = wedged_dashboard(), *other = wedged_dashboard();
    long long began = world_now();
    BELLJAR_OK(&world, "pause", "--all");
    long long took = world_now() - began;
    printf("8 busy agents were paused in %lld ms\n", took);
#if !defined(__SANITIZE_ADDRESS__)
    ck_assert_int_lt(took, world_patience() / 6); /* 200 ms is the aim, but not of every machine */
#endif
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        ck_assert(world_state_is(&world, name, "paused"));
        used[i] = used_inside(name);
        ck_assert_uint_gt(used[i], 0);
    }
    for (int i = 0; i < 20; i++)
        world_breathe();
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        ck_assert_msg(used_inside(name) == used[i], "%s goes on", name);
        ck_assert_int_gt(world_counted(&world, name), 0); /* it can be looked at */
    }
    BELLJAR_OK(&world, "kill", "n0");
    BELLJAR_OK(&world, "resume", "--all");
    for (int i = 1; i < 8; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        WAIT_FOR(used_inside(name) > used[i]);
    }
    eye_close(stopped);
    eye_close(other);
}
END_TEST

/* The same when the monitor was killed just before, and when the server is a new one. */
START_TEST(without_monitor_and_server)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "a", "--", "bash", "-c", agents[2].script);
    WAIT_FOR(world_shows(&world, "a", "ready"));
    kill((pid_t)world_number(&world, "a", "monitor_pid"), SIGKILL);
    kill(world_server(&world), SIGKILL);
    WAIT_FOR(world_server(&world) == 0);
    WAIT_FOR(world_number(&world, "a", "init_pid") > 0);
    kill_and_check("a");
}
END_TEST

/* The agent's own end takes its children with it. */
START_TEST(exit_leaves_nothing)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "a", "--", "bash", "-c",
               "(setsid sleep 1000 &); (trap '' TERM HUP; sleep 1000) & exit 0");
    WAIT_FOR(world_state_is(&world, "a", "exited"));
    pid_t left[64];
    WAIT_FOR(world_processes(left, 64) <= 2); /* server and monitor */
    pid_t init = (pid_t)world_number(&world, "a", "init_pid");
    ck_assert(init == 0 || !world_alive(init));
    ck_assert_int_eq(world_number(&world, "a", "exit_code"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kill");
    TCase *cases = tcase_create("kill");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_loop_test(cases, leaves_nothing, 0, sizeof(agents) / sizeof(agents[0]));
    tcase_add_test(cases, fork_bomb_stays_within_its_limit);
    tcase_add_test(cases, many_at_once);
    tcase_add_test(cases, pause_all_beside_a_wedged_dashboard);
    tcase_add_test(cases, without_monitor_and_server);
    tcase_add_test(cases, exit_leaves_nothing);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
