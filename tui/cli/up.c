#include "tui/cli/up.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tui/cli/plain.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/cli/start.h"
#include "tui/model/units.h"
#include "tui/cli/up_parts.h"

static const char *const plans[] = {"start", "start again", "runs already"};
static const char *const deeds[] = {"started", "started again", "runs already"};

/* --- the plan: all of it, for what is cut cannot be agreed to --- */

static void say(const char *label, const char *text, const char *mark)
{
    printf("    %-10s ", label);
    plain_write(stdout, text, strlen(text), 0);
    printf("%s\n", mark);
}

static void say_list(const char *label, const json_t *list)
{
    const json_t *value;
    size_t index;
    json_array_foreach(list, index, value) say(index ? "" : label, json_string_value(value), "");
}

static void say_limits(const json_t *params)
{
    static const struct {
        const char *param, *label, *behind;
        enum { BYTES, THOUSANDTHS, COUNT, SECONDS } unit;
    } limits[] = {
        {"memory", "memory", "", BYTES},         {"millicpus", "cpus", "", THOUSANDTHS},
        {"pids", "pids", " processes", COUNT},   {"disk", "disk", "", BYTES},
        {"egress", "egress", " an hour", BYTES}, {"wall_clock", "wall_clock", "", SECONDS},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        char text[UNIT_TEXT_MAX];
        if (!json_object_get(params, limits[i].param))
            continue;
        long long number = report_number(params, limits[i].param);
        if (limits[i].unit == BYTES)
            unit_size_text((uint64_t)number, text);
        else if (limits[i].unit == SECONDS)
            unit_age_text((uint64_t)number, text);
        else if (limits[i].unit == THOUSANDTHS)
            snprintf(text, sizeof(text), "%g", (double)number / 1000);
        else
            snprintf(text, sizeof(text), "%lld", number);
        say(limits[i].label, number ? text : "no limit", number ? limits[i].behind : "");
    }
}

static void say_policy(const struct up *up, const char *path)
{
    json_t *lines = up_policy_lines(up, path);
    say("policy", path, " (added to yours)");
    say_list("", lines);
    json_decref(lines);
}

static void print_plan(const struct up *up)
{
    static const char *const texts[] = {"agent", "session", "prompt"};
    for (size_t i = 0; i < up->manifest.count; i++) {
        const struct manifest_sandbox *sandbox = &up->manifest.sandboxes[i];
        const json_t *params = sandbox->params;
        const char *project = report_text(params, "project");
        const char *policy = report_text(params, "policy");
        plain_write(stdout, sandbox->name, strlen(sandbox->name), 0);
        printf(": %s\n", plans[up->steps[i]]);
        for (size_t at = 0; at < sizeof(texts) / sizeof(texts[0]); at++)
            if (*report_text(params, texts[at]))
                say(texts[at], report_text(params, texts[at]), "");
        say_list(*report_text(params, "agent") ? "args" : "command",
                 json_object_get(params, "argv"));
        if (*project)
            say("project", project, sandbox->outside ? " (not below the manifest)" : "");
        if (*policy)
            say_policy(up, policy);
        say_limits(params);
        say_list("env", json_object_get(params, "env"));
    }
    fflush(stdout);
}

/* What was typed before the question was there is no answer to it. */
static bool confirmed(void)
{
    char line[16];
    fputs("This manifest is new, or has changed. Type yes to let it start these: ", stdout);
    fflush(stdout);
    tcflush(STDIN_FILENO, TCIFLUSH);
    return fgets(line, sizeof(line), stdin) && strcmp(line, "yes\n") == 0;
}

static int ask(const struct up *up, const struct args *args, struct bj_error *error)
{
    if (up_accepted(up))
        return 0;
    if (!args_set(args, "yes")) {
        if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
            return bj_fail(error, -EPERM,
                           "nothing was started: nobody has accepted this manifest as it is now: "
                           "look at it with --dry-run, then give --yes");
        if (!confirmed())
            return bj_fail(error, -EPERM, "nothing was started");
    }
    return up_accept(up, error);
}

