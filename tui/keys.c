#include "tui/keys.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* clang-format off */
const struct key_action keys_table[] = {
    {ACTION_FOCUS,       S, "focus",       "Enter",           KEYS_MOVE, "type into the selected pane; the prefix key comes back", "focus"},
    {ACTION_LEFT,        S, "left",        "Left H",          KEYS_MOVE, "select the pane to the left", NULL},
    {ACTION_DOWN,    S | L, "down",        "Down J",          KEYS_MOVE, "select the pane below", NULL},
    {ACTION_UP,      S | L, "up",          "Up K",            KEYS_MOVE, "select the pane above", NULL},
    {ACTION_RIGHT,       S, "right",       "Right L",         KEYS_MOVE, "select the pane to the right", NULL},
    {ACTION_NEXT,        S, "next",        "o .",             KEYS_MOVE, "next pane", NULL},
    {ACTION_PREVIOUS,    S, "previous",    "O ,",             KEYS_MOVE, "previous pane", NULL},
    {ACTION_NUMBER,      S, "select",      "1 2 3 4 5 6 7 8 9", KEYS_MOVE, "select a pane by its number", NULL},
    {ACTION_WAITING,     S, "waiting",     "Tab n w Space",   KEYS_MOVE, "to what needs you most: risk, then age; again: next", NULL},

    {ACTION_ALLOW,   S | L, "allow",       "a",               KEYS_DECIDE, "allow the request that is shown, this once", "allow"},
    {ACTION_DENY,    S | L, "deny",        "d",               KEYS_DECIDE, "deny it, this once", "deny"},
    {ACTION_ALLOW_RULE, S | L, "allow --rule", "A",           KEYS_DECIDE, "allow and remember: for whom, and for how long", "remember"},
    {ACTION_DENY_RULE, S | L, "deny --rule", "D",             KEYS_DECIDE, "deny and remember, or tell the agent a reason", NULL},
    {ACTION_DETAILS, S | L, "details",     "i",               KEYS_DECIDE, "all about the request (or the flood), else about the sandbox", "details"},
    {ACTION_UNDO,    S | L, "rules undo",  "u",               KEYS_DECIDE, "forget the rule that was remembered last", NULL},
    {ACTION_REQUESTS,S | L, "requests",    "r",               KEYS_DECIDE, "inbox: all requests, highest risk first; a flood is one row", "requests"},
    {ACTION_ALERTS,  S | L, "alerts",      "!",               KEYS_DECIDE, "list alerts", NULL},

    {ACTION_RUN,         S, "run",         "s",               KEYS_SANDBOX, "start a new sandbox, in one line", NULL},
    {ACTION_FORM,        S, "run form",    "N",               KEYS_SANDBOX, "the same with a form: agent, prompt, project, limits, policy; without a sandbox also n", "new"},
    {ACTION_AGAIN,   S | L, "run again",   "+",               KEYS_SANDBOX, "another like the selected one; one that ended goes on again", NULL},
    {ACTION_LIKE,    S | L, "run like",    "=",               KEYS_SANDBOX, "another like the selected one, whether it runs or has ended", NULL},
    {ACTION_PAUSE,   S | L, "pause",       "p",               KEYS_SANDBOX, "pause the selected sandbox or all marked ones, or resume", "pause"},
    {ACTION_PAUSE_ALL,   S, "pause --all", "P",               KEYS_SANDBOX, "pause every sandbox; resume them when all are paused", NULL},
    {ACTION_KILL,    S | L, "kill",        "k",               KEYS_SANDBOX, "end the selected or all marked sandboxes (asks first)", "kill"},
    {ACTION_REMOVE,  S | L, "rm",          "x",               KEYS_SANDBOX, "remove exited sandboxes and their files (asks first)", NULL},
    {ACTION_RENAME,  S | L, "rename",      "R",               KEYS_SANDBOX, "give it another name", NULL},

    {ACTION_MARK,    S | L, "mark",        "m",               KEYS_SANDBOX, "mark it, to pause, kill or remove several at once", NULL},
    {ACTION_MARK_ALL,S | L, "mark all",    "*",               KEYS_SANDBOX, "mark all that are shown; clear all marks", NULL},
    {ACTION_BROADCAST,S | L, "broadcast",  "B",               KEYS_SANDBOX, "type into all marked panes at once, until the prefix key", NULL},
    {ACTION_REMOVE_ENDED, S | L, "rm all", "X",               KEYS_SANDBOX, "remove every exited sandbox and its files (asks first)", NULL},

    {ACTION_LIST,    S | L, "list",        "l",               KEYS_LOOK, "all sandboxes as a list", "list"},
    {ACTION_FILTER,  S | L, "filter",      "/",               KEYS_LOOK, "filter the list: words, name:, project:, state:, host:, -not", "filter"},
    {ACTION_SORT_NEXT,   L, "sort next",   ">",               KEYS_LOOK, "in the list: sort by the next column", "sort"},
    {ACTION_SORT_PREVIOUS, L, "sort previous", "<",           KEYS_LOOK, "sort by the column before", NULL},
    {ACTION_SORT_REVERSE,L, "sort reverse","I",               KEYS_LOOK, "the other way round", NULL},
    {ACTION_ZOOM,        S, "zoom",        "z",               KEYS_LOOK, "the selected pane alone, and back", "zoom"},
    {ACTION_LAYOUT,      S, "layout",      "T",               KEYS_LOOK, "next layout: tiled, main and stack, zoom", "layout"},
    {ACTION_PROMOTE,     S, "promote",     "M",               KEYS_LOOK, "make the selected pane the first one", NULL},
    {ACTION_PIN,     S | L, "pin",         "f",               KEYS_LOOK, "keep it among the first panes; again: no longer", NULL},
    {ACTION_ORDER,       S, "order",       "S",               KEYS_LOOK, "order panes as you put them, by need, by project", NULL},
    {ACTION_TAB_NEXT,    S, "tab next",    "}",               KEYS_LOOK, "tabs, one per project: the next one, or all", NULL},
    {ACTION_TAB_PREVIOUS,S, "tab previous","{",               KEYS_LOOK, "the tab before", NULL},
    {ACTION_SCROLL_UP,   S | L, "scroll up",   "PageUp",      KEYS_LOOK, "scroll back", NULL},
    {ACTION_SCROLL_DOWN, S | L, "scroll down", "PageDown ]",  KEYS_LOOK, "scroll forward", NULL},
    {ACTION_SCROLL_TOP,  S | L, "scroll top",  "Home g",      KEYS_LOOK, "to the oldest line", NULL},
    {ACTION_SCROLL_LIVE, S | L, "scroll live", "End G",       KEYS_LOOK, "to the live screen", NULL},

    {ACTION_COPY, S, "copy", "[", KEYS_COPYING, "copy mode: move, select, search and copy what it printed", "copy"},
    {ACTION_COPY_LEFT, C, "copy left", "h Left", KEYS_COPYING, "to the left", NULL},
    {ACTION_COPY_RIGHT, C, "copy right", "l Right", KEYS_COPYING, "to the right", NULL},
    {ACTION_COPY_UP, C, "copy up", "k Up C-p", KEYS_COPYING, "up", NULL},
    {ACTION_COPY_DOWN, C, "copy down", "j Down C-n", KEYS_COPYING, "down", NULL},
    {ACTION_COPY_WORD, C, "copy word", "w M-f", KEYS_COPYING, "next word", NULL},
    {ACTION_COPY_WORD_BACK, C, "copy word back", "b M-b", KEYS_COPYING, "the word before", NULL},
    {ACTION_COPY_WORD_END, C, "copy word end", "e", KEYS_COPYING, "end of the word", NULL},
    {ACTION_COPY_BIG_WORD, C, "copy big word", "W", KEYS_COPYING, "next word between blanks: a path, an address", NULL},
    {ACTION_COPY_BIG_WORD_BACK, C, "copy big word back", "B", KEYS_COPYING, "the one before", NULL},
    {ACTION_COPY_BIG_WORD_END, C, "copy big word end", "E", KEYS_COPYING, "its end", NULL},
    {ACTION_COPY_LINE_START, C, "copy line start", "0 Home C-a", KEYS_COPYING, "beginning of the line", NULL},
    {ACTION_COPY_INDENT, C, "copy indent", "^ M-m", KEYS_COPYING, "its first character that is no blank", NULL},
    {ACTION_COPY_LINE_END, C, "copy line end", "$ End", KEYS_COPYING, "end of the line", NULL},
    {ACTION_COPY_TO, C, "copy to", "f", KEYS_COPYING, "to the character typed next, in its line", NULL},
    {ACTION_COPY_TO_BACK, C, "copy to back", "F", KEYS_COPYING, "the same backward", NULL},
    {ACTION_COPY_TILL, C, "copy till", "t", KEYS_COPYING, "to what stands before it", NULL},
    {ACTION_COPY_TILL_BACK, C, "copy till back", "T", KEYS_COPYING, "the same backward", NULL},
    {ACTION_COPY_SEEK_AGAIN, C, "copy seek again", ";", KEYS_COPYING, "to the next such character", NULL},
    {ACTION_COPY_SEEK_BACK_AGAIN, C, "copy seek back again", ",", KEYS_COPYING, "to the one before", NULL},
    {ACTION_COPY_PARTNER, C, "copy partner", "%", KEYS_COPYING, "to the bracket that belongs to this one", NULL},
    {ACTION_COPY_COUNT, C, "copy count", "1 2 3 4 5 6 7 8 9", KEYS_COPYING, "a number: how often the next key, or to which line", NULL},
    {ACTION_COPY_PAGE_UP, C, "copy page up", "C-b PageUp M-v", KEYS_COPYING, "a page up", NULL},
    {ACTION_COPY_PAGE_DOWN, C, "copy page down", "C-f PageDown", KEYS_COPYING, "a page down", NULL},
    {ACTION_COPY_HALF_UP, C, "copy half up", "C-u", KEYS_COPYING, "half a page up", NULL},
    {ACTION_COPY_HALF_DOWN, C, "copy half down", "C-d", KEYS_COPYING, "half a page down", NULL},
    {ACTION_COPY_SCROLL_UP, C, "copy scroll up", "C-y", KEYS_COPYING, "the text a line down, the cursor stays", NULL},
    {ACTION_COPY_SCROLL_DOWN, C, "copy scroll down", "C-e", KEYS_COPYING, "the text a line up", NULL},
    {ACTION_COPY_VIEW_TOP, C, "copy view top", "H", KEYS_COPYING, "to the first line that is shown", NULL},
    {ACTION_COPY_VIEW_MIDDLE, C, "copy view middle", "M M-r", KEYS_COPYING, "to the middle one", NULL},
    {ACTION_COPY_VIEW_BOTTOM, C, "copy view bottom", "L", KEYS_COPYING, "to the last one", NULL},
    {ACTION_COPY_TOP, C, "copy top", "g M-<", KEYS_COPYING, "to the oldest line", NULL},
    {ACTION_COPY_BOTTOM, C, "copy bottom", "G M->", KEYS_COPYING, "to the newest line", NULL},
    {ACTION_COPY_PARAGRAPH_UP, C, "copy paragraph up", "{", KEYS_COPYING, "to the empty line before", NULL},
    {ACTION_COPY_PARAGRAPH_DOWN, C, "copy paragraph down", "}", KEYS_COPYING, "to the next empty line", NULL},
    {ACTION_COPY_CHARS, C, "copy select", "v Space C-Space", KEYS_COPYING, "select from here; again: select nothing", NULL},
    {ACTION_COPY_LINES, C, "copy select lines", "V", KEYS_COPYING, "select whole lines", NULL},
    {ACTION_COPY_BLOCK, C, "copy select block", "C-v R", KEYS_COPYING, "select a rectangle", NULL},
    {ACTION_COPY_SWAP, C, "copy other end", "o", KEYS_COPYING, "to the other end of the selection", NULL},
    {ACTION_COPY_SEARCH, C, "copy search", "/ C-s", KEYS_COPYING, "search forward while typing; capitals count when there are any", NULL},
    {ACTION_COPY_SEARCH_BACK, C, "copy search back", "? C-r", KEYS_COPYING, "search backward", NULL},
    {ACTION_COPY_NEXT, C, "copy next", "n", KEYS_COPYING, "next hit", NULL},
    {ACTION_COPY_PREVIOUS, C, "copy previous", "N", KEYS_COPYING, "the hit before", NULL},
    {ACTION_COPY_HERE_NEXT, C, "copy here next", "*", KEYS_COPYING, "search forward for the word here", NULL},
    {ACTION_COPY_HERE_BEFORE, C, "copy here before", "#", KEYS_COPYING, "search backward for it", NULL},
    {ACTION_COPY_PROMPT_UP, C, "copy prompt up", "[ M-p", KEYS_COPYING, "to the prompt before, as its shell marked it (OSC 133)", NULL},
    {ACTION_COPY_PROMPT_DOWN, C, "copy prompt down", "] M-n", KEYS_COPYING, "to the next prompt", NULL},
    {ACTION_COPY_REQUEST_UP, C, "copy request up", "( M-{", KEYS_COPYING, "to where a request was held before", NULL},
    {ACTION_COPY_REQUEST_DOWN, C, "copy request down", ") M-}", KEYS_COPYING, "to where the next request was held", NULL},
    {ACTION_COPY_OPEN, C, "copy open", "O M-o", KEYS_COPYING, "open the address or path here, after showing where it leads", NULL},
    {ACTION_COPY_TAKE, C, "copy take", "y Enter M-w", KEYS_COPYING, "copy the selection (or the line) to your clipboard", NULL},
    {ACTION_COPY_SAVE, C, "copy save", "s", KEYS_COPYING, "save it to a file", NULL},
    {ACTION_COPY_CLEAR, C, "copy clear", "Escape C-c C-g", KEYS_COPYING, "select nothing; when nothing is selected: leave", NULL},
    {ACTION_COPY_LEAVE, C, "copy leave", "q", KEYS_COPYING, "leave", NULL},

    {ACTION_REVIEW, S | L, "diff", "v", KEYS_REVIEWING, "what it changed since its start: read, comment, pull", "diff"},
    {ACTION_REVIEW_UP, V, "review up", "k Up C-p", KEYS_REVIEWING, "up", NULL},
    {ACTION_REVIEW_DOWN, V, "review down", "j Down C-n", KEYS_REVIEWING, "down", NULL},
    {ACTION_REVIEW_LEFT, V, "review left", "h Left", KEYS_REVIEWING, "the text to the left", NULL},
    {ACTION_REVIEW_RIGHT, V, "review right", "l Right", KEYS_REVIEWING, "the text to the right", NULL},
    {ACTION_REVIEW_PAGE_UP, V, "review page up", "C-b PageUp b", KEYS_REVIEWING, "a page up", NULL},
    {ACTION_REVIEW_PAGE_DOWN, V, "review page down", "C-f PageDown Space", KEYS_REVIEWING, "a page down", NULL},
    {ACTION_REVIEW_TOP, V, "review top", "g Home", KEYS_REVIEWING, "to the beginning", NULL},
    {ACTION_REVIEW_BOTTOM, V, "review bottom", "G End", KEYS_REVIEWING, "to the end", NULL},
    {ACTION_REVIEW_FILE_NEXT, V, "review next file", "Tab }", KEYS_REVIEWING, "the next file", "file"},
    {ACTION_REVIEW_FILE_PREVIOUS, V, "review file before", "S-Tab {", KEYS_REVIEWING, "the file before", NULL},
    {ACTION_REVIEW_HUNK_NEXT, V, "review next hunk", "] J", KEYS_REVIEWING, "the next hunk", "hunk"},
    {ACTION_REVIEW_HUNK_PREVIOUS, V, "review hunk before", "[ K", KEYS_REVIEWING, "the hunk before", NULL},
    {ACTION_REVIEW_ENTER, V, "review go to file", "Enter", KEYS_REVIEWING, "in the list of files: to that file", NULL},
    {ACTION_REVIEW_SPLIT, V, "review side by side", "s", KEYS_REVIEWING, "old and new side by side, and back", "sides"},
    {ACTION_REVIEW_SEARCH, V, "review search", "/ C-s", KEYS_REVIEWING, "search; capitals count when there are any", "search"},
    {ACTION_REVIEW_HIT_NEXT, V, "review next hit", "n", KEYS_REVIEWING, "next hit", NULL},
    {ACTION_REVIEW_HIT_PREVIOUS, V, "review hit before", "N", KEYS_REVIEWING, "the hit before", NULL},
    {ACTION_REVIEW_COMMENT, V, "review comment", "c", KEYS_REVIEWING, "write to the agent about the line of the cursor", "comment"},
    {ACTION_REVIEW_PULL, V, "review pull", "p", KEYS_REVIEWING, "take its work as a branch (asks first)", "pull"},
    {ACTION_REVIEW_RELOAD, V, "review again", "r", KEYS_REVIEWING, "read again what has changed", NULL},
    {ACTION_REVIEW_HELP, V, "review help", "?", KEYS_REVIEWING, "this page", NULL},
    {ACTION_REVIEW_LEAVE, V, "review leave", "q Escape C-c", KEYS_REVIEWING, "leave", "leave"},

    {ACTION_REPLAY, S | L, "replay", "y", KEYS_REPLAYING, "play what its screen has shown", "replay"},
    {ACTION_REPLAY_PAUSE, Y, "replay pause", "Space", KEYS_REPLAYING, "stop and go on; at the end: from the beginning", "pause"},
    {ACTION_REPLAY_BACK, Y, "replay back", "Left h", KEYS_REPLAYING, "10 seconds back", "-10 s"},
    {ACTION_REPLAY_FORWARD, Y, "replay forward", "Right l", KEYS_REPLAYING, "10 seconds forward", "+10 s"},
    {ACTION_REPLAY_MINUTE_BACK, Y, "replay minute back", "S-Left H", KEYS_REPLAYING, "a minute back", NULL},
    {ACTION_REPLAY_MINUTE_FORWARD, Y, "replay minute forward", "S-Right L", KEYS_REPLAYING, "a minute forward", NULL},
    {ACTION_REPLAY_OUTPUT_BACK, Y, "replay output back", ",", KEYS_REPLAYING, "stop, before the last that was printed", NULL},
    {ACTION_REPLAY_OUTPUT_FORWARD, Y, "replay output forward", ".", KEYS_REPLAYING, "stop, behind the next that is printed", NULL},
    {ACTION_REPLAY_TENTH, Y, "replay tenth", "1 2 3 4 5 6 7 8 9", KEYS_REPLAYING, "to so many tenths of it", NULL},
    {ACTION_REPLAY_NEXT, Y, "replay next event", "n", KEYS_REPLAYING, "to the next request, verdict, alert or end", "event"},
    {ACTION_REPLAY_PREVIOUS, Y, "replay event before", "N", KEYS_REPLAYING, "to the event before", NULL},
    {ACTION_REPLAY_FASTER, Y, "replay faster", "+ = >", KEYS_REPLAYING, "twice as fast, up to 16 times", "faster"},
    {ACTION_REPLAY_SLOWER, Y, "replay slower", "- <", KEYS_REPLAYING, "half as fast, down to half the speed", "slower"},
    {ACTION_REPLAY_START, Y, "replay start", "g Home 0", KEYS_REPLAYING, "to the beginning", NULL},
    {ACTION_REPLAY_END, Y, "replay end", "G End", KEYS_REPLAYING, "to the end", NULL},
    {ACTION_REPLAY_RUN, Y, "replay run", "p", KEYS_REPLAYING, "the run before its last restart, and back", NULL},
    {ACTION_REPLAY_SAVE, Y, "replay export", "s", KEYS_REPLAYING, "write it to a file: an asciicast, or as text", "export"},
    {ACTION_REPLAY_HELP, Y, "replay help", "?", KEYS_REPLAYING, "this page", NULL},
    {ACTION_REPLAY_LEAVE, Y, "replay leave", "q Escape C-c", KEYS_REPLAYING, "leave", "leave"},

    {ACTION_LINE_ENTER, E, "line enter", "Enter", KEYS_PROMPTS, "a line is done: run it, start it, search it", NULL},
    {ACTION_LINE_LEAVE, E, "line leave", "Escape C-c C-g", KEYS_PROMPTS, "leave it", NULL},
    {ACTION_LINE_COMPLETE, E, "line complete", "Tab", KEYS_PROMPTS, "complete it (palette and form)", NULL},
    {ACTION_LINE_UP, E, "line up", "Up C-p S-Tab", KEYS_PROMPTS, "the command, the form's line or the row above", NULL},
    {ACTION_LINE_DOWN, E, "line down", "Down C-n", KEYS_PROMPTS, "the one below", NULL},
    {ACTION_LINE_LEFT, E, "line left", "Left C-b", KEYS_PROMPTS, "a character to the left", NULL},
    {ACTION_LINE_RIGHT, E, "line right", "Right C-f", KEYS_PROMPTS, "a character to the right", NULL},
    {ACTION_LINE_START, E, "line start", "Home C-a", KEYS_PROMPTS, "to the start of the line", NULL},
    {ACTION_LINE_END, E, "line end", "End C-e", KEYS_PROMPTS, "to its end", NULL},
    {ACTION_LINE_ERASE, E, "line erase", "Backspace", KEYS_PROMPTS, "erase the character before", NULL},
    {ACTION_LINE_DELETE, E, "line delete", "Delete", KEYS_PROMPTS, "erase the character here", NULL},
    {ACTION_LINE_CUT_WORD, E, "line cut word", "C-w", KEYS_PROMPTS, "erase the word before", NULL},
    {ACTION_LINE_CUT_START, E, "line cut start", "C-u", KEYS_PROMPTS, "erase all before", NULL},
    {ACTION_LINE_CUT_END, E, "line cut end", "C-k", KEYS_PROMPTS, "erase all from here on", NULL},
    {ACTION_YES, Q, "yes", "y Y", KEYS_PROMPTS, "yes to a question; every other key means no", NULL},

    {ACTION_PALETTE,     S, "palette",     ":",               KEYS_BELLJAR, "every command by its name", NULL},
    {ACTION_RELOAD,      S, "reload",      "C-r",             KEYS_BELLJAR, "read belljar.conf and the theme again", NULL},
    {ACTION_THEME,       S, "theme",       "t",               KEYS_BELLJAR, "next theme", NULL},
    {ACTION_DETACH,      S, "detach",      "Q",               KEYS_BELLJAR, "leave; the sandboxes run on", "detach"},
    {ACTION_QUIT,        S, "quit",        "q",               KEYS_BELLJAR, "the same, after asking", NULL},
    {ACTION_HELP,    S | L, "help",        "?",               KEYS_BELLJAR, "this page", "help"},
    {ACTION_CLIENTS, S | L, "clients",     "@",               KEYS_BELLJAR, "who else is attached, and where they look", NULL},
    {ACTION_DIGEST,      S, "digest",      "W",               KEYS_BELLJAR, "what happened since you left", NULL},
    {ACTION_SUPERVISE,   P, "supervise",   "Escape",          KEYS_BELLJAR, "behind a prefix with keys of its own: to supervise mode", "supervise"},

    {ACTION_MARK_HERE,       L, "mark here",       "Space",      KEYS_SANDBOX, "in the list: the same as m", NULL},
    {ACTION_GO,              L, "go",              "Enter",      KEYS_MOVE, "in a list: go to that pane", "go there"},
    {ACTION_CLOSE,       L | M, "close",           "Escape q",   KEYS_MOVE, "close a list, the details or the menu", "close"},
    {ACTION_ACKNOWLEDGE,     S | L, "acknowledge", "c",          KEYS_DECIDE, "acknowledge the alerts of the selected sandbox", "acknowledge"},
    {ACTION_ACKNOWLEDGE_ALL, S | L, "acknowledge all", "C",      KEYS_DECIDE, "acknowledge every alert", NULL},

    {ACTION_MENU_UP,         M, "menu up",         "Up k",       KEYS_REMEMBER, "in the menu: whom, how long, or the reason", NULL},
    {ACTION_MENU_DOWN,       M, "menu down",       "Down j Tab", KEYS_REMEMBER, "the next of these", NULL},
    {ACTION_MENU_LEFT,       M, "menu left",       "Left h",     KEYS_REMEMBER, "the choice before", NULL},
    {ACTION_MENU_RIGHT,      M, "menu right",      "Right l",    KEYS_REMEMBER, "the next choice", NULL},
    {ACTION_MENU_CHOOSE,     M, "menu choose",     "1 2 3 4",    KEYS_REMEMBER, "a choice by its number", NULL},
    {ACTION_MENU_ENTER,      M, "menu remember",   "Enter",      KEYS_REMEMBER, "decide so; wide or high risk asks once more", NULL},
    {ACTION_MENU_CONFIRM,    M, "menu confirm",    "y",          KEYS_REMEMBER, "yes, when it asks once more", NULL},
};
/* clang-format on */
const size_t keys_count = sizeof(keys_table) / sizeof(keys_table[0]);

