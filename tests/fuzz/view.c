/*
 * Fuzz target: what a hostile agent prints, on its way to a dashboard. The first two bytes are the
 * size; 0xfe and 0xff in the stream (never part of UTF-8) scroll the view or resize, and a frame is
 * sent each time. The frames, applied by the dashboard's own reader to an empty screen, must give
 * what the terminal has.
 */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "mux/monitor/capture.h"
#include "mux/monitor/monitor.h"
#include "mux/monitor/view_frame.h"
#include "tests/fuzz/fuzz.h"
#include "tui/model/screen.h"
#include "tui/model/text.h"

static uv_loop_t loop;
static struct monitor monitor;
static struct view_client client;
static struct bj_rpc far;
static struct screen screen;
static int closed;

static void on_redraw(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    require(strcmp(name, "redraw") == 0 && screen_redraw(&screen, params, NULL) == 0);
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    closed++;
}

static const struct bj_rpc_events near_events = {.closed = on_closed};
static const struct bj_rpc_events far_events = {.notification = on_redraw, .closed = on_closed};

static const struct cell *cells_of(int row, struct cell *room)
{
    struct terminal *terminal = monitor.terminal;
    bool wrapped;
    if ((size_t)row >= client.offset)
        return grid_row(terminal->grid, row - (int)client.offset)->cells;
    scrollback_get(&terminal->scrollback, &terminal->styles, terminal->cols,
                   terminal_history(terminal) - client.offset + (size_t)row, room, &wrapped);
    return room;
}

/* Dashboards show a blank or a replacement for what is not safe to print, and for characters whose
 * width they see otherwise. */
static bool is_plain(const struct cell *cell, uint32_t point)
{
    return text_is_safe(point) && text_columns(point) == (cell->glyph & GLYPH_WIDE ? 2 : 1);
}

/* As the frame has it; a screen keeps fewer marks than a terminal, but never other ones. */
static void check_text(const struct cell *cell, const struct screen_cell *shown)
{
    uint32_t points[CLUSTER_POINTS_MAX] = {' '};
    char first[5] = "", have[SCREEN_CLUSTER_MAX];
    bool blank = cell->glyph == 0 || cell->glyph == GLYPH_PAD;
    if (cell->glyph == GLYPH_TAIL)
        return; /* its glyph was looked at */
    if (!blank)
        require(clusters_points(&monitor.terminal->styles.clusters, cell->glyph, points) > 0);
    screen_text(&screen, shown, have);
    text_put(first, points[0]);
    if (is_plain(cell, points[0]))
        require(strncmp(have, first, strlen(first)) == 0);
    else
        require(strcmp(have, " ") == 0 || strcmp(have, "\xef\xbf\xbd") == 0);
    if (!(cell->glyph & GLYPH_CLUSTER) && is_plain(cell, points[0]))
        require(strcmp(have, first) == 0);
}

static void check_look(const struct cell *cell, int row, int col, const struct screen_cell *shown)
{
    const struct styles *styles = &monitor.terminal->styles;
    const struct attribute *look = attributes_get(&styles->attributes, cell->attr);
    const struct screen_attr *have = screen_attr(&screen, shown->attr);
    require(look->fg == have->fg && look->bg == have->bg &&
            (look->flags & ~ATTRIBUTE_MARKS) == have->flags);
    const char *url = hyperlinks_get(&styles->links, look->link);
    const char *shown_url = screen_link(&screen, row, col);
    require(!shown_url || !url || strcmp(url, shown_url) == 0);
}

static void check_screen(void)
{
    struct terminal *terminal = monitor.terminal;
    struct cell *room = malloc((size_t)terminal->cols * sizeof(*room));
    require(room != NULL);
    require(screen.rows == terminal->rows && screen.cols == terminal->cols);
    for (int row = 0; row < screen.rows; row++) {
        const struct cell *cells = cells_of(row, room);
        for (int col = 0; col < screen.cols; col++) {
            check_text(&cells[col], &screen.row[row][col]);
            check_look(&cells[col], row, col, &screen.row[row][col]);
        }
    }
    require(screen.cursor_col == terminal->col && screen.modes == terminal_mode_bits(terminal));
    require(screen.view_offset == client.offset);
    free(room);
}

static void show(void)
{
    for (int frames = 0; view_frame_due(&client); frames++) {
        require(frames < 64 && !client.rpc.closing);
        view_frame_send(&client);
        while (screen.frame != client.frame)
            uv_run(&loop, UV_RUN_ONCE);
    }
    check_screen();
}

static size_t command(const uint8_t *data, size_t size)
{
    size_t history = terminal_history(monitor.terminal);
    if (data[0] == 0xff && size >= 3) {
        terminal_batch(monitor.terminal);
        terminal_resize(monitor.terminal, data[1] % 64, data[2]);
        view_frame_follow(&client);
        show();
        return 3;
    }
    if (size >= 2) {
        client.offset = data[1] % (history + 1);
        client.view_stale = true;
        client.pushed = monitor.terminal->scrollback.pushed;
    }
    show();
    return size >= 2 ? 2 : 1;
}

static void begin(int rows, int cols)
{
    static bool ready;
    int fds[2];
    if (!ready) {
        signal(SIGPIPE, SIG_IGN);
        require(uv_loop_init(&loop) == 0);
        ready = true;
    }
    client = (struct view_client){.monitor = &monitor, .attached = true};
    monitor.terminal = terminal_new(rows, cols, 50, NULL, NULL);
    require(monitor.terminal);
    screen_init(&screen);
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    require(bj_rpc_open(&client.rpc, &loop, fds[0], &near_events, NULL, NULL) == 0);
    require(bj_rpc_open(&far, &loop, fds[1], &far_events, NULL, NULL) == 0);
}

static void end(void)
{
    closed = 0;
    bj_rpc_close(&client.rpc);
    bj_rpc_close(&far);
    while (closed < 2)
        uv_run(&loop, UV_RUN_ONCE);
    free(client.shadow);
    free(client.looks);
    screen_free(&screen);
    terminal_free(monitor.terminal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    begin(data[0] % 64, data[1]);
    show();
    for (size_t at = 2; at < size;) {
        size_t stop = at;
        while (stop < size && data[stop] < 0xfe)
            stop++;
        terminal_batch(monitor.terminal); /* as link.c and main.c do */
        terminal_write(monitor.terminal, data + at, stop - at);
        view_frame_follow(&client);
        at = stop < size ? stop + command(data + stop, size - stop) : stop;
    }
    show();
    end();
    return 0;
}
