/*
 * The client API: every method of bj_api_server and the function that answers it.
 */
#pragma once

#include "mux/server/client.h"

/* What the parts of it share. dispatch_choose(): the sandboxes that `names` or `all` mean; returns
 * how many (*out is the caller's), or a negative code. */
void dispatch_fail(struct client *client, uint32_t id, const struct bj_error *error);
int dispatch_choose(struct server *server, const msgpack_object *params, struct sandbox ***out,
                    struct bj_error *error);

struct dispatch_method {
    const char *name;
    void (*answer)(struct client *client, uint32_t id, const msgpack_object *params);
};

/* Answers with the one of `list` that has the method's name. False: none has. */
bool dispatch_among(const struct dispatch_method *list, size_t count, struct client *client,
                    uint32_t id, const struct bj_method *method, const msgpack_object *params);

/* Starting sandboxes; requests and rules; policy, egress and work; clients. True when the method is
 * one of theirs. */
bool dispatch_run(struct client *client, uint32_t id, const struct bj_method *method,
                  const msgpack_object *params);
bool dispatch_request(struct client *client, uint32_t id, const struct bj_method *method,
                      const msgpack_object *params);
bool dispatch_policy(struct client *client, uint32_t id, const struct bj_method *method,
                     const msgpack_object *params);
bool dispatch_client(struct client *client, uint32_t id, const struct bj_method *method,
                     const msgpack_object *params);

/* A call that fits the API's table. */
void dispatch_call(struct client *client, uint32_t id, const struct bj_method *method,
                   const msgpack_object *params);
