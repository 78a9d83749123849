#include "mux/server/signs.h"

#include <string.h>

#include "mux/server/pace.h"
#include "mux/server/server.h"
#include "mux/server/stats.h"
#include "mux/server/text.h"
#include "transport/pack.h"

#define FIGURES_OLD_MS 15000U /* nobody looked for so long: they say nothing of now */

static const struct {
    const char *word;
    enum activity_hook hook;
} states[] = {{"working", HOOK_WORKING}, {"waiting", HOOK_WAITING}, {"done", HOOK_DONE}};

static void set_hook(struct sandbox *sandbox, const char *word, enum activity_hook hook)
{
    struct activity_facts *facts = &sandbox->facts;
    /* One that waits and says so again has waited since the first time. */
    bool again = facts->hook == hook && sandbox->activity.source == SOURCE_HOOK;
    facts->told_at = server_clock();
    facts->hook_at = again ? facts->hook_at : facts->told_at;
    facts->hook = hook;
    strcpy(sandbox->agent_state, word);
}

void signs_state(struct sandbox *sandbox, const msgpack_object *params)
{
    char state[sizeof(sandbox->agent_state)], text[sizeof(sandbox->agent_text)];
    bj_get_copy(params, "state", state, sizeof(state));
    bj_get_copy(params, "text", text, sizeof(text));
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(states[i].word, state) == 0) {
            set_hook(sandbox, states[i].word, states[i].hook);
            if (sandbox->record.unheard && states[i].hook == HOOK_WORKING) {
                sandbox->record.unheard = false;
                sandbox_save(sandbox);
            }
            text_clean(sandbox->agent_text, sizeof(sandbox->agent_text), text, strlen(text), false);
            sandbox_touch(sandbox);
        }
}

void signs_asked(struct sandbox *sandbox)
{
    if (sandbox->facts.hook == HOOK_NONE)
        return;
    set_hook(sandbox, "working", HOOK_WORKING);
    sandbox->agent_text[0] = '\0';
}

void signs_end(struct sandbox *sandbox)
{
    sandbox->facts = (struct activity_facts){0};
    sandbox->agent_state[0] = sandbox->agent_text[0] = '\0';
}

static void set_prompt(struct activity_facts *facts, const msgpack_object *word, uint64_t now)
{
    enum activity_prompt prompt = word && bj_is_str(word, "shown")  ? PROMPT_SHOWN
                                  : word && bj_is_str(word, "left") ? PROMPT_LEFT
                                                                    : PROMPT_UNKNOWN;
    if (prompt != facts->prompt)
        facts->prompt_at = now;
    facts->prompt = prompt;
}

static void read_signs(struct sandbox *sandbox, const msgpack_object *params, bool first)
{
    struct activity_facts *facts = &sandbox->facts;
    uint64_t now = server_clock();
    uint64_t counts[] = {bj_get_uint(params, "output", 0), bj_get_uint(params, "lines", 0),
                         bj_get_uint(params, "inputs", 0), bj_get_uint(params, "breaks", 0)};
    uint64_t *times[] = {&facts->output_at, &facts->lines_at, &facts->input_at, &facts->break_at};
    bool redraws = counts[2] == sandbox->sign_counts[2] && activity_redraws(facts, now);
    for (size_t i = 0; i < 4; i++) {
        if (!first && counts[i] > sandbox->sign_counts[i] && !(redraws && i < 2))
            *times[i] = now;
        sandbox->sign_counts[i] = counts[i];
    }
    facts->open = bj_get_bool(params, "open", false);
    set_prompt(facts, bj_get(params, "prompt"), now);
}

void signs_begin(struct sandbox *sandbox, const msgpack_object *info)
{
    sandbox->facts.watched_at = server_clock();
    read_signs(sandbox, info, true);
    stats_adjust(sandbox->server);
}

static uint64_t grown(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0; /* another monitor may count from nothing */
}

void signs_output(struct sandbox *sandbox, const msgpack_object *params)
{
    uint64_t output = sandbox->sign_counts[0], inputs = sandbox->sign_counts[2];
    read_signs(sandbox, params, false);
    pace_judge(sandbox, grown(sandbox->sign_counts[0], output),
               grown(sandbox->sign_counts[2], inputs) > 0);
    sandbox->sample_dirty = true; /* goes out with the next figures */
}

void signs_title(struct sandbox *sandbox)
{
    if (activity_is_spinner(sandbox->title))
        sandbox->facts.spinner_at = server_clock();
}

void signs_bell(struct sandbox *sandbox)
{
    sandbox->bells++;
    sandbox->facts.bell_at = server_clock();
}

void signs_notice(struct sandbox *sandbox)
{
    sandbox->facts.notice_at = server_clock();
}

double signs_unix(uint64_t at)
{
    return server_time() - ((double)server_clock() - (double)at) / 1000;
}

static void look_at_figures(struct sandbox *sandbox, uint64_t now)
{
    const struct sample *sample = &sandbox->sample;
    const struct glance *glance = &sandbox->glance;
    struct activity_facts *facts = &sandbox->facts;
    bool glanced = glance->taken > sample->taken;
    uint64_t taken = (glanced ? glance->taken : sample->taken) / 1000000;
    bool has_cpu = glanced ? glance->has_cpu : sample->has_cpu;
    double cpu = glanced ? glance->cpu : sample->cpu;
    bool known = taken != 0 && has_cpu && now < taken + FIGURES_OLD_MS;
    facts->cpu = known ? cpu : -1;
    if (known && cpu >= ACTIVITY_BUSY)
        facts->busy_at = taken;
}

bool signs_judge(struct sandbox *sandbox)
{
    struct activity_facts *facts = &sandbox->facts;
    const struct record *record = &sandbox->record;
    uint64_t now = server_clock();
    double asked = request_oldest(&sandbox->server->requests, record->id);
    double age = (server_time() - asked) * 1000;
    facts->state = record->state;
    facts->failed = record->exit_code != 0 || record->exit_signal != 0;
    facts->asked = asked == 0 ? 0 : age > 0 && age < (double)now ? now - (uint64_t)age : now;
    facts->stuck_ms = sandbox->server->stuck_ms;
    look_at_figures(sandbox, now);
    bool changed = activity_judge(&sandbox->activity, facts, now);
    timeline_note(&sandbox->timeline, sandbox->activity.doing, sandbox->activity.since, now);
    return changed;
}
