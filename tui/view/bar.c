#include <stdio.h>
#include <string.h>
#include <time.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define NOTE_LINES 2 /* of a long message: a box and a request's text begin below */

/* What is worth a hint, most useful first. */
static const enum action hints[] = {
    ACTION_FOCUS, ACTION_HELP,  ACTION_FORM,   ACTION_LIST,     ACTION_ZOOM,
    ACTION_KILL,  ACTION_PAUSE, ACTION_DETACH, ACTION_REQUESTS, ACTION_LAYOUT,
};
static const enum action prefix_hints[] = {ACTION_SUPERVISE, ACTION_HELP, ACTION_DETACH,
                                           ACTION_ZOOM,      ACTION_LIST, ACTION_COPY};
static const enum action review_hints[] = {
    ACTION_REVIEW_LEAVE,     ACTION_REVIEW_COMMENT,   ACTION_REVIEW_PULL,   ACTION_REVIEW_SPLIT,
    ACTION_REVIEW_FILE_NEXT, ACTION_REVIEW_HUNK_NEXT, ACTION_REVIEW_SEARCH,
};
static const enum action replay_hints[] = {
    ACTION_REPLAY_LEAVE, ACTION_REPLAY_PAUSE,  ACTION_REPLAY_NEXT,   ACTION_REPLAY_FORWARD,
    ACTION_REPLAY_BACK,  ACTION_REPLAY_FASTER, ACTION_REPLAY_SLOWER,
};
static const enum action list_hints[] = {ACTION_CLOSE, ACTION_DETAILS, ACTION_GO};

static void put_hint(struct pen *pen, const struct style *key_style, const struct style *text_style,
                     const char *key, const char *text)
{
    if (pen->col + text_width(key) + text_width(text) + 3 > pen->end)
        return;
    pen_put(pen, key_style, key);
    pen_put(pen, text_style, " ");
    pen_put(pen, text_style, text);
    pen_put(pen, text_style, "  ");
}

static void put_actions(struct view *view, struct pen *pen, enum key_mode mode,
                        const enum action *actions, size_t count)
{
    struct style key = paint_style(&view->paint, ROLE_KEY, ROLE_BAR, BJ_ATTR_BOLD);
    struct style dim = paint_style(&view->paint, ROLE_BAR_DIM, ROLE_BAR, 0);
    for (size_t i = 0; i < count; i++)
        put_hint(pen, &key, &dim, keys_first(mode, actions[i]).text, keys_action(actions[i])->hint);
}

/* What there is to do with the diff; without one, only how to leave. */
static void put_review_hints(struct view *view, const struct review *review, struct pen *pen)
{
    bool any = review->state == REVIEW_READY && review->count > 0;
    put_actions(view, pen, KEYS_REVIEW, review_hints,
                any ? sizeof(review_hints) / sizeof(review_hints[0]) : 1);
}

void view_replay_hints(struct view *view, const struct player *player, struct pen *pen)
{
    put_actions(view, pen, KEYS_REPLAY, replay_hints,
                player->state == PLAYER_READY ? sizeof(replay_hints) / sizeof(replay_hints[0]) : 1);
}

