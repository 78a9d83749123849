#include "tui/cli/bridge.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tui/bridge/far.h"
#include "tui/bridge/near.h"
#include "tui/bridge/ssh.h"
#include "tui/cli/report.h"

/* What a command prints at the far end goes to our standard output. */
static int fetch(const struct args *args, const char *remote, const char *command,
                 const char *sandbox)
{
    struct bj_error error = {0};
    struct ssh_call call;
    if (ssh_call_about(&call, args_text(args, "to"), remote, command, sandbox, &error) < 0)
        return report_error(&error);
    execvp(call.argv[0], (char *const *)call.argv);
    return report_failure("cannot start %.100s: %s", call.argv[0], strerror(errno));
}

static int near(const struct args *args, const char *remote)
{
    struct bj_error error = {0};
    struct near_options options = {
        .destination = args_text(args, "to"),
        .remote = remote,
        .control = (int)args_number(args, "control", 3),
        .ask = args_set(args, "ask"),
    };
    return near_run(&options, &error) < 0 ? report_error(&error) : COMMAND_DONE;
}

int bridge_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    const char *remote = args_text(args, "remote-command");
    remote = remote ? remote : "belljar";
    if (args_set(args, "to") && args_set(args, "diff"))
        return fetch(args, remote, "diff", args_text(args, "diff"));
    if (args_set(args, "to") && args_set(args, "recording"))
        return fetch(args, remote, "export", args_text(args, "recording"));
    if (args_set(args, "to"))
        return near(args, remote);
    if (isatty(STDIN_FILENO))
        return report_usage("bridge: is started over ssh by belljar attach --host");
    return far_run(paths, &error) < 0 ? report_error(&error) : COMMAND_DONE;
}
