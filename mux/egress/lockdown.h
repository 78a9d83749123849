/*
 * What the worker may still do once it is set up: read and write its descriptors, resolve names,
 * open TCP and UDP sockets, read (never write) files for the resolver and certificates. No
 * programs, no unix sockets, no other processes, no new rights; as root it becomes `nobody`.
 */
#pragma once

#include "transport/error.h"

/* Before anything secret is in memory and before threads start: no core dumps, not to be traced,
 * another user when root, and dead with its parent. */
int lockdown_begin(struct bj_error *error);

/* Everything is open and all threads run: the system call filter, for all of them. */
int lockdown_finish(struct bj_error *error);
