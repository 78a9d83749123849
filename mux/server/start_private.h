/*
 * What the parts of a start share: start.c goes step by step, start_again.c begins with a sandbox
 * that has run already, start_agent.c is what a profile makes of it.
 */
#pragma once

#include <limits.h>

#include <uv.h>

#include "mux/driver/driver.h"
#include "mux/server/profile.h"
#include "mux/server/start.h"

#define START_INFO_MAX   2048
#define START_PROXY_PORT 3128U /* on the loopback interface inside */

struct start {
    struct server *server;
    struct sandbox *sandbox; /* NULL when all is over and only handles are left to close */
    struct call *call;
    const struct driver *driver;
    char **env; /* NULL-terminated, owned */
    struct profile profile;
    struct profile_place place;
    struct job *job;
    struct wall wall;
    uv_poll_t info, gate;
    uv_timer_t timer;
    bool info_open, gate_open, timer_open;
    bool monitor_up, released, failing;
    bool asked_memory, asked_cpus; /* limits that the caller gave */
    bool again;                    /* of a sandbox that has run already: its work is kept */
    bool clearing, asked_monitor;  /* what is left of its last run is being ended */
    uint64_t began;                /* monotonic ms */
    char text[START_INFO_MAX];
    size_t text_size;
    struct bj_error why;
    uint64_t failed; /* monotonic ms */
};

/* --- start.c --- */

/* One that nothing has been done for yet; owns nothing but its handles. NULL: no memory. */
struct start *start_make(struct sandbox *sandbox, const struct driver *driver, struct call *call,
                         struct bj_error *error);
int start_directories(const struct sandbox *sandbox, struct bj_error *error);
/* One of our programs that run inside, without a link on the way: such would not be followed when
 * it is bound. */
int start_find_program(const struct start *start, const char *name, char real[PATH_MAX],
                       struct bj_error *error);
/* Starts monitor and wall; later all is told by way of the call. */
void start_launch(struct start *start);
/* Gives it up before anything was done: the sandbox stays as it is. */
void start_refuse(struct start *start, const struct bj_error *why);

/* --- start_agent.c --- */

/* What the caller's environment becomes, and is freed with; the sandbox remembers it for another
 * one like it. -ENOMEM. */
int start_copy_env(struct start *start, const char *const *env);
/* Reads the profile, if one is named, and looks for its program; the record gets the agent's whole
 * argument list and, for another time, the caller's part of it. */
int start_take_profile(struct start *start, const struct start_options *options,
                       struct bj_error *error);
/* What leads programs to the proxy, placeholders of credentials, the profile's variables. */
int start_add_env(struct start *start, struct bj_error *error);
int start_fill_home(const struct start *start, struct bj_error *error);
int start_fix_home(const struct start *start, struct bj_error *error); /* each time */
/* What of the profile is seen inside; both arrays are the plan's from then on. */
void start_add_profile(const struct start *start, struct wall_mount mounts[WALL_MOUNTS_MAX],
                       struct wall_file made[WALL_FILES_MAX], struct wall_plan *plan);
/* The files of the home directory that cannot be changed inside; as above, behind it. */
struct start_fixed {
    struct wall_mount mounts[WALL_KEPT_MAX];
    char sources[WALL_KEPT_MAX][BJ_PATH_MAX], targets[WALL_KEPT_MAX][BJ_PATH_MAX];
    char files[PROFILE_FIXED_MAX][BJ_PATH_MAX];
};
int start_add_fixed(const struct start *start, struct start_fixed *fixed,
                    struct wall_file made[WALL_FILES_MAX], struct wall_plan *plan,
                    struct bj_error *error);
/* The program that speaks the Agent Client Protocol, where it is what the sandbox runs. */
int start_add_acp(const struct start *start, char real[PATH_MAX],
                  struct wall_mount mounts[WALL_MOUNTS_MAX], struct wall_plan *plan,
                  struct bj_error *error);
