/*
 * A policy file that came with a project (.belljar/policy.conf in the project copy). It is data
 * from inside: only a proposal, until the human accepted exactly these bytes for this project.
 *
 * The accepted hashes are in STATE/accepted.json, one for each project; another content is a new
 * proposal, and the accepted one no longer counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "mux/policy/policy.h"
#include "transport/error.h"

#define PROPOSAL_PATH      ".belljar/policy.conf"
#define PROPOSAL_BYTES_MAX (64 * 1024)
#define PROPOSAL_HASH_SIZE 65 /* hexadecimal BLAKE2b-256, with the NUL */

struct proposal {
    struct policy policy; /* of this file alone */
    char *text;
    size_t size;
    char hash[PROPOSAL_HASH_SIZE];
};

/* Parses the bytes. On an error the hash is set all the same. */
int proposal_parse(struct proposal *proposal, const char *text, size_t size,
                   struct policy_report *report, struct bj_error *error);
/* Reads PROPOSAL_PATH below a directory without following any symbolic link, and only a regular
 * file. -ENOENT when there is none. */
int proposal_read(struct proposal *proposal, const char *directory, struct policy_report *report,
                  struct bj_error *error);
void proposal_free(struct proposal *proposal);

/* What it would change: lines that let more through first. A line is said to widen unless it is
 * certain that it does not. */
struct proposal_line {
    bool widens;
    int line;
    char *text; /* "allow egress api.example.test:443 (now: ask, by default at ...)" */
};
int proposal_diff(const struct policy *current, const struct proposal *proposal,
                  struct proposal_line **lines, size_t *count, struct bj_error *error);
void proposal_lines_free(struct proposal_line *lines, size_t count);

struct accepted;
int accepted_open(struct accepted **accepted, const char *path, struct bj_error *error);
void accepted_free(struct accepted *accepted);
bool accepted_has(const struct accepted *accepted, const char *project, const char *hash);
/* `hash` is that of the content which was shown; -ESTALE when it is not this proposal's. Saves. */
int accepted_add(struct accepted *accepted, const char *project, const struct proposal *proposal,
                 const char *hash, double now, struct bj_error *error);
int accepted_remove(struct accepted *accepted, const char *project, struct bj_error *error);

/* Adds an accepted proposal to a policy; -EPERM when it is not accepted. */
int proposal_load(struct policy *policy, const struct proposal *proposal,
                  const struct accepted *accepted, const char *project, struct bj_error *error);
