#include "mux/egress/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_MAX 1024
#define PHRASE_MAX   300 /* bytes of the sentence in the status line */

struct kind {
    int status;
    enum socks_reply socks;
    const char *phrase;
    const char *type; /* RFC 9209 2.3 */
};

static const struct kind kinds[] = {
    [ANSWER_BAD_REQUEST] = {400, SOCKS_FAILURE, "Bad Request", "http_request_error"},
    [ANSWER_DENIED] = {403, SOCKS_DENIED, "Denied", "http_request_denied"},
    [ANSWER_REFUSED_ADDRESS] = {403, SOCKS_DENIED, "Denied", "destination_ip_prohibited"},
    [ANSWER_NO_SUCH_PLACE] = {404, SOCKS_FAILURE, "Not Found", "http_request_error"},
    [ANSWER_SLOW_HEAD] = {408, SOCKS_FAILURE, "Request Timeout", "http_request_error"},
    [ANSWER_LARGE_HEAD] = {431, SOCKS_FAILURE, "Header Too Large", "http_request_error"},
    [ANSWER_BUSY] = {503, SOCKS_FAILURE, "Busy", "connection_limit_reached"},
    [ANSWER_NO_ADDRESS] = {502, SOCKS_UNREACHABLE, "Bad Gateway", "dns_error"},
    [ANSWER_NO_CONNECTION] = {502, SOCKS_REFUSED, "Bad Gateway", "destination_unavailable"},
    [ANSWER_BAD_RESPONSE] = {502, SOCKS_FAILURE, "Bad Gateway", "http_protocol_error"},
    [ANSWER_NOBODY_DECIDED] = {504, SOCKS_EXPIRED, "Nobody Decided", "connection_timeout"},
};

enum socks_reply answer_socks(enum answer answer)
{
    return kinds[answer].socks;
}

int answer_http(enum answer answer, const char *sentence, struct buffer *out)
{
    const struct kind *kind = &kinds[answer];
    char clean[SENTENCE_MAX];
    snprintf(clean, sizeof(clean), "%s", sentence);
    for (char *at = clean; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = ' ';
    char head[SENTENCE_MAX];
    int size = snprintf(head, sizeof(head),
                        "HTTP/1.1 %d %s (Belljar: %.*s)\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: %zu\r\n"
                        "Proxy-Status: belljar; error=%s\r\n"
                        "Connection: close\r\n\r\n",
                        kind->status, kind->phrase, PHRASE_MAX, clean,
                        strlen("Belljar: \n") + strlen(clean), kind->type);
    int failed = buffer_append(out, head, (size_t)size);
    failed |= buffer_append(out, "Belljar: ", strlen("Belljar: "));
    failed |= buffer_append(out, clean, strlen(clean));
    failed |= buffer_append(out, "\n", 1);
    return failed ? -ENOMEM : 0;
}
