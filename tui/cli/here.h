/*
 * Which project an agent gets that was given none, and what of a project its copy will not have.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* The repository that the working directory is in. False when it is in none, or in one that holds
 * the home directory: who keeps that in git has more in it than an agent should see. */
bool here_repository(char out[PATH_MAX]);

/* A sentence on what is left behind: changes that are not committed, or the history when only a
 * directory of a repository was given. "" when nothing is. `project` is an absolute path. */
void here_left_behind(const char *project, char *out, size_t size);
