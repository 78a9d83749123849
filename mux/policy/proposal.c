#include "mux/policy/proposal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "mux/json/json.h"
#include "mux/policy/file.h"

static void make_hash(struct proposal *proposal)
{
    unsigned char digest[crypto_generichash_BYTES];
    crypto_generichash(digest, sizeof(digest), (const unsigned char *)proposal->text,
                       proposal->size, NULL, 0);
    sodium_bin2hex(proposal->hash, sizeof(proposal->hash), digest, sizeof(digest));
}

int proposal_parse(struct proposal *proposal, const char *text, size_t size,
                   struct policy_report *report, struct bj_error *error)
{
    *proposal = (struct proposal){0};
    if (size > PROPOSAL_BYTES_MAX)
        return bj_fail(error, -EFBIG, "%s is over 64 KiB, too long for a project's policy",
                       PROPOSAL_PATH);
    proposal->text = malloc(size + 1);
    if (!proposal->text)
        return bj_fail(error, -ENOMEM, "out of memory");
    memcpy(proposal->text, text, size);
    proposal->text[size] = '\0';
    proposal->size = size;
    make_hash(proposal);
    return policy_load_text(&proposal->policy, proposal->text, size, PROPOSAL_PATH, POLICY_PROPOSED,
                            report, error);
}

/* No component may be a link, and nothing leads out of the directory: what stands there was written
 * inside. O_NONBLOCK, since it may be a pipe. */
static int open_below(const char *directory, const char *path)
{
    int base = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (base < 0)
        return -errno;
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                                      RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
    long fd = syscall(SYS_openat2, base, path, &how, sizeof(how));
    int status = fd < 0 ? -errno : (int)fd;
    close(base);
    return status;
}

