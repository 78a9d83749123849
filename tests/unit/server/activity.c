#include "mux/server/activity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/server/suite.h"

#define BEGIN 1000000U /* ms, when a story begins */
#define STEP  500U

/*
 * The labelled corpus: stories of agents, each with what a person who sits beside it would say from
 * one second to another. Events are "SECOND NAME", separated by commas; "every N S..E NAME" stands
 * for many. Names: working waiting done (hooks), shown left (prompt marks), notice bell spinner
 * keys (a human types), break (and it interrupts), size (of its terminal), out (output in place),
 * line (output that gets further), busy calm (CPU), reads (it is seen to read its terminal), asks
 * settled (a request).
 */
struct story {
    const char *what, *events;
    bool hooks;
    unsigned from, to; /* seconds in which the label is right */
    bool blocked;
    enum doing doing;
};

static const struct story stories[] = {
    /* agents with hooks */
    {"asks at the wall", "0 working,1 line,5 asks", true, 5, 60, true, DOING_VERDICT},
    {"asks, and paints a spinner meanwhile", "0 working,5 asks,every 1 5..60 out", true, 5, 60,
     true, DOING_VERDICT},
    {"asks, and computes meanwhile", "0 working,5 asks,5 busy", true, 5, 60, true, DOING_VERDICT},
    {"waits, its cursor blinks", "0 working,5 waiting,every 1 5..60 out", true, 5, 60, true,
     DOING_INPUT},
    {"waits while a build in the background prints", "0 working,5 waiting,every 1 5..60 line", true,
     5, 60, true, DOING_INPUT},
    {"waits while a build computes", "0 working,5 waiting,5 busy", true, 5, 60, true, DOING_INPUT},
    {"waits, its title still spins", "0 working,5 waiting,every 1 5..60 spinner", true, 5, 60, true,
     DOING_INPUT},
    {"says twice that it waits", "0 working,5 waiting,40 waiting", true, 5, 90, true, DOING_INPUT},
    {"a human looks around in its menu", "0 working,5 waiting,10 keys,10 out,14 keys,14 out", true,
     5, 60, true, DOING_INPUT},
    {"a human writes an answer and thinks",
     "0 working,5 waiting,every 1 10..20 keys,"
     "every 1 10..20 out",
     true, 5, 60, true, DOING_INPUT},
    {"rings before its hook is heard", "0 working,1 line,5 bell", true, 5, 60, true, DOING_INPUT},
    {"notifies and has a hook for little", "0 working,1 line,5 notice,5 out", true, 5, 60, true,
     DOING_INPUT},
    {"notifies after it was done", "0 working,3 done,9 notice", true, 9, 60, true, DOING_INPUT},
    {"is answered in its pane, asks again", "0 waiting,5 keys,5 line,9 line,12 line,20 waiting",
     true, 20, 60, true, DOING_INPUT},
    {"is denied, then waits", "0 working,2 asks,9 settled,9 working,12 waiting", true, 12, 60, true,
     DOING_INPUT},
    /* agents without */
    {"asks at the wall, no hooks", "0 line,5 asks,every 1 5..60 out", false, 5, 60, true,
     DOING_VERDICT},
    {"rings at a question", "0 line,5 line,5 bell", false, 5, 60, true, DOING_INPUT},
    {"notifies, paints its box", "0 line,5 notice,6 out", false, 5, 60, true, DOING_INPUT},
    {"a shell at its prompt", "0 line,5 line,5 shown", false, 5, 60, true, DOING_INPUT},
    {"a shell whose command is written", "0 shown,5 keys,5 out,7 keys,7 out", false, 0, 60, true,
     DOING_INPUT},
    {"a shell after a command", "0 shown,5 keys,5 left,5 line,20 line,20 shown", false, 20, 60,
     true, DOING_INPUT},
    {"rings, a human looks", "0 line,5 bell,20 keys,20 out", false, 5, 20, true, DOING_INPUT},
    {"notifies, gets another size and paints itself",
     "0 line,5 notice,6 out,30 size,30 line,31 out", false, 5, 60, true, DOING_INPUT},
    {"a human looks and makes it larger", "0 line,5 bell,20 keys,20 out,30 size,31 line", false, 5,
     60, true, DOING_INPUT},
    {"waits, a human looks and makes it larger",
     "0 waiting,5 keys,5 out,30 size,31 line,31 busy,32 calm", true, 0, 60, true, DOING_INPUT},
    {"does what was typed, then rings", "0 calm,5 keys,5 line,8 bell", false, 8, 60, true,
     DOING_INPUT},
    {"rings as soon as it is answered", "0 line,5 keys,5 line,5 bell", false, 5, 60, true,
     DOING_INPUT},
    {"a script asks", "0 calm,0 line,2 out,6 reads", false, 6, 60, true, DOING_INPUT},
    {"a script of a shell with marks asks", "0 shown,1 keys,1 left,1 line,2 out,6 reads", false, 6,
     60, true, DOING_INPUT},
    {"asks, a human writes an answer and thinks",
     "0 calm,2 out,6 reads,every 1 10..20 keys,every 1 10..20 out,24 reads", false, 6, 60, true,
     DOING_INPUT},
    {"asks while a build computes", "0 busy,2 out,6 reads", false, 6, 60, true, DOING_INPUT},
    {"is answered and asks the next", "0 calm,2 out,6 reads,20 keys,20 line,20 out,24 reads", false,
     24, 60, true, DOING_INPUT},
    /* what is not blocked */
    {"waits for its model", "0 working,every 1 0..60 out", true, 0, 60, false, DOING_THINKING},
    {"runs a tool", "0 working,0 busy,every 1 0..60 line", true, 0, 60, false, DOING_RUNNING},
    {"has been allowed", "0 working,5 asks,20 settled,20 working,every 1 20..60 out", true, 21, 60,
     false, DOING_THINKING},
    {"was answered and goes on, its hook is late", "0 waiting,5 keys,every 1 5..60 line", true, 10,
     60, false, DOING_RUNNING},
    {"is done with its turn", "0 working,5 done,5 line", true, 6, 90, false, DOING_IDLE},
    {"hangs", "0 working,2 line,2 calm", true, 125, 180, false, DOING_STUCK},
    {"is interrupted, no hook tells", "0 working,every 1 0..20 out,20 keys,20 break,21 line", true,
     26, 60, false, DOING_IDLE},
    {"Escape closes something while it works", "0 working,every 1 0..60 out,20 keys,20 break", true,
     0, 60, false, DOING_THINKING},
    {"was interrupted and goes on", "0 working,5 keys,5 break,30 working,every 1 30..60 out", true,
     30, 60, false, DOING_THINKING},
    {"a spinner", "every 1 0..60 out", false, 0, 60, false, DOING_THINKING},
    {"a title that spins", "every 1 0..60 spinner", false, 0, 60, false, DOING_THINKING},
    {"a build", "every 1 0..60 line", false, 0, 60, false, DOING_RUNNING},
    {"a compiler that says nothing", "0 line,0 busy", false, 5, 60, false, DOING_RUNNING},
    {"a command that sleeps", "0 shown,1 keys,1 left,1 line", false, 2, 30, false, DOING_RUNNING},
    {"a command that sleeps for long", "0 shown,1 keys,1 left,1 line", false, 31, 60, false,
     DOING_IDLE},
    {"a command that computes for long", "0 shown,1 keys,1 left,1 line,1 busy", false, 31, 60,
     false, DOING_RUNNING},
    {"asked, was answered, and goes on", "0 calm,2 out,6 reads,20 keys,every 1 20..60 line", false,
     21, 60, false, DOING_RUNNING},
    {"asked, was answered, and sleeps", "0 calm,2 out,6 reads,20 keys,20 line", false, 24, 60,
     false, DOING_IDLE},
    {"gives its question up", "0 calm,2 out,6 reads,every 1 20..60 line", false, 20, 60, false,
     DOING_RUNNING},
    {"gives its question up and spins", "0 calm,2 out,6 reads,every 1 20..60 out", false, 20, 60,
     false, DOING_THINKING},
    {"a shell without marks for commands", "0 shown,5 keys,5 line,6 busy", false, 7, 60, false,
     DOING_RUNNING},
    {"rang and went on", "0 line,5 bell,every 1 10..60 line", false, 11, 60, false, DOING_RUNNING},
    {"sleeps", "0 line,0 calm", false, 5, 60, false, DOING_IDLE},
    {"prints nothing ever", "0 calm", false, 5, 60, false, DOING_IDLE},
    {"a shell beeps at a key", "0 calm,5 keys,5 bell,5 out", false, 5, 60, false, DOING_IDLE},
    {"is answered as soon as it is larger", "0 calm,0 line,5 bell,20 size,21 keys,21 line", false,
     26, 60, false, DOING_IDLE},
    {"was answered, then got another size", "0 calm,0 line,5 bell,20 keys,20 line,26 size,26 line",
     false, 29, 60, false, DOING_IDLE},
    {"prints every second, gets another size", "0 calm,every 1 0..60 line,20 size,22 size", false,
     1, 60, false, DOING_RUNNING},
    {"rang, got another size and goes on", "0 line,5 bell,20 size,20 line,every 1 23..60 line",
     false, 24, 60, false, DOING_RUNNING},
    {"a human types into cat", "0 calm,every 1 10..20 keys,every 1 10..20 out", false, 5, 60, false,
     DOING_IDLE},
};
#define STORIES (sizeof(stories) / sizeof(stories[0]))

