/*
 * While a human types to one agent, what floods where nobody looks is taken slowly: it would fill
 * every processor, and a key's echo would stand in line with it. What prints less than a
 * megabyte a second never notices, and what prints more waits in write(2), as it would for a slow
 * terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sandbox;
struct server;

/* A human types to an agent, or is about to. */
void pace_typed(struct server *server);

/* Its monitor has told of `output` bytes and of input (from a human or not) since the last time. */
void pace_judge(struct sandbox *sandbox, uint64_t output, bool input);

/* Somebody looks at it now: it is as fast as it can be. */
void pace_end(struct sandbox *sandbox);

bool pace_is_on(const struct sandbox *sandbox);
