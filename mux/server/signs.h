/*
 * The signs that an agent gives, as its monitor tells them, kept as the facts from which activity.h
 * judges what it does. They come from inside: known words only, texts cleaned, and shown with their
 * source.
 */
#pragma once

#include <msgpack.h>

#include "mux/server/sandbox.h"

/* The notifications agent.state, pane.output, pane.title and pane.bell. */
void signs_state(struct sandbox *sandbox, const msgpack_object *params);
void signs_output(struct sandbox *sandbox, const msgpack_object *params);
void signs_title(struct sandbox *sandbox);
void signs_bell(struct sandbox *sandbox);
void signs_notice(struct sandbox *sandbox); /* OSC 9, 99 or 777 */
void signs_asked(struct sandbox *sandbox);  /* a hook of it asks: so it works */

/* Another monitor tells from now on; `info` says where its counts are. */
void signs_begin(struct sandbox *sandbox, const msgpack_object *info);
/* The agent has ended, and with it what it told. */
void signs_end(struct sandbox *sandbox);

/* Judges what it does now. Returns whether that has changed. */
bool signs_judge(struct sandbox *sandbox);
/* The unix time of a monotonic one. */
double signs_unix(uint64_t at);
