/*
 * Credentials that never go into a sandbox. The server hands one over when a stream first needs it;
 * from then on it lives here, in locked memory that no core dump shows, until the process ends or
 * the server says `egress.forget`. It is never logged and never sent anywhere but in its header to
 * its upstream.
 *
 * `format` makes the header's value, {} standing for the secret ("Bearer {}"); `upstream` is the
 * https:// URL that paths are added to; `hosts` must name the upstream's host ("*.example.org"
 * names all below example.org).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/egress/host.h"
#include "mux/egress/uplink.h"

#define CREDENTIAL_NAME_MAX   32
#define CREDENTIAL_SECRET_MAX 8192
#define CREDENTIALS_MAX       32

struct credentials;
struct credential_wait;

struct credential {
    struct credential *next;
    struct credentials *set;
    char name[CREDENTIAL_NAME_MAX + 1];
    bool asked, ready;
    bool forgotten; /* freed when nobody uses it any more */
    unsigned users;
    struct credential_wait *waits;

    char *secret; /* sodium_malloc */
    size_t secret_size;
    char header[64];
    char format[128];
    struct host host;
    uint16_t port;
    char base[1024]; /* path of the upstream URL, without a slash at its end */
};

/* NULL and a sentence when there is none. */
typedef void credential_done(struct credential_wait *wait, struct credential *credential,
                             const struct bj_error *error);

struct credential_wait {
    struct credential *credential; /* NULL: waits for nothing */
    struct credential_wait *next;
    credential_done *done;
};

struct credentials {
    struct uplink *uplink;
    struct credential *list;
    size_t count;
};

/* Letters, digits, - _ . */
bool credential_name_ok(const char *name, size_t size);

/* `done` may be called before this returns. The credential that it gets is held by the caller until
 * credential_release(). */
void credential_get(struct credentials *credentials, const char *name, struct credential_wait *wait,
                    credential_done *done);
void credential_forget_wait(struct credential_wait *wait); /* idempotent */
void credential_release(struct credential *credential);

/* "Header: value" with the secret in it, in memory from sodium_malloc; NULL when out of it. */
char *credential_header(const struct credential *credential);

void credentials_came_up(struct credentials *credentials);
void credentials_forget(struct credentials *credentials, const char *name);
void credentials_free(struct credentials *credentials);
