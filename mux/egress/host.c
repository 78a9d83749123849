#include "mux/egress/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 63

/* Locale-free; bytes above 127 are no letters here. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

void host_from_ipv4(struct host *host, const struct in_addr *address)
{
    *host = (struct host){.kind = HOST_IPV4, .v4 = *address};
    inet_ntop(AF_INET, address, host->text, sizeof(host->text));
}

void host_from_ipv6(struct host *host, const struct in6_addr *address)
{
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        struct in_addr inner;
        memcpy(&inner, &address->s6_addr[12], sizeof(inner));
        host_from_ipv4(host, &inner);
        return;
    }
    *host = (struct host){.kind = HOST_IPV6, .v6 = *address};
    inet_ntop(AF_INET6, address, host->text, sizeof(host->text));
}

static int parse_ipv6(struct host *host, const char *text, size_t size, struct bj_error *error)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (size >= sizeof(copy))
        return bj_fail(error, -EINVAL, "this IPv6 address is too long");
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (memchr(copy, '\0', size) || inet_pton(AF_INET6, copy, &address) != 1)
        return bj_fail(error, -EINVAL, "this is no IPv6 address (zones are not allowed)");
    host_from_ipv6(host, &address);
    return 0;
}

/* One part of an IPv4 address: decimal, 0 octal, 0x hexadecimal. -1 when it is none of these. */
static int64_t parse_number(const char *text, size_t size)
{
    int base = 10;
    if (size >= 2 && text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
        size -= 2;
        if (size == 0)
            return 0;
    } else if (size >= 2 && text[0] == '0') {
        base = 8;
        text++;
        size--;
    }
    int64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        int digit = digit_value(text[i]);
        if (digit >= base)
            return -1;
        value = value * base + digit;
        if (value > UINT32_MAX)
            return -1;
    }
    return size > 0 ? value : -1;
}

/* Whether programs would read the name as an address: its last label is a number. */
static bool ends_in_number(const char *text, size_t size)
{
    size_t start = size;
    while (start > 0 && text[start - 1] != '.')
        start--;
    bool digits = start < size;
    for (size_t i = start; i < size; i++)
        digits = digits && is_digit(text[i]);
    return digits || parse_number(text + start, size - start) >= 0;
}

static int parse_ipv4(struct host *host, const char *text, size_t size, struct bj_error *error)
{
    int64_t parts[4];
    size_t count = 0;
    for (size_t start = 0; start <= size; count++) {
        const char *dot = memchr(text + start, '.', size - start);
        size_t end = dot ? (size_t)(dot - text) : size;
        if (count == 4 || (parts[count] = parse_number(text + start, end - start)) < 0)
            return bj_fail(error, -EINVAL, "this looks like an IPv4 address, but is none");
        start = end + 1;
    }
    /* The last part fills all bytes that are left: 127.1 is 127.0.0.1. */
    uint64_t value = (uint64_t)parts[count - 1];
    bool fits = value < 1ULL << (8 * (5 - count));
    for (size_t i = 0; i + 1 < count; i++) {
        fits = fits && parts[i] <= 255;
        value += (uint64_t)parts[i] << (8 * (3 - i));
    }
    if (!fits)
        return bj_fail(error, -EINVAL, "this looks like an IPv4 address, but is none");
    struct in_addr address = {.s_addr = htonl((uint32_t)value)};
    host_from_ipv4(host, &address);
    return 0;
}

static int check_name(const char *text, size_t size, struct bj_error *error)
{
    size_t label = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i == size || text[i] == '.') {
            if (label == 0)
                return bj_fail(error, -EINVAL, "a host name must not have an empty label");
            if (label > LABEL_MAX)
                return bj_fail(error, -EINVAL, "a label of a host name has at most %d bytes",
                               LABEL_MAX);
            label = 0;
            continue;
        }
        char c = text[i];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_')
            return bj_fail(error, -EINVAL,
                           "a host name has only letters, digits, - _ and . in it (others in "
                           "their xn-- form), not byte 0x%02x",
                           (unsigned char)c);
        label++;
    }
    return 0;
}

