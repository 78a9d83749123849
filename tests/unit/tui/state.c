#include "suite.h"

#include <string.h>

#include "tui/model/state.h"

static struct state state;

START_TEST(words_of_the_api)
{
    ck_assert_int_eq(state_doing("verdict"), DOING_VERDICT);
    ck_assert_int_eq(state_doing("input"), DOING_INPUT);
    ck_assert_int_eq(state_doing("of another version"), DOING_UNKNOWN);
    ck_assert_int_eq(state_source("hook"), EVIDENCE_HOOK);
    ck_assert_int_eq(state_source(""), EVIDENCE_NONE);
    state_set(&state, DOING_STUCK, EVIDENCE_HOOK, 970, 1000);
    ck_assert_int_eq(state.doing, DOING_STUCK);
    ck_assert_int_eq(state.evidence, EVIDENCE_HOOK);
    ck_assert_int_eq((int)state.since, 970);
}
END_TEST

START_TEST(who_needs_the_human_most)
{
    static const struct {
        enum doing doing;
        enum evidence evidence;
        double since;
    } rows[] = {
        {DOING_VERDICT, EVIDENCE_REQUEST, 10}, {DOING_VERDICT, EVIDENCE_REQUEST, 20},
        {DOING_INPUT, EVIDENCE_HOOK, 5},       {DOING_INPUT, EVIDENCE_BELL, 6},
        {DOING_STUCK, EVIDENCE_HOOK, 1},       {DOING_FAILED, EVIDENCE_SERVER, 1},
        {DOING_RUNNING, EVIDENCE_CPU, 1},      {DOING_INPUT, EVIDENCE_PROMPT, 0},
        {DOING_IDLE, EVIDENCE_SILENCE, 0},
    };
    for (size_t i = 0; i + 1 < sizeof(rows) / sizeof(rows[0]); i++) {
        struct state one = {0}, other = {0};
        state_set(&one, rows[i].doing, rows[i].evidence, rows[i].since, 100);
        state_set(&other, rows[i + 1].doing, rows[i + 1].evidence, rows[i + 1].since, 100);
        ck_assert_msg(state_compare(&one, &other) < 0, "row %zu", i);
        ck_assert(state_compare(&other, &one) > 0);
    }
}
END_TEST

START_TEST(the_timeline_keeps_what_matters)
{
    enum doing strip[STATE_SAMPLES];
    state_strip(&state, 10, strip);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(strip[i], DOING_UNKNOWN);
    for (int second = 0; second < 700; second++) /* it asks for one second only */
        state_set(&state, second == 300 ? DOING_VERDICT : DOING_IDLE, EVIDENCE_NONE, -1,
                  1000 + second);
    state_strip(&state, 10, strip);
    int asked = 0;
    for (int i = 0; i < 10; i++)
        if (strip[i] == DOING_VERDICT)
            asked++;
        else
            ck_assert_int_eq(strip[i], DOING_IDLE);
    ck_assert_int_eq(asked, 1);
    ck_assert_int_eq(strip[3], DOING_VERDICT); /* 400 of 600 seconds ago */
    /* A night's sleep of the machine, and a clock that goes back. */
    state_tick(&state, 90000);
    state_set(&state, DOING_IDLE, EVIDENCE_SILENCE, 10, 50);
    state_strip(&state, STATE_SAMPLES, strip);
    for (int i = 0; i < STATE_SAMPLES; i++)
        ck_assert_int_eq(strip[i], DOING_IDLE);
}
END_TEST

START_TEST(the_past_is_told)
{
    const enum doing told[] = {DOING_INPUT, DOING_INPUT, DOING_UNKNOWN, DOING_IDLE};
    enum doing strip[STATE_SAMPLES];
    for (int second = 0; second < 30; second++)
        state_set(&state, DOING_RUNNING, EVIDENCE_CPU, -1, 1000 + second);
    state_recall(&state, told, 4, 1029);
    state_strip(&state, STATE_SAMPLES, strip);
    for (int i = 0; i < STATE_SAMPLES - 5; i++)
        ck_assert_int_eq(strip[i], DOING_UNKNOWN);
    ck_assert_int_eq(strip[STATE_SAMPLES - 4], DOING_RUNNING); /* before what was told */
    ck_assert_int_eq(strip[STATE_SAMPLES - 3], DOING_INPUT);
    ck_assert_int_eq(strip[STATE_SAMPLES - 2], DOING_INPUT);
    ck_assert_int_eq(state.samples[STATE_SAMPLES - 1], DOING_RUNNING); /* the teller knows not */
    ck_assert_int_eq(state.step, DOING_RUNNING); /* was seen here, and is more than idle */
    /* It goes on from there. */
    state_set(&state, DOING_IDLE, EVIDENCE_SILENCE, -1, 1049);
    state_strip(&state, STATE_SAMPLES, strip);
    ck_assert_int_eq(strip[STATE_SAMPLES - 1], DOING_RUNNING);
    ck_assert_int_eq(strip[STATE_SAMPLES - 7], DOING_INPUT);
    /* More than it keeps. */
    enum doing all[STATE_SAMPLES + 10];
    for (int i = 0; i < STATE_SAMPLES + 10; i++)
        all[i] = DOING_STUCK;
    state_recall(&state, all, STATE_SAMPLES + 10, 1050);
    state_strip(&state, STATE_SAMPLES, strip);
    for (int i = 0; i < STATE_SAMPLES; i++)
        ck_assert_int_eq(strip[i], DOING_STUCK);
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
    for (int i = 0; i < DOINGS; i++)
        ck_assert_uint_le(strlen(state_brief((enum doing)i)), 10);
    for (int i = 0; i < EVIDENCES; i++)
        ck_assert_uint_gt(strlen(state_evidence((enum evidence)i)), 0);
}
END_TEST

SUITE_MAIN("state", words_of_the_api, who_needs_the_human_most, the_timeline_keeps_what_matters,
           the_past_is_told, every_state_looks_its_own_way)
