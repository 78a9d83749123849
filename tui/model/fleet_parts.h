/*
 * The parts of the fleet (fleet.h): fleet.c keeps it and finds things in it, fleet_event.c takes
 * the server's events, fleet_sandbox.c reads what they say of one sandbox, fleet_order.c has the
 * order of the panes, pins and tabs, fleet_pile.c the rows of the inbox.
 */
#pragma once

#include "tui/model/fleet.h"

void fleet_read_sandbox(struct sandbox *sandbox, const msgpack_object *map, double wall);
/* What it does; part of events and of figures. */
/* Its timeline, as sandbox.list has it. */
void fleet_read_timeline(struct sandbox *sandbox, const msgpack_object *map, double wall);
void fleet_read_doing(struct sandbox *sandbox, const msgpack_object *map, double wall);
void fleet_figures_unknown(struct figures *figures);

/* Lets a pane show the first of its requests, unless the one that it shows is on screen. */
void fleet_face_first(struct fleet *fleet, const char *sandbox_id);
void fleet_face_askers(struct fleet *fleet, const struct request *request);

/* After requests came, went or changed: which rows of the inbox they stand in. */
void fleet_pile(struct fleet *fleet);

/* Brings all to their places after one is new, gone or otherwise placed. */
void fleet_sort(struct fleet *fleet);
