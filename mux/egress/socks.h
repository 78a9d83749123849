/*
 * The server's side of SOCKS5 (RFC 1928), CONNECT without authentication only. Pure: looks at the
 * bytes received so far and says what to answer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "mux/egress/host.h"
#include "transport/error.h"

#define SOCKS_VERSION   5
#define SOCKS_REPLY_MAX 10

enum socks_reply {
    SOCKS_OK = 0,
    SOCKS_FAILURE = 1,
    SOCKS_DENIED = 2, /* not allowed by ruleset */
    SOCKS_UNREACHABLE = 4,
    SOCKS_REFUSED = 5,
    SOCKS_EXPIRED = 6,
    SOCKS_NO_COMMAND = 7,
    SOCKS_NO_ADDRESS = 8,
};

/* The greeting: its size when whole, 0 when bytes are missing, -EPROTO. *method is the byte to
 * answer with: 0, or 0xff when the client wants authentication. */
long socks_greeting(const uint8_t *bytes, size_t size, uint8_t *method, struct bj_error *error);

/* The request: likewise. On -EINVAL *reply says what to answer. */
long socks_request(const uint8_t *bytes, size_t size, struct host *host, uint16_t *port,
                   enum socks_reply *reply, struct bj_error *error);

void socks_reply(enum socks_reply reply, uint8_t out[SOCKS_REPLY_MAX]);
