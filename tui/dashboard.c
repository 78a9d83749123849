#include "tui/dashboard.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "mux/resource/weight.h"
#include "transport/api.h"
#include "tui/dashboard_state.h"

#define MEMORY_KEEP (4 * 1024 * 1024) /* bytes that are not given back after a frame */

#define FRAME_MS  16  /* between frames that nobody's key caused */
#define RUSH_MS   33  /* between those of lines that rush by: nobody reads them */
#define RUSH      8   /* frames in a row that were due at once are a rush */
#define PAUSE     4   /* times what the last frame took, before the next */
#define PAUSE_MAX 100 /* ms */
#define ESCAPE_MS 25  /* after which a lone ESC is the key */
#define SAVE_MS   300
#define TICK_MS   1000
#define SETTLE_MS 5000 /* without a key, before panes may change places */
#define AHEAD_MS  3000 /* keys typed ahead wait this long for what they are meant for */

uint64_t dashboard_now(struct dashboard *dashboard)
{
    (void)dashboard;
    return uv_hrtime() / 1000000;
}

/* ---- painting ---- */

static struct view_pane *find_pane(void *owner, const char *id)
{
    struct pane_link *link = panes_find(owner, id);
    return link ? &link->pane : NULL;
}

static double wall_clock(void)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

static void on_paint(uv_timer_t *timer);

static void paint(struct dashboard *dashboard)
{
    struct fleet *fleet = &dashboard->fleet;
    struct view_host hosts[HOSTS_MAX];
    struct view_input input = {
        .fleet = fleet,
        .control = &dashboard->control,
        .details = &dashboard->details,
        .layout = &dashboard->layout,
        .pane = find_pane,
        .owner = dashboard,
        .picture = replay_picture(dashboard),
        .trouble = server_complaint(dashboard),
        .known = dashboard->servers[0].seen,
        .readonly = dashboard->options->readonly,
        .hosts = hosts,
        .host_count = hosts_look(dashboard, hosts),
        .limits = dashboard->limits[0] ? dashboard->limits : NULL,
        .now = dashboard_now(dashboard),
        .wall = wall_clock(),
        .rows = dashboard->rows,
        .cols = dashboard->cols,
        .cells_only = !dashboard->whole,
    };
    dashboard->dirty = dashboard->whole = false;
    if (dashboard->control.review.open)
        review_fit(&dashboard->control.review, dashboard->layout.bar.row, dashboard->cols);
    view_frame(&dashboard->view, &input);
    dashboard->painted_at = dashboard_now(dashboard);
    dashboard->frame_took = dashboard->painted_at - input.now;
    fleet_paint_sent(fleet, input.now, dashboard->painted_at);
    dashboard->control.prompt_seen =
        dashboard->control.prompt != PROMPT_NONE && dashboard->view.prompt_whole;
    if (dashboard->view.menu_shown)
        menu_painted(&dashboard->control.menu, &dashboard->details, dashboard->painted_at);
    panes_painted(dashboard);
    decide_tell_shown(dashboard);

    /* Keys are shown when they count, and from then on what is typed is known to be later. */
    uint64_t wait = control_arms_in(&dashboard->control, fleet, dashboard->painted_at);
    if (wait > 0) {
        dashboard->whole = true;
        uv_timer_start(&dashboard->paint, on_paint, wait + 1, 0);
    }
}

static void on_paint(uv_timer_t *timer)
{
    struct dashboard *dashboard = timer->data;
    if (!dashboard->stopping)
        paint(dashboard);
}

/* Pictures cost the client and the human's terminal far more than parsing costs the monitor, which
 * sends only what was acknowledged: so this is what slows all of them down together, most where a
 * picture is dear (a colour of its own for each cell, a slow link). */
