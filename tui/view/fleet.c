#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

/* The columns of the list: what can be left out has a greater `from`, the width of the box from
 * which on it is there. The one that it is sorted by always is, in place of the next best. Names
 * get the room that the title behind them does not need. */
#define TITLE_LEAST 24
#define NAMES_MOST  40
enum column {
    COLUMN_STATE,
    COLUMN_NAME,
    COLUMN_PROJECT,
    COLUMN_CPU,
    COLUMN_MEMORY,
    COLUMN_PIDS,
    COLUMN_NET,
    COLUMN_AGE,
    COLUMN_STRIP,
    COLUMN_REQUESTS,
    COLUMN_ALERTS,
    COLUMN_WHY
};
static const struct {
    enum column column;
    const char *head;
    int width, from;
    int right; /* columns of its figures, which end where its head ends; 0: begins at the left */
    int key;   /* enum roster_key, or below zero */
} columns[] = {
    {COLUMN_STATE, "state", 18, 0, 0, ROSTER_NEED},
    {COLUMN_NAME, "name", 17, 0, 0, ROSTER_NAME},
    {COLUMN_CPU, "cpu", 6, 46, 5, ROSTER_CPU},
    {COLUMN_MEMORY, "mem", 7, 54, 6, ROSTER_MEMORY},
    {COLUMN_PIDS, "procs", 7, 124, 6, ROSTER_PIDS},
    {COLUMN_NET, "net", 12, 144, 11, ROSTER_NET},
    {COLUMN_AGE, "age", 6, 62, 5, ROSTER_AGE},
    {COLUMN_REQUESTS, "req", 5, 100, 4, ROSTER_REQUESTS},
    {COLUMN_ALERTS, "alerts", 8, 132, 7, ROSTER_ALERTS},
    {COLUMN_STRIP, "10 minutes", 21, 96, 0, -1},
    {COLUMN_PROJECT, "project", 18, 76, 0, ROSTER_PROJECT},
    {COLUMN_WHY, "because", 24, 170, 0, -1},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const char *project_name(const struct sandbox *sandbox)
{
    return sandbox->project[0] ? fleet_project_name(sandbox->project) : "";
}

/* The width of each column, 0 when it is left out. */
static void measure(const struct view_input *input, int cols, int width[COLUMNS])
{
    const struct fleet *fleet = input->fleet;
    int key = (int)input->control->roster.key, spare = cols - 2 - TITLE_LEAST;
    size_t least = COLUMNS, forced = COLUMNS;
    for (size_t i = 0; i < COLUMNS; i++) {
        width[i] = cols >= columns[i].from ? columns[i].width : 0;
        if (width[i] == 0 && columns[i].key == key)
            forced = i;
        if (width[i] > 0 && columns[i].from > 0 &&
            (least == COLUMNS || columns[i].from > columns[least].from))
            least = i;
    }
    if (forced < COLUMNS) {
        width[forced] = columns[forced].width;
        if (least < COLUMNS)
            width[least] = 0;
    }
    for (size_t i = 0; i < COLUMNS; i++)
        spare -= width[i];
    for (size_t i = 0; i < COLUMNS; i++) {
        enum column column = columns[i].column;
        if (width[i] == 0 || (column != COLUMN_NAME && column != COLUMN_PROJECT))
            continue;
        int longest = 0;
        for (size_t at = 0; at < fleet->count; at++) {
            const struct sandbox *sandbox = fleet->sandboxes[at];
            int wide = text_width(column == COLUMN_NAME ? sandbox->name : project_name(sandbox));
            longest = wide > longest ? wide : longest;
        }
        longest = longest > NAMES_MOST ? NAMES_MOST : longest;
        int more = longest + 2 - width[i] < spare ? longest + 2 - width[i] : spare;
        if (more > 0) {
            width[i] += more;
            spare -= more;
        }
    }
}

static void paint_head(struct view *view, const struct roster *roster, const struct rect *inside,
                       const int width[COLUMNS])
{
    struct style head = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, BJ_ATTR_UNDERLINE);
    struct style sorted =
        paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_UNDERLINE | BJ_ATTR_BOLD);
    struct pen pen = {&view->paint, inside->row, inside->col + 2, inside->col + inside->cols};
    bool ascii = !view->paint.facts.utf8;
    for (size_t i = 0; i < COLUMNS; i++) {
        if (width[i] == 0)
            continue;
        char text[40];
        bool here = columns[i].key == (int)roster->key;
        const char *arrow = roster->reversed ? ascii ? "^" : "▴" : ascii ? "v" : "▾";
        int blanks = columns[i].right - (int)strlen(columns[i].head) - here;
        snprintf(text, sizeof(text), "%*s%s%s", blanks > 0 ? blanks : 0, "", columns[i].head,
                 here ? arrow : "");
        if (columns[i].key >= 0)
            hit_add(view, HIT_COLUMN, (size_t)columns[i].key, inside->row, pen.col, width[i]);
        box_column(&pen, here ? &sorted : &head, text, width[i]);
    }
    if (pen.end - pen.col > 10)
        pen_put(&pen, &head, "title");
}

