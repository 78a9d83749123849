/*
 * Every sandbox the server knows, oldest first, found by name or id.
 */
#pragma once

#include "mux/server/server.h"

struct sandbox *registry_find_name(const struct server *server, const char *name);
struct sandbox *registry_find_id(const struct server *server, const char *id);

/* Adds an empty one with a fresh id and user; the registry owns it. NULL with an error. */
struct sandbox *registry_add(struct server *server, struct bj_error *error);

/* Checks a wanted name: its form, and that nobody has it. */
int registry_check_name(const struct server *server, const char *name, struct bj_error *error);
void registry_make_name(struct server *server, const char *program, char out[NAME_SIZE]);

/* Forgets one: requests, alerts, panes, connections; tells the clients; frees it. Its files stay.
 */
void registry_remove(struct server *server, struct sandbox *sandbox);

/* Reads STATE for records. Unreadable ones become alerts. Sorted by age. */
int registry_load(struct server *server, struct bj_error *error);
void registry_free(struct server *server);
