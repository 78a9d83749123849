/*
 * Sampling of all sandboxes: active ones each second, quiet ones more and more rarely. While nobody
 * is subscribed what each does is judged every five seconds, for its timeline (timeline.h), from
 * the CPU alone where its cgroup tells that.
 */
#pragma once

#include "mux/server/server.h"

#define STATS_TICK_MS 1000U

/* Sets the timer's pace as subscribers are there or not; it stops by itself when no sandbox is
 * left. */
void stats_adjust(struct server *server);
