#include "tui/cli/replay.h"

#include <string.h>
#include <unistd.h>

#include "tui/cli/export.h"
#include "tui/cli/report.h"
#include "tui/cli/track.h"
#include "tui/replay_run.h"

#define IDLE_LIMIT_MS 2000

int replay_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct track track;
    char directory[BJ_PATH_MAX], id[FLEET_ID_MAX];
    const char *form = args_text(args, "export");
    bool previous = args_set(args, "previous");
    if (form && strcmp(form, "raw") == 0 && isatty(STDOUT_FILENO))
        return report_failure(EXPORT_RAW_REFUSED);
    if (!form && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
        return report_failure("replay needs a terminal: use --export text, cast or raw");
    struct replay_options options = {
        .name = args->words[0],
        .speed = (double)args_number(args, "speed", 1000) / 1000,
        .idle = (double)args_number(args, "idle-limit", IDLE_LIMIT_MS) / 1000,
    };
    if (options.speed <= 0)
        return report_usage("replay: --speed: must be more than 0");
    int status = track_find(paths, args->words[0], directory, id, &error);
    if (status == 0 && form)
        status = export_recording(directory, previous, form, stdout, &error);
    else if (status == 0)
        status = track_load(&track, paths, directory, previous, id, NULL, &error);
    if (status == 0 && !form) {
        status = replay_run(paths, &track, &options, &error);
        track_free(&track);
    }
    return status < 0 ? report_error(&error) : report_end();
}