const char *keys_group_name(enum key_group group)
{
    static const char *const names[KEYS_GROUPS] = {"Move",    "Decide", "Remember", "Sandboxes",
                                                   "Look",    "Copy",   "Review",   "Replay",
                                                   "Prompts", "Belljar"};
    return names[group];
}

static const struct {
    enum key_mode mode;
    const char *name;
} mode_names[KEYS_MODES] = {
    {KEYS_SUPERVISE, "supervise"}, {KEYS_LIST, "list"},     {KEYS_MENU, "menu"},
    {KEYS_COPY, "copy"},           {KEYS_PREFIX, "prefix"}, {KEYS_REVIEW, "review"},
    {KEYS_REPLAY, "replay"},       {KEYS_LINE, "line"},     {KEYS_QUESTION, "question"}};

const char *keys_mode_name(enum key_mode mode)
{
    for (size_t i = 0; i < KEYS_MODES; i++)
        if (mode_names[i].mode == mode)
            return mode_names[i].name;
    return "?";
}

unsigned keys_mode_find(const char *name)
{
    for (size_t i = 0; i < KEYS_MODES; i++)
        if (strcmp(mode_names[i].name, name) == 0)
            return mode_names[i].mode;
    return 0;
}

/* Keys with a name, as the API has them. */
static const char *const named[] = {"enter", "tab",  "backspace", "escape",  "up",
                                    "down",  "left", "right",     "insert",  "delete",
                                    "home",  "end",  "pageup",    "pagedown"};

