#include "mux/egress/body.h"

#include <errno.h>

#define CHUNK_DIGITS_MAX 12

void body_init(struct body *body, const struct http_request *request)
{
    *body = (struct body){.chunked = request->framing == HTTP_CHUNKED};
    if (body->chunked) {
        body->state = BODY_SIZE;
    } else if (request->framing == HTTP_LENGTH && request->length > 0) {
        body->state = BODY_BYTES;
        body->left = request->length;
    }
}

bool body_is_done(const struct body *body)
{
    return body->state == BODY_DONE;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte of the chunks' own writing. */
static bool step(struct body *body, char c)
{
    switch (body->state) {
    case BODY_SIZE:
        if (c == '\r' && body->digits > 0) {
            body->state = BODY_SIZE_FEED;
            return true;
        }
        if (hex(c) < 0 || body->digits++ == CHUNK_DIGITS_MAX)
            return false;
        body->left = body->left << 4 | (uint64_t)hex(c);
        return true;
    case BODY_SIZE_FEED:
        body->state = body->left > 0 ? BODY_BYTES : BODY_LAST_CR;
        return c == '\n';
    case BODY_DATA_CR:
        body->state = BODY_DATA_FEED;
        return c == '\r';
    case BODY_DATA_FEED:
        body->state = BODY_SIZE;
        body->digits = 0;
        return c == '\n';
    case BODY_LAST_CR:
        body->state = BODY_LAST_FEED;
        return c == '\r';
    case BODY_LAST_FEED:
        body->state = BODY_DONE;
        return c == '\n';
    case BODY_BYTES:
    case BODY_DONE:
        break;
    }
    return false;
}

long body_next(struct body *body, const char *bytes, size_t size, size_t *payload,
               struct bj_error *error)
{
    *payload = 0;
    if (body->state == BODY_BYTES) {
        size_t take = size < body->left ? size : (size_t)body->left;
        body->left -= take;
        if (body->left == 0)
            body->state = body->chunked ? BODY_DATA_CR : BODY_DONE;
        *payload = take;
        return (long)take;
    }
    size_t used = 0;
    while (used < size && body->state != BODY_DONE && body->state != BODY_BYTES)
        if (!step(body, bytes[used++]))
            return bj_fail(error, -EINVAL, "the chunks of the body are malformed");
    return (long)used;
}
