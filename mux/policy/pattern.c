#include "mux/policy/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/policy/glob.h"

#define PORT_HTTPS 443
#define PORT_HTTP  80

static const char *const kind_names[POLICY_KINDS] = {
    [POLICY_EGRESS] = "egress",
    [POLICY_EXEC] = "exec",
    [POLICY_FILE_OUT] = "file_out",
    [POLICY_CLIPBOARD] = "clipboard",
    [POLICY_NOTIFICATION] = "notification",
    [POLICY_OPEN_URL] = "open_url",
};

static const char *const effect_names[] = {
    [POLICY_ALLOW] = "allow", [POLICY_ASK] = "ask", [POLICY_DENY] = "deny"};

const char *policy_kind_name(enum policy_kind kind)
{
    return kind_names[kind];
}

const char *policy_effect_name(enum policy_effect effect)
{
    return effect_names[effect];
}

int policy_kind_find(const char *name)
{
    for (int i = 0; i < POLICY_KINDS; i++)
        if (strcmp(kind_names[i], name) == 0)
            return i;
    return -1;
}

int policy_effect_find(const char *name)
{
    for (int i = POLICY_ALLOW; i <= POLICY_DENY; i++)
        if (strcmp(effect_names[i], name) == 0)
            return i;
    return -1;
}

static bool has_control(const char *text, size_t size, bool lines)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == 0x7f || (c < 0x20 && !(lines && (c == '\n' || c == '\t' || c == '\r'))))
            return true;
    }
    return false;
}

/* Hosts ------------------------------------------------------------------------------------ */

/* Takes the wildcard labels off the front of a host pattern. */
static int take_wildcards(struct policy_pattern *pattern, const char **text, size_t *size,
                          struct bj_error *error)
{
    bool first = true;
    while (*size > 0 && (*text)[0] == '*') {
        size_t stars = *size > 1 && (*text)[1] == '*' ? 2 : 1;
        if (*size > stars && (*text)[stars] != '.')
            return bj_fail(
                error, -EINVAL,
                "a wildcard stands for whole labels: write `*.` or `**.`, then the name");
        if (stars == 2 && !first)
            return bj_fail(error, -EINVAL, "`**` may only be the first label");
        if (stars == 2)
            pattern->deep = true;
        else if (++pattern->singles > 100)
            return bj_fail(error, -EINVAL, "too many wildcards");
        first = false;
        *text += stars;
        *size -= stars;
        if (*size > 0) {
            (*text)++;
            (*size)--;
            if (*size == 0)
                return bj_fail(error, -EINVAL, "a name is missing behind the last dot");
        }
    }
    if (memchr(*text, '*', *size))
        return bj_fail(error, -EINVAL,
                       "wildcards stand in front of a name, never inside or behind it");
    return 0;
}

static size_t count_labels(const char *name)
{
    size_t count = *name != '\0';
    for (; *name; name++)
        count += *name == '.';
    return count;
}

/* Literal labels, then labels of *, then the port and the scheme. An address is as exact as can be.
 */
static uint64_t host_specificity(const struct policy_pattern *pattern)
{
    uint64_t labels = pattern->host.kind == POLICY_HOST_NAME || !pattern->host.kind
                          ? count_labels(pattern->host.text)
                          : 255;
    bool exact = !pattern->singles && !pattern->deep;
    return (uint64_t)exact << 32 | labels << 16 | (uint64_t)pattern->singles << 8 |
           (uint64_t)(pattern->port != 0) << 1 | (uint64_t)(pattern->scheme != NULL);
}

static int host_text(struct policy_pattern *pattern)
{
    char text[POLICY_PATTERN_MAX];
    size_t at = 0;
    bool brackets = pattern->host.kind == POLICY_HOST_IPV6;
    if (pattern->scheme)
        at += (size_t)snprintf(text, sizeof(text), "%s://", pattern->scheme);
    at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", pattern->deep ? "**" : "");
    for (unsigned i = 0; i < pattern->singles; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s*", i || pattern->deep ? "." : "");
    bool dot = pattern->host.text[0] && (pattern->deep || pattern->singles);
    at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%s%s", dot ? "." : "",
                           brackets ? "[" : "", pattern->host.text, brackets ? "]" : "");
    if (pattern->port)
        snprintf(text + at, sizeof(text) - at, ":%u", (unsigned)pattern->port);
    pattern->text = strdup(text);
    return pattern->text ? 0 : -ENOMEM;
}

