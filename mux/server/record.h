/*
 * What is kept of a sandbox on disk, STATE/ID/sandbox.json: enough to find it again after the
 * server's death. Written to a file beside it and renamed, so that a reader sees the old one or
 * the new one whole. A record that cannot be read is reported, never guessed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/resource/cgroup.h"
#include "mux/resource/process.h"
#include "mux/server/name.h"
#include "transport/error.h"

enum sandbox_state {
    SANDBOX_STARTING,
    SANDBOX_RUNNING,
    SANDBOX_PAUSED,
    SANDBOX_EXITED,
    SANDBOX_LOST, /* its end was not seen by anyone */
};

/* Limits that the server watches; 0: none. */
struct record_quotas {
    uint64_t disk;          /* bytes of the project copy and the home directory */
    uint64_t egress;        /* bytes per hour over the network, both ways */
    uint64_t wall_clock;    /* seconds since the start */
    uint64_t recording_age; /* seconds that what was recorded is kept */
};

struct record {
    char id[ID_SIZE];
    char name[NAME_SIZE];
    char **argv;      /* NULL-terminated, owned */
    char **arguments; /* the caller's, of argv made by a profile; NULL-terminated or NULL, owned */
    bool instead;     /* they run in place of the profile's program */
    bool unheard;     /* its agent tells when it took a prompt, and has not */
    char **variables; /* names of those that the caller gave, likewise; values may be secrets */
    char *project;    /* path on the host or NULL, owned */
    char driver[32];
    char session[NAME_SIZE];
    double created; /* unix seconds */
    uint32_t rows, cols;
    uint64_t scrollback, record_limit;
    char *agent;  /* name of its profile or NULL, owned */
    char *policy; /* path of a policy file on the host or NULL, owned */
    struct cgroup_limits limits;
    struct record_quotas quotas;
    char cgroup[CGROUP_PATH_MAX]; /* "" without one */
    uint32_t uid, gid;            /* on the host */
    char boot_id[PROCESS_BOOT_ID_MAX];
    struct process_id init, outer, monitor, egress;
    enum sandbox_state state;
    bool has_exit;
    int exit_code, exit_signal;
    char error[BJ_ERROR_TEXT_MAX]; /* why it failed, "" */
};

void record_free(struct record *record);

/* Copies an argument list of `count` strings into record->argv. -ENOMEM. */
int record_set_argv(struct record *record, const char *const *argv, size_t count);

/* Likewise into record->arguments. */
int record_set_arguments(struct record *record, const char *const *argv, size_t count);

/* The names in a NULL-terminated list of NAME=VALUE become record->variables. -ENOMEM. */
int record_set_variables(struct record *record, const char *const *env);

int record_save(const struct record *record, const char *directory, struct bj_error *error);
int record_load(struct record *record, const char *directory, struct bj_error *error);

const char *sandbox_state_name(enum sandbox_state state);
