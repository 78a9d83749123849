/*
 * What every attack test needs: a world, a project with the probe in it, and sandboxes that run it.
 */
#pragma once

#include "tests/e2e/world.h"

extern struct world attack_world;
extern char attack_project_path[128];

/* Check fixtures. */
void attack_open(void);
void attack_close(void);

/* Puts the probe into the project directory. */
void attack_project(void);

/* Starts a sandbox that runs a shell script in the project directory. */
void attack_start(const char *name, const char *script);

/* Runs one attempt of the probe in a sandbox of that name; fails unless it was refused. */
void attack_refused(const char *name, const char *what, const char *attempt, const char *argument);
