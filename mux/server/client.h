/*
 * Connections of clients to server.sock: accept, calls, subscriptions, notifications.
 *
 * State changes are coalesced: a changed object is marked, and soon sent once to every subscriber.
 * A client that does not read is skipped, gets the whole state when it has caught up, and is
 * dropped when more than CLIENT_BACKLOG_MAX bytes wait for it; it never delays anybody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/server/server.h"
#include "transport/rpc.h"

#define CLIENT_BACKLOG_SOFT (256U * 1024)
#define CLIENT_BACKLOG_MAX  (4U * 1024 * 1024)
#define CLIENTS_MAX         256
#define CLIENT_LABEL_MAX    40
#define CLIENT_WORD_MAX     16
#define CLIENT_ID_MAX       16

struct client {
    struct client *next;
    struct server *server;
    struct bj_rpc rpc;
    struct call *calls; /* not answered yet */
    bool subscribed, dashboard, behind;
    bool readonly;   /* it said so: for good */
    bool typing;     /* what its human types goes to the agent of `focus` */
    uint64_t number; /* for the audit log, counts up */
    double since;    /* unix seconds: connected */
    char user[CLIENT_WORD_MAX], from[CLIENT_WORD_MAX]; /* parts of the label; clean */
    char focus[CLIENT_ID_MAX]; /* id of the sandbox that its human looks at; "": none */
    /* What others are told it is: its kind, its user as the kernel knows it and, in quotation
     * marks, what it says of itself. */
    char label[CLIENT_LABEL_MAX];
    char session[NAME_SIZE];
};

/* A call that may be answered later, whether or not its client is still there. */
struct call {
    struct call *next;
    struct client *client; /* NULL when it went away */
    uint32_t id;
};

/* NULL when out of memory (the call has been answered so). */
struct call *call_keep(struct client *client, uint32_t id);

/* The packer for the result, or NULL when nobody waits for it; then call_done(). */
msgpack_packer *call_result(struct call *call);
void call_done(struct call *call);
void call_fail(struct call *call, const struct bj_error *error);

void client_accept(struct server *server);
void clients_close(struct server *server);
/* Dashboards that are attached to a session, NULL: to any. */
size_t clients_count(const struct server *server, const char *session);
bool clients_subscribed(const struct server *server);

/* From now on this client gets notifications; the current state comes first. */
void client_subscribe(struct client *client);

/* Sends what changed, soon. */
void clients_schedule(struct server *server);
void clients_flush(struct server *server);

/* Who is attached, or where they look, is not what it was: subscribers are told soon. */
void clients_crowd_changed(struct server *server);

/* These go out at once. */
void clients_send_request(struct server *server, const struct request *request);
void clients_send_request_gone(struct server *server, const struct request *request,
                               const char *outcome, const char *by);
void clients_send_rules(struct server *server);
void clients_send_gone(struct server *server, const struct sandbox *sandbox);
void clients_send_session(struct server *server, const struct session *session);
void clients_send_stopping(struct server *server, bool killed);
size_t clients_send_detach(struct server *server, const char *session);
