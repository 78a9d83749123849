/*
 * Real agents in a world of a test: their model is mock.py, behind the egress proxy and a
 * credential, in a network of the test's own. $BELLJAR_TEST_AGENTS is a node_modules/.bin with
 * them. Fails the test like world.h.
 */
#pragma once

#include <stdbool.h>

#include "world.h"

/* Each with a model whose tools the mock knows, the command that ends it (NULL: the end of input
 * does), what its screen says when it takes a prompt, and where it sends one. Those that speak the
 * Agent Client Protocol come last. */
#define JAR_AGENTS 6
struct jar_agent {
    const char *profile, *program, *leave, *ready, *path;
    const char *arguments[3];
    bool protocol;
};
extern const struct jar_agent jar_agents[JAR_AGENTS];

extern struct world world;
extern char jar_model_log[128]; /* what the model got, see mock.py */
extern char jar_project[128];   /* a git repository with one.txt */

/* Once, before the suite: false, with the reason on stdout, when the agents or root are missing. */
bool jar_possible(void);

/* Around each test. */
void jar_open(void);
void jar_close(void);

/* Starts an agent with a first prompt (NULL: none), at 110x40. */
void jar_run(const char *name, int agent, const char *prompt);

/* Gives the user a copy of all profiles, if there is none yet, in which a shell command changes
 * something. Before jar_run(). */
void jar_profiles(const char *change);

/* The subjects of all open requests, of whatever kind, a line each. Lasts until the next call. */
const char *jar_requests(void);

/* The id of the open question whose title has the text, or NULL. Lasts until the next call. */
const char *jar_question(const char *title);

/* Whether the command succeeded. A verdict counts once its question has been shown for a moment, so
 * it is tried again. */
bool jar_answered(const char *const argv[]);
