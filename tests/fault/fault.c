/*
 * Nothing is lost, whatever is killed, stopped, starved or cut, and in whatever order.
 *
 * Agents print numbered lines, answer numbered input, and ask numbered questions, while faults of a
 * seeded random order befall the server, the monitors and the clients, allocations fail (starve.h),
 * and sockets are slow and end in the middle of a message (cut.h). Afterwards the exact bytes of
 * each agent's output are looked at: every line is there once and in order, every input that was
 * taken was answered once, every question got the verdict that it was given, once. The audit chain
 * verifies, the agents are the same processes as before, and nothing is left over.
 *
 * $BELLJAR_FAULT_ROUNDS (12) and $BELLJAR_FAULT_SEED (printed) repeat a run.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/eye.h"
#include "tests/e2e/world.h"
#include "tests/fault/cut.h"
#include "tests/fault/harness.h"
#include "tests/fault/starving.h"

#define AGENTS     3
#define INPUTS_MAX 100000
#define ASK_PAUSE  "0.3" /* seconds */
#define LINE_PAUSE "0.02"

static struct world world;
static struct starve *starve; /* NULL: these programs have memory */

struct agent {
    char name[16], id[64];
    long long init;         /* host pid of its pid 1 */
    long input;             /* number sent last */
    bool taken[INPUTS_MAX]; /* input that belljar said was sent */
};

static struct agent agents[AGENTS];

/* --- chance --- */

static uint64_t seed;

/* xorshift64, so that a seed means the same everywhere. */
static unsigned below(unsigned limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % limit);
}

/* --- agents --- */

static const char script[] =
    "stty -echo\n"
    "( k=0; while :; do k=$((k+1));"
    "  /belljar/bin/belljar-shim ask --kind exec --title \"question $k\" >/dev/null 2>&1;"
    "  echo \"verdict $k $?\"; sleep " ASK_PAUSE "; done ) &\n"
    "( while read -r line; do echo \"in $line\"; done ) <&0 &\n"
    "i=0; while :; do i=$((i+1)); echo \"out $i\"; sleep " LINE_PAUSE "; done\n";

static void start(struct agent *agent, int number)
{
    *agent = (struct agent){0};
    snprintf(agent->name, sizeof(agent->name), "a%d", number);
    BELLJAR_OK(&world, "run", "-d", "-n", agent->name, "--record-limit", "1G", "--", "bash", "-c",
               script);
    WAIT_FOR(world_number(&world, agent->name, "init_pid") > 0);
    agent->init = world_number(&world, agent->name, "init_pid");
    snprintf(agent->id, sizeof(agent->id), "%s", world_field(&world, agent->name, "id"));
}

/* The monitor that has the link, or 0 when that cannot be told. */
static long long linked_monitor(const struct agent *agent)
{
    struct result result;
    long long monitor = 0;
    BELLJAR(&world, &result, "ls", "--json");
    json_t *list = result.code == 0 ? json_loads(result.out, 0, NULL) : NULL, *sandbox;
    size_t i;
    json_array_foreach(list, i, sandbox)
    {
        const char *name = json_string_value(json_object_get(sandbox, "name"));
        const char *link = json_string_value(json_object_get(sandbox, "link"));
        if (name && link && strcmp(name, agent->name) == 0 && strcmp(link, "up") == 0)
            monitor = json_integer_value(json_object_get(sandbox, "monitor_pid"));
    }
    json_decref(list);
    result_free(&result);
    return monitor;
}

static void send_input(struct agent *agent)
{
    struct result result;
    char text[24];
    if (agent->input + 1 >= INPUTS_MAX)
        return;
    snprintf(text, sizeof(text), "%ld\r", ++agent->input); /* one call: all of it or nothing */
    BELLJAR(&world, &result, "send", agent->name, text);
    agent->taken[agent->input] = result.code == 0;
    result_free(&result);
}

/* --- verdicts --- */

/* Odd numbers are denied. Equal questions of several agents are one request. */
static void answer(const json_t *request)
{
    const char *id = json_string_value(json_object_get(request, "id"));
    const char *title = json_string_value(json_object_get(request, "title"));
    long number = 0;
    if (!id || !title || sscanf(title, "question %ld", &number) != 1)
        return;
    struct result result;
    BELLJAR(&world, &result, number % 2 ? "deny" : "allow", id);
    result_free(&result);
}

static void answer_all(void)
{
    struct result result;
    BELLJAR(&world, &result, "requests", "--json");
    json_t *list = result.code == 0 ? json_loads(result.out, 0, NULL) : NULL;
    size_t i;
    json_t *request;
    json_array_foreach(list, i, request) answer(request);
    json_decref(list);
    result_free(&result);
}

/* --- faults --- */

static void pause_ms(unsigned ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}

static pid_t some_monitor(void)
{
    return (pid_t)world_number(&world, agents[below(AGENTS)].name, "monitor_pid");
}

static pid_t a_victim(void)
{
    return below(2) ? world_server(&world) : some_monitor();
}

static void fault_kill_server(void)
{
    pid_t server = world_server(&world);
    if (server > 0)
        kill(server, SIGKILL);
}

