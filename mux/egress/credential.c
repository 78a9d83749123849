#include "mux/egress/credential.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "transport/pack.h"

bool credential_name_ok(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!((name[i] >= '0' && name[i] <= '9') ||
              ((name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z') || name[i] == '-' ||
              name[i] == '_' || name[i] == '.'))
            return false;
    return size > 0 && size <= CREDENTIAL_NAME_MAX && name[0] != '.';
}

static void credential_free(struct credential *credential)
{
    struct credential **at = &credential->set->list;
    while (*at != credential)
        at = &(*at)->next;
    *at = credential->next;
    credential->set->count--;
    sodium_free(credential->secret); /* wipes it */
    free(credential);
}

static void credential_drop_unused(struct credential *credential)
{
    bool wanted = credential->ready && !credential->forgotten;
    if (!wanted && !credential->asked && !credential->waits && credential->users == 0)
        credential_free(credential);
}

/* Header and value end up in a request: no line breaks, no controls. */
static bool is_field_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return size > 0;
}

static int read_upstream(struct credential *credential, const msgpack_object *result,
                         struct bj_error *error)
{
    char url[1280];
    if (bj_get_copy(result, "upstream", url, sizeof(url)) >= sizeof(url) ||
        strncasecmp(url, "https://", 8) != 0)
        return bj_fail(error, -EINVAL, "credential %s: its upstream is no https:// URL",
                       credential->name);
    const char *authority = url + 8;
    size_t size = strcspn(authority, "/?#");
    if (host_parse_authority(&credential->host, &credential->port, 443, authority, size, error) < 0)
        return bj_fail_prefix(error, credential->name);
    const char *path = authority + size;
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    if (length >= sizeof(credential->base) || strpbrk(path, "?# ") ||
        (length > 0 && !is_field_text(path, length)))
        return bj_fail(error, -EINVAL, "credential %s: its upstream must be host and path only",
                       credential->name);
    memcpy(credential->base, path, length);
    credential->base[length] = '\0';
    return 0;
}

static bool host_named(const struct host *host, const msgpack_object *pattern)
{
    if (pattern->type != MSGPACK_OBJECT_STR)
        return false;
    const char *text = pattern->via.str.ptr;
    size_t size = pattern->via.str.size, length = strlen(host->text);
    if (size > 2 && text[0] == '*' && text[1] == '.')
        return host->kind == HOST_NAME && length > size - 1 &&
               strncasecmp(host->text + length - (size - 1), text + 1, size - 1) == 0;
    struct host named;
    return host_parse(&named, text, size, NULL) == 0 && host_equal(&named, host);
}

static int check_hosts(const struct credential *credential, const msgpack_object *result,
                       struct bj_error *error)
{
    const msgpack_object *hosts = bj_get(result, "hosts");
    uint32_t count = hosts && hosts->type == MSGPACK_OBJECT_ARRAY ? hosts->via.array.size : 0;
    for (uint32_t i = 0; i < count; i++)
        if (host_named(&credential->host, &hosts->via.array.ptr[i]))
            return 0;
    return bj_fail(error, -EACCES, "credential %s is not for its upstream's host %s: add the host",
                   credential->name, credential->host.text);
}

static int read_secret(struct credential *credential, const msgpack_object *result,
                       struct bj_error *error)
{
    size_t size = 0;
    const char *secret = bj_get_bytes(result, "secret", &size);
    if (!secret || size > CREDENTIAL_SECRET_MAX || !is_field_text(secret, size))
        return bj_fail(error, -EINVAL, "credential %s: its secret is empty or no text",
                       credential->name);
    credential->secret = sodium_malloc(size);
    if (!credential->secret)
        return bj_fail(error, -ENOMEM, "out of memory");
    memcpy(credential->secret, secret, size);
    credential->secret_size = size;
    /* The message lies in the connection's own read buffer: no second copy stays there. */
    sodium_memzero((void *)secret, size);

    size_t header = bj_get_copy(result, "header", credential->header, sizeof(credential->header));
    size_t format = bj_get_copy(result, "format", credential->format, sizeof(credential->format));
    if (format == 0)
        strcpy(credential->format, "{}");
    if (header >= sizeof(credential->header) || format >= sizeof(credential->format) ||
        !is_field_text(credential->header, header) || strpbrk(credential->header, ": \t") ||
        !is_field_text(credential->format, strlen(credential->format)) ||
        !strstr(credential->format, "{}"))
        return bj_fail(error, -EINVAL, "credential %s: its header or format is not usable",
                       credential->name);
    return 0;
}

