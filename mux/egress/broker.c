#include "mux/egress/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mux/egress/address.h"
#include "mux/egress/echo_guard.h"

#define CONNECT_SECONDS 20L
#define BUFFER_BYTES    16384L
#define IDLE_MAX        8L /* connections kept for the next request */
#define CA_FILE_MAX     (4 * 1024 * 1024)

struct broker_call {
    struct broker_call *next;
    struct broker *broker;
    const struct broker_events *events;
    void *owner;
    CURL *easy;
    struct curl_slist *headers, *resolve;
    struct addresses addresses;
    struct buffer head; /* of the response, as it comes */
    struct echo_guard guard;
    bool head_done, begun, chunked, no_body, http10, cancelled, failed_here, input_paused, full;
    bool incomplete; /* libcurl did not take an option */
    bool lost;       /* its socket is not watched: nothing would go on */
    struct bj_error why;
    char curl_text[CURL_ERROR_SIZE];
};

struct watch {
    uv_poll_t poll;
    struct broker *broker;
    curl_socket_t socket;
};

static void broker_reap(struct broker *broker);

static void enter(struct broker *broker)
{
    broker->depth++;
}

static void leave(struct broker *broker)
{
    if (--broker->depth == 0)
        broker_reap(broker);
}

/* Ends when libcurl has returned. */
static void lose(struct broker_call *call)
{
    if (!call->failed_here)
        bj_fail(&call->why, -ENOMEM, "out of memory");
    call->lost = call->failed_here = true;
}

static void act(struct broker *broker, curl_socket_t socket, int events)
{
    int running;
    enter(broker);
    /* Without memory libcurl does not say which of them it has lost sight of. */
    if (curl_multi_socket_action(broker->multi, socket, events, &running) != CURLM_OK)
        for (struct broker_call *call = broker->calls; call; call = call->next)
            lose(call);
    leave(broker);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    act(watch->broker, watch->socket, flags);
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* An error told to libcurl would end every transfer, and those to come. */
static int lose_unwatched(CURL *easy)
{
    struct broker_call *call = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
    if (call)
        lose(call);
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *owner, void *known)
{
    struct broker *broker = owner;
    struct watch *watch = known;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            uv_poll_stop(&watch->poll); /* at once, since curl may close the socket right away */
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
            curl_multi_assign(broker->multi, socket, NULL);
        }
        return 0;
    }
    if (!watch) {
        watch = calloc(1, sizeof(*watch));
        if (!watch || uv_poll_init_socket(broker->loop, &watch->poll, socket) < 0) {
            free(watch);
            return lose_unwatched(easy);
        }
        watch->broker = broker;
        watch->socket = socket;
        watch->poll.data = watch;
        curl_multi_assign(broker->multi, socket, watch);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&watch->poll, events, on_poll) < 0 ? lose_unwatched(easy) : 0;
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wish(CURLM *multi, long milliseconds, void *owner)
{
    (void)multi;
    struct broker *broker = owner;
    if (milliseconds < 0)
        uv_timer_stop(&broker->timer);
    else
        uv_timer_start(&broker->timer, on_timer, (uint64_t)milliseconds, 0);
    return 0;
}

static int read_ca(struct curl_blob *ca, const char *path, struct bj_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0 || info.st_size <= 0 || info.st_size > CA_FILE_MAX) {
        int code = errno ? -errno : -EINVAL;
        if (fd >= 0)
            close(fd);
        return bj_fail(error, code, "cannot read certificates from %s: %s", path, strerror(-code));
    }
    ca->data = malloc((size_t)info.st_size);
    ssize_t size = ca->data ? read(fd, ca->data, (size_t)info.st_size) : -1;
    close(fd);
    if (size != info.st_size) {
        free(ca->data);
        ca->data = NULL;
        return bj_fail(error, -EIO, "cannot read certificates from %s", path);
    }
    ca->len = (size_t)size;
    ca->flags = CURL_BLOB_NOCOPY;
    return 0;
}

