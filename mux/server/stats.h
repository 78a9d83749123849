/*
 * Sampling of all sandboxes: active ones each second, quiet ones more and more rarely, none while
 * nobody is subscribed.
 */
#pragma once

#include "mux/server/server.h"

#define STATS_TICK_MS 1000U

/* Starts or stops the timer as subscribers are there or not. */
void stats_adjust(struct server *server);
