#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define LABEL 10 /* columns of the fields' names */

/* One of several choices, or with too little room the chosen one alone. */
struct choices {
    enum menu_field field;
    const char *name;
    int count, chosen;
    const char *words[4];
    bool can[4];
};

static void paint_choices(struct view *view, const struct menu *menu, const struct choices *choices,
                          const struct rect *inside, int row)
{
    struct paint *paint = &view->paint;
    bool here = menu->field == choices->field, utf8 = paint->facts.utf8;
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct style name =
        paint_style(paint, here ? ROLE_KEY : ROLE_DIM, ROLE_BACKGROUND, here ? BJ_ATTR_BOLD : 0);
    struct style text = paint_style(paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct style chosen = paint_style(paint, ROLE_MODE_TEXT, ROLE_MODE_SUPERVISE, BJ_ATTR_BOLD);
    char words[80];
    int needed = LABEL;
    for (int i = 0; i < choices->count; i++)
        needed += text_width(choices->words[i]) + 4 + (i > 0);
    struct pen pen = {paint, row, inside->col, inside->col + inside->cols};
    snprintf(words, sizeof(words), "%s%s", here ? utf8 ? "▸ " : "> " : "  ", choices->name);
    box_column(&pen, &name, words, LABEL + 2);
    bool all = needed + 2 <= inside->cols;
    for (int i = 0; i < choices->count; i++) {
        if (!all && i != choices->chosen)
            continue;
        /* The brackets are for terminals without colours. */
        snprintf(words, sizeof(words), i == choices->chosen ? "[%d %s]" : " %d %s ", i + 1,
                 choices->words[i]);
        pen_put(&pen, i == choices->chosen ? &chosen : choices->can[i] ? &text : &dim, words);
        if (i + 1 < choices->count)
            pen_put(&pen, &text, " ");
    }
    if (!all)
        pen_put(&pen, &dim, utf8 ? "‹ ›" : "< >");
}

static void paint_reason(struct view *view, const struct menu *menu, const struct rect *inside,
                         int row)
{
    struct paint *paint = &view->paint;
    bool here = menu->field == MENU_REASON, utf8 = paint->facts.utf8;
    struct style name =
        paint_style(paint, here ? ROLE_KEY : ROLE_DIM, ROLE_BACKGROUND, here ? BJ_ATTR_BOLD : 0);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct pen pen = {paint, row, inside->col, inside->col + inside->cols};
    char words[40];
    snprintf(words, sizeof(words), "%s%s", here ? utf8 ? "▸ " : "> " : "  ", "Reason");
    box_column(&pen, &name, words, LABEL + 2);
    struct rect field = {row, pen.col, 1, pen.end - pen.col};
    if (here)
        view_line_paint(view, &menu->reason, &field);
    else
        pen_put(&pen, &dim,
                menu->reason.size ? menu->reason.text : "none; the agent would read it");
}

static void scope_choices(const struct menu *menu, const struct details *details,
                          struct choices *choices)
{
    *choices = (struct choices){.field = MENU_SCOPE,
                                .name = "For whom",
                                .count = menu_scopes(menu),
                                .chosen = (int)menu->scope};
    for (int i = 0; i < choices->count; i++) {
        struct menu other = *menu;
        const char *why;
        other.scope = (enum menu_scope)i;
        choices->words[i] = menu_scope_word(other.scope);
        choices->can[i] = !menu_remembers(&other) || menu_sentence(&other, details, &why);
    }
}

static void duration_choices(const struct menu *menu, struct choices *choices)
{
    *choices = (struct choices){.field = MENU_DURATION,
                                .name = "How long",
                                .count = MENU_DURATIONS,
                                .chosen = menu->duration};
    for (int i = 0; i < choices->count; i++) {
        choices->words[i] = menu_duration_word(i);
        choices->can[i] = true;
    }
}

/* What the box has to hold, from what must be there to what may. */
struct plan {
    const char *sentence; /* or what stands in its place */
    bool rule;            /* it is a rule's sentence */
    int sentence_rows, title_rows, fields, gaps;
};

static void make_plan(const struct menu *menu, const struct view_input *input,
                      const struct request *request, int columns, int room, struct plan *plan)
{
    const char *why;
    *plan = (struct plan){.fields = menu->deny ? 3 : 2, .gaps = 3};
    plan->sentence = menu_sentence(menu, input->details, &why);
    plan->rule = plan->sentence != NULL;
    if (!plan->sentence)
        plan->sentence = why ? why : "Nothing is remembered: it may ask again.";
    plan->sentence_rows = text_lines(plan->sentence, columns);
    plan->title_rows = text_lines(request->title, columns);
    if (plan->title_rows > 3)
        plan->title_rows = 3;
    /* The class, the fields, the line above the sentence, the question. */
    int fixed = 1 + plan->fields + 1 + plan->sentence_rows + 1;
    if (fixed + plan->title_rows + plan->gaps > room)
        plan->gaps = 0;
    if (fixed + plan->title_rows > room)
        plan->title_rows = room > fixed ? room - fixed : 0;
}

static bool paint_question(struct view *view, const struct menu *menu, const struct rect *inside,
                           int row)
{
    struct style ask = paint_style(&view->paint, ROLE_NOTE_TEXT, ROLE_ERROR, BJ_ATTR_BOLD);
    struct rect line = {row, inside->col, 1, inside->cols};
    bool widest = menu->scope == MENU_ALL && menu_seconds(menu) == 0;
    struct keys_text says = keys_say(
        KEYS_MENU, widest && menu->high && !menu->deny
                       ? " High risk, for good, for all: {menu confirm} yes  {close} close "
                   : widest ? " For good, for all sandboxes: {menu confirm} yes  {close} close "
                            : " High risk: {menu confirm} yes  {close} close ");
    paint_fill(&view->paint, &line, " ", &ask);
    paint_text(&view->paint, row, inside->col, inside->cols, says.text, &ask);
    return text_width(says.text) <= inside->cols;
}

static void paint_inside(struct view *view, const struct view_input *input,
                         const struct request *request, const struct plan *plan,
                         const struct rect *inside)
{
    struct paint *paint = &view->paint;
    const struct menu *menu = &input->control->menu;
    struct style chip = request_chip(paint, request);
    struct style text = paint_style(paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct style bold = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    int row = inside->row, end = inside->row + inside->rows, gap = plan->gaps ? 1 : 0;
    bool ascii = !paint->facts.utf8, whole = false, asked = true;
    char words[160];
    snprintf(words, sizeof(words), " %s %s  %s  %s %s risk ", request_glyph(request, ascii),
             request_class(request), request->kind, risk_glyph(request->risk, ascii),
             risk_word(request->risk));
    struct pen pen = {paint, row++, inside->col, inside->col + inside->cols};
    pen_put(&pen, &chip, words);
    if (request->count > 1) {
        snprintf(words, sizeof(words), "  %llu sandboxes ask", (unsigned long long)request->count);
        pen_put(&pen, &bold, words);
    }
    row = box_wrapped(view, row, row + plan->title_rows, inside, request->title, &text, &whole);
    row += gap;
    struct choices choices;
    scope_choices(menu, input->details, &choices);
    paint_choices(view, menu, &choices, inside, row++);
    if (menu_remembers(menu)) {
        duration_choices(menu, &choices);
        paint_choices(view, menu, &choices, inside, row);
    }
    row++;
    if (menu->deny)
        paint_reason(view, menu, inside, row++);
    row += gap;
    /* A group is remembered one by one, but for all. */
    bool each = request->count > 1 && menu->scope != MENU_ALL;
    snprintf(words, sizeof(words),
             each ? "The rule would say, and one like it for each of the %llu that ask:"
                  : "The rule would say:",
             (unsigned long long)request->count);
    if (row < end)
        paint_text(paint, row++, inside->col, inside->cols, plan->rule ? words : "", &dim);
    row = box_wrapped(view, row, end, inside, plan->sentence, plan->rule ? &bold : &dim, &whole);
    if (menu->asking)
        asked = row + gap < end && paint_question(view, menu, inside, row + gap);
    view->menu_shown = whole && asked;
}

void view_menu_paint(struct view *view, const struct view_input *input)
{
    const struct menu *menu = &input->control->menu;
    const struct request *request =
        menu->open ? fleet_request_find(input->fleet, menu->request) : NULL;
    if (!request)
        return;
    int cols = input->cols < 34 ? input->cols : input->cols - 4 < 84 ? input->cols - 4 : 84;
    struct plan plan;
    make_plan(menu, input, request, cols - 4, input->rows - 3, &plan);
    int rows = 1 + plan.title_rows + plan.fields + 1 + plan.sentence_rows + 1 + plan.gaps + 2;
    struct keys_text foot = keys_say(
        KEYS_MENU, cols < 64 ? "{menu remember}  {close}"
                   : menu->deny
                       ? "arrows or numbers choose  {menu remember} deny so  {close} close"
                       : "arrows or numbers choose  {menu remember} allow so  {close} close");
    struct rect inside =
        box_paint(view, input, rows, cols,
                  menu->deny ? "Deny, and remember" : "Allow, and remember", foot.text);
    paint_inside(view, input, request, &plan, &inside);
}
