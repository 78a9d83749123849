/*
 * A replay screen in a process of its own, without files, network, exec or any right but to
 * compute and to answer: if a recording breaks libvterm, it breaks there, and nothing is lost.
 *
 * Calls are answered one by one. What the process answers is filtered again (plain.h, picture.h)
 * before it is used.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "transport/error.h"
#include "tui/cli/replay_screen.h"
#include "tui/model/picture.h"

struct replay_worker {
    pid_t pid;
    int channel;
};

/* With `lines`, replay_worker_write gives the lines that leave the top of the screen. */
int replay_worker_start(struct replay_worker *worker, unsigned rows, unsigned cols, bool lines,
                        struct bj_error *error);
void replay_worker_stop(struct replay_worker *worker);

/* As the functions of replay_screen.h. -EPIPE when the process has ended: the recording is bad. */
int replay_worker_write(struct replay_worker *worker, const char *bytes, size_t size, FILE *lines,
                        struct bj_error *error);
int replay_worker_resize(struct replay_worker *worker, unsigned rows, unsigned cols, FILE *lines,
                         struct bj_error *error);
/* Brings the picture up to date with the screen; what the process says is checked. */
int replay_worker_picture(struct replay_worker *worker, struct picture *picture,
                          struct bj_error *error);
int replay_worker_text(struct replay_worker *worker, FILE *out, struct bj_error *error);
