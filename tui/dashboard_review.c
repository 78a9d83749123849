#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tui/dashboard_state.h"
#include "tui/model/text.h"

/* The name of a sandbox of this host; NULL, and why not. */
static const char *name_of(const struct dashboard *dashboard, const char *id,
                           struct bj_error *error)
{
    const struct sandbox *sandbox = fleet_find(&dashboard->fleet, id);
    if (sandbox && sandbox->origin->number == 0)
        return sandbox->name;
    if (sandbox)
        bj_fail(error, -ENOTSUP,
                "%s is on another host, and so is its repository: use belljar pull there",
                sandbox->name);
    else
        bj_fail(error, -ENOENT, "the sandbox is gone");
    return NULL;
}

/* ---- the diff ---- */

static void show_diff(struct dashboard *dashboard)
{
    dashboard->diff_child = NULL;
    diff_end(&dashboard->control.review.diff);
    review_loaded(&dashboard->control.review);
    dashboard_touch(dashboard, true);
}

static void on_diff(struct child *child, const char *bytes, size_t size)
{
    struct dashboard *dashboard = child->owner;
    struct review *review = &dashboard->control.review;
    int status = diff_add(&review->diff, bytes, size);
    if (status == 0)
        return;
    child_stop(child);
    if (status == -EFBIG) {
        show_diff(dashboard);
        return;
    }
    dashboard->diff_child = NULL;
    review_fail(review, "out of memory for what was changed");
    dashboard_touch(dashboard, true);
}

static void on_diff_ended(struct child *child, int code, const char *said)
{
    struct dashboard *dashboard = child->owner;
    char why[sizeof(dashboard->control.review.error)];
    if (code == 0) {
        show_diff(dashboard);
        return;
    }
    dashboard->diff_child = NULL;
    child_line(said, why, sizeof(why));
    review_fail(&dashboard->control.review, why[0] ? why : "belljar diff ended without a word");
    dashboard_touch(dashboard, true);
}

static void read_diff(struct dashboard *dashboard, const char *id)
{
    static const struct child_events events = {.output = on_diff, .ended = on_diff_ended};
    struct bj_error error = {0};
    const struct sandbox *sandbox = fleet_find(&dashboard->fleet, id);
    const char *words[FAR_WORDS] = {"diff", "--", sandbox ? sandbox->name : "", NULL};
    if (sandbox && sandbox->origin->number > 0)
        far_words(dashboard, sandbox, "--diff", words);
    if (dashboard->diff_child)
        child_stop(dashboard->diff_child);
    dashboard->diff_child =
        sandbox ? child_start(&dashboard->loop, words, &events, dashboard, &error) : NULL;
    if (!dashboard->diff_child)
        review_fail(&dashboard->control.review, sandbox ? error.text : "the sandbox is gone");
}

/* ---- the pull ---- */

/* Its first line says what came; there is more only about symbolic links. */
static void on_pulled(struct child *child, const char *bytes, size_t size)
{
    struct dashboard *dashboard = child->owner;
    size_t used = strlen(dashboard->pulled), room = sizeof(dashboard->pulled) - 1 - used;
    size_t taken = size < room ? size : room;
    memcpy(dashboard->pulled + used, bytes, taken);
    dashboard->pulled[used + taken] = '\0';
}

static void on_pull_ended(struct child *child, int code, const char *said)
{
    struct dashboard *dashboard = child->owner;
    char line[CHILD_SAID_MAX];
    uint64_t now = dashboard_now(dashboard);
    dashboard->pull_child = NULL;
    child_line(code == 0 ? dashboard->pulled : said, line, sizeof(line));
    control_note(&dashboard->control, now, code != 0, code == 0 ? "%s" : "not pulled: %s",
                 line[0] ? line : "belljar pull ended without a word");
    control_note_long(&dashboard->control, now);
    dashboard_touch(dashboard, true);
}

static void pull(struct dashboard *dashboard, const char *id)
{
    static const struct child_events events = {.output = on_pulled, .ended = on_pull_ended};
    struct control *control = &dashboard->control;
    struct bj_error error = {0};
    const char *name = name_of(dashboard, id, &error);
    uint64_t now = dashboard_now(dashboard);
    if (!name) {
        control_note(control, now, true, "not pulled: %s", error.text);
        return;
    }
    if (dashboard->pull_child) {
        control_note(control, now, true, "another pull is not through yet");
        return;
    }
    dashboard->pulled[0] = '\0';
    dashboard->pull_child =
        child_start(&dashboard->loop, (const char *const[]){"pull", "--", name, NULL}, &events,
                    dashboard, &error);
    if (dashboard->pull_child)
        control_note(control, now, false, "pulling the work of %s", name);
    else
        control_note(control, now, true, "not pulled: %s", error.text);
}

void review_order(struct dashboard *dashboard, const struct order *order)
{
    if (order->kind == ORDER_DIFF)
        read_diff(dashboard, order->id);
    else
        pull(dashboard, order->id);
}

void review_sync(struct dashboard *dashboard)
{
    const struct review *review = &dashboard->control.review;
    if (!dashboard->diff_child || (review->open && review->state == REVIEW_LOADING))
        return;
    child_stop(dashboard->diff_child);
    dashboard->diff_child = NULL;
}

void review_end(struct dashboard *dashboard)
{
    if (dashboard->diff_child) {
        child_stop(dashboard->diff_child);
        child_leave(dashboard->diff_child);
    }
    if (dashboard->pull_child) /* goes on to its end */
        child_leave(dashboard->pull_child);
    dashboard->diff_child = dashboard->pull_child = NULL;
}
