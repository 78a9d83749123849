/*
 * Stands in for the dashboard in a tree that does not hold tui/view: the command line works, and
 * says what is missing.
 */
#include "tui/dashboard.h"

#include <errno.h>
#include <unistd.h>

int dashboard_run(const struct bj_paths *paths, int server, const struct dashboard_options *options,
                  struct bj_error *error)
{
    (void)paths;
    (void)options;
    close(server);
    return bj_fail(error, -ENOSYS,
                   "this build has no dashboard: belljar ls, capture and send work");
}
