#include "tui/model/card.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model/format.h"
#include "tui/model/text.h"

#define LEAST_COLUMNS 20

struct writing {
    struct card *card;
    int columns;
    int status;
};

static void add(struct writing *writing, enum card_style style, const char *label, int indent,
                const char *text, size_t size)
{
    struct card *card = writing->card;
    if (writing->status < 0 || card->count == CARD_LINES_MAX)
        return;
    if (card->count == card->capacity) {
        size_t capacity = card->capacity ? card->capacity * 2 : 64;
        struct card_line *lines = realloc(card->lines, capacity * sizeof(*lines));
        if (!lines) {
            writing->status = -ENOMEM;
            return;
        }
        card->lines = lines;
        card->capacity = capacity;
    }
    char *copy = strndup(text, size);
    if (!copy) {
        writing->status = -ENOMEM;
        return;
    }
    card->lines[card->count++] = (struct card_line){style, label, indent, copy};
}

/* A text of any length under one label. */
static void add_text(struct writing *writing, enum card_style style, const char *label, int indent,
                     const char *text)
{
    do {
        const char *next;
        size_t size = text_wrap(text, writing->columns - indent, &next);
        add(writing, style, label, indent, text, size);
        text = next;
        label = NULL;
    } while (*text && writing->status == 0 && writing->card->count < CARD_LINES_MAX);
}