static const char *const shown[] = {"Enter", "Tab",  "Backspace", "Escape",  "Up",
                                    "Down",  "Left", "Right",     "Insert",  "Delete",
                                    "Home",  "End",  "PageUp",    "PageDown"};

static const struct {
    char letter;
    unsigned bit;
} modifier_letters[] = {{'C', BJ_MOD_CTRL}, {'M', BJ_MOD_ALT}, {'S', BJ_MOD_SHIFT}};

bool keys_equal(const struct chord *one, const struct chord *other)
{
    return one->mods == other->mods && strcmp(one->key, other->key) == 0;
}

/* A character is one code point; names of keys have more. */
static bool is_character(const char *key)
{
    size_t length = 1;
    while (((unsigned char)key[length] & 0xc0) == 0x80)
        length++;
    return key[0] && !key[length];
}

bool keys_is_text(const struct chord *chord)
{
    return chord->mods == 0 && is_character(chord->key);
}

bool keys_parse(const char *name, size_t size, struct chord *chord)
{
    *chord = (struct chord){0};
    for (bool again = true; again && size > 2 && name[1] == '-';) {
        again = false;
        for (size_t i = 0; i < 3; i++)
            if (name[0] == modifier_letters[i].letter) {
                chord->mods |= modifier_letters[i].bit;
                name += 2;
                size -= 2;
                again = true;
                break;
            }
    }
    if (size == 0 || size >= sizeof(chord->key))
        return false;
    memcpy(chord->key, name, size);
    if (size == 5 && strncasecmp(name, "space", 5) == 0) {
        strcpy(chord->key, " ");
        return true;
    }
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if (strlen(named[i]) == size && strncasecmp(named[i], name, size) == 0) {
            strcpy(chord->key, named[i]);
            return true;
        }
    int number = 0, end = 0;
    if (size > 1 && (name[0] == 'F' || name[0] == 'f') &&
        sscanf(chord->key + 1, "%2d%n", &number, &end) == 1 && (size_t)end + 1 == size) {
        chord->key[0] = 'f';
        return number >= 1 && number <= 24;
    }
    return is_character(chord->key) && (unsigned char)name[0] > ' ';
}

