/*
 * What the server says about sandboxes, requests and alerts: the state behind the dashboard.
 *
 * Built from `event.*` maps (transport/api.c) and nothing else. Every text is cleaned and cut when
 * it comes in, so that what is kept may be shown as it is. Pointers to a sandbox are valid until
 * the event that removes it; others keep ids.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

#include "transport/error.h"
#include "transport/paths.h"
#include "tui/model/crowd.h"
#include "tui/model/field.h"
#include "tui/model/format.h"
#include "tui/model/origin.h"
#include "tui/model/request.h"
#include "tui/model/state.h"

#define FLEET_REQUESTS_MAX 4096
#define FLEET_ALERTS_MAX   1024 /* the oldest go first */
#define FLEET_LINE_MAX     1024 /* bytes of a command that can be run again */
#define FLEET_HISTORY      64   /* samples, one a second */

/* A request can be answered after it has been on this screen for so long. */
#define FLEET_ARM_MS 300

/* A sandbox that asks more than so many questions of a class has one row of the inbox for them all:
 * a pile, so that its flood buries nobody else's. With its policy file that makes three at most. */
#define FLEET_PILE_FROM 10

struct figures {
    double cpu;   /* percent of one core; below zero: unknown */
    double quiet; /* seconds since output; below zero: unknown */
    uint64_t memory, pids, net_in, net_out, disk_read, disk_write; /* or FIGURE_UNKNOWN */
    float cpu_history[FLEET_HISTORY];    /* percent, oldest first; below zero: no sample */
    float memory_history[FLEET_HISTORY]; /* bytes */
};

/* Questions of one class that only this sandbox asks. */
struct asks {
    struct request *first;
    size_t count;
};

struct sandbox {
    char id[FLEET_ID_MAX], session[FLEET_NAME_MAX];
    char name[FLEET_SHOWN_MAX]; /* "host:name" when it is elsewhere */
    const struct origin *origin;
    char command[FLEET_TITLE_MAX]; /* argv as one line, to be read */
    char line[FLEET_LINE_MAX];     /* what its caller gave of it, quoted */
    bool line_hidden;              /* that cannot be shown as it is, and `line` is "" */
    char title[FLEET_TITLE_MAX], error[FLEET_TITLE_MAX], project[FLEET_TITLE_MAX];
    char driver[FLEET_NAME_MAX], agent[FLEET_NAME_MAX], policy[FLEET_TITLE_MAX];
    char view[BJ_SOCKET_PATH_MAX + 1]; /* not cleaned: a path */
    enum sandbox_state state;
    double created;
    int exit_code, exit_signal;
    unsigned alerts; /* unacknowledged */
    bool link_up;
    uint64_t monitor_pid;                               /* another number: another monitor */
    uint64_t limit_memory, limit_millicpus, limit_pids; /* 0: none */
    uint64_t limit_disk, limit_egress, limit_clock; /* bytes, bytes an hour, seconds; likewise */
    char variables[FLEET_TITLE_MAX];                /* names of those that its caller gave */
    uint64_t record_limit;                          /* bytes; 0: it is not recorded */
    char agent_text[FLEET_TITLE_MAX];               /* what its hook said that it waits for */
    char facing[FLEET_ID_MAX]; /* the request that its pane shows; "" when none waits */
    struct asks asks[2];       /* courtesy, wall */
    struct figures figures;
    struct state doing;
    bool marked; /* by the human, to act on several at once */
    bool pinned; /* stays among the first */
    size_t need; /* its place by need when the panes were ordered last */
};

struct alert {
    uint64_t id;
    const struct origin *origin;
    char sandbox_id[FLEET_ID_MAX], sandbox[FLEET_SHOWN_MAX];
    char kind[FLEET_NAME_MAX], text[512];
    int severity; /* 0 info, 1 warning, 2 critical */
    uint64_t count;
    double last;
    bool acknowledged;
};

/* How panes are ordered; pinned ones are always first. */
enum fleet_sorting { FLEET_OWN, FLEET_NEED, FLEET_PROJECT };
/* As it is kept: own, need, project; what is not known is `own`. */
const char *fleet_sorting_word(enum fleet_sorting sorting);
enum fleet_sorting fleet_sorting_find(const char *word);
#define FLEET_SORTINGS 3

