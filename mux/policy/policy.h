/*
 * What may cross the wall of a sandbox: the policy files in force, and the decision on one subject.
 *
 * A struct policy is loaded file by file (built-in, user-wide, profile, project, --policy), then
 * its presets are resolved, then it is only read. No I/O happens in a decision. One policy belongs
 * to one sandbox; nothing in it points anywhere else.
 *
 * The decision (docs/policy.md states it for people):
 *   1. Of all lines and remembered rules that match, those of the greatest specificity count,
 *      whichever file they are in.
 *   2. Of those, deny goes before ask, ask before allow; only a remembered allow goes before an ask
 *      of equal specificity, since that is the question it answered.
 *   3. Nothing matches: the kind's `default`, of the last file that states one, else deny.
 * What cannot be parsed as a subject, and what fails for want of memory, is denied.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/policy/pattern.h"
#include "mux/policy/preset.h"
#include "transport/error.h"
#include "transport/paths.h"

struct rules;

#define POLICY_NAME_MAX  64
#define POLICY_WHERE_MAX 320 /* "file:line", the file cut in front when it is long */

struct policy_entry {
    enum policy_kind kind;
    enum policy_effect effect;     /* 0: a `private` line, see policy_private() */
    struct policy_pattern pattern; /* kind only when `preset` is set */
    char *preset;                  /* "@npm", else NULL */
    uint32_t file;
    int line;
};

enum policy_limit {
    POLICY_LIMIT_MEMORY,        /* bytes */
    POLICY_LIMIT_CPUS,          /* 1/1000 of a core */
    POLICY_LIMIT_PIDS,          /* processes and threads */
    POLICY_LIMIT_DISK,          /* bytes of the project copy and the home directory */
    POLICY_LIMIT_EGRESS,        /* bytes per hour, both ways */
    POLICY_LIMIT_WALL,          /* milliseconds since start */
    POLICY_LIMIT_RECORDING_AGE, /* milliseconds that what was recorded is kept */
    POLICY_LIMIT_WAIT,          /* milliseconds that a request waits for the human's verdict */
    POLICY_LIMITS,
};
const char *policy_limit_name(enum policy_limit limit); /* as in files: "egress_per_hour" */

struct policy_value {
    uint64_t value; /* 0: no limit */
    bool set;
    uint32_t file;
    int line;
};

/* A secret that the egress proxy adds outside. `from` says where it is; it is not read here. */
enum credential_source { CREDENTIAL_ENV = 1, CREDENTIAL_FILE, CREDENTIAL_COMMAND };

struct policy_credential {
    char name[POLICY_NAME_MAX];
    enum credential_source source;
    char *from; /* variable, absolute path (~/ expanded by the reader) or command */
    struct policy_pattern *hosts; /* exact hosts, never wildcards */
    size_t hosts_count;
    char *header;
    char *format;                         /* exactly one %s */
    char *placeholder_env, *base_url_env; /* NULL when absent */
    char *upstream;                       /* https://host[:port][/path]; NULL when absent */
    struct policy_host upstream_host;
    uint16_t upstream_port;
    uint32_t file;
    int line;
};

struct policy_preset {
    struct preset preset;
    struct policy_pattern *patterns; /* of preset.hosts; those that are no patterns are left out */
    size_t patterns_count;
};

struct policy {
    char **files;
    size_t files_count;
    struct policy_entry *entries;
    size_t entries_count, entries_room;
    struct {
        enum policy_effect effect; /* 0: not stated */
        uint32_t file;
        int line;
    } defaults[POLICY_KINDS];
    struct policy_value limits[POLICY_LIMITS];
    struct policy_credential *credentials;
    size_t credentials_count;
    struct policy_preset *presets;
    size_t presets_count;
};

void policy_free(struct policy *policy);

enum policy_trust {
    POLICY_TRUSTED,  /* the user's own file */
    POLICY_PROPOSED, /* came with a project: may not name credentials */
};

/*
 * Adds one file's content. `file` is what messages call it. On an error ("file:line: what, and what
 * would be right", all of them up to 20 in *report when that is given) the policy is unchanged.
 * A credential of the same name in a later file replaces the earlier; limits and defaults likewise.
 */
struct policy_report {
    char **lines;
    size_t count;
};
int policy_load_text(struct policy *policy, const char *text, size_t size, const char *file,
                     enum policy_trust trust, struct policy_report *report, struct bj_error *error);
int policy_load_file(struct policy *policy, const char *path, struct policy_report *report,
                     struct bj_error *error);
/* As above; a missing file is fine and adds nothing. */
int policy_load_optional(struct policy *policy, const char *path, struct policy_report *report,
                         struct bj_error *error);

/* What counts for every sandbox: the policy that comes with Belljar, and the user's own, which may
 * be missing. */
int policy_load_builtin(struct policy *policy, const struct bj_paths *paths,
                        struct bj_error *error);
int policy_load_own(struct policy *policy, const struct bj_paths *paths, struct bj_error *error);
void policy_report_free(struct policy_report *report);

/* Resolves every preset that is named and not yet set, by preset_resolve(), which may run programs
 * and take seconds: call it off the event loop. What cannot be resolved stays empty, with a note.
 */
int policy_resolve(struct policy *policy, const struct preset_context *context,
                   struct bj_error *error);
/* Sets a preset to a list found before. Copies. */
int policy_set_preset(struct policy *policy, const struct preset *preset, struct bj_error *error);

struct policy_query {
    enum policy_kind kind;
    const char *subject; /* see pattern.h */
    size_t size;
    const char *sandbox; /* id; for remembered rules; NULL: none */
    const char *project; /* directory on the host; likewise */
    double now;          /* unix seconds; likewise */
};

struct policy_decision {
    enum policy_effect effect;
    bool by_default;              /* nothing matched */
    bool invalid;                 /* the subject was refused as such */
    uint64_t rule;                /* id of the remembered rule that decided, else 0 */
    char where[POLICY_WHERE_MAX]; /* "file:line", "rule 12", or "built in" */
    char pattern[POLICY_PATTERN_MAX];
    char subject[POLICY_SUBJECT_MAX]; /* canonical, what was decided on */
    char why[BJ_ERROR_TEXT_MAX];      /* one sentence */
};

/* `rules` may be NULL. Never fails: see above. */
void policy_decide(const struct policy *policy, const struct rules *rules,
                   const struct policy_query *query, struct policy_decision *decision);

/* Whether an allowed egress subject may be at an address that is not public (loopback, private,
 * link-local, metadata): when it is an address itself, when a `private` line names it, or when it
 * comes from a preset, that is, from the user's own configuration of this very host. */
bool policy_private(const struct policy *policy, const char *subject, size_t size);

/* The lines considered, in the order of precedence; the first decides. Then follow the kind's
 * default, and a note for each preset that is empty. No lines when the subject was refused as such.
 */
struct policy_line {
    enum policy_effect effect; /* 0: a note */
    bool decides;
    uint64_t rule;
    char where[POLICY_WHERE_MAX];
    char *text; /* pattern, or the note */
};
int policy_explain(const struct policy *policy, const struct rules *rules,
                   const struct policy_query *query, struct policy_decision *decision,
                   struct policy_line **lines, size_t *count, struct bj_error *error);
void policy_lines_free(struct policy_line *lines, size_t count);

/* "file:line" into out. */
void policy_where(const struct policy *policy, uint32_t file, int line, char *out, size_t size);
