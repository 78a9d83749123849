/*
 * The running dashboard: its model, its view and its connections. Private to tui/dashboard*.c.
 *
 * dashboard.c owns the loop, the terminal and the painting; dashboard_server.c the connection to
 * each server, dashboard_hosts.c the links to other hosts, dashboard_order.c what servers are told,
 * dashboard_decide.c that about requests and rules, dashboard_crowd.c where the human looks;
 * dashboard_panes.c one connection per pane to
 * its monitor, dashboard_copy.c copy mode, dashboard_form.c the form of a new sandbox,
 * dashboard_config.c configuration that changes meanwhile, dashboard_review.c the diff and the
 * pull, dashboard_output.c what commands print, dashboard_replay.c the recording that is played
 * (dashboard_replay_far.c brings it), dashboard_digest.c what happened since the human left.
 */
#pragma once

#include <limits.h>

#include <uv.h>

#include "transport/rpc.h"
#include "tui/bridge/host.h"
#include "tui/child.h"
#include "tui/cli/replay_engine.h"
#include "tui/config.h"
#include "tui/dashboard.h"
#include "tui/model/digest.h"
#include "tui/model/control.h"
#include "tui/view/view.h"

struct dashboard;

struct pane_link {
    struct dashboard *dashboard;
    char id[FLEET_ID_MAX];
    struct bj_rpc rpc;
    bool open;      /* rpc is in use, until its `closed` */
    bool gone;      /* the sandbox is: free when the connection is closed */
    bool hidden;    /* view.hide was sent last */
    bool card;      /* shown as a line only */
    int rows, cols; /* size sent last; 0: none */
    uint64_t monitor_pid;
    uint64_t retry_at, retry_wait; /* ms */
    uint64_t acknowledged;
    uint64_t scroll_wish; /* offset asked for last */
    unsigned scrolls;     /* answers to view.scroll still to come */
    uint64_t copied;      /* line from which copy mode asked last */
    struct view_pane pane;
};

/* While `loading` a thread fills the track, and nobody else touches it. */
struct dashboard_replay {
    bool loading, playing;
    struct child *fetch;  /* brings it from another host; or NULL */
    struct child *export; /* writes it to `exported`, a file of the human's; or NULL */
    char exported[BJ_PATH_MAX];
    FILE *fetched;           /* where it goes, in `place` */
    size_t fetched_size;     /* bytes */
    char place[BJ_PATH_MAX]; /* a directory for it, until it is loaded; "" for this host's */
    char id[FLEET_ID_MAX];   /* whose recording it is */
    bool previous;           /* and of which run */
    uv_work_t work;
    atomic_bool stop;
    int status; /* of loading */
    struct bj_error error;
    struct track track;
    struct replay_engine engine;
    uv_timer_t timer;
    uint64_t stepped_at, shown_at; /* ms */
};

/* What happened since the human left, while a thread reads it. */
struct dashboard_digest {
    uv_work_t work;
    atomic_bool stop;
    double until; /* unix seconds */
    bool late;    /* a key came before it was read */
    int status;
    struct bj_error error;
    struct digest read;
};

/* A server: of this host (the first), or of another one. */
struct server_link {
    struct dashboard *dashboard;
    const struct origin *origin; /* the fleet's */
    struct bj_rpc rpc;
    bool open;
    bool connecting; /* a thread tries to reach this host's server */
    uv_work_t connector;
    int connected; /* what it got */
    struct bj_error connect_error;
    uint64_t retry_at, retry_wait; /* ms */
    char trouble[160];             /* why it is not there; "" */
    uint64_t trouble_at;           /* ms: since when */
    uint64_t opened_at;            /* ms */
    bool seen;                     /* it has been there */

    /* Of another host. */
    struct host host;
    uv_poll_t hear;
    bool hearing;
    char refused[128]; /* why the last connection was not made */

    char looks_told[FLEET_ID_MAX]; /* where the human looks, as it was told last */
    bool typing_told;
};