/* One tab per project: projects stay while states change under the human's hands. */
#define FLEET_TABS_MAX 64
struct fleet_tab {
    const char *project; /* of a sandbox; "" for those without one */
    size_t count, need;  /* its sandboxes, and those that need the human */
    enum doing doing;    /* of the first of these, or that one waits for a verdict */
};

struct fleet {
    char session[FLEET_NAME_MAX];
    struct origin origins[ORIGINS_MAX];             /* the first is this host */
    struct sandbox *sandboxes[FLEET_SANDBOXES_MAX]; /* of this session, in its order */
    size_t count;
    size_t shown;     /* those of the tab, which are the first; all without one */
    size_t elsewhere; /* sandboxes of other sessions */
    struct sandbox *others[FLEET_SANDBOXES_MAX];
    struct request **requests; /* of this session: highest risk first, then oldest first */
    size_t request_count;
    struct {
        char id[FLEET_ID_MAX], outcome[8], by[FLEET_NAME_MAX];
        char sandbox[FLEET_SHOWN_MAX], title[REQUEST_TITLE_MAX];
        bool seen;                          /* it was on screen, and not as one of a flood */
    } past;                                 /* the request that was closed last */
    struct alert *alerts[FLEET_ALERTS_MAX]; /* oldest first */
    size_t alert_count;
    struct crowd crowd;
    char order[FLEET_SANDBOXES_MAX][FLEET_ID_MAX]; /* as saved; ids may be unknown (yet) */
    size_t order_count, order_pinned;              /* the first ones of them are pinned */
    enum fleet_sorting sorting;
    bool tabbed;
    char tab[FLEET_TITLE_MAX]; /* the tab's project */
    double wall;               /* unix seconds of the last fleet_tick() */
};

int fleet_init(struct fleet *fleet, const char *session, struct bj_error *error);
void fleet_free(struct fleet *fleet);

/* A new connection to a server sends its requests and alerts again: drops them. */
void fleet_forget_asked(struct fleet *fleet, unsigned origin);

/* Takes an event of this host's server. Returns 1 when something changed, 0 when not, -ENOMEM. */
int fleet_event(struct fleet *fleet, const char *name, const msgpack_object *params,
                struct bj_error *error);
/* The same of another host's. */
int fleet_event_from(struct fleet *fleet, unsigned origin, const char *name,
                     const msgpack_object *params, struct bj_error *error);

/* What a sandbox did before, as sandbox.list of that server has it. */
void fleet_timeline(struct fleet *fleet, unsigned origin, const msgpack_object *map);

/* The link to a host is cut, or is there again. What it asks cannot be answered meanwhile, and is
 * forgotten. */
void fleet_cut(struct fleet *fleet, unsigned origin, bool cut);

/* The saved order of panes: [id], the first of which are pinned. */
void fleet_set_order(struct fleet *fleet, const msgpack_object *ids, size_t pinned);
bool fleet_is_pinned(const struct fleet *fleet, const char *id); /* as saved */
/* What is to be saved: the human's own order, whatever is shown now. Returns how many ids. */
size_t fleet_saved(const struct fleet *fleet, const char *ids[FLEET_SANDBOXES_MAX], size_t *pinned);
/* Puts a sandbox first (behind the pinned ones), and goes back to the human's own order. */
void fleet_promote(struct fleet *fleet, size_t index);
void fleet_pin(struct fleet *fleet, struct sandbox *sandbox); /* or no longer */
/* The next way to order panes; says which. */
const char *fleet_order_by(struct fleet *fleet);
void fleet_set_sorting(struct fleet *fleet, enum fleet_sorting sorting);
/* Orders them by need anew, when that is the way. Returns whether something moved. For moments in
 * which no human presses keys. */
bool fleet_settle(struct fleet *fleet);

