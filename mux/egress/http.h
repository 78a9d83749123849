/*
 * HTTP/1 heads, read strictly: what two programs could read in two ways is refused, so that nothing
 * can be smuggled past the decision about a host.
 *
 * A request head is copied once; everything else points into that copy by offset. Forwarding makes
 * a new head from the parsed parts and never copies the agent's lines as they are.
 *
 * Sources: RFC 9110 (7.6.1: hop-by-hop fields), RFC 9112 (3.2: target forms, 5: fields, 6: bodies).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/egress/buffer.h"
#include "mux/egress/host.h"
#include "transport/error.h"

#define HTTP_HEAD_MAX          (16U * 1024) /* bytes of a request's head */
#define HTTP_RESPONSE_HEAD_MAX (64U * 1024)
#define HTTP_HEADERS_MAX       100

struct http_slice {
    uint32_t at, size; /* in the head */
};

struct http_header {
    struct http_slice name, value; /* value without spaces around it */
};

enum http_form {
    HTTP_CONNECT,  /* CONNECT host:port */
    HTTP_ABSOLUTE, /* GET http://host/path */
    HTTP_ORIGIN,   /* GET /path: meant for this proxy itself */
};

enum http_framing { HTTP_NO_BODY, HTTP_LENGTH, HTTP_CHUNKED };

struct http_request {
    char *head; /* owned */
    size_t head_size;
    struct http_slice method, target;
    int minor; /* HTTP/1.minor */
    enum http_form form;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t count;

    struct host host; /* of CONNECT and absolute form */
    uint16_t port;
    struct http_slice path; /* of absolute and origin form; empty means "/" */

    enum http_framing framing;
    uint64_t length;
};

/* Finds the end of a head: its size with the blank line, or 0 when more is needed. */
size_t http_head_end(const char *bytes, size_t size);

/* -EINVAL with a sentence for a 400. `request` must be freed with http_request_free in any case. */
int http_request_parse(struct http_request *request, const char *head, size_t size,
                       struct bj_error *error);
void http_request_free(struct http_request *request);

bool http_slice_is(const struct http_request *request, struct http_slice slice, const char *text);
bool http_name_is(const struct http_request *request, struct http_slice name, const char *text);

/* Whether a field ends at this hop: by its name, or because a Connection field names it. */
bool http_is_hop_by_hop(const struct http_request *request, const struct http_header *header);

/* The head for the origin server, which is asked to close the connection after its response. */
int http_request_forward(const struct http_request *request, struct buffer *out);

/*
 * The head of a response, with the hop-by-hop fields removed and "Connection: close" added.
 * -EPROTO when it is none. *status is its status code.
 */
int http_response_forward(const char *head, size_t size, int *status, struct buffer *out);

/* Whether a response's field ends at this hop ("Name: value", any case). Transfer-Encoding does
 * not count: the body goes on as it is. */
bool http_response_drops(const char *line, size_t size);
