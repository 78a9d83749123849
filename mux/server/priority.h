/*
 * Who goes first: while dashboards are attached, the sandboxes that they have selected get their
 * full share of the processor and run as soon as they wake, the others get a small one, so that a
 * key's echo never waits for a flood in a pane that nobody looks at. Without a dashboard all are
 * equal.
 */
#pragma once

struct server;

/* Compares what each sandbox has with what it should have, and changes the difference. */
void priority_update(struct server *server);
