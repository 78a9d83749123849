#include "mux/policy/credential.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_HTTPS 443

static bool is_variable(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

static int keep(char **out, const char *text, struct bj_error *error)
{
    *out = strdup(text);
    return *out ? 0 : bj_fail(error, -ENOMEM, "out of memory");
}

static int read_from(struct policy_credential *credential, const char *text, struct bj_error *error)
{
    static const struct {
        const char *prefix;
        enum credential_source source;
    } sources[] = {
        {"env:", CREDENTIAL_ENV}, {"file:", CREDENTIAL_FILE}, {"command:", CREDENTIAL_COMMAND}};
    for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
        size_t size = strlen(sources[i].prefix);
        if (strncmp(text, sources[i].prefix, size) != 0)
            continue;
        text += size;
        credential->source = sources[i].source;
        if (credential->source == CREDENTIAL_ENV && !is_variable(text))
            return bj_fail(error, -EINVAL, "from = \"env:NAME\" needs the name of a variable");
        if (credential->source == CREDENTIAL_FILE && *text != '/' && strncmp(text, "~/", 2) != 0)
            return bj_fail(error, -EINVAL,
                           "from = \"file:PATH\" needs a path that begins with / or ~/");
        if (!*text)
            return bj_fail(error, -EINVAL, "from = \"command:...\" needs a command");
        return keep(&credential->from, text, error);
    }
    return bj_fail(error, -EINVAL,
                   "from is env:NAME, file:PATH or command:COMMAND, never the "
                   "secret itself");
}

/* RFC 9110, token. */
static int read_header(struct policy_credential *credential, const char *text,
                       struct bj_error *error)
{
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("!#$%&'*+-.^_`|~", *at))
            return bj_fail(error, -EINVAL, "header is the name of an HTTP header, e.g. x-api-key");
    if (!*text)
        return bj_fail(error, -EINVAL, "header is empty");
    return keep(&credential->header, text, error);
}

static int read_format(struct policy_credential *credential, const char *text,
                       struct bj_error *error)
{
    const char *percent = strchr(text, '%');
    if (!percent || percent[1] != 's' || strchr(percent + 1, '%') || !is_printable(text))
        return bj_fail(error, -EINVAL,
                       "format has one %%s for the secret and no other %%, e.g. "
                       "\"Bearer %%s\"");
    return keep(&credential->format, text, error);
}

static int read_placeholder(struct policy_credential *credential, const char *text,
                            struct bj_error *error)
{
    if (!is_variable(text))
        return bj_fail(error, -EINVAL, "placeholder_env is the name of a variable");
    return keep(&credential->placeholder_env, text, error);
}

static int read_base_url(struct policy_credential *credential, const char *text,
                         struct bj_error *error)
{
    if (!is_variable(text))
        return bj_fail(error, -EINVAL, "base_url_env is the name of a variable");
    return keep(&credential->base_url_env, text, error);
}

static int read_upstream(struct policy_credential *credential, const char *text,
                         struct bj_error *error)
{
    static const char scheme[] = "https://";
    size_t size = strlen(scheme);
    if (strncmp(text, scheme, size) != 0 || !is_printable(text) || strpbrk(text, "?# \\\"<>"))
        return bj_fail(error, -EINVAL,
                       "upstream is https://host[:port][/path]; a secret never goes "
                       "out unencrypted");
    if (policy_authority_parse(text + size, strcspn(text + size, "/"), PORT_HTTPS,
                               &credential->upstream_host, &credential->upstream_port, error) < 0)
        return bj_fail_prefix(error, "upstream");
    return keep(&credential->upstream, text, error);
}

static const struct {
    const char *name;
    int (*read)(struct policy_credential *credential, const char *text, struct bj_error *error);
} members[] = {
    {"from", read_from},
    {"header", read_header},
    {"format", read_format},
    {"placeholder_env", read_placeholder},
    {"base_url_env", read_base_url},
    {"upstream", read_upstream},
};
#define MEMBERS (sizeof(members) / sizeof(*members))

