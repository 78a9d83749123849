#include "mux/egress/socks.h"

#include <errno.h>
#include <string.h>

enum { COMMAND_CONNECT = 1 };
enum { TYPE_IPV4 = 1, TYPE_NAME = 3, TYPE_IPV6 = 4 };

long socks_greeting(const uint8_t *bytes, size_t size, uint8_t *method, struct bj_error *error)
{
    if (size >= 1 && bytes[0] != SOCKS_VERSION)
        return bj_fail(error, -EPROTO, "not SOCKS5");
    if (size < 2 || size < 2U + bytes[1])
        return 0;
    *method = memchr(bytes + 2, 0, bytes[1]) ? 0 : 0xff;
    return 2 + bytes[1];
}

long socks_request(const uint8_t *bytes, size_t size, struct host *host, uint16_t *port,
                   enum socks_reply *reply, struct bj_error *error)
{
    *reply = SOCKS_FAILURE;
    if (size >= 1 && bytes[0] != SOCKS_VERSION)
        return bj_fail(error, -EINVAL, "not SOCKS5");
    if (size < 5)
        return 0;
    size_t address = bytes[3] == TYPE_IPV4   ? 4
                     : bytes[3] == TYPE_IPV6 ? 16
                     : bytes[3] == TYPE_NAME ? 1U + bytes[4]
                                             : 0;
    if (address == 0) {
        *reply = SOCKS_NO_ADDRESS;
        return bj_fail(error, -EINVAL, "unknown SOCKS address type %u", bytes[3]);
    }
    size_t whole = 4 + address + 2;
    if (size < whole)
        return 0;
    if (bytes[1] != COMMAND_CONNECT) {
        *reply = SOCKS_NO_COMMAND;
        return bj_fail(error, -EINVAL, "only the SOCKS command CONNECT is known here");
    }
    *port = (uint16_t)(bytes[whole - 2] << 8 | bytes[whole - 1]);
    if (*port == 0)
        return bj_fail(error, -EINVAL, "a port is a number from 1 to 65535");
    if (bytes[3] == TYPE_NAME) {
        int status = host_parse(host, (const char *)bytes + 5, bytes[4], error);
        if (status < 0)
            return status;
    } else if (bytes[3] == TYPE_IPV4) {
        struct in_addr v4;
        memcpy(&v4, bytes + 4, sizeof(v4));
        host_from_ipv4(host, &v4);
    } else {
        struct in6_addr v6;
        memcpy(&v6, bytes + 4, sizeof(v6));
        host_from_ipv6(host, &v6);
    }
    return (long)whole;
}

void socks_reply(enum socks_reply reply, uint8_t out[SOCKS_REPLY_MAX])
{
    /* The bound address is of no use to the client: 0.0.0.0:0. */
    memset(out, 0, SOCKS_REPLY_MAX);
    out[0] = SOCKS_VERSION;
    out[1] = (uint8_t)reply;
    out[3] = TYPE_IPV4;
}
