/*
 * Where a request's body ends, by its Content-Length or its chunks (RFC 9112 6 and 7.1). Strict:
 * no chunk extensions, no trailers, CR LF everywhere. Holds no bytes and no pointers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/egress/http.h"
#include "transport/error.h"

struct body {
    enum body_state {
        BODY_DONE,
        BODY_BYTES,     /* `left` bytes of payload follow; more chunks when `chunked` */
        BODY_SIZE,      /* in the hexadecimal size of a chunk */
        BODY_SIZE_FEED, /* its LF */
        BODY_DATA_CR,   /* the CR behind a chunk's payload */
        BODY_DATA_FEED,
        BODY_LAST_CR, /* the blank line after the last chunk */
        BODY_LAST_FEED,
    } state;
    bool chunked;
    int digits;
    uint64_t left;
};

void body_init(struct body *body, const struct http_request *request);
bool body_is_done(const struct body *body);

/*
 * Looks at the next bytes: returns how many of them belong to the body (at least one unless `size`
 * is 0 or the body is done) and sets *payload to how many of these are payload, which then are all
 * of them, or 0. -EINVAL when it is malformed.
 */
long body_next(struct body *body, const char *bytes, size_t size, size_t *payload,
               struct bj_error *error);