int broker_init(struct broker *broker, uv_loop_t *loop, const char *ca_file, struct bj_error *error)
{
    *broker = (struct broker){.loop = loop};
    if (ca_file) {
        int status = read_ca(&broker->ca, ca_file, error);
        if (status < 0)
            return status;
    }
    broker->multi = curl_multi_init();
    if (!broker->multi) {
        free(broker->ca.data);
        return bj_fail(error, -ENOMEM, "cannot start libcurl: out of memory");
    }
    uv_timer_init(loop, &broker->timer);
    broker->timer.data = broker;
    curl_multi_setopt(broker->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(broker->multi, CURLMOPT_SOCKETDATA, broker);
    curl_multi_setopt(broker->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    curl_multi_setopt(broker->multi, CURLMOPT_TIMERDATA, broker);
    curl_multi_setopt(broker->multi, CURLMOPT_MAXCONNECTS, IDLE_MAX);
    return 0;
}

void broker_stop(struct broker *broker)
{
    while (broker->calls)
        broker_cancel(broker->calls);
    curl_multi_cleanup(broker->multi);
    uv_close((uv_handle_t *)&broker->timer, NULL);
    free(broker->ca.data);
}

static void free_list(struct curl_slist *list)
{
    for (struct curl_slist *at = list; at; at = at->next)
        sodium_memzero(at->data, strlen(at->data)); /* one of them has the secret */
    curl_slist_free_all(list);
}

static void call_free(struct broker_call *call)
{
    struct broker *broker = call->broker;
    struct broker_call **at = &broker->calls;
    while (*at && *at != call)
        at = &(*at)->next;
    if (*at) {
        *at = call->next;
        broker->count--;
    }
    if (call->easy)
        curl_easy_cleanup(call->easy);
    free_list(call->headers);
    free_list(call->resolve);
    buffer_free(&call->head);
    echo_guard_free(&call->guard);
    free(call);
}

/* What waits at the end of a body: held bytes, and the last chunk. */
static void output_end(struct broker_call *call)
{
    const char *held;
    size_t size = echo_guard_rest(&call->guard, &held);
    char chunk[32];
    if (size > 0) {
        if (call->chunked)
            call->events->output(call, chunk,
                                 (size_t)snprintf(chunk, sizeof(chunk), "%zx\r\n", size));
        call->events->output(call, held, size);
        if (call->chunked)
            call->events->output(call, "\r\n", 2);
    }
    if (call->chunked)
        call->events->output(call, "0\r\n\r\n", 5);
}

static void call_finish(struct broker_call *call, CURLcode code)
{
    struct broker *broker = call->broker;
    enter(broker);
    curl_multi_remove_handle(broker->multi, call->easy);
    struct bj_error error = {0};
    if (call->cancelled)
        bj_fail(&error, -ECANCELED, "cancelled");
    else if (call->failed_here)
        error = call->why;
    else if (code != CURLE_OK)
        bj_fail(&error, -EIO, "the upstream failed: %s",
                call->curl_text[0] ? call->curl_text : curl_easy_strerror(code));
    else if (!call->head_done)
        bj_fail(&error, -EPROTO, "the upstream sent no response");
    else
        output_end(call);
    call->events->finished(call, error.code ? &error : NULL, call->begun);
    call_free(call);
    leave(broker);
}

static void broker_reap(struct broker *broker)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(broker->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct broker_call *call = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        call_finish(call, code);
    }
    /* From the start again after each: an owner may cancel others when it is told. */
    for (struct broker_call *call = broker->calls; call;) {
        struct broker_call *next = call->next;
        if ((call->cancelled || call->lost) && broker->depth == 0) {
            call_finish(call, CURLE_OK);
            next = broker->calls;
        }
        call = next;
    }
}

static size_t refuse(struct broker_call *call, int code, const char *why)
{
    call->failed_here = true;
    bj_fail(&call->why, code, "%s", why);
    return 0; /* fewer bytes than were given: libcurl ends the transfer */
}

static bool header_is(const char *line, size_t size, const char *name)
{
    size_t length = strlen(name);
    return size > length && line[length] == ':' && strncasecmp(line, name, length) == 0;
}

/* The whole head of the final response has come: the agent's version of it goes out. */
static int output_head(struct broker_call *call)
{
    const char *at = buffer_data(&call->head), *end = at + buffer_size(&call->head);
    struct buffer out = {0};
    bool length = false, encoded = false, first = true;
    int failed = 0;
    for (const char *feed; at < end && (feed = memchr(at, '\n', (size_t)(end - at)));
         at = feed + 1, first = false) {
        size_t size = (size_t)(feed - at);
        size -= size > 0 && at[size - 1] == '\r';
        if (size == 0)
            break;
        encoded = encoded || header_is(at, size, "transfer-encoding");
        if (first) {
            const char *space = memchr(at, ' ', size);
            failed |= buffer_append(&out, "HTTP/1.1", 8);
            failed |= buffer_append(&out, space ? space : " 502",
                                    space ? size - (size_t)(space - at) : 4);
        } else if (header_is(at, size, "transfer-encoding") || http_response_drops(at, size)) {
            continue;
        } else {
            length = length || header_is(at, size, "content-length");
            failed |= buffer_append(&out, at, size);
        }
        failed |= buffer_append(&out, "\r\n", 2);
    }
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    bool body = !call->no_body && status != 204 && status != 304;
    call->chunked = body && (!length || encoded) && !call->http10;
    static const char chunked[] = "Transfer-Encoding: chunked\r\n";
    static const char last[] = "Connection: close\r\n\r\n";
    if (call->chunked)
        failed |= buffer_append(&out, chunked, sizeof(chunked) - 1);
    failed |= buffer_append(&out, last, sizeof(last) - 1);
    if (!failed) {
        call->begun = true;
        call->events->output(call, buffer_data(&out), buffer_size(&out));
    }
    buffer_free(&out);
    return failed ? -ENOMEM : 0;
}

static bool is_encoded(const char *line, size_t size)
{
    static const char name[] = "content-encoding:", plain[] = "identity";
    if (size < sizeof(name) - 1 || strncasecmp(line, name, sizeof(name) - 1) != 0)
        return false;
    size_t at = sizeof(name) - 1;
    while (at < size && (line[at] == ' ' || line[at] == '\t'))
        at++;
    bool identity =
        size - at >= sizeof(plain) - 1 && strncasecmp(line + at, plain, sizeof(plain) - 1) == 0;
    return !identity && at < size && line[at] != '\r' && line[at] != '\n';
}

static size_t on_header(char *line, size_t one, size_t size, void *owner)
{
    (void)one;
    struct broker_call *call = owner;
    if (call->cancelled)
        return 0;
    if (call->head_done) /* trailers: not passed on */
        return size;
    if (size > 5 && memcmp(line, "HTTP/", 5) == 0)
        buffer_free(&call->head); /* an interim response came before */
    if (buffer_size(&call->head) + size > HTTP_RESPONSE_HEAD_MAX)
        return refuse(call, -EPROTO, "the upstream's response head is too large");
    if (buffer_append(&call->head, line, size) < 0)
        return refuse(call, -ENOMEM, "out of memory");
    if (call->guard.size > 0 && is_encoded(line, size))
        return refuse(call, -EPROTO,
                      "the upstream encodes its response, in which the credential could come back");
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!(size <= 2 && line[size - 1] == '\n') || status < 200)
        return size;
    if (echo_guard_finds(&call->guard, buffer_data(&call->head), buffer_size(&call->head)))
        return refuse(call, -EACCES, "the upstream sent the credential back");
    call->head_done = true;
    if (output_head(call) < 0)
        return refuse(call, -ENOMEM, "out of memory");
    buffer_free(&call->head);
    return size;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *owner)
{
    (void)one;
    struct broker_call *call = owner;
    if (call->cancelled)
        return 0;
    if (!call->events->room(call)) {
        call->full = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    const char *safe;
    long count = echo_guard_pass(&call->guard, bytes, size, &safe);
    if (count == -EACCES)
        return refuse(call, -EACCES, "the upstream sent the credential back");
    if (count < 0)
        return refuse(call, -ENOMEM, "out of memory");
    char chunk[32];
    if (count > 0 && call->chunked)
        call->events->output(call, chunk, (size_t)snprintf(chunk, sizeof(chunk), "%lx\r\n", count));
    if (count > 0)
        call->events->output(call, safe, (size_t)count);
    if (count > 0 && call->chunked)
        call->events->output(call, "\r\n", 2);
    return size;
}

static size_t on_input(char *out, size_t one, size_t size, void *owner)
{
    struct broker_call *call = owner;
    long count = call->cancelled ? BROKER_FAIL : call->events->input(call, out, one * size);
    if (count == BROKER_FAIL)
        return CURL_READFUNC_ABORT;
    call->input_paused = count == BROKER_PAUSE;
    return call->input_paused ? CURL_READFUNC_PAUSE : (size_t)count;
}

/* The last check: whatever libcurl wants to connect to, it is an address that was checked. */
static curl_socket_t on_open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *wanted)
{
    (void)purpose;
    struct broker_call *call = owner;
    char want[ADDRESS_TEXT_MAX], have[ADDRESS_TEXT_MAX];
    address_text(&wanted->addr, want);
    for (size_t i = 0; i < call->addresses.count; i++) {
        address_text(&call->addresses.list[i].any, have);
        if (strcmp(want, have) == 0)
            return socket(wanted->family, wanted->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                          wanted->protocol);
    }
    return CURL_SOCKET_BAD;
}

