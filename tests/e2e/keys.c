/*
 * Every key of the table, pressed in every mode that has it, and every key behind the prefix of the
 * preset tmux, and what a person sees then. A key, an action or a mode that is new in the table has
 * no case here and fails: an action needs one line in cases[], a mode one in modes[].
 */
#include "chords.h"
#include "eye.h"
#include "human.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/api.h"

#define S KEYS_SUPERVISE
#define L KEYS_LIST
#define M KEYS_MENU
#define C KEYS_COPY
#define P KEYS_PREFIX
#define V KEYS_REVIEW
#define Y KEYS_REPLAY
#define E KEYS_LINE
#define Q KEYS_QUESTION

#define ROWS      40
#define COLS      160
#define ESCAPE_MS 120
#define STEPS     6
#define PREFIX    "\x02" /* of the preset tmux */
#define RIPE_MS   400    /* more than the 300 that a verdict must have been seen */

static struct world world;
static struct eye *eye;
static char project[96];

/* What follows from the key. */
enum effect {
    SHOWS,   /* `text` is on the screen; %u stands for which of the action's keys it was, from 1 */
    HIDES,   /* `text` was on the screen and no longer is */
    MOVES,   /* `text` is elsewhere than before */
    CURSOR,  /* the cursor is further right ("+") or left ("-") in its row, or in another ("|") */
    DECIDES, /* the request that was shown has made way for the next one */
    LEAVES,  /* the dashboard ends and the terminal is as it was */
};

struct step {
    const char *keys;  /* typed; "$alert": a sandbox ends and its alert is shown; "$ripe": what was
                          opened has been there long enough to be read; "$more", "$less": the agent
                          adds a file, or takes it back; "$tenth", "$ninth": there is one more
                          sandbox, or no longer */
    const char *shows; /* what is waited for then; "-text": until that is gone; NULL: nothing */
};

struct key_case {
    unsigned modes;
    enum action action;
    struct step before[STEPS]; /* from the dashboard with pane 1 selected */
    enum effect effect;
    const char *text;
    struct step after[STEPS]; /* back to there; Escape is pressed behind it */
};

#define COPYING                                                                                    \
    {"1z", "-" TILE "2"},                                                                          \
    {                                                                                              \
        "[", " COPY "                                                                              \
    }
#define COPYING_TOP                                                                                \
    COPYING,                                                                                       \
    {                                                                                              \
        "g", "line 1 of 67"                                                                        \
    }
#define COPYING_END                                                                                \
    COPYING,                                                                                       \
    {                                                                                              \
        "G", "line 67 of 67"                                                                       \
    }
#define COPIED                                                                                     \
    {                                                                                              \
        {"\x1b", NULL}, {"\x1b", "- COPY "},                                                       \
        {                                                                                          \
            "z", "beta"                                                                            \
        }                                                                                          \
    }
#define ASKED                                                                                      \
    {                                                                                              \
        "3", "a once"                                                                              \
    }
#define INBOX                                                                                      \
    {"r", "Requests: 1"},                                                                          \
    {                                                                                              \
        "$ripe", NULL                                                                              \
    }
#define MENU                                                                                       \
    ASKED,                                                                                         \
    {                                                                                              \
        "A", "Allow, and remember"                                                                 \
    }
#define LISTED                                                                                     \
    {                                                                                              \
        "l", "Sandboxes: 9"                                                                        \
    }
#define REVIEWED                                                                                   \
    {                                                                                              \
        "v", "M sub/c"                                                                             \
    }
#define REVIEWED_END                                                                               \
    REVIEWED,                                                                                      \
    {                                                                                              \
        "G", "deeper"                                                                              \
    }
#define REPLAYED                                                                                   \
    {"y", " REPLAY "}, {"", " x1"}, {"g", NULL}, {" ", "\xe2\x80\x96 0:0"},                        \
    {                                                                                              \
        "g", "\xe2\x80\x96 0:00"                                                                   \
    }
#define COMMANDED                                                                                  \
    {                                                                                              \
        ":", "Tab complete"                                                                        \
    }
#define TYPED                                                                                      \
    {"s", "New sandbox: [-n"},                                                                     \
    {                                                                                              \
        "one two", "one two"                                                                       \
    }
#define TYPED_START                                                                                \
    TYPED,                                                                                         \
    {                                                                                              \
        "\x01", NULL                                                                               \
    }
#define HERE "\xe2\x96\xb8"  /* the row of the cursor */
#define TILE "\xe2\x95\xad " /* of another one */
#define PANE "\xe2\x94\x8f " /* the upper left corner of the selected one */

