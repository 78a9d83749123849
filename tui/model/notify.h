/*
 * When the human is told outside of the dashboard's own screen that something waits: by a bell or a
 * notification of his terminal. Off unless he configured it.
 *
 * Only when he looks elsewhere: the terminal has lost the focus, or no key came for
 * NOTIFY_DWELL_MS; and at most once in NOTIFY_COOLDOWN_MS. The text is made here, of counts and one
 * name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/model/fleet.h"

#define NOTIFY_DWELL_MS    5000
#define NOTIFY_COOLDOWN_MS 60000
#define NOTIFY_TEXT_MAX    200

enum notify_how { NOTIFY_OFF, NOTIFY_BELL, NOTIFY_OSC9, NOTIFY_OSC777, NOTIFY_HOWS };
const char *notify_how_name(enum notify_how how);

struct notify {
    enum notify_how how;
    bool pending;     /* something came that he may not have seen */
    uint64_t sent_at; /* ms; 0: never */
    size_t requests;  /* open when he looked last */
    uint64_t alerts;  /* newest alert's id, likewise */
};

/* The human pressed a key in a focused terminal: he has seen what there is. */
void notify_seen(struct notify *notify, const struct fleet *fleet);

/* Something may have come: true when a notification is due now, which then counts as sent. */
bool notify_due(struct notify *notify, const struct fleet *fleet, bool focused, uint64_t key_at,
                uint64_t now);

/* The words: printable ASCII without a semicolon. */
void notify_text(const struct fleet *fleet, char out[NOTIFY_TEXT_MAX]);
