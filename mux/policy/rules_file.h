/*
 * The form of STATE/rules.json.
 */
#pragma once

#include "mux/policy/rules.h"

int rules_save(const struct rules *rules, struct bj_error *error);
int rules_load(struct rules *rules, struct bj_error *error);
