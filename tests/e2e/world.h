/*
 * A world of its own for one test: private runtime, state, home and configuration directories under
 * /tmp, an environment that points there, and the means to find everything that was started in it.
 *
 * The test process adopts orphans (PR_SET_CHILD_SUBREAPER), so that every process that any Belljar
 * program of the test has started, agents included, is its descendant; world_close() fails the test
 * when one of them, a mount, a socket or a cgroup is left, and ends what is left. All functions
 * fail the test (Check) instead of returning errors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <check.h>
#include <jansson.h>

struct world {
    char base[64]; /* /tmp/bjt-... */
    char runtime[96];
    char state[96];
    char home[96];
    char programs[4096]; /* where the built programs are */
    char belljar[4096 + 16];
};

/* What a program printed, and its exit code (128 + signal when one ended it). */
struct result {
    int code;
    char *out, *err; /* NUL-terminated */
    size_t out_size, err_size;
};

/* Main of a test program: runs the suite, then ends and names whatever a failed test has left. */
int world_main(Suite *suite);

/* Milliseconds that a wait may last: 60 s, times the factor in $BELLJAR_TEST_SLOW. */
int world_patience(void);
long long world_now(void); /* monotonic milliseconds */

void world_open(struct world *world);
/* Gives it a copy of the programs, in world->base/programs, some of which the test then replaces.
 */
void world_copy_programs(struct world *world);
/* Kills every sandbox and the server the official way, then asserts that nothing is left. */
void world_close(struct world *world);

/* Runs a program to its end with `input` (or nothing) on stdin. Free with result_free(). */
void world_run(struct world *world, struct result *result, const char *input,
               const char *const argv[]);
void result_free(struct result *result);

/* The same for belljar; the second form asserts exit code 0 and drops the output. */
#define BELLJAR(world, result, ...)                                                                \
    world_run(world, result, NULL, (const char *const[]){(world)->belljar, __VA_ARGS__, NULL})
#define BELLJAR_OK(world, ...)                                                                     \
    world_run_ok(world, (const char *const[]){(world)->belljar, __VA_ARGS__, NULL})
void world_run_ok(struct world *world, const char *const argv[]);

/* Starts a program with stdout in a pipe; the caller reads, closes and waits for it. */
pid_t world_start(struct world *world, int *out, const char *const argv[]);

/* Waits until the condition holds; fails the test with its text when it does not in time. */
#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        long long limit_ = world_now() + world_patience();                                         \
        while (!(condition)) {                                                                     \
            ck_assert_msg(world_now() < limit_, "waited in vain for: " #condition);                \
            world_breathe();                                                                       \
        }                                                                                          \
    } while (0)
void world_breathe(void); /* the pause between two looks */

/* The record of a sandbox from `belljar ls --json`, or NULL. The caller drops the reference. */
json_t *world_sandbox(struct world *world, const char *name);
/* One field of it, as text ("" when missing) in a buffer that lasts until the next call. */
const char *world_field(struct world *world, const char *name, const char *field);
long long world_number(struct world *world, const char *name, const char *field);
bool world_state_is(struct world *world, const char *name, const char *state);

/* The screen's text as `belljar capture` gives it; lasts until the next call. "" when it fails. */
const char *world_capture(struct world *world, const char *name);
/* N of the last line "out N" on its screen; 0: none. */
long world_counted(struct world *world, const char *name);
bool world_shows(struct world *world, const char *name, const char *text);

pid_t world_server(struct world *world); /* the server's pid, 0 when none runs */

/* All living descendants of this process. Returns how many there are. */
size_t world_processes(pid_t *pids, size_t size);
/* Those in the pid namespace of `init` (host pids), zombies not counted. */
size_t world_inside(pid_t init, pid_t *pids, size_t size);
bool world_alive(pid_t pid); /* exists and is no zombie */

/* Writes a file below world->base and returns its path, which lasts until the next call. */
const char *world_file(struct world *world, const char *name, const char *text, mode_t mode);
/* What a file of the host contains; "" when it cannot be read. Lasts until the next call. */
const char *world_read(const char *path);

/* Whether a mount, a listening unix socket or a cgroup of the host carries `text` in its name. */
bool world_mount_named(const char *text);
bool world_socket_named(const char *text);
bool world_cgroup_named(const char *text);