/* Wildcards alone, with an optional port: `**:443`. */
static int parse_bare_wildcards(struct policy_pattern *pattern, const char *text, size_t size,
                                struct bj_error *error)
{
    if (size == 0)
        return 0;
    struct policy_host ignored;
    char copy[16];
    int length = snprintf(copy, sizeof(copy), "x%.*s", (int)(size < 10 ? size : 10), text);
    return policy_authority_parse(copy, (size_t)length, 0, &ignored, &pattern->port, error);
}

static int parse_host(struct policy_pattern *pattern, const char *text, struct bj_error *error)
{
    size_t size = strlen(text);
    /* `host:*` says in so many words that every port is meant. */
    bool any_port = size > 2 && strcmp(text + size - 2, ":*") == 0;
    size -= any_port ? 2 : 0;
    char copy[POLICY_PATTERN_MAX];
    memcpy(copy, text, size);
    copy[size] = '\0';
    const char *at = copy;

    /* A colon behind bare wildcards must not be read as part of them. */
    size_t stars = strspn(at, "*.");
    int status;
    if (stars > 0 && (at[stars] == '\0' || at[stars] == ':')) {
        size_t wild = stars;
        status = take_wildcards(pattern, &at, &wild, error);
        if (status == 0 && wild > 0)
            status = bj_fail(error, -EINVAL, "a name with an empty label");
        if (status == 0)
            status = parse_bare_wildcards(pattern, copy + stars, size - stars, error);
    } else {
        size_t rest = size;
        status = take_wildcards(pattern, &at, &rest, error);
        uint16_t port = 0;
        if (status == 0) {
            /* 1 stands for "no port given" while parsing; a pattern may well name port 1. */
            bool has_port = at[0] == '[' ? strchr(at, ']') && strchr(at, ']')[1] == ':'
                                         : strchr(at, ':') && strchr(at, ':') == strrchr(at, ':');
            status =
                policy_authority_parse(at, rest, has_port ? 0 : 1, &pattern->host, &port, error);
            pattern->port = has_port ? port : 0;
        }
        if (status == 0 && pattern->host.kind != POLICY_HOST_NAME &&
            (pattern->singles || pattern->deep))
            status = bj_fail(error, -EINVAL,
                             "no wildcard goes with an address: write the address "
                             "alone");
    }
    if (status == 0 && any_port && pattern->port)
        status = bj_fail(error, -EINVAL, "two ports");
    if (status < 0)
        return status;
    pattern->specificity = host_specificity(pattern);
    return host_text(pattern);
}

static bool match_host(const struct policy_pattern *pattern, const struct policy_subject *subject)
{
    if (pattern->port && pattern->port != subject->port)
        return false;
    if (pattern->scheme && strcmp(pattern->scheme, subject->scheme) != 0)
        return false;
    const struct policy_host *host = &subject->host;
    bool wild = pattern->singles || pattern->deep;
    if (!wild)
        return pattern->host.kind == host->kind && strcmp(pattern->host.text, host->text) == 0;
    if (host->kind != POLICY_HOST_NAME)
        return false;
    size_t tail = strlen(pattern->host.text), size = strlen(host->text);
    size_t have = count_labels(host->text), named = count_labels(pattern->host.text);
    if (tail > 0 && (size <= tail || host->text[size - tail - 1] != '.' ||
                     strcmp(host->text + size - tail, pattern->host.text) != 0))
        return false;
    size_t front = have - named;
    return pattern->deep ? front >= pattern->singles + 1U : front == pattern->singles;
}

/* open_url --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint16_t port;
} schemes[] = {{"http", PORT_HTTP}, {"https", PORT_HTTPS}};

/* The index in the table, or -1; *rest is behind the "://". */
static int find_scheme(const char *text, size_t size, const char **rest)
{
    for (int i = 0; i < 2; i++) {
        size_t length = strlen(schemes[i].name);
        if (size > length + 3 && strncasecmp(text, schemes[i].name, length) == 0 &&
            memcmp(text + length, "://", 3) == 0) {
            *rest = text + length + 3;
            return i;
        }
    }
    return -1;
}

static int parse_url_pattern(struct policy_pattern *pattern, const char *text,
                             struct bj_error *error)
{
    const char *rest = text;
    int scheme = find_scheme(text, strlen(text), &rest);
    if (scheme >= 0)
        pattern->scheme = schemes[scheme].name;
    else if (strstr(text, "://"))
        return bj_fail(error, -EINVAL, "only http:// and https:// addresses are ever opened");
    if (strchr(rest, '/'))
        return bj_fail(error, -EINVAL, "a URL pattern is [scheme://]host[:port], without a path");
    return parse_host(pattern, rest, error);
}

