/*
 * What the human of a world does by the command line: agents started, a policy written, requests
 * looked at and answered, words looked for in what a command prints. Fails the test like world.h.
 */
#pragma once

#include <stdbool.h>

#include "world.h"

/* `belljar run -d -n NAME -- bash -c SCRIPT`. */
void human_runs(struct world *world, const char *name, const char *script);

/* Runs a shell script on the host, in the project, with git's own settings only. Returns what it
 * printed, until the next call. */
const char *human_shell(struct world *world, const char *project, const char *script);
/* A git repository there with one commit: a, b, sub/c and a .gitignore. */
void human_repository(struct world *world, const char *project);
/* `belljar run -d -n NAME -p PROJECT [--policy POLICY] -- sh -c SCRIPT`, and waits until the script
 * is through; then the agent sleeps. */
void human_runs_in(struct world *world, const char *name, const char *project, const char *policy,
                   const char *script);

/* The user's own policy.conf, for sandboxes that start from now on. */
void human_policy(struct world *world, const char *text);

/* A field, as text, of the open request with this subject or title; "" when there is none. Lasts
 * until the next call. */
const char *human_request(struct world *world, const char *about, const char *field);

/* Answers it with `belljar VERB ID [OPTION VALUE]`; false while there is none, or it
 * is too young. */
bool human_answers(struct world *world, const char *verb, const char *about, const char *option,
                   const char *value);

/* A shell's words by which a program inside asks; the title follows. */
#define HUMAN_ASKED "/belljar/bin/belljar-shim ask --kind exec --title "

/* Whether `belljar ARGUMENTS...` prints the text. */
bool human_reads(struct world *world, const char *text, const char *const arguments[]);
#define HUMAN_READS(world, text, ...)                                                              \
    human_reads(world, text, (const char *const[]){__VA_ARGS__, NULL})
