/*
 * What an agent's output does to a terminal besides being shown, left out of it: a recording that
 * is exported is played on a human's own terminal. Control strings (OSC with clipboard, title and
 * colours, DCS, APC, PM, SOS) go whole, as do questions that a terminal answers as if it were
 * typed, printing, window operations, and modes in which it reports mouse, focus and pastes.
 */
#pragma once

#include <stddef.h>

struct cast_clean {
    enum { CLEAN_GROUND, CLEAN_C1, CLEAN_ESCAPE, CLEAN_CSI, CLEAN_STRING, CLEAN_STRING_END } state;
    char sequence[256]; /* a CSI that is not whole yet */
    size_t size;
};

/* Bytes that cast_clean() may give out more than it took, of a sequence held back before. */
#define CAST_CLEAN_MORE 256

/* Returns how many bytes are in `out`, which has room for size + CAST_CLEAN_MORE. */
size_t cast_clean(struct cast_clean *clean, const char *bytes, size_t size, char *out);