static void fault_kill_monitor(void)
{
    pid_t monitor = some_monitor();
    if (monitor > 0)
        kill(monitor, SIGKILL);
}

static void fault_kill_both(void)
{
    pid_t monitor = some_monitor();
    fault_kill_server();
    if (monitor > 0)
        kill(monitor, SIGKILL);
}

static void fault_stop(void)
{
    pid_t victim = a_victim();
    if (victim <= 0)
        return;
    kill(victim, SIGSTOP);
    pause_ms(below(700));
    if (below(4) == 0)
        kill(victim, SIGKILL);
    kill(victim, SIGCONT);
}

/* The inner end takes nothing and says nothing for a while. */
static void fault_stop_shim(void)
{
    pid_t shim = (pid_t)agents[below(AGENTS)].init;
    kill(shim, SIGSTOP);
    pause_ms(below(700));
    kill(shim, SIGCONT);
}

/* No further descriptor for a while. */
static void fault_descriptors(void)
{
    pid_t victim = a_victim();
    struct rlimit old, none = {.rlim_cur = 3};
    if (victim <= 0 || prlimit(victim, RLIMIT_NOFILE, NULL, &old) < 0)
        return;
    none.rlim_max = old.rlim_max;
    prlimit(victim, RLIMIT_NOFILE, &none, NULL);
    pause_ms(below(300));
    prlimit(victim, RLIMIT_NOFILE, &old, NULL);
}

#if !defined(__SANITIZE_ADDRESS__) /* which ends a process that gets no memory */
/* Hardly any further memory for a while. */
static void fault_memory(void)
{
    pid_t victim = a_victim();
    struct rlimit old, none = {0};
    if (victim <= 0 || prlimit(victim, RLIMIT_DATA, NULL, &old) < 0)
        return;
    none.rlim_max = old.rlim_max;
    prlimit(victim, RLIMIT_DATA, &none, NULL);
    pause_ms(below(300));
    prlimit(victim, RLIMIT_DATA, &old, NULL);
}
#endif

static void everyone_goes_on(void)
{
    for (int i = 0; i < AGENTS; i++)
        send_input(&agents[i]);
    answer_all();
}

/* Allocations fail at random, in one process or in all of them. */
static void fault_malloc(void)
{
    static const uint32_t often[] = {2, 10, 50, 300};
    if (!starve)
        return;
    starve->pid = below(3) ? a_victim() : 0;
    starve->one_in = often[below(sizeof(often) / sizeof(often[0]))];
    everyone_goes_on();
    pause_ms(below(500));
    starve->one_in = 0;
    starving_check(starve);
}

/* A socket of one sandbox. */
static const char *some_socket(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s/%s", world.runtime, agents[below(AGENTS)].id, name);
    return path;
}

/* Between clients and the server or a monitor. */
static void fault_cut_client(void)
{
    struct cut cut;
    char path[256];
    if (below(2))
        snprintf(path, sizeof(path), "%s/server.sock", world.runtime);
    else
        snprintf(path, sizeof(path), "%s", some_socket("view.sock"));
    if (!cut_open(&cut, path, below(4) ? 2000 : 200000, seed))
        return;
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    everyone_goes_on();
    long long until = world_now() + below(600);
    while (world_now() < until && eye_pump(eye, 20))
        ;
    kill(eye->pid, SIGKILL);
    eye_close(eye);
    cut_close(&cut);
}

/* Between a server that finds everything again and one of the monitors. */
static void fault_cut_control(void)
{
    struct cut cut;
    char path[256];
    snprintf(path, sizeof(path), "%s", some_socket("control.sock"));
    fault_kill_server();
    if (!cut_open(&cut, path, below(2) ? 500 : 5000, seed))
        return;
    everyone_goes_on();
    pause_ms(below(600));
    cut_close(&cut);
}

static void fault_dashboard(void)
{
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    long long until = world_now() + below(600);
    while (world_now() < until && eye_pump(eye, 20))
        ;
    kill(eye->pid, SIGKILL);
    eye_close(eye);
}

/* A reader that takes nothing of what a monitor sends. */
static void fault_slow_reader(void)
{
    int out;
    pid_t reader =
        world_start(&world, &out, (const char *const[]){world.belljar, "watch", "--json", NULL});
    kill(reader, SIGSTOP);
    pause_ms(below(400));
    kill(reader, SIGKILL);
    close(out);
    waitpid(reader, NULL, 0);
}

