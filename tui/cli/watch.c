#include "tui/cli/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tui/cli/call.h"
#include "tui/cli/report.h"
#include "tui/model/state.h"

#define RETRY_SECONDS 1

/* What was said last, so that only what is new is said. */
struct watch {
    const struct args *args;
    json_t *sandboxes; /* by id, as event.sandbox has them */
    json_t *requests;  /* by id */
    json_t *alerts;    /* by id */
    bool connected;    /* once at least */
    bool lost;
    bool stop; /* the server has stopped, or nobody reads any more */
};

/* ---- one line ---- */

static double wall_clock(void)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

static const char *name_of(const struct watch *watch, const char *id)
{
    return report_text(json_object_get(watch->sandboxes, id), "name");
}

static bool wanted(const struct watch *watch, const char *id)
{
    const struct args *args = watch->args;
    for (size_t i = 0; i < args->word_count; i++)
        if (strcmp(args->words[i], id) == 0 || strcmp(args->words[i], name_of(watch, id)) == 0)
            return true;
    return args->word_count == 0;
}

/* With `id` empty: about no sandbox in particular. `more` (taken over) are members for JSON. */
static void say(struct watch *watch, const char *event, const char *id, json_t *more,
                const char *words)
{
    double now = wall_clock();
    if (*id && !wanted(watch, id)) {
        json_decref(more);
        return;
    }
    if (args_set(watch->args, "json")) {
        json_t *line = json_pack("{s:f,s:s}", "time", now, "event", event);
        if (*id)
            json_object_set_new(line, "sandbox", json_string(name_of(watch, id)));
        if (*id)
            json_object_set_new(line, "sandbox_id", json_string(id));
        json_object_update(line, more);
        json_dumpf(line, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(line);
    } else {
        char stamp[40];
        time_t second = (time_t)now;
        struct tm local;
        if (!localtime_r(&second, &local) ||
            strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &local) == 0)
            stamp[0] = '\0';
        call_line(stdout, "%s  %s%s%s", stamp, *id ? name_of(watch, id) : "", *id ? ": " : "",
                  words);
    }
    json_decref(more);
    if (fflush(stdout) != 0)
        watch->stop = true;
}

/* ---- what happened ---- */

static bool differs(const json_t *one, const json_t *other, const char *key)
{
    return !json_equal(json_object_get(one, key), json_object_get(other, key));
}

static void say_state(struct watch *watch, const json_t *now)
{
    const char *state = report_text(now, "state");
    char words[400];
    long long code = report_number(now, "exit_code"), number = report_number(now, "exit_signal");
    if (strcmp(state, "exited") != 0)
        snprintf(words, sizeof(words), "%s",
                 strcmp(state, "waiting") == 0 ? state_word(DOING_VERDICT) : state);
    else if (report_text(now, "error")[0])
        snprintf(words, sizeof(words), "ended: %.300s", report_text(now, "error"));
    else if (number > 0)
        snprintf(words, sizeof(words), "ended by signal %lld (%s)", number, strsignal((int)number));
    else if (json_is_integer(json_object_get(now, "exit_code")))
        snprintf(words, sizeof(words), "exited with code %lld", code);
    else
        snprintf(words, sizeof(words), "ended");
    say(watch, "state", report_text(now, "id"),
        json_pack("{s:s,s:O,s:O,s:s}", "state", state, "exit_code",
                  json_object_get(now, "exit_code"), "exit_signal",
                  json_object_get(now, "exit_signal"), "error", report_text(now, "error")),
        words);
}

/* What it does, in the dashboard's word, as far as it makes a difference to a person: that it
 * works, now so and now so, is one. NULL: it makes none. */
static const char *doing_words(const json_t *now, bool *works)
{
    enum doing doing = state_doing(report_text(now, "doing"));
    *works = doing == DOING_RUNNING || doing == DOING_THINKING;
    bool known = *works || doing == DOING_IDLE || doing == DOING_STUCK || doing == DOING_INPUT;
    return known ? state_word(doing) : NULL;
}

