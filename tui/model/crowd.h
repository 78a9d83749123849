/*
 * Who else is attached: the dashboards that each server has told of, and where their humans look.
 *
 * A client's user is as its server's kernel knows it; what else is said of it are its own words.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

#include "tui/model/field.h"
#include "tui/model/origin.h"

#define CROWD_MAX      64 /* what is more is not kept */
#define CROWD_WORD_MAX 24

struct crowd_client {
    const struct origin *origin;
    uint64_t number;
    char user[CROWD_WORD_MAX], from[CROWD_WORD_MAX], session[FLEET_NAME_MAX];
    double since; /* unix seconds */
    bool you;     /* this dashboard */
    bool readonly, typing;
    char sandbox_id[FLEET_ID_MAX], sandbox[FLEET_SHOWN_MAX]; /* what is looked at; "": nothing */
};

struct crowd {
    struct crowd_client list[CROWD_MAX];
    size_t count;
};

/* Takes event.clients of a server in the place of all that it said before. */
void crowd_take(struct crowd *crowd, const struct origin *origin, const msgpack_object *map);
void crowd_forget(struct crowd *crowd, unsigned origin);

/* Dashboards that are not this one. */
size_t crowd_others(const struct crowd *crowd);

/* The next other one that looks at the sandbox; start with NULL. */
const struct crowd_client *crowd_looking(const struct crowd *crowd, const char *sandbox_id,
                                         const struct crowd_client *last);

/* A short name: the user, or, when that is the human here, where it comes from. With `full` both.
 */
#define CROWD_NAME_MAX (2 * CROWD_WORD_MAX + 2)
void crowd_name(const struct crowd *crowd, const struct crowd_client *client, bool full,
                char out[CROWD_NAME_MAX]);
/* Whether its keys go to the agent, or it only looks. */
const char *crowd_glyph(const struct crowd_client *client, bool ascii);
