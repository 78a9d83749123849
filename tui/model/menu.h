/*
 * The small menu that makes a verdict a rule: for whom, for how long, and (for a denial) what the
 * agent is told. It belongs to the one request for which it was opened.
 *
 * The human sees the very sentence of the rule that his choice makes. Enter is taken only when that
 * sentence has been on screen, the first one for MENU_ARM_MS; a rule for good and for all,
 * and an allow of high risk, want `y` as a second key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/keys.h"
#include "tui/model/details.h"
#include "tui/model/line.h"
#include "tui/model/request.h"

#define MENU_ARM_MS     300
#define MENU_REASON_MAX 512 /* bytes told to the agent */
#define MENU_DURATIONS  4

enum menu_field { MENU_SCOPE, MENU_DURATION, MENU_REASON };

/* The choices of a scope: a denial may also be for this once. */
enum menu_scope { MENU_SANDBOX, MENU_PROJECT, MENU_ALL, MENU_ONCE };

struct menu {
    bool open, deny;
    bool high; /* the request's risk */
    char request[FLEET_ID_MAX];
    enum menu_field field;
    enum menu_scope scope;
    int duration; /* index */
    struct line reason;
    bool asking; /* for the second key */
    /* What has been on screen. */
    uint64_t seen_since; /* ms; 0: no sentence yet */
    enum menu_scope seen_scope;
    int seen_duration;
    bool seen_asking;
};

void menu_open(struct menu *menu, const struct request *request, bool deny);

int menu_scopes(const struct menu *menu); /* how many choices, in the order of the enum */
const char *menu_scope_word(enum menu_scope scope);
const char *menu_duration_word(int duration);
uint32_t menu_seconds(const struct menu *menu); /* of the choice; 0: for good (or once) */
bool menu_remembers(const struct menu *menu);

/* What the choice would do, in the server's words: the sentence of the rule; NULL when there is
 * none to show, and then *why says why not. For "this once" both are NULL. */
const char *menu_sentence(const struct menu *menu, const struct details *details, const char **why);

/* The view has painted the sentence of the choice, or the question, as a whole. */
void menu_painted(struct menu *menu, const struct details *details, uint64_t now);

enum menu_outcome { MENU_STAYS, MENU_LEAVES, MENU_DECIDES };

/* Takes a key. *note is set to a sentence when the key was not taken for a reason. */
enum menu_outcome menu_key(struct menu *menu, const struct details *details,
                           const struct chord *chord, uint64_t now, const char **note);

/* Pasted text goes into the reason, when that is what is being written. */
void menu_paste(struct menu *menu, const char *text, size_t size);