static int add(struct curl_slist **list, const char *text)
{
    struct curl_slist *grown = curl_slist_append(*list, text);
    if (!grown)
        return -ENOMEM;
    *list = grown;
    return 0;
}

/* Fields that libcurl or the credential sets, and those with which a response is asked for in a
 * form or in pieces in which the credential would not be found. */
static bool is_replaced(const struct http_request *request, const struct http_header *header,
                        const struct credential *credential)
{
    return http_name_is(request, header->name, "host") ||
           http_name_is(request, header->name, "content-length") ||
           http_name_is(request, header->name, "transfer-encoding") ||
           http_name_is(request, header->name, "expect") ||
           http_name_is(request, header->name, "accept-encoding") ||
           http_name_is(request, header->name, "range") ||
           http_name_is(request, header->name, "if-range") ||
           http_name_is(request, header->name, credential->header) ||
           http_is_hop_by_hop(request, header);
}

static int add_headers(struct broker_call *call, const struct http_request *request,
                       const struct credential *credential)
{
    bool accept = false;
    int failed = 0;
    for (size_t i = 0; i < request->count && !failed; i++) {
        const struct http_header *header = &request->headers[i];
        if (is_replaced(request, header, credential))
            continue;
        accept = accept || http_name_is(request, header->name, "accept");
        char *line = NULL;
        const char *name = request->head + header->name.at;
        const char *value = request->head + header->value.at;
        /* libcurl's way to write a field without a value is "Name;". */
        if (asprintf(&line, header->value.size ? "%.*s: %.*s" : "%.*s;%.*s", (int)header->name.size,
                     name, (int)header->value.size, value) < 0)
            return -ENOMEM;
        failed = add(&call->headers, line);
        free(line);
    }
    if (!accept && !failed)
        failed = add(&call->headers, "Accept:"); /* nothing that the agent did not say */
    if (!failed)
        failed = add(&call->headers, "Expect:");
    if (!failed && request->framing == HTTP_CHUNKED)
        failed = add(&call->headers, "Transfer-Encoding: chunked");
    if (failed)
        return failed;
    char *secret = credential_header(credential);
    failed = secret ? add(&call->headers, secret) : -ENOMEM;
    sodium_free(secret);
    return failed;
}