static void put_hints(struct view *view, const struct view_input *input, struct pen *pen)
{
    struct style key = paint_style(&view->paint, ROLE_KEY, ROLE_BAR, BJ_ATTR_BOLD);
    struct style dim = paint_style(&view->paint, ROLE_BAR_DIM, ROLE_BAR, 0);
    if (input->control->prefix_waits) {
        for (size_t i = 0; i < sizeof(prefix_hints) / sizeof(prefix_hints[0]); i++)
            put_hint(pen, &key, &dim, keys_first(KEYS_PREFIX, prefix_hints[i]).text,
                     keys_action(prefix_hints[i])->hint);
        return;
    }
    if (input->control->mode != CONTROL_SUPERVISE) {
        put_hint(pen, &key, &dim, keys_way_out(&input->control->prefix).text,
                 "back to supervising");
        return;
    }
    if (input->control->form.open || input->control->prompt != PROMPT_NONE)
        return; /* the form and the question say their keys */
    if (input->control->palette.open) {
        put_hint(pen, &key, &dim, keys_first(0, ACTION_LINE_ENTER).text, "do it");
        put_hint(pen, &key, &dim, keys_first(0, ACTION_LINE_LEAVE).text, "close");
        return;
    }
    if (input->control->copy.open) {
        put_hint(pen, &key, &dim, keys_first(0, ACTION_COPY_TAKE).text, "copy");
        put_hint(pen, &key, &dim, keys_first(0, ACTION_COPY_LEAVE).text, "leave");
        return;
    }
    if (input->control->menu.open) {
        put_hint(pen, &key, &dim, keys_first(0, ACTION_MENU_ENTER).text, "decide so");
        put_hint(pen, &key, &dim, keys_first(KEYS_MENU, ACTION_CLOSE).text, "close");
        return;
    }
    if (input->control->review.open && input->control->list == LIST_NONE) {
        put_review_hints(view, &input->control->review, pen);
        return;
    }
    if (input->control->player.open && input->control->list == LIST_NONE) {
        view_replay_hints(view, &input->control->player, pen);
        return;
    }
    struct request *request = control_request(input->control, input->fleet);
    if (request && fleet_armed(request, input->now)) {
        put_hint(pen, &key, &dim, keys_first(0, ACTION_ALLOW).text, "once");
        put_hint(pen, &key, &dim, keys_first(0, ACTION_ALLOW_RULE).text, "remember");
        put_hint(pen, &key, &dim, keys_first(0, ACTION_DENY).text, "deny");
    } else if (!request && input->control->list == LIST_NONE && input->fleet->request_count > 0) {
        put_hint(pen, &key, &dim, keys_first(0, ACTION_WAITING).text, "what waits");
    }
    bool list = input->control->list != LIST_NONE;
    size_t count =
        list ? sizeof(list_hints) / sizeof(list_hints[0]) : sizeof(hints) / sizeof(hints[0]);
    for (size_t i = 0; i < count; i++) {
        const struct key_action *action = keys_action(list ? list_hints[i] : hints[i]);
        bool idle = input->fleet->count == 0 && action->group != KEYS_BELLJAR &&
                    action->action != ACTION_FORM;
        bool useless = list && ((action->action == ACTION_DETAILS && !request) ||
                                (action->action == ACTION_GO &&
                                 control_list_rows(input->control, input->fleet) == 0) ||
                                (action->action == ACTION_GO && input->control->list == LIST_HELP));
        if ((!list && idle) || useless || (input->readonly && control_changes(action->action)))
            continue;
        put_hint(pen, &key, &dim,
                 keys_first(list ? KEYS_LIST : KEYS_SUPERVISE, action->action).text, action->hint);
    }
}

/* The message that is to be read now, or NULL. */
static const char *note_text(const struct view_input *input, bool *bad)
{
    const struct control *control = input->control;
    *bad = true;
    if (control->note[0] && input->now < control->note_until) {
        *bad = control->note_bad;
        return control->note;
    }
    return input->trouble;
}

static bool put_note(struct view *view, const struct view_input *input, struct pen *pen)
{
    bool bad;
    const char *text = note_text(input, &bad);
    int room = pen->end - pen->col - 2;
    if (!text)
        return false;
    view->long_note = text_width(text) > room;
    struct style style =
        paint_style(&view->paint, ROLE_NOTE_TEXT, bad ? ROLE_ERROR : ROLE_NOTE, BJ_ATTR_BOLD);
    char fitted[sizeof(input->control->note)];
    text_fit(fitted, sizeof(fitted), view->long_note ? "see above" : text, room,
             !view->paint.facts.utf8);
    pen_put(pen, &style, " ");
    pen_put(pen, &style, fitted);
    pen_put(pen, &style, " ");
    return true;
}

/* What is too long for the bar stands in the first lines of the screen, where it covers titles but
 * never the text of a request or of a box. */
void view_note_paint(struct view *view, const struct view_input *input)
{
    bool bad;
    const char *text = note_text(input, &bad);
    if (!text || !view->long_note || view->box_count == VIEW_BOXES)
        return;
    struct style style =
        paint_style(&view->paint, ROLE_NOTE_TEXT, bad ? ROLE_ERROR : ROLE_NOTE, BJ_ATTR_BOLD);
    int lines = text_lines(text, input->cols - 2);
    struct rect band = {0, 0, lines < NOTE_LINES ? lines : NOTE_LINES, input->cols};
    struct rect inside = {band.row, 1, band.rows, band.cols - 2};
    bool whole;
    view->boxes[view->box_count++] = band;
    paint_fill(&view->paint, &band, " ", &style);
    box_wrapped(view, band.row, band.row + band.rows, &inside, text, &style, &whole);
}

