/*
 * Which addresses are not "the Internet": loopback, private, link-local, metadata services,
 * multicast, reserved, and each of these wrapped into IPv6. Such an address is connected to only
 * when the policy names it.
 *
 * Sources: the IANA special-purpose address registries (RFC 6890), RFC 6598 (shared address
 * space), RFC 3056 (6to4), RFC 6052 and 8215 (NAT64), RFC 4380 (Teredo), RFC 5214 (ISATAP).
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_MAX 46

/* NULL for a public address, else what it is, e.g. "a private address". Anything but IPv4 and IPv6
 * is never public. */
const char *address_refusal(const struct sockaddr *address);

void address_text(const struct sockaddr *address, char out[ADDRESS_TEXT_MAX]);