static void add_format(struct writing *writing, enum card_style style, const char *label,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

static void add_format(struct writing *writing, enum card_style style, const char *label,
                       const char *format, ...)
{
    char text[2400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    add_text(writing, style, label, CARD_LABEL, text);
}

static void blank(struct writing *writing)
{
    add(writing, CARD_TEXT, NULL, 0, "", 0);
}

const char *card_class_sentence(const struct request *request)
{
    return request->wall ? "held by the host: your verdict binds"
                         : "asked by a hook inside: an agent that means harm can leave it out";
}

static void add_head(struct writing *writing, const struct request *request,
                     const struct details *details, double now, bool ascii)
{
    char line[400], age[FORMAT_MAX];
    format_age(age, now - request->created);
    snprintf(line, sizeof(line), "%s %s  %s  %s %s risk  waits %s", request_glyph(request, ascii),
             request_class(request), request->kind, risk_glyph(request->risk, ascii),
             risk_word(request->risk), age);
    add_text(writing, CARD_CLASS, NULL, 0, line);
    add_text(writing, CARD_DIM, NULL, 0, card_class_sentence(request));
    blank(writing);
    const char *subject = request->subject[0] ? request->subject : details ? details->subject : "";
    if (subject[0])
        add_text(writing, CARD_SUBJECT, "Subject", CARD_LABEL, subject);
    if (request->title[0] && strcmp(request->title, subject) != 0)
        add_text(writing, CARD_TEXT, "Asks", CARD_LABEL, request->title);
    if (request->cut)
        add_text(writing, CARD_DIM, "Cut", CARD_LABEL,
                 "it is longer than this: a verdict counts when all lines below have been seen");
    writing->card->head = writing->card->count;
}

static void add_who(struct writing *writing, const struct request *request,
                    const struct details *details)
{
    const char *names = details && details->sandboxes[0] ? details->sandboxes : request->sandbox;
    if (request->count > 1)
        add_format(writing, CARD_TEXT, "From", "%" PRIu64 " sandboxes: %s", request->count, names);
    else
        add_format(writing, CARD_TEXT, "From", "%s", names);
    const char *why = details && details->why[0] ? details->why : request->why;
    if (why[0])
        add_text(writing, CARD_TEXT, "Why held", CARD_LABEL, why);
    if (details && details->where[0] && !strstr(why, details->where))
        add_text(writing, CARD_DIM, "Held by", CARD_LABEL, details->where);
}

static void add_history(struct writing *writing, const struct details *details, double now)
{
    char age[FORMAT_MAX];
    if (details->asked == 0) {
        add_format(writing, CARD_TEXT, "Before", "never asked");
        return;
    }
    format_age(age, now - details->last);
    add_format(writing, CARD_TEXT, "Before",
               "asked %" PRIu64 "x: allowed %" PRIu64 "x, denied %" PRIu64 "x%s%s%s",
               details->asked, details->allowed, details->denied,
               details->last > 0 ? ", last " : "", details->last > 0 ? age : "",
               details->last > 0 ? " ago" : "");
}

static void add_rules(struct writing *writing, const struct details *details)
{
    static const char *const labels[SCOPES] = {"sandbox", "project", "all"};
    blank(writing);
    add_text(writing, CARD_DIM, NULL, 0,
             "A rule (A, D) would say, for good or for as long as you choose:");
    for (int scope = 0; scope < SCOPES; scope++) {
        const char *rule = details_rule(details, (enum rule_scope)scope);
        add_text(writing, rule ? CARD_RULE : CARD_DIM, labels[scope], CARD_LABEL,
                 rule                                ? rule
                 : details->state == DETAILS_LOADING ? "asking the server"
                 : details->state == DETAILS_FAILED  ? details->error
                                                     : "cannot be remembered");
    }
}

static void add_detail(struct writing *writing, const struct request *request,
                       const struct details *details)
{
    bool more = details && details->detail;
    const char *detail = more ? details->detail : request->detail;
    size_t left = more ? details->detail_left : request->detail_left;
    if (!detail)
        return;
    blank(writing);
    add_text(writing, CARD_DIM, NULL, 0,
             request->wall ? "Detail:" : "Detail, as the asker wrote it:");
    add_text(writing, CARD_DETAIL, NULL, 2, detail);
    if (left > 0)
        add_format(writing, CARD_DIM, NULL, "(cut: %zu byte%s more)", left, left == 1 ? "" : "s");
}

int card_build(struct card *card, const struct request *request, const struct details *details,
               int columns, double now, bool ascii)
{
    struct writing writing = {card, columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns, 0};
    *card = (struct card){0};
    if (details && strcmp(details->wish.id, request->id) != 0)
        details = NULL;
    const struct details *known = details && details->known ? details : NULL;
    add_head(&writing, request, known, now, ascii);
    blank(&writing);
    add_who(&writing, request, known);
    if (known) {
        add_history(&writing, known, now);
        add_rules(&writing, known);
    } else if (details && details->state == DETAILS_FAILED) {
        add_format(&writing, CARD_DIM, "More", "%s", details->error);
    } else {
        add_format(&writing, CARD_DIM, "More", "asking the server");
    }
    add_detail(&writing, request, known);
    if (card->count == CARD_LINES_MAX) { /* the last line says so */
        free(card->lines[CARD_LINES_MAX - 1].text);
        card->count--;
        add(&writing, CARD_DIM, NULL, 0, "(cut: the rest is not shown)", 28);
    }
    if (request->cut)
        card->head = card->count;
    if (writing.status < 0)
        card_free(card);
    return writing.status;
}

/* What one of a pile asks, whole; where that is not enough, a line says so. */
static void add_piled(struct writing *writing, const struct request *request, bool ascii)
{
    char risk[40];
    add_text(writing, CARD_SUBJECT, request->kind, CARD_LABEL, request->title);
    if (!strstr(request->subject, request->title)) /* mostly KIND(TITLE) */
        add_text(writing, CARD_TEXT, NULL, CARD_LABEL, request->subject);
    if (request->risk > RISK_LOW) {
        snprintf(risk, sizeof(risk), "%s %s risk", risk_glyph(request->risk, ascii),
                 risk_word(request->risk));
        add_text(writing, CARD_DIM, NULL, CARD_LABEL, risk);
    }
    if (request->cut)
        add_text(writing, CARD_DIM, NULL, CARD_LABEL,
                 "(cut: it is longer than this, and can be denied here, not allowed)");
}

int card_build_pile(struct card *card, const struct request *const *pile, size_t count, int columns,
                    double now, bool ascii)
{
    struct writing writing = {card, columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns, 0};
    char line[400], age[FORMAT_MAX];
    double oldest = now;
    *card = (struct card){0};
    for (size_t i = 0; i < count; i++)
        oldest = pile[i]->created < oldest ? pile[i]->created : oldest;
    format_age(age, now - oldest);
    snprintf(line, sizeof(line), "%s %s  %zu requests of %s  the first waits %s",
             request_glyph(pile[0], ascii), request_class(pile[0]), count, pile[0]->sandbox, age);
    add_text(&writing, CARD_CLASS, NULL, 0, line);
    add_text(&writing, CARD_DIM, NULL, 0, card_class_sentence(pile[0]));
    blank(&writing);
    for (size_t i = 0; i < count; i++)
        add_piled(&writing, pile[i], ascii);
    card->head = card->count;
    if (writing.status < 0)
        card_free(card);
    return writing.status;
}

void card_free(struct card *card)
{
    for (size_t i = 0; i < card->count; i++)
        free(card->lines[i].text);
    free(card->lines);
    *card = (struct card){0};
}