static void add_figures(struct view *view, const struct view_input *input, struct piece *piece,
                        int *count)
{
    struct paint *paint = &view->paint;
    bool utf8 = paint->facts.utf8;
    struct style text = paint_style(paint, ROLE_BAR_TEXT, ROLE_BAR, 0);
    struct style dim = paint_style(paint, ROLE_BAR_DIM, ROLE_BAR, 0);
    struct style waiting = paint_style(paint, ROLE_STATE_WAITING, ROLE_BAR, BJ_ATTR_BOLD);
    struct style asks = paint_style(paint, doing_role(DOING_INPUT), ROLE_BAR, BJ_ATTR_BOLD);
    struct style stuck = paint_style(paint, doing_role(DOING_STUCK), ROLE_BAR, BJ_ATTR_BOLD);
    struct style high = paint_style(paint, ROLE_STATE_LOST, ROLE_BAR, BJ_ATTR_BOLD);
    int severity = fleet_severity(input->fleet, NULL);
    struct style alert = paint_style(paint, severity_role(severity), ROLE_BAR, BJ_ATTR_BOLD);
    struct style warning = paint_style(paint, ROLE_ALERT_WARNING, ROLE_BAR, BJ_ATTR_BOLD);
    struct fleet_totals totals;
    char cpu[FORMAT_MAX], memory[FORMAT_MAX];
    fleet_totals(input->fleet, &totals);
    format_percent(cpu, totals.cpu);
    format_bytes(memory, totals.memory);
    bool narrow = input->cols < 100;
    size_t count_all = input->fleet->count;
    pieces_add(piece, count, 2, &text, " %zu sandbox%s ", count_all, count_all == 1 ? "" : "es");
    if (totals.waiting > 0)
        pieces_add(piece, count, 1, &waiting, " %s %zu waiting ", utf8 ? "◆" : "?", totals.waiting);
    if (totals.input > 0)
        pieces_add(piece, count, 3, &asks, " %s %zu input ", state_glyph(DOING_INPUT, !utf8),
                   totals.input);
    if (totals.stuck > 0)
        pieces_add(piece, count, 3, &stuck, " %s %zu stuck ", state_glyph(DOING_STUCK, !utf8),
                   totals.stuck);
    if (!narrow && totals.running > 0)
        pieces_add(piece, count, 7, &dim, " %s %zu running ", state_glyph(DOING_RUNNING, !utf8),
                   totals.running);
    if (!narrow && totals.idle > 0)
        pieces_add(piece, count, 7, &dim, " %s %zu idle ", state_glyph(DOING_IDLE, !utf8),
                   totals.idle);
    if (totals.high > 0)
        pieces_add(piece, count, 1, &high, "%s %zu%s ", risk_glyph(RISK_HIGH, !utf8), totals.high,
                   narrow ? "" : " high risk");
    if (totals.paused > 0)
        pieces_add(piece, count, 6, &dim, " %s %zu paused ", state_glyph(DOING_PAUSED, !utf8),
                   totals.paused);
    if (totals.alerts > 0)
        pieces_add(piece, count, 2, &alert, " %s %zu ", severity_glyph(severity, !utf8),
                   totals.alerts);
    if (totals.alerts > 0)
        pieces_add(piece, count, narrow ? 3 : 2, &alert, totals.alerts == 1 ? "alert " : "alerts ");
    size_t marked = control_marked(input->fleet);
    if (marked > 0) /* what a key acts on, wherever the selection is */
        pieces_add(piece, count, 1, &text, " %s %zu marked ", utf8 ? "✓" : "+", marked);
    size_t elsewhere = input->fleet->elsewhere;
    if (totals.waiting_elsewhere > 0)
        pieces_add(piece, count, 2, &waiting,
                   narrow ? " %s +%zu " : " %s %zu waiting in other sessions ",
                   state_glyph(DOING_VERDICT, !utf8), totals.waiting_elsewhere);
    else if (elsewhere > 0)
        pieces_add(piece, count, 6, &dim, narrow ? " +%zu " : " %zu in other sessions ", elsewhere);
    size_t others = crowd_others(&input->fleet->crowd);
    if (others > 0)
        pieces_add(piece, count, 4, &text, narrow ? " %s %zu " : " %s %zu clients ",
                   utf8 ? "◉" : "@", others + 1);
    if (input->control->review.open || input->control->player.open)
        return; /* its keys need the room; who needs the human is said all the same */
    if (count_all > 0)
        pieces_add(piece, count, 4, &text, narrow ? " %s %s " : " cpu %s  mem %s ", cpu, memory);
    if (input->limits)
        pieces_add(piece, count, 5, &warning, " %s ", narrow ? "no limits" : input->limits);
}