int host_parse(struct host *host, const char *text, size_t size, struct bj_error *error)
{
    if (size == 0)
        return bj_fail(error, -EINVAL, "the host name is empty");
    if (size > HOST_TEXT_MAX + 1)
        return bj_fail(error, -EINVAL, "a host name has at most %d bytes", HOST_TEXT_MAX);
    if (text[0] == '[') {
        if (size < 2 || text[size - 1] != ']')
            return bj_fail(error, -EINVAL, "the closing bracket of an IPv6 address is missing");
        return parse_ipv6(host, text + 1, size - 2, error);
    }
    if (memchr(text, ':', size))
        return parse_ipv6(host, text, size, error);

    if (text[size - 1] == '.')
        size--;
    if (size > HOST_TEXT_MAX)
        return bj_fail(error, -EINVAL, "a host name has at most %d bytes", HOST_TEXT_MAX);
    char copy[HOST_TEXT_MAX + 1];
    for (size_t i = 0; i < size; i++)
        copy[i] = lower(text[i]);
    int status = check_name(copy, size, error);
    if (status < 0)
        return status;
    if (ends_in_number(copy, size))
        return parse_ipv4(host, copy, size, error);
    *host = (struct host){.kind = HOST_NAME};
    memcpy(host->text, copy, size);
    return 0;
}

static int parse_port(uint16_t *port, const char *text, size_t size, struct bj_error *error)
{
    unsigned value = 0;
    bool fits = size > 0 && size <= 5 && text[0] != '0';
    for (size_t i = 0; fits && i < size; i++) {
        fits = is_digit(text[i]);
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    if (!fits || value > UINT16_MAX)
        return bj_fail(error, -EINVAL, "a port is a number from 1 to 65535");
    *port = (uint16_t)value;
    return 0;
}

int host_parse_authority(struct host *host, uint16_t *port, uint16_t fallback, const char *text,
                         size_t size, struct bj_error *error)
{
    /* Without brackets a second colon is not part of an authority (RFC 3986 3.2.2). */
    const char *end = text;
    if (size > 0 && text[0] == '[') {
        end = memchr(text, ']', size);
        if (!end)
            return bj_fail(error, -EINVAL, "the closing bracket of an IPv6 address is missing");
        end++;
    } else {
        const char *colon = memchr(text, ':', size);
        end = colon ? colon : text + size;
    }
    size_t host_size = (size_t)(end - text);
    int status = host_parse(host, text, host_size, error);
    if (status < 0)
        return status;
    if (host_size == size) {
        if (fallback == 0)
            return bj_fail(error, -EINVAL, "the port is missing: write %s:443", host->text);
        *port = fallback;
        return 0;
    }
    if (*end != ':')
        return bj_fail(error, -EINVAL, "after an IPv6 address only a port may follow");
    return parse_port(port, end + 1, size - host_size - 1, error);
}

bool host_equal(const struct host *a, const struct host *b)
{
    return a->kind == b->kind && strcmp(a->text, b->text) == 0;
}

bool host_is_address(const struct host *host)
{
    return host->kind != HOST_NAME;
}

bool host_is_loopback(const struct host *host)
{
    switch (host->kind) {
    case HOST_NAME:
        return strcmp(host->text, "localhost") == 0;
    case HOST_IPV4:
        return ntohl(host->v4.s_addr) >> 24 == 127;
    case HOST_IPV6:
        return IN6_IS_ADDR_LOOPBACK(&host->v6);
    }
    return false;
}

socklen_t host_sockaddr(const struct host *host, uint16_t port, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    if (host->kind == HOST_IPV4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)out;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        v4->sin_addr = host->v4;
        return sizeof(*v4);
    }
    if (host->kind == HOST_IPV6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        v6->sin6_addr = host->v6;
        return sizeof(*v6);
    }
    return 0;
}

void host_authority(const struct host *host, uint16_t port, uint16_t fallback,
                    char out[HOST_AUTHORITY_MAX])
{
    bool v6 = host->kind == HOST_IPV6;
    int size =
        snprintf(out, HOST_AUTHORITY_MAX, "%s%s%s", v6 ? "[" : "", host->text, v6 ? "]" : "");
    if (port != fallback && size > 0 && size < HOST_AUTHORITY_MAX)
        snprintf(out + size, HOST_AUTHORITY_MAX - (size_t)size, ":%u", port);
}
