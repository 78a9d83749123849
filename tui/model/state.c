#include "tui/model/state.h"

#include <string.h>

struct verdict {
    enum doing doing;
    enum evidence evidence;
    double since; /* when the facts say it; below zero: they do not */
};

/* Of an agent that runs and asks for nothing. */
static struct verdict judge_running(const struct state_facts *facts, double now)
{
    bool rang = facts->rang >= 0;
    bool prints = facts->output >= 0 && now - facts->output < STATE_QUIET_S;
    if (rang && (facts->output < 0 || facts->output <= facts->rang + STATE_QUIET_S))
        return (struct verdict){DOING_CALLS, EVIDENCE_BELL, facts->rang};
    if (prints)
        return (struct verdict){DOING_WORKING, EVIDENCE_OUTPUT, -1};
    if (facts->cpu >= STATE_BUSY)
        return (struct verdict){DOING_WORKING, EVIDENCE_CPU, -1};
    if (facts->output >= 0 && facts->cpu >= 0)
        return (struct verdict){DOING_IDLE, EVIDENCE_SILENCE, facts->output};
    return (struct verdict){DOING_UNKNOWN, EVIDENCE_NONE, -1};
}

static struct verdict judge(const struct state_facts *facts, double now)
{
    switch (facts->server) {
    case SANDBOX_STARTING:
        return (struct verdict){DOING_STARTING, EVIDENCE_SERVER, -1};
    case SANDBOX_PAUSED:
        return (struct verdict){DOING_PAUSED, EVIDENCE_SERVER, -1};
    case SANDBOX_EXITED:
        return (struct verdict){facts->failed ? DOING_FAILED : DOING_ENDED, EVIDENCE_SERVER, -1};
    case SANDBOX_LOST:
        return (struct verdict){DOING_LOST, EVIDENCE_SERVER, -1};
    default:
        if (facts->asked > 0)
            return (struct verdict){DOING_ASKS, EVIDENCE_REQUEST, facts->asked};
        if (facts->server == SANDBOX_WAITING)
            return (struct verdict){DOING_ASKS, EVIDENCE_SERVER, -1};
        return judge_running(facts, now);
    }
}

static void sample(struct state *state, double now)
{
    if (state->step_began == 0 || now < state->step_began)
        state->step_began = now;
    double passed = now - state->step_began;
    for (int i = 0; passed >= STATE_STEP_S && i < STATE_SAMPLES; i++) {
        memmove(state->samples, state->samples + 1, STATE_SAMPLES - 1);
        state->samples[STATE_SAMPLES - 1] = state->step;
        state->step_began += STATE_STEP_S;
        state->step = (uint8_t)state->doing;
        passed -= STATE_STEP_S;
    }
    if (passed >= STATE_STEP_S)
        state->step_began = now; /* the machine slept */
}

bool state_judge(struct state *state, const struct state_facts *facts, double now)
{
    sample(state, now);
    struct verdict verdict = judge(facts, now);
    bool changed = !state->judged || verdict.doing != state->doing;
    if (verdict.since >= 0)
        state->since = verdict.since;
    else if (changed)
        state->since = state->judged && state->doing != DOING_UNKNOWN ? now : -1;
    state->judged = true;
    state->doing = verdict.doing;
    state->evidence = verdict.evidence;
    if ((uint8_t)verdict.doing > state->step)
        state->step = (uint8_t)verdict.doing;
    return changed;
}

void state_strip(const struct state *state, int width, enum doing *out)
{
    for (int i = 0; i < width; i++) {
        int from = STATE_SAMPLES * i / width, to = STATE_SAMPLES * (i + 1) / width;
        uint8_t most = i == width - 1 ? state->step : 0;
        for (int k = from; k < to; k++)
            most = state->samples[k] > most ? state->samples[k] : most;
        out[i] = (enum doing)most;
    }
}

static const struct {
    const char *word, *glyph, *ascii, *strip, *strip_ascii;
} looks[DOINGS] = {
    [DOING_UNKNOWN] = {"unknown", "·", ".", " ", " "},
    [DOING_ENDED] = {"exited", "■", "-", "·", "."},
    [DOING_IDLE] = {"idle", "○", "o", "▁", "_"},
    [DOING_PAUSED] = {"paused", "‖", "=", "‖", "="},
    [DOING_STARTING] = {"starting", "◌", "+", "▃", "+"},
    [DOING_WORKING] = {"working", "●", "*", "▅", "#"},
    [DOING_FAILED] = {"failed", "✕", "x", "✕", "x"},
    [DOING_LOST] = {"lost", "✕", "x", "✕", "x"},
    [DOING_CALLS] = {"calls", "◇", "!", "◇", "!"},
    [DOING_ASKS] = {"waiting", "◆", "?", "◆", "?"},
};

const char *state_word(enum doing doing)
{
    return looks[doing].word;
}

const char *state_glyph(enum doing doing, bool ascii)
{
    return ascii ? looks[doing].ascii : looks[doing].glyph;
}

const char *state_strip_glyph(enum doing doing, bool ascii)
{
    return ascii ? looks[doing].strip_ascii : looks[doing].strip;
}

const char *state_evidence(enum evidence evidence)
{
    static const char *const texts[] = {
        [EVIDENCE_NONE] = "no figure says so",    [EVIDENCE_SERVER] = "the server knows",
        [EVIDENCE_REQUEST] = "a request is open", [EVIDENCE_BELL] = "it rang, then silence",
        [EVIDENCE_OUTPUT] = "it prints",          [EVIDENCE_CPU] = "it uses the CPU",
        [EVIDENCE_SILENCE] = "no output, no CPU",
    };
    return texts[evidence];
}
