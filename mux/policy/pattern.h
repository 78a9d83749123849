/*
 * What a line of a policy matches, and how exactly it says so.
 *
 * kind          subject                    pattern
 * egress        host:port                  host[:port], address[:port]
 * open_url      http(s)://host[:port]/...  [scheme://]host[:port]
 * exec          Tool(arguments)            Tool, Tool(glob), *, *(glob)
 * file_out      path in the project        path glob
 * clipboard     read, write                glob
 * notification  its text                   glob
 *
 * Hosts: wildcards stand in front, each for whole labels: `*` is exactly one label, `**` one or
 * more.
 * `**` alone is every name. No wildcard matches an address: addresses are matched by themselves.
 * Globs: `*` is any text, `?` any one byte, `\` takes the next byte as it is. In file_out neither
 * matches `/`, and `**` is any text with it. In exec an *allowing* pattern's wildcards never match
 * what joins commands (; & | < > ` $ ( ) and line ends), so that `Bash(git status*)` does not let
 * `git status; rm -rf .` through; patterns that ask or deny match it. `Tool` without parentheses
 * matches every call of the tool.
 *
 * Specificity is a number, greater when the pattern says more: hosts by literal labels, then by
 * labels of `*`, then by whether a port (and scheme) is named; globs by having no wildcard, then by
 * literal bytes; exec by the tool first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/policy/host.h"
#include "transport/error.h"

#define POLICY_PATTERN_MAX 1024 /* bytes with the NUL */
#define POLICY_SUBJECT_MAX 4096 /* bytes with the NUL */

enum policy_kind {
    POLICY_EGRESS,
    POLICY_EXEC,
    POLICY_FILE_OUT,
    POLICY_CLIPBOARD,
    POLICY_NOTIFICATION,
    POLICY_OPEN_URL,
    POLICY_KINDS,
};

/* Greater is stricter. */
enum policy_effect { POLICY_ALLOW = 1, POLICY_ASK, POLICY_DENY };

const char *policy_kind_name(enum policy_kind kind);
const char *policy_effect_name(enum policy_effect effect);
int policy_kind_find(const char *name);   /* -1 when there is none */
int policy_effect_find(const char *name); /* -1 when there is none */

struct policy_pattern {
    enum policy_kind kind;
    uint64_t specificity;
    char *text; /* canonical spelling, owned */

    /* egress, open_url */
    struct policy_host host; /* what stands behind the wildcards; text "" for wildcards alone */
    uint8_t singles;         /* labels of * in front */
    bool deep;               /* ** in front */
    uint16_t port;           /* 0: any */
    const char *scheme;      /* NULL: http and https */
    /* exec */
    size_t tool_size; /* bytes of `text` that are the tool's glob */
    bool has_arguments;
};

/* -EINVAL with a sentence that says what would be right. */
int policy_pattern_parse(struct policy_pattern *pattern, enum policy_kind kind, const char *text,
                         struct bj_error *error);
void policy_pattern_free(struct policy_pattern *pattern);

/* A subject in the one form that patterns are compared with. */
struct policy_subject {
    enum policy_kind kind;
    char text[POLICY_SUBJECT_MAX];
    size_t size;
    struct policy_host host; /* egress, open_url */
    uint16_t port;
    const char *scheme; /* open_url: "http" or "https" */
    size_t tool_size;   /* exec: bytes of `text` before the parenthesis */
};

/*
 * -EINVAL when it cannot be one, which callers treat as denied: a host that is not canonical, a URL
 * that is not http or https or names a user, a path that is absolute, has .. or empty parts or
 * control characters. Egress without a port means 443. -E2BIG when over POLICY_SUBJECT_MAX.
 */
int policy_subject_parse(struct policy_subject *subject, enum policy_kind kind, const char *text,
                         size_t size, struct bj_error *error);

/* `allowing`: the pattern stands in an allow list (see exec above). */
bool policy_pattern_match(const struct policy_pattern *pattern,
                          const struct policy_subject *subject, bool allowing);

/* The pattern that matches this subject and nothing else. For open_url, its scheme, host and port.
 */
int policy_pattern_exact(const struct policy_subject *subject, char out[POLICY_SUBJECT_MAX * 2],
                         struct bj_error *error);