/* clang-format off */
static const struct key_case cases[] = {
    {S, ACTION_FOCUS, {{NULL}}, SHOWS, " FOCUS ", {{EYE_F12, "SUPERVISE"}}},
    {S, ACTION_LEFT, {{"2", PANE "2"}}, SHOWS, PANE "1", {{NULL}}},
    {S, ACTION_RIGHT, {{NULL}}, SHOWS, PANE "2", {{NULL}}},
    {S, ACTION_DOWN, {{NULL}}, SHOWS, PANE "4", {{NULL}}},
    {S, ACTION_UP, {{"5", PANE "5"}}, SHOWS, PANE "2", {{NULL}}},
    {S, ACTION_NEXT, {{"4", PANE "4"}}, SHOWS, PANE "5", {{NULL}}},
    {S, ACTION_PREVIOUS, {{"5", PANE "5"}}, SHOWS, PANE "4", {{NULL}}},
    {S, ACTION_NUMBER, {{NULL}}, SHOWS, PANE "%u", {{NULL}}},
    {S, ACTION_WAITING, {{NULL}}, SHOWS, PANE "3", {{NULL}}},
    {S, ACTION_ALLOW, {ASKED}, DECIDES, NULL, {{NULL}}},
    {S, ACTION_DENY, {ASKED}, DECIDES, NULL, {{NULL}}},
    {S, ACTION_ALLOW_RULE, {ASKED}, SHOWS, "Allow, and remember", {{NULL}}},
    {S, ACTION_DENY_RULE, {ASKED}, SHOWS, "Deny, and remember", {{NULL}}},
    {S, ACTION_DETAILS, {ASKED}, SHOWS, "Subject     ask(step", {{NULL}}},
    {S, ACTION_UNDO, {{NULL}}, SHOWS, "there is no rule to take back", {{NULL}}},
    {S, ACTION_REQUESTS, {{NULL}}, SHOWS, "Requests: 1", {{NULL}}},
    {S, ACTION_ALERTS, {{NULL}}, SHOWS, "Alerts, newest first", {{NULL}}},
    {S, ACTION_RUN, {{NULL}}, SHOWS, "New sandbox: [-n NAME]", {{NULL}}},
    {S, ACTION_FORM, {{NULL}}, SHOWS, "Enter start it", {{NULL}}},
    {S, ACTION_AGAIN, {{"2", PANE "2"}}, SHOWS, "beta-2", {{NULL}}},
    {S, ACTION_LIKE, {{"4", PANE "4"}}, SHOWS, "like delta", {{NULL}}},
    {S, ACTION_PAUSE, {{"2", PANE "2"}}, SHOWS, "beta paused", {{"p", "-beta paused"}}},
    {S, ACTION_PAUSE_ALL, {{NULL}}, SHOWS, "iota paused", {{"P", "-iota paused"}}},
    {S, ACTION_KILL, {{"2", PANE "2"}}, SHOWS, "Kill beta?", {{NULL}}},
    {S, ACTION_REMOVE, {{"4", PANE "4"}}, SHOWS, "Remove delta", {{NULL}}},
    {S, ACTION_RENAME, {{"2", PANE "2"}}, SHOWS, "New name of beta", {{NULL}}},
    {S, ACTION_LIST, {{NULL}}, SHOWS, "Sandboxes: 9", {{NULL}}},
    {S, ACTION_FILTER, {{NULL}}, SHOWS, "Sandboxes: 9", {{"\x1b", NULL}}},
    {S, ACTION_BROADCAST, {{NULL}}, SHOWS, "mark those first", {{NULL}}},
    {S, ACTION_REMOVE_ENDED, {{NULL}}, SHOWS, " exited: delta", {{NULL}}},
    {S, ACTION_PIN, {{NULL}}, SHOWS, "pinned", {{"f", "-pinned"}}},
    {S, ACTION_ORDER, {{NULL}}, SHOWS, "panes by need", {{"S", "panes by project"}, {"S", "as you put them"}}},
    {S, ACTION_TAB_NEXT, {{NULL}}, SHOWS, "are of one project", {{NULL}}},
    {S, ACTION_TAB_PREVIOUS, {{NULL}}, SHOWS, "are of one project", {{NULL}}},
    {S, ACTION_ZOOM, {{NULL}}, HIDES, TILE "2", {{"z", TILE "2"}}},
    {S, ACTION_PROMOTE, {{"2", PANE "2"}}, MOVES, "beta", {{"2", PANE "2"}, {"M", NULL}}},
    {S, ACTION_SCROLL_UP, {{NULL}}, HIDES, "line 60 of text", {{"G", "line 60 of text"}}},
    {S, ACTION_SCROLL_DOWN, {{"g", "line 1 of text"}}, HIDES, "line 1 of text", {{"G", "line 60 of text"}}},
    {S, ACTION_SCROLL_TOP, {{NULL}}, SHOWS, "line 1 of text", {{"G", "line 60 of text"}}},
    {S, ACTION_SCROLL_LIVE, {{"g", "line 1 of text"}}, SHOWS, "line 60 of text", {{NULL}}},
    {S, ACTION_COPY, {{NULL}}, SHOWS, " COPY ", {{"q", "- COPY "}}},
    {S, ACTION_REVIEW, {{"2", PANE "2"}}, SHOWS, " REVIEW ", {{"q", "- REVIEW "}}},
    {S, ACTION_REPLAY, {{"2", PANE "2"}}, SHOWS, " REPLAY ", {{"q", "- REPLAY "}}},
    {S, ACTION_PALETTE, {{NULL}}, SHOWS, "Tab complete", {{NULL}}},
    {S, ACTION_RELOAD, {{NULL}}, SHOWS, "the configuration was read again", {{NULL}}},
    {S, ACTION_THEME, {{NULL}}, SHOWS, "theme ", {{NULL}}},
    {S, ACTION_DETACH, {{NULL}}, LEAVES, NULL, {{NULL}}},
    {S, ACTION_QUIT, {{NULL}}, SHOWS, "Detach?", {{NULL}}},
    {S, ACTION_DIGEST, {{NULL}}, SHOWS, "while you were away", {{NULL}}},
    {S, ACTION_CLIENTS, {{NULL}}, SHOWS, "Attached: 1", {{NULL}}},
    {S, ACTION_HELP, {{NULL}}, SHOWS, "Keys while supervising", {{NULL}}},
    {S, ACTION_ACKNOWLEDGE, {{"$alert", "1 alert"}, {"O", PANE "\xe2\x9c\x95 late"}}, HIDES, "1 alert", {{NULL}}},
    {S, ACTION_ACKNOWLEDGE_ALL, {{"$alert", "1 alert"}}, HIDES, "1 alert", {{NULL}}},

    {S, ACTION_LAYOUT, {{NULL}}, MOVES, "beta", {{"TT", NULL}}},
    {S, ACTION_MARK, {{NULL}}, SHOWS, " 1 marked ", {{"m", "- 1 marked "}}},
    {S, ACTION_MARK_ALL, {{NULL}}, SHOWS, " 9 marked ", {{"*", "- 9 marked "}}},

    {L, ACTION_DOWN, {LISTED}, MOVES, "\xe2\x96\x8c", {{NULL}}},
    {L, ACTION_UP, {LISTED, {"G", NULL}}, MOVES, "\xe2\x96\x8c", {{NULL}}},
    {L, ACTION_ALLOW, {INBOX}, DECIDES, NULL, {{NULL}}},
    {L, ACTION_DENY, {INBOX}, DECIDES, NULL, {{NULL}}},
    {L, ACTION_ALLOW_RULE, {INBOX}, SHOWS, "Allow, and remember", {{"\x1b", NULL}}},
    {L, ACTION_DENY_RULE, {INBOX}, SHOWS, "Deny, and remember", {{"\x1b", NULL}}},
    {L, ACTION_DETAILS, {INBOX}, SHOWS, "Subject     ask(step", {{"\x1b", NULL}}},
    {L, ACTION_UNDO, {INBOX}, SHOWS, "there is no rule to take back", {{NULL}}},
    {L, ACTION_REQUESTS, {{"!", "Alerts, newest"}}, SHOWS, "Requests: 1", {{NULL}}},
    {L, ACTION_ALERTS, {INBOX}, SHOWS, "Alerts, newest", {{NULL}}},
    {L, ACTION_AGAIN, {{"2", PANE "2"}, LISTED}, SHOWS, "beta-2", {{"\x1b", NULL}}},
    {L, ACTION_LIKE, {{"4", PANE "4"}, LISTED}, SHOWS, "like delta", {{"\x1b", NULL}}},
    {L, ACTION_PAUSE, {{"2", PANE "2"}, LISTED}, SHOWS, "paused", {{"p", "-paused"}}},
    {L, ACTION_KILL, {{"2", PANE "2"}, LISTED}, SHOWS, "Kill beta?", {{"\x1b", NULL}}},
    {L, ACTION_REMOVE, {{"4", PANE "4"}, LISTED}, SHOWS, "Remove delta", {{"\x1b", NULL}}},
    {L, ACTION_RENAME, {{"2", PANE "2"}, LISTED}, SHOWS, "New name of beta", {{"\x1b", NULL}}},
    {L, ACTION_MARK, {LISTED}, SHOWS, "Sandboxes: 9, 1 marked", {{"*", "-marked"}}},
    {L, ACTION_MARK_HERE, {LISTED}, SHOWS, "Sandboxes: 9, 1 marked", {{"*", "-marked"}}},
    {L, ACTION_MARK_ALL, {LISTED}, SHOWS, "Sandboxes: 9, 9 marked", {{"*", "-marked"}}},
    {L, ACTION_BROADCAST, {LISTED}, SHOWS, "mark those first", {{NULL}}},
    {L, ACTION_REMOVE_ENDED, {LISTED}, SHOWS, " exited: delta", {{"\x1b", NULL}}},
    {L, ACTION_PIN, {LISTED}, SHOWS, "\xe2\x96\xb4", {{"f", "-\xe2\x96\xb4"}}},
    {L, ACTION_LIST, {LISTED}, HIDES, "Sandboxes: 9", {{NULL}}},
    {L, ACTION_FILTER, {LISTED}, CURSOR, "|", {{"\x1b", NULL}}},
    {L, ACTION_SORT_NEXT, {LISTED}, MOVES, "\xe2\x96\xbe", {{"<", NULL}}},
    {L, ACTION_SORT_PREVIOUS, {LISTED}, MOVES, "\xe2\x96\xbe", {{">", NULL}}},
    {L, ACTION_SORT_REVERSE, {LISTED}, SHOWS, "\xe2\x96\xb4", {{"I", "-\xe2\x96\xb4"}}},
    {L, ACTION_SCROLL_UP, {LISTED, {"G", NULL}}, MOVES, "\xe2\x96\x8c", {{NULL}}},
    {L, ACTION_SCROLL_DOWN, {LISTED, {"g", NULL}}, MOVES, "\xe2\x96\x8c", {{NULL}}},
    {L, ACTION_SCROLL_TOP, {LISTED, {"G", NULL}}, MOVES, "\xe2\x96\x8c", {{NULL}}},
    {L, ACTION_SCROLL_LIVE, {LISTED, {"g", NULL}}, MOVES, "\xe2\x96\x8c", {{NULL}}},
    {L, ACTION_REVIEW, {{"2", PANE "2"}, LISTED}, SHOWS, " REVIEW ", {{"q", "- REVIEW "}}},
    {L, ACTION_REPLAY, {{"2", PANE "2"}, LISTED}, SHOWS, " REPLAY ", {{"q", "- REPLAY "}}},
    {L, ACTION_CLIENTS, {LISTED}, SHOWS, "Attached: 1", {{NULL}}},
    {L, ACTION_HELP, {LISTED}, SHOWS, "Keys while supervising", {{NULL}}},
    {L, ACTION_GO, {{"2", PANE "2"}, LISTED}, HIDES, "Sandboxes: 9", {{NULL}}},
    {L, ACTION_CLOSE, {LISTED}, HIDES, "Sandboxes: 9", {{NULL}}},
    {L, ACTION_ACKNOWLEDGE, {{"$alert", "1 alert"}, {"!", "Alerts, newest"}}, HIDES, "1 alert", {{NULL}}},
    {L, ACTION_ACKNOWLEDGE_ALL, {{"$alert", "1 alert"}, {"!", "Alerts, newest"}}, HIDES, "1 alert", {{NULL}}},

    {M, ACTION_MENU_UP, {MENU, {"j", NULL}}, MOVES, "\xe2\x96\xb8", {{NULL}}},
    {M, ACTION_MENU_DOWN, {MENU}, MOVES, "\xe2\x96\xb8", {{NULL}}},
    {M, ACTION_MENU_LEFT, {MENU, {"l", "[2"}}, SHOWS, "[1 this sandbox]", {{NULL}}},
    {M, ACTION_MENU_RIGHT, {MENU}, SHOWS, "[2 ", {{NULL}}},
    {M, ACTION_MENU_CHOOSE, {MENU, {"j", NULL}}, SHOWS, "[%u ", {{NULL}}},
    {M, ACTION_MENU_ENTER, {MENU, {"$ripe", NULL}}, HIDES, "Allow, and remember", {{"u", "-Allow, and"}}},
    {M, ACTION_MENU_CONFIRM, {MENU, {"3j4", "[4 for good]"}, {"$ripe", NULL}, {"\r", "y yes"}}, HIDES, "Allow, and remember", {{"u", NULL}}},
    {M, ACTION_CLOSE, {MENU}, HIDES, "Allow, and remember", {{NULL}}},

    {C, ACTION_COPY_LEFT, {COPYING_TOP, {"$", NULL}}, CURSOR, "-", COPIED},
    {C, ACTION_COPY_RIGHT, {COPYING_TOP, {"0", NULL}}, CURSOR, "+", COPIED},
    {C, ACTION_COPY_UP, {COPYING_END}, SHOWS, "line 66 of 67", COPIED},
    {C, ACTION_COPY_DOWN, {COPYING_TOP}, SHOWS, "line 2 of 67", COPIED},
    {C, ACTION_COPY_WORD, {COPYING_TOP, {"0", NULL}}, CURSOR, "+", COPIED},
    {C, ACTION_COPY_WORD_BACK, {COPYING_TOP, {"$", NULL}}, CURSOR, "-", COPIED},
    {C, ACTION_COPY_WORD_END, {COPYING_TOP, {"0", NULL}}, CURSOR, "+", COPIED},
    {C, ACTION_COPY_BIG_WORD, {COPYING_TOP, {"0", NULL}}, CURSOR, "+", COPIED},
    {C, ACTION_COPY_BIG_WORD_BACK, {COPYING_TOP, {"$", NULL}}, CURSOR, "-", COPIED},
    {C, ACTION_COPY_BIG_WORD_END, {COPYING_TOP, {"0", NULL}}, CURSOR, "+", COPIED},
    {C, ACTION_COPY_INDENT, {COPYING_TOP, {"$", NULL}}, CURSOR, "-", COPIED},
    {C, ACTION_COPY_TO, {COPYING_TOP}, SHOWS, "which character?", {{"x", "-which"}, {"q", "- COPY "}, {"z", TILE "2"}}},
    {C, ACTION_COPY_TO_BACK, {COPYING_TOP}, SHOWS, "which character?", {{"x", "-which"}, {"q", "- COPY "}, {"z", TILE "2"}}},
    {C, ACTION_COPY_TILL, {COPYING_TOP}, SHOWS, "which character?", {{"x", "-which"}, {"q", "- COPY "}, {"z", TILE "2"}}},
    {C, ACTION_COPY_TILL_BACK, {COPYING_TOP}, SHOWS, "which character?", {{"x", "-which"}, {"q", "- COPY "}, {"z", TILE "2"}}},
    {C, ACTION_COPY_SEEK_AGAIN, {COPYING_TOP, {"0fe", NULL}}, CURSOR, "+", COPIED},
    {C, ACTION_COPY_SEEK_BACK_AGAIN, {COPYING_TOP, {"0fe;", NULL}}, CURSOR, "-", COPIED},
    {C, ACTION_COPY_PARTNER, {COPYING_TOP}, SHOWS, "no bracket here", COPIED},
    {C, ACTION_COPY_COUNT, {COPYING_TOP}, SHOWS, " COPY  %u  line", {{"j", NULL}, {"q", "- COPY "}, {"z", TILE "2"}}},
    {C, ACTION_COPY_SCROLL_UP, {COPYING_END}, HIDES, "line 67 of 67", COPIED},
    {C, ACTION_COPY_SCROLL_DOWN, {COPYING_TOP}, SHOWS, "line 2 of 67", COPIED},
    {C, ACTION_COPY_VIEW_TOP, {COPYING_END}, HIDES, "line 67 of 67", COPIED},
    {C, ACTION_COPY_VIEW_MIDDLE, {COPYING_TOP}, HIDES, "line 1 of 67", COPIED},
    {C, ACTION_COPY_VIEW_BOTTOM, {COPYING_TOP}, HIDES, "line 1 of 67", COPIED},
    {C, ACTION_COPY_HERE_NEXT, {COPYING_TOP, {"0", NULL}}, SHOWS, " 2 of 60 hits ", COPIED},
    {C, ACTION_COPY_HERE_BEFORE, {COPYING_TOP, {"0", NULL}}, SHOWS, " 60 of 60 hits ", COPIED},
    {C, ACTION_COPY_LINE_START, {COPYING_TOP, {"$", NULL}}, CURSOR, "-", COPIED},
    {C, ACTION_COPY_LINE_END, {COPYING_TOP, {"0", NULL}}, CURSOR, "+", COPIED},
    {C, ACTION_COPY_PAGE_UP, {COPYING_END}, HIDES, "line 67 of 67", COPIED},
    {C, ACTION_COPY_PAGE_DOWN, {COPYING_TOP}, HIDES, "line 1 of 67", COPIED},
    {C, ACTION_COPY_HALF_UP, {COPYING_END}, HIDES, "line 67 of 67", COPIED},
    {C, ACTION_COPY_HALF_DOWN, {COPYING_TOP}, HIDES, "line 1 of 67", COPIED},
    {C, ACTION_COPY_TOP, {COPYING_END}, SHOWS, "line 1 of 67", COPIED},
    {C, ACTION_COPY_BOTTOM, {COPYING_TOP}, SHOWS, "line 67 of 67", COPIED},
    {C, ACTION_COPY_PARAGRAPH_UP, {COPYING_END}, HIDES, "line 67 of 67", COPIED},
    {C, ACTION_COPY_PARAGRAPH_DOWN, {COPYING_TOP}, SHOWS, "line 11 of 67", COPIED},
    {C, ACTION_COPY_CHARS, {COPYING_TOP}, SHOWS, " chars ", COPIED},
    {C, ACTION_COPY_LINES, {COPYING_TOP}, SHOWS, " lines ", COPIED},
    {C, ACTION_COPY_BLOCK, {COPYING_TOP}, SHOWS, " block ", COPIED},
    {C, ACTION_COPY_SWAP, {COPYING_TOP, {"vjj", "line 3 of 67"}}, SHOWS, "line 1 of 67", COPIED},
    {C, ACTION_COPY_SEARCH, {COPYING_TOP}, SHOWS, "0 hits /", {{"42\r", "line 46 of 67"}, {"q", "- COPY "}, {"z", TILE "2"}}},
    {C, ACTION_COPY_SEARCH_BACK, {COPYING_END}, SHOWS, "0 hits ?", {{"42\r", "line 46 of 67"}, {"q", "- COPY "}, {"z", TILE "2"}}},
    {C, ACTION_COPY_NEXT, {COPYING_TOP, {"/line 2\r", "line 2 of 67"}}, SHOWS, "line 21 of 67", COPIED},
    {C, ACTION_COPY_PREVIOUS, {COPYING_TOP, {"/line 2\r", "line 2 of 67"}, {"n", "line 21 of 67"}}, SHOWS, "line 2 of 67", COPIED},
    {C, ACTION_COPY_PROMPT_UP, {COPYING_TOP}, SHOWS, "no prompt above", COPIED},
    {C, ACTION_COPY_PROMPT_DOWN, {COPYING_TOP}, SHOWS, "no prompt below", COPIED},
    {C, ACTION_COPY_REQUEST_UP, {COPYING_TOP}, SHOWS, "no request above", COPIED},
    {C, ACTION_COPY_REQUEST_DOWN, {COPYING_TOP}, SHOWS, "no request below", COPIED},
    {C, ACTION_COPY_OPEN, {COPYING_TOP}, SHOWS, "not opened: ", COPIED},
    {C, ACTION_COPY_TAKE, {COPYING_TOP}, SHOWS, "bytes sent to the clipboard", {{"z", TILE "2"}}},
    {C, ACTION_COPY_SAVE, {COPYING_TOP}, SHOWS, "Save the selection", {{"\x1b", NULL}, {"q", "- COPY "}, {"z", TILE "2"}}},
    {C, ACTION_COPY_CLEAR, {COPYING_TOP, {"v", " chars "}}, HIDES, " chars ", COPIED},
    {C, ACTION_COPY_LEAVE, {COPYING_TOP, {"v", " chars "}}, HIDES, " COPY ", {{"z", TILE "2"}}},

    {V, ACTION_REVIEW_UP, {REVIEWED_END}, MOVES, HERE, {{NULL}}},
    {V, ACTION_REVIEW_DOWN, {REVIEWED}, MOVES, HERE, {{NULL}}},
    {V, ACTION_REVIEW_LEFT, {REVIEWED, {"ll", "3   le that"}}, SHOWS, "3   f the file", {{NULL}}},
    {V, ACTION_REVIEW_RIGHT, {REVIEWED}, HIDES, "line 2 of", {{NULL}}},
    {V, ACTION_REVIEW_PAGE_UP, {REVIEWED_END}, MOVES, HERE, {{NULL}}},
    {V, ACTION_REVIEW_PAGE_DOWN, {REVIEWED}, MOVES, HERE, {{NULL}}},
    {V, ACTION_REVIEW_TOP, {REVIEWED_END}, HIDES, "deeper", {{NULL}}},
    {V, ACTION_REVIEW_BOTTOM, {REVIEWED}, SHOWS, "deeper", {{NULL}}},
    {V, ACTION_REVIEW_FILE_NEXT, {REVIEWED}, HIDES, "sub/c", {{NULL}}},
    {V, ACTION_REVIEW_FILE_PREVIOUS, {REVIEWED_END}, MOVES, HERE, {{NULL}}},
    {V, ACTION_REVIEW_HUNK_NEXT, {REVIEWED}, HIDES, "sub/c", {{NULL}}},
    {V, ACTION_REVIEW_HUNK_PREVIOUS, {REVIEWED_END}, MOVES, HERE, {{NULL}}},
    {V, ACTION_REVIEW_ENTER, {REVIEWED}, HIDES, "sub/c", {{NULL}}},
    {V, ACTION_REVIEW_SPLIT, {REVIEWED}, SHOWS, "\xe2\x94\x82", {{NULL}}},
    {V, ACTION_REVIEW_SEARCH, {REVIEWED}, CURSOR, "|", {{"\x1b", NULL}}},
    {V, ACTION_REVIEW_HIT_NEXT, {REVIEWED, {"/called\r", " hits"}}, MOVES, HERE, {{NULL}}},
    {V, ACTION_REVIEW_HIT_PREVIOUS, {REVIEWED, {"/called\r", " hits"}}, MOVES, HERE, {{NULL}}},
    {V, ACTION_REVIEW_COMMENT, {REVIEWED}, SHOWS, "Enter do it", {{"\x1b", "-Enter do it"}}},
    {V, ACTION_REVIEW_PULL, {REVIEWED}, SHOWS, "Are you sure?", {{"n", "-Are you sure?"}}},
    {V, ACTION_REVIEW_RELOAD, {REVIEWED, {"$more", NULL}}, SHOWS, "4 files", {{"$less", NULL}}},
    {V, ACTION_REVIEW_HELP, {REVIEWED}, SHOWS, "write to the agent about", {{"\x1b", "-write to the agent about"}}},
    {V, ACTION_REVIEW_LEAVE, {REVIEWED}, HIDES, " REVIEW ", {{NULL}}},

    {Y, ACTION_REPLAY_PAUSE, {REPLAYED}, HIDES, "\xe2\x80\x96", {{NULL}}},
    {Y, ACTION_REPLAY_BACK, {REPLAYED, {"G", "\xe2\x96\xa0"}}, HIDES, "\xe2\x96\xa0", {{NULL}}},
    {Y, ACTION_REPLAY_FORWARD, {REPLAYED}, HIDES, "\xe2\x80\x96 0:00", {{NULL}}},
    {Y, ACTION_REPLAY_MINUTE_BACK, {REPLAYED, {"G", "\xe2\x96\xa0"}}, HIDES, "\xe2\x96\xa0", {{NULL}}},
    {Y, ACTION_REPLAY_MINUTE_FORWARD, {REPLAYED}, SHOWS, "\xe2\x96\xa0", {{NULL}}},
    {Y, ACTION_REPLAY_OUTPUT_BACK, {REPLAYED, {"G", "\xe2\x96\xa0"}}, HIDES, "\xe2\x96\xa0", {{NULL}}},
    {Y, ACTION_REPLAY_OUTPUT_FORWARD, {REPLAYED, {"nn", "allowed by human"}}, SHOWS, "last words", {{NULL}}},
    {Y, ACTION_REPLAY_TENTH, {REPLAYED}, HIDES, "0:00 \xe2\x97\x8f", {{NULL}}},
    {Y, ACTION_REPLAY_RUN, {REPLAYED}, SHOWS, "no recording of a run before", {{NULL}}},
    {Y, ACTION_REPLAY_SAVE, {REPLAYED}, SHOWS, "Export to a new file", {{"\x1b", "-Export to a new file"}}},
    {Y, ACTION_REPLAY_NEXT, {REPLAYED}, SHOWS, "asks: tidy-up", {{NULL}}},
    {Y, ACTION_REPLAY_PREVIOUS, {REPLAYED, {"nn", "allowed by human"}}, SHOWS, "asks: tidy-up", {{NULL}}},
    {Y, ACTION_REPLAY_FASTER, {REPLAYED}, SHOWS, " x2", {{NULL}}},
    {Y, ACTION_REPLAY_SLOWER, {REPLAYED}, SHOWS, " x0.5", {{NULL}}},
    {Y, ACTION_REPLAY_START, {REPLAYED, {"G", "\xe2\x96\xa0"}}, SHOWS, "\xe2\x80\x96 0:00", {{NULL}}},
    {Y, ACTION_REPLAY_END, {REPLAYED}, SHOWS, "\xe2\x96\xa0", {{NULL}}},
    {Y, ACTION_REPLAY_HELP, {REPLAYED}, SHOWS, "to the next request, verdict", {{"\x1b", "-to the next request, verdict"}}},
    {Y, ACTION_REPLAY_LEAVE, {REPLAYED}, HIDES, " REPLAY ", {{NULL}}},

    {E, ACTION_LINE_ENTER, {COMMANDED, {"clients", ": clients"}}, SHOWS, "Attached: 1", {{NULL}}},
    {E, ACTION_LINE_LEAVE, {TYPED}, HIDES, "New sandbox: [-n", {{NULL}}},
    {E, ACTION_LINE_COMPLETE, {COMMANDED, {"clie", ": clie"}}, SHOWS, ": clients", {{NULL}}},
    {E, ACTION_LINE_UP, {COMMANDED}, MOVES, "\xe2\x96\x8c", {{NULL}}},
    {E, ACTION_LINE_DOWN, {COMMANDED}, MOVES, "\xe2\x96\x8c", {{NULL}}},
    {E, ACTION_LINE_LEFT, {TYPED}, CURSOR, "-", {{NULL}}},
    {E, ACTION_LINE_RIGHT, {TYPED_START}, CURSOR, "+", {{NULL}}},
    {E, ACTION_LINE_START, {TYPED}, CURSOR, "-", {{NULL}}},
    {E, ACTION_LINE_END, {TYPED_START}, CURSOR, "+", {{NULL}}},
    {E, ACTION_LINE_ERASE, {TYPED}, HIDES, "one two", {{NULL}}},
    {E, ACTION_LINE_DELETE, {TYPED_START}, HIDES, "one two", {{NULL}}},
    {E, ACTION_LINE_CUT_WORD, {TYPED}, HIDES, "one two", {{NULL}}},
    {E, ACTION_LINE_CUT_START, {TYPED}, HIDES, "one two", {{NULL}}},
    {E, ACTION_LINE_CUT_END, {TYPED_START}, HIDES, "one two", {{NULL}}},

    {Q, ACTION_YES, {{"q", "Detach?"}, {"$ripe", NULL}}, LEAVES, NULL, {{NULL}}},

    {P, ACTION_SUPERVISE, {{"\r", " FOCUS "}}, SHOWS, "SUPERVISE", {{NULL}}},
};
/* clang-format on */

