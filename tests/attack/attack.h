/*
 * What every attack test needs: a world, a project with the probe in it, and sandboxes that run it.
 */
#pragma once

#include "tests/e2e/human.h"
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

/* The user's own policy, for sandboxes that start from now on. */
void attack_policy(const char *text);

/* Whether `belljar ARGUMENTS...` prints the text. */
#define ATTACK_SAYS(text, ...) HUMAN_READS(&attack_world, text, __VA_ARGS__)
/* Whether an alert says it, and the audit log has an alert that does, too. */
bool attack_alerted(const char *text);
/* Whether the audit log has a record of this kind with the text in it. */
bool attack_audited(const char *kind, const char *text);

/* A field, as text, of the open request with this subject or title; "" when there is none. Lasts
 * until the next call. */
const char *attack_request(const char *about, const char *field);
/* Answers it with `belljar VERB ID [OPTION VALUE]`; false while it is too young. */
bool attack_answer(const char *verb, const char *about, const char *option, const char *value);
