/*
 * A double of the monitor for tests of the shim: listens at a real socket, starts the real program,
 * and says on the link exactly what the test wants. Every wait has a deadline; what goes wrong
 * fails the running test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "transport/frame.h"
#include "transport/message.h"

/* Prints lines through the pty, which makes CR LF of each LF: bytes. */
#define DOUBLE_SEQ       "seq 1 100000"
#define DOUBLE_SEQ_BYTES 688895

struct double_monitor {
    char dir[256]; /* holds link.sock and ask.sock */
    int listener;
    int fd; /* the connection, or -1 */
    pid_t shim;
    struct bj_frame frame;
    size_t size, start; /* bytes held, and where the next message begins */
    uint8_t bytes[256 * 1024];
    uint64_t out_next; /* output received */
    uint64_t in_next;  /* input sent */
};

/* Whether bwrap works on this machine; the tests that need it are left out otherwise. */
bool double_can_wall(void);

/* Makes the directory of all tests, or removes it with all that is in it. */
void double_base_make(void);
void double_base_remove(void);

/* More options for `init`, ending with NULL; NULL: none. Check's fork makes it one test's own. */
extern const char *const *double_options;

/* Starts the shim with the agent argv; as pid 1 in bwrap when `wall` is set. */
void double_start(struct double_monitor *monitor, bool wall, const char *const argv[]);
void double_start_shell(struct double_monitor *monitor, bool wall, const char *script);

/* Takes the next connection and its HELLO. */
void double_accept(struct double_monitor *monitor, struct bj_message *hello);

/* Answers HELLO: output from `out_next` up to `out_limit`, 24 by 80. */
void double_welcome(struct double_monitor *monitor, uint64_t out_limit);

/* Both, with unlimited credit. */
void double_connect(struct double_monitor *monitor);

void double_hang_up(struct double_monitor *monitor);

/* Listens again after the test closed the listener, as a restarted monitor does. */
void double_listen_again(struct double_monitor *monitor);

void double_send(struct double_monitor *monitor, const struct bj_message *message);
void double_send_uints(struct double_monitor *monitor, enum bj_message_type type, uint32_t channel,
                       size_t count, const uint64_t values[]);
void double_send_input(struct double_monitor *monitor, const void *bytes, size_t size);
void double_send_raw(struct double_monitor *monitor, const void *bytes, size_t size);
void double_ack(struct double_monitor *monitor);

/* Takes DATA, and acknowledges it as it comes, until all before `offset` is there. */
void double_take(struct double_monitor *monitor, uint64_t offset);

/* The next message, valid until the next call. The pty's DATA is checked for its offset and
 * counted. Returns false at the end of the connection. */
bool double_next(struct double_monitor *monitor, struct bj_message *message);

/* Skips CREDIT, ACK, STARTED and DATA until a message of this type (DATA: of the pty). */
void double_expect(struct double_monitor *monitor, enum bj_message_type type,
                   struct bj_message *message);

/* Collects output until it contains `text`. */
void double_expect_output(struct double_monitor *monitor, const char *text);

/* Skips the rest until EXITED, acknowledges, and waits for the shim. Returns its exit code. */
int double_finish(struct double_monitor *monitor, struct bj_message *exited);

/* Waits for a child; 128 + signal when one ended it. */
int double_wait(pid_t pid);

/* Ends whatever still runs. */
void double_end(struct double_monitor *monitor);

/* Starts `belljar-shim ask` with argv behind it, its stderr in *err (a pipe to read). */
pid_t double_ask(struct double_monitor *monitor, const char *const argv[], int *err);
