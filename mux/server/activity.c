#include "mux/server/activity.h"

#include <string.h>

struct verdict {
    enum doing doing;
    enum doing_source source;
    uint64_t since; /* 0: the facts do not say it */
};

static uint64_t later(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

static bool recent(uint64_t at, uint64_t now)
{
    return at != 0 && now < at + ACTIVITY_QUIET_MS;
}

bool activity_redraws(const struct activity_facts *facts, uint64_t at)
{
    return facts->sized_at != 0 && at >= facts->sized_at &&
           at < facts->sized_at + ACTIVITY_GRACE_MS && facts->input_at <= facts->sized_at;
}

/* A human typed after that, and it did more than to show what was typed. */
static bool answered(const struct activity_facts *facts, uint64_t since)
{
    uint64_t busy_at = activity_redraws(facts, facts->busy_at) ? 0 : facts->busy_at;
    uint64_t moved = later(facts->lines_at, busy_at);
    return facts->input_at > since && moved > facts->input_at + ACTIVITY_GRACE_MS;
}

/* It called, and was silent since, but for the echo of what a human typed. */
static bool calls(const struct activity_facts *facts, uint64_t at)
{
    uint64_t still =
        later(at + ACTIVITY_QUIET_MS, facts->input_at ? facts->input_at + ACTIVITY_GRACE_MS : 0);
    return at != 0 && facts->output_at <= still && facts->lines_at <= at + ACTIVITY_QUIET_MS &&
           !answered(facts, at);
}

/* A shell's, that cannot complete a word for instance: behind Enter it would be on another line. Of
 * key and bell either may be told first. */
static bool bell_is_echo(const struct activity_facts *facts)
{
    return facts->input_at != 0 && facts->bell_at <= facts->input_at + ACTIVITY_ECHO_MS &&
           facts->input_at <= facts->bell_at + ACTIVITY_ECHO_MS &&
           facts->lines_at + ACTIVITY_ECHO_MS < facts->input_at;
}

static bool judge_calls(const struct activity_facts *facts, uint64_t after, struct verdict *verdict)
{
    if (facts->notice_at > after && calls(facts, facts->notice_at))
        *verdict = (struct verdict){DOING_INPUT, SOURCE_NOTICE, facts->notice_at};
    else if (facts->bell_at > after && calls(facts, facts->bell_at) && !bell_is_echo(facts))
        *verdict = (struct verdict){DOING_INPUT, SOURCE_BELL, facts->bell_at};
    else
        return false;
    return true;
}

/* Until it goes on, or a line is written: then it must be seen to read again. */
bool activity_reads(const struct activity_facts *facts)
{
    uint64_t still =
        later(facts->reads_at, facts->input_at ? facts->input_at + ACTIVITY_GRACE_MS : 0);
    return facts->reads_at != 0 && facts->output_at <= still && facts->lines_at <= facts->reads_at;
}

/* A command of a shell that marks where they begin and end. */
static bool works(const struct activity_facts *facts, uint64_t now)
{
    uint64_t sign =
        later(later(facts->output_at, facts->busy_at), later(facts->prompt_at, facts->watched_at));
    return facts->prompt == PROMPT_LEFT &&
           (facts->cpu < 0 || facts->cpu >= ACTIVITY_BUSY || now < sign + ACTIVITY_COMMAND_MS);
}

/* Few agents have a hook for it; one that works paints at least its spinner. */
static bool is_interrupted(const struct activity_facts *facts, uint64_t now)
{
    return facts->break_at > facts->told_at &&
           !recent(later(facts->output_at, facts->break_at), now);
}

static bool judge_hook(const struct activity_facts *facts, uint64_t now, struct verdict *verdict)
{
    uint64_t sign = later(later(facts->output_at, facts->busy_at), facts->told_at);
    uint64_t patience = facts->stuck_ms ? facts->stuck_ms : ACTIVITY_STUCK_MS;
    bool silent = now >= sign + patience && facts->cpu >= 0 && facts->cpu < ACTIVITY_BUSY;
    switch (facts->hook) {
    case HOOK_WAITING:
        *verdict = (struct verdict){DOING_INPUT, SOURCE_HOOK, facts->hook_at};
        return !answered(facts, facts->hook_at);
    case HOOK_DONE:
        if (judge_calls(facts, facts->told_at, verdict))
            return true;
        *verdict = (struct verdict){DOING_IDLE, SOURCE_HOOK, facts->hook_at};
        return !answered(facts, facts->hook_at);
    case HOOK_WORKING:
        if (judge_calls(facts, facts->told_at, verdict))
            return true;
        if (is_interrupted(facts, now)) {
            *verdict = (struct verdict){DOING_IDLE, SOURCE_SILENCE, facts->break_at};
            return true;
        }
        *verdict =
            silent ? (struct verdict){DOING_STUCK, SOURCE_HOOK, sign}
                   : (struct verdict){facts->cpu >= ACTIVITY_BUSY ? DOING_RUNNING : DOING_THINKING,
                                      SOURCE_HOOK, facts->hook_at};
        return true;
    default:
        return false;
    }
}

static bool judge_terminal(const struct activity_facts *facts, uint64_t now,
                           struct verdict *verdict)
{
    if (judge_calls(facts, 0, verdict))
        return true;
    /* A shell that does not mark where its commands begin: Enter made a line since. */
    bool entered = facts->input_at > facts->prompt_at && facts->lines_at > facts->prompt_at;
    if (facts->prompt == PROMPT_SHOWN && !entered)
        *verdict = (struct verdict){DOING_INPUT, SOURCE_PROMPT, facts->prompt_at};
    else if (activity_reads(facts))
        *verdict = (struct verdict){DOING_INPUT, SOURCE_READING, facts->reads_since};
    else if (works(facts, now))
        *verdict = (struct verdict){DOING_RUNNING, SOURCE_PROMPT, facts->prompt_at};
    else if (recent(facts->spinner_at, now))
        *verdict = (struct verdict){DOING_THINKING, SOURCE_TITLE, 0};
    else
        return false;
    return true;
}

static struct verdict judge_outside(const struct activity_facts *facts, uint64_t now)
{
    /* What comes at once after a key is its echo. */
    bool echo = facts->input_at != 0 && facts->output_at <= facts->input_at + ACTIVITY_GRACE_MS;
    uint64_t quiet = later(facts->output_at, facts->watched_at);
    if (facts->cpu >= ACTIVITY_BUSY)
        return (struct verdict){DOING_RUNNING, SOURCE_CPU, 0};
    if (recent(facts->lines_at, now))
        return (struct verdict){DOING_RUNNING, SOURCE_OUTPUT, 0};
    if (recent(facts->output_at, now) && !echo)
        return (struct verdict){DOING_THINKING, SOURCE_OUTPUT, 0};
    if (quiet != 0 && facts->cpu >= 0 && (echo || !recent(quiet, now)))
        return (struct verdict){DOING_IDLE, SOURCE_SILENCE, quiet};
    return (struct verdict){DOING_UNKNOWN, SOURCE_NONE, 0};
}

static struct verdict judge(const struct activity_facts *facts, uint64_t now)
{
    struct verdict verdict;
    switch (facts->state) {
    case SANDBOX_STARTING:
        return (struct verdict){DOING_STARTING, SOURCE_SERVER, 0};
    case SANDBOX_PAUSED:
        return (struct verdict){DOING_PAUSED, SOURCE_SERVER, 0};
    case SANDBOX_EXITED:
        return (struct verdict){facts->failed ? DOING_FAILED : DOING_EXITED, SOURCE_SERVER, 0};
    case SANDBOX_LOST:
        return (struct verdict){DOING_LOST, SOURCE_SERVER, 0};
    default:
        break;
    }
    if (facts->asked != 0)
        return (struct verdict){DOING_VERDICT, SOURCE_REQUEST, facts->asked};
    if (judge_hook(facts, now, &verdict) || judge_terminal(facts, now, &verdict))
        return verdict;
    return judge_outside(facts, now);
}

bool activity_judge(struct activity *activity, const struct activity_facts *facts, uint64_t now)
{
    struct verdict verdict = judge(facts, now);
    bool changed =
        !activity->judged || verdict.doing != activity->doing || verdict.source != activity->source;
    bool other = !activity->judged || verdict.doing != activity->doing;
    if (verdict.since != 0) {
        changed |= verdict.since != activity->since;
        activity->since = verdict.since;
    } else if (other) {
        activity->since = activity->judged && activity->doing != DOING_UNKNOWN ? now : 0;
    }
    activity->judged = true;
    activity->doing = verdict.doing;
    activity->source = verdict.source;
    return changed;
}

const char *activity_doing_name(enum doing doing)
{
    static const char *const names[DOINGS] = {
        [DOING_UNKNOWN] = "unknown",   [DOING_STARTING] = "starting", [DOING_RUNNING] = "running",
        [DOING_THINKING] = "thinking", [DOING_IDLE] = "idle",         [DOING_INPUT] = "input",
        [DOING_VERDICT] = "verdict",   [DOING_STUCK] = "stuck",       [DOING_PAUSED] = "paused",
        [DOING_EXITED] = "exited",     [DOING_FAILED] = "failed",     [DOING_LOST] = "lost",
    };
    return names[doing];
}

const char *activity_source_name(enum doing_source source)
{
    static const char *const names[DOING_SOURCES] = {
        [SOURCE_NONE] = "none", [SOURCE_SERVER] = "server",   [SOURCE_REQUEST] = "request",
        [SOURCE_HOOK] = "hook", [SOURCE_PROMPT] = "prompt",   [SOURCE_NOTICE] = "notification",
        [SOURCE_BELL] = "bell", [SOURCE_TITLE] = "title",     [SOURCE_OUTPUT] = "output",
        [SOURCE_CPU] = "cpu",   [SOURCE_SILENCE] = "silence", [SOURCE_READING] = "reading",
    };
    return names[source];
}

/* U+2801 to U+28FF, the dots that most spinners are made of. */
bool activity_is_spinner(const char *title)
{
    const unsigned char *at = (const unsigned char *)title;
    return at[0] == 0xe2 && at[1] >= 0xa0 && at[1] <= 0xa3 &&
           (at[1] > 0xa0 ? at[2] >= 0x80 : at[2] > 0x80);
}
