#include "tui/cli/start.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tui/cli/attach.h"
#include "tui/cli/give.h"
#include "tui/cli/here.h"
#include "tui/cli/peer.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/config.h"
#include "tui/model/line.h"

#define NOTE_MAX (2 * PATH_MAX + 200)

/* The agent's command; without one, the caller's shell by its name inside. Empty: another
 * sandbox's.
 */
static json_t *agent_argv(const struct args *args)
{
    json_t *argv = json_array();
    bool acp = args_set(args, "acp") && !args_set(args, "agent");
    if (acp)
        json_array_append_new(argv, json_string(BJ_ACP_INSIDE));
    for (size_t i = 0; i < args->trailing_count; i++)
        json_array_append_new(argv, json_string(args->trailing[i]));
    if (acp && args_set(args, "prompt")) {
        json_array_append_new(argv, json_string("::"));
        json_array_append_new(argv, json_string("--prompt"));
        json_array_append_new(argv, json_string(args_text(args, "prompt")));
        return argv;
    }
    if (args->trailing_count > 0 || args_set(args, "agent") || args_set(args, "like"))
        return argv;
    json_array_append_new(argv, json_string(line_shell()));
    return argv;
}

/* The server has another working directory: it gets the absolute path of something that exists.
 * `what` is the parameter's name and what the sentence calls it. */
static int add_path(json_t *params, const char *what, const char *given, bool directory,
                    struct bj_error *error)
{
    struct stat info;
    char *path = realpath(given, NULL);
    int status = 0;
    if (!path || stat(path, &info) < 0)
        status =
            bj_fail(error, -errno, "cannot use the %s %.200s: %s", what, given, strerror(errno));
    else if (directory && !S_ISDIR(info.st_mode))
        status = bj_fail(error, -ENOTDIR, "the %s %.200s is not a directory", what, given);
    else if (!directory && !S_ISREG(info.st_mode))
        status = bj_fail(error, -EINVAL, "the %s %.200s is not a file", what, given);
    else if (json_object_set_new(params, what, json_string(path)) < 0)
        status = bj_fail(error, -EINVAL, "the path of the %s is not UTF-8: %.200s", what, path);
    free(path);
    return status;
}

const char *start_wrong_variable(const struct args *args)
{
    size_t count;
    const char *const *list = args_list(args, "env", &count);
    for (size_t i = 0; i < count; i++)
        if (!strchr(list[i], '=') || *list[i] == '=')
            return list[i];
    return NULL;
}

int start_environment(json_t *params, const struct args *args, struct bj_error *error)
{
    size_t count;
    const char *const *list = args_list(args, "env", &count);
    json_t *env = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(env, json_string(list[i])) < 0) {
            json_decref(env);
            return bj_fail(error, -EINVAL, "--env: '%.64s' is not UTF-8", list[i]);
        }
    if (count > 0)
        return json_object_set_new(params, "env", env);
    json_decref(env);
    return 0;
}

/* An option and the parameter of sandbox.run it becomes. */
struct mapping {
    const char *option;
    const char *param;
};

static const struct mapping text_options[] = {{"name", "name"},     {"like", "like"},
                                              {"driver", "driver"}, {"session", "session"},
                                              {"agent", "agent"},   {"prompt", "prompt"}};

static const struct mapping number_options[] = {
    {"memory", "memory"},
    {"cpus", "millicpus"},
    {"pids", "pids"},
    {"rows", "rows"},
    {"cols", "cols"},
    {"scrollback", "scrollback"},
    {"record-limit", "record_limit"},
    {"disk", "disk"},
    {"egress", "egress"},
    {"wall-clock", "wall_clock"},
};

