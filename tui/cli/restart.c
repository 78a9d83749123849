#include "tui/cli/restart.h"

#include <stdlib.h>

#include <jansson.h>

#include "tui/cli/give.h"
#include "tui/cli/peer.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/cli/start.h"

static json_t *parameters(const struct args *args, const char *name, struct bj_error *error)
{
    const char *path = getenv("PATH");
    json_t *params =
        json_pack("{s:s, s:b, s:s*, s:s*}", "name", name, "fresh", args_set(args, "fresh"), "path",
                  path, "prompt", args_text(args, "prompt"));
    if (!params)
        bj_fail(error, -EINVAL, "the name, the prompt or PATH is not UTF-8");
    else if (start_environment(params, args, error) == 0)
        return params;
    json_decref(params);
    return NULL;
}

int restart_run(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct peer server;
    int code = COMMAND_DONE;
    if (start_wrong_variable(args))
        return report_usage("restart: --env: '%.64s' is not NAME=VALUE",
                            start_wrong_variable(args));
    if (sandbox_server(paths, true, &server, &error) < 0)
        return report_error(&error);
    give_variables(&server, NULL);
    for (size_t i = 0; i < args->word_count; i++) {
        json_t *answer = NULL;
        json_t *params = parameters(args, args->words[i], &error);
        if (!params || peer_call(&server, "sandbox.restart", params, PEER_KILL_TIMEOUT_MS, &answer,
                                 &error) < 0)
            code = report_error(&error);
        json_decref(answer);
        error = (struct bj_error){0};
    }
    peer_close(&server);
    return code;
}
