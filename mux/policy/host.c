#include "mux/policy/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 63

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What is wrong with a character that no name has, in words that tell what to write. */
static const char *odd_character(unsigned char c)
{
    if (c >= 0x80)
        return "a character that is not ASCII; write the name as its A-label (xn--...)";
    if (c < 0x20 || c == 0x7f)
        return "a control character";
    switch (c) {
    case ' ':
        return "a space";
    case '@':
        return "user information before an @";
    case '%':
        return "a percent sign";
    case ':':
        return "a port, or colons that make no IPv6 address";
    case '*':
        return "a wildcard";
    default:
        return "a character that no host name has";
    }
}

static int fail_shown(struct bj_error *error, const char *text, size_t size, const char *what)
{
    char shown[64];
    size_t length = 0;
    for (size_t i = 0; i < size && length < sizeof(shown) - 1; i++)
        shown[length++] = text[i] > 0x20 && text[i] < 0x7f ? text[i] : '?';
    shown[length] = '\0';
    return bj_fail(error, -EINVAL, "not a host: \"%s\" has %s", shown, what);
}

static void set_ipv4(struct policy_host *host, uint32_t address)
{
    host->kind = POLICY_HOST_IPV4;
    for (int i = 0; i < 4; i++)
        host->address[i] = (uint8_t)(address >> (24 - 8 * i));
    inet_ntop(AF_INET, host->address, host->text, sizeof(host->text));
}

static int read_ipv6(const char *text, size_t size, struct policy_host *host,
                     struct bj_error *error)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (size >= sizeof(copy))
        return fail_shown(error, text, size, "too many characters for an IPv6 address");
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (inet_pton(AF_INET6, copy, &address) != 1)
        return fail_shown(error, text, size, "colons, but it is no IPv6 address");
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
        uint32_t mapped;
        memcpy(&mapped, &address.s6_addr[12], sizeof(mapped));
        set_ipv4(host, ntohl(mapped));
        return 0;
    }
    host->kind = POLICY_HOST_IPV6;
    memcpy(host->address, &address, sizeof(address));
    inet_ntop(AF_INET6, &address, host->text, sizeof(host->text));
    return 0;
}

/* One part of an IPv4 address: decimal, octal behind 0, hexadecimal behind 0x. -1: no number. */
static int64_t read_number(const char *text, size_t size)
{
    unsigned base = 10;
    if (size >= 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
        base = 16;
        text += 2;
        size -= 2;
    } else if (size >= 2 && text[0] == '0') {
        base = 8;
        text++;
        size--;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned digit;
        if (is_digit(text[i]))
            digit = (unsigned)(text[i] - '0');
        else if ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'f')
            digit = (unsigned)((text[i] | 0x20) - 'a') + 10;
        else
            return -1;
        if (digit >= base)
            return -1;
        value = value * base + digit;
        if (value > UINT32_MAX)
            return (int64_t)UINT32_MAX + 1; /* too great in any place */
    }
    return (int64_t)value;
}

/* Whether resolvers would take a name that ends so for an address ("ends in a number checker"). */
static bool ends_in_number(const char *label, size_t size)
{
    size_t digits = 0;
    while (digits < size && is_digit(label[digits]))
        digits++;
    return digits == size || (size >= 2 && label[0] == '0' && (label[1] | 0x20) == 'x' &&
                              read_number(label, size) >= 0);
}

static int read_ipv4(const char *text, size_t size, struct policy_host *host,
                     struct bj_error *error)
{
    int64_t parts[4] = {0};
    size_t count = 0;
    const char *end = text + size;
    for (const char *at = text; at <= end;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        size_t length = (size_t)((dot ? dot : end) - at);
        if (count == 4 || (parts[count] = read_number(at, length)) < 0)
            return fail_shown(error, text, size, "a number as its last part, but is no address");
        count++;
        at += length + 1;
    }
    uint64_t address = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        if (parts[i] > 255)
            return fail_shown(error, text, size, "a part over 255");
        address |= (uint64_t)parts[i] << (24 - 8 * i);
    }
    if (parts[count - 1] >= (int64_t)1 << (8 * (5 - count)))
        return fail_shown(error, text, size, "a last part that is too great for an address");
    set_ipv4(host, (uint32_t)(address | (uint64_t)parts[count - 1]));
    return 0;
}