static void deliver(struct credential *credential, const struct bj_error *error)
{
    while (credential->waits) {
        struct credential_wait *wait = credential->waits;
        credential->waits = wait->next;
        wait->credential = NULL;
        if (!error)
            credential->users++;
        wait->done(wait, error ? NULL : credential, error);
    }
    credential_drop_unused(credential);
}

static void on_reply(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                     void *argument)
{
    struct credential *credential = argument;
    struct bj_error why = {0};
    credential->asked = false;
    int status;
    if (error && rpc->closing) {
        credential_drop_unused(credential); /* asked again when the server is back */
        return;
    }
    if (error) {
        bj_rpc_error_read(error, &why);
        status = why.code;
    } else {
        status = read_secret(credential, result, &why);
        if (status == 0)
            status = read_upstream(credential, result, &why);
        if (status == 0)
            status = check_hosts(credential, result, &why);
    }
    credential->ready = status == 0;
    deliver(credential, status == 0 ? NULL : &why);
}

static void ask(struct credential *credential)
{
    msgpack_packer *packer =
        uplink_request(credential->set->uplink, "egress.credential", 1, on_reply, credential);
    if (!packer)
        return;
    credential->asked = true;
    bj_pack_key_str(packer, "name", credential->name);
    bj_rpc_send(&credential->set->uplink->rpc);
}

void credential_get(struct credentials *credentials, const char *name, struct credential_wait *wait,
                    credential_done *done)
{
    struct credential *credential = credentials->list;
    while (credential && (credential->forgotten || strcmp(credential->name, name) != 0))
        credential = credential->next;
    if (credential && credential->ready) {
        credential->users++;
        done(wait, credential, NULL);
        return;
    }
    bool first = !credential;
    if (first) {
        credential = credentials->count < CREDENTIALS_MAX ? calloc(1, sizeof(*credential)) : NULL;
        if (!credential) {
            struct bj_error error = {0};
            bj_fail(&error, -EBUSY, "too many credentials are asked for at once");
            done(wait, NULL, &error);
            return;
        }
        credential->set = credentials;
        snprintf(credential->name, sizeof(credential->name), "%s", name);
        credential->next = credentials->list;
        credentials->list = credential;
        credentials->count++;
    }
    wait->credential = credential;
    wait->done = done;
    wait->next = credential->waits;
    credential->waits = wait;
    if (first)
        ask(credential);
}

void credential_forget_wait(struct credential_wait *wait)
{
    struct credential *credential = wait->credential;
    if (!credential)
        return;
    wait->credential = NULL;
    struct credential_wait **at = &credential->waits;
    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
    credential_drop_unused(credential);
}

void credential_release(struct credential *credential)
{
    credential->users--;
    credential_drop_unused(credential);
}

char *credential_header(const struct credential *credential)
{
    const char *hole = strstr(credential->format, "{}");
    size_t capacity =
        strlen(credential->header) + 2 + strlen(credential->format) + credential->secret_size + 1;
    char *line = sodium_malloc(capacity);
    if (line)
        snprintf(line, capacity, "%s: %.*s%.*s%s", credential->header,
                 (int)(hole - credential->format), credential->format, (int)credential->secret_size,
                 credential->secret, hole + 2);
    return line;
}

void credentials_came_up(struct credentials *credentials)
{
    struct credential *next;
    for (struct credential *credential = credentials->list; credential; credential = next) {
        next = credential->next;
        if (!credential->ready && !credential->asked)
            ask(credential);
    }
}

void credentials_forget(struct credentials *credentials, const char *name)
{
    struct credential *next;
    for (struct credential *credential = credentials->list; credential; credential = next) {
        next = credential->next;
        if (credential->ready && strcmp(credential->name, name) == 0) {
            credential->forgotten = true;
            credential_drop_unused(credential);
        }
    }
}

void credentials_free(struct credentials *credentials)
{
    while (credentials->list)
        credential_free(credentials->list);
}