static uint64_t frame_pause(const struct dashboard *dashboard)
{
    uint64_t least = dashboard->rush >= RUSH ? RUSH_MS : FRAME_MS;
    uint64_t pause = PAUSE * dashboard->frame_took;
    return pause < least ? least : pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

void dashboard_touch(struct dashboard *dashboard, bool at_once)
{
    dashboard->whole = true;
    dashboard_touch_cells(dashboard, at_once);
}

void dashboard_touch_cells(struct dashboard *dashboard, bool at_once)
{
    if (dashboard->stopping || (dashboard->dirty && !at_once))
        return;
    uint64_t since = dashboard_now(dashboard) - dashboard->painted_at;
    uint64_t pause = frame_pause(dashboard);
    if (!dashboard->dirty)
        dashboard->rush = since >= 2 * pause ? 0 : dashboard->rush + (dashboard->rush < RUSH);
    dashboard->dirty = true;
    uv_timer_start(&dashboard->paint, on_paint, at_once || since >= pause ? 0 : pause - since, 0);
}

static bool same_layout(const struct layout *one, const struct layout *other)
{
    return memcmp(one, other, sizeof(*one)) == 0;
}

static void on_save(uv_timer_t *timer)
{
    server_save(timer->data);
}

static void tell_human(struct dashboard *dashboard)
{
    char text[NOTIFY_TEXT_MAX];
    if (!notify_due(&dashboard->notify, &dashboard->fleet, dashboard->terminal_focused,
                    dashboard->pressed_at, dashboard_now(dashboard)))
        return;
    notify_text(&dashboard->fleet, text);
    term_notify(dashboard->notify.how, text);
}

void dashboard_changed(struct dashboard *dashboard)
{
    struct control *control = &dashboard->control;
    bool reviewing = control->review.open, playing = control->player.open;
    control_sync(control, &dashboard->fleet, dashboard_now(dashboard));
    if (control->selected_index >= dashboard->fleet.shown && dashboard->fleet.tabbed) {
        /* It went to one of another tab. */
        const struct sandbox *sandbox = fleet_find(&dashboard->fleet, control->selected);
        fleet_tab(&dashboard->fleet, sandbox ? sandbox->project : NULL);
        control_sync(control, &dashboard->fleet, dashboard_now(dashboard));
    }
    dashboard->view.everything |=
        reviewing != control->review.open || playing != control->player.open;
    decide_want_details(dashboard);
    struct layout *layout = malloc(sizeof(*layout));
    if (layout) {
        (dashboard->fleet.tabbed ? layout_make_below : layout_make)(
            layout, control->layout, dashboard->rows, dashboard->cols, dashboard->fleet.shown,
            control->selected_index);
        if (!same_layout(layout, &dashboard->layout)) {
            dashboard->layout = *layout;
            dashboard->view.everything = true;
        }
        free(layout);
    }
    panes_sync(dashboard);
    review_sync(dashboard);
    output_sync(dashboard);
    replay_sync(dashboard);
    panes_focus(dashboard);
    crowd_tell(dashboard);
    tell_human(dashboard);
    dashboard_touch(dashboard, false);
}

/* ---- input ---- */

static bool agent_wants_mouse(struct dashboard *dashboard, const struct input *input)
{
    const uint32_t mouse = BJ_MODE_MOUSE_CLICK | BJ_MODE_MOUSE_DRAG | BJ_MODE_MOUSE_MOVE;
    struct control *control = &dashboard->control;
    if (input->kind != INPUT_MOUSE || control->mode != CONTROL_FOCUS)
        return false;
    const struct rect *rect = layout_pane(&dashboard->layout, control->selected_index);
    struct pane_link *link = panes_find(dashboard, control->selected);
    if (!rect || !link || !(link->pane.screen.modes & mouse) || link->pane.screen.view_offset > 0)
        return false;
    struct rect inner = layout_inner(rect);
    return input->row >= inner.row && input->row < inner.row + inner.rows &&
           input->col >= inner.col && input->col < inner.col + inner.cols;
}

/* A click on a link says where it leads, since its text may lie about that. */
static void show_link(struct dashboard *dashboard, const struct input *input)
{
    struct control *control = &dashboard->control;
    struct pane_link *link = panes_find(dashboard, control->selected);
    if (input->kind != INPUT_MOUSE || input->action != MOUSE_PRESS || input->button != 1 || !link)
        return;
    const struct rect *inner = &link->pane.painted;
    int row = input->row - inner->row, col = input->col - inner->col;
    if (row < 0 || row >= inner->rows || col < 0 || col >= inner->cols)
        return;
    const char *url = screen_link(&link->pane.screen, row + link->pane.first_row, col);
    if (url)
        control_note(control, dashboard_now(dashboard), false, "link to %.240s", url);
}

static void next_theme(struct dashboard *dashboard)
{
    char names[THEMES_MAX][THEME_NAME_MAX];
    size_t count = config_themes(dashboard->paths, names);
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], dashboard->theme.name) == 0)
            at = i + 1;
    struct bj_error error = {0};
    struct theme theme;
    uint64_t now = dashboard_now(dashboard);
    if (count == 0) {
        control_note(&dashboard->control, now, true, "no themes in %.200s/themes",
                     dashboard->paths->data);
        return;
    }
    if (config_look(&dashboard->config, dashboard->paths, names[at % count], &theme, &error) < 0) {
        control_note(&dashboard->control, now, true, "%.240s", error.text);
        return;
    }
    snprintf(dashboard->theme_chosen, sizeof(dashboard->theme_chosen), "%s", names[at % count]);
    config_wear(dashboard, &theme);
    control_note(&dashboard->control, now, false, "theme %s: %s", theme.name, theme.description);
}

