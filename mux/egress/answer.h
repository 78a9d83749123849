/*
 * What the proxy itself says to an agent: one table of outcomes, each with its HTTP status, its
 * SOCKS reply and its RFC 9209 error type. The sentence stands in the body and in the status line,
 * since many clients show only the latter for CONNECT.
 */
#pragma once

#include "mux/egress/buffer.h"
#include "mux/egress/socks.h"

enum answer {
    ANSWER_BAD_REQUEST,
    ANSWER_DENIED,
    ANSWER_REFUSED_ADDRESS,
    ANSWER_NO_SUCH_PLACE,
    ANSWER_SLOW_HEAD,
    ANSWER_LARGE_HEAD,
    ANSWER_BUSY,
    ANSWER_NO_ADDRESS,
    ANSWER_NO_CONNECTION,
    ANSWER_BAD_RESPONSE,
    ANSWER_NOBODY_DECIDED,
};

enum socks_reply answer_socks(enum answer answer);

/* A whole HTTP response; control characters in the sentence become spaces. 0 or -ENOMEM. */
int answer_http(enum answer answer, const char *sentence, struct buffer *out);
