#include "mux/egress/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct range4 {
    uint32_t base;
    int bits;
    const char *what;
};

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

/* The first match names it, so single addresses stand before the ranges around them. */
static const struct range4 ranges4[] = {
    {IP(169, 254, 169, 254), 32, "a cloud metadata address"},
    {IP(169, 254, 170, 2), 32, "a cloud metadata address"},
    {IP(168, 63, 129, 16), 32, "a cloud metadata address"},
    {IP(100, 100, 100, 200), 32, "a cloud metadata address"},
    {IP(192, 0, 0, 192), 32, "a cloud metadata address"},
    {IP(0, 0, 0, 0), 8, "an unspecified address"},
    {IP(10, 0, 0, 0), 8, "a private address"},
    {IP(100, 64, 0, 0), 10, "a carrier's shared address"},
    {IP(127, 0, 0, 0), 8, "a loopback address"},
    {IP(169, 254, 0, 0), 16, "a link-local address"},
    {IP(172, 16, 0, 0), 12, "a private address"},
    {IP(192, 0, 0, 0), 24, "a reserved address"},
    {IP(192, 0, 2, 0), 24, "a documentation address"},
    {IP(192, 88, 99, 0), 24, "a reserved address"},
    {IP(192, 168, 0, 0), 16, "a private address"},
    {IP(198, 18, 0, 0), 15, "a benchmarking address"},
    {IP(198, 51, 100, 0), 24, "a documentation address"},
    {IP(203, 0, 113, 0), 24, "a documentation address"},
    {IP(224, 0, 0, 0), 4, "a multicast address"},
    {IP(240, 0, 0, 0), 4, "a reserved address"},
};

struct range6 {
    uint8_t base[16];
    int bits;
    const char *what; /* NULL: not refused as such, but for the IPv4 address in it */
    int inner;        /* byte at which an IPv4 address is wrapped, 0 for none */
};

static const struct range6 ranges6[] = {
    {{0}, 128, "an unspecified address", 0},
    {{[15] = 1}, 128, "a loopback address", 0},
    {{[10] = 0xff, [11] = 0xff}, 96, NULL, 12}, /* mapped */
    {{[8] = 0xff, [9] = 0xff}, 96, NULL, 12},   /* translated, RFC 2765 */
    {{0}, 96, "an IPv4-compatible address", 0}, /* deprecated */
    {{0x00, 0x64, 0xff, 0x9b}, 96, NULL, 12},   /* NAT64 */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "a local NAT64 address", 0},
    {{0x01, 0x00}, 64, "a discard address", 0},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "a documentation address", 0},
    {{0x20, 0x01}, 23, "a reserved address", 0}, /* Teredo, ORCHID, ... */
    {{0x20, 0x02}, 16, NULL, 2},                 /* 6to4 */
    {{0x3f, 0xff}, 20, "a documentation address", 0},
    {{0xfd, 0x00, 0x0e, 0xc2, [15] = 0x54, [14] = 0x02}, 128, "a cloud metadata address", 0},
    {{0xfc}, 7, "a private address", 0},
    {{0xfe, 0x80}, 10, "a link-local address", 0},
    {{0xfe, 0xc0}, 10, "a private address", 0},
    {{0xff}, 8, "a multicast address", 0},
};

static const char *refusal4(uint32_t address)
{
    for (size_t i = 0; i < sizeof(ranges4) / sizeof(ranges4[0]); i++)
        if ((address ^ ranges4[i].base) >> (32 - ranges4[i].bits) == 0)
            return ranges4[i].what;
    return NULL;
}

static bool in_range6(const uint8_t *address, const struct range6 *range)
{
    int whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(address, range->base, (size_t)whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ range->base[whole]) >> (8 - rest) == 0;
}

static uint32_t read4(const uint8_t *at)
{
    return IP(at[0], at[1], at[2], at[3]);
}

static const char *refusal6(const uint8_t *address)
{
    for (size_t i = 0; i < sizeof(ranges6) / sizeof(ranges6[0]); i++)
        if (in_range6(address, &ranges6[i]))
            return ranges6[i].what ? ranges6[i].what : refusal4(read4(address + ranges6[i].inner));
    /* ISATAP: an interface identifier of 0:5efe or 200:5efe and the IPv4 address. */
    if ((address[8] & 0xfd) == 0 && address[9] == 0 && address[10] == 0x5e && address[11] == 0xfe)
        return refusal4(read4(address + 12));
    /* Everything that is global unicast lies in 2000::/3. */
    if (address[0] >> 5 != 1)
        return "a reserved address";
    return NULL;
}

const char *address_refusal(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return refusal4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return refusal6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    return "an address of an unknown family";
}

void address_text(const struct sockaddr *address, char out[ADDRESS_TEXT_MAX])
{
    const void *bytes = NULL;
    if (address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)address)->sin_addr;
    else if (address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (!bytes || !inet_ntop(address->sa_family, bytes, out, ADDRESS_TEXT_MAX))
        snprintf(out, ADDRESS_TEXT_MAX, "unknown");
}
