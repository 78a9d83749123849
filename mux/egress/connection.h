/*
 * One connection that a program in the sandbox made to the proxy port, from its first byte to its
 * end: says which protocol it is, asks for the verdict, connects, and passes bytes on.
 *
 * Freed by itself once its stream is closed and all it used has ended.
 */
#pragma once

#include "mux/egress/egress.h"

struct stream *connection_opened(struct streams *set);
void connection_data(struct stream *stream, const char *bytes, size_t size);
void connection_eof(struct stream *stream);
void connection_writable(struct stream *stream);
void connection_closed(struct stream *stream);

/* Closes what is open to the host, or to all hosts when NULL; port 0 means all of its ports. */
void connections_revoke(struct egress *egress, const struct host *host, uint16_t port,
                        const char *reason);
