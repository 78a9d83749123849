/*
 * The environment that leads an agent's programs to the proxy port inside its sandbox. One table
 * for all of them, since each family of programs reads other names.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PROXY_ENV_TEXT_MAX 96

size_t proxy_env_count(void);

/* The variable of an index below proxy_env_count() as NAME=VALUE for a proxy at 127.0.0.1:port. */
void proxy_env_text(size_t index, uint16_t port, char out[PROXY_ENV_TEXT_MAX]);