struct dashboard {
    const struct bj_paths *paths;
    const struct dashboard_options *options;
    uv_loop_t loop;
    uv_poll_t input;
    uv_prepare_t quiet;
    uv_signal_t signals[8];
    uv_timer_t tick, paint, escape, save;
    bool keeps_sorting;  /* this host's server keeps it with the session; an older one refuses it */
    uv_timer_t settle;   /* the configuration has changed, and may change more */
    uv_fs_event_t watch; /* of the configuration's directory */
    bool stopping;
    char farewell[256]; /* why it ends, in words; empty: as the human wished */

    struct server_link servers[ORIGINS_MAX];
    size_t server_count;
    unsigned ruled; /* whose server remembered the last rule */
    bool server_stopped;
    char limits[80];
    char select_next[FLEET_ID_MAX]; /* to be selected when it comes */
    bool focus_next;                /* options->focus was not found yet */
    bool restored;                  /* the session's layout has come */

    struct fleet fleet;
    struct control control;
    struct layout layout;
    struct decode decode;
    struct view view;
    struct config config;
    struct theme theme;
    char theme_chosen[BJ_PATH_MAX]; /* by option or key; "": the configuration's counts */
    struct details details;         /* of the open card or menu */
    struct notify notify;
    uint64_t pressed_at; /* ms: the last input from the human */
    uint64_t quiet_at;   /* ms: when nothing that was typed waited to be read, last */
    int rows, cols;
    bool dirty;
    uint64_t painted_at; /* ms */
    uint64_t frame_took; /* ms */
    bool whole;          /* the next frame is of more than agents' cells */
    unsigned rush;       /* frames in a row without a pause between them */
    uint64_t key_at;     /* ms: the last key that went to an agent */
    bool terminal_focused;
    char focus_told[FLEET_ID_MAX];         /* pane that believes it has the focus */
    struct child *diff_child, *pull_child; /* that run for the review; or NULL */
    struct child *output_child;            /* that runs for LIST_OUTPUT; or NULL */
    char pulled[512];                      /* what the pull has said */
    struct dashboard_replay replay;
    struct dashboard_digest digest;
    struct pane_link *links[FLEET_SANDBOXES_MAX];
    size_t link_count;
};

uint64_t dashboard_now(struct dashboard *dashboard);

/* Something changed: a frame follows, soon, or at once. */
void dashboard_touch(struct dashboard *dashboard, bool at_once);
/* The same when nothing but an agent's screen did. */
void dashboard_touch_cells(struct dashboard *dashboard, bool at_once);
/* Selection, fleet or layout changed, too. */
void dashboard_changed(struct dashboard *dashboard);
void dashboard_stop(struct dashboard *dashboard);

/* Begins to read the keyboard, if that was not done yet. */
void dashboard_listen(struct dashboard *dashboard);