static void happen(struct activity_facts *facts, const struct activity *activity, const char *name,
                   uint64_t now)
{
    static const struct {
        const char *name;
        enum activity_hook hook;
    } hooks[] = {{"working", HOOK_WORKING}, {"waiting", HOOK_WAITING}, {"done", HOOK_DONE}};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(name, hooks[i].name) == 0) {
            bool again = facts->hook == hooks[i].hook && activity->source == SOURCE_HOOK;
            facts->hook_at = again ? facts->hook_at : now;
            facts->told_at = now;
            facts->hook = hooks[i].hook;
            return;
        }
    if (strcmp(name, "shown") == 0 || strcmp(name, "left") == 0) {
        facts->prompt = name[0] == 's' ? PROMPT_SHOWN : PROMPT_LEFT;
        facts->prompt_at = now;
    } else if ((strcmp(name, "out") == 0 || strcmp(name, "line") == 0) &&
               activity_redraws(facts, now)) {
        return;
    } else if (strcmp(name, "out") == 0) {
        facts->output_at = now;
    } else if (strcmp(name, "line") == 0) {
        facts->output_at = facts->lines_at = now;
    } else if (strcmp(name, "reads") == 0) {
        facts->reads_since = activity_reads(facts) ? facts->reads_since : facts->output_at;
        facts->reads_at = now;
    } else if (strcmp(name, "notice") == 0) {
        facts->notice_at = now;
    } else if (strcmp(name, "bell") == 0) {
        facts->bell_at = now;
    } else if (strcmp(name, "spinner") == 0) {
        facts->spinner_at = now;
    } else if (strcmp(name, "keys") == 0) {
        facts->input_at = now;
    } else if (strcmp(name, "break") == 0) {
        facts->break_at = now;
    } else if (strcmp(name, "size") == 0) {
        facts->sized_at = now;
    } else if (strcmp(name, "busy") == 0 || strcmp(name, "calm") == 0) {
        facts->cpu = name[0] == 'b' ? 80 : 0;
    } else if (strcmp(name, "asks") == 0 || strcmp(name, "settled") == 0) {
        facts->asked = name[0] == 'a' ? now : 0;
    } else {
        ck_abort_msg("no such event: %s", name);
    }
}

