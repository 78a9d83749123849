/*
 * What the pane shows: a transcript of the conversation, made of what the agent says as JSON. Of
 * its text only printable characters, line ends and tabs reach the terminal.
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

/* A line of our own; printed as one paragraph. */
void transcript_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void transcript_prompt(const char *text);

/* The parameter `update` of session/update, and the toolCall of a request for permission. */
void transcript_update(const json_t *update);
void transcript_tool(const json_t *call);

/* The place where the human types: the agent is silent now. */
void transcript_ready(void);

/* Something was typed, and its echo has ended the line. True when it stands behind that place, and
 * so is in the transcript already. */
bool transcript_typed(void);
