#include "mux/server/egress_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "mux/policy/run.h"
#include "mux/server/log.h"
#include "mux/server/secret.h"
#include "mux/server/server.h"
#include "transport/pack.h"

#define COMMAND_MS 30000

struct fetch {
    uv_work_t work;
    struct server *server;
    pid_t pid; /* of the proxy that asked */
    uint32_t id;
    char name[POLICY_NAME_MAX];
    enum credential_source source;
    char *from;
    char *home;
    char secret[SECRET_MAX];
    size_t size;
    struct bj_error error;
};

static void fetch_free(struct fetch *fetch)
{
    if (!fetch)
        return;
    sodium_memzero(fetch->secret, sizeof(fetch->secret));
    free(fetch->from);
    free(fetch->home);
    free(fetch);
}

static int read_file(struct fetch *fetch)
{
    char path[BJ_PATH_MAX];
    int status = bj_path_home(path, sizeof(path), &fetch->error, fetch->from);
    if (status < 0)
        return status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : read(fd, fetch->secret, sizeof(fetch->secret) - 1);
    status = got < 0
                 ? bj_fail(&fetch->error, -errno, "its file cannot be read: %s", strerror(errno))
                 : 0;
    if (fd >= 0)
        close(fd);
    fetch->size = got > 0 ? (size_t)got : 0;
    return status;
}

/* Before the work begins: what clients gave is the loop's. */
static void read_env(struct fetch *fetch)
{
    const char *value = secret_variable(&fetch->server->secrets, fetch->from, &fetch->error);
    int size = value ? snprintf(fetch->secret, sizeof(fetch->secret), "%s", value) : 0;
    fetch->size = (size_t)size < sizeof(fetch->secret) ? (size_t)size : 0;
}

static void on_work(uv_work_t *work)
{
    struct fetch *fetch = work->data;
    int status = fetch->error.code;
    if (fetch->source == CREDENTIAL_FILE)
        status = read_file(fetch);
    else if (fetch->source == CREDENTIAL_COMMAND)
        status =
            run_read((const char *const[]){"/bin/sh", "-c", fetch->from, NULL}, fetch->home,
                     COMMAND_MS, fetch->secret, sizeof(fetch->secret), &fetch->size, &fetch->error);
    while (fetch->size > 0 && strchr("\r\n", fetch->secret[fetch->size - 1]))
        fetch->size--;
    if (status == 0 && fetch->size == 0)
        bj_fail(&fetch->error, -ENOENT, "it is empty");
}

static const struct policy_credential *find(const struct sandbox *sandbox, const char *name)
{
    const struct policy *policy = &sandbox->guard.policy;
    for (size_t i = 0; i < policy->credentials_count; i++)
        if (strcmp(policy->credentials[i].name, name) == 0)
            return &policy->credentials[i];
    return NULL;
}

/* Policies write the hole as %s, the proxy reads {}. */
static void pack_format(msgpack_packer *packer, const char *format)
{
    char text[128];
    const char *hole = strstr(format, "%s");
    snprintf(text, sizeof(text), "%.*s{}%s", hole ? (int)(hole - format) : 0, format,
             hole ? hole + 2 : "");
    bj_pack_key_str(packer, "format", text);
}

static void reply(struct egress_line *line, const struct fetch *fetch,
                  const struct policy_credential *credential)
{
    msgpack_packer *packer = bj_rpc_result(&line->rpc, fetch->id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 5);
    bj_pack_str(packer, "secret");
    msgpack_pack_str_with_body(packer, fetch->secret, fetch->size);
    bj_pack_key_str(packer, "header", credential->header);
    pack_format(packer, credential->format);
    bj_pack_key_str(packer, "upstream", credential->upstream);
    bj_pack_str(packer, "hosts");
    msgpack_pack_array(packer, credential->hosts_count);
    for (size_t i = 0; i < credential->hosts_count; i++)
        bj_pack_str(packer, credential->hosts[i].host.text);
    bj_rpc_send(&line->rpc);
}

static void on_worked(uv_work_t *work, int status)
{
    struct fetch *fetch = work->data;
    struct egress_line *line = fetch->server->egress.lines;
    while (line && line->pid != fetch->pid)
        line = line->next;
    const struct policy_credential *credential =
        line && line->sandbox ? find(line->sandbox, fetch->name) : NULL;
    if (status < 0 && fetch->error.code == 0)
        bj_fail(&fetch->error, status, "%s", uv_strerror(status));
    if (line && fetch->error.code == 0 && credential) {
        reply(line, fetch, credential);
    } else if (line) {
        if (fetch->error.code == 0)
            bj_fail(&fetch->error, -ENOENT, "the policy has it no more");
        if (line->sandbox)
            server_alert(fetch->server, line->sandbox, ALERT_WARNING, "credential",
                         "the credential %s is not at hand: %s", fetch->name, fetch->error.text);
        /* Where it is kept is nobody's business inside. */
        struct bj_error told = {0};
        bj_fail(&told, fetch->error.code, "the credential %s is not at hand outside", fetch->name);
        bj_rpc_error(&line->rpc, fetch->id, &told);
    }
    fetch_free(fetch);
}

void egress_secret(struct egress_line *line, uint32_t id, const msgpack_object *params)
{
    struct bj_error error = {0};
    char name[POLICY_NAME_MAX];
    bj_get_copy(params, "name", name, sizeof(name));
    const struct policy_credential *credential = find(line->sandbox, name);
    const char *home = getenv("HOME");
    if (!credential || !credential->upstream) {
        bj_fail(&error, -ENOENT, "there is no credential %.60s for this sandbox", name);
        bj_rpc_error(&line->rpc, id, &error);
        return;
    }
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (fetch) {
        *fetch = (struct fetch){
            .server = line->server, .pid = line->pid, .id = id, .source = credential->source};
        memcpy(fetch->name, name, sizeof(name));
        fetch->work.data = fetch;
        fetch->from = strdup(credential->from);
        fetch->home = strdup(home ? home : "/");
    }
    if (fetch && fetch->from && fetch->source == CREDENTIAL_ENV)
        read_env(fetch);
    if (!fetch || !fetch->from || !fetch->home ||
        uv_queue_work(&line->server->loop, &fetch->work, on_work, on_worked) < 0) {
        fetch_free(fetch);
        bj_fail(&error, -ENOMEM, "out of memory");
        bj_rpc_error(&line->rpc, id, &error);
    }
}
