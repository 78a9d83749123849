#include "mux/server/reading.h"

#include "mux/resource/reader.h"
#include "mux/server/sandbox.h"

#define WAIT_FIRST_MS 4000U
#define WAIT_MOST_MS  30000U

static bool is_silent(const struct activity_facts *facts, uint64_t now)
{
    uint64_t last = facts->output_at > facts->watched_at ? facts->output_at : facts->watched_at;
    uint64_t typed = facts->input_at ? facts->input_at + ACTIVITY_GRACE_MS : 0;
    return last != 0 && now >= last + ACTIVITY_QUIET_MS && now >= typed;
}

void reading_look(struct sandbox *sandbox, uint64_t now)
{
    struct reading *reading = &sandbox->reading;
    struct activity_facts *facts = &sandbox->facts;
    if (!facts->open || sandbox->ended || sandbox->record.state != SANDBOX_RUNNING) {
        facts->reads_at = 0;
        return;
    }
    bool again = reading->wait > 0 && reading->output_at == facts->output_at &&
                 reading->input_at == facts->input_at;
    if (!is_silent(facts, now) || (again && now < reading->next))
        return;
    uint32_t wait = again ? 2 * reading->wait : WAIT_FIRST_MS;
    wait = wait < WAIT_MOST_MS ? wait : WAIT_MOST_MS;
    *reading = (struct reading){facts->output_at, facts->input_at, now + wait, wait};
    bool reads = reader_looks(&sandbox->record.init) == 1;
    if (reads && !activity_reads(facts))
        facts->reads_since = facts->output_at ? facts->output_at : now;
    facts->reads_at = reads ? now : 0;
}
