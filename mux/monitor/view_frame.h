/*
 * Frames: what changed since the last one, as `redraw` events (transport/api.c).
 */
#pragma once

#include "mux/monitor/view.h"

/* Whether there is anything to send. */
bool view_frame_due(struct view_client *client);

/* Sends one frame, unless nothing changed. Closes the client when memory is short. */
void view_frame_send(struct view_client *client);

/* Everything is to be sent again. */
void view_frame_forget(struct view_client *client);

/* Keeps a scrolled view on its lines while output goes on, and within what there is. */
void view_frame_follow(struct view_client *client);
