/*
 * From a host that may be connected to, to the addresses that may be connected to.
 *
 * A name is resolved once, in libuv's thread pool; every address is checked; connections then go
 * to exactly these, so that a second answer of a hostile name server changes nothing. When one
 * address of a name is refused, the others may still be used.
 *
 * The owner embeds the struct and must not free it before `done` was called.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "mux/egress/host.h"
#include "transport/error.h"

#define RESOLVE_ADDRESSES_MAX 8

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct addresses {
    size_t count;
    union address list[RESOLVE_ADDRESSES_MAX];
};

struct resolve;

/* `error` is NULL when at least one address may be used; -EACCES when all were refused. */
typedef void resolve_done(struct resolve *resolve, const struct bj_error *error);

struct resolve {
    uv_getaddrinfo_t request;
    resolve_done *done;
    bool any;
    struct host host;
    uint16_t port;
    struct addresses addresses;
};

/* With `any`, addresses that are not public are fine. `done` is called exactly once, and may be
 * called before this returns. */
void resolve_start(struct resolve *resolve, uv_loop_t *loop, const struct host *host, uint16_t port,
                   bool any, resolve_done *done);