/* HOST:PORT:ADDRESS,ADDRESS: libcurl never asks a name server. */
static int pin_addresses(struct broker_call *call, const struct credential *credential)
{
    if (host_is_address(&credential->host))
        return 0;
    char text[HOST_TEXT_MAX + 16 + RESOLVE_ADDRESSES_MAX * (ADDRESS_TEXT_MAX + 3)];
    int size = snprintf(text, sizeof(text), "%s:%u:", credential->host.text, credential->port);
    for (size_t i = 0; i < call->addresses.count; i++) {
        char address[ADDRESS_TEXT_MAX];
        bool v6 = call->addresses.list[i].any.sa_family == AF_INET6;
        address_text(&call->addresses.list[i].any, address);
        size += snprintf(text + size, sizeof(text) - (size_t)size, "%s%s%s%s", i ? "," : "",
                         v6 ? "[" : "", address, v6 ? "]" : "");
    }
    return add(&call->resolve, text);
}

static int set_url(struct broker_call *call, const char *path, size_t path_size,
                   const struct credential *credential)
{
    char authority[HOST_AUTHORITY_MAX], *url = NULL;
    host_authority(&credential->host, credential->port, 443, authority);
    if (asprintf(&url, "https://%s%s%.*s", authority, credential->base, (int)path_size, path) < 0)
        return -ENOMEM;
    CURLcode code = curl_easy_setopt(call->easy, CURLOPT_URL, url);
    free(url);
    return code == CURLE_OK ? 0 : -ENOMEM;
}

/* What libcurl does not take, for want of memory, is a request that would go out otherwise than was
 * decided: it is not sent. */
#define SET(call, option, value)                                                                   \
    do {                                                                                           \
        if (curl_easy_setopt((call)->easy, option, value) != CURLE_OK)                             \
            (call)->incomplete = true;                                                             \
    } while (0)

