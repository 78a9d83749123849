/*
 * The client API: every method of bj_api_server and the function that answers it.
 */
#pragma once

#include "mux/server/client.h"

/* A call that fits the API's table. */
void dispatch_call(struct client *client, uint32_t id, const struct bj_method *method,
                   const msgpack_object *params);
