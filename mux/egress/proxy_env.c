#include "mux/egress/proxy_env.h"

#include <stdio.h>

struct variable {
    const char *name;
    const char *constant; /* NULL: the proxy's URL */
};

/* Names of the sandbox itself only; none of them leaves it. */
#define INSIDE "localhost,127.0.0.1,::1"

static const struct variable variables[] = {
    {"http_proxy", NULL}, /* curl reads only the lower-case one */
    {"HTTP_PROXY", NULL},
    {"https_proxy", NULL},
    {"HTTPS_PROXY", NULL},
    {"ftp_proxy", NULL},
    {"FTP_PROXY", NULL},
    /* Not socks5h: Python's httpx refuses to start with it unless an extra package is installed. */
    {"all_proxy", NULL},
    {"ALL_PROXY", NULL},
    {"no_proxy", INSIDE},
    {"NO_PROXY", INSIDE},
    /* npm's settings stand before its reading of http_proxy, so an .npmrc can't lead elsewhere. */
    {"npm_config_proxy", NULL},
    {"npm_config_https_proxy", NULL},
    {"npm_config_noproxy", INSIDE},
    {"YARN_HTTP_PROXY", NULL},
    {"YARN_HTTPS_PROXY", NULL},
    {"NODE_USE_ENV_PROXY", "1"}, /* node's own fetch and http, from 24 (and 22.21) on */
    {"GLOBAL_AGENT_HTTP_PROXY", NULL},
    {"GLOBAL_AGENT_HTTPS_PROXY", NULL},
    {"GLOBAL_AGENT_NO_PROXY", INSIDE},
    {"ELECTRON_GET_USE_PROXY", "1"},
    /* git: https:// and http:// go through http.proxy; settings by environment, git-config(1). */
    {"GIT_CONFIG_COUNT", "1"},
    {"GIT_CONFIG_KEY_0", "http.proxy"},
    {"GIT_CONFIG_VALUE_0", NULL},
    {"PIP_PROXY", NULL},
    {"CARGO_HTTP_PROXY", NULL},
};

size_t proxy_env_count(void)
{
    return sizeof(variables) / sizeof(variables[0]);
}

void proxy_env_text(size_t index, uint16_t port, char out[PROXY_ENV_TEXT_MAX])
{
    const struct variable *variable = &variables[index];
    if (variable->constant)
        snprintf(out, PROXY_ENV_TEXT_MAX, "%s=%s", variable->name, variable->constant);
    else
        snprintf(out, PROXY_ENV_TEXT_MAX, "%s=http://127.0.0.1:%u", variable->name, port);
}
