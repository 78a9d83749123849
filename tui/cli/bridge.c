#include "tui/cli/bridge.h"

#include <unistd.h>

#include "tui/bridge/far.h"
#include "tui/bridge/near.h"
#include "tui/cli/report.h"

int bridge_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    int status;
    if (args_set(args, "to")) {
        struct near_options options = {
            .destination = args_text(args, "to"),
            .remote = args_text(args, "remote-command"),
            .control = (int)args_number(args, "control", 3),
            .ask = args_set(args, "ask"),
        };
        if (!options.remote)
            options.remote = "belljar";
        status = near_run(&options, &error);
    } else {
        if (isatty(STDIN_FILENO))
            return report_usage("bridge: is started over ssh by belljar attach --host");
        status = far_run(paths, &error);
    }
    return status < 0 ? report_error(&error) : COMMAND_DONE;
}