/* tmux numbers windows from 0: there the tenth pane, which has no number of its own. */
static const struct key_case tenth = {
    P,     ACTION_NUMBER, {{"$tenth", "kappa"}},
    HIDES, PANE "1",      {{"1", PANE "1"}, {"$ninth", "-kappa"}}};

/* ---- the world ---- */

static void populate(void)
{
    human_runs(&world, "alpha",
               "for i in $(seq 60); do echo \"line $i of text\"; [ $((i % 10)) = 0 ] && echo; "
               "done; cat");
    human_runs(&world, "beta", "cat");
    human_runs(&world, "gamma",
               "i=0; while :; do i=$((i+1)); belljar-shim ask --kind exec --title \"step $i\" && "
               "echo \"yes $i\" || echo \"no $i\"; done");
    human_runs(&world, "delta", "exit 3");
    static const char *const idle[] = {"epsilon", "zeta", "eta", "theta", "iota"};
    for (size_t i = 0; i < 5; i++)
        human_runs(&world, idle[i], "sleep 100000");
    WAIT_FOR(world_state_is(&world, "delta", "exited"));
    WAIT_FOR(world_state_is(&world, "gamma", "waiting"));
    BELLJAR_OK(&world, "alerts", "--ack");
}

/* One repository with a diff of more rows than a screen has. */
static void populate_review(void)
{
    human_repository(&world, project);
    human_shell(&world, project,
                "seq -f 'line %g of the file that is called a' 120 >a && git add . &&"
                "git commit -qm more");
    human_runs_in(&world, "works", project, NULL,
                  "sed -i '5s/$/, or was/;60s/$/, or was/;115s/$/, or was/' a; echo TWO >b; "
                  "echo deeper >>sub/c");
}

