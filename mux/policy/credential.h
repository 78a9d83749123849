/*
 * The `credential NAME { ... }` section of a policy file.
 */
#pragma once

#include "mux/policy/document.h"
#include "mux/policy/policy.h"

/* Fills the credential; on an error *at is the node that is wrong. Free it in either case. */
int credential_read(struct policy_credential *credential, const struct document_node *section,
                    const struct document_node **at, struct bj_error *error);
void credential_free(struct policy_credential *credential);
