/*
 * The proxy port: a TCP socket that listens on 127.0.0.1 inside the sandbox. What is said on its
 * connections is between the program that connects and the egress proxy outside; the shim parses
 * nothing of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "transport/error.h"

/* Listens. Brings the loopback interface up if it is down, which takes CAP_NET_ADMIN. Returns the
 * descriptor (non-blocking, close-on-exec), or a negative code. */
int proxy_open(uint16_t port, struct bj_error *error);

/* Takes the next connection (as above); -EAGAIN when none waits, another code when the system is
 * short of something. */
int proxy_accept(int listener);

/* Whether all that the program sent is read, and it has not closed its end. */
bool proxy_is_idle(int fd);

/* Closes a connection so that the program inside sees it reset, not ended. */
void proxy_reset(int fd);
