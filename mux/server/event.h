/*
 * The objects of the server's API as msgpack maps, for results and notifications alike.
 */
#pragma once

#include <msgpack.h>

#include "mux/server/client.h"
#include "mux/server/server.h"

void event_sandbox(msgpack_packer *packer, struct sandbox *sandbox);
/* With its timeline: for who asks, and not with each change. */
void event_sandbox_whole(msgpack_packer *packer, struct sandbox *sandbox);
void event_request(msgpack_packer *packer, const struct server *server,
                   const struct request *request);
void event_alert(msgpack_packer *packer, const struct alert *alert);
void event_session(msgpack_packer *packer, const struct server *server,
                   const struct session *session);
void event_stats(msgpack_packer *packer, struct sandbox *sandbox);
/* The dashboards that are attached, for `client`. */
void event_clients(msgpack_packer *packer, const struct client *client);
