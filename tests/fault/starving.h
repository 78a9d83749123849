/*
 * A world whose programs are those of starved/, and the page that tells them what fails; see
 * starve.h. Fails the test like world.h.
 */
#pragma once

#include "tests/e2e/world.h"
#include "tests/fault/starve.h"

/* Opens the world, and the page, which stays mapped. NULL: $BELLJAR_TEST_STARVED names no such
 * programs, the world has those that fail only when they have to. */
struct starve *starving_open(struct world *world);

/* Fails when one of them used what it did not get. */
void starving_check(const struct starve *starve);
