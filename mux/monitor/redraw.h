/*
 * The whole state of a terminal as output that rebuilds it: both screens, looks, cursor, saved
 * places, margins, modes, charsets, title. Fed to any terminal (it begins with a reset) it gives
 * the same picture; fed to a struct terminal of the same size, the same cells. Not included: the
 * scrollback, changed tab stops, and a sequence that is half read.
 */
#pragma once

#include "mux/monitor/bytes.h"
#include "mux/monitor/terminal.h"

/* Appends to `out`; check out->failed. */
void redraw(struct terminal *terminal, struct bytes *out);
