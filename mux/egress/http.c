#include "mux/egress/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 9110 7.6.1, and what proxies of old left behind. */
static const char *const hop_by_hop[] = {
    "connection",         "keep-alive", "proxy-connection", "proxy-authorization",
    "proxy-authenticate", "te",         "upgrade",          "http2-settings",
};

/* Fields that a Connection field must not name: they say how the message is read. */
static const char *const never_hop_by_hop[] = {"host", "content-length", "transfer-encoding",
                                               "trailer"};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool is_token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_token_char((unsigned char)text[i]))
            return false;
    return size > 0;
}

static bool equals(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static bool in_table(const char *const *table, size_t count, const char *text, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (equals(text, size, table[i]))
            return true;
    return false;
}

size_t http_head_end(const char *bytes, size_t size)
{
    /* A bare line feed ends a head too, for the strict parser to refuse it. */
    for (size_t i = 0; i + 1 < size; i++) {
        if (bytes[i] != '\n')
            continue;
        if (bytes[i + 1] == '\n')
            return i + 2;
        if (bytes[i + 1] == '\r' && i + 2 < size && bytes[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

static const char *slice_text(const struct http_request *request, struct http_slice slice)
{
    return request->head + slice.at;
}

bool http_slice_is(const struct http_request *request, struct http_slice slice, const char *text)
{
    return slice.size == strlen(text) && memcmp(slice_text(request, slice), text, slice.size) == 0;
}

bool http_name_is(const struct http_request *request, struct http_slice name, const char *text)
{
    return equals(slice_text(request, name), name.size, text);
}

static struct http_slice slice(const struct http_request *request, const char *from, const char *to)
{
    return (struct http_slice){(uint32_t)(from - request->head), (uint32_t)(to - from)};
}

/* METHOD SP target SP HTTP/1.x: exactly one space each, nothing but visible ASCII. */
static int parse_request_line(struct http_request *request, const char *line, size_t size,
                              struct bj_error *error)
{
    const char *end = line + size;
    const char *first = memchr(line, ' ', size);
    const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, ' ', (size_t)(end - second - 1)))
        return bj_fail(error, -EINVAL, "the request line is not METHOD TARGET VERSION");
    if (!is_token(line, (size_t)(first - line)))
        return bj_fail(error, -EINVAL, "the request method is no token");
    for (const char *at = first + 1; at < second; at++)
        if (*at <= 0x20 || *at >= 0x7f)
            return bj_fail(error, -EINVAL, "the request target has a byte that is not allowed");
    if (second == first + 1)
        return bj_fail(error, -EINVAL, "the request target is empty");
    if (end - second - 1 != 8 || memcmp(second + 1, "HTTP/1.", 7) != 0 ||
        (end[-1] != '0' && end[-1] != '1'))
        return bj_fail(error, -EINVAL, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    request->method = slice(request, line, first);
    request->target = slice(request, first + 1, second);
    request->minor = end[-1] - '0';
    return 0;
}

static int parse_header(struct http_request *request, const char *line, size_t size,
                        struct bj_error *error)
{
    if (line[0] == ' ' || line[0] == '\t')
        return bj_fail(error, -EINVAL, "a header line must not be folded");
    const char *colon = memchr(line, ':', size);
    if (!colon || !is_token(line, (size_t)(colon - line)))
        return bj_fail(error, -EINVAL, "a header line is not NAME: VALUE");
    const char *from = colon + 1, *to = line + size;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    for (const char *at = from; at < to; at++)
        if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f)
            return bj_fail(error, -EINVAL, "a header value has a control character in it");
    if (request->count == HTTP_HEADERS_MAX)
        return bj_fail(error, -EINVAL, "more than %d header lines", HTTP_HEADERS_MAX);
    request->headers[request->count++] =
        (struct http_header){slice(request, line, colon), slice(request, from, to)};
    return 0;
}

static int parse_lines(struct http_request *request, struct bj_error *error)
{
    const char *at = request->head, *end = request->head + request->head_size;
    for (bool first = true;; first = false) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        if (!feed || feed == at || feed[-1] != '\r')
            return bj_fail(error, -EINVAL, "a header line does not end in CR LF");
        size_t size = (size_t)(feed - at) - 1;
        if (memchr(at, '\r', size) || memchr(at, '\0', size))
            return bj_fail(error, -EINVAL, "a header line has a bare CR or a NUL in it");
        if (size == 0)
            return first ? bj_fail(error, -EINVAL, "the request line is empty") : 0;
        int status = first ? parse_request_line(request, at, size, error)
                           : parse_header(request, at, size, error);
        if (status < 0)
            return status;
        at = feed + 1;
    }
}

static int parse_target(struct http_request *request, struct bj_error *error)
{
    const char *target = slice_text(request, request->target);
    size_t size = request->target.size;
    if (memchr(target, '#', size))
        return bj_fail(error, -EINVAL, "a request target has no # part");
    if (http_slice_is(request, request->method, "CONNECT")) {
        request->form = HTTP_CONNECT;
        return host_parse_authority(&request->host, &request->port, 0, target, size, error);
    }
    if (target[0] == '/') {
        request->form = HTTP_ORIGIN;
        request->path = request->target;
        return 0;
    }
    if (size < 7 || strncasecmp(target, "http://", 7) != 0)
        return bj_fail(error, -EINVAL,
                       "only http:// URLs are proxied like this: use CONNECT for others");
    request->form = HTTP_ABSOLUTE;
    const char *from = target + 7, *end = target + size, *to = from;
    while (to < end && *to != '/' && *to != '?')
        to++;
    request->path = slice(request, to, end);
    return host_parse_authority(&request->host, &request->port, 80, from, (size_t)(to - from),
                                error);
}

/* The Host field must say what the URL says (ATTACKS: a Host header that differs). */
static int check_host(const struct http_request *request, struct bj_error *error)
{
    const struct http_header *found = NULL;
    for (size_t i = 0; i < request->count; i++) {
        if (!http_name_is(request, request->headers[i].name, "host"))
            continue;
        if (found)
            return bj_fail(error, -EINVAL, "more than one Host header");
        found = &request->headers[i];
    }
    if (!found)
        return request->minor == 0 || request->form == HTTP_CONNECT
                   ? 0
                   : bj_fail(error, -EINVAL, "the Host header is missing");
    if (request->form == HTTP_ORIGIN)
        return 0;
    struct host host;
    uint16_t port;
    uint16_t fallback = request->form == HTTP_CONNECT ? request->port : 80;
    int status = host_parse_authority(&host, &port, fallback, slice_text(request, found->value),
                                      found->value.size, error);
    if (status < 0)
        return status;
    if (!host_equal(&host, &request->host) || port != request->port)
        return bj_fail(error, -EINVAL, "the Host header names another host than the URL");
    return 0;
}

static int parse_length(struct http_request *request, struct http_slice value,
                        struct bj_error *error)
{
    const char *text = slice_text(request, value);
    uint64_t length = 0;
    bool fits = value.size > 0 && value.size <= 18 && (text[0] != '0' || value.size == 1);
    for (size_t i = 0; fits && i < value.size; i++) {
        fits = text[i] >= '0' && text[i] <= '9';
        length = length * 10 + (uint64_t)(text[i] - '0');
    }
    if (!fits)
        return bj_fail(error, -EINVAL, "the Content-Length is no plain number");
    request->length = length;
    return 0;
}

static int check_framing(struct http_request *request, struct bj_error *error)
{
    int lengths = 0, encodings = 0;
    for (size_t i = 0; i < request->count; i++) {
        const struct http_header *header = &request->headers[i];
        if (http_name_is(request, header->name, "content-length")) {
            lengths++;
            int status = parse_length(request, header->value, error);
            if (status < 0)
                return status;
        } else if (http_name_is(request, header->name, "transfer-encoding")) {
            encodings++;
            if (!http_name_is(request, header->value, "chunked"))
                return bj_fail(error, -EINVAL, "only the transfer encoding chunked is known here");
        }
    }
    if (lengths > 1 || encodings > 1 || (lengths && encodings))
        return bj_fail(error, -EINVAL, "the length of the body is given more than once");
    if (encodings && request->minor == 0)
        return bj_fail(error, -EINVAL, "HTTP/1.0 has no transfer encodings");
    if ((lengths || encodings) && request->form == HTTP_CONNECT && (encodings || request->length))
        return bj_fail(error, -EINVAL, "CONNECT has no body");
    request->framing = encodings ? HTTP_CHUNKED : lengths ? HTTP_LENGTH : HTTP_NO_BODY;
    return 0;
}

/* Calls `test` words of a comma separated list; returns whether `word` is one of them. */
static bool list_has(const char *list, size_t size, const char *word, size_t word_size)
{
    for (size_t at = 0; at < size;) {
        const char *comma = memchr(list + at, ',', size - at);
        size_t end = comma ? (size_t)(comma - list) : size, from = at, to = end;
        while (from < to && (list[from] == ' ' || list[from] == '\t'))
            from++;
        while (to > from && (list[to - 1] == ' ' || list[to - 1] == '\t'))
            to--;
        if (to - from == word_size && strncasecmp(list + from, word, word_size) == 0)
            return true;
        at = end + 1;
    }
    return false;
}

static bool named_by_connection(const struct http_request *request, const char *name, size_t size)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct http_header *header = &request->headers[i];
        if ((http_name_is(request, header->name, "connection") ||
             http_name_is(request, header->name, "proxy-connection")) &&
            list_has(slice_text(request, header->value), header->value.size, name, size))
            return true;
    }
    return false;
}

