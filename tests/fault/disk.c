/*
 * A disk that is full again and again, while server and monitors are killed in between: agents go
 * on, the human is told, no verdict is taken that could not be written down, and when there is room
 * again recordings, scrollback, verdicts and the audit chain go on.
 *
 * $BELLJAR_FAULT_DISKS (2) is how often; $BELLJAR_FAULT_SEED (printed) repeats a run. The whole
 * state is on a small file system of the test's own, which only root can mount.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/human.h"
#include "tests/e2e/world.h"

static struct world world;

/* Numbers of the recording never go back but where it says so, which is where it was resumed. */
static void check_recording(long from)
{
    struct result result;
    BELLJAR(&world, &result, "replay", "counter", "--export", "raw");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char text[64];
    snprintf(text, sizeof(text), "out %ld\r\n", from);
    const char *at = strstr(result.out, text);
    ck_assert_msg(at != NULL, "line %ld is not in the recording", from);
    long number, last = from - 1;
    char *save = NULL, *whole = strrchr(result.out, '\n');
    *whole = '\0';
    for (char *line = strtok_r((char *)at, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save)) {
        ck_assert_msg(sscanf(line, "out %ld", &number) == 1 && number == last + 1,
                      "behind line %ld: %s", last, line);
        last = number;
    }
    result_free(&result);
}

static bool disk_write(bool full)
{
    char command[400];
    struct result result;
    if (full)
        snprintf(command, sizeof(command), "cat /dev/zero > %s/fill; true", world.state);
    else
        snprintf(command, sizeof(command), "rm -f %s/fill", world.state);
    world_run(&world, &result, NULL, (const char *const[]){"sh", "-c", command, NULL});
    bool done = result.code == 0;
    result_free(&result);
    return done;
}

static void kill_something(unsigned which)
{
    pid_t server = world_server(&world);
    pid_t monitor = (pid_t)world_number(&world, "counter", "monitor_pid");
    if (which & 1 && server > 0) {
        kill(server, SIGKILL);
        WAIT_FOR(!world_alive(server));
    }
    if (which & 2 && monitor > 0) {
        kill(monitor, SIGKILL);
        WAIT_FOR(!world_alive(monitor));
    }
}

static void check_alive(const long long init[2])
{
    WAIT_FOR(world_state_is(&world, "counter", "running"));
    WAIT_FOR(world_state_is(&world, "asker", "waiting"));
    ck_assert_int_eq(world_number(&world, "counter", "init_pid"), init[0]);
    ck_assert_int_eq(world_number(&world, "asker", "init_pid"), init[1]);
    long before = world_counted(&world, "counter");
    WAIT_FOR(world_counted(&world, "counter") > before);
}

static const char *verb_of(long number)
{
    return number % 2 == 1 ? "deny" : "allow";
}

/* The answer cannot be written down, so there is none. Its id may be a new one after each death. */
static bool is_refused(const char *title, const char *verb)
{
    char id[64];
    struct result result;
    snprintf(id, sizeof(id), "%s", human_request(&world, title, "id"));
    if (!*id)
        return false;
    BELLJAR(&world, &result, verb, id);
    ck_assert_msg(result.code != 0, "%s: %s", title, result.out);
    bool refused = strstr(result.err, "audit log") != NULL;
    if (!refused)
        printf("%s: %s", title, result.err);
    result_free(&result);
    return refused;
}

/* The agent asks numbered questions; odd ones are denied. */
static void check_verdict(long number, bool full)
{
    char title[32], shown[64];
    snprintf(title, sizeof(title), "question %ld", number);
    snprintf(shown, sizeof(shown), "verdict %ld %ld.", number, number % 2);
    WAIT_FOR(*human_request(&world, title, "id"));
    if (full) {
        WAIT_FOR(is_refused(title, verb_of(number)));
        ck_assert(!world_shows(&world, "asker", shown));
        return;
    }
    WAIT_FOR(human_answers(&world, verb_of(number), title, NULL, NULL));
    WAIT_FOR(world_shows(&world, "asker", shown));
}

START_TEST(a_full_disk_stops_nothing)
{
    if (geteuid() != 0) {
        puts("skipped: only root can mount a small file system");
        return;
    }
    const char *given = getenv("BELLJAR_FAULT_DISKS"), *start = getenv("BELLJAR_FAULT_SEED");
    long disks = given ? atol(given) : 2;
    unsigned seed = start ? (unsigned)atol(start) : (unsigned)time(NULL);
    printf("BELLJAR_FAULT_SEED=%u BELLJAR_FAULT_DISKS=%ld\n", seed, disks);
    srand(seed);
    world_open(&world);
    ck_assert_int_eq(mkdir(world.state, 0700), 0);
    ck_assert_int_eq(mount("tmpfs", world.state, "tmpfs", 0, "size=16m,mode=0700"), 0);
    human_runs(&world, "counter", "i=0; while :; do i=$((i+1)); echo \"out $i\"; sleep 0.02; done");
    human_runs(&world, "asker",
               "k=0; while :; do k=$((k+1)); /belljar/bin/belljar-shim ask --kind exec --title "
               "\"question $k\" >/dev/null 2>&1; echo \"verdict $k $?.\"; done");
    WAIT_FOR(world_number(&world, "counter", "init_pid") > 0);
    WAIT_FOR(world_number(&world, "asker", "init_pid") > 0);
    const long long init[2] = {world_number(&world, "counter", "init_pid"),
                               world_number(&world, "asker", "init_pid")};
    for (long disk = 1; disk <= disks; disk++) {
        check_alive(init);
        /* The first time a server starts while there is no room. */
        unsigned before = disk == 1 ? 3 : (unsigned)rand() % 4, during = (unsigned)rand() % 4;
        printf("disk %ld: killed %u before, %u while it is full\n", disk, before, during);
        fflush(stdout);
        kill_something(before);
        ck_assert(disk_write(true));
        check_alive(init);
        check_verdict(disk, true);
        WAIT_FOR(HUMAN_READS(&world, "disk full", "alerts"));
        kill_something(during);
        check_alive(init);
        ck_assert(disk_write(false));
        check_verdict(disk, false);
        /* The recording goes on without being asked; from then on it has every line. */
        long from = world_counted(&world, "counter");
        struct result result;
        char text[32];
        for (bool there = false; !there; result_free(&result)) {
            snprintf(text, sizeof(text), "out %ld\r\n", ++from);
            WAIT_FOR(world_counted(&world, "counter") > from);
            BELLJAR(&world, &result, "replay", "counter", "--export", "raw");
            there = strstr(result.out, text) != NULL;
        }
        check_recording(from);
        BELLJAR_OK(&world, "audit", "verify");
    }
    BELLJAR_OK(&world, "kill", "--all");
    BELLJAR_OK(&world, "server", "stop");
    WAIT_FOR(umount(world.state) == 0);
    world_close(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("disk");
    TCase *cases = tcase_create("disk");
    tcase_set_timeout(cases, 0);
    tcase_add_test(cases, a_full_disk_stops_nothing);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
