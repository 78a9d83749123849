/*
 * The one spelling of a host that rules, requests and connections use.
 *
 * Whatever an agent writes (capitals, a trailing dot, decimal, octal or hexadecimal addresses,
 * IPv4 inside IPv6) becomes either a lower-case DNS name or an address in its usual form; what has
 * no such form is refused. Nothing is resolved. A struct host holds no pointers.
 *
 * Sources: RFC 1035 2.3.4 (sizes), RFC 5952 (IPv6 text), RFC 4291 2.5.5.2 (mapped addresses), and
 * the WHATWG URL standard's IPv4 parser, since its odd forms are what programs accept.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "transport/error.h"

#define HOST_TEXT_MAX 253 /* bytes of a name without its trailing dot */

enum host_kind { HOST_NAME, HOST_IPV4, HOST_IPV6 };

struct host {
    enum host_kind kind;
    char text[HOST_TEXT_MAX + 1]; /* canonical; IPv6 without brackets */
    struct in_addr v4;
    struct in6_addr v6;
};

/* A name or address, IPv6 with or without brackets. -EINVAL with a sentence. */
int host_parse(struct host *host, const char *text, size_t size, struct bj_error *error);

/* "HOST", "HOST:PORT", "[V6]:PORT". Without a port `fallback` is used; 0 makes it required. */
int host_parse_authority(struct host *host, uint16_t *port, uint16_t fallback, const char *text,
                         size_t size, struct bj_error *error);

void host_from_ipv4(struct host *host, const struct in_addr *address);
void host_from_ipv6(struct host *host, const struct in6_addr *address); /* mapped becomes IPv4 */

bool host_equal(const struct host *a, const struct host *b);
bool host_is_address(const struct host *host);
bool host_is_loopback(const struct host *host); /* localhost, 127.0.0.0/8, ::1 */

/* The socket address of a host that is an address; its length, or 0 for a name. */
socklen_t host_sockaddr(const struct host *host, uint16_t port, struct sockaddr_storage *out);

/* As it stands in an authority: brackets around IPv6, ":port" unless it is `fallback`. */
#define HOST_AUTHORITY_MAX (HOST_TEXT_MAX + 9)
void host_authority(const struct host *host, uint16_t port, uint16_t fallback,
                    char out[HOST_AUTHORITY_MAX]);