static void carry_out(struct dashboard *dashboard, const struct order *order,
                      const struct input *input)
{
    switch (order->kind) {
    case ORDER_NONE:
        break;
    case ORDER_KEY:
    case ORDER_PASTE:
    case ORDER_MOUSE:
    case ORDER_SCROLL:
    case ORDER_SEND:
        panes_order(dashboard, order, input);
        break;
    case ORDER_THEME:
        next_theme(dashboard);
        break;
    case ORDER_RELOAD:
        config_again(dashboard);
        break;
    case ORDER_CAPTURE:
    case ORDER_COPY:
    case ORDER_SAVE:
        copy_order(dashboard, order);
        break;
    case ORDER_DIFF:
    case ORDER_PULL:
        review_order(dashboard, order);
        break;
    case ORDER_REPLAY:
        replay_order(dashboard);
        break;
    case ORDER_EXPORT:
        replay_export(dashboard, order);
        break;
    case ORDER_OUTPUT:
        output_order(dashboard, order);
        break;
    case ORDER_LOCATE:
    case ORDER_OPEN:
        open_order(dashboard, order);
        break;
    case ORDER_START:
    case ORDER_COMPLETE:
        form_order(dashboard, order);
        break;
    case ORDER_DETACH:
        dashboard_stop(dashboard);
        break;
    default:
        server_order(dashboard, order);
    }
}

/* What a key may change that is to be saved, or that is painted only as a whole. */
struct shown {
    enum layout_kind layout;
    enum control_list list;
    enum control_prompt prompt;
    bool review, player, digest;
    char selected[FLEET_ID_MAX], first[FLEET_ID_MAX];
    size_t pinned;
    enum fleet_sorting sorting;
    enum roster_key key;
    bool reversed;
};

static struct shown shown_now(const struct dashboard *dashboard)
{
    const struct control *control = &dashboard->control;
    const struct fleet *fleet = &dashboard->fleet;
    struct shown shown = {.layout = control->layout,
                          .list = control->list,
                          .prompt = control->prompt,
                          .review = control->review.open,
                          .player = control->player.open,
                          .digest = control->digest.open,
                          .pinned = fleet->order_pinned,
                          .sorting = fleet->sorting,
                          .key = control->roster.key,
                          .reversed = control->roster.reversed};
    memcpy(shown.selected, control->selected, sizeof(shown.selected));
    snprintf(shown.first, sizeof(shown.first), "%s", fleet->order_count ? fleet->order[0] : "");
    return shown;
}

static bool session_differs(const struct shown *one, const struct shown *other)
{
    return one->layout != other->layout || strcmp(one->selected, other->selected) != 0 ||
           strcmp(one->first, other->first) != 0 || one->pinned != other->pinned ||
           one->sorting != other->sorting || one->key != other->key ||
           one->reversed != other->reversed;
}

