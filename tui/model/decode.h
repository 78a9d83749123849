/*
 * The human's terminal input: bytes in, keys, mouse events, pastes and focus changes out.
 *
 * Knows what xterm and its many relatives send (ctlseqs.txt, "PC-Style Function Keys", SGR mouse,
 * bracketed paste, focus, reports of modes), the Linux console, the `CSI u` form, and whatever
 * sequences the view teaches it from terminfo. A lone ESC is a key only when nothing follows: the
 * owner waits a moment while decode_pending() and then calls decode_flush().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tui/keys.h"

#define DECODE_PASTE_MAX   (1U << 20) /* what is longer is cut */
#define DECODE_LEARNED_MAX 256
#define DECODE_BUFFER      128

enum input_kind { INPUT_KEY, INPUT_MOUSE, INPUT_PASTE, INPUT_FOCUS, INPUT_MODE };
enum mouse_action { MOUSE_PRESS, MOUSE_RELEASE, MOUSE_MOVE };

struct input {
    enum input_kind kind;
    struct chord chord; /* key; for mouse events only its mods */
    enum mouse_action action;
    int button;   /* 0 none, 1 left, 2 middle, 3 right, 4 wheel up, 5 wheel down */
    int row, col; /* from 0 */
    bool focused;
    int mode, setting; /* DECRPM's answer about a private mode: 0 unknown, 1 set, 2 reset, 3, 4 */
    const char *text;  /* paste; valid during the call */
    size_t size;
};

typedef void decode_sink(void *owner, const struct input *input);

struct decode {
    decode_sink *sink;
    void *owner;
    char buffer[DECODE_BUFFER]; /* the beginning of a sequence */
    size_t size;
    bool pasting;
    char *paste;
    size_t paste_size, paste_capacity;
    struct {
        char sequence[16];
        struct chord chord;
    } learned[DECODE_LEARNED_MAX];
    size_t learned_count;
};

void decode_init(struct decode *decode, decode_sink *sink, void *owner);
void decode_free(struct decode *decode);

/* `sequence` (beginning with ESC, at most 15 bytes) is this key; others are left out. */
void decode_learn(struct decode *decode, const char *sequence, const char *key, unsigned mods);

void decode_feed(struct decode *decode, const char *bytes, size_t size);
bool decode_pending(const struct decode *decode);
void decode_flush(struct decode *decode);