/* All that happens at this moment. */
static void play(struct activity_facts *facts, const struct activity *activity, const char *events,
                 unsigned tick)
{
    char copy[512], *rest = copy;
    snprintf(copy, sizeof(copy), "%s", events);
    uint64_t now = BEGIN + (uint64_t)tick * STEP;
    for (char *event; (event = strsep(&rest, ","));) {
        unsigned every, from, to;
        char name[16];
        if (sscanf(event, "every %u %u..%u %15s", &every, &from, &to, name) == 4) {
            if (tick % 2 == 0 && tick / 2 >= from && tick / 2 <= to &&
                (tick / 2 - from) % every == 0)
                happen(facts, activity, name, now);
        } else {
            ck_assert_msg(sscanf(event, "%u %15s", &from, name) == 2, "%s", event);
            if (tick == from * 2)
                happen(facts, activity, name, now);
        }
    }
    if (facts->cpu >= ACTIVITY_BUSY)
        facts->busy_at = now;
}

static bool is_blocked(enum doing doing)
{
    return doing == DOING_INPUT || doing == DOING_VERDICT;
}

/* The figures of the journeys: at least 99 in 100 of the moments in which an agent is blocked are
 * shown so; with hooks none is shown as running. And nobody is called in vain. */
START_TEST(the_labelled_corpus)
{
    unsigned blocked = 0, shown = 0, hooked = 0, running = 0, free = 0, vain = 0;
    for (size_t i = 0; i < STORIES; i++) {
        const struct story *story = &stories[i];
        struct activity_facts facts = {.state = SANDBOX_RUNNING, .watched_at = BEGIN};
        struct activity activity = {0};
        for (unsigned tick = 0; tick <= story->to * 2; tick++) {
            play(&facts, &activity, story->events, tick);
            activity_judge(&activity, &facts, BEGIN + (uint64_t)tick * STEP);
            if (tick < story->from * 2)
                continue;
            enum doing doing = activity.doing;
            blocked += story->blocked;
            shown += story->blocked && is_blocked(doing);
            hooked += story->blocked && story->hooks;
            running += story->blocked && story->hooks &&
                       (doing == DOING_RUNNING || doing == DOING_THINKING);
            free += !story->blocked;
            vain += !story->blocked && is_blocked(doing);
            ck_assert_msg(doing == story->doing, "%s, second %u: %s by %s", story->what, tick / 2,
                          activity_doing_name(doing), activity_source_name(activity.source));
        }
    }
    printf("corpus: %u moments blocked, %u shown so; %u with hooks, %u shown running; %u free, %u "
           "called in vain\n",
           blocked, shown, hooked, running, free, vain);
    ck_assert_uint_gt(blocked, 2000);
    ck_assert_uint_gt(hooked, 1000);
    ck_assert_uint_gt(free, 1000);
    ck_assert_uint_ge(shown * 100, blocked * 99);
    ck_assert_uint_eq(running, 0);
    ck_assert_uint_eq(vain, 0);
}
END_TEST

