/*
 * The sandboxes as a list: which ones, in which order, and the cursor, which is on a sandbox and
 * not on a row.
 *
 * The filter is a text of words, all of which must be found: in the name, the project, the state's
 * word or the command, without regard to case; "state:idle", "name:web" and "project:x" look in one
 * of them only, "host:y" in the host's label ("local" for this one), and a word behind "-" must not
 * be found.
 */
#pragma once

#include "tui/model/fleet.h"

#define ROSTER_FILTER_MAX 128

enum roster_key {
    ROSTER_NEED, /* who needs the human most: state, then longest in it */
    ROSTER_NAME,
    ROSTER_CPU,
    ROSTER_MEMORY,
    ROSTER_PIDS,
    ROSTER_NET,
    ROSTER_AGE,
    ROSTER_REQUESTS, /* most open ones first */
    ROSTER_ALERTS,   /* that nobody has acknowledged */
    ROSTER_PROJECT,
};
#define ROSTER_KEYS 10

struct roster {
    enum roster_key key;
    bool reversed;
    char filter[ROSTER_FILTER_MAX];
    char at_id[FLEET_ID_MAX];        /* the cursor; "" when no row is shown */
    size_t at;                       /* its row */
    size_t row[FLEET_SANDBOXES_MAX]; /* index of the sandbox in the fleet */
    size_t count;
};

/* Fills the rows anew; the cursor stays on its sandbox, or on its row when that is gone. */
void roster_make(struct roster *roster, const struct fleet *fleet);

void roster_move(struct roster *roster, const struct fleet *fleet, int64_t by);
void roster_put(struct roster *roster, const struct fleet *fleet, const char *id);
/* The next or (by < 0) previous column to sort by. */
void roster_sort(struct roster *roster, int by);

const char *roster_key_name(enum roster_key key);
/* The column's name, behind "-" when reversed, as a session keeps it. What is not known changes
 * nothing. */
#define ROSTER_SORT_MAX 16
void roster_sorted(const struct roster *roster, char out[ROSTER_SORT_MAX]);
void roster_sort_as(struct roster *roster, const char *sort);
bool roster_matches(const struct sandbox *sandbox, const char *filter);