static const struct {
    const char *name;
    void (*happens)(void);
} faults[] = {
    {"server killed", fault_kill_server},
    {"monitor killed", fault_kill_monitor},
    {"shim stopped", fault_stop_shim},
    {"both killed", fault_kill_both},
    {"one stopped", fault_stop},
    {"no descriptors", fault_descriptors},
#if !defined(__SANITIZE_ADDRESS__)
    {"no memory", fault_memory},
#endif
    {"dashboard killed", fault_dashboard},
    {"slow reader", fault_slow_reader},
    {"malloc fails", fault_malloc},
    {"client's socket cut", fault_cut_client},
    {"monitor's socket cut", fault_cut_control},
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

/* --- what must hold --- */

struct seen {
    long out, in, verdict; /* last numbers */
};

static void check_line(struct agent *agent, struct seen *seen, const char *line)
{
    long number, code;
    if (sscanf(line, "out %ld", &number) == 1) {
        ck_assert_msg(number == seen->out + 1, "%s: line %ld behind %ld", agent->name, number,
                      seen->out);
        seen->out = number;
    } else if (sscanf(line, "in %ld", &number) == 1) {
        ck_assert_msg(number > seen->in && number <= agent->input, "%s: input %ld behind %ld",
                      agent->name, number, seen->in);
        for (long lost = seen->in + 1; lost < number; lost++)
            ck_assert_msg(!agent->taken[lost], "%s: input %ld was taken and is lost", agent->name,
                          lost);
        seen->in = number;
    } else if (sscanf(line, "verdict %ld %ld", &number, &code) == 2) {
        ck_assert_msg(number == seen->verdict + 1, "%s: verdict %ld behind %ld", agent->name,
                      number, seen->verdict);
        /* Without memory there may be no verdict at all, which is an error to who asked. */
        ck_assert_msg(code == number % 2 || (code == 2 && starve && starve->failed > 0),
                      "%s: question %ld got %ld", agent->name, number, code);
        seen->verdict = number;
    } else {
        ck_abort_msg("%s printed: %s", agent->name, line);
    }
}

/* The exact bytes that it printed, from the beginning. */
static struct seen check_agent(struct agent *agent)
{
    struct seen seen = {0};
    struct result result;
    BELLJAR(&world, &result, "replay", agent->name, "--export", "raw");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *save = NULL;
    /* The last line may still be on its way. */
    char *whole = strrchr(result.out, '\n');
    if (whole)
        *whole = '\0';
    for (char *line = strtok_r(result.out, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save))
        check_line(agent, &seen, line);
    result_free(&result);
    ck_assert_int_eq(world_number(&world, agent->name, "init_pid"), agent->init);
    ck_assert(world_alive((pid_t)agent->init));
    return seen;
}

static void check_all(int round)
{
    for (int i = 0; i < AGENTS; i++)
        WAIT_FOR(world_state_is(&world, agents[i].name, "running") ||
                 world_state_is(&world, agents[i].name, "waiting"));
    for (int i = 0; i < AGENTS; i++) {
        struct seen seen = check_agent(&agents[i]);
        printf("round %d: %s printed %ld lines, answered %ld of %ld inputs, got %ld verdicts\n",
               round, agents[i].name, seen.out, seen.in, agents[i].input, seen.verdict);
    }
    struct result result;
    BELLJAR(&world, &result, "audit", "verify");
    ck_assert_msg(result.code == 0, "%s%s", result.out, result.err);
    result_free(&result);
}

/* Nothing of a sandbox that was removed is left, inside or outside the directories. */
static void check_nothing_left(void)
{
    for (int i = 0; i < AGENTS; i++) {
        BELLJAR_OK(&world, "kill", agents[i].name);
        BELLJAR_OK(&world, "rm", agents[i].name);
        ck_assert_msg(!world_cgroup_named(agents[i].id), "a cgroup is left");
    }
    fault_no_directories(&world);
}

START_TEST(nothing_is_lost)
{
    long rounds = fault_number("BELLJAR_FAULT_ROUNDS", 12);
    seed = (uint64_t)fault_number("BELLJAR_FAULT_SEED", (long)time(NULL) ^ getpid());
    printf("BELLJAR_FAULT_SEED=%" PRIu64 " BELLJAR_FAULT_ROUNDS=%ld\n", seed, rounds);
    seed = seed * 0x9e3779b97f4a7c15U + 1;
    starve = starving_open(&world);
    for (int i = 0; i < AGENTS; i++)
        start(&agents[i], i);
    for (int round = 1; round <= rounds; round++) {
        size_t which = below(FAULTS);
        printf("round %d: %s\n", round, faults[which].name);
        fflush(stdout);
        faults[which].happens();
        for (int i = 0; i < AGENTS; i++)
            send_input(&agents[i]);
        answer_all();
        pause_ms(below(400));
        if (round % 10 == 0 || round == rounds)
            check_all(round);
    }
    /* Whoever still asks gets an answer, and the last input comes through. */
    for (int i = 0; i < AGENTS; i++) {
        long asked = check_agent(&agents[i]).verdict;
        WAIT_FOR((answer_all(), check_agent(&agents[i]).verdict > asked));
        WAIT_FOR(linked_monitor(&agents[i]) > 0);
        send_input(&agents[i]);
        ck_assert(agents[i].taken[agents[i].input]);
        WAIT_FOR(check_agent(&agents[i]).in == agents[i].input);
    }
    check_all((int)rounds);
    if (starve)
        printf("%u allocations failed\n", starve->failed);
    check_nothing_left();
    world_close(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fault");
    TCase *cases = tcase_create("fault");
    tcase_set_timeout(cases, 0);
    tcase_add_test(cases, nothing_is_lost);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