static int parse_url(struct policy_subject *subject, struct bj_error *error)
{
    const char *rest;
    for (size_t i = 0; i < subject->size; i++) {
        unsigned char c = (unsigned char)subject->text[i];
        if (c <= 0x20 || c >= 0x7f || c == '\\')
            return bj_fail(error, -EINVAL,
                           "not a URL that may be opened: it has a space, a backslash, "
                           "a control or a character that is not ASCII");
    }
    int scheme = find_scheme(subject->text, subject->size, &rest);
    if (scheme < 0)
        return bj_fail(error, -EINVAL, "not a URL that may be opened: only http and https are");
    subject->scheme = schemes[scheme].name;
    size_t size = strcspn(rest, "/?#");
    return policy_authority_parse(rest, size, schemes[scheme].port, &subject->host, &subject->port,
                                  error);
}

/* exec ------------------------------------------------------------------------------------- */

/* Tool or Tool(arguments): the size of the tool's name, or 0. */
static size_t split_call(const char *text, size_t size, bool *has_arguments)
{
    const char *open = memchr(text, '(', size);
    size_t tool_size = open ? (size_t)(open - text) : size;
    *has_arguments = open != NULL;
    if (open && text[size - 1] != ')')
        return 0;
    for (size_t i = 0; i < tool_size; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || text[i] == ')')
            return 0;
    return tool_size;
}

static int parse_exec(struct policy_pattern *pattern, struct bj_error *error)
{
    size_t size = strlen(pattern->text);
    pattern->tool_size = split_call(pattern->text, size, &pattern->has_arguments);
    if (pattern->tool_size == 0)
        return bj_fail(error, -EINVAL,
                       "an exec pattern is Tool or Tool(arguments), e.g. "
                       "\"Bash(git status*)\"");
    uint32_t tool = glob_specificity(pattern->text, pattern->tool_size);
    uint32_t rest = 0;
    if (pattern->has_arguments)
        rest =
            glob_specificity(pattern->text + pattern->tool_size + 1, size - pattern->tool_size - 2);
    /* 1 + 10 bits of the tool, then the arguments. */
    uint64_t head = (uint64_t)(tool & GLOB_EXACT ? 1 : 0) << 10 | ((tool >> 8) & 0x3ff);
    pattern->specificity = head << 40 | (uint64_t)pattern->has_arguments << 32 | rest;
    return 0;
}

static bool match_exec(const struct policy_pattern *pattern, const struct policy_subject *subject,
                       bool allowing)
{
    if (!glob_match(pattern->text, pattern->tool_size, subject->text, subject->tool_size, 0))
        return false;
    if (!pattern->has_arguments)
        return true;
    size_t size = strlen(pattern->text);
    const char *arguments = subject->text + subject->tool_size;
    size_t arguments_size = subject->size - subject->tool_size;
    if (arguments_size >= 2) { /* the parentheses */
        arguments++;
        arguments_size -= 2;
    }
    return glob_match(pattern->text + pattern->tool_size + 1, size - pattern->tool_size - 2,
                      arguments, arguments_size, allowing ? GLOB_SIMPLE : 0);
}

/* file_out --------------------------------------------------------------------------------- */

/* Also takes patterns, whose bytes are the same where it matters. */
static int check_path(const char *text, size_t size, struct bj_error *error)
{
    if (size == 0 || text[0] == '/')
        return bj_fail(error, -EINVAL, "a path stands relative to the project, e.g. \"dist/**\"");
    for (size_t at = 0; at <= size;) {
        const char *slash = memchr(text + at, '/', size - at);
        size_t length = slash ? (size_t)(slash - text) - at : size - at;
        bool dots = (length == 1 || length == 2) && memcmp(text + at, "..", length) == 0;
        if (length == 0 || dots)
            return bj_fail(error, -EINVAL, "a path has no empty parts, and none called . or ..");
        at += length + 1;
    }
    return 0;
}

/* All ---------------------------------------------------------------------------------------- */

static int parse_glob(struct policy_pattern *pattern, const char *text, struct bj_error *error)
{
    size_t size = strlen(text);
    if (!glob_valid(text, size))
        return bj_fail(error, -EINVAL, "a backslash at the end takes nothing; write two for one");
    if (pattern->kind == POLICY_FILE_OUT && check_path(text, size, error) < 0)
        return -EINVAL;
    pattern->text = strdup(text);
    if (!pattern->text)
        return -ENOMEM;
    if (pattern->kind == POLICY_EXEC)
        return parse_exec(pattern, error);
    pattern->specificity = glob_specificity(text, size);
    return 0;
}