/* What another sandbox has and this one shall not. */
static int leave_out(json_t *params, const struct args *args, struct bj_error *error)
{
    size_t count;
    const char *const *list = args_list(args, "without", &count);
    json_t *without = json_array();
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        const char *param = list[i]; /* most have the option's name */
        for (size_t at = 0; at < sizeof(number_options) / sizeof(number_options[0]); at++)
            if (strcmp(number_options[at].option, param) == 0)
                param = number_options[at].param;
        if (args_set(args, list[i]))
            status = bj_fail(error, -EINVAL, "--without %s and --%s say different things: give one",
                             list[i], list[i]);
        json_array_append_new(without, json_string(param));
    }
    if (count > 0)
        json_object_set(params, "without", without);
    json_decref(without);
    return status;
}

void start_size(json_t *params)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 4 || size.ws_col < 4)
        return;
    if (!json_object_get(params, "rows"))
        json_object_set_new(params, "rows", json_integer(size.ws_row));
    if (!json_object_get(params, "cols"))
        json_object_set_new(params, "cols", json_integer(size.ws_col));
}

/* A profile of its own; without one the prompt is among the words of belljar-acp. */
static void use_acp(json_t *params)
{
    const char *agent = json_string_value(json_object_get(params, "agent"));
    if (agent)
        json_object_set_new(params, "agent", json_sprintf("%s-acp", agent));
    else
        json_object_del(params, "prompt");
}

/* An agent that is given no project may have the repository around it. */
static bool may_guess_project(const struct args *args)
{
    return args_set(args, "agent") && !args_set(args, "like") && !args_set(args, "no-project");
}

static int build_params(const struct args *args, json_t *params, struct bj_error *error)
{
    json_t *argv = agent_argv(args);
    bool other = args_set(args, "agent") || args_set(args, "like");
    size_t least = args->trailing_count || other ? args->trailing_count : 1;
    if (json_array_size(argv) < least) {
        json_decref(argv);
        return bj_fail(error, -EINVAL, "the command is not UTF-8");
    }
    if (json_array_size(argv) > 0 || !args_set(args, "like"))
        json_object_set(params, "argv", argv);
    json_decref(argv);
    for (size_t i = 0; i < sizeof(text_options) / sizeof(text_options[0]); i++) {
        const char *text = args_text(args, text_options[i].option);
        if (text && json_object_set_new(params, text_options[i].param, json_string(text)) < 0)
            return bj_fail(error, -EINVAL, "--%s is not UTF-8", text_options[i].option);
    }
    if (args_set(args, "instead"))
        json_object_set_new(params, "instead", json_true());
    if (args_set(args, "acp"))
        use_acp(params);
    for (size_t i = 0; i < sizeof(number_options) / sizeof(number_options[0]); i++)
        if (args_set(args, number_options[i].option)) {
            uint64_t number = args_number(args, number_options[i].option, 0);
            if (strcmp(number_options[i].option, "wall-clock") == 0)
                number = (number + 999) / 1000; /* whole seconds; 0 is no limit, never rounded to */
            json_object_set_new(params, number_options[i].param, json_integer((json_int_t)number));
        }
    if (args_set(args, "no-record"))
        json_object_set_new(params, "record_limit", json_integer(0));
    start_size(params);
    /* The server may have been started with another one. */
    const char *path = getenv("PATH");
    if (path && other)
        json_object_set_new(params, "path", json_string(path));
    int status = 0;
    char here[PATH_MAX];
    if (args_set(args, "project"))
        status = add_path(params, "project", args_text(args, "project"), true, error);
    else if (may_guess_project(args) && here_repository(here))
        status = add_path(params, "project", here, true, error);
    if (status == 0 && args_set(args, "policy"))
        status = add_path(params, "policy", args_text(args, "policy"), false, error);
    if (status == 0)
        status = leave_out(params, args, error);
    return status < 0 ? status : start_environment(params, args, error);
}

/* The agent starts, and fails at the first word. One with variables or a policy of its own may have
 * its key from there. */
static void say_keyless(struct peer *server, const json_t *params)
{
    json_t *agents = NULL, *item;
    size_t index;
    const char *agent = report_text(params, "agent");
    if (!*agent || json_object_get(params, "env") || json_object_get(params, "policy") ||
        peer_call(server, "profile.list", json_pack("{s:s*}", "path", getenv("PATH")),
                  PEER_TIMEOUT_MS, &agents, NULL) < 0)
        return;
    json_array_foreach(agents, index, item)
    {
        if (strcmp(report_text(item, "name"), agent) == 0 && *report_text(item, "keyless"))
            report_failure("note: %s has no key: %s", agent, report_text(item, "keyless"));
    }
    json_decref(agents);
}

