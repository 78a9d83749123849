/*
 * The sandbox's private copy of the project: a clone for a git repository, else a plain copy
 * (shared blocks where the file system can), else an empty directory. Made by a job, since it may
 * take long. Nothing of the copy points back to the host: no remote, no reflog, no shared objects,
 * none of the user's git configuration but name and address for commits.
 */
#pragma once

#include <stdbool.h>

#include "mux/server/job.h"

struct project_plan {
    const char *source;    /* absolute path, or NULL for nothing */
    const char *directory; /* STATE/ID, exists */
    bool change_owner;     /* give the copy to uid:gid */
    unsigned uid, gid;
};

/* Checks that the source is a directory that can be copied. */
int project_check(const char *source, const char *state, struct bj_error *error);

/*
 * Makes STATE/ID/project and STATE/ID/home. Returns 1 when both are ready at once (no source), else
 * 0 and a job in *job that calls `done`; or a negative code.
 */
int project_prepare(uv_loop_t *loop, const struct project_plan *plan, struct job **job,
                    job_done *done, void *owner, struct bj_error *error);

/* Deletes a directory tree that an agent may have written: never follows a link, copes with any
 * depth and modes. NULL with an error when it cannot be started. */
struct job *project_delete(uv_loop_t *loop, const char *directory, job_done *done, void *owner,
                           struct bj_error *error);
