#include "tui/cli/up_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/cli/doctor.h"
#include "tui/cli/report.h"

/* Everything that `belljar doctor` would call failed. */
static int check_wall(const struct up *up, struct bj_error *error)
{
    const struct doctor doctor = {.paths = up->paths};
    for (const struct doctor_check *check = doctor_wall_checks; check->name; check++) {
        struct doctor_finding finding = {0};
        check->run(&doctor, &finding);
        if (finding.level == DOCTOR_FAIL)
            return bj_fail(error, -ENOTSUP, "%s: %s: %.200s%s%.200s", up->nothing, check->name,
                           finding.text, finding.advice[0] ? ": " : "", finding.advice);
    }
    return 0;
}

static int check_agents(const struct up *up, json_t *agents, struct bj_error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < up->manifest.count; i++) {
        const struct manifest_sandbox *sandbox = &up->manifest.sandboxes[i];
        const char *wanted = report_text(sandbox->params, "agent");
        const char *why = "there is no such profile: belljar doctor lists them";
        json_t *agent;
        size_t index;
        json_array_foreach(agents, index,
                           agent) if (strcmp(report_text(agent, "name"), wanted) == 0) why =
            json_is_true(json_object_get(agent, "ready")) ? NULL : report_text(agent, "why");
        if (*wanted && why)
            status = bj_fail(error, -ENOENT, "%s: %.64s wants the agent %.32s: %s", up->nothing,
                             sandbox->name, wanted, why);
    }
    return status;
}

/* An agent without its key would start and fail at the first word. One whose manifest brings
 * variables or a policy of its own may have it from there. Those that run already are left alone.
 */
static int check_keys(struct up *up, const json_t *agents, struct bj_error *error)
{
    for (size_t i = 0; i < up->manifest.count; i++) {
        const struct manifest_sandbox *sandbox = &up->manifest.sandboxes[i];
        const char *wanted = report_text(sandbox->params, "agent");
        const json_t *agent;
        size_t index;
        if (up->steps[i] == UP_KEEP || json_object_get(sandbox->params, "env") ||
            json_object_get(sandbox->params, "policy"))
            continue;
        json_array_foreach(agents, index, agent)
        {
            const char *keyless = report_text(agent, "keyless");
            if (*keyless && strcmp(report_text(agent, "name"), wanted) == 0)
                return bj_fail(error, -ENOENT,
                               "%s: %.64s wants the agent %.32s without its key: %s", up->nothing,
                               sandbox->name, wanted, keyless);
        }
    }
    return 0;
}

/* One that has the name, but not this project and agent, is somebody else's. */
static int look(const struct up *up, const struct manifest_sandbox *sandbox, const json_t *record,
                enum up_step *step, struct bj_error *error)
{
    static const char *const same[] = {"project", "agent"};
    const char *state = report_text(record, "state");
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        const char *has = report_text(record, same[i]);
        const char *wanted = report_text(sandbox->params, same[i]);
        if (strcmp(has, wanted) != 0)
            return bj_fail(error, -EEXIST,
                           "%s: %.64s is there already with the %s %.100s, not "
                           "%.100s: rename one of them (line %d of %.100s)",
                           up->nothing, sandbox->name, same[i], *has ? has : "none",
                           *wanted ? wanted : "none", sandbox->line, up->manifest.file);
    }
    bool over = strcmp(state, "exited") == 0 || strcmp(state, "lost") == 0;
    *step = over ? UP_RESTART : UP_KEEP;
    return 0;
}

int up_look(struct up *up, struct bj_error *error)
{
    json_t *list;
    int status = peer_call(&up->server, "sandbox.list", NULL, PEER_TIMEOUT_MS, &list, error);
    for (size_t i = 0; status == 0 && i < up->manifest.count; i++) {
        const struct manifest_sandbox *sandbox = &up->manifest.sandboxes[i];
        const json_t *record;
        size_t index;
        up->steps[i] = UP_START;
        json_array_foreach(list, index, record)
        {
            if (status == 0 && strcmp(report_text(record, "name"), sandbox->name) == 0)
                status = look(up, sandbox, record, &up->steps[i], error);
        }
    }
    json_decref(list);
    return status;
}

int up_check(struct up *up, struct bj_error *error)
{
    json_t *agents = NULL;
    int status = check_wall(up, error);
    if (status == 0)
        status = peer_call(&up->server, "profile.list", json_pack("{s:s*}", "path", getenv("PATH")),
                           PEER_TIMEOUT_MS, &agents, error);
    if (status == 0)
        status = check_agents(up, agents, error);
    if (status == 0)
        status = up_look(up, error);
    if (status == 0)
        status = check_keys(up, agents, error);
    json_decref(agents);
    return status;
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
