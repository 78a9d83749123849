/* Writing files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "transport/error.h"

/* write(2) until all is written; a negative errno. */
int bj_file_write(int fd, const void *content, size_t size);

/* Replaces a file whole: it is written beside as PATH.new with mode 0600, then renamed. Whoever
 * reads it sees the old content or the new. A durable one is either the old or the new after a
 * crash of the machine as well, for the price of waiting for the disk. A negative errno, and
 * nothing is left beside. */
int bj_file_replace(const char *path, const void *content, size_t size, bool durable,
                    struct bj_error *error);
