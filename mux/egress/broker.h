/*
 * Requests with a credential: HTTPS to the credential's upstream by libcurl, on libuv's loop.
 *
 * The certificate is verified; only the addresses that were checked are connected to; redirects are
 * not followed; nothing of the environment or of a user's files is read (no proxy, no netrc).
 * Bodies stream both ways without being gathered, and pause when the other end does. A secret that
 * comes back in a response (a server that echoes headers) ends the response instead of passing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>
#include <uv.h>

#include "mux/egress/credential.h"
#include "mux/egress/http.h"
#include "mux/egress/resolve.h"

struct broker_call;

struct broker {
    CURLM *multi;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct curl_blob ca; /* certificates to trust instead of the system's; owned */
    unsigned depth;      /* how deep inside libcurl we are: calls are removed at 0 only */
    struct broker_call *calls;
    size_t count;
};

#define BROKER_PAUSE ((long)-1)
#define BROKER_FAIL  ((long)-2)

struct broker_events {
    /* The next bytes of the request's body: their number, 0 at its end, or one of the above. */
    long (*input)(struct broker_call *call, char *out, size_t size);
    /* Whether `output` may be called now; if not, call broker_resume() later. */
    bool (*room)(struct broker_call *call);
    /* Bytes for the agent: the response's head, then its body, framed. */
    void (*output)(struct broker_call *call, const char *bytes, size_t size);
    /* The end, exactly once; `error` is NULL when the response is whole. `begun` is whether
     * anything of the response was put out. The call is gone then. */
    void (*finished)(struct broker_call *call, const struct bj_error *error, bool begun);
};

/* `ca_file` may be NULL. Read now, since nothing can be opened later. */
int broker_init(struct broker *broker, uv_loop_t *loop, const char *ca_file,
                struct bj_error *error);
void broker_stop(struct broker *broker); /* ends every call first */

/*
 * Starts `request` with `path` (of `path_size` bytes, beginning with '/') below the credential's
 * upstream. The credential must be held until `finished`; of the rest only `owner` is kept. NULL
 * with a sentence on failure.
 */
struct broker_call *broker_start(struct broker *broker, const struct http_request *request,
                                 const char *path, size_t path_size,
                                 const struct credential *credential,
                                 const struct addresses *addresses,
                                 const struct broker_events *events, void *owner,
                                 struct bj_error *error);
void *broker_owner(const struct broker_call *call);
void broker_resume(struct broker_call *call); /* there is more input, or room */
void broker_cancel(struct broker_call *call); /* `finished` follows, now or later */

/* -EINVAL for a path that would leave the upstream's base (dot segments, in any spelling). */
int broker_check_path(const char *path, size_t size, struct bj_error *error);
