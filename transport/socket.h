/*
 * Unix stream sockets that only their owner can use: mode 0600 in a 0700 directory, and the peer's
 * user checked on every accept. Plain descriptors; the caller owns and closes them.
 */
#pragma once

#include <sys/types.h>

#include "transport/error.h"

/* Listens at `path`, replacing a stale socket file. Returns the descriptor (non-blocking,
 * close-on-exec) or a negative code; -EADDRINUSE when something answers there. */
int bj_socket_listen(const char *path, struct bj_error *error);

/* accept4(2), non-blocking and close-on-exec. -1 when nobody waits, or on any error. Who comes
 * while the process is out of descriptors is hung up on: a listener that stays readable would keep
 * the caller's loop busy. Not thread-safe. */
int bj_socket_accept(int listener);

/* Connects; descriptor as above. -ENOENT or -ECONNREFUSED when nobody listens. */
int bj_socket_connect(const char *path, struct bj_error *error);
/* Waits so many milliseconds for a place among those who wait to be accepted, then -EAGAIN. */
int bj_socket_connect_within(const char *path, int ms, struct bj_error *error);

/* The peer's process, user and group as the kernel knows them (SO_PEERCRED of unix(7)). */
int bj_socket_peer(int descriptor, pid_t *pid, uid_t *uid, gid_t *gid, struct bj_error *error);

/* -EPERM unless the peer runs as `uid`, or as root. */
int bj_socket_check_peer(int descriptor, uid_t uid, struct bj_error *error);
