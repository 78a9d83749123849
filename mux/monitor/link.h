/*
 * The outer end of the link (transport/message.h).
 *
 * Whoever dials link.sock is asked for by the kernel's word (SO_PEERCRED): only the process that
 * the server admitted is read from. Everything else is closed unread; until somebody is admitted,
 * at most LINK_CANDIDATES wait. What the admitted process sends is checked against the message
 * table; the first thing that breaks it ends that connection, raises an alert and disturbs nothing
 * else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <uv.h>

#include "mux/monitor/alerts.h"
#include "mux/monitor/asks.h"
#include "mux/monitor/outbox.h"
#include "transport/channel.h"
#include "transport/frame.h"
#include "transport/ring.h"

#define LINK_CANDIDATES 2
#define LINK_EPOCH      16

struct monitor;

/* One accepted connection. On the heap: libuv closes its handle later than the link forgets it. */
struct link_connection {
    uv_poll_t poll;
    struct monitor *monitor;
    int fd;
    pid_t pid;
    bool greeted;  /* HELLO came */
    bool credited; /* and then how much input the shim takes */
    bool writing;  /* waits for room in the socket */
    bool closing;
    uint8_t *in;
    size_t in_size;
    struct bj_frame frame;
    struct outbox out;
};

struct link {
    uv_poll_t listener;
    uv_timer_t held;        /* runs only while dials are held back */
    uv_timer_t unconfirmed; /* and only while asks are */
    int listen_fd;
    struct bucket dials;
    struct {
        int fd;
        pid_t pid;
    } candidates[LINK_CANDIDATES];
    pid_t admitted;
    struct link_connection *connection;
    uint32_t serial; /* of the connection */

    bool epoch_known, received;
    uint8_t epoch[LINK_EPOCH];
    struct bj_receiver output;
    struct {
        uv_timer_t timer;
        uint64_t inputs; /* control.inputs when output came last */
    } echo;              /* see is_echo() */
    struct {
        uv_timer_t timer;
        uint64_t until; /* ms of the loop's clock; past: not paced */
        uint64_t wait;  /* ms from one share to the next */
    } pace;             /* see link_pace.c */
    struct bj_sender sender;
    struct bj_ring input;
    bool input_placed; /* the ring's offsets are the shim's */
    struct asks asks;
    uv_timer_t turn; /* of the next ask that is held; runs only while one is */
};

/* Takes over the listening descriptor. */
int link_open(struct monitor *monitor, int listen_fd, struct bj_error *error);
void link_close(struct monitor *monitor);

/* The recording told where the stream was left. */
void link_restore(struct monitor *monitor, const uint8_t epoch[LINK_EPOCH], uint64_t offset);

void link_admit(struct monitor *monitor, pid_t pid);
int link_input(struct monitor *monitor, const void *bytes, size_t size);
void link_send_size(struct monitor *monitor, int rows, int cols);
int link_signal(struct monitor *monitor, int number); /* -ENOTCONN while the link is down */
int link_shutdown(struct monitor *monitor);
int link_verdict(struct monitor *monitor, uint32_t channel, enum bj_answer answer,
                 const char *reason); /* -ENOENT when nobody waits there */
/* Writes what is recorded, acknowledges it, and lets all go that waits. */
void link_settle(struct monitor *monitor);
bool link_is_up(const struct monitor *monitor);

/* For `ms` no more than `rate` bytes of output a second; 0 ms ends that. */
void link_pace(struct monitor *monitor, uint64_t rate, uint64_t ms);

/* Whether what was typed is out of this process: the shim's socket has it. What an agent that does
 * not read has no room for counts as well; it would wait for ever. */
bool link_input_sent(const struct monitor *monitor);
