#include "tui/cli/replay_play.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tui/cli/plain.h"
#include "tui/cli/replay_worker.h"

#define FRAME_S   0.033 /* between two paintings while output floods */
#define SPEED_MIN 0.125
#define SPEED_MAX 64.0

static volatile sig_atomic_t told_to_end, size_changed;

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

struct player {
    struct recording *recording;
    const struct replay_options *options;
    struct replay_worker worker;
    struct bj_error *error;
    int status; /* of the worker */
    struct termios saved;
    sigset_t open; /* signals let in while waiting */
    enum replay_colours colours;
    unsigned rows, cols;
    double speed, time; /* seconds into the recording */
    double painted;     /* clock of the last painting */
    bool paused, over, quit, all;
};

static double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void on_signal(int number)
{
    if (number == SIGWINCH)
        size_changed = 1;
    else
        told_to_end = 1;
}

/* The signals are blocked but while waiting, so that none is missed between a look and a wait. */
static void take_signals(struct player *player)
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
    sigprocmask(SIG_BLOCK, &taken, &player->open);
}

static void measure(struct player *player)
{
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    player->rows = size.ws_row ? size.ws_row : 24;
    player->cols = size.ws_col ? size.ws_col : 80;
    player->all = true;
}

static int take_terminal(struct player *player, struct bj_error *error)
{
    struct termios raw;
    if (tcgetattr(STDIN_FILENO, &player->saved) < 0)
        return bj_fail(error, -errno, "replay needs a terminal: use --export in scripts");
    raw = player->saved;
    cfmakeraw(&raw);
    raw.c_oflag = player->saved.c_oflag;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
        return bj_fail(error, -errno, "cannot set up the terminal: %s", strerror(errno));
    fputs("\x1b[?1049h\x1b[2J", stdout);
    return 0;
}

static void give_terminal(struct player *player)
{
    fputs("\x1b[0m\x1b[?25h\x1b[?1049l", stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &player->saved);
}

static void print_status(const struct player *player)
{
    char text[256];
    unsigned seconds = player->time > 0 ? (unsigned)player->time : 0;
    snprintf(text, sizeof(text), " replay %s  %u:%02u:%02u  x%g%s  %s", player->options->name,
             seconds / 3600, seconds / 60 % 60, seconds % 60, player->speed,
             player->paused ? "  paused" : "",
             player->over ? "end: q quits" : "space pause  + - speed  q quit");
    size_t fits = plain_cut(text, player->cols);
    printf("\x1b[%u;1H\x1b[0;7m", player->rows);
    plain_write(stdout, text, fits, 0);
    printf("%*s\x1b[0m", (int)(player->cols - plain_width(text) * (fits == strlen(text))), "");
}

static void paint(struct player *player)
{
    unsigned rows = player->rows > 1 ? player->rows - 1 : 1;
    fputs("\x1b[?2026h\x1b[?25l", stdout);
    if (player->rows > 1)
        print_status(player);
    player->status = replay_worker_paint(&player->worker, stdout, rows, player->cols,
                                         player->colours, player->all, player->error);
    player->quit = player->quit || player->status < 0;
    fputs("\x1b[?2026l", stdout);
    fflush(stdout);
    player->all = false;
    player->painted = clock_seconds();
}

static void press(struct player *player, char key)
{
    if (key == 'q' || key == 3 || key == 4)
        player->quit = true;
    else if (key == ' ')
        player->paused = !player->paused;
    else if (key == '+' && player->speed < SPEED_MAX)
        player->speed *= 2;
    else if (key == '-' && player->speed > SPEED_MIN)
        player->speed /= 2;
}

/* Waits for a key, a signal, or at most `seconds` (negative: for ever). */
static void wait_input(struct player *player, double seconds)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    struct timespec span = {(time_t)seconds, (long)(fmod(seconds, 1.0) * 1e9)};
    int ready = ppoll(&input, 1, seconds < 0 ? NULL : &span, &player->open);
    if (ready > 0) {
        char keys[64];
        ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));
        if (got <= 0)
            player->quit = true;
        for (ssize_t i = 0; i < got; i++)
            press(player, keys[i]);
    }
    if (told_to_end)
        player->quit = true;
    if (size_changed) {
        size_changed = 0;
        measure(player);
    }
}

/* Lets `seconds` of the recording pass, at the speed chosen meanwhile. */
static void pass(struct player *player, double seconds)
{
    double limit = player->options->idle_limit;
    double left = limit > 0 && seconds > limit ? limit : seconds;
    while (!player->quit && (player->paused || left > 0)) {
        if (player->paused || left / player->speed > FRAME_S || player->all)
            paint(player);
        double began = clock_seconds(), speed = player->speed;
        bool paused = player->paused;
        wait_input(player, paused ? -1 : left / speed);
        if (!paused)
            left -= (clock_seconds() - began) * speed;
    }
}

static int play(struct player *player, struct bj_error *error)
{
    struct recording_event event;
    int status;
    while (!player->quit && (status = recording_next(player->recording, &event, error)) != 0) {
        if (status < 0)
            return status;
        if (event.redraw && player->recording->current > 0 && player->recording->missing == 0)
            continue;
        if (event.time > player->time) {
            pass(player, event.time - player->time);
            player->time = event.time;
        }
        if (event.kind == RECORDING_RESIZE) {
            status = replay_worker_resize(&player->worker, event.rows, event.cols, NULL, error);
            player->all = true;
        } else {
            status = replay_worker_write(&player->worker, event.bytes, event.size, NULL, error);
        }
        if (status < 0)
            return status;
        if (clock_seconds() - player->painted > FRAME_S) {
            paint(player);
            wait_input(player, 0);
        }
    }
    player->over = true;
    while (!player->quit) {
        paint(player);
        wait_input(player, -1);
    }
    return player->status;
}

static enum replay_colours terminal_colours(void)
{
    const char *refused = getenv("NO_COLOR"), *direct = getenv("COLORTERM");
    if (refused && *refused)
        return REPLAY_MONO;
    return direct && (!strcmp(direct, "truecolor") || !strcmp(direct, "24bit")) ? REPLAY_DIRECT
                                                                                : REPLAY_256;
}

int replay_play(struct recording *recording, const struct replay_options *options,
                struct bj_error *error)
{
    struct player player = {
        .recording = recording,
        .options = options,
        .colours = terminal_colours(),
        .speed = options->speed,
        .error = error,
    };
    int status = replay_worker_start(&player.worker, recording->files[0].rows,
                                     recording->files[0].cols, false, error);
    if (status < 0)
        return status;
    take_signals(&player);
    measure(&player);
    status = take_terminal(&player, error);
    if (status == 0) {
        status = play(&player, error);
        give_terminal(&player);
    }
    sigprocmask(SIG_SETMASK, &player.open, NULL);
    replay_worker_stop(&player.worker);
    return status;
}