static void column_text(const struct view_input *input, const struct sandbox *sandbox,
                        enum column column, char *out, size_t size)
{
    char word[FORMAT_MAX], other[FORMAT_MAX];
    const struct figures *figures = &sandbox->figures;
    bool alive = sandbox_alive(sandbox);
    size_t open;
    out[0] = '\0';
    switch (column) {
    case COLUMN_STATE:
        sandbox_state_text(sandbox, true, word);
        sandbox_state_age(sandbox, input->wall, other);
        snprintf(out, size, "%s %s", word, other);
        break;
    case COLUMN_NAME:
        snprintf(out, size, "%s", sandbox->name);
        break;
    case COLUMN_PROJECT:
        snprintf(out, size, "%s", project_name(sandbox));
        break;
    case COLUMN_CPU:
        format_percent(word, figures->cpu);
        snprintf(out, size, "%5s", alive ? word : "");
        break;
    case COLUMN_MEMORY:
        format_bytes(word, figures->memory);
        snprintf(out, size, "%6s", alive ? word : "");
        break;
    case COLUMN_PIDS:
        format_count(word, figures->pids);
        snprintf(out, size, "%6s", alive ? word : "");
        break;
    case COLUMN_NET:
        format_bytes(word, figures->net_in);
        format_bytes(other, figures->net_out);
        snprintf(out, size, "%5s %5s", word, other);
        break;
    case COLUMN_AGE:
        format_age(word, input->wall - sandbox->created);
        snprintf(out, size, "%5s", word);
        break;
    case COLUMN_REQUESTS:
        fleet_request(input->fleet, sandbox->id, &open);
        snprintf(out, size, open ? "%4zu" : "", open);
        break;
    case COLUMN_ALERTS:
        snprintf(out, size, sandbox->alerts ? "%7u" : "", sandbox->alerts);
        break;
    case COLUMN_WHY:
        snprintf(out, size, "%s", state_evidence(sandbox->doing.evidence));
        break;
    default:
        break;
    }
}

static void paint_sandbox_row(struct view *view, const struct view_input *input,
                              const struct sandbox *sandbox, const struct rect *inside, int row,
                              const int width[COLUMNS], bool selected)
{
    struct paint *paint = &view->paint;
    enum theme_role ground = selected ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
    struct style dim = paint_style(paint, ROLE_DIM, ground, 0);
    struct style text = paint_style(paint, ROLE_TITLE, ground, selected ? BJ_ATTR_BOLD : 0);
    struct style mark = paint_style(paint, ROLE_BORDER_SELECTED, ground, BJ_ATTR_BOLD);
    struct style state = paint_style(paint, state_role(sandbox), ground,
                                     state_needs(sandbox->doing.doing) ? BJ_ATTR_BOLD : 0);
    struct rect line = {row, inside->col, 1, inside->cols};
    bool ascii = !paint->facts.utf8;
    char words[FLEET_TITLE_MAX + 16];
    paint_fill(paint, &line, " ", &text);
    struct pen pen = {paint, row, inside->col, inside->col + inside->cols};
    pen_put(&pen, &mark, selected ? ascii ? ">" : "▌" : " ");
    pen_put(&pen, &mark, mark_glyph(sandbox, ascii));
    for (size_t i = 0; i < COLUMNS; i++) {
        enum column column = columns[i].column;
        if (width[i] == 0)
            continue;
        column_text(input, sandbox, column, words, sizeof(words));
        if (column == COLUMN_STATE) {
            box_column(&pen, &state, sandbox_state_glyph(sandbox, ascii), 2);
            box_column(&pen, &state, words, width[i] - 2);
        } else if (column == COLUMN_STRIP) {
            struct pen strip = {paint, row, pen.col, pen.col + width[i] - 1};
            strip_put(&strip, sandbox, ground);
            pen.col += width[i];
        } else {
            box_column(&pen, column == COLUMN_NAME ? &text : &dim, words, width[i]);
        }
    }
    if (pen.end - pen.col > 10) { /* what it runs, or what it wants */
        const char *title = sandbox->title[0] ? sandbox->title : sandbox->command;
        size_t waiting;
        const struct request *request = fleet_request(input->fleet, sandbox->id, &waiting);
        pen_put(&pen, request ? &state : &dim, request ? request->title : title);
    }
}

