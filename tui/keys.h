/*
 * Every key of the dashboard in one table: the bindings, the help screen, the hints in the bar and
 * the documentation come from it. Actions are named with the words of the command line. What the
 * human has changed of it is in a keymap (keymap.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KEYS_DEFAULT_PREFIX "F12"

/* A key with its modifiers, as view.key takes it: one character, or a name like "pageup". */
struct chord {
    char key[17];
    unsigned mods; /* BJ_MOD_* */
};

enum action {
    ACTION_NONE,
    ACTION_FOCUS,
    ACTION_LEFT,
    ACTION_RIGHT,
    ACTION_UP,
    ACTION_DOWN,
    ACTION_NEXT,
    ACTION_PREVIOUS,
    ACTION_NUMBER,
    ACTION_WAITING,
    ACTION_ZOOM,
    ACTION_LAYOUT,
    ACTION_PROMOTE,
    ACTION_LIST,
    ACTION_FILTER,
    ACTION_SORT_NEXT,
    ACTION_SORT_PREVIOUS,
    ACTION_SORT_REVERSE,
    ACTION_MARK,
    ACTION_MARK_ALL,
    ACTION_MARK_HERE,
    ACTION_BROADCAST,
    ACTION_REMOVE_ENDED,
    ACTION_PIN,
    ACTION_ORDER,
    ACTION_TAB_NEXT,
    ACTION_TAB_PREVIOUS,
    ACTION_ALLOW,
    ACTION_DENY,
    ACTION_ALLOW_RULE,
    ACTION_DENY_RULE,
    ACTION_DETAILS,
    ACTION_UNDO,
    ACTION_REQUESTS,
    ACTION_ALERTS,
    ACTION_CLIENTS,
    ACTION_DIGEST,
    ACTION_PAUSE,
    ACTION_PAUSE_ALL,
    ACTION_KILL,
    ACTION_RUN,
    ACTION_FORM,
    ACTION_AGAIN,
    ACTION_LIKE,
    ACTION_RENAME,
    ACTION_REMOVE,
    ACTION_SCROLL_UP,
    ACTION_SCROLL_DOWN,
    ACTION_SCROLL_TOP,
    ACTION_SCROLL_LIVE,
    ACTION_THEME,
    ACTION_HELP,
    ACTION_DETACH,
    ACTION_QUIT,
    /* lists */
    ACTION_GO,
    ACTION_ACKNOWLEDGE,
    ACTION_ACKNOWLEDGE_ALL,
    ACTION_CLOSE,
    /* the menu that makes a verdict a rule */
    ACTION_MENU_UP,
    ACTION_MENU_DOWN,
    ACTION_MENU_LEFT,
    ACTION_MENU_RIGHT,
    ACTION_MENU_CHOOSE,
    ACTION_MENU_ENTER,
    ACTION_MENU_CONFIRM,
    /* copy mode */
    ACTION_COPY,
    ACTION_COPY_LEFT,
    ACTION_COPY_RIGHT,
    ACTION_COPY_UP,
    ACTION_COPY_DOWN,
    ACTION_COPY_WORD,
    ACTION_COPY_WORD_BACK,
    ACTION_COPY_WORD_END,
    ACTION_COPY_BIG_WORD,
    ACTION_COPY_BIG_WORD_BACK,
    ACTION_COPY_BIG_WORD_END,
    ACTION_COPY_LINE_START,
    ACTION_COPY_INDENT,
    ACTION_COPY_LINE_END,
    ACTION_COPY_TO,
    ACTION_COPY_TO_BACK,
    ACTION_COPY_TILL,
    ACTION_COPY_TILL_BACK,
    ACTION_COPY_SEEK_AGAIN,
    ACTION_COPY_SEEK_BACK_AGAIN,
    ACTION_COPY_PARTNER,
    ACTION_COPY_COUNT,
    ACTION_COPY_VIEW_TOP,
    ACTION_COPY_VIEW_MIDDLE,
    ACTION_COPY_VIEW_BOTTOM,
    ACTION_COPY_SCROLL_UP,
    ACTION_COPY_SCROLL_DOWN,
    ACTION_COPY_PAGE_UP,
    ACTION_COPY_PAGE_DOWN,
    ACTION_COPY_HALF_UP,
    ACTION_COPY_HALF_DOWN,
    ACTION_COPY_TOP,
    ACTION_COPY_BOTTOM,
    ACTION_COPY_PARAGRAPH_UP,
    ACTION_COPY_PARAGRAPH_DOWN,
    ACTION_COPY_CHARS,
    ACTION_COPY_LINES,
    ACTION_COPY_BLOCK,
    ACTION_COPY_SWAP,
    ACTION_COPY_SEARCH,
    ACTION_COPY_SEARCH_BACK,
    ACTION_COPY_NEXT,
    ACTION_COPY_PREVIOUS,
    ACTION_COPY_HERE_NEXT,
    ACTION_COPY_HERE_BEFORE,
    ACTION_COPY_PROMPT_UP,
    ACTION_COPY_PROMPT_DOWN,
    ACTION_COPY_REQUEST_UP,
    ACTION_COPY_REQUEST_DOWN,
    ACTION_COPY_OPEN,
    ACTION_COPY_TAKE,
    ACTION_COPY_SAVE,
    ACTION_COPY_CLEAR,
    ACTION_COPY_LEAVE,
    /* the palette */
    ACTION_PALETTE,
    ACTION_RELOAD,
    /* behind the prefix key */
    ACTION_SUPERVISE,
    /* the review */
    ACTION_REVIEW,
    ACTION_REVIEW_UP,
    ACTION_REVIEW_DOWN,
    ACTION_REVIEW_LEFT,
    ACTION_REVIEW_RIGHT,
    ACTION_REVIEW_PAGE_UP,
    ACTION_REVIEW_PAGE_DOWN,
    ACTION_REVIEW_TOP,
    ACTION_REVIEW_BOTTOM,
    ACTION_REVIEW_FILE_NEXT,
    ACTION_REVIEW_FILE_PREVIOUS,
    ACTION_REVIEW_HUNK_NEXT,
    ACTION_REVIEW_HUNK_PREVIOUS,
    ACTION_REVIEW_ENTER,
    ACTION_REVIEW_SPLIT,
    ACTION_REVIEW_SEARCH,
    ACTION_REVIEW_HIT_NEXT,
    ACTION_REVIEW_HIT_PREVIOUS,
    ACTION_REVIEW_COMMENT,
    ACTION_REVIEW_PULL,
    ACTION_REVIEW_RELOAD,
    ACTION_REVIEW_HELP,
    ACTION_REVIEW_LEAVE,
    /* the replay */
    ACTION_REPLAY,
    ACTION_REPLAY_PAUSE,
    ACTION_REPLAY_FASTER,
    ACTION_REPLAY_SLOWER,
    ACTION_REPLAY_BACK,
    ACTION_REPLAY_FORWARD,
    ACTION_REPLAY_MINUTE_BACK,
    ACTION_REPLAY_MINUTE_FORWARD,
    ACTION_REPLAY_OUTPUT_BACK,
    ACTION_REPLAY_OUTPUT_FORWARD,
    ACTION_REPLAY_TENTH,
    ACTION_REPLAY_NEXT,
    ACTION_REPLAY_PREVIOUS,
    ACTION_REPLAY_START,
    ACTION_REPLAY_END,
    ACTION_REPLAY_RUN,
    ACTION_REPLAY_SAVE,
    ACTION_REPLAY_HELP,
    ACTION_REPLAY_LEAVE,
    /* a line that is typed, and a question */
    ACTION_LINE_ENTER,
    ACTION_LINE_LEAVE,
    ACTION_LINE_COMPLETE,
    ACTION_LINE_UP,
    ACTION_LINE_DOWN,
    ACTION_LINE_LEFT,
    ACTION_LINE_RIGHT,
    ACTION_LINE_START,
    ACTION_LINE_END,
    ACTION_LINE_ERASE,
    ACTION_LINE_DELETE,
    ACTION_LINE_CUT_WORD,
    ACTION_LINE_CUT_START,
    ACTION_LINE_CUT_END,
    ACTION_YES,
    /* of the palette alone: the command line's, where the table has one key for two of them */
    ACTION_RESUME,
    ACTION_RESTART,
    ACTION_PULL,
};

