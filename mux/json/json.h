/*
 * JSON when memory runs out. jansson does not tell that from text that is no JSON, and a string
 * that it reads may then silently lack letters (it does not look whether its buffer grew), a list
 * an entry. What is read or built here either is whole, or is known not to be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Like json_loadb(). On an error NULL, with *status -ENOMEM, or -EINVAL and what is wrong in *why
 * (which may be NULL). */
json_t *json_read(const char *text, size_t size, size_t flags, json_error_t *why, int *status);

/* Likewise the rest of a file; the code of read() when that fails. */
json_t *json_read_fd(int fd, size_t flags, json_error_t *why, int *status);

/* A number of an object; 0 when it is missing, below zero or no integer. */
uint64_t json_uint(const json_t *object, const char *key);

/* Begins to watch over what jansson allocates in this thread. */
void json_watch(void);
/* Whether it got no memory since. */
bool json_starved(void);

/* As json_dumps(), of something that was built since json_watch(), and drops the reference, which
 * may be NULL. NULL when it lacks something: memory ran out (json_starved()), or a text is no
 * UTF-8. */
char *json_text(json_t *root, size_t flags);
