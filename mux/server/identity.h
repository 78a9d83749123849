/*
 * The host user that a sandbox runs as. As root each sandbox gets one of its own, from a range
 * beyond all that systemd lists (https://systemd.io/UIDS-GIDS), or, in a container whose user
 * namespace has not so many, from the upper half of what it has. As an ordinary user it is us.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "transport/error.h"

#define IDENTITY_FIRST 1879048192U /* 0x70000000 */
#define IDENTITY_COUNT 0x0ffffff0U

/* Chooses one at random for which taken() is false. */
int identity_choose(uint32_t *uid, bool (*taken)(void *, uint32_t), void *argument,
                    struct bj_error *error);