static json_t *parameters(const struct manifest_sandbox *sandbox, enum up_step step)
{
    const char *path = getenv("PATH");
    json_t *params = json_deep_copy(sandbox->params);
    if (step == UP_RESTART) {
        json_t *env = json_incref(json_object_get(params, "env"));
        json_decref(params);
        params = json_pack("{s:s, s:o*}", "name", sandbox->name, "env", env);
    } else {
        start_size(params);
    }
    if (path && (step == UP_RESTART || json_object_get(params, "agent")))
        json_object_set_new(params, "path", json_string(path));
    return params;
}

/* All at once: the server copies projects while others start. */
static int act(struct up *up)
{
    static struct peer_reply replies[MANIFEST_SANDBOXES_MAX];
    struct bj_error error = {0};
    int code = COMMAND_DONE;
    size_t sent = 0;
    for (size_t i = 0; i < up->manifest.count; i++)
        if (up->steps[i] != UP_KEEP)
            peer_send(&up->server, up->steps[i] == UP_START ? "sandbox.run" : "sandbox.restart",
                      parameters(&up->manifest.sandboxes[i], up->steps[i]), &replies[sent++]);
    if (peer_wait(&up->server, replies, sent, PEER_KILL_TIMEOUT_MS, &error) < 0)
        code = report_error(&error);
    for (size_t i = 0, at = 0; i < up->manifest.count; i++) {
        const char *name = up->manifest.sandboxes[i].name;
        struct peer_reply *reply = up->steps[i] == UP_KEEP ? NULL : &replies[at++];
        if (reply && !reply->result && code != COMMAND_FAILED)
            code = COMMAND_FAILED;
        if (reply && !reply->result)
            report_failure("%s: %s", name, reply->error.text);
        else
            printf("%s: %s\n", name, deeds[up->steps[i]]);
        if (reply)
            json_decref(reply->result);
    }
    return code == COMMAND_DONE ? report_end() : code;
}

static int start_all(struct up *up, const struct args *args)
{
    struct bj_error error = {0};
    bool dry = args_set(args, "dry-run"), any = false;
    if (up_check(up) != COMMAND_DONE)
        return COMMAND_FAILED;
    for (size_t i = 0; i < up->manifest.count; i++)
        any = any || up->steps[i] != UP_KEEP;
    if (dry || (any && !up_accepted(up)))
        print_plan(up);
    if (dry)
        return report_end();
    if (any && ask(up, args, &error) < 0)
        return report_error(&error);
    return act(up);
}

static int end_all(struct up *up, const struct args *args)
{
    const char *names[MANIFEST_SANDBOXES_MAX];
    size_t count = 0;
    (void)args;
    if (up_look(up) != COMMAND_DONE)
        return COMMAND_FAILED;
    for (size_t i = 0; i < up->manifest.count; i++)
        if (up->steps[i] == UP_KEEP)
            names[count++] = up->manifest.sandboxes[i].name;
    int code = sandbox_act(&up->server, "sandbox.kill", names, count);
    for (size_t i = 0; code == COMMAND_DONE && i < up->manifest.count; i++)
        printf("%s: %s\n", up->manifest.sandboxes[i].name,
               up->steps[i] == UP_KEEP ? "ended" : "did not run");
    return code == COMMAND_DONE ? report_end() : code;
}

/* Both commands: on what the manifest says and the server has. */
static int with_manifest(const struct args *args, const struct bj_paths *paths, const char *nothing,
                         int (*act_on)(struct up *up, const struct args *args))
{
    static struct up up; /* large */
    struct bj_error error = {0};
    up.paths = paths;
    up.nothing = nothing;
    int status = manifest_read(&up.manifest, args->word_count ? args->words[0] : NULL, &error);
    if (status == 0)
        status = sandbox_server(paths, true, &up.server, &error);
    int code = status < 0 ? report_error(&error) : act_on(&up, args);
    if (status == 0)
        peer_close(&up.server);
    manifest_free(&up.manifest);
    return code;
}

int up_run(const struct args *args, const struct bj_paths *paths)
{
    return with_manifest(args, paths, "nothing was started", start_all);
}

int up_end(const struct args *args, const struct bj_paths *paths)
{
    return with_manifest(args, paths, "nothing was ended", end_all);
}