static int add_host(struct policy_credential *credential, const char *text, struct bj_error *error)
{
    struct policy_pattern pattern;
    if (text[0] == '@')
        return bj_fail(error, -EINVAL,
                       "hosts of a credential are named one by one, not by a preset");
    int status = policy_pattern_parse(&pattern, POLICY_EGRESS, text, error);
    if (status < 0)
        return bj_fail_prefix(error, "hosts");
    struct policy_pattern *list = NULL;
    if (pattern.deep || pattern.singles)
        status = bj_fail(error, -EINVAL,
                         "hosts of a credential are named one by one, without "
                         "wildcards: the secret goes there");
    else if (!(list = realloc(credential->hosts, (credential->hosts_count + 1) * sizeof(*list))))
        status = bj_fail(error, -ENOMEM, "out of memory");
    if (status < 0) {
        policy_pattern_free(&pattern);
        return status;
    }
    credential->hosts = list;
    credential->hosts[credential->hosts_count++] = pattern;
    return 0;
}

static int read_hosts(struct policy_credential *credential, const struct document_node *node,
                      const struct document_node **at, struct bj_error *error)
{
    if (node->kind == DOCUMENT_TEXT)
        return add_host(credential, node->text, error);
    if (node->kind != DOCUMENT_LIST)
        return bj_fail(error, -EINVAL, "hosts is a list: write hosts = [\"host\"]");
    for (const struct document_node *item = node->first; item; item = item->next) {
        *at = item;
        int status = add_host(credential, item->text, error);
        if (status < 0)
            return status;
    }
    return 0;
}

static int read_member(struct policy_credential *credential, const struct document_node *node,
                       const struct document_node **at, struct bj_error *error)
{
    if (strcmp(node->name, "hosts") == 0)
        return read_hosts(credential, node, at, error);
    for (size_t i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].name, node->name) != 0)
            continue;
        if (node->kind != DOCUMENT_TEXT)
            return bj_fail(error, -EINVAL, "%s is one text", node->name);
        return members[i].read(credential, node->text, error);
    }
    return bj_fail(error, -EINVAL,
                   "a credential has no \"%.40s\"; it has from, hosts, header, format, "
                   "placeholder_env, base_url_env and upstream",
                   node->name);
}

static int check_whole(struct policy_credential *credential, struct bj_error *error)
{
    if (!credential->from)
        return bj_fail(error, -EINVAL, "the credential %s has no `from`: say where the secret is",
                       credential->name);
    if (!credential->hosts_count)
        return bj_fail(error, -EINVAL, "the credential %s has no `hosts`: say where it may go",
                       credential->name);
    if (!credential->header)
        return bj_fail(error, -EINVAL, "the credential %s has no `header`: say where it belongs",
                       credential->name);
    if (credential->base_url_env && !credential->upstream)
        return bj_fail(error, -EINVAL, "the credential %s has base_url_env but no `upstream`",
                       credential->name);
    if (!credential->upstream)
        return 0;
    struct policy_subject subject = {.kind = POLICY_EGRESS,
                                     .host = credential->upstream_host,
                                     .port = credential->upstream_port};
    for (size_t i = 0; i < credential->hosts_count; i++)
        if (policy_pattern_match(&credential->hosts[i], &subject, true))
            return 0;
    return bj_fail(error, -EINVAL,
                   "the host of `upstream` is not among `hosts` of the credential %s",
                   credential->name);
}

static bool valid_name(const char *name)
{
    size_t size = name ? strlen(name) : 0;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
            return false;
    return size > 0 && size < POLICY_NAME_MAX;
}

int credential_read(struct policy_credential *credential, const struct document_node *section,
                    const struct document_node **at, struct bj_error *error)
{
    *at = section;
    if (!valid_name(section->label))
        return bj_fail(error, -EINVAL,
                       "a credential has a name of letters, digits, - _ and .: write "
                       "credential NAME { ... }");
    snprintf(credential->name, sizeof(credential->name), "%s", section->label);
    for (const struct document_node *node = section->first; node; node = node->next) {
        *at = node;
        for (const struct document_node *old = section->first; old != node; old = old->next)
            if (strcmp(old->name, node->name) == 0)
                return bj_fail(error, -EINVAL, "%s was set in line %d before; keep one of them",
                               node->name, old->line);
        int status = read_member(credential, node, at, error);
        if (status < 0)
            return status;
    }
    *at = section;
    if (!credential->format && keep(&credential->format, "%s", error) < 0)
        return -ENOMEM;
    return check_whole(credential, error);
}

void credential_free(struct policy_credential *credential)
{
    for (size_t i = 0; i < credential->hosts_count; i++)
        policy_pattern_free(&credential->hosts[i]);
    free(credential->hosts);
    free(credential->from);
    free(credential->header);
    free(credential->format);
    free(credential->placeholder_env);
    free(credential->base_url_env);
    free(credential->upstream);
    *credential = (struct policy_credential){0};
}
