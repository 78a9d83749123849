#include "tui/replay_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tui/cli/replay_engine.h"
#include "tui/config.h"
#include "tui/model/decode.h"
#include "tui/view/view.h"

#define FRAME_S  0.033
#define ESCAPE_S 0.025 /* after which a lone ESC is the key */

static volatile sig_atomic_t told_to_end, size_changed;

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

struct run {
    const struct replay_options *options;
    struct player player;
    struct replay_engine engine;
    struct view view;
    struct decode decode;
    sigset_t open; /* signals let in while waiting */
    int rows, cols;
    bool quit, help;
};

static void on_signal(int number)
{
    if (number == SIGWINCH)
        size_changed = 1;
    else
        told_to_end = 1;
}

/* The signals are blocked but while waiting, so that none is missed between a look and a wait. */
static void take_signals(struct run *run)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t taken;
    sigemptyset(&taken);
    sigaddset(&taken, SIGWINCH);
    sigaction(SIGWINCH, &action, NULL);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        sigaddset(&taken, ends[i]);
        sigaction(ends[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &taken, &run->open);
}

static double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void on_input(void *owner, const struct input *input)
{
    struct run *run = owner;
    if (input->kind == INPUT_MODE)
        term_answer(input->mode, input->setting);
    if (input->kind == INPUT_MOUSE && input->button >= 4)
        player_step(&run->player, input->button == 4 ? -PLAYER_STEP : PLAYER_STEP);
    if (input->kind == INPUT_MOUSE && input->button == 1 && input->action == MOUSE_PRESS) {
        struct hit hit = view_hit(&run->view, input->row, input->col);
        if (hit.kind == HIT_TIME)
            player_put(&run->player, hit.part);
    }
    if (input->kind != INPUT_KEY)
        return;
    if (run->help) {
        run->help = false;
        return;
    }
    enum player_outcome outcome = player_key(&run->player, &input->chord);
    run->quit |= outcome == PLAYER_LEAVES;
    run->help = outcome == PLAYER_HELPS;
    if (outcome == PLAYER_EXPORTS || outcome == PLAYER_RELOADS)
        snprintf(run->player.note, sizeof(run->player.note), "%s",
                 outcome == PLAYER_EXPORTS ? "belljar export writes it to a file"
                                           : "belljar replay --previous plays the run before");
}

/* Waits for keys, a signal, or at most so long. */
static void wait_input(struct run *run, double seconds)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    bool pending = decode_pending(&run->decode);
    if (pending && seconds > ESCAPE_S)
        seconds = ESCAPE_S;
    struct timespec span = {0, (long)(seconds * 1e9)};
    int ready = ppoll(&input, 1, &span, &run->open);
    if (ready > 0) {
        char bytes[1024];
        ssize_t size = read(STDIN_FILENO, bytes, sizeof(bytes));
        if (size > 0)
            decode_feed(&run->decode, bytes, (size_t)size);
        else if (size == 0 || errno != EINTR)
            run->quit = true;
    } else if (ready == 0 && pending) {
        decode_flush(&run->decode);
    }
    if (told_to_end)
        run->quit = true;
    if (size_changed) {
        size_changed = 0;
        term_resize(&run->rows, &run->cols);
    }
}

static int play(struct run *run, struct bj_error *error)
{
    double before = clock_seconds();
    while (!run->quit) {
        double now = clock_seconds();
        int status = replay_engine_step(&run->engine, &run->player, now - before, error);
        if (status < 0)
            return status;
        before = now;
        view_replay_frame(&run->view, run->rows, run->cols, &run->player, &run->engine.picture,
                          run->options->name, run->help);
        wait_input(run, run->player.behind ? 0 : FRAME_S);
    }
    return 0;
}

/* Theme and keys are the dashboard's. */
static int open_view(struct run *run, const struct bj_paths *paths, struct theme *theme,
                     struct bj_error *error)
{
    static struct config config;
    struct term_facts facts;
    int status = config_load(&config, paths, error);
    if (status == 0)
        status = config_look(&config, paths, NULL, theme, error);
    if (status < 0)
        return status;
    keymap_use(&config.keys);
    status = term_open("belljar replay", &facts, error);
    if (status < 0)
        return status;
    term_teach(&run->decode);
    term_resize(&run->rows, &run->cols);
    return paint_open(&run->view.paint, &facts, theme, error);
}

int replay_run(const struct bj_paths *paths, const struct track *track,
               const struct replay_options *options, struct bj_error *error)
{
    static struct run run;
    static struct theme theme;
    run = (struct run){.options = options};
    player_open(&run.player, "");
    player_ready(&run.player, track->start, track->end, track->marks, track->mark_count);
    run.player.speed = options->speed;
    run.player.idle = options->idle;
    track_missing(track, run.player.note, sizeof(run.player.note));
    replay_engine_open(&run.engine, track);
    decode_init(&run.decode, on_input, &run);
    take_signals(&run);
    int status = open_view(&run, paths, &theme, error);
    if (status == 0)
        status = play(&run, error);
    paint_close(&run.view.paint);
    term_close();
    decode_free(&run.decode);
    replay_engine_close(&run.engine);
    sigprocmask(SIG_SETMASK, &run.open, NULL);
    return status;
}