void keys_name(const struct chord *chord, char *out, size_t size)
{
    const char *key = chord->key;
    char function[8];
    if (strcmp(key, " ") == 0)
        key = "Space";
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if (strcmp(named[i], chord->key) == 0)
            key = shown[i];
    if (key[0] == 'f' && key[1]) {
        snprintf(function, sizeof(function), "F%s", key + 1);
        key = function;
    }
    snprintf(out, size, "%s%s%s%s", chord->mods & BJ_MOD_CTRL ? "C-" : "",
             chord->mods & BJ_MOD_ALT ? "M-" : "", chord->mods & BJ_MOD_SHIFT ? "S-" : "", key);
}

const struct key_action *keys_action(enum action action)
{
    for (size_t i = 0; i < keys_count; i++)
        if (keys_table[i].action == action)
            return &keys_table[i];
    return NULL;
}

void keys_option_name(const struct key_action *action, char out[KEYS_OPTION_MAX])
{
    size_t size = 0;
    for (const char *at = action->name; *at && size + 1 < KEYS_OPTION_MAX; at++)
        if (*at != ' ' && *at != '-')
            out[size++] = *at;
        else if (size > 0 && out[size - 1] != '-')
            out[size++] = '-';
    out[size] = '\0';
}

const struct key_action *keys_named(const char *name)
{
    char wanted[KEYS_OPTION_MAX], option[KEYS_OPTION_MAX];
    struct key_action asked = {.name = name};
    if (strlen(name) >= KEYS_OPTION_MAX)
        return NULL;
    keys_option_name(&asked, wanted);
    for (size_t i = 0; i < keys_count; i++) {
        keys_option_name(&keys_table[i], option);
        if (strcmp(option, wanted) == 0)
            return &keys_table[i];
    }
    return NULL;
}

unsigned keys_modes_of(const struct key_action *action)
{
    return action->modes | (action->modes & KEYS_SUPERVISE ? KEYS_PREFIX : 0U);
}

bool keys_next(const char **list, const char **name, size_t *size)
{
    *name = *list + strspn(*list, " \t");
    *size = strcspn(*name, " \t");
    *list = *name + *size;
    return *size > 0;
}