static int check_label(const char *text, size_t size, const char *label, size_t length,
                       struct bj_error *error)
{
    if (length == 0)
        return fail_shown(error, text, size, "an empty label");
    if (length > LABEL_MAX)
        return fail_shown(error, text, size, "a label of more than 63 bytes");
    for (size_t i = 0; i < length; i++) {
        char c = label[i];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_')
            return fail_shown(error, text, size, odd_character((unsigned char)c));
    }
    if (label[0] == '-' || label[length - 1] == '-')
        return fail_shown(error, text, size, "a label that begins or ends with -");
    return 0;
}

int policy_host_canonical(const char *text, size_t size, struct policy_host *host,
                          struct bj_error *error)
{
    *host = (struct policy_host){0};
    if (size == 0)
        return bj_fail(error, -EINVAL, "not a host: it is empty");
    if (text[0] == '[') {
        if (text[size - 1] != ']')
            return fail_shown(error, text, size, "an open bracket");
        return read_ipv6(text + 1, size - 2, host, error);
    }
    size_t colons = 0;
    for (size_t i = 0; i < size; i++)
        colons += text[i] == ':';
    if (colons > 1)
        return read_ipv6(text, size, host, error);

    size_t whole = size;
    if (text[size - 1] == '.')
        size--;
    if (size >= POLICY_HOST_MAX)
        return fail_shown(error, text, whole, "more than 253 bytes");
    const char *last = text;
    for (const char *at = text; at <= text + size;) {
        const char *dot = memchr(at, '.', (size_t)(text + size - at));
        size_t length = (size_t)((dot ? dot : text + size) - at);
        int status = check_label(text, whole, at, length, error);
        if (status < 0)
            return status;
        last = at;
        at += length + 1;
    }
    if (ends_in_number(last, (size_t)(text + size - last)))
        return read_ipv4(text, size, host, error);
    host->kind = POLICY_HOST_NAME;
    for (size_t i = 0; i < size; i++)
        host->text[i] = is_letter(text[i]) ? (char)(text[i] | 0x20) : text[i];
    return 0;
}

static int read_port(const char *text, size_t size, uint16_t *port, struct bj_error *error)
{
    unsigned value = 0;
    bool fits = size >= 1 && size <= 5 && text[0] != '0';
    for (size_t i = 0; fits && i < size; i++) {
        fits = is_digit(text[i]);
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    if (!fits || value > UINT16_MAX)
        return bj_fail(error, -EINVAL, "not a port: a number from 1 to 65535 is expected");
    *port = (uint16_t)value;
    return 0;
}

int policy_authority_parse(const char *text, size_t size, uint16_t port_default,
                           struct policy_host *host, uint16_t *port, struct bj_error *error)
{
    size_t host_size = size;
    const char *colon = NULL;
    if (size > 0 && text[0] == '[') {
        const char *close = memchr(text, ']', size);
        host_size = close ? (size_t)(close + 1 - text) : size;
        if (host_size < size) {
            if (text[host_size] != ':')
                return fail_shown(error, text, size, "something other than a port behind the ]");
            colon = text + host_size;
        }
    } else {
        colon = memchr(text, ':', size);
        /* A second colon makes it an IPv6 address without brackets, which has no port. */
        if (colon && memchr(colon + 1, ':', (size_t)(text + size - colon - 1)))
            colon = NULL;
        if (colon)
            host_size = (size_t)(colon - text);
    }
    *port = port_default;
    int status = policy_host_canonical(text, host_size, host, error);
    if (status < 0)
        return status;
    if (colon)
        return read_port(colon + 1, (size_t)(text + size - colon - 1), port, error);
    if (port_default == 0)
        return fail_shown(error, text, size, "no port");
    return 0;
}

void policy_authority_format(const struct policy_host *host, uint16_t port,
                             char out[POLICY_AUTHORITY_MAX])
{
    bool brackets = host->kind == POLICY_HOST_IPV6;
    snprintf(out, POLICY_AUTHORITY_MAX, "%s%s%s:%u", brackets ? "[" : "", host->text,
             brackets ? "]" : "", (unsigned)port);
}
