/*
 * Reaching the server: connects to RUNTIME/server.sock, starting belljar-server when nobody
 * answers.
 */
#pragma once

#include <stdbool.h>

#include "transport/error.h"
#include "transport/paths.h"

/* Returns a connected descriptor or a negative code. With `start`, a server is started and waited
 * for (at most 10 s, with the last lines of its log in the error). */
int connect_server(const struct bj_paths *paths, bool start, struct bj_error *error);