/* The selected row stays where it is on screen when others move above it. */
static void anchor(struct view *view, const struct roster *roster)
{
    bool same = strcmp(view->inbox.id, roster->at_id) == 0;
    if (same && roster->at > view->inbox.at)
        view->list_top += roster->at - view->inbox.at;
    else if (same && view->inbox.at - roster->at <= view->list_top)
        view->list_top -= view->inbox.at - roster->at;
    memcpy(view->inbox.id, roster->at_id, sizeof(view->inbox.id));
    view->inbox.at = roster->at;
}

/* Ordered by project, each one has a heading. */
static bool heads(const struct roster *roster, const struct fleet *fleet, size_t at)
{
    if (roster->key != ROSTER_PROJECT)
        return false;
    const char *project = fleet->sandboxes[roster->row[at]]->project;
    return at == 0 || strcmp(fleet->sandboxes[roster->row[at - 1]]->project, project) != 0;
}

static void paint_heading(struct view *view, const struct fleet *fleet, const char *project,
                          const struct rect *inside, int row)
{
    struct style name = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct pen pen = {&view->paint, row, inside->col, inside->col + inside->cols};
    size_t count = 0;
    char text[24];
    for (size_t i = 0; i < fleet->count; i++)
        count += strcmp(fleet->sandboxes[i]->project, project) == 0;
    pen_put(&pen, &name, fleet_project_name(project));
    snprintf(text, sizeof(text), "  %zu  ", count);
    pen_put(&pen, &dim, text);
    pen_put(&pen, &dim, project);
}

static void paint_rows(struct view *view, const struct view_input *input, const struct rect *inside,
                       const int width[COLUMNS], int rows)
{
    const struct roster *roster = &input->control->roster;
    const struct fleet *fleet = input->fleet;
    size_t lines = 0, here = 0, line = 0;
    for (size_t i = 0; i < roster->count; i++) {
        lines += 1 + heads(roster, fleet, i);
        here = i == roster->at ? lines - 1 : here;
    }
    size_t top = box_keep_inside(view, here, lines, rows);
    if (top > 0 && top == here && heads(roster, fleet, roster->at))
        view->list_top = --top; /* with its heading */
    for (size_t i = 0; i < roster->count; i++) {
        const struct sandbox *sandbox = fleet->sandboxes[roster->row[i]];
        if (heads(roster, fleet, i) && line++ >= top && line - top <= (size_t)rows)
            paint_heading(view, fleet, sandbox->project, inside, inside->row + (int)(line - top));
        if (line++ >= top && line - top <= (size_t)rows) {
            int row = inside->row + (int)(line - top);
            hit_add(view, HIT_ROW, i, row, inside->col, inside->cols);
            paint_sandbox_row(view, input, sandbox, inside, row, width, i == roster->at);
        }
    }
}

void view_fleet_paint(struct view *view, const struct view_input *input)
{
    const struct control *control = input->control;
    const struct roster *roster = &control->roster;
    size_t marked = control_marked(input->fleet);
    char title[ROSTER_FILTER_MAX + 120], part[40] = "";
    if (marked > 0)
        snprintf(part, sizeof(part), ", %zu marked", marked);
    if (roster->filter[0])
        snprintf(title, sizeof(title), "Sandboxes: %zu of %zu with %s%s", roster->count,
                 input->fleet->count, roster->filter, part);
    else
        snprintf(title, sizeof(title), "Sandboxes: %zu%s", roster->count, part);
    struct rect inside = box_paint(
        view, input, input->rows - 1, input->cols, title,
        keys_say(KEYS_LIST,
                 input->cols > 76
                     ? "{go} go  {filter} filter  {sort previous} {sort next} {sort reverse} sort  "
                       "{mark} mark  {pause} {kill} {rm}  {close} close"
                     : "{go} {filter} {sort previous} {sort next} {mark} {pause} {kill} {close}")
            .text);
    int rows = inside.rows - 1;
    if (control->prompt == PROMPT_FILTER)
        rows--;
    int width[COLUMNS];
    measure(input, inside.cols, width);
    paint_head(view, roster, &inside, width);
    anchor(view, roster);
    paint_rows(view, input, &inside, width, rows);
    if (roster->count == 0)
        box_say(view, &inside,
                input->fleet->count ? "No sandbox fits the filter." : "No sandbox runs.");
    if (control->prompt != PROMPT_FILTER)
        return;
    struct style key = paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct rect field = {inside.row + inside.rows - 1, inside.col + 2, 1, inside.cols - 2};
    paint_text(&view->paint, field.row, inside.col, 2, "/ ", &key);
    view_line_paint(view, &control->line, &field);
}
