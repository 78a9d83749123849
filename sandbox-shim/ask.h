/*
 * `belljar-shim ask`, the way for programs in the sandbox to ask the human, and its server in
 * pid 1.
 *
 * The two speak over a unix stream socket: the client sends the msgpack array [kind, title, detail]
 * (str, str, bin; limits BJ_ASK_* of transport/message.h) and waits; the server answers
 * [answer, reason] (enum bj_answer, str) and closes. A client that closes first withdraws the
 * question.
 */
#pragma once

#include "transport/message.h"

#define ASK_SOCKET_VARIABLE "BELLJAR_ASK_SOCKET"
#define ASK_SOCKET_DEFAULT  "/belljar/run/ask.sock"

/* Seconds after which a question is given up here, because nobody outside has answered or ended it:
 * before the agent's hook times out, behind which some agents run the tool. And those of an event,
 * whose hook has ASK_HOOK_MORE seconds more, too. */
#define ASK_TIME       (BJ_ASK_WAIT_MAX + 15)
#define ASK_EVENT_TIME 10
#define ASK_HOOK_MORE  30

/* Exit codes of `belljar-shim ask`. */
enum { ASK_ALLOWED = 0, ASK_DENIED = 1, ASK_UNDECIDED = 2 };

/* The arguments behind "ask", argv[0] being "ask" itself. Returns the exit code. */
int ask_client_main(int argc, char **argv);