/* By project; returns how many. Valid until the next event. */
size_t fleet_tabs(const struct fleet *fleet, struct fleet_tab tabs[FLEET_TABS_MAX]);
void fleet_tab(struct fleet *fleet, const char *project); /* NULL: all */
bool fleet_tab_move(struct fleet *fleet, int by);         /* 1 or -1; false: there is one project */
const char *fleet_project_name(const char *project);      /* its last part */

/* The time (unix seconds) for everything that comes from now on; the timelines go on.
 * With `second`, one has passed: every history gets the figure as it is. */
void fleet_tick(struct fleet *fleet, double wall, bool second);

struct sandbox *fleet_find(const struct fleet *fleet, const char *id);
/* Among those of other sessions. */
struct sandbox *fleet_find_elsewhere(const struct fleet *fleet, const char *id);
size_t fleet_index(const struct fleet *fleet, const char *id); /* count when there is none */

/* The request that a sandbox's pane shows, or NULL; how many it has. It is the first in order, but
 * one that is on screen stays there while it is open: nothing takes its place under the finger. */
struct request *fleet_request(const struct fleet *fleet, const char *sandbox_id, size_t *count);
/* From now on its pane shows that request, because the human went there. */
void fleet_face(struct fleet *fleet, const char *sandbox_id, const struct request *request);
struct request *fleet_request_find(const struct fleet *fleet, const char *id);

/* The rows of the inbox: how many, the request that a row is of, or the first of its pile (NULL: no
 * such row), and the row in which a request stands (SIZE_MAX: it is not open). */
size_t fleet_rows(const struct fleet *fleet);
struct request *fleet_row(const struct fleet *fleet, size_t at);
/* Whether it can stand in a pile: one sandbox asks it, and it is no policy file. */
bool fleet_piles(const struct request *request);
size_t fleet_row_of(const struct fleet *fleet, const char *id);

/*
 * Arming. The view brackets each frame and names every request whose text it painted; a request
 * that is not painted loses its time. It is armed FLEET_ARM_MS after the first frame with it was
 * sent, which may be long after it was begun: a terminal may be slow to take it.
 */
void fleet_paint_begin(struct fleet *fleet);
void fleet_painted(struct request *request, uint64_t now_ms);
void fleet_paint_end(struct fleet *fleet);
/* The frame that was painted at `began_ms` has been sent. */
void fleet_paint_sent(struct fleet *fleet, uint64_t began_ms, uint64_t now_ms);
bool fleet_armed(const struct request *request, uint64_t now_ms);

/* The gravest severity of alerts that nobody has acknowledged, of a sandbox or (NULL) of all. */
int fleet_severity(const struct fleet *fleet, const char *sandbox_id);
/* Whether an alert about it has not been acknowledged. */
bool fleet_alerted(const struct fleet *fleet, const char *sandbox_id);
const char *severity_glyph(int severity, bool ascii);
const char *severity_word(int severity);

struct fleet_totals {
    size_t alive, paused, ended, waiting, high, alerts; /* high: requests of high risk */
    size_t running, idle, input, stuck;
    size_t waiting_elsewhere; /* sandboxes of other sessions that wait for a verdict */
    double cpu;
    uint64_t memory; /* FIGURE_UNKNOWN when no sandbox's is known */
};
void fleet_totals(const struct fleet *fleet, struct fleet_totals *totals);

/* Its name; ordered by project, with the project before it: "shop/web". */
#define SANDBOX_LABEL_MAX (FLEET_NAME_MAX + FLEET_SHOWN_MAX + 4)
void sandbox_label(const struct fleet *fleet, const struct sandbox *sandbox,
                   char out[SANDBOX_LABEL_MAX]);
/* What it does in words: "running", "waiting for input" (brief: "input?"), "exited 3". */
void sandbox_state_text(const struct sandbox *sandbox, bool brief, char out[FORMAT_MAX]);
/* For how long; "" when that is not known. */
void sandbox_state_age(const struct sandbox *sandbox, double wall, char out[FORMAT_MAX]);
const char *sandbox_state_glyph(const struct sandbox *sandbox, bool ascii);
bool sandbox_alive(const struct sandbox *sandbox);
/* Its name as its own server knows it. */
const char *sandbox_own_name(const struct sandbox *sandbox);