START_TEST(stuck_after_a_while)
{
    for (int i = 0; i < 2; i++) {
        uint64_t patience = i ? 3000 : ACTIVITY_STUCK_MS;
        struct activity_facts facts = {.state = SANDBOX_RUNNING,
                                       .hook = HOOK_WORKING,
                                       .hook_at = BEGIN,
                                       .told_at = BEGIN,
                                       .stuck_ms = i ? patience : 0};
        struct activity activity = {0};
        activity_judge(&activity, &facts, BEGIN + patience - 1);
        ck_assert_int_eq(activity.doing, DOING_THINKING);
        activity_judge(&activity, &facts, BEGIN + patience);
        ck_assert_int_eq(activity.doing, DOING_STUCK);
        ck_assert_uint_eq(activity.since, BEGIN);
    }
}
END_TEST

START_TEST(facts_of_the_server_come_first)
{
    static const struct {
        enum sandbox_state state;
        bool failed;
        enum doing doing;
    } rows[] = {
        {SANDBOX_STARTING, false, DOING_STARTING}, {SANDBOX_PAUSED, false, DOING_PAUSED},
        {SANDBOX_EXITED, false, DOING_EXITED},     {SANDBOX_EXITED, true, DOING_FAILED},
        {SANDBOX_LOST, false, DOING_LOST},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct activity_facts facts = {.state = rows[i].state,
                                       .failed = rows[i].failed,
                                       .asked = BEGIN,
                                       .hook = HOOK_WAITING,
                                       .hook_at = BEGIN,
                                       .bell_at = BEGIN};
        struct activity activity = {0};
        ck_assert(activity_judge(&activity, &facts, BEGIN + 1));
        ck_assert_int_eq(activity.doing, rows[i].doing);
        ck_assert_int_eq(activity.source, SOURCE_SERVER);
        ck_assert_uint_eq(activity.since, 0);
        ck_assert(!activity_judge(&activity, &facts, BEGIN + 2));
    }
}
END_TEST