static void on_input(void *owner, const struct input *input)
{
    struct dashboard *dashboard = owner;
    struct control *control = &dashboard->control;
    struct fleet *fleet = &dashboard->fleet;
    if (dashboard->stopping)
        return;
    if (input->kind == INPUT_MODE) {
        term_answer(input->mode, input->setting);
        return;
    }
    dashboard->pressed_at = dashboard_now(dashboard);
    dashboard->digest.late |= input->kind != INPUT_FOCUS;
    if (input->kind != INPUT_FOCUS || input->focused)
        notify_seen(&dashboard->notify, fleet);
    if (input->kind == INPUT_FOCUS) {
        dashboard->terminal_focused = input->focused;
        panes_focus(dashboard);
        return;
    }
    const struct rect *rect = layout_pane(&dashboard->layout, control->selected_index);
    struct control_view view = {
        .fleet = fleet,
        .layout = &dashboard->layout,
        .details = &dashboard->details,
        .card_last = dashboard->view.card.last,
        .now = dashboard_now(dashboard),
        .typed_after = dashboard->quiet_at,
        .page = control->list != LIST_NONE ? dashboard->view.list_rows
                : rect                     ? rect->rows - 2
                                           : 1,
        .hit = input->kind == INPUT_MOUSE ? view_hit(&dashboard->view, input->row, input->col)
                                          : (struct hit){.kind = HIT_NONE},
        .agent_wants_mouse = agent_wants_mouse(dashboard, input),
        .readonly = dashboard->options->readonly,
    };
    const struct shown before = shown_now(dashboard);

    struct order order;
    control_input(control, &view, input, &order);
    carry_out(dashboard, &order, input);
    if (dashboard->stopping)
        return;
    if (order.kind == ORDER_NONE)
        show_link(dashboard, input);
    const struct shown after = shown_now(dashboard);
    if (after.list != before.list || after.prompt != before.prompt ||
        after.review != before.review || after.player != before.player)
        dashboard->view.everything = true;
    if (session_differs(&after, &before))
        uv_timer_start(&dashboard->save, on_save, SAVE_MS, 0);
    /* A key for the agent shows by its echo; everything else shows at once. */
    bool for_agent =
        order.kind == ORDER_KEY || order.kind == ORDER_PASTE || order.kind == ORDER_MOUSE;
    if (!for_agent) {
        dashboard_changed(dashboard);
        dashboard_touch(dashboard, true);
        if (after.layout == LAYOUT_ZOOM &&
            (before.layout != LAYOUT_ZOOM || strcmp(before.selected, after.selected) != 0))
            panes_take(dashboard); /* the human has made it this large */
        return;
    }
    if (dashboard->dirty) /* what waits is painted now, so that the frame with the echo can come */
        dashboard_touch_cells(dashboard, true);
    if (control->note_until > view.now || before.digest)
        dashboard_touch(dashboard, false);
}

static void on_escape(uv_timer_t *timer)
{
    struct dashboard *dashboard = timer->data;
    decode_flush(&dashboard->decode);
}

/* However late this process runs, what it reads next was typed after this. */
static void on_quiet(uv_prepare_t *quiet)
{
    struct dashboard *dashboard = quiet->data;
    int waiting;
    if (ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting == 0)
        dashboard->quiet_at = dashboard_now(dashboard);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct dashboard *dashboard = poll->data;
    char bytes[16384];
    (void)events;
    ssize_t size = status < 0 ? -1 : read(STDIN_FILENO, bytes, sizeof(bytes));
    if (size < 0 && (errno == EINTR || errno == EAGAIN) && status >= 0)
        return;
    if (size <= 0) {
        snprintf(dashboard->farewell, sizeof(dashboard->farewell), "the terminal is gone");
        dashboard_stop(dashboard);
        return;
    }
    uv_timer_stop(&dashboard->escape);
    decode_feed(&dashboard->decode, bytes, (size_t)size);
    if (!dashboard->stopping && decode_pending(&dashboard->decode))
        uv_timer_start(&dashboard->escape, on_escape, ESCAPE_MS, 0);
}

/* Reads the keyboard from now on. Keys that were typed ahead are meant for what is about to be
 * shown, and would find no sandbox before that. */
void dashboard_listen(struct dashboard *dashboard)
{
    if (!dashboard->stopping && !uv_is_active((uv_handle_t *)&dashboard->input))
        uv_poll_start(&dashboard->input, UV_READABLE, on_readable);
}

/* ---- signals and time ---- */