static void set_method(struct broker_call *call, const struct http_request *request)
{
    char method[32];
    snprintf(method, sizeof(method), "%.*s", (int)request->method.size,
             request->head + request->method.at);
    if (strcmp(method, "HEAD") == 0) {
        call->no_body = true;
        SET(call, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->framing != HTTP_NO_BODY) {
        SET(call, CURLOPT_UPLOAD, 1L);
        SET(call, CURLOPT_READFUNCTION, on_input);
        SET(call, CURLOPT_READDATA, call);
        SET(call, CURLOPT_INFILESIZE_LARGE,
            request->framing == HTTP_LENGTH ? (curl_off_t)request->length : (curl_off_t)-1);
    }
    SET(call, CURLOPT_CUSTOMREQUEST, method);
}

static void set_options(struct broker_call *call)
{
    SET(call, CURLOPT_PRIVATE, call);
    SET(call, CURLOPT_ERRORBUFFER, call->curl_text);
    SET(call, CURLOPT_NOSIGNAL, 1L);
    SET(call, CURLOPT_PROTOCOLS_STR, "https");
    SET(call, CURLOPT_PATH_AS_IS, 1L);
    SET(call, CURLOPT_FOLLOWLOCATION, 0L);
    SET(call, CURLOPT_PROXY, "");
    SET(call, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(call, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(call, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(call, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(call, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    SET(call, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
    SET(call, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
    SET(call, CURLOPT_HEADERFUNCTION, on_header);
    SET(call, CURLOPT_HEADERDATA, call);
    SET(call, CURLOPT_WRITEFUNCTION, on_body);
    SET(call, CURLOPT_WRITEDATA, call);
    SET(call, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(call, CURLOPT_OPENSOCKETDATA, call);
    if (call->broker->ca.data)
        SET(call, CURLOPT_CAINFO_BLOB, &call->broker->ca);
}

struct broker_call *broker_start(struct broker *broker, const struct http_request *request,
                                 const char *path, size_t path_size,
                                 const struct credential *credential,
                                 const struct addresses *addresses,
                                 const struct broker_events *events, void *owner,
                                 struct bj_error *error)
{
    struct broker_call *call = calloc(1, sizeof(*call));
    if (!call) {
        bj_fail(error, -ENOMEM, "out of memory");
        return NULL;
    }
    call->broker = broker;
    call->events = events;
    call->owner = owner;
    call->addresses = *addresses;
    call->http10 = request->minor == 0;
    call->easy = curl_easy_init();
    echo_guard_init(&call->guard, credential->secret, credential->secret_size);
    if (!call->easy || add_headers(call, request, credential) < 0 ||
        pin_addresses(call, credential) < 0 || set_url(call, path, path_size, credential) < 0)
        goto fail;
    set_options(call);
    set_method(call, request);
    SET(call, CURLOPT_HTTPHEADER, call->headers);
    SET(call, CURLOPT_RESOLVE, call->resolve);
    if (call->incomplete || curl_multi_add_handle(broker->multi, call->easy) != CURLM_OK)
        goto fail;
    call->next = broker->calls;
    broker->calls = call;
    broker->count++;
    return call;

fail:
    bj_fail(error, -ENOMEM, "cannot start a request: out of memory");
    call_free(call);
    return NULL;
}

void *broker_owner(const struct broker_call *call)
{
    return call->owner;
}

void broker_resume(struct broker_call *call)
{
    if (call->cancelled || (!call->input_paused && !call->full))
        return;
    call->input_paused = call->full = false;
    enter(call->broker);
    if (curl_easy_pause(call->easy, CURLPAUSE_CONT) != CURLE_OK)
        lose(call);
    leave(call->broker);
}

void broker_cancel(struct broker_call *call)
{
    call->cancelled = true;
    enter(call->broker);
    leave(call->broker);
}

int broker_check_path(const char *path, size_t size, struct bj_error *error)
{
    const char *query = memchr(path, '?', size);
    size = query ? (size_t)(query - path) : size;
    size_t segment = 0, dots = 0;
    for (size_t i = 0; i <= size; i++) {
        char c = i < size ? path[i] : '/';
        bool encoded = c == '%' && i + 2 < size;
        if (c == '\\' || (encoded && (strncasecmp(path + i, "%2f", 3) == 0 ||
                                      strncasecmp(path + i, "%5c", 3) == 0)))
            return bj_fail(error, -EINVAL, "the path has an encoded slash or a backslash in it");
        if (c == '/') {
            if (segment > 0 && segment == dots && dots <= 2)
                return bj_fail(error, -EINVAL, "the path has a . or .. segment in it");
            segment = dots = 0;
            continue;
        }
        bool dot = c == '.';
        if (encoded && strncasecmp(path + i, "%2e", 3) == 0) {
            dot = true;
            i += 2;
        }
        segment++;
        dots += dot;
    }
    return 0;
}