int http_request_parse(struct http_request *request, const char *head, size_t size,
                       struct bj_error *error)
{
    *request = (struct http_request){.head = malloc(size), .head_size = size};
    if (!request->head)
        return bj_fail(error, -ENOMEM, "out of memory");
    memcpy(request->head, head, size);
    int status = parse_lines(request, error);
    if (status == 0)
        status = parse_target(request, error);
    if (status == 0)
        status = check_host(request, error);
    if (status == 0)
        status = check_framing(request, error);
    for (size_t i = 0; status == 0 && i < COUNT(never_hop_by_hop); i++)
        if (named_by_connection(request, never_hop_by_hop[i], strlen(never_hop_by_hop[i])))
            status = bj_fail(error, -EINVAL, "the Connection header must not name %s",
                             never_hop_by_hop[i]);
    return status;
}

void http_request_free(struct http_request *request)
{
    free(request->head);
    request->head = NULL;
}

bool http_is_hop_by_hop(const struct http_request *request, const struct http_header *header)
{
    const char *name = slice_text(request, header->name);
    return in_table(hop_by_hop, COUNT(hop_by_hop), name, header->name.size) ||
           named_by_connection(request, name, header->name.size);
}

static int append_text(struct buffer *out, const char *text)
{
    return buffer_append(out, text, strlen(text));
}

