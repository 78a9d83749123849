/*
 * Hosts out of configuration: what each preset reads and how. Used by preset.c only.
 */
#pragma once

#include <stddef.h>

#include "mux/policy/preset.h"

/* Adds what a text names: every http(s) URL in it, without user information and path. Returns how
 * many there were, or -ENOMEM. */
int preset_add_urls(struct preset *preset, const char *text, size_t size);
/* One git remote: also ssh://, git:// and host:path. 0 for a local path. */
int preset_add_remote(struct preset *preset, const char *text, size_t size);
/* host[:port] with a default port; what is no host is passed over. */
int preset_add_host(struct preset *preset, const char *text, size_t size, unsigned port);

/* Files and directories: */
int preset_read_apt(struct preset *preset, const char *directory);
int preset_read_cargo(struct preset *preset, const char *directory);
