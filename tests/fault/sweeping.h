/*
 * One program's calls fail one after the other while an action is done (starve.h): some that are
 * spread over it, then one from each place in the program.
 *
 * $BELLJAR_FAULT_SWEEP (8): how many are spread, 0 all; $BELLJAR_FAULT_SEED (printed): which.
 */
#pragma once

#include "tests/fault/starving.h"

/* Of the world that sweeping_open() opened. */
extern struct starve *starve;

/* Opens the world with the programs of starved/, which must be there. */
void sweeping_open(struct world *world);

/* Does the action while a call of the victim fails, and `after` when none does any more, again and
 * again, until the action has no further call. A program that uses what it did not get is a
 * failure. */
void sweep(const char *victim, void (*action)(void), void (*after)(void));
