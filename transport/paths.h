/*
 * Where Belljar keeps its files.
 *
 *   runtime directory   sockets; gone after a reboot. $BELLJAR_RUNTIME_DIR, else
 *                       $XDG_RUNTIME_DIR/belljar, else /tmp/belljar-UID.
 *   state directory     records, recordings, project copies, logs. $BELLJAR_STATE_DIR, else
 *                       $XDG_STATE_HOME/belljar, else ~/.local/state/belljar.
 *   config directory    $BELLJAR_CONFIG_DIR, else $XDG_CONFIG_HOME/belljar, else ~/.config/belljar.
 *                       May be missing.
 *
 * Both of the first two are made with mode 0700 and refused when they are a symbolic link, belong
 * to someone else or are open to others. Source: XDG Base Directory Specification 0.8.
 *
 *   RUNTIME/server.sock, server.lock
 *   RUNTIME/ID/link/link.sock      monitor listens, the shim dials; mounted read-only inside
 *   RUNTIME/egress.sock            server listens, egress proxies dial
 *   RUNTIME/ID/control.sock        monitor listens, the server dials
 *   RUNTIME/ID/egress.sock         monitor listens, its egress proxy dials
 *   RUNTIME/ID/exec.sock           monitor listens; each connection is a program inside
 *   RUNTIME/ID/view.sock           monitor listens, clients dial
 *   RUNTIME/visits/                the same for walls around what has ended, while a command looks
 *   STATE/server.log, sessions.json, rules.json, accepted.json (policies of projects), audit.*
 *   STATE/ID/sandbox.json, monitor.log, egress.log, recording.0.cast, recording.1.cast, project/,
 *            home/; previous.0.cast and previous.1.cast: recording of the run before the last
 *            restart
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "transport/error.h"

#define BJ_PATH_MAX        4096
#define BJ_RECORDING_FILES 2
#define BJ_ACP_INSIDE      "/belljar/bin/belljar-acp" /* path in a sandbox that runs it */
#define BJ_SOCKET_PATH_MAX 107 /* bytes without the NUL; sun_path of unix(7) */

struct bj_paths {
    char runtime[BJ_PATH_MAX];
    char state[BJ_PATH_MAX];
    char config[BJ_PATH_MAX];
    char libexec[BJ_PATH_MAX]; /* where belljar-server, -monitor and -shim are */
    char data[BJ_PATH_MAX];    /* where themes/ is */
};

/* Finds the directories; makes and checks nothing. */
int bj_paths_find(struct bj_paths *paths, struct bj_error *error);

/* Makes the runtime and state directories where missing, and checks them. */
int bj_paths_prepare(const struct bj_paths *paths, struct bj_error *error);

/* mkdir -p with mode 0700 of an absolute path, then the owner, type and mode check. */
int bj_directory_private(const char *path, struct bj_error *error);

/* snprintf that fails with -ENAMETOOLONG instead of cutting. */
int bj_path(char *out, size_t size, struct bj_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* `name` as a human writes it: ~ and ~/ at its start are $HOME. */
int bj_path_home(char *out, size_t size, struct bj_error *error, const char *name);

/* One of the BJ_RECORDING_FILES of a sandbox's recording, in its state directory: of the run that
 * is the last one, or of the one before its last restart. */
int bj_recording_path(char *out, size_t size, struct bj_error *error, const char *directory,
                      bool previous, int number);
