/*
 * Names for people and ids for programs. A name has letters, digits, - _ and . (at most 32 bytes,
 * not beginning with - or .), so that it can stand on a command line and be a host name. An id is
 * eight random characters of base32, also the name of the sandbox's directories.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "transport/error.h"

#define NAME_SIZE 33 /* bytes with the NUL */
#define ID_SIZE   9

int name_check(const char *name, struct bj_error *error);

/* Makes a name from a program: its base name and the least number for which taken() is false. */
void name_make(char out[NAME_SIZE], const char *program, bool (*taken)(void *, const char *),
               void *argument);

void id_make(char out[ID_SIZE]);

/* Whether this may be an id (a directory found on disk, a parameter). */
bool id_check(const char *id);
