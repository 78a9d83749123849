/*
 * How `belljar-shim ask --dialect NAME` answers the hooks of one kind of agent. What comes on stdin
 * is sent on as it is, with the kind BJ_ASK_HOOK NAME (transport/message.h), and read by the
 * monitor outside (mux/monitor/dialect.h), never here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/message.h"

struct dialect;

/* NULL when there is none of this name. */
const struct dialect *dialect_find(const char *name);
const char *dialect_name(const struct dialect *dialect);
/* Whether it is answered as a plain question is: the exit code, and the reason on stderr. */
bool dialect_speaks(const struct dialect *dialect);

/* All names, separated by spaces, for messages. */
void dialect_list(char *out, size_t size);

/* Prints what the agent is told behind a tool that was run; nothing for another event, or when
 * there is nothing to tell. Claude Code, Codex and Gemini CLI read the same, and so does the plugin
 * of OpenCode. */
void dialect_tell(const char *event, const char *text, size_t size);

/*
 * Prints what this agent reads as the answer on stdout and returns the exit code for it. A pass
 * without a reason says that there was nothing to decide, and prints nothing. One with a reason
 * says why nobody decided: an agent that then asks on its own screen hears nothing and does so, any
 * other would run the tool, and hears a denial with that reason.
 */
int dialect_answer(const struct dialect *dialect, enum bj_answer answer, const char *reason,
                   size_t size);