START_TEST(nothing_is_guessed)
{
    struct activity_facts facts = {.state = SANDBOX_RUNNING, .cpu = -1};
    struct activity activity = {0};
    activity_judge(&activity, &facts, BEGIN);
    ck_assert_int_eq(activity.doing, DOING_UNKNOWN);
    facts.cpu = 0; /* but output may have been missed */
    activity_judge(&activity, &facts, BEGIN + 10000);
    ck_assert_int_eq(activity.doing, DOING_UNKNOWN);
    facts.watched_at = BEGIN;
    facts.cpu = -1; /* it may compute */
    activity_judge(&activity, &facts, BEGIN + 20000);
    ck_assert_int_eq(activity.doing, DOING_UNKNOWN);
    facts.cpu = 1;
    activity_judge(&activity, &facts, BEGIN + 30000);
    ck_assert_int_eq(activity.doing, DOING_IDLE);
    ck_assert_uint_eq(activity.since, BEGIN);
}
END_TEST

START_TEST(since_when)
{
    struct activity_facts facts = {.state = SANDBOX_RUNNING, .watched_at = BEGIN, .cpu = 90};
    struct activity activity = {0};
    activity_judge(&activity, &facts, BEGIN + 10);
    ck_assert_int_eq(activity.source, SOURCE_CPU);
    ck_assert_uint_eq(activity.since, 0); /* for longer than we look */
    facts.cpu = 0;
    activity_judge(&activity, &facts, BEGIN + 20000);
    facts.cpu = 90;
    ck_assert(activity_judge(&activity, &facts, BEGIN + 30000));
    ck_assert_uint_eq(activity.since, BEGIN + 30000);
    ck_assert(!activity_judge(&activity, &facts, BEGIN + 31000));
    ck_assert_uint_eq(activity.since, BEGIN + 30000);
}
END_TEST

/* What is drawn anew for another size is no work: it has been idle for as long as before. */
START_TEST(another_size_is_no_work)
{
    struct activity_facts facts = {
        .state = SANDBOX_RUNNING, .watched_at = BEGIN, .output_at = BEGIN};
    struct activity activity = {0};
    activity_judge(&activity, &facts, BEGIN + 60000);
    ck_assert_int_eq(activity.doing, DOING_IDLE);
    happen(&facts, &activity, "size", BEGIN + 60000);
    happen(&facts, &activity, "line", BEGIN + 60100);
    for (uint64_t at = 60500; at < 80000; at += 500) {
        activity_judge(&activity, &facts, BEGIN + at);
        ck_assert_int_eq(activity.doing, DOING_IDLE);
        ck_assert_uint_eq(activity.since, BEGIN);
    }
}
END_TEST

START_TEST(words_and_spinners)
{
    for (int i = 0; i < DOINGS; i++)
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(activity_doing_name((enum doing)i),
                             activity_doing_name((enum doing)k));
    for (int i = 0; i < DOING_SOURCES; i++)
        ck_assert_uint_gt(strlen(activity_source_name((enum doing_source)i)), 0);
    ck_assert(activity_is_spinner("⠋ thinking"));
    ck_assert(activity_is_spinner("⣾"));
    ck_assert(!activity_is_spinner("⠀"));
    ck_assert(!activity_is_spinner(""));
    ck_assert(!activity_is_spinner("vim"));
    ck_assert(!activity_is_spinner("→ a"));
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {the_labelled_corpus,
                                  stuck_after_a_while,
                                  facts_of_the_server_come_first,
                                  nothing_is_guessed,
                                  since_when,
                                  another_size_is_no_work,
                                  words_and_spinners,
                                  NULL};
    return suite_run("activity", cases);
}
