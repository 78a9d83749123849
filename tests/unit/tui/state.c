#include "suite.h"

#include <string.h>

#include "tui/model/state.h"

static struct state state;
static struct state_facts facts;

static void setup(void)
{
    memset(&state, 0, sizeof(state));
    facts = (struct state_facts){.server = SANDBOX_RUNNING, .rang = -1, .output = -1, .cpu = -1};
}

static void is(double now, enum doing doing, enum evidence evidence, double since)
{
    state_judge(&state, &facts, now);
    ck_assert_msg(state.doing == doing, "%s instead of %s", state_word(state.doing),
                  state_word(doing));
    ck_assert_int_eq(state.evidence, evidence);
    ck_assert_msg(state.since > since - 0.01 && state.since < since + 0.01, "since %f",
                  state.since);
}

START_TEST(nothing_is_guessed)
{
    setup();
    is(1000, DOING_UNKNOWN, EVIDENCE_NONE, -1);
    facts.cpu = 0;
    is(1001, DOING_UNKNOWN, EVIDENCE_NONE, -1); /* it may print */
    facts.output = 990;
    is(1002, DOING_IDLE, EVIDENCE_SILENCE, 990);
    facts.cpu = -1;
    is(1003, DOING_UNKNOWN, EVIDENCE_NONE, 1003); /* it may compute */
}
END_TEST

START_TEST(output_and_cpu_are_work)
{
    setup();
    facts.output = 999;
    facts.cpu = 0;
    is(1000, DOING_WORKING, EVIDENCE_OUTPUT, -1); /* since before we looked */
    is(1010, DOING_IDLE, EVIDENCE_SILENCE, 999);
    facts.cpu = 60;
    is(1020, DOING_WORKING, EVIDENCE_CPU, 1020);
    is(1030, DOING_WORKING, EVIDENCE_CPU, 1020);
}
END_TEST

START_TEST(a_request_is_a_fact)
{
    setup();
    facts.output = 999;
    facts.cpu = 100;
    facts.asked = 970;
    is(1000, DOING_ASKS, EVIDENCE_REQUEST, 970);
    facts.server = SANDBOX_PAUSED; /* it cannot even wait */
    is(1001, DOING_PAUSED, EVIDENCE_SERVER, 1001);
    facts.server = SANDBOX_WAITING;
    facts.asked = 0;
    is(1002, DOING_ASKS, EVIDENCE_SERVER, 1002);
}
END_TEST

START_TEST(a_bell_counts_until_it_goes_on)
{
    setup();
    facts.output = 1000;
    facts.cpu = 0;
    facts.rang = 1000;
    is(1001, DOING_CALLS, EVIDENCE_BELL, 1000);
    is(1500, DOING_CALLS, EVIDENCE_BELL, 1000);
    facts.output = 1501; /* somebody answered */
    is(1502, DOING_WORKING, EVIDENCE_OUTPUT, 1502);
    is(1510, DOING_IDLE, EVIDENCE_SILENCE, 1501);
}
END_TEST

START_TEST(the_end)
{
    setup();
    facts.server = SANDBOX_EXITED;
    is(1000, DOING_ENDED, EVIDENCE_SERVER, -1);
    facts.failed = true;
    is(1001, DOING_FAILED, EVIDENCE_SERVER, 1001);
    facts.server = SANDBOX_LOST;
    is(1002, DOING_LOST, EVIDENCE_SERVER, 1002);
    facts.server = SANDBOX_STARTING;
    is(1003, DOING_STARTING, EVIDENCE_SERVER, 1003);
}
END_TEST

START_TEST(the_timeline_keeps_what_matters)
{
    enum doing strip[STATE_SAMPLES];
    setup();
    state_strip(&state, 10, strip);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(strip[i], DOING_UNKNOWN);
    facts.cpu = 0;
    facts.output = 900;
    for (int second = 0; second < 700; second++) {
        facts.asked = second == 300 ? 1300 : 0; /* for one second only */
        state_judge(&state, &facts, 1000 + second);
    }
    state_strip(&state, 10, strip);
    int asked = 0;
    for (int i = 0; i < 10; i++)
        if (strip[i] == DOING_ASKS)
            asked++;
        else
            ck_assert_int_eq(strip[i], DOING_IDLE);
    ck_assert_int_eq(asked, 1);
    ck_assert_int_eq(strip[3], DOING_ASKS); /* 400 of 600 seconds ago */
    /* A night's sleep of the machine, and a clock that goes back. */
    state_judge(&state, &facts, 90000);
    facts.output = 10;
    state_judge(&state, &facts, 50);
    state_strip(&state, STATE_SAMPLES, strip);
    for (int i = 0; i < STATE_SAMPLES; i++)
        ck_assert_int_eq(strip[i], DOING_IDLE);
}
END_TEST

START_TEST(every_state_looks_its_own_way)
{
    for (int i = 0; i < DOINGS; i++)
        for (int k = 0; k < i; k++) {
            bool dead = i == DOING_LOST && k == DOING_FAILED;
            ck_assert_str_ne(state_word((enum doing)i), state_word((enum doing)k));
            for (int ascii = 0; ascii < 2 && !dead; ascii++)
                ck_assert_str_ne(state_glyph((enum doing)i, ascii),
                                 state_glyph((enum doing)k, ascii));
        }
    for (int i = 0; i <= EVIDENCE_SILENCE; i++)
        ck_assert_uint_gt(strlen(state_evidence((enum evidence)i)), 0);
}
END_TEST

SUITE_MAIN("state", nothing_is_guessed, output_and_cpu_are_work, a_request_is_a_fact,
           a_bell_counts_until_it_goes_on, the_end, the_timeline_keeps_what_matters,
           every_state_looks_its_own_way)
