/* What the tests of faults share. */
#pragma once

#include "tests/e2e/world.h"

/* A number of the environment, or `otherwise` where it is not set. */
long fault_number(const char *name, long otherwise);

/* Fails when a directory of a sandbox is left, of which there is none any more. */
void fault_no_directories(struct world *world);
