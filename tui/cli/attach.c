#include "tui/cli/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tui/cli/peer.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/connect.h"

bool attach_possible(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

int attach_open(const struct bj_paths *paths, const struct dashboard_options *options)
{
    struct bj_error error = {0};
    if (!attach_possible())
        return report_failure("the dashboard needs a terminal: use belljar ls, capture and send "
                              "in scripts");
    int server = connect_server(paths, true, &error);
    if (server < 0 || dashboard_run(paths, server, options, &error) < 0)
        return report_error(&error);
    return COMMAND_DONE;
}

/* One after the other, since ssh may ask something. One that cannot be reached now is tried again
 * by the dashboard. */
static int open_hosts(const struct args *args, struct host *hosts, size_t *count,
                      struct bj_error *error)
{
    size_t named;
    const char *const *names = args_list(args, "host", &named);
    if (named > HOSTS_MAX)
        return bj_fail(error, -E2BIG, "--host: at most %d hosts at once", HOSTS_MAX);
    for (*count = 0; *count < named; ++*count) {
        struct host *host = &hosts[*count];
        struct bj_error why = {0};
        int status = host_open(host, names[*count], args_text(args, "remote-command"), true, error);
        if (status < 0)
            return status;
        host_label(host, hosts, *count);
        if (host_wait(host, &why) < 0)
            report_error(&why);
    }
    return 0;
}

static int attach_hosts(const struct args *args, const struct bj_paths *paths,
                        struct dashboard_options *options)
{
    struct host hosts[HOSTS_MAX];
    struct bj_error error = {0};
    if (!attach_possible())
        return attach_open(paths, options);
    int status = open_hosts(args, hosts, &options->host_count, &error);
    options->hosts = hosts;
    if (status == 0)
        return attach_open(paths, options);
    for (size_t i = 0; i < options->host_count; i++)
        host_close(&hosts[i]);
    return report_error(&error);
}

static int check_session(const json_t *list, const char *name, struct bj_error *error)
{
    const json_t *record, *same_name = NULL;
    size_t index;
    if (strcmp(name, BJ_SESSION_DEFAULT) == 0)
        return 0;
    json_array_foreach(list, index, record)
    {
        if (strcmp(report_text(record, "session"), name) == 0)
            return 0;
        if (strcmp(report_text(record, "name"), name) == 0)
            same_name = record;
    }
    if (same_name)
        return bj_fail(error, -ENOENT,
                       "no session is named %.64s, but a sandbox is: belljar attach --focus %.64s",
                       name, name);
    return bj_fail(error, -ENOENT,
                   "no session is named %.64s: belljar ls lists them, belljar attach --new %.64s "
                   "opens an empty one",
                   name, name);
}

/* What a mistyped name would open is an empty dashboard. One of session and focus is given; a
 * sandbox to focus brings its own session when none is named, in `session`. */
static int check_names(const struct bj_paths *paths, const struct args *args,
                       struct dashboard_options *options, char session[64], struct bj_error *error)
{
    struct peer server;
    json_t *list = NULL, *focused;
    int status = sandbox_server(paths, true, &server, error);
    if (status < 0)
        return status;
    status = peer_call(&server, "sandbox.list", NULL, PEER_TIMEOUT_MS, &list, error);
    peer_close(&server);
    if (status == 0 && options->focus)
        status = sandbox_pick(list, options->focus, &focused, error);
    if (status == 0 && !options->session) {
        snprintf(session, 64, "%s", report_text(focused, "session"));
        options->session = session;
    } else if (status == 0 && !args_set(args, "new")) {
        status = check_session(list, options->session, error);
    }
    json_decref(list);
    return status;
}

int attach_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    char session[64];
    struct dashboard_options options = {
        .session = args->word_count ? args->words[0] : NULL,
        .theme = args_text(args, "theme"),
        .readonly = args_set(args, "read-only"),
        .focus = args_text(args, "focus"),
    };
    bool names = options.session || options.focus;
    if (names && !args_set(args, "host") && attach_possible() &&
        check_names(paths, args, &options, session, &error) < 0)
        return report_error(&error);
    return attach_hosts(args, paths, &options);
}

int attach_end(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer server;
    json_t *answer;
    if (sandbox_server(paths, false, &server, &error) < 0)
        return report_error(&error);
    json_t *params = json_pack("{s:s*}", "session", args->word_count ? args->words[0] : NULL);
    int status = peer_call(&server, "client.detach", params, PEER_TIMEOUT_MS, &answer, &error);
    peer_close(&server);
    if (status < 0)
        return report_error(&error);
    long long count = report_number(answer, "count");
    printf("detached %lld dashboard%s\n", count, count == 1 ? "" : "s");
    json_decref(answer);
    return report_end();
}
