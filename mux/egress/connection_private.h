/* What the files of a connection share: connection.c (life, input and answers), connection_relay.c
 * (bytes to and from a TCP connection), connection_broker.c (requests with a credential). */
#pragma once

#include "mux/egress/answer.h"
#include "mux/egress/body.h"
#include "mux/egress/connection.h"
#include "mux/egress/http.h"
#include "mux/egress/upstream.h"

enum phase {
    PHASE_HEAD,  /* the first bytes: which protocol, and a request's head */
    PHASE_SOCKS, /* SOCKS: the request after the greeting */
    PHASE_HELD,  /* waits for a credential or a verdict */
    PHASE_CONNECTING,
    PHASE_TUNNEL, /* bytes both ways, unseen */
    PHASE_HTTP,   /* one request and its response */
    PHASE_BROKER,
    PHASE_LINGER, /* everything is said: waits for the client to close */
    PHASE_DEAD,
};

enum protocol {
    PROTOCOL_UNKNOWN,
    PROTOCOL_CONNECT,
    PROTOCOL_HTTP,
    PROTOCOL_SOCKS,
    PROTOCOL_CREDENTIAL
};

struct connection {
    struct connection *next;
    struct egress *egress;
    enum phase phase;
    enum protocol protocol;
    struct stream stream;
    uv_timer_t timer; /* of the phase */
    unsigned pins;    /* what must end before this is freed */

    struct buffer in; /* from the sandbox, not yet used */
    size_t scanned;   /* of a head that is not whole yet */
    struct host host;
    uint16_t port;
    struct http_request *request;
    struct body body; /* of the request */
    struct decision_wait decision;
    struct addresses addresses;

    struct upstream upstream;
    size_t owed;            /* bytes being written upstream for which credit is still to be given */
    struct buffer response; /* head of an HTTP response, as far as it came */
    bool response_done;     /* the head is out */

    struct credential_wait credential_wait;
    struct credential *credential;
    struct broker_call *call;
    size_t path_at; /* in the request's head: what follows the credential's name */
    size_t path_size;

    struct report_host *report;
    uint64_t received, sent, since;
};

/* Says why not, in the client's protocol, and lingers. */
void connection_answer(struct connection *connection, enum answer answer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Idempotent; the stream is closed with the reason, unless it is closed already. */
void connection_end(struct connection *connection, const char *reason);

/* All is said to the client: EOF, and a while for it to close. */
void connection_linger(struct connection *connection);

void connection_unpin(struct connection *connection);

/* Takes bytes from the front of `in` and gives credit for them. */
void connection_take(struct connection *connection, size_t size);

void connection_count(struct connection *connection, uint64_t in, uint64_t out);
void connection_reported(struct connection *connection, const struct sockaddr *address);

/* Asks for the verdict about `host` and `port`. */
void connection_decide(struct connection *connection, const char *protocol);

/* Relay. */
void connection_connect(struct connection *connection); /* to `addresses` */
void connection_pump(struct connection *connection);    /* `in` to the upstream */

/* Broker. True when the request is for it; the phase is then set. */
bool connection_broker_wants(struct connection *connection);
void connection_broker_start(struct connection *connection); /* the verdict is allow */
