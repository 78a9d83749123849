#include "tui/model/state.h"

#include <string.h>

static const struct {
    const char *api, *word, *brief, *glyph, *ascii, *strip, *strip_ascii;
} looks[DOINGS] = {
    [DOING_UNKNOWN] = {"unknown", "unknown", "unknown", "·", ".", " ", " "},
    [DOING_EXITED] = {"exited", "exited", "exited", "■", "-", "·", "."},
    [DOING_IDLE] = {"idle", "idle", "idle", "○", "o", "▁", "_"},
    [DOING_PAUSED] = {"paused", "paused", "paused", "‖", "=", "‖", "="},
    [DOING_STARTING] = {"starting", "starting", "starting", "◌", "+", "▂", "+"},
    [DOING_THINKING] = {"thinking", "thinking", "thinking", "◐", "~", "▃", "~"},
    [DOING_RUNNING] = {"running", "running", "running", "●", "*", "▅", "#"},
    [DOING_FAILED] = {"failed", "failed", "failed", "✕", "x", "✕", "x"},
    [DOING_LOST] = {"lost", "lost", "lost", "✕", "x", "✕", "x"},
    [DOING_STUCK] = {"stuck", "stuck", "stuck", "⊗", "%", "⊗", "%"},
    [DOING_INPUT] = {"input", "waiting for input", "input?", "◇", "!", "◇", "!"},
    [DOING_VERDICT] = {"verdict", "waiting for a verdict", "verdict?", "◆", "?", "◆", "?"},
};

static const struct {
    const char *api, *text;
} sources[EVIDENCES] = {
    [EVIDENCE_NONE] = {"none", "no figure says so"},
    [EVIDENCE_SERVER] = {"server", "the server knows"},
    [EVIDENCE_REQUEST] = {"request", "a request is open"},
    [EVIDENCE_HOOK] = {"hook", "its hook says so"},
    [EVIDENCE_PROMPT] = {"prompt", "its shell marks it"},
    [EVIDENCE_NOTICE] = {"notification", "it notified, is silent"},
    [EVIDENCE_BELL] = {"bell", "it rang, then silence"},
    [EVIDENCE_TITLE] = {"title", "its title spins"},
    [EVIDENCE_OUTPUT] = {"output", "it prints"},
    [EVIDENCE_CPU] = {"cpu", "it uses the CPU"},
    [EVIDENCE_SILENCE] = {"silence", "no output, no CPU"},
    [EVIDENCE_READING] = {"reading", "it reads its terminal"},
    [EVIDENCE_CUT] = {"link", "no link to its host"},
};

enum doing state_doing(const char *word)
{
    for (int i = 0; i < DOINGS; i++)
        if (strcmp(looks[i].api, word) == 0)
            return (enum doing)i;
    return DOING_UNKNOWN;
}

enum evidence state_source(const char *word)
{
    for (int i = 0; i < EVIDENCES; i++)
        if (strcmp(sources[i].api, word) == 0)
            return (enum evidence)i;
    return EVIDENCE_NONE;
}

void state_tick(struct state *state, double now)
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

void state_set(struct state *state, enum doing doing, enum evidence evidence, double since,
               double now)
{
    state_tick(state, now);
    state->doing = doing;
    state->evidence = evidence;
    state->since = since;
    if ((uint8_t)doing > state->step)
        state->step = (uint8_t)doing;
}

void state_recall(struct state *state, const enum doing *steps, size_t count, double now)
{
    state_tick(state, now);
    for (size_t i = 0; i < count && i <= STATE_SAMPLES; i++) {
        uint8_t doing = (uint8_t)steps[count - 1 - i];
        uint8_t *here = i == 0 ? &state->step : &state->samples[STATE_SAMPLES - i];
        if (doing != DOING_UNKNOWN)
            *here = doing > *here || i > 0 ? doing : *here;
    }
}

bool state_needs(enum doing doing)
{
    return doing == DOING_STUCK || doing == DOING_INPUT || doing == DOING_VERDICT;
}

/* A question is more than a prompt, at which a shell may stay for good. */
static int need(const struct state *state)
{
    bool prompt = state->doing == DOING_INPUT && state->evidence == EVIDENCE_PROMPT;
    return prompt ? 2 * DOING_IDLE + 1 : 2 * (int)state->doing;
}

int state_compare(const struct state *one, const struct state *other)
{
    int mine = need(one), its = need(other);
    if (mine != its)
        return its - mine;
    return one->since < other->since ? -1 : one->since > other->since;
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

const char *state_word(enum doing doing)
{
    return looks[doing].word;
}

const char *state_brief(enum doing doing)
{
    return looks[doing].brief;
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
    return sources[evidence].text;
}
