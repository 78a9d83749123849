/*
 * How a sandbox starts (docs/ARCHITECTURE.md): directories, project copy, then wall and monitor at
 * once; answered when init runs behind a finished wall and is the monitor's admitted peer. When
 * anything fails on the way, everything is taken back and the caller gets the reason.
 */
#pragma once

#include "mux/server/client.h"
#include "mux/server/sandbox.h"

struct start_options {
    const char *const *argv;
    size_t argc;
    const char *const *env; /* NULL-terminated */
    const char *name;       /* "" makes one up */
    /* An agent's profile: argv are further arguments then. "" none; `path` is the user's $PATH. */
    const char *agent, *prompt, *path;
    bool resume;
    bool instead;        /* argv is what runs, in place of the profile's command */
    const char *project; /* "" none */
    const char *driver;
    const char *session;
    const char *policy; /* path of a file on the host; "" none */
    /* UINT64_MAX: the policy's */
    struct cgroup_limits limits;
    struct record_quotas quotas;
    uint32_t rows, cols;
    uint64_t scrollback, record_limit;
    bool like; /* limits may be those of another sandbox, whose policy set them */
};

/* Takes over `call` in every case: answers it now with an error, or later. */
void start_sandbox(struct server *server, const struct start_options *options, struct call *call);

/* Likewise, for one that ended: on its own project copy and home. Of the options count env, path,
 * prompt and resume, which a profile that cannot resume is spared. */
void start_again(struct sandbox *sandbox, const struct start_options *options, struct call *call);

/* The monitor is connected, or failed (`why`). */
void start_monitor_up(struct start *start);
void start_monitor_failed(struct start *start, const struct bj_error *why);

/* The wall's outer process ended, with this status of waitpid(2). */
void start_wall_ended(struct start *start, int wait_status);

/* Ends a start that is under way, as failed; its caller is told `why`. */
void start_fail(struct start *start, const struct bj_error *why);

/* Takes away RUNTIME/ID with its sockets; nothing may use them any more. */
void start_remove_runtime(const struct sandbox *sandbox);
