/*
 * Limits that no kernel controller enforces: who is over one is paused, with an alert, and nothing
 * is lost.
 */
#include "human.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static struct world world;

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static bool alerted(const char *text)
{
    return HUMAN_READS(&world, text, "alerts", "--json");
}

START_TEST(time_is_up)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--wall-clock", "2s", "--", "bash", "-c",
               "echo ready; exec sleep 1000");
    WAIT_FOR(world_state_is(&world, "one", "paused"));
    ck_assert(alerted("time is used up"));
    BELLJAR_OK(&world, "resume", "one"); /* the human's word; it is said once */
    ck_assert(world_state_is(&world, "one", "running"));
    ck_assert(world_shows(&world, "one", "ready"));
}
END_TEST

START_TEST(disk_is_full)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--disk", "20m", "--", "bash", "-c",
               "head -c 50M /dev/urandom > big; echo written; exec sleep 1000");
    WAIT_FOR(world_state_is(&world, "one", "paused"));
    ck_assert(alerted("its files take"));
    ck_assert(world_shows(&world, "one", "written"));
}
END_TEST

/* Where the kernel has a controller it ends the process instead. */
START_TEST(memory_is_over)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--memory", "64m", "--", "python3", "-c",
               "import time; x = b'x' * 300000000; print('filled', flush=True); time.sleep(1000)");
    WAIT_FOR(world_state_is(&world, "one", "paused") || world_state_is(&world, "one", "exited"));
    if (world_state_is(&world, "one", "paused"))
        ck_assert(alerted("its memory is"));
}
END_TEST

START_TEST(below_is_let_be)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "small", "--disk", "1g", "--memory", "1g", "--wall-clock",
               "1h", "--", "bash", "-c", "echo ready; exec sleep 1000");
    BELLJAR_OK(&world, "run", "-d", "-n", "clock", "--wall-clock", "2s", "--", "sleep", "1000");
    WAIT_FOR(world_state_is(&world, "clock", "paused")); /* so there was a look at both */
    ck_assert(world_state_is(&world, "small", "running"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("e2e-quota");
    TCase *tcase = tcase_create("quota");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, time_is_up);
    tcase_add_test(tcase, disk_is_full);
    tcase_add_test(tcase, memory_is_over);
    tcase_add_test(tcase, below_is_let_be);
    suite_add_tcase(suite, tcase);
    return world_main(suite);
}