/* One recording with a question and its verdict. */
static void populate_replay(void)
{
    human_runs(&world, "works",
               "echo first words; sleep 1.5; belljar-shim ask --kind tool --title tidy-up; "
               "sleep 1.5; echo last words; exec cat");
    WAIT_FOR(human_request(&world, "tidy-up", "id")[0]);
    BELLJAR_OK(&world, "requests", "show", human_request(&world, "tidy-up", "id"));
    WAIT_FOR(human_answers(&world, "allow", "tidy-up", NULL, NULL));
    WAIT_FOR(world_shows(&world, "works", "last words"));
}

static void populate_tmux(void)
{
    populate();
    ck_assert_int_eq(mkdir(".config", 0700), 0);
    ck_assert_int_eq(mkdir(".config/belljar", 0700), 0);
    world_file(&world, "home/.config/belljar/belljar.conf", "preset = tmux\n", 0600);
}

/* Where the keys of a mode are pressed, and what is there while nothing is open. */
static const struct mode {
    unsigned mode;
    void (*populate)(void);
    int rows, cols;
    const char *first, *last;
} modes[] = {
    {S, populate, ROWS, COLS, PANE "1", "iota"},
    {L, populate, ROWS, COLS, PANE "1", "iota"},
    {M, populate, ROWS, COLS, PANE "1", "iota"},
    {C, populate, ROWS, COLS, PANE "1", "iota"},
    {P, populate_tmux, ROWS, COLS, PANE "1", "iota"},
    {V, populate_review, 24, 110, PANE "1", "all-is-ready"},
    {Y, populate_replay, 24, 110, PANE "1", "last words"},
    {E, populate, ROWS, COLS, PANE "1", "iota"},
    {Q, populate, ROWS, COLS, PANE "1", "iota"},
};
#define MODES (int)(sizeof(modes) / sizeof(modes[0]))
static const struct mode *here;

