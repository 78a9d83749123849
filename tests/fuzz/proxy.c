/*
 * Fuzz target: what a hostile agent may say to the egress proxy, and an upstream behind it. The
 * first byte chooses HTTP, SOCKS or a response, and how the stream is cut. Beyond memory errors it
 * checks that what is forwarded can be read in one way only: as the same request, for this hop.
 */
#include <string.h>

#include "mux/egress/body.h"
#include "mux/egress/http.h"
#include "mux/egress/socks.h"
#include "tests/fuzz/fuzz.h"

/* Bytes of the body, and of them payload, when the stream comes in parts of `step`; the state that
 * it ends in, or an error. */
struct measured {
    size_t taken, payload;
    long status;
    bool done;
};

static struct measured measure(const struct http_request *request, const char *bytes, size_t size,
                               size_t step)
{
    struct measured all = {0};
    struct body body;
    body_init(&body, request);
    while (all.taken < size && !body_is_done(&body)) {
        size_t part = size - all.taken < step ? size - all.taken : step, payload = 0;
        all.status = body_next(&body, bytes + all.taken, part, &payload, NULL);
        if (all.status < 0)
            return all;
        require(all.status > 0 && (size_t)all.status <= part);
        require(payload == 0 || payload == (size_t)all.status);
        all.taken += (size_t)all.status;
        all.payload += payload;
    }
    all.status = 0;
    all.done = body_is_done(&body);
    return all;
}

static void check_body(const struct http_request *request, const char *bytes, size_t size,
                       size_t step)
{
    struct measured whole = measure(request, bytes, size, size ? size : 1);
    struct measured parts = measure(request, bytes, size, step);
    require((whole.status < 0) == (parts.status < 0));
    if (whole.status < 0)
        return;
    require(whole.taken == parts.taken && whole.payload == parts.payload);
    require(whole.done == parts.done);
    if (request->framing == HTTP_LENGTH)
        require(whole.payload <= request->length);
}

static void check_forward(const struct http_request *request)
{
    struct buffer out = {0};
    if (http_request_forward(request, &out) < 0)
        return;
    const char *bytes = buffer_data(&out);
    size_t size = buffer_size(&out), hosts = 0;
    struct http_request again = {0};
    require(http_head_end(bytes, size) == size);
    /* Two lines are ours: what just fits may be over the bounds of this parser then. */
    if (size <= HTTP_HEAD_MAX && request->count + 2 <= HTTP_HEADERS_MAX) {
        require(http_request_parse(&again, bytes, size, NULL) == 0);
        require(again.form == HTTP_ORIGIN && again.framing == request->framing);
        require(again.length == request->length);
        for (size_t i = 0; i < again.count; i++)
            hosts += http_name_is(&again, again.headers[i].name, "host");
        require(hosts == 1);
    }
    http_request_free(&again);
    buffer_free(&out);
}

static void fuzz_request(const char *bytes, size_t size, size_t step)
{
    struct bj_error error = {0};
    struct http_request request = {0};
    size_t end = http_head_end(bytes, size);
    require(end <= size);
    if (end == 0)
        return;
    if (http_request_parse(&request, bytes, end, &error) < 0) {
        require(error.text[0] != '\0');
    } else {
        if (request.form != HTTP_ORIGIN) {
            char text[HOST_AUTHORITY_MAX];
            struct host host;
            uint16_t port;
            host_authority(&request.host, request.port, 0, text);
            require(host_parse_authority(&host, &port, 0, text, strlen(text), NULL) == 0);
            require(host_equal(&host, &request.host) && port == request.port);
        }
        if (request.form == HTTP_ABSOLUTE)
            check_forward(&request);
        check_body(&request, bytes + end, size - end, step);
    }
    http_request_free(&request);
}

static void fuzz_socks(const char *bytes, size_t size)
{
    const uint8_t *from = (const uint8_t *)bytes;
    uint8_t method = 0;
    long greeting = 0, request = 0;
    for (size_t have = 0; have <= size && greeting == 0; have++)
        greeting = socks_greeting(from, have, &method, NULL);
    require(socks_greeting(from, size, &method, NULL) == greeting);
    if (greeting <= 0)
        return;
    require((size_t)greeting <= size && (method == 0 || method == 0xff));
    from += greeting;
    size -= (size_t)greeting;
    struct host host;
    uint16_t port = 0;
    enum socks_reply reply = SOCKS_OK;
    for (size_t have = 0; have <= size && request == 0; have++)
        request = socks_request(from, have, &host, &port, &reply, NULL);
    require(socks_request(from, size, &host, &port, &reply, NULL) == request);
    if (request > 0)
        require((size_t)request <= size && host.text[0]);
}

static void fuzz_response(const char *bytes, size_t size)
{
    struct buffer out = {0};
    int status = 0;
    size_t end = http_head_end(bytes, size);
    if (end > 0 && http_response_forward(bytes, end, &status, &out) == 0) {
        require(status >= 100 && status <= 999);
        require(http_head_end(buffer_data(&out), buffer_size(&out)) == buffer_size(&out));
    }
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    char *bytes = fuzz_copy(data + 1, size - 1);
    size_t step = 1U + (data[0] >> 2);
    if (data[0] % 4 == 0)
        fuzz_socks(bytes, size - 1);
    else if (data[0] % 4 == 1)
        fuzz_response(bytes, size - 1);
    else
        fuzz_request(bytes, size - 1, step);
    free(bytes);
    return 0;
}
