/*
 * Profiles: how a known agent is started in a sandbox. Data files, docs/agents.md has their form:
 *
 *   CONFIG/profiles/NAME.conf, else DATA/profiles/NAME.conf, and the files beside it that it names
 *
 * profile_load() reads one, profile_find() looks for its program on this host. Both only read; a
 * profile is the user's own file, as a policy is. Blocks for as long as a few small files take.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "mux/server/secret.h"
#include "transport/error.h"
#include "transport/paths.h"

#define PROFILE_NAME_MAX   32
#define PROFILE_MOUNTS_MAX 8
#define PROFILE_FILES_MAX  8
#define PROFILE_FIXED_MAX  4

/* A file that is put into the sandbox: its path inside, and its content. */
struct profile_file {
    char *target;
    char *text;
    size_t size;
};

struct profile {
    char name[PROFILE_NAME_MAX + 1];
    char *file;    /* where it was read */
    char *summary; /* never NULL after profile_load() */
    char *install; /* how to install the program, or NULL */
    char *policy;  /* path of its policy file, or NULL */
    /* Lists end with NULL; never NULL themselves after profile_load(). */
    char **search;   /* where the program may be, see docs/agents.md */
    char **packages; /* npm packages beside the program's that it needs where they are */
    char **needs;    /* further programs */
    /* Where the host does not have it: what a shell does inside before its first start, the program
     * that is there then, relative to the home directory, and the programs that this needs. Both
     * or neither. */
    char *inside_install, *inside_program;
    char **inside_needs;
    char **command, **prompt, **resume;
    bool tells;  /* its hooks tell when it took a prompt: before that there is nothing to resume */
    char **env;  /* NAME=VALUE */
    char **keys; /* keys it uses itself */
    char **mounts;                                /* path inside and path on the host, by turns */
    struct profile_file files[PROFILE_FILES_MAX]; /* read-only, absolute */
    struct profile_file home[PROFILE_FILES_MAX];  /* relative to the home directory, once */
    /* Relative to the home directory, DIRECTORY/FILE or FILE, read-only at each start. */
    struct profile_file fixed[PROFILE_FIXED_MAX];
    size_t files_count, home_count, fixed_count;
};

/* -ENOENT with the names that there are, or "file:line: ..." for a mistake. */
int profile_load(struct profile *profile, const struct bj_paths *paths, const char *name,
                 struct bj_error *error);
void profile_free(struct profile *profile);

/* The names of all profiles, sorted, NULL-terminated; the caller frees them. NULL: no memory. */
char **profile_names(const struct bj_paths *paths);
void profile_list_free(char **list);

/* Something of the host that is mounted read-only inside. */
struct profile_mount {
    char source[BJ_PATH_MAX], target[BJ_PATH_MAX];
    bool directory;
};

struct profile_place {
    struct profile_mount mounts[PROFILE_MOUNTS_MAX];
    size_t count;
    char program[BJ_PATH_MAX]; /* path inside; "" when the profile names none */
    char found[BJ_PATH_MAX];   /* on the host */
    bool installs;             /* it is not there: it is installed inside */
};

/* `path` is the user's $PATH. -ENOENT says what is missing and how to get it. */
int profile_find(const struct profile *profile, const char *path, struct profile_place *place,
                 struct bj_error *error);

/* The agent's argument list: command, `arguments`, and the prompt ("" none). NULL: no memory. */
char **profile_argv(const struct profile *profile, const struct profile_place *place,
                    const char *const *arguments, const char *prompt, bool resume);

/* Why an agent of this profile would find none of the credentials that its policy names, each with
 * the user's own policy.conf over it; "" when one is at hand, or none is named. */
void profile_keyless(const struct profile *profile, const struct bj_paths *paths,
                     const struct secrets *secrets, char why[BJ_ERROR_TEXT_MAX]);

/* Whether an agent of this profile can do without a credential that its policy names: it is not at
 * hand, and another of them is. */
bool profile_spares(const struct profile *profile, const struct bj_paths *paths,
                    const struct secrets *secrets, const char *credential);

/* The variables that credentials of the user's policy, and of the agent's profile, are taken from.
 * No agent (""): of the policy alone; NULL: of all profiles. */
struct profile_variables {
    char *names[SECRET_GIVEN_MAX];
    size_t count;
};
void profile_variables(struct profile_variables *variables, const struct bj_paths *paths,
                       const char *agent);
void profile_variables_free(struct profile_variables *variables);
/* Whether NAME=VALUE is one of them. */
bool profile_wants(const struct profile_variables *variables, const char *variable);

/*
 * Makes places for the fixed files of a home directory, at each start, while nothing runs inside. A
 * directory that holds one lives in `kept`, outside of the home directory: its name there is never
 * to be had inside. What an earlier run has in the home directory is moved.
 */
int profile_fix_home(const struct profile *profile, const char *home, const char *kept,
                     bool change_owner, unsigned uid, unsigned gid, struct bj_error *error);

/* Puts the profile's files into a home directory that nobody else uses yet, as this user's. */
int profile_fill_home(const struct profile *profile, const char *home, bool change_owner,
                      unsigned uid, unsigned gid, struct bj_error *error);
