/*
 * Plays everything around belljar-egress: the monitor's socket with the shim behind it, and the
 * server. One thread, no threads of its own: wait_for() lets everything advance until a condition
 * holds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <check.h>

#define CHANNELS  512
#define NOTES_MAX 4096
#define RULES_MAX 64
#define FIRST     16U /* the first channel a test opens */

struct channel {
    char *in; /* received, NUL-terminated */
    size_t in_size, in_capacity;
    uint64_t sent, credit;
    uint64_t granted; /* to egress */
    bool hold_credit; /* grant nothing more */
    bool eof, closed;
    char reason[1025];
};

/* What the server answers about a host. */
struct rule {
    const char *host; /* "*": any */
    const char *answer;
    const char *reason;
    bool addresses_allowed;
};

struct note { /* a call or notification that egress sent */
    char name[32];
    char host[256];
    char reason[512];
    char address[64];
    char wait_id[64];
    char protocol[16];
    uint64_t port, in, out, suppressed;
    bool is_address;
};

struct world {
    char directory[64];
    int stream_listen, server_listen;
    int stream, server; /* -1: not connected */
    int stream_accepts, server_accepts;
    pid_t egress;
    struct channel channels[CHANNELS];
    char *stream_in, *server_in;
    size_t stream_in_size, server_in_size;
    char error_text[513]; /* of an ERROR message */
    struct rule rules[RULES_MAX];
    size_t rule_count;
    bool mute; /* the server leaves decide calls unanswered */
    unsigned next_wait;
    struct note notes[NOTES_MAX];
    size_t note_count;
    /* The credential that the server has. */
    const char *secret, *header, *format, *upstream, *credential_host, *credential_error;
    size_t seen_size; /* everything that egress ever sent to the sandbox's side */
    char *seen;
};

extern struct world world;

/* Options for egress: NULL-ended, in addition to the usual ones. */
void world_start(const char *const *options);
void world_stop(void); /* asserts that egress ends by itself */
void world_kill(void); /* kill -9 and reap */
void world_spawn(const char *const *options);
void world_drop_server(void); /* closes the connection; egress dials again */
void world_advance(int milliseconds);

void rule_add(const char *host, const char *answer, const char *reason, bool addresses_allowed);
void server_verdict(const char *wait_id, const char *answer, const char *reason,
                    bool addresses_allowed);
void server_revoke(const char *host, unsigned port);
void server_notify_name(const char *method, const char *name);
int notes_named(const char *name);        /* how many */
struct note *note_last(const char *name); /* NULL: none */

struct channel *shim_channel(unsigned channel);
void shim_open(unsigned channel);
void shim_send(unsigned channel, const char *bytes, size_t size);
void shim_text(unsigned channel, const char *text);
void shim_eof(unsigned channel);
void shim_close(unsigned channel);
void shim_raw(const void *bytes, size_t size);
bool has(unsigned channel, const char *text);
/* Opens a channel and sends text. */
void shim_say(unsigned channel, const char *text);

/* A TCP server on 127.0.0.1. */
int tcp_listen(unsigned *port);
int tcp_accept(int listener);                      /* waits for it */
char *tcp_read_until(int socket, const char *end); /* static buffer */
bool tcp_at_eof(int socket);

#define wait_for(condition)                                                                        \
    do {                                                                                           \
        bool held_ = (condition);                                                                  \
        for (int left_ = 1500; !held_ && left_ > 0; left_--) {                                     \
            world_advance(10);                                                                     \
            held_ = (condition);                                                                   \
        }                                                                                          \
        ck_assert_msg(held_, "never came: %s", #condition);                                        \
    } while (0)

double now_seconds(void);
