#include "mux/egress/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "mux/egress/address.h"

static void finish(struct resolve *resolve, const char *refusal, const struct sockaddr *refused)
{
    struct bj_error error = {0};
    if (resolve->addresses.count > 0) {
        resolve->done(resolve, NULL);
        return;
    }
    if (refusal) {
        char text[ADDRESS_TEXT_MAX];
        address_text(refused, text);
        if (host_is_address(&resolve->host))
            bj_fail(&error, -EACCES, "%s is %s, and the policy does not name it",
                    resolve->host.text, refusal);
        else
            bj_fail(&error, -EACCES, "%s resolves to %s, %s, and the policy does not name it",
                    resolve->host.text, text, refusal);
    } else {
        bj_fail(&error, -ENOENT, "%s has no address", resolve->host.text);
    }
    resolve->done(resolve, &error);
}

/* Keeps an address when it may be used; returns why not. */
static const char *consider(struct resolve *resolve, const struct sockaddr *address, socklen_t size)
{
    const char *refusal = resolve->any ? NULL : address_refusal(address);
    struct addresses *addresses = &resolve->addresses;
    if (refusal || addresses->count == RESOLVE_ADDRESSES_MAX || size > sizeof(addresses->list[0]))
        return refusal;
    union address *kept = &addresses->list[addresses->count++];
    memcpy(kept, address, size);
    /* The port is set here and not by the resolver, which is asked for the name alone. */
    if (address->sa_family == AF_INET)
        kept->v4.sin_port = htons(resolve->port);
    else
        kept->v6.sin6_port = htons(resolve->port);
    return NULL;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct resolve *resolve = (struct resolve *)request->data;
    struct bj_error error = {0};
    if (status < 0) {
        bj_fail(&error, -ENOENT, "%s cannot be resolved: %s", resolve->host.text,
                uv_strerror(status));
        resolve->done(resolve, &error);
        return;
    }
    const char *refusal = NULL;
    struct sockaddr_storage refused = {0};
    for (struct addrinfo *at = list; at; at = at->ai_next) {
        if (at->ai_family != AF_INET && at->ai_family != AF_INET6)
            continue;
        const char *why = consider(resolve, at->ai_addr, at->ai_addrlen);
        if (why && !refusal) {
            refusal = why;
            memcpy(&refused, at->ai_addr, at->ai_addrlen);
        }
    }
    uv_freeaddrinfo(list);
    finish(resolve, refusal, (struct sockaddr *)&refused);
}

void resolve_start(struct resolve *resolve, uv_loop_t *loop, const struct host *host, uint16_t port,
                   bool any, resolve_done *done)
{
    *resolve = (struct resolve){.done = done, .any = any, .host = *host, .port = port};
    struct sockaddr_storage address;
    socklen_t size = host_sockaddr(host, port, &address);
    if (size > 0) {
        const char *refusal = consider(resolve, (struct sockaddr *)&address, size);
        finish(resolve, refusal, (struct sockaddr *)&address);
        return;
    }
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    resolve->request.data = resolve;
    int status = uv_getaddrinfo(loop, &resolve->request, on_resolved, host->text, NULL, &hints);
    if (status < 0) {
        struct bj_error error = {0};
        bj_fail(&error, status, "%s cannot be resolved: %s", host->text, uv_strerror(status));
        done(resolve, &error);
    }
}
