/*
 * Eight real agents at once, two of each, while their model streams: the dashboard's echo is
 * measured and printed, states are right, and what several of them ask in the same words is one
 * question, answered once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "eye.h"
#include "jar.h"

#define EIGHT 8
#define KEYS  200

static const char *name_of(int i)
{
    static char name[16];
    snprintf(name, sizeof(name), "%s-%d", jar_agents[i / 2].profile, i % 2 + 1);
    return name;
}

static bool all_are(const char *state)
{
    for (int i = 0; i < EIGHT; i++)
        if (strcmp(world_field(&world, name_of(i), "agent_state"), state) != 0)
            return false;
    return true;
}

static int ascending(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

static long long microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Microseconds from a key until it stands behind the others of its line. */
static long long echo_of(struct eye *eye, const char *key, const char *line)
{
    long long then = microseconds();
    eye_type(eye, key);
    EYE_WAIT_TEXT(eye, line);
    return microseconds() - then;
}

struct echo {
    double half, most; /* milliseconds: the median, and what 99 of 100 do not pass */
};

/* Keys typed into what the eye looks at, one after another. */
static struct echo measure(struct eye *eye)
{
    long long times[KEYS];
    char line[32] = "";
    for (int i = 0; i < KEYS; i++) {
        char key[2] = {(char)('a' + i % 26), '\0'};
        if (i % 20 == 0) { /* a new line, so that none is full, and which no pane shows yet */
            eye_type(eye, EYE_ENTER);
            snprintf(line, sizeof(line), "#%d:", i / 20);
            echo_of(eye, line, line);
        }
        strcat(line, key);
        times[i] = echo_of(eye, key, line);
    }
    qsort(times, KEYS, sizeof(times[0]), ascending);
    return (struct echo){(double)times[KEYS / 2] / 1000, (double)times[KEYS * 99 / 100] / 1000};
}

/* The same keys in a pty with nothing between, under the same load, are what this machine can do.
 */
static void report(const struct echo *ours, const struct echo *raw)
{
    printf("echo of a key beside %d agents: p50 %.1f ms, p99 %.1f ms; in a raw pty %.1f and %.1f; "
           "%.1f and %.1f times that\n",
           EIGHT, ours->half, ours->most, raw->half, raw->most, ours->half / raw->half,
           ours->most / raw->most);
}

/* Two questions of all eight, since Codex says nothing beside the command; and those for hosts that
 * some of them try. */
static bool all_ask(void)
{
    struct result result;
    json_t *request;
    size_t i;
    int questions = 0, sandboxes = 0;
    BELLJAR(&world, &result, "requests", "--json");
    json_t *list = json_loads(result.out, 0, NULL);
    json_array_foreach(list, i, request)
    {
        const char *title = json_string_value(json_object_get(request, "title"));
        if (title && strstr(title, "Bash(")) {
            questions++;
            sandboxes += (int)json_integer_value(json_object_get(request, "count"));
        }
    }
    json_decref(list);
    result_free(&result);
    return questions == 2 && sandboxes == EIGHT;
}

static bool none_asks(void)
{
    const char *id = jar_question("Bash(");
    if (id)
        jar_answered((const char *const[]){world.belljar, "allow", id, NULL});
    return !id;
}

/* The kernel echoes what is typed. */
static const char typed[] = "stty -icanon; echo ready; exec cat >/dev/null";

START_TEST(eight_at_once)
{
    for (int i = 0; i < EIGHT; i++)
        jar_run(name_of(i), i / 2, "hi [[stream 3000]]");
    BELLJAR_OK(&world, "run", "-d", "-n", "typed", "--", "bash", "-c", typed);
    for (int i = 0; i < EIGHT; i++)
        WAIT_FOR(world_shows(&world, name_of(i), "word"));
    ck_assert(all_are("working"));
    struct eye *eye = eye_open(50, 160, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "9 sandboxes");
    eye_type(eye, "9" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "FOCUS");
    struct echo ours = measure(eye);
    eye_close(eye);
    eye = eye_open(50, 160, (const char *const[]){"bash", "-c", typed, NULL});
    EYE_WAIT_TEXT(eye, "ready");
    struct echo raw = measure(eye);
    eye_close(eye);
    report(&ours, &raw);
    ck_assert(all_are("working"));
}
END_TEST

START_TEST(equal_questions_are_one)
{
    for (int i = 0; i < EIGHT; i++)
        jar_run(name_of(i), i / 2, "hi [[run echo asked; echo d''one]]");
    WAIT_FOR(all_ask());
    WAIT_FOR(none_asks());
    for (int i = 0; i < EIGHT; i++)
        WAIT_FOR(world_shows(&world, name_of(i), "The tool said: done"));
    WAIT_FOR(all_are("done"));
}
END_TEST

int main(void)
{
    if (!jar_possible())
        return 77;
    Suite *suite = suite_create("agents-eight");
    TCase *tcase = tcase_create("eight");
    tcase_set_timeout(tcase, 900 * world_patience() / 60000);
    tcase_add_checked_fixture(tcase, jar_open, jar_close);
    tcase_add_test(tcase, eight_at_once);
    tcase_add_test(tcase, equal_questions_are_one);
    suite_add_tcase(suite, tcase);
    return world_main(suite);
}