static void resized(struct dashboard *dashboard)
{
    term_resize(&dashboard->rows, &dashboard->cols);
    dashboard->view.everything = true;
    dashboard_changed(dashboard);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct dashboard *dashboard = signal->data;
    if (dashboard->stopping)
        return;
    switch (number) {
    case SIGTSTP:
        term_stop();
        resized(dashboard);
        break;
    case SIGCONT:
    case SIGWINCH:
        resized(dashboard);
        break;
    case SIGHUP:
        if (term_alive()) {
            config_again(dashboard);
            break;
        }
        /* fall through */
    default:
        snprintf(dashboard->farewell, sizeof(dashboard->farewell), "ended by signal %d (%s)",
                 number, strsignal(number));
        dashboard_stop(dashboard);
    }
}

/* Nothing moves under a human who does or reads something. */
static bool may_settle(const struct dashboard *dashboard)
{
    const struct control *control = &dashboard->control;
    return control->mode == CONTROL_SUPERVISE && !control->prefix_waits &&
           !control_has_open(control) && !control->digest.open && !panes_scrolled(dashboard);
}

static void on_tick(uv_timer_t *timer)
{
    struct dashboard *dashboard = timer->data;
    fleet_tick(&dashboard->fleet, wall_clock(), true);
    uint64_t quiet = dashboard_now(dashboard) - dashboard->pressed_at;
    if (quiet >= AHEAD_MS)
        dashboard_listen(dashboard);
    if (quiet >= SETTLE_MS && may_settle(dashboard) && fleet_settle(&dashboard->fleet))
        dashboard_changed(dashboard);
    panes_tick(dashboard);
    server_tick(dashboard);
    config_tick(dashboard);
    tell_human(dashboard);
    dashboard_touch(dashboard, false); /* ages, graphs, the clock */
}

static const int signals[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))
_Static_assert(SIGNALS <= sizeof(((struct dashboard *)0)->signals) / sizeof(uv_signal_t),
               "a handle for each signal");

/* libuv makes it non-blocking, and with it the terminal of everybody who has it from the same
 * shell: ncurses would spin while it is full, and who comes behind would find it so. Nothing here
 * needs that: what is readable is read once. */
static int init_input(struct dashboard *dashboard)
{
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    int status = uv_poll_init(&dashboard->loop, &dashboard->input, STDIN_FILENO);
    if (status == 0 && flags >= 0)
        fcntl(STDIN_FILENO, F_SETFL, flags);
    return status;
}

static int start_handles(struct dashboard *dashboard, struct bj_error *error)
{
    uv_timer_t *timers[] = {&dashboard->tick, &dashboard->paint, &dashboard->escape,
                            &dashboard->save, &dashboard->settle};
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
        uv_timer_init(&dashboard->loop, timers[i]);
        timers[i]->data = dashboard;
    }
    replay_init(dashboard);
    uv_timer_start(&dashboard->tick, on_tick, TICK_MS, TICK_MS);
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_init(&dashboard->loop, &dashboard->signals[i]);
        dashboard->signals[i].data = dashboard;
        uv_signal_start(&dashboard->signals[i], on_signal, signals[i]);
    }
    int status = init_input(dashboard);
    if (status < 0)
        return bj_fail(error, status, "cannot wait for keys: %s", uv_strerror(status));
    dashboard->input.data = dashboard;
    uv_prepare_init(&dashboard->loop, &dashboard->quiet);
    dashboard->quiet.data = dashboard;
    uv_prepare_start(&dashboard->quiet, on_quiet);
    uv_fs_event_init(&dashboard->loop, &dashboard->watch);
    dashboard->watch.data = dashboard;
    config_watch(dashboard);
    return 0;
}

/* ---- beginning and end ---- */