static void attach(void)
{
    eye = eye_open(here->rows, here->cols, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT(eye, eye_shows(eye, here->first) && eye_shows(eye, here->last));
    if (here->populate == populate)
        EYE_WAIT_TEXT(eye, "line 60 of text");
}

static void setup(void)
{
    world_open(&world);
    here = &modes[0];
    snprintf(project, sizeof(project), "%s/project", world.base);
    ck_assert_int_eq(mkdir(project, 0755), 0);
    ck_assert_int_eq(chdir(world.home), 0);
}

static void teardown(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    world_close(&world);
}

/* ---- one case ---- */

static char case_name[120];

#define MUST(condition)                                                                            \
    do {                                                                                           \
        long long limit_ = world_now() + world_patience();                                         \
        while (!(condition)) {                                                                     \
            eye_pump(eye, 10);                                                                     \
            if (world_now() > limit_)                                                              \
                eye_fail(eye, case_name);                                                          \
        }                                                                                          \
    } while (0)

static void pump_for(int milliseconds)
{
    for (long long until = world_now() + milliseconds; world_now() < until;)
        eye_pump(eye, 10);
}

/* A lone Escape is one only when nothing follows it at once. */
static void escape(void)
{
    eye_type(eye, "\x1b");
    pump_for(ESCAPE_MS);
}

static void one_alert(void)
{
    human_runs(&world, "late", "exit 5");
    MUST(eye_shows(eye, "late exited 5"));
}

static void drop_tenth(void)
{
    BELLJAR_OK(&world, "kill", "kappa");
    BELLJAR_OK(&world, "rm", "kappa");
    BELLJAR_OK(&world, "alerts", "--ack");
}

static void take_step(const struct step *step)
{
    if (strcmp(step->keys, "$alert") == 0)
        one_alert();
    else if (strcmp(step->keys, "\x1b") == 0)
        escape();
    else if (strcmp(step->keys, "$ripe") == 0)
        pump_for(RIPE_MS);
    else if (strcmp(step->keys, "$more") == 0)
        BELLJAR_OK(&world, "exec", "works", "--", "sh", "-c", "echo new >added");
    else if (strcmp(step->keys, "$less") == 0)
        BELLJAR_OK(&world, "exec", "works", "--", "rm", "added");
    else if (strcmp(step->keys, "$tenth") == 0)
        human_runs(&world, "kappa", "sleep 100000");
    else if (strcmp(step->keys, "$ninth") == 0)
        drop_tenth();
    else
        eye_type(eye, step->keys);
    if (step->shows && step->shows[0] == '-')
        MUST(!eye_shows(eye, step->shows + 1));
    else if (step->shows)
        MUST(eye_shows(eye, step->shows));
    else /* seen once the next frame has come */
        pump_for(ESCAPE_MS);
}

/* N of the first "step N" on the screen, or 0. */
static int step_shown(void)
{
    int number = 0;
    for (int row = 0; row < eye->rows && number == 0; row++) {
        const char *at = strstr(eye_row(eye, row), "  step ");
        at = at ? at : strstr(eye_row(eye, row), " step ");
        if (at)
            sscanf(strstr(at, "step "), "step %d", &number);
    }
    return number;
}

struct before {
    int row, col, step;
    VTermPos cursor;
};

static void look(const struct key_case *one, struct before *before)
{
    before->row = before->col = 0;
    if (one->effect == HIDES)
        MUST(eye_shows(eye, one->text));
    if (one->effect == MOVES)
        MUST((before->row = eye_find(eye, one->text, &before->col)) >= 0);
    if (one->effect == DECIDES)
        MUST((before->step = step_shown()) > 0);
    before->cursor = eye->cursor;
}

static bool followed(const struct key_case *one, const struct before *before, unsigned nth)
{
    char text[80];
    int row, col;
    switch (one->effect) {
    case SHOWS:
        snprintf(text, sizeof(text), one->text, nth + 1);
        return eye_shows(eye, text);
    case HIDES:
        return !eye_shows(eye, one->text);
    case MOVES:
        row = eye_find(eye, one->text, &col);
        return row >= 0 && (row != before->row || col != before->col);
    case CURSOR:
        return one->text[0] == '|'   ? eye->cursor.row != before->cursor.row
               : one->text[0] == '+' ? eye->cursor.col > before->cursor.col
                                     : eye->cursor.col < before->cursor.col;
    case DECIDES:
        return step_shown() == before->step + 1;
    default:
        return false;
    }
}

/* The dashboard as it was at first: nothing open, pane 1 selected, as many sandboxes. */
static void go_home(bool alerted)
{
    const char *bar;
    escape();
    for (int i = 0; i < STEPS && (bar = eye_row(eye, here->rows - 1),
                                 strstr(bar, " REVIEW ") || strstr(bar, " REPLAY "));
         i++)
        escape();
    MUST(strstr(eye_row(eye, here->rows - 1), "SUPERVISE"));
    if (alerted)
        BELLJAR_OK(&world, "rm", "late");
    eye_type(eye, "1");
    MUST(eye_shows(eye, here->first) && eye_shows(eye, here->last) && !eye_shows(eye, "late "));
}

static void press(const struct key_case *one, const struct chord *chord, unsigned nth)
{
    struct before before;
    char bytes[CHORD_BYTES + 1] = PREFIX;
    size_t first = here->mode == P ? strlen(PREFIX) : 0, size = chord_bytes(chord, bytes + first);
    ck_assert_msg(size > 0, "no bytes for the key in: %s", case_name);
    size += first;
    for (size_t i = 0; i < STEPS && one->before[i].keys; i++)
        take_step(&one->before[i]);
    look(one, &before);
    ck_assert_int_eq(write(eye->fd, bytes, size), (ssize_t)size);
    if (one->effect == LEAVES) {
        ck_assert_int_eq(eye_wait_end(eye), 0);
        eye_check_restored(eye);
        eye_close(eye);
        attach();
        return;
    }
    MUST(followed(one, &before, nth));
    for (size_t i = 0; i < STEPS && one->after[i].keys; i++)
        take_step(&one->after[i]);
    go_home(one->before[0].keys && strcmp(one->before[0].keys, "$alert") == 0);
}

static const struct key_case *find_case(enum action action, unsigned mode)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (cases[i].action == action && cases[i].modes & mode)
            return &cases[i];
    return NULL;
}

