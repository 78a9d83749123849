/*
 * Which key does what: the table of keys.h with the human's changes over it.
 *
 * A keymap is built in layers, the table first, then a preset, then the human's file. A layer gives
 * an action other keys or takes keys away; keymap_check() says what is wrong with the whole. One
 * keymap is in force in a program, at first the table's; the model and the views look keys up
 * there.
 */
#pragma once

#include "transport/error.h"
#include "tui/keys.h"

#define KEYMAP_MAX 1024 /* bindings */

struct binding {
    enum action action;
    enum key_mode mode;
    struct chord chord;
    unsigned position; /* among the keys of its action there, from 0 */
    int line;          /* of the layer that is being read; 0: of a layer below */
};

struct keymap {
    struct binding binding[KEYMAP_MAX];
    size_t count;
    int changed[KEYS_MODES]; /* last line that changed a mode; 0: none did */
    bool prefixed;           /* the key behind the prefix has bindings of its own */
};

/* The table's. */
void keymap_init(struct keymap *map);
/* What is there now becomes the layer below the next one. */
void keymap_layer(struct keymap *map);

/* Gives the action these keys, separated by spaces, in place of all others that it had in these
 * modes. Fails, with nothing changed, when one is no key, or twice there, or text in a line, or the
 * action already has keys from this layer. */
int keymap_bind(struct keymap *map, unsigned modes, const struct key_action *action,
                const char *keys, int line, struct bj_error *error);
/* Takes keys away from whatever a layer below bound them to. Fails when one is bound to nothing. */
int keymap_unbind(struct keymap *map, unsigned modes, const char *keys, int line,
                  struct bj_error *error);

/* Calls `fault` for every key that would do two things, that the prefix hides, and for every mode
 * that no key would leave; `line` is that of the layer above, 0 when none is known. */
typedef void keymap_fault(void *owner, int line, const struct bj_error *error);
void keymap_check(const struct keymap *map, const struct chord *prefix, keymap_fault *fault,
                  void *owner);

/* Puts a copy in force. */
void keymap_use(const struct keymap *map);

/* ---- the keymap in force ---- */

/* The action bound to a chord in a mode, or ACTION_NONE; and which of its keys this is. */
enum action keys_find(enum key_mode mode, const struct chord *chord);
enum action keys_find_at(enum key_mode mode, const struct chord *chord, unsigned *position);

struct keys_text {
    char text[160];
};

/* All keys of an action in a mode, separated by spaces; "" when it has none. With mode 0: in the
 * first mode of its own in which it has any. */
struct keys_text keys_of(unsigned mode, enum action action);
/* The first of them; when there is none, ":name", which the palette takes, or "-", where it does
 * not. */
struct keys_text keys_first(unsigned mode, enum action action);
/* A sentence in which "{name}" stands for the first key of the action with that name. */
struct keys_text keys_say(unsigned mode, const char *sentence);
/* Whether the key behind the prefix has bindings of its own. */
bool keys_prefixed(void);
/* How focus mode is left for supervise mode: "F12", or "C-b Escape". */
struct keys_text keys_way_out(const struct chord *prefix);

/* keys_of() in a keymap that is not in force. */
struct keys_text keymap_keys(const struct keymap *map, unsigned mode, enum action action);