static int append_slice(struct buffer *out, const struct http_request *request,
                        struct http_slice part)
{
    return buffer_append(out, slice_text(request, part), part.size);
}

int http_request_forward(const struct http_request *request, struct buffer *out)
{
    char authority[HOST_AUTHORITY_MAX];
    host_authority(&request->host, request->port, 80, authority);
    int status = append_slice(out, request, request->method);
    status |= append_text(out, " ");
    if (request->path.size == 0 || slice_text(request, request->path)[0] != '/')
        status |= append_text(out, "/");
    status |= append_slice(out, request, request->path);
    status |= append_text(out, request->minor ? " HTTP/1.1\r\nHost: " : " HTTP/1.0\r\nHost: ");
    status |= append_text(out, authority);
    status |= append_text(out, "\r\n");
    for (size_t i = 0; i < request->count; i++) {
        const struct http_header *header = &request->headers[i];
        if (http_name_is(request, header->name, "host") || http_is_hop_by_hop(request, header))
            continue;
        status |= append_slice(out, request, header->name);
        status |= append_text(out, ": ");
        status |= append_slice(out, request, header->value);
        status |= append_text(out, "\r\n");
    }
    status |= append_text(out, "Connection: close\r\n\r\n");
    return status ? -ENOMEM : 0;
}

bool http_response_drops(const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    return !colon || in_table(hop_by_hop, COUNT(hop_by_hop), line, (size_t)(colon - line));
}

int http_response_forward(const char *head, size_t size, int *status, struct buffer *out)
{
    /* "HTTP/1.1 200" is the least. Servers are read more kindly than agents: they are not the ones
     * who could smuggle a request, and the response ends with the connection. */
    if (size < 12 || memcmp(head, "HTTP/1.", 7) != 0 || head[8] != ' ')
        return -EPROTO;
    *status = atoi(head + 9);
    if (*status < 100 || *status > 999)
        return -EPROTO;
    int failed = 0;
    const char *at = head, *end = head + size;
    for (bool first = true; at < end; first = false) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        if (!feed)
            return -EPROTO;
        size_t line = (size_t)(feed - at);
        if (line > 0 && at[line - 1] == '\r')
            line--;
        if (line == 0)
            break;
        if (memchr(at, '\r', line) || memchr(at, '\0', line))
            return -EPROTO;
        if (first || !http_response_drops(at, line)) {
            failed |= buffer_append(out, at, line);
            failed |= append_text(out, "\r\n");
        }
        at = feed + 1;
    }
    failed |= append_text(out, *status < 200 ? "\r\n" : "Connection: close\r\n\r\n");
    return failed ? -ENOMEM : 0;
}