static void close_own(uv_handle_t *handle, void *argument)
{
    struct dashboard *dashboard = argument;
    bool own = handle->type == UV_TIMER || handle->type == UV_SIGNAL ||
               handle->type == UV_FS_EVENT || handle->type == UV_PREPARE ||
               handle == (uv_handle_t *)&dashboard->input;
    if (own && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

void dashboard_stop(struct dashboard *dashboard)
{
    if (dashboard->stopping)
        return;
    server_save(dashboard);
    dashboard->stopping = true;
    review_end(dashboard);
    replay_export_end(dashboard);
    output_close(dashboard);
    replay_sync(dashboard);
    digest_stop(dashboard);
    panes_close(dashboard);
    server_close(dashboard);
    uv_walk(&dashboard->loop, close_own, dashboard);
}

static int prepare(struct dashboard *dashboard, struct bj_error *error)
{
    const struct dashboard_options *options = dashboard->options;
    const char *session =
        options->session && *options->session ? options->session : BJ_SESSION_DEFAULT;
    int status = config_load(&dashboard->config, dashboard->paths, error);
    if (status == 0)
        status = config_look(&dashboard->config, dashboard->paths, options->theme,
                             &dashboard->theme, error);
    if (status < 0)
        return status;
    snprintf(dashboard->theme_chosen, sizeof(dashboard->theme_chosen), "%s",
             options->theme ? options->theme : "");
    keymap_use(&dashboard->config.keys);
    status = fleet_init(&dashboard->fleet, session, error);
    if (status < 0)
        return status;
    fleet_tick(&dashboard->fleet, wall_clock(), false);
    control_init(&dashboard->control);
    if (options->note && options->note[0])
        control_note(&dashboard->control, dashboard_now(dashboard), false, "%.400s", options->note);
    form_load(dashboard);
    dashboard->control.prefix = dashboard->config.prefix;
    dashboard->focus_next = options->focus != NULL;
    dashboard->terminal_focused = true;
    dashboard->notify.how = dashboard->config.notify;
    dashboard->pressed_at = dashboard_now(dashboard);
    decode_init(&dashboard->decode, on_input, dashboard);

    char title[64];
    struct term_facts facts;
    snprintf(title, sizeof(title), "belljar: %.40s", session);
    status = term_open(title, &facts, error);
    if (status < 0)
        return status;
    term_teach(&dashboard->decode);
    return paint_open(&dashboard->view.paint, &facts, &dashboard->theme, error);
}

static void say_goodbye(const struct dashboard *dashboard)
{
    struct fleet_totals totals;
    fleet_totals(&dashboard->fleet, &totals);
    size_t alive = totals.alive + totals.paused;
    if (dashboard->farewell[0])
        printf("belljar: %s\n", dashboard->farewell);
    if (dashboard->server_stopped)
        return;
    printf("detached from session %s; %zu sandbox%s on; belljar attach%s%s\n",
           dashboard->fleet.session, alive, alive == 1 ? " runs" : "es run",
           strcmp(dashboard->fleet.session, BJ_SESSION_DEFAULT) == 0 ? "" : " ",
           strcmp(dashboard->fleet.session, BJ_SESSION_DEFAULT) == 0 ? ""
                                                                     : dashboard->fleet.session);
    fflush(stdout);
}

int dashboard_run(const struct bj_paths *paths, int server, const struct dashboard_options *options,
                  struct bj_error *error)
{
    struct dashboard *dashboard = calloc(1, sizeof(*dashboard));
    if (!dashboard) {
        close(server);
        return bj_fail(error, -ENOMEM, "out of memory");
    }
    dashboard->paths = paths;
    dashboard->options = options;
    int status = prepare(dashboard, error);
    if (status < 0) {
        close(server);
        goto free_all;
    }
    mallopt(M_MMAP_THRESHOLD, MEMORY_KEEP); /* what one frame needs the next needs as well */
    mallopt(M_TRIM_THRESHOLD, MEMORY_KEEP);
    weight_slice(0, true); /* a key's way begins and ends here */
    uv_loop_init(&dashboard->loop);
    status = start_handles(dashboard, error);
    dashboard->servers[0] =
        (struct server_link){.dashboard = dashboard, .origin = &dashboard->fleet.origins[0]};
    dashboard->server_count = 1;
    server_attach(&dashboard->servers[0], server);
    if (status == 0) {
        resized(dashboard);
        digest_start(dashboard, wall_clock());
        hosts_attach(dashboard);
    } else {
        dashboard_stop(dashboard);
    }
    uv_run(&dashboard->loop, UV_RUN_DEFAULT);
    uv_loop_close(&dashboard->loop);
free_all:
    paint_close(&dashboard->view.paint);
    term_close();
    if (status == 0)
        say_goodbye(dashboard);
    decode_free(&dashboard->decode);
    fleet_free(&dashboard->fleet);
    copy_close(&dashboard->control.copy);
    review_close(&dashboard->control.review);
    details_free(&dashboard->details);
    free(dashboard);
    return status;
}
