/*
 * What an agent's hook wrote, read outside of the sandbox: JSON of a few kinds of agents, made into
 * the one form that policies are about.
 *
 * A question about a tool becomes kind "exec" with the title Tool(arguments): the command for
 * shells, the path for tools that work on one file, compact JSON of everything else. Tools that do
 * the same have one name whichever agent calls them (Bash, Read, Write, Edit, ...), so that one
 * policy is about all; of the Agent Client Protocol the kind of a tool call says which. The detail
 * is the whole input, indented. An event tells what the agent is doing and asks nothing. Everything
 * else, also what is too large or no JSON, is not understood, and nobody decides on it.
 *
 * Pure: no I/O. Runs in the locked-down monitor; jansson bounds the depth, the link the size.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum dialect_outcome {
    DIALECT_ASKS,    /* title and detail are set */
    DIALECT_TELLS,   /* state is set, if it tells one */
    DIALECT_UNKNOWN, /* why is set */
};

/* The longest title: one byte more than a policy decides on, so that a cut one is never decided. */
#define DIALECT_TITLE_MAX 4096
#define DIALECT_TEXT_MAX  160

struct dialect_reading {
    enum dialect_outcome outcome;
    char *title, *detail; /* not yet cleaned; owned */
    size_t title_size;
    const char *state;           /* "working", "waiting" or "done"; NULL: it tells nothing new */
    bool tool_ended;             /* it tells that a tool has been run */
    char text[DIALECT_TEXT_MAX]; /* what it waits for, as it says; not yet cleaned; may be "" */
    const char *why;
};

/* `name` is behind BJ_ASK_HOOK. Always fills *reading; out of memory is DIALECT_UNKNOWN. */
void dialect_read(struct dialect_reading *reading, const char *name, const char *bytes,
                  size_t size);
void dialect_free(struct dialect_reading *reading);
