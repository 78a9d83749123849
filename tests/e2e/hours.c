/*
 * How often a human is interrupted: two hours of ten agents, replayed.
 *
 * The trace (tests/fixtures/hours.jsonl) says which agent asks what in which minute: 15 questions
 * an hour each, in the words of the hooks of Claude Code, Codex, Gemini CLI and OpenCode, and hosts
 * that they connect to; "@npm" is the host that this preset stands for. It is made up after what
 * such agents do. The profiles and policies are those that Belljar comes with and nobody has
 * remembered a rule; the agents are shell scripts in the place of the profiles' programs that ask
 * in the trace's words through `belljar-shim ask`, and connect with curl.
 *
 * The replayed human answers a card at the end of the minute behind the one in which it came up,
 * and remembers each answer for all and for good: allow, but for the hosts that the trace says he
 * denies.
 */
#include "human.h"
#include "net.h"
#include "world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_IN_AN_HOUR 12 /* cards; in the mean of all hours half as many */
#define AGENTS_MAX      10
#define STEPS_MAX       400
#define HOURS_MAX       8
#define CARDS_MAX       200

static struct world world;
static char trace_path[PATH_MAX];

static struct agent {
    const char *name, *profile, *project;
    long last; /* step that it was told to take; -1: none */
} agents[AGENTS_MAX];

static struct step {
    int minute;
    const struct agent *agent;
    json_t *hook;     /* NULL: it connects */
    const char *host; /* or a preset */
} steps[STEPS_MAX];

static struct card {
    char id[64], subject[256];
    int minute;
    bool answered;
} cards[CARDS_MAX];

static size_t agent_count, step_count, card_count;
static json_t *denied; /* hosts, as keys */
static json_t *trace;  /* its lines: what agents and steps name is theirs */

/* The mirrors that this machine's own configuration names, and the projects' remote. */
static const struct {
    const char *preset, *host;
} mirrors[] = {{"@npm", "npm.mirror.example"},
               {"@pip", "pip.mirror.example"},
               {"@cargo", "cargo.mirror.example"},
               {"@git-remote", "code.example"}};

/* --- the trace --- */

static struct agent *agent_named(const char *name)
{
    for (size_t i = 0; i < agent_count; i++)
        if (strcmp(agents[i].name, name) == 0)
            return &agents[i];
    ck_abort_msg("the trace has no agent %s", name);
}

static const char *text_of(const json_t *line, const char *key)
{
    return json_string_value(json_object_get(line, key));
}

static void take_line(json_t *line)
{
    const char *agent = text_of(line, "agent"), *host = text_of(line, "host");
    if (host) {
        json_object_set_new(denied, host, json_true());
    } else if (text_of(line, "profile")) {
        ck_assert_uint_lt(agent_count, AGENTS_MAX);
        agents[agent_count++] =
            (struct agent){agent, text_of(line, "profile"), text_of(line, "project"), -1};
    } else {
        ck_assert_uint_lt(step_count, STEPS_MAX);
        steps[step_count++] = (struct step){
            (int)json_integer_value(json_object_get(line, "minute")), agent_named(agent),
            json_object_get(line, "hook"), text_of(line, "connect")};
    }
}

static void read_trace(void)
{
    char line[8192];
    FILE *file = fopen(trace_path, "re");
    ck_assert_msg(file != NULL, "no trace: %s", trace_path);
    denied = json_object();
    trace = json_array();
    while (fgets(line, sizeof(line), file)) {
        json_t *read = json_loads(line, 0, NULL);
        ck_assert_msg(read != NULL, "%s", line);
        json_array_append_new(trace, read);
        take_line(read);
    }
    fclose(file);
}

static const char *host_of(const struct step *step)
{
    for (size_t i = 0; i < sizeof(mirrors) / sizeof(mirrors[0]); i++)
        if (strcmp(mirrors[i].preset, step->host) == 0)
            return mirrors[i].host;
    return step->host;
}

/* --- the machine --- */

#define AGENT                                                                                      \
    "cd /work/.trace\n"                                                                            \
    "while read -r n; do\n"                                                                        \
    "  if [ -e $n.hook ]; then\n"                                                                  \
    "    echo \"step $n hook $(/belljar/bin/belljar-shim ask --dialect $1 <$n.hook)\"\n"           \
    "  else\n"                                                                                     \
    "    echo \"step $n host $(curl -s -m 3000 -o /dev/null -w '%{http_connect}' \"https://$(cat " \
    "$n.host)/\")\"\n"                                                                             \
    "  fi\n"                                                                                       \
    "done\n"

/* Where the profiles look first, so that none that is really installed here is taken. The one of
 * Gemini CLI is run by node. */
