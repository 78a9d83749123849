#include "mux/policy/history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mux/policy/history_private.h"

#define ROOM_FIRST 64

static const char *text_of(const json_t *record, const char *key)
{
    return json_string_value(json_object_get(record, key));
}

static double number_of(const json_t *record, const char *key, double fallback)
{
    const json_t *value = json_object_get(record, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static int no_memory(struct bj_error *error)
{
    return bj_fail(error, -ENOMEM, "out of memory while reading the audit log");
}

static int copy(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? -ENOMEM : 0;
}

static void request_free(struct history_request *request)
{
    free(request->subject);
    free(request->id);
    free(request->sandbox);
    free(request->project);
}

/* The newest open request with this id. */
static struct history_request *find_request(struct history *history, const char *id)
{
    for (size_t i = history->count; id && i > 0; i--) {
        struct history_request *request = &history->requests[i - 1];
        if (request->id && !request->answer && strcmp(request->id, id) == 0)
            return request;
    }
    return NULL;
}

static struct history_request *add_request(struct history *history, const json_t *record,
                                           struct bj_error *error)
{
    const char *about = text_of(record, "about");
    int kind = about ? policy_kind_find(about) : -1;
    if (kind < 0 || !text_of(record, "subject"))
        return NULL; /* not a matter of policy */
    if (history->count == history->room) {
        size_t room = history->room ? history->room * 2 : ROOM_FIRST;
        struct history_request *list = realloc(history->requests, room * sizeof(*list));
        if (!list) {
            no_memory(error);
            return NULL;
        }
        history->requests = list;
        history->room = room;
    }
    struct history_request *request = &history->requests[history->count];
    *request = (struct history_request){
        .kind = (enum policy_kind)kind, .asked = number_of(record, "time", 0), .waited = -1};
    if (copy(&request->subject, text_of(record, "subject")) < 0 ||
        copy(&request->id, text_of(record, "id")) < 0 ||
        copy(&request->sandbox, text_of(record, "sandbox")) < 0 ||
        copy(&request->project, text_of(record, "project")) < 0) {
        request_free(request);
        no_memory(error);
        return NULL;
    }
    history->count++;
    return request;
}

static int take_verdict(struct history *history, const json_t *record, struct bj_error *error)
{
    struct bj_error why = {0};
    struct history_request *request = find_request(history, text_of(record, "id"));
    if (!request)
        request = add_request(history, record, &why);
    if (!request) {
        if (why.code && error)
            *error = why;
        return why.code;
    }
    const char *by = text_of(record, "by");
    const char *answer = text_of(record, "answer");
    if (!by || strcmp(by, "gone") == 0)
        return 0;
    int effect = answer ? policy_effect_find(answer) : -1;
    if (effect != POLICY_ALLOW && effect != POLICY_DENY)
        return 0;
    request->answer = (enum policy_effect)effect;
    request->by_human = strcmp(by, "human") == 0;
    double now = number_of(record, "time", request->asked);
    request->waited = number_of(record, "waited", now - request->asked);
    if (request->waited < 0)
        request->waited = 0;
    return 0;
}

/* Spans: of running sandboxes, and of attached clients. */
static int begin_span(struct history *history, enum history_span_kind kind, const char *who,
                      double time, struct bj_error *error)
{
    if (history->spans_count == history->spans_room) {
        size_t room = history->spans_room ? history->spans_room * 2 : ROOM_FIRST;
        struct history_span *list = realloc(history->spans, room * sizeof(*list));
        if (!list)
            return no_memory(error);
        history->spans = list;
        history->spans_room = room;
    }
    struct history_span span = {.kind = kind, .begin = time, .end = -1};
    if (copy(&span.who, who ? who : "") < 0)
        return no_memory(error);
    history->spans[history->spans_count++] = span;
    return 0;
}

static void end_span(struct history *history, enum history_span_kind kind, const char *who,
                     double time)
{
    for (size_t i = history->spans_count; i > 0; i--) {
        struct history_span *span = &history->spans[i - 1];
        if (span->kind != kind || span->end >= 0 || strcmp(span->who, who ? who : "") != 0)
            continue;
        span->end = time;
        return;
    }
}

/* A server that died saw no client go; those spans end with the last thing that was written. */
static void end_clients(struct history *history, double time)
{
    for (size_t i = 0; i < history->spans_count; i++)
        if (history->spans[i].kind == SPAN_CLIENT && history->spans[i].end < 0)
            history->spans[i].end = time;
}

static int take_client(struct history *history, const json_t *record, bool attach, double time,
                       struct bj_error *error)
{
    const json_t *client = json_object_get(record, "client");
    char number[32] = "";
    const char *who = json_string_value(client);
    if (json_is_integer(client)) {
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(client));
        who = number;
    }
    if (attach)
        return begin_span(history, SPAN_CLIENT, who, time, error);
    end_span(history, SPAN_CLIENT, who, time);
    return 0;
}

int history_add(struct history *history, const json_t *record, struct bj_error *error)
{
    const char *kind = text_of(record, "kind");
    double time = number_of(record, "time", NAN);
    if (!kind || !isfinite(time))
        return 0;
    double before = history->last;
    if (history->first == 0)
        history->first = time;
    if (time > history->last)
        history->last = time;
    const char *id = text_of(record, "sandbox_id");
    const char *sandbox = id ? id : text_of(record, "sandbox");
    struct bj_error why = {0};
    if (strcmp(kind, "request") == 0) {
        add_request(history, record, &why);
        if (why.code && error)
            *error = why;
        return why.code;
    }
    if (strcmp(kind, "verdict") == 0)
        return take_verdict(history, record, error);
    if (strcmp(kind, "start") == 0)
        return begin_span(history, SPAN_SANDBOX, sandbox, time, error);
    if (strcmp(kind, "exit") == 0 || strcmp(kind, "kill") == 0)
        end_span(history, SPAN_SANDBOX, sandbox, time);
    else if (strcmp(kind, "attach") == 0 || strcmp(kind, "detach") == 0)
        return take_client(history, record, kind[0] == 'a', time, error);
    else if (strcmp(kind, "server_start") == 0)
        end_clients(history, before);
    return 0;
}

void history_free(struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        request_free(&history->requests[i]);
    for (size_t i = 0; i < history->spans_count; i++)
        free(history->spans[i].who);
    free(history->requests);
    free(history->spans);
    *history = (struct history){0};
}
