/* The command table refers to the dashboard; no unit test of the command line may open it. */
#include "tui/dashboard.h"
#include "tui/replay_run.h"

#include <errno.h>
#include <unistd.h>

int dashboard_run(const struct bj_paths *paths, int server, const struct dashboard_options *options,
                  struct bj_error *error)
{
    (void)paths;
    (void)options;
    close(server);
    return bj_fail(error, -ENOTSUP, "a unit test opened the dashboard");
}

int replay_run(const struct bj_paths *paths, const struct track *track,
               const struct replay_options *options, struct bj_error *error)
{
    (void)paths;
    (void)track;
    (void)options;
    return bj_fail(error, -ENOTSUP, "a unit test played a recording");
}