static void install_agents(void)
{
#if defined(__aarch64__)
    static const char codex[] = "lib/node_modules/@openai/codex/node_modules/@openai/"
                                "codex-linux-arm64/vendor/aarch64-unknown-linux-musl/bin/codex";
#else
    static const char codex[] = "lib/node_modules/@openai/codex/node_modules/@openai/"
                                "codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex";
#endif
    static const char *const programs[][2] = {
        {"claude", "lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe"},
        {"codex", codex},
        {"opencode", "lib/node_modules/opencode-ai/bin/opencode.exe"},
        {"gemini", "lib/node_modules/@google/gemini-cli/bundle/gemini.js"},
        {"gemini", "bin/node"}};
    static const char *const keys[] = {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"};
    char path[200], text[96];
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        snprintf(path, sizeof(path), "usr/%s", programs[i][1]);
        snprintf(text, sizeof(text), "#!/bin/bash\nexec bash /work/.trace/agent %s\n",
                 programs[i][0]);
        world_file(&world, path, text, 0755);
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        setenv(keys[i], "none", 1);
}

/* The package managers' own configuration, whichever of them are installed here. */
static void configure_mirrors(void)
{
    char path[4200];
    world_file(&world, "usr/bin/npm",
               "#!/bin/sh\necho '{\"registry\": \"https://npm.mirror.example/\"}'\n", 0755);
    world_file(&world, "usr/bin/pip3",
               "#!/bin/sh\necho \"global.index-url='https://pip.mirror.example/simple'\"\n", 0755);
    world_file(&world, "home/.cargo/config.toml",
               "[source.mirror]\nregistry = \"sparse+https://cargo.mirror.example/index/\"\n",
               0644);
    snprintf(path, sizeof(path), "%s/usr/bin:%s", world.base, getenv("PATH"));
    setenv("PATH", path, 1);
}

static void make_project(const char *project)
{
    char path[160], name[160];
    snprintf(path, sizeof(path), "%s/%s", world.base, project);
    if (access(path, F_OK) == 0)
        return;
    snprintf(name, sizeof(name), "%s/.trace/agent", project);
    world_file(&world, name, AGENT, 0644);
    for (size_t i = 0; i < step_count; i++) {
        if (strcmp(steps[i].agent->project, project) != 0)
            continue;
        char *hook = steps[i].hook ? json_dumps(steps[i].hook, JSON_COMPACT) : NULL;
        snprintf(name, sizeof(name), "%s/.trace/%zu.%s", project, i, hook ? "hook" : "host");
        world_file(&world, name, hook ? hook : host_of(&steps[i]), 0644);
        free(hook);
    }
    human_shell(&world, path,
                "git init -q -b main . && git config user.name User && git config user.email "
                "u@x.test && git add . && git commit -qm start && git remote add origin "
                "https://code.example/project.git");
}

static void start_agents(void)
{
    char path[160];
    for (size_t i = 0; i < agent_count; i++) {
        make_project(agents[i].project);
        snprintf(path, sizeof(path), "%s/%s", world.base, agents[i].project);
        BELLJAR_OK(&world, "run", "-d", "-n", agents[i].name, "--agent", agents[i].profile,
                   "--project", path);
    }
}

/* --- the human --- */

static json_t *open_cards(void)
{
    struct result result;
    BELLJAR(&world, &result, "requests", "--json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *list = json_loads(result.out, 0, NULL);
    result_free(&result);
    ck_assert_ptr_nonnull(list);
    return list;
}

static void see_cards(int minute)
{
    json_t *list = open_cards(), *item;
    size_t index, known;
    json_array_foreach(list, index, item)
    {
        for (known = 0; known < card_count; known++)
            if (strcmp(cards[known].id, text_of(item, "id")) == 0)
                break;
        if (known < card_count)
            continue;
        ck_assert_uint_lt(card_count, CARDS_MAX);
        struct card *card = &cards[card_count++];
        *card = (struct card){.minute = minute};
        snprintf(card->id, sizeof(card->id), "%s", text_of(item, "id"));
        snprintf(card->subject, sizeof(card->subject), "%s", text_of(item, "subject"));
        printf("minute %d: %s (%s)\n", minute, text_of(item, "title"), text_of(item, "class"));
    }
    json_decref(list);
}

static bool denies(const char *subject)
{
    char host[256];
    snprintf(host, sizeof(host), "%.*s", (int)strcspn(subject, ":"), subject);
    return json_object_get(denied, host) != NULL;
}

static void answer_cards(int minute)
{
    for (size_t i = 0; i < card_count; i++) {
        struct card *card = &cards[i];
        if (card->answered || card->minute >= minute)
            continue;
        WAIT_FOR(human_answers(&world, denies(card->subject) ? "deny" : "allow", card->subject,
                               "--rule", "all"));
        card->answered = true;
    }
}

/* --- the replay --- */

static bool has_stepped(const struct agent *agent)
{
    char text[32];
    if (agent->last < 0)
        return true;
    snprintf(text, sizeof(text), "step %ld ", agent->last);
    return world_shows(&world, agent->name, text);
}

static void replay_minute(int minute)
{
    bool acts[AGENTS_MAX] = {false};
    char number[24];
    for (size_t i = 0; i < step_count; i++) {
        if (steps[i].minute != minute)
            continue;
        size_t who = (size_t)(steps[i].agent - agents);
        snprintf(number, sizeof(number), "%zu", i);
        BELLJAR_OK(&world, "send", agents[who].name, "--enter", number);
        agents[who].last = (long)i;
        acts[who] = true;
    }
    for (size_t i = 0; i < agent_count; i++)
        if (acts[i])
            WAIT_FOR(has_stepped(&agents[i]) || world_state_is(&world, agents[i].name, "waiting"));
}

/* Each got what the policy, a rule or the human says. */
static void check_step(const struct agent *agent, long number, const char *kind, const char *said)
{
    ck_assert(number >= 0 && number < (long)step_count);
    const struct step *step = &steps[number];
    ck_assert_ptr_eq(step->agent, agent);
    if (step->hook) {
        bool quiet = strcmp(agent->profile, "codex") == 0; /* it is let go on without a word */
        ck_assert_msg(strcmp(kind, "hook") == 0 &&
                          (quiet ? !said[0] : strstr(said, "\"allow\"") != NULL),
                      "%s: step %ld %s %s", agent->name, number, kind, said);
    } else {
        /* What was let through finds no such name: 502. */
        ck_assert_msg(strcmp(kind, "host") == 0 &&
                          strcmp(said, denies(host_of(step)) ? "403" : "502") == 0,
                      "%s: step %ld to %s: %s", agent->name, number, host_of(step), said);
    }
}

static size_t check_agent(const struct agent *agent)
{
    struct result result;
    char kind[8], *save = NULL;
    size_t taken = 0;
    long number;
    BELLJAR(&world, &result, "replay", agent->name, "--export", "raw");
    ck_assert_msg(result.code == 0, "%s", result.err);
    for (char *line = strtok_r(result.out, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save)) {
        int at = 0;
        if (sscanf(line, "step %ld %7s%n", &number, kind, &at) != 2)
            continue;
        check_step(agent, number, kind, line + at + strspn(line + at, " "));
        taken++;
    }
    result_free(&result);
    return taken;
}

/* How many records of this kind the audit log has; `by` NULL: whoever made them. */
static size_t audited(const char *kind, const char *by)
{
    struct result result;
    char *save = NULL;
    size_t count = 0;
    BELLJAR(&world, &result, "audit", "show", "--kind", kind, "--json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    for (char *line = strtok_r(result.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        json_t *record = json_loads(line, 0, NULL);
        const char *whose = text_of(record, "by");
        count += record && (!by || (whose && strcmp(whose, by) == 0));
        json_decref(record);
    }
    result_free(&result);
    return count;
}

static void check_figures(int hours)
{
    size_t in_hour[HOURS_MAX] = {0}, asked[HOURS_MAX] = {0}, taken = 0;
    for (size_t i = 0; i < card_count; i++)
        in_hour[cards[i].minute / 60]++;
    for (size_t i = 0; i < step_count; i++)
        asked[steps[i].minute / 60]++;
    for (size_t i = 0; i < agent_count; i++)
        taken += check_agent(&agents[i]);
    ck_assert_uint_eq(taken, step_count);
    for (int i = 0; i < hours; i++)
        printf("hour %d: %zu questions of %zu agents, %zu interruptions\n", i + 1, asked[i],
               agent_count, in_hour[i]);
    printf("answered by the policy: %zu, by remembered rules: %zu, by the human: %zu\n",
           audited("verdict", "policy"), audited("verdict", "rule"), audited("verdict", "human"));
    ck_assert_uint_eq(audited("request", NULL), card_count); /* none came and went unseen */
    for (int i = 0; i < hours; i++)
        ck_assert_uint_le(in_hour[i], MOST_IN_AN_HOUR);
    ck_assert_uint_le(card_count * 2, (size_t)hours * MOST_IN_AN_HOUR);
}

START_TEST(two_hours_of_ten_agents)
{
    world_open(&world);
    net_start(&world);
    read_trace();
    install_agents();
    configure_mirrors();
    start_agents();
    int last = steps[step_count - 1].minute;
    for (int minute = 0; minute <= last + 2; minute++) {
        replay_minute(minute);
        see_cards(minute);
        answer_cards(minute);
    }
    for (size_t i = 0; i < agent_count; i++)
        WAIT_FOR(has_stepped(&agents[i]));
    check_figures(last / 60 + 1);
    net_stop();
    world_close(&world);
}
END_TEST

int main(void)
{
    const char *trace = getenv("BELLJAR_TEST_HOURS");
    snprintf(trace_path, sizeof(trace_path), "%s", trace ? trace : "");
    if (!net_make()) {
        printf("skipped: a network of its own needs root\n");
        return 77;
    }
    Suite *suite = suite_create("e2e-hours");
    TCase *tcase = tcase_create("hours");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, two_hours_of_ten_agents);
    suite_add_tcase(suite, tcase);
    return world_main(suite);
}
