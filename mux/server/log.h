/*
 * The server's log: one line per event, with the time, in STATE/server.log. Bounded: at
 * LOG_BYTES_MAX it becomes server.log.1, the one before that is dropped. Also on stderr when the
 * server runs in the foreground. Text of a sandbox is cleaned before it gets here.
 */
#pragma once

#include <stdbool.h>

#include "transport/error.h"

#define LOG_BYTES_MAX (1024 * 1024)

int log_open(const char *path, bool also_stderr, struct bj_error *error);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_close(void);
