/*
 * A system call filter as a C table. Each filter of Belljar is made when it is built: libseccomp
 * allocates thousands of times for one, and where one of them fails it leaves rules out, crashes or
 * never ends.
 */
#pragma once

#include <seccomp.h>

/* Writes it to standard output, as `static const struct sock_filter NAME[]`, when `status`, that of
 * making it, is 0; then releases it, which may be NULL. Returns the maker's exit code. */
int filter_print(scmp_filter_ctx filter, int status, const char *name);
