/*
 * What a key or a click means: modes, selection, prompts and lists, as a state machine.
 *
 * Nothing is done here but changing the dashboard's own state; what concerns sandboxes comes out as
 * an order, which names the sandbox or request by its id, so that it means what the human saw even
 * if things move before it is carried out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tui/keymap.h"
#include "tui/model/copy.h"
#include "tui/model/digest.h"
#include "tui/model/decode.h"
#include "tui/model/fleet.h"
#include "tui/model/form.h"
#include "tui/model/layout.h"
#include "tui/model/details.h"
#include "tui/model/line.h"
#include "tui/model/menu.h"
#include "tui/model/output.h"
#include "tui/model/palette.h"
#include "tui/model/player.h"
#include "tui/model/review.h"
#include "tui/model/roster.h"
#include "tui/model/target.h"

#define PILE_MAX             128 /* requests that are decided at once */
#define CONTROL_NOTE_MS      4000
#define CONTROL_LONG_NOTE_MS 12000 /* of a rule's sentence */
#define CONTROL_DOUBLE_MS                                                                          \
    400 /* between the clicks of a double click, or two presses of the prefix */

/* Broadcasting: keys go to all targets at once. */
enum control_mode { CONTROL_SUPERVISE, CONTROL_FOCUS, CONTROL_BROADCAST };
enum control_list {
    LIST_NONE,
    LIST_HELP,
    LIST_REQUESTS,
    LIST_ALERTS,
    LIST_CARD,
    LIST_PILE,
    LIST_ABOUT,
    LIST_FLEET,
    LIST_CLIENTS,
    LIST_OUTPUT
};
enum control_prompt {
    PROMPT_NONE,
    PROMPT_KILL,
    PROMPT_REMOVE,
    PROMPT_DETACH,
    PROMPT_RUN,
    PROMPT_RENAME,
    PROMPT_FILTER,
    PROMPT_SAVE,
    PROMPT_EXPORT,
    PROMPT_PULL,
    PROMPT_COMMENT,
    PROMPT_OPEN,
    /* about all that are marked */
    PROMPT_PAUSE_MANY,
    PROMPT_RESUME_MANY,
    PROMPT_KILL_MANY,
    PROMPT_REMOVE_MANY,
    PROMPT_BROADCAST,
    PROMPT_REMOVE_ENDED, /* of all that have */
    PROMPT_ALLOW_PILE,
};

struct control {
    enum control_mode mode;
    enum control_list list;
    enum control_prompt prompt;
    enum layout_kind layout, before_zoom;
    struct chord prefix;
    char selected[FLEET_ID_MAX];
    size_t selected_index;   /* where it was; its place is taken over when it goes */
    bool chosen;             /* by the human or the session; until then the first one is */
    char tour[FLEET_ID_MAX]; /* request that ACTION_WAITING went to last; any other key ends it */
    uint64_t moved_at;       /* ms: the selection moved by itself; 0: not */
    char subject[FLEET_ID_MAX]; /* sandbox of the prompt */
    bool prompt_seen;           /* its question has been painted: an answer is no type-ahead */
    struct line line;
    size_t list_at;             /* selected row of the open list, or first line of card or output */
    char list_id[FLEET_ID_MAX]; /* request that is selected in the inbox, or what the card is of: a
                                   request, for LIST_ABOUT a sandbox */
    enum control_list list_before;     /* where the card was opened */
    char pile[PILE_MAX][FLEET_ID_MAX]; /* of LIST_PILE: what was there when it was opened */
    size_t pile_count;
    unsigned pile_opened; /* how often one was: what was seen of another does not count */
    struct roster roster; /* of LIST_FLEET */
    char targets[FLEET_SANDBOXES_MAX][FLEET_ID_MAX]; /* what a question or order about many means */
    size_t target_count;
    struct target target; /* of PROMPT_OPEN */
    struct copy copy;     /* of the selected pane; its text is freed by copy_close() */
    struct review review; /* of the selected sandbox; freed by review_close() */
    struct player player; /* of its recording */
    struct digest digest; /* since the human left */
    struct palette palette;
    struct output output; /* of LIST_OUTPUT */
    bool named; /* what is done now is about a sandbox by its name, not about marked ones */
    struct form form;
    struct menu menu;
    char decided[FLEET_ID_MAX]; /* request that was answered here last; its end is no news */
    char past[FLEET_ID_MAX];    /* the fleet's, when its end was looked at last */
    char note[512];             /* a short message in the bar */
    bool note_bad;
    uint64_t note_until;
    uint64_t prefix_at; /* ms: when the prefix left focus mode */
    bool prefix_waits;  /* the prefix was pressed; the next key is looked up in KEYS_PREFIX */
    bool returns;       /* focus mode comes back when what that key opened is closed */
    unsigned nth;       /* which of its action's keys was pressed, from 0 */
    uint64_t click_at;
    size_t click_index;
};