/* What it works on, when that is not what was asked for in so many words. */
static void say_project(const struct args *args, const json_t *params, char note[NOTE_MAX])
{
    const char *project = report_text(params, "project");
    note[0] = '\0';
    if (!may_guess_project(args))
        return;
    if (!*project) {
        snprintf(note, NOTE_MAX,
                 "no repository here, so it has an empty directory: --project DIR "
                 "gives it another");
        return;
    }
    if (!args_set(args, "project"))
        report_failure("note: it works on a copy of %s", project);
    here_left_behind(project, note, NOTE_MAX);
}

/* What its credentials are taken from is given before: which are at hand decides what an agent is
 * told of. */
static int start(struct peer *server, json_t *params, char name[64], struct bj_error *error)
{
    json_t *answer = NULL;
    bool known = json_object_get(params, "agent") || !json_object_get(params, "like");
    give_variables(server, known ? report_text(params, "agent") : NULL);
    int status =
        peer_call(server, "sandbox.run", json_incref(params), PEER_KILL_TIMEOUT_MS, &answer, error);
    snprintf(name, 64, "%s", report_text(answer, "name"));
    json_decref(answer);
    if (status == 0)
        say_keyless(server, params);
    json_decref(params);
    return status;
}

int start_run(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer server;
    if (args_set(args, "acp") && !args_set(args, "agent") && args->trailing_count == 0)
        return report_usage(
            "run: --acp needs --agent PROFILE, or behind -- the command of an agent "
            "that speaks the protocol");
    if (args_set(args, "prompt") && !args_set(args, "agent") && !args_set(args, "acp") &&
        !args_set(args, "like"))
        return report_usage("run: --prompt needs --agent: other programs get their arguments "
                            "behind --");
    if (args_set(args, "instead") && (!args_set(args, "agent") || args->trailing_count == 0))
        return report_usage("run: --instead needs --agent PROFILE, and behind -- what runs in its "
                            "agent's place");
    if (args_set(args, "project") && args_set(args, "no-project"))
        return report_usage("run: --project and --no-project say different things: give one");
    if (args_set(args, "without") && !args_set(args, "like"))
        return report_usage("run: --without is for --like NAME: else only what is given counts");
    if (args_set(args, "no-record") && args_number(args, "record-limit", 0) > 0)
        return report_usage("run: --no-record and --record-limit say different things: give one");
    if (start_wrong_variable(args))
        return report_usage("run: --env: '%.64s' is not NAME=VALUE", start_wrong_variable(args));
    json_t *params = json_object();
    bool detached = args_set(args, "detach");
    int status = params ? build_params(args, params, &error) : -ENOMEM;
    if (status < 0) {
        json_decref(params);
        return report_error(&error);
    }
    static struct config config;
    if (!detached && attach_possible())
        status = config_load(&config, paths, &error); /* before it starts unseen */
    if (status == 0)
        status = sandbox_server(paths, true, &server, &error);
    if (status < 0) {
        json_decref(params);
        return report_error(&error);
    }
    char name[64], note[NOTE_MAX];
    say_project(args, params, note);
    if (note[0])
        report_failure("note: %s", note);
    status = start(&server, params, name, &error);
    peer_close(&server);
    if (status < 0)
        return report_error(&error);
    if (!detached && attach_possible()) {
        struct dashboard_options options = {
            .session = args_text(args, "session"),
            .theme = args_text(args, "theme"),
            .focus = name,
            .note = note,
        };
        return attach_open(paths, &options);
    }
    if (!detached)
        fprintf(stderr, "belljar: no terminal here, so %s runs detached: belljar attach shows it\n",
                name);
    puts(name);
    return report_end();
}