/* The keys of one action, as the table or a configuration has them. Returns how many. */
static unsigned press_each(const struct key_action *action, const char *list)
{
    const char *name, *mode = keys_mode_name((enum key_mode)here->mode);
    unsigned nth = 0;
    size_t size;
    const struct key_case *one = find_case(action->action, here->mode);
    if (!one && here->mode == P) /* what it does elsewhere */
        one = find_case(action->action, S);
    ck_assert_msg(one != NULL, "no case presses %s in the mode %s", action->name, mode);
    for (; keys_next(&list, &name, &size); nth++) {
        struct chord chord;
        ck_assert(keys_parse(name, size, &chord));
        snprintf(case_name, sizeof(case_name), "%s: the key %.*s of %s", mode, (int)size, name,
                 action->name);
        press(one != NULL && here->mode == P && action->action == ACTION_NUMBER && nth == 9 ? &tenth
                                                                                            : one,
              &chord, nth);
    }
    return nth;
}

/* All keys that the preset puts behind its prefix. */
static unsigned press_preset(void)
{
    char path[sizeof(world.programs) + 40], text[8192], name[40], keys[80];
    unsigned count = 0;
    snprintf(path, sizeof(path), "%s/presets/tmux.conf", world.programs);
    snprintf(text, sizeof(text), "%s", world_read(path));
    char *line = strstr(text, "prefix {");
    ck_assert_ptr_nonnull(line);
    while ((line = strchr(line, '\n')) != NULL &&
           sscanf(++line, " %39[^ =} ] = %79[^\n]", name, keys) == 2) {
        const struct key_action *action = keys_named(name);
        ck_assert_msg(action != NULL, "%s", name);
        char *list = keys;
        if (keys[0] == '"') { /* else a quotation mark is one of the keys */
            list++;
            list[strcspn(list, "\"")] = '\0';
        }
        count += press_each(action, list);
    }
    return count;
}