/* dashboard_server.c */
void server_attach(struct server_link *link, int descriptor);
void server_trouble(struct server_link *link, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What is wrong with this host's server; NULL: nothing. */
const char *server_complaint(struct dashboard *dashboard);
void server_connect_far(struct server_link *link);
void server_tick(struct dashboard *dashboard);
void server_close(struct dashboard *dashboard);
bool server_ready(const struct server_link *link);
/* The server that an id of a sandbox or a request comes from. */
struct server_link *server_of(struct dashboard *dashboard, const char *id);
struct dashboard *server_dashboard(const struct bj_rpc *rpc);
void server_select_wanted(struct dashboard *dashboard);

void server_note_error(struct dashboard *dashboard, const msgpack_object *error);
/* The answer to an order: silent, unless it failed. */
void server_on_done(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                    void *argument);

/* dashboard_order.c */
void server_save(struct dashboard *dashboard);
void server_order(struct dashboard *dashboard, const struct order *order);
/* The answer to sandbox.run: the new one is selected. */
void server_on_run(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                   void *argument);
/* The room that one more pane would have. False: none. */
bool server_new_size(const struct dashboard *dashboard, struct rect *inner);

/* The command line that fetches something about a sandbox of another host: `option` is one of
 * `belljar bridge`'s. */
#define FAR_WORDS 8
void far_words(struct dashboard *dashboard, const struct sandbox *sandbox, const char *option,
               const char *words[FAR_WORDS]);

/* dashboard_crowd.c */
void crowd_tell(struct dashboard *dashboard); /* where the human looks, when that has changed */

/* dashboard_hosts.c */
void hosts_attach(struct dashboard *dashboard);
void hosts_tick(struct dashboard *dashboard);
void hosts_close(struct dashboard *dashboard);
size_t hosts_look(struct dashboard *dashboard, struct view_host out[HOSTS_MAX]);

/* dashboard_form.c */
/* The path of what a human names, as realpath(3); `what` it is, for the error. */
int form_real_path(const char *given, const char *what, char out[PATH_MAX], struct bj_error *error);
void form_load(struct dashboard *dashboard);
void form_order(struct dashboard *dashboard, const struct order *order);

/* dashboard_decide.c */
void decide_tell_shown(struct dashboard *dashboard);   /* requests that are on screen now */
void decide_want_details(struct dashboard *dashboard); /* asks for what control_wish() wants */
void decide_order(struct server_link *link, const struct order *order);

/* dashboard_config.c */
void config_watch(struct dashboard *dashboard); /* reads again when belljar.conf changes */
void config_tick(struct dashboard *dashboard);  /* the directory may be made only now */
void config_again(struct dashboard *dashboard);
void config_wear(struct dashboard *dashboard, const struct theme *theme);

/* dashboard_open.c */
void open_order(struct dashboard *dashboard, const struct order *order);

/* dashboard_copy.c */
void copy_order(struct dashboard *dashboard, const struct order *order);

/* dashboard_review.c */
void review_order(struct dashboard *dashboard, const struct order *order);
void review_sync(struct dashboard *dashboard); /* ends what nobody waits for any more */
void review_end(struct dashboard *dashboard);

/* dashboard_output.c */
void output_order(struct dashboard *dashboard, const struct order *order);
void output_sync(struct dashboard *dashboard); /* ends what nobody waits for any more */
void output_close(struct dashboard *dashboard);

/* dashboard_replay.c */
void replay_init(struct dashboard *dashboard);
void replay_order(struct dashboard *dashboard); /* the player wants its recording */
void replay_load(struct dashboard *dashboard);  /* it is on this host now */
void replay_export(struct dashboard *dashboard, const struct order *order);
void replay_export_end(struct dashboard *dashboard); /* it goes on to its end */
/* dashboard_replay_far.c */
void replay_fetch(struct dashboard *dashboard, const struct sandbox *sandbox);
void replay_fetch_end(struct dashboard *dashboard); /* and forgets what was fetched */
void replay_sync(struct dashboard *dashboard);      /* ends what is not looked at any more */
const struct picture *replay_picture(const struct dashboard *dashboard);

/* dashboard_digest.c */
void digest_start(struct dashboard *dashboard, double wall); /* shows it, if there is anything */
void digest_stop(struct dashboard *dashboard);

/* dashboard_panes.c */
struct pane_link *panes_find(struct dashboard *dashboard, const char *id);
void panes_sync(struct dashboard *dashboard); /* connections fit to what is visible */
void panes_painted(struct dashboard *dashboard);
void panes_retry(struct dashboard *dashboard, unsigned origin); /* its host is there again */
void panes_tick(struct dashboard *dashboard);
bool panes_scrolled(const struct dashboard *dashboard); /* one shows what is past */
void panes_order(struct dashboard *dashboard, const struct order *order, const struct input *input);
void panes_focus(struct dashboard *dashboard); /* tells agents who has the focus */
void panes_take(struct dashboard *dashboard);  /* the selected one gets the size that it has here */
void panes_close(struct dashboard *dashboard);
