/*
 * The dashboard: takes the terminal over, shows the session's sandboxes, gives the terminal back.
 */
#pragma once

#include <stdbool.h>

#include "transport/error.h"
#include "transport/paths.h"
#include "tui/bridge/host.h"

struct dashboard_options {
    const char *session; /* default "main" */
    const char *theme;   /* theme name or path; NULL: the configured one */
    const char *focus;   /* sandbox name to focus first, or NULL */
    const char *note;    /* a sentence to begin with, NULL or "": none */
    bool readonly;
    const struct host *hosts; /* other hosts, opened and waited for; the dashboard closes them */
    size_t host_count;
};

/* Runs until the human detaches. Takes the connected server socket over. The terminal is restored
 * on every path. Returns 0 or a negative code with a sentence. */
int dashboard_run(const struct bj_paths *paths, int server, const struct dashboard_options *options,
                  struct bj_error *error);
