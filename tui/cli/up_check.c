#include "tui/cli/up_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/cli/command.h"
#include "tui/cli/doctor.h"
#include "tui/cli/give.h"
#include "tui/cli/report.h"

/* Says one thing that is missing; the others are said as well. */
static void missing(struct up *up, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void missing(struct up *up, const char *format, ...)
{
    char text[BJ_ERROR_TEXT_MAX];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    report_failure("%s: %s", up->nothing, text);
    up->missing++;
}

/* Everything that `belljar doctor` would call failed. */
static void check_wall(struct up *up)
{
    const struct doctor doctor = {.paths = up->paths};
    for (const struct doctor_check *check = doctor_wall_checks; check->name; check++) {
        struct doctor_finding finding = {0};
        check->run(&doctor, &finding);
        if (finding.level == DOCTOR_FAIL)
            missing(up, "%s: %.200s%s%.200s", check->name, finding.text,
                    finding.advice[0] ? ": " : "", finding.advice);
    }
}

static const json_t *named(const json_t *list, const char *name)
{
    const json_t *item;
    size_t index;
    json_array_foreach(list, index, item)
    {
        if (strcmp(report_text(item, "name"), name) == 0)
            return item;
    }
    return NULL;
}

/* An agent without its key would start and fail at the first word. One whose manifest brings
 * variables or a policy of its own may have it from there. */
static void check_agent(struct up *up, const struct manifest_sandbox *sandbox, const json_t *agents)
{
    const char *wanted = report_text(sandbox->params, "agent");
    const json_t *agent = named(agents, wanted);
    const char *keyless = report_text(agent, "keyless");
    bool own =
        json_object_get(sandbox->params, "env") || json_object_get(sandbox->params, "policy");
    if (!*wanted)
        return;
    if (!agent)
        missing(up,
                "%.64s wants the agent %.32s: there is no such profile: belljar doctor lists them",
                sandbox->name, wanted);
    else if (!json_is_true(json_object_get(agent, "ready")))
        missing(up, "%.64s wants the agent %.32s: %s", sandbox->name, wanted,
                report_text(agent, "why"));
    else if (*keyless && !own)
        missing(up, "%.64s wants the agent %.32s without its key: %s", sandbox->name, wanted,
                keyless);
}

/* One that has the name, but not this project and agent, is somebody else's. */
static enum up_step look(struct up *up, const struct manifest_sandbox *sandbox,
                         const json_t *record)
{
    static const char *const same[] = {"project", "agent"};
    const char *state = report_text(record, "state");
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        const char *has = report_text(record, same[i]);
        const char *wanted = report_text(sandbox->params, same[i]);
        if (strcmp(has, wanted) != 0) {
            missing(up,
                    "%.64s is there already with the %s %.100s, not %.100s: rename one of them "
                    "(line %d of %.100s)",
                    sandbox->name, same[i], *has ? has : "none", *wanted ? wanted : "none",
                    sandbox->line, up->manifest.file);
            break;
        }
    }
    bool over = strcmp(state, "exited") == 0 || strcmp(state, "lost") == 0;
    return over ? UP_RESTART : UP_KEEP;
}

int up_look(struct up *up)
{
    struct bj_error error = {0};
    json_t *list = NULL;
    if (peer_call(&up->server, "sandbox.list", NULL, PEER_TIMEOUT_MS, &list, &error) < 0)
        return report_error(&error);
    for (size_t i = 0; i < up->manifest.count; i++) {
        const struct manifest_sandbox *sandbox = &up->manifest.sandboxes[i];
        const json_t *record = named(list, sandbox->name);
        up->steps[i] = record ? look(up, sandbox, record) : UP_START;
    }
    json_decref(list);
    return up->missing ? COMMAND_FAILED : COMMAND_DONE;
}

int up_check(struct up *up)
{
    struct bj_error error = {0};
    json_t *agents = NULL;
    check_wall(up);
    give_variables(&up->server, NULL);
    int code = up_look(up);
    if (peer_call(&up->server, "profile.list", json_pack("{s:s*}", "path", getenv("PATH")),
                  PEER_TIMEOUT_MS, &agents, &error) < 0)
        return report_error(&error);
    for (size_t i = 0; i < up->manifest.count; i++)
        if (up->steps[i] != UP_KEEP) /* what runs has what it needs */
            check_agent(up, &up->manifest.sandboxes[i], agents);
    json_decref(agents);
    return up->missing ? COMMAND_FAILED : code;
}

/* --- what was accepted: one hash a line, behind it the manifest's path for people --- */

static int accepted_path(const struct up *up, char out[BJ_PATH_MAX], struct bj_error *error)
{
    return bj_path(out, BJ_PATH_MAX, error, "%s/up.accepted", up->paths->state);
}

bool up_accepted(const struct up *up)
{
    char path[BJ_PATH_MAX], line[PATH_MAX + MANIFEST_HASH_SIZE + 2];
    bool found = false;
    FILE *file = accepted_path(up, path, NULL) < 0 ? NULL : fopen(path, "re");
    while (file && !found && fgets(line, sizeof(line), file))
        found = strncmp(line, up->manifest.hash, MANIFEST_HASH_SIZE - 1) == 0 &&
                line[MANIFEST_HASH_SIZE - 1] == ' ';
    if (file)
        fclose(file);
    return found;
}

int up_accept(const struct up *up, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = accepted_path(up, path, error);
    int file =
        status < 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (status == 0 &&
        (file < 0 || dprintf(file, "%s %s\n", up->manifest.hash, up->manifest.file) < 0))
        status = bj_fail(error, -errno, "cannot write %.300s: %s", path, strerror(errno));
    if (file >= 0)
        close(file);
    return status;
}