enum order_kind {
    ORDER_NONE,
    ORDER_KEY,   /* chord to the focused agent */
    ORDER_PASTE, /* the input's text to it */
    ORDER_MOUSE, /* the input's event to it */
    ORDER_ALLOW, /* scope and seconds when `remember`; text: the reason, for a denial */
    ORDER_DENY,
    ORDER_UNDO,
    ORDER_PAUSE,
    ORDER_RESUME,
    ORDER_PAUSE_ALL,
    ORDER_RESUME_ALL,
    ORDER_KILL,
    ORDER_REMOVE,
    ORDER_RENAME, /* text: the new name */
    ORDER_RUN,    /* text: the line */
    ORDER_SCROLL, /* amount lines back (negative: forward); INT_MIN/INT_MAX: live, oldest */
    ORDER_ACKNOWLEDGE,
    ORDER_ACKNOWLEDGE_ALL,
    ORDER_THEME,
    ORDER_RELOAD,   /* of the configuration */
    ORDER_CAPTURE,  /* the pane's text for copy mode */
    ORDER_COPY,     /* what is selected there to the clipboard */
    ORDER_RESTART,  /* it has ended: runs again on its own work */
    ORDER_START,    /* what the form says */
    ORDER_COMPLETE, /* the path in the form's line */
    ORDER_LOCATE,   /* the target's path: whether there is such a file of the human's own */
    ORDER_OPEN,     /* the target */
    ORDER_SAVE,     /* text: the file that gets it */
    ORDER_DIFF,     /* what the sandbox changed, for the review */
    ORDER_PULL,     /* its work as a branch */
    ORDER_REPLAY,   /* its recording, for the player */
    ORDER_EXPORT,   /* text: the file that gets the recording */
    ORDER_OUTPUT,   /* text: words of belljar, whose output is shown; id: of the sandbox that is
                       named behind them, or "" */
    ORDER_SEND,     /* text: pasted into its pane, and Enter */
    ORDER_DETACH,
};

struct order {
    enum order_kind kind;
    char id[FLEET_ID_MAX]; /* sandbox, or request for a verdict */
    struct chord chord;
    int amount;
    bool many; /* not `id` but the control's targets, for a verdict its pile */
    bool remember;
    enum rule_scope scope;
    uint32_t seconds; /* 0: for good */
    char text[LINE_MAX_BYTES];
};

/* What of the dashboard's own stands under the pointer. */
enum hit_kind { HIT_NONE, HIT_ROW, HIT_COLUMN, HIT_PROJECT, HIT_TAB, HIT_TIME };
struct hit {
    enum hit_kind kind;
    size_t index; /* which row, enum roster_key, project (0: all) or pane */
    double part;  /* of the time bar, 0 to 1 */
};

/* What the decision may look at. */
struct control_view {
    struct fleet *fleet; /* only the saved order is ever changed */
    const struct layout *layout;
    const struct details *details; /* of control_wish(); may be NULL */
    uint64_t now;                  /* ms */
    uint64_t typed_after;          /* ms: what is typed now was not typed before */
    int page;               /* lines of the selected pane's screen, or rows of an open list */
    struct hit hit;         /* of a mouse event */
    bool agent_wants_mouse; /* the pane under the pointer is the focused one and asked for it */
    size_t card_last;       /* greatest first line of the card or the output */
    bool readonly;
};

void control_init(struct control *control);

/* After events: keeps the selection on a sandbox that exists, leaves focus and prompts whose
 * sandbox is gone. */
void control_sync(struct control *control, const struct fleet *fleet, uint64_t now);

/* Takes one input. */
void control_input(struct control *control, const struct control_view *view,
                   const struct input *input, struct order *order);

/* The request on which a verdict key would act now: of the selected pane, the inbox or the card.
 * May be NULL. */
struct request *control_request(const struct control *control, const struct fleet *fleet);

/* ms until the next verdict key or rule begins to count; 0: none will by time alone. */
uint64_t control_arms_in(const struct control *control, const struct fleet *fleet, uint64_t now);

void control_select(struct control *control, const struct fleet *fleet, size_t index);
void control_note(struct control *control, uint64_t now, bool bad, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The note that was made last stays longer. */
void control_note_long(struct control *control, uint64_t now);

/* The details that the open card or menu needs. */
void control_wish(const struct control *control, const struct fleet *fleet,
                  struct details_wish *wish);

/* The sandbox that keys act on: the list's, else the selected one; "" when there is none. */
const char *control_target(const struct control *control);
size_t control_marked(const struct fleet *fleet);
/* Whether it does more than look, so that a read-only dashboard refuses it. */
bool control_changes(enum action action);
/* Whether what is typed now goes to this one and others. */
bool control_broadcasts(const struct control *control, const char *id);

/* The requests of the open pile that are still open, and still asked by that sandbox alone: whom
 * the human did not read of is not meant. Returns how many. */
size_t control_piled(const struct control *control, const struct fleet *fleet,
                     struct request *pile[PILE_MAX]);
/* How many of them can be allowed at once: those of which nothing is cut. */
size_t control_allowable(const struct control *control, const struct fleet *fleet);

/* Whether a list, a question, copy mode or anything else stands over the panes. */
bool control_has_open(const struct control *control);

/* Rows of the open list. */
size_t control_list_rows(const struct control *control, const struct fleet *fleet);

/* Opens a question about what is in the control already. */
void control_open_question(struct control *control, enum control_prompt prompt);
/* The question that the open prompt asks. One about many names as many of them as fit into `size`,
 * and says how many more there are. */
void control_question(const struct control *control, const struct fleet *fleet, char *out,
                      size_t size);
/* Whether the prompt wants a line of text rather than y or n. */
bool control_prompt_is_line(enum control_prompt prompt);