static void say_doing(struct watch *watch, const json_t *now)
{
    bool works;
    const char *id = report_text(now, "id"), *words = doing_words(now, &works);
    json_t *sandbox = json_object_get(watch->sandboxes, id);
    const char *before = sandbox ? report_text(sandbox, "watch-doing") : "";
    const char *after = works ? "works" : words;
    if (!sandbox || !words || strcmp(after, before) == 0)
        return;
    /* That one which runs works is no news. */
    if (*before || !works)
        say(watch, "doing", id,
            json_pack("{s:s,s:s}", "doing", report_text(now, "doing"), "source",
                      report_text(now, "source")),
            words);
    json_object_set_new(sandbox, "watch-doing", json_string(after));
}

static void on_stats(struct watch *watch, const json_t *what)
{
    const json_t *now;
    size_t index;
    json_array_foreach(json_object_get(what, "sandboxes"), index, now) say_doing(watch, now);
}

static void say_agent(struct watch *watch, const json_t *now)
{
    const char *state = report_text(now, "agent_state"), *text = report_text(now, "agent_text");
    char words[400];
    if (!*state)
        return;
    snprintf(words, sizeof(words), "its agent says: %s%s%.300s", state, *text ? ", " : "", text);
    say(watch, "agent", report_text(now, "id"),
        json_pack("{s:s,s:s}", "agent_state", state, "agent_text", text), words);
}

static void on_sandbox(struct watch *watch, const json_t *now)
{
    const char *id = report_text(now, "id");
    json_t *before = json_incref(json_object_get(watch->sandboxes, id));
    char words[200];
    json_object_set(watch->sandboxes, id, (json_t *)now);
    if (before && json_object_get(before, "watch-doing"))
        json_object_set((json_t *)now, "watch-doing", json_object_get(before, "watch-doing"));
    if (before && differs(before, now, "name")) {
        snprintf(words, sizeof(words), "was called %.80s before", report_text(before, "name"));
        say(watch, "renamed", id, json_pack("{s:s}", "before", report_text(before, "name")), words);
    }
    if (!before || differs(before, now, "state"))
        say_state(watch, now);
    if (!before || differs(before, now, "agent_state") || differs(before, now, "agent_text"))
        say_agent(watch, now);
    json_decref(before);
}

static void on_gone(struct watch *watch, const json_t *what)
{
    const char *id = report_text(what, "id");
    say(watch, "removed", id, NULL, "removed with its files");
    json_object_del(watch->sandboxes, id);
}

static void on_request(struct watch *watch, const json_t *request)
{
    static const char *const risks[] = {"low", "medium", "high"};
    const char *id = report_text(request, "id");
    const json_t *before = json_object_get(watch->requests, id);
    long long risk = report_number(request, "risk"), count = report_number(request, "count");
    char words[1400], others[40] = "";
    if (before && !differs(before, request, "count") && !differs(before, request, "risk"))
        return;
    if (count > 1)
        snprintf(others, sizeof(others), ", as %lld other%s", count - 1,
                 count > 2 ? "s do" : " does");
    const char *why = report_text(request, "why");
    snprintf(words, sizeof(words), "asks (%s, %s risk%s): %.600s%s%.300s. Answer: belljar allow %s",
             report_text(request, "class"), risks[risk < 0 || risk > 2 ? 2 : risk], others,
             report_text(request, "title"), *why ? ". Held since " : "", why, id);
    json_object_set(watch->requests, id, (json_t *)request);
    say(watch, "request", report_text(request, "sandbox_id"),
        json_pack("{s:O}", "request", request), words);
}

