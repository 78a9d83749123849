#include "tui/cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/cli/doctor_hooks.h"
#include "tui/cli/give.h"
#include "tui/cli/peer.h"
#include "tui/cli/plain.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/config.h"

static const char *const level_names[] = {"ok", "warn", "fail"};
static const char *const level_styles[] = {"32", "33", "1;31"};

void doctor_say(struct doctor_finding *finding, enum doctor_level level, const char *advice,
                const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(finding->text, sizeof(finding->text), format, values);
    va_end(values);
    finding->level = level;
    snprintf(finding->advice, sizeof(finding->advice), "%s", advice ? advice : "");
}

/* What came of it stands in the list: "hooks" is "answered", "none", or what is wrong. */
static void try_hooks(struct doctor *doctor, struct peer *server)
{
    size_t i;
    json_t *agent;
    json_array_foreach(doctor->agents, i, agent)
    {
        struct bj_error error = {0};
        if (!json_is_true(json_object_get(agent, "ready")))
            continue;
        int status = doctor_hooks(doctor, server, report_text(agent, "name"), &error);
        json_object_set_new(agent, "hooks",
                            json_string(status == 0         ? "answered"
                                        : status == -ENOENT ? "none"
                                                            : error.text));
    }
}

static void ask_server(struct doctor *doctor)
{
    struct bj_error error = {0};
    struct peer server;
    int status = sandbox_server(doctor->paths, false, &server, &error);
    if (status < 0) {
        doctor->server_started = true;
        status = sandbox_server(doctor->paths, true, &server, &error);
    }
    if (status == 0) {
        status =
            peer_call(&server, "server.status", NULL, PEER_TIMEOUT_MS, &doctor->server, &error);
        give_variables(&server, NULL);
        const char *path = getenv("PATH"); /* the server may have been started with another one */
        if (status == 0)
            status = peer_call(&server, "profile.list", json_pack("{s:s*}", "path", path),
                               PEER_TIMEOUT_MS, &doctor->agents, &error);
        if (status == 0)
            try_hooks(doctor, &server);
        peer_close(&server);
    }
    if (status < 0)
        snprintf(doctor->server_why, sizeof(doctor->server_why), "%s", error.text);
}

static void print_finding(const char *name, const struct doctor_finding *finding)
{
    bool colour = report_colour(stdout);
    if (colour)
        printf("\x1b[%sm%-4s\x1b[0m  %-16s ", level_styles[finding->level],
               level_names[finding->level], name);
    else
        printf("%-4s  %-16s ", level_names[finding->level], name);
    plain_write(stdout, finding->text, strlen(finding->text), 0);
    putchar('\n');
    if (finding->advice[0]) {
        fputs("                        -> ", stdout);
        plain_write(stdout, finding->advice, strlen(finding->advice), 0);
        putchar('\n');
    }
}

static void tell(const char *name, const struct doctor_finding *finding, json_t *list)
{
    if (list)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "check", name, "level",
                                              level_names[finding->level], "text", finding->text,
                                              "advice", finding->advice));
    else
        print_finding(name, finding);
}

/* What to know when the human's prefix is one of the agent's own keys; "" when it is none. */
static void say_collision(const json_t *agent, const struct config *config, char *out, size_t size)
{
    char prefix[40];
    size_t i;
    json_t *key;
    out[0] = '\0';
    keys_name(&config->prefix, prefix, sizeof(prefix));
    json_array_foreach(json_object_get(agent, "keys"), i, key)
    {
        struct chord chord;
        const char *name = json_string_value(key);
        if (name && keys_parse(name, strlen(name), &chord) && keys_equal(&chord, &config->prefix))
            snprintf(out, size, "your prefix %s is a key of its own: twice it goes to the agent",
                     prefix);
    }
}

/* One line for each profile. An agent that is not installed is nothing wrong. */
static void tell_agents(const struct doctor *doctor, json_t *list)
{
    static struct config config;
    struct bj_error ignored = {0};
    bool known = config_load(&config, doctor->paths, &ignored) == 0;
    size_t i;
    json_t *agent;
    json_array_foreach(doctor->agents, i, agent)
    {
        struct doctor_finding finding = {0};
        char name[64], keys[160] = "";
        bool ready = json_is_true(json_object_get(agent, "ready"));
        const char *program = report_text(agent, "program");
        const char *installs = report_text(agent, "installs");
        const char *keyless = report_text(agent, "keyless");
        const char *hooks = report_text(agent, "hooks");
        bool answered = strcmp(hooks, "answered") == 0, none = strcmp(hooks, "none") == 0;
        snprintf(name, sizeof(name), "agent %s", report_text(agent, "name"));
        if (known)
            say_collision(agent, &config, keys, sizeof(keys));
        if (ready && !answered && !none)
            doctor_say(&finding, DOCTOR_WARN, keys,
                       "would start, but nobody would be asked: %.400s", hooks);
        else if (ready && *keyless)
            doctor_say(&finding, DOCTOR_WARN, keys, "would start%s, but without its key: %.400s",
                       answered ? ", its hooks are answered" : "", keyless);
        else if (ready && *installs)
            doctor_say(&finding, DOCTOR_OK, keys,
                       "%.80s, installed in each sandbox at its first start%s: %.200s",
                       report_text(agent, "summary"), answered ? ", its hooks are answered" : "",
                       installs);
        else if (ready)
            doctor_say(&finding, DOCTOR_OK, keys, "%.80s%s%.300s%s", report_text(agent, "summary"),
                       *program ? ", " : "", program, answered ? ", its hooks are answered" : "");
        else
            doctor_say(&finding, DOCTOR_WARN, NULL, "would not start: %.400s",
                       report_text(agent, "why"));
        tell(name, &finding, list);
    }
}

static enum doctor_level run_checks(const struct doctor *doctor, const struct doctor_check *checks,
                                    json_t *list)
{
    enum doctor_level worst = DOCTOR_OK;
    for (const struct doctor_check *check = checks; check->name; check++) {
        struct doctor_finding finding = {0};
        check->run(doctor, &finding);
        if (finding.level > worst)
            worst = finding.level;
        tell(check->name, &finding, list);
    }
    return worst;
}

int doctor_command(const struct args *args, const struct bj_paths *paths)
{
    const struct doctor_check *const tables[] = {doctor_wall_checks, doctor_server_checks,
                                                 doctor_user_checks};
    struct doctor doctor = {.paths = paths};
    json_t *list = args_set(args, "json") ? json_array() : NULL;
    bool failed = false;
    ask_server(&doctor);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        failed = run_checks(&doctor, tables[i], list) == DOCTOR_FAIL || failed;
    tell_agents(&doctor, list);
    json_decref(doctor.server);
    json_decref(doctor.agents);
    int code = list ? report_json(list) : report_end();
    return failed ? COMMAND_FAILED : code;
}
