/*
 * Host names and addresses in one spelling each, so that a name is compared as it will be used.
 *
 * A name: ASCII letters, digits, - and _ in labels of 1 to 63 bytes, at most 253 in all, lower
 * case, without the one trailing dot. Names that are not ASCII are refused: they are to be written
 * as A-labels ("xn--..."), which is what resolvers get and what is compared.
 * An address: what inet_pton(3) takes, in the spelling of inet_ntop(3). A name whose last label is
 * a number is an address in disguise (decimal, octal, hexadecimal, fewer than four parts) and is
 * read as one, or refused; an IPv4 address inside IPv6 (::ffff:a.b.c.d) is that IPv4 address.
 * Source: the host parser of the WHATWG URL standard, RFC 1123, RFC 5952.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/error.h"

#define POLICY_HOST_MAX 254 /* bytes with the NUL */

enum policy_host_kind { POLICY_HOST_NAME = 1, POLICY_HOST_IPV4, POLICY_HOST_IPV6 };

struct policy_host {
    enum policy_host_kind kind;
    char text[POLICY_HOST_MAX]; /* canonical, without brackets */
    uint8_t address[16];        /* network byte order: 4 or 16 bytes, zeros for a name */
};

/* One host, IPv6 with or without brackets. -EINVAL for anything odd: user information, control or
 * non-ASCII characters, empty or long labels, ports, percent signs, wildcards, zone ids. */
int policy_host_canonical(const char *text, size_t size, struct policy_host *host,
                          struct bj_error *error);

/* "host", "host:port" or "[v6]:port". Without a port *port becomes `port_default`, or it is refused
 * when that is 0. A port has no sign and no leading zero, and is 1 to 65535. */
int policy_authority_parse(const char *text, size_t size, uint16_t port_default,
                           struct policy_host *host, uint16_t *port, struct bj_error *error);

/* "name:port" or "[v6]:port": the form of egress subjects. */
#define POLICY_AUTHORITY_MAX (POLICY_HOST_MAX + 8)
void policy_authority_format(const struct policy_host *host, uint16_t port,
                             char out[POLICY_AUTHORITY_MAX]);