static void on_request_gone(struct watch *watch, const json_t *what)
{
    const char *id = report_text(what, "id"), *outcome = report_text(what, "outcome");
    const json_t *request = json_object_get(watch->requests, id);
    const char *by = report_text(what, "by");
    char words[1000];
    snprintf(words, sizeof(words), "%s%s%.80s: %.600s",
             strcmp(outcome, "allow") == 0  ? "allowed"
             : strcmp(outcome, "deny") == 0 ? "denied"
                                            : "no longer asks",
             *by ? " by " : "", by, report_text(request, "title"));
    say(watch, "verdict", report_text(what, "sandbox_id"),
        json_pack("{s:s,s:s,s:s,s:s}", "request", id, "outcome", outcome, "by", by, "title",
                  report_text(request, "title")),
        words);
    json_object_del(watch->requests, id);
}

/* Seen ones are no news, and marking one as seen is none either. */
static void on_alert(struct watch *watch, const json_t *alert)
{
    char id[32], words[1000];
    snprintf(id, sizeof(id), "%lld", report_number(alert, "id"));
    const json_t *before = json_object_get(watch->alerts, id);
    bool news = before ? differs(before, alert, "count")
                       : !json_is_true(json_object_get(alert, "acknowledged"));
    json_object_set(watch->alerts, id, (json_t *)alert);
    if (!news)
        return;
    snprintf(words, sizeof(words), "alert, %s: %.800s (%s, seen %lld time%s)",
             report_text(alert, "severity"), report_text(alert, "text"), report_text(alert, "kind"),
             report_number(alert, "count"), report_number(alert, "count") == 1 ? "" : "s");
    say(watch, "alert", report_text(alert, "sandbox_id"), json_pack("{s:O}", "alert", alert),
        words);
}

static void on_event(struct peer *peer, const char *name, const json_t *params)
{
    static const struct {
        const char *name;
        void (*take)(struct watch *watch, const json_t *params);
    } events[] = {{"event.sandbox", on_sandbox},
                  {"event.stats", on_stats},
                  {"event.gone", on_gone},
                  {"event.request", on_request},
                  {"event.request_gone", on_request_gone},
                  {"event.alert", on_alert}};
    struct watch *watch = peer->owner;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (strcmp(events[i].name, name) == 0)
            events[i].take(watch, params);
    if (strcmp(name, "event.stopping") == 0) {
        say(watch, "stopping", "", NULL,
            json_is_true(json_object_get(params, "killed"))
                ? "The server stops, and ended every sandbox."
                : "The server stops; the sandboxes run on.");
        watch->stop = true;
    }
}

/* ---- the connection ---- */

/* Until it ends, or the watch does. */
static int listen_to(struct watch *watch, const struct bj_paths *paths, struct bj_error *error)
{
    struct peer server;
    json_t *answer = NULL;
    int status = sandbox_server(paths, true, &server, error);
    if (status < 0)
        return status;
    server.event = on_event;
    server.owner = watch;
    status = peer_call(&server, "events.subscribe", NULL, PEER_TIMEOUT_MS, &answer, error);
    json_decref(answer);
    if (status == 0 && watch->lost)
        say(watch, "back", "", NULL, "The server is back.");
    watch->connected |= status == 0;
    watch->lost &= status < 0;
    if (status == 0)
        status = peer_listen(&server, &watch->stop, 0, error);
    peer_close(&server);
    return status;
}

int watch_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct watch watch = {.args = args,
                          .sandboxes = json_object(),
                          .requests = json_object(),
                          .alerts = json_object()};
    int status = 0;
    while (!watch.stop) {
        char words[600];
        status = listen_to(&watch, paths, &error);
        if (watch.stop || !watch.connected)
            break;
        if (watch.lost) {
            sleep(RETRY_SECONDS); /* said already */
            continue;
        }
        watch.lost = true;
        snprintf(words, sizeof(words), "The server is lost (%.400s); trying again.", error.text);
        say(&watch, "lost", "", json_pack("{s:s}", "error", error.text), words);
    }
    json_decref(watch.sandboxes);
    json_decref(watch.requests);
    json_decref(watch.alerts);
    return watch.stop || status == 0 ? COMMAND_DONE : report_error(&error);
}