int policy_pattern_parse(struct policy_pattern *pattern, enum policy_kind kind, const char *text,
                         struct bj_error *error)
{
    *pattern = (struct policy_pattern){.kind = kind};
    size_t size = strlen(text);
    int status;
    if (size == 0)
        status = bj_fail(error, -EINVAL, "an empty pattern");
    else if (size >= POLICY_PATTERN_MAX)
        status = bj_fail(error, -EINVAL, "a pattern of more than %d bytes", POLICY_PATTERN_MAX - 1);
    else if (has_control(text, size, kind == POLICY_EXEC || kind == POLICY_NOTIFICATION))
        status = bj_fail(error, -EINVAL, "a control character in a pattern");
    else if (kind == POLICY_EGRESS)
        status = parse_host(pattern, text, error);
    else if (kind == POLICY_OPEN_URL)
        status = parse_url_pattern(pattern, text, error);
    else
        status = parse_glob(pattern, text, error);
    if (status == -ENOMEM)
        bj_fail(error, -ENOMEM, "out of memory");
    if (status < 0)
        policy_pattern_free(pattern);
    return status;
}

void policy_pattern_free(struct policy_pattern *pattern)
{
    free(pattern->text);
    pattern->text = NULL;
}

bool policy_pattern_match(const struct policy_pattern *pattern,
                          const struct policy_subject *subject, bool allowing)
{
    if (pattern->kind != subject->kind || !pattern->text)
        return false;
    switch (pattern->kind) {
    case POLICY_EGRESS:
    case POLICY_OPEN_URL:
        return match_host(pattern, subject);
    case POLICY_EXEC:
        return match_exec(pattern, subject, allowing);
    default:
        return glob_match(pattern->text, strlen(pattern->text), subject->text, subject->size,
                          pattern->kind == POLICY_FILE_OUT ? GLOB_PATH : 0);
    }
}

int policy_subject_parse(struct policy_subject *subject, enum policy_kind kind, const char *text,
                         size_t size, struct bj_error *error)
{
    *subject = (struct policy_subject){.kind = kind, .size = size};
    if (size == 0)
        return bj_fail(error, -EINVAL, "the subject is empty");
    if (size >= sizeof(subject->text))
        return bj_fail(error, -E2BIG, "the subject is over %zu bytes", sizeof(subject->text) - 1);
    if (memchr(text, '\0', size))
        return bj_fail(error, -EINVAL, "the subject has a NUL byte");
    memcpy(subject->text, text, size);
    bool has_arguments;
    int status;
    switch (kind) {
    case POLICY_EGRESS:
        status =
            policy_authority_parse(text, size, PORT_HTTPS, &subject->host, &subject->port, error);
        if (status == 0) {
            policy_authority_format(&subject->host, subject->port, subject->text);
            subject->size = strlen(subject->text);
        }
        return status;
    case POLICY_OPEN_URL:
        return parse_url(subject, error);
    case POLICY_EXEC:
        subject->tool_size = split_call(text, size, &has_arguments);
        if (subject->tool_size == 0)
            return bj_fail(error, -EINVAL, "a call is Tool or Tool(arguments)");
        return 0;
    case POLICY_FILE_OUT:
        if (has_control(text, size, false))
            return bj_fail(error, -EINVAL, "a path with a control character");
        return check_path(text, size, error);
    default:
        return 0;
    }
}

int policy_pattern_exact(const struct policy_subject *subject, char out[POLICY_SUBJECT_MAX * 2],
                         struct bj_error *error)
{
    size_t size;
    if (subject->kind == POLICY_EGRESS) {
        policy_authority_format(&subject->host, subject->port, out);
        size = strlen(out);
    } else if (subject->kind == POLICY_OPEN_URL) {
        char authority[POLICY_AUTHORITY_MAX];
        policy_authority_format(&subject->host, subject->port, authority);
        size = (size_t)snprintf(out, POLICY_SUBJECT_MAX, "%s://%s", subject->scheme, authority);
    } else {
        size = glob_escape(subject->text, subject->size, out);
    }
    /* Exact means these arguments: a call without any is written with empty parentheses. */
    if (subject->kind == POLICY_EXEC && subject->tool_size == subject->size) {
        out[size++] = '(';
        out[size++] = ')';
    }
    out[size] = '\0';
    if (size >= POLICY_PATTERN_MAX)
        return bj_fail(error, -E2BIG, "too long to be remembered as a rule (over %d bytes)",
                       POLICY_PATTERN_MAX - 1);
    return 0;
}
