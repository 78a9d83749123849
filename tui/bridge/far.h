/*
 * The far end of a bridge: `belljar bridge`, which ssh starts on the other host. It serves the
 * server's socket (starting the server when none runs) and the monitors' view and exec sockets by
 * sandbox id, as the user that ssh made it, and nothing else: no path comes over the wire.
 */
#pragma once

#include "transport/error.h"
#include "transport/paths.h"

/* Serves standard input and output until the near end goes. */
int far_run(const struct bj_paths *paths, struct bj_error *error);
