/*
 * From a document to a policy: which names there are, what they hold, and what is said when a file
 * has something else. The tables in schema.c are the schema; docs/policy.md and the man page tell
 * the same in words.
 */
#pragma once

#include "mux/policy/document.h"
#include "mux/policy/policy.h"

/* Adds everything in the tree to the policy, as coming from policy->files[file]. Every mistake is a
 * line of the report; the first is the error's sentence as well. -EINVAL when there was one. */
int schema_read(struct policy *policy, uint32_t file, const struct document_node *root,
                enum policy_trust trust, struct policy_report *report, struct bj_error *error);
