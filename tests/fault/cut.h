/*
 * Something in the way of a socket: what goes over it comes in small parts, late, and is cut off in
 * the middle of a message after some bytes. It takes the socket's name until it is taken away.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cut {
    char path[128], real[128];
    pid_t child;
    ino_t inode;
};

/* Goes into the way; connections end after about `bytes`. False when there is no such socket. */
bool cut_open(struct cut *cut, const char *path, uint32_t bytes, uint64_t seed);
void cut_close(struct cut *cut);