int proposal_read(struct proposal *proposal, const char *directory, struct policy_report *report,
                  struct bj_error *error)
{
    *proposal = (struct proposal){0};
    int fd = open_below(directory, PROPOSAL_PATH);
    if (fd == -ENOENT || fd == -ENOTDIR)
        return bj_fail(error, -ENOENT, "the project has no %s", PROPOSAL_PATH);
    if (fd < 0)
        return bj_fail(error, fd, "cannot read the project's %s: %s", PROPOSAL_PATH,
                       fd == -ELOOP ? "it is, or lies behind, a symbolic link" : strerror(-fd));
    struct stat info;
    char *text = malloc(PROPOSAL_BYTES_MAX + 1);
    size_t size = 0;
    int status = 0;
    if (!text)
        status = bj_fail(error, -ENOMEM, "out of memory");
    else if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        status = bj_fail(error, -EINVAL, "the project's %s is not a regular file", PROPOSAL_PATH);
    while (status == 0 && size <= PROPOSAL_BYTES_MAX) {
        ssize_t got = read(fd, text + size, PROPOSAL_BYTES_MAX + 1 - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = bj_fail(error, -errno, "cannot read the project's %s: %s", PROPOSAL_PATH,
                             strerror(errno));
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    close(fd);
    if (status == 0)
        status = proposal_parse(proposal, text, size, report, error);
    free(text);
    return status;
}

void proposal_free(struct proposal *proposal)
{
    policy_free(&proposal->policy);
    free(proposal->text);
    *proposal = (struct proposal){0};
}

/* What it would change --------------------------------------------------------------------------
 */

struct lines {
    struct proposal_line *list;
    size_t count;
};

static int add_line(struct lines *lines, bool widens, int line, const char *text)
{
    struct proposal_line *list = realloc(lines->list, (lines->count + 1) * sizeof(*list));
    char *copy = strdup(text);
    if (list)
        lines->list = list;
    if (!list || !copy) {
        free(copy);
        return -ENOMEM;
    }
    struct proposal_line *added = &list[lines->count++];
    added->widens = widens;
    added->line = line;
    added->text = copy;
    return 0;
}

static bool same_entry(const struct policy_entry *one, const struct policy_entry *other)
{
    if (one->kind != other->kind || !one->preset != !other->preset)
        return false;
    return strcmp(one->preset ? one->preset : one->pattern.text,
                  other->preset ? other->preset : other->pattern.text) == 0;
}

/* The strictest effect that the current policy already gives this very pattern, 0 for none. Equal
 * patterns are equally specific, so the strictest of them decides whatever is added. */
static enum policy_effect current_effect(const struct policy *current,
                                         const struct policy_entry *entry)
{
    enum policy_effect strictest = 0;
    for (size_t i = 0; i < current->entries_count; i++)
        if (same_entry(&current->entries[i], entry) && current->entries[i].effect > strictest)
            strictest = current->entries[i].effect;
    return strictest;
}

static int diff_entry(struct lines *lines, const struct policy *current,
                      const struct policy_entry *entry)
{
    const char *what = entry->preset ? entry->preset : entry->pattern.text;
    enum policy_effect now = current_effect(current, entry);
    enum policy_effect fallback = current->defaults[entry->kind].effect;
    char text[POLICY_PATTERN_MAX + 128], because[64] = "";
    if (now == entry->effect)
        return 0;
    /* A stricter or equal line for the same pattern stays in force; a denial never widens. What is
     * asked may have been denied by another line, or the other way round: that counts as wider. */
    bool widens = now ? false : entry->effect != POLICY_DENY;
    if (now)
        snprintf(because, sizeof(because), "%s now%s", policy_effect_name(now),
                 now > entry->effect ? ", which stays" : "");
    else
        snprintf(because, sizeof(because), "no such line now; default %s",
                 policy_effect_name(fallback ? fallback : POLICY_DENY));
    snprintf(text, sizeof(text), "%s %s %s (%s)", policy_effect_name(entry->effect),
             policy_kind_name(entry->kind), what, because);
    return add_line(lines, widens, entry->line, text);
}

static int diff_default(struct lines *lines, const struct policy *current,
                        const struct policy *proposed, enum policy_kind kind)
{
    enum policy_effect now = current->defaults[kind].effect, then = proposed->defaults[kind].effect;
    if (!now)
        now = POLICY_DENY;
    if (!then || then == now)
        return 0;
    char text[128];
    snprintf(text, sizeof(text), "%s %s by default (now: %s)", policy_effect_name(then),
             policy_kind_name(kind), policy_effect_name(now));
    return add_line(lines, then < now, proposed->defaults[kind].line, text);
}

static int diff_limit(struct lines *lines, const struct policy *current,
                      const struct policy *proposed, enum policy_limit limit)
{
    const struct policy_value *then = &proposed->limits[limit];
    uint64_t now = current->limits[limit].set ? current->limits[limit].value : 0;
    if (!then->set || then->value == now)
        return 0;
    char text[128];
    char was[32] = "no limit", is[32] = "no limit";
    if (now)
        snprintf(was, sizeof(was), "%llu", (unsigned long long)now);
    if (then->value)
        snprintf(is, sizeof(is), "%llu", (unsigned long long)then->value);
    snprintf(text, sizeof(text), "limit %s %s (now: %s)", policy_limit_name(limit), is, was);
    return add_line(lines, now != 0 && (then->value == 0 || then->value > now), then->line, text);
}

static int compare_lines(const void *one, const void *other)
{
    const struct proposal_line *a = one, *b = other;
    return a->widens != b->widens ? (a->widens ? -1 : 1) : a->line - b->line;
}

int proposal_diff(const struct policy *current, const struct proposal *proposal,
                  struct proposal_line **list, size_t *count, struct bj_error *error)
{
    struct lines lines = {0};
    const struct policy *proposed = &proposal->policy;
    int status = 0;
    for (size_t i = 0; status == 0 && i < proposed->entries_count; i++)
        status = diff_entry(&lines, current, &proposed->entries[i]);
    for (int i = 0; status == 0 && i < POLICY_KINDS; i++)
        status = diff_default(&lines, current, proposed, (enum policy_kind)i);
    for (int i = 0; status == 0 && i < POLICY_LIMITS; i++)
        status = diff_limit(&lines, current, proposed, (enum policy_limit)i);
    if (status < 0) {
        proposal_lines_free(lines.list, lines.count);
        lines = (struct lines){0};
        bj_fail(error, status, "out of memory while comparing");
    }
    if (lines.count)
        qsort(lines.list, lines.count, sizeof(*lines.list), compare_lines);
    *list = lines.list;
    *count = lines.count;
    return status;
}

void proposal_lines_free(struct proposal_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(lines[i].text);
    free(lines);
}

/* What was accepted ------------------------------------------------------------------------------
 */

struct accepted {
    char *path;
    json_t *projects; /* project: {hash, time} */
};

int accepted_open(struct accepted **out, const char *path, struct bj_error *error)
{
    json_t *root = NULL;
    *out = NULL;
    int status = file_read_json(path, &root, error);
    if (status < 0)
        return status;
    struct accepted *accepted = calloc(1, sizeof(*accepted));
    json_t *projects = root ? json_incref(json_object_get(root, "projects")) : json_object();
    if (root && !projects)
        projects = json_null(); /* damaged, not out of memory */
    json_decref(root);
    if (projects && !json_is_object(projects))
        status = bj_fail(error, -EINVAL, "%s is damaged: restore it, or move it away", path);
    else if (!accepted || !projects || !(accepted->path = strdup(path)))
        status = bj_fail(error, -ENOMEM, "out of memory");
    if (status < 0) {
        json_decref(projects);
        free(accepted);
        return status;
    }
    accepted->projects = projects;
    *out = accepted;
    return 0;
}

void accepted_free(struct accepted *accepted)
{
    if (!accepted)
        return;
    json_decref(accepted->projects);
    free(accepted->path);
    free(accepted);
}

bool accepted_has(const struct accepted *accepted, const char *project, const char *hash)
{
    const json_t *entry = json_object_get(accepted->projects, project);
    const char *known = json_string_value(json_object_get(entry, "hash"));
    return known && strcmp(known, hash) == 0;
}

/* Saves `projects` (the reference is taken over) and, when that worked, goes on with it. */
static int change(struct accepted *accepted, json_t *projects, struct bj_error *error)
{
    json_t *root = projects ? json_pack("{s:i, s:O}", "version", 1, "projects", projects) : NULL;
    int status = file_replace_json(accepted->path, root, error);
    if (status < 0) {
        json_decref(projects);
        return status;
    }
    json_decref(accepted->projects);
    accepted->projects = projects;
    return 0;
}

int accepted_add(struct accepted *accepted, const char *project, const struct proposal *proposal,
                 const char *hash, double now, struct bj_error *error)
{
    if (strcmp(proposal->hash, hash) != 0)
        return bj_fail(error, -ESTALE,
                       "the project's %s changed since it was shown: look at it again",
                       PROPOSAL_PATH);
    json_watch();
    json_t *projects = json_copy(accepted->projects);
    json_t *entry = json_pack("{s:s, s:f}", "hash", hash, "time", now);
    if (json_object_set_new(projects, project, entry) < 0) { /* which takes the entry in any case */
        json_decref(projects);
        if (json_starved())
            return bj_fail(error, -ENOMEM, "out of memory");
        return bj_fail(error, -EINVAL, "cannot note the project %.200s (is its path valid UTF-8?)",
                       project);
    }
    return change(accepted, projects, error);
}

int accepted_remove(struct accepted *accepted, const char *project, struct bj_error *error)
{
    json_watch();
    json_t *projects = json_copy(accepted->projects);
    if (!projects || json_object_del(projects, project) < 0) {
        json_decref(projects);
        if (json_starved())
            return bj_fail(error, -ENOMEM, "out of memory");
        return bj_fail(error, -ENOENT, "no policy of the project %.200s was accepted", project);
    }
    return change(accepted, projects, error);
}

int proposal_load(struct policy *policy, const struct proposal *proposal,
                  const struct accepted *accepted, const char *project, struct bj_error *error)
{
    if (!accepted_has(accepted, project, proposal->hash))
        return bj_fail(error, -EPERM, "the project's %s is only a proposal: nobody accepted it",
                       PROPOSAL_PATH);
    return policy_load_text(policy, proposal->text, proposal->size, PROPOSAL_PATH, POLICY_PROPOSED,
                            NULL, error);
}