/* How the link to each other host is; why it is down only where there is room. */
static void add_hosts(struct view *view, const struct view_input *input, struct piece *piece,
                      int *count)
{
    struct paint *paint = &view->paint;
    bool utf8 = paint->facts.utf8;
    struct style dim = paint_style(paint, ROLE_BAR_DIM, ROLE_BAR, 0);
    struct style down = paint_style(paint, ROLE_STATE_LOST, ROLE_BAR, BJ_ATTR_BOLD);
    for (size_t i = 0; i < input->host_count; i++) {
        const struct view_host *host = &input->hosts[i];
        char age[FORMAT_MAX];
        format_age(age, (double)host->seconds);
        if (host->state == VIEW_HOST_UP)
            pieces_add(piece, count, 3, &dim, " %s %s ", utf8 ? "⇄" : "=", host->label);
        else if (host->state == VIEW_HOST_CONNECTING)
            pieces_add(piece, count, 3, &dim, " %s %s ", utf8 ? "…" : ".", host->label);
        else
            pieces_add(piece, count, 1, &down, " %s %s, no link %s ", utf8 ? "✕" : "x", host->label,
                       age);
        if (host->state == VIEW_HOST_DOWN && input->cols >= 120)
            pieces_add(piece, count, 8, &dim, "%.60s ", host->words);
    }
}

void view_bar_paint(struct view *view, const struct view_input *input)
{
    struct paint *paint = &view->paint;
    const struct rect *rect = &input->layout->bar;
    bool focus = input->control->mode != CONTROL_SUPERVISE;
    bool broadcast = input->control->mode == CONTROL_BROADCAST;
    bool replay = input->control->player.open;
    bool review = input->control->review.open, copy = input->control->copy.open;
    struct style text = paint_style(paint, ROLE_BAR_TEXT, ROLE_BAR, 0);
    struct style mode = paint_style(
        paint, ROLE_MODE_TEXT,
        focus || copy || review || replay ? ROLE_MODE_FOCUS : ROLE_MODE_SUPERVISE, BJ_ATTR_BOLD);
    paint_fill(paint, rect, " ", &text);

    struct piece piece[PIECES_MAX];
    int count = 0;
    pieces_add(piece, &count, 0, &mode,
               input->control->prefix_waits ? " PREFIX "
               : review                     ? " REVIEW "
               : replay                     ? " REPLAY "
               : broadcast                  ? " BROADCAST "
               : focus                      ? " FOCUS "
               : copy                       ? " COPY "
               : input->readonly            ? " READ ONLY "
                                            : " SUPERVISE ");
    add_figures(view, input, piece, &count);
    add_hosts(view, input, piece, &count);
    struct pen pen = {paint, rect->row, rect->col, rect->col + rect->cols};
    /* The figures leave a third for notes and hints. */
    pieces_fit(piece, count,
               rect->cols < 60    ? rect->cols - 2
               : rect->cols < 100 ? rect->cols / 2 + 4
                                  : rect->cols * 2 / 3);
    pieces_put(piece, count, &pen);

    char clock[16];
    time_t now = (time_t)input->wall;
    struct tm local;
    if (rect->cols >= 60 && localtime_r(&now, &local)) {
        strftime(clock, sizeof(clock), "%H:%M", &local);
        struct pen right = {paint, rect->row, rect->col + rect->cols - 6, rect->col + rect->cols};
        pen_put(&right, &text, clock);
        pen.end = rect->col + rect->cols - 7;
    }
    pen_put(&pen, &text, " ");
    view->long_note = false;
    if (!put_note(view, input, &pen))
        put_hints(view, input, &pen);
}