START_TEST(pressed)
{
    here = &modes[_i];
    unsigned count = 0;
    here->populate();
    attach();
    if (here->mode == P)
        count = press_preset();
    for (size_t i = 0; i < keys_count && here->mode != P; i++)
        if (keys_table[i].modes & here->mode)
            count += press_each(&keys_table[i], keys_table[i].keys);
    ck_assert_uint_gt(count, 1);
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_check_restored(eye);
    eye_close(eye);
}
END_TEST

/* Nothing of the table is left out, and no case presses what is not in it. */
START_TEST(all_of_the_table)
{
    unsigned all = 0;
    for (int i = 0; i < MODES; i++)
        all |= modes[i].mode;
    ck_assert_uint_eq(all, KEYS_MODES_END - 1U);
    for (size_t i = 0; i < keys_count; i++)
        for (unsigned mode = 1; mode < KEYS_MODES_END; mode <<= 1)
            ck_assert_msg(!(keys_table[i].modes & mode) || find_case(keys_table[i].action, mode),
                          "no case presses %s in the mode %s", keys_table[i].name,
                          keys_mode_name((enum key_mode)mode));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct key_action *action = keys_action(cases[i].action);
        ck_assert_msg(action && find_case(cases[i].action, cases[i].modes) == &cases[i] &&
                          (action->modes & cases[i].modes) == cases[i].modes,
                      "case %zu presses nothing", i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *cases_of = tcase_create("keys");
    tcase_add_checked_fixture(cases_of, setup, teardown);
    tcase_set_timeout(cases_of, 600);
    tcase_add_test(cases_of, all_of_the_table);
    tcase_add_loop_test(cases_of, pressed, 0, MODES);
    suite_add_tcase(suite, cases_of);
    return world_main(suite);
}
