/*
 * What the parts of the link share: link.c moves bytes, link_messages.c carries out messages,
 * link_admission.c decides who is read from.
 */
#pragma once

#include "mux/monitor/link.h"
#include "transport/message.h"

/* Takes over the descriptor of the admitted process. */
void link_adopt(struct monitor *monitor, int fd, pid_t pid);

/* Ends the connection, if there is one. */
void link_disconnect(struct monitor *monitor, const char *why);

/* Adds a message; one that finds no memory marks the buffer as failed. */
void link_encode(struct bytes *out, const struct bj_message *message);

/* Queue a message; link_flush lets it go. */
void link_send(struct monitor *monitor, const struct bj_message *message);
void link_send_uints(struct monitor *monitor, enum bj_message_type type, uint32_t channel,
                     size_t count, const uint64_t *values);
void link_send_verdict(struct monitor *monitor, uint32_t channel, enum bj_answer answer,
                       const char *reason);
void link_flush(struct monitor *monitor);

/* 0 or -EPROTO with the reason. */
int link_take_message(struct monitor *monitor, struct link_connection *connection,
                      const struct bj_message *message, struct bj_error *error);

/* Grants what there is room for, or, while it is paced, sees to it that more is granted later. */
void link_grant(struct monitor *monitor);

/* Asks that were open before a reconnect and were not asked again are gone. */
void link_drop_unconfirmed(struct monitor *monitor);
void link_watch_unconfirmed(struct monitor *monitor);