/* Where a binding counts. In focus mode no key but the prefix is ours. KEYS_PREFIX is the one key
 * behind the prefix; it is used when a configuration binds anything there, and any action of
 * supervise mode may be bound there. KEYS_LINE is every line that is typed: filter, search, prompt,
 * palette, form, reason; what is a character there is text and cannot be bound. */
enum key_mode {
    KEYS_SUPERVISE = 1,
    KEYS_LIST = 2,
    KEYS_MENU = 4,
    KEYS_COPY = 8,
    KEYS_PREFIX = 16,
    KEYS_REVIEW = 32,
    KEYS_REPLAY = 64,
    KEYS_LINE = 128,
    KEYS_QUESTION = 256
};
#define KEYS_MODES     9
#define KEYS_MODES_END (1 << KEYS_MODES)

enum key_group {
    KEYS_MOVE,
    KEYS_DECIDE,
    KEYS_REMEMBER,
    KEYS_SANDBOX,
    KEYS_LOOK,
    KEYS_COPYING,
    KEYS_REVIEWING,
    KEYS_REPLAYING,
    KEYS_PROMPTS,
    KEYS_BELLJAR
};
#define KEYS_GROUPS 10

struct key_action {
    enum action action;
    unsigned modes;   /* enum key_mode bits */
    const char *name; /* as on the command line, or of that kind */
    const char *keys; /* separated by spaces: a, Enter, S-Tab, C-x, PageUp */
    enum key_group group;
    const char *help; /* one line */
    const char *hint; /* a word for the bar, or NULL */
};

extern const struct key_action keys_table[];
extern const size_t keys_count;

const char *keys_group_name(enum key_group group);
const char *keys_mode_name(enum key_mode mode);
/* The mode with this name; 0 when there is none. */
unsigned keys_mode_find(const char *name);

const struct key_action *keys_action(enum action action);
/* The action with this name, whose words may be joined by spaces or by dashes; NULL: none. */
const struct key_action *keys_named(const char *name);
/* Its name as a configuration file has it: "allow --rule" is allow-rule. */
#define KEYS_OPTION_MAX 40
void keys_option_name(const struct key_action *action, char out[KEYS_OPTION_MAX]);
/* The modes in which it may be bound. */
unsigned keys_modes_of(const struct key_action *action);

/* Takes the next name from a list like "z C-z", and moves on. False at its end. */
bool keys_next(const char **list, const char **name, size_t *size);
/* Reads one name like "C-]", "F12", "M-x", "S-Tab", "a". False when it is none. */
bool keys_parse(const char *name, size_t size, struct chord *chord);
/* Writes a chord as keys_parse reads it. */
void keys_name(const struct chord *chord, char *out, size_t size);
bool keys_equal(const struct chord *one, const struct chord *other);
/* Whether it types a character. */
bool keys_is_text(const struct chord *chord);
