/*
 * How a recording looks on disk; belljar replay and the tests read it, too.
 *
 * A file is asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/): one JSON value per
 * line, first the header
 *
 *   {"version": 2, "width": 80, "height": 24, "timestamp": 1700000000, "env": {...},
 *    "belljar": {"id": "...", "epoch": "32 hex digits", "offset": N, "sequence": N, "redraw":
 * true}}
 *
 * then events [seconds since timestamp, code, data]:
 *
 *   "o"  output, as UTF-8. The first one of a file is the redraw of the terminal's whole state when
 *        `redraw` is true; it is no part of the output stream.
 *   "b"  the exact bytes, in base64 (RFC 4648), of the "o" right before it, which is what players
 *        show for them. Written whenever output was not valid UTF-8, or contained U+FFFD; so an "o"
 *        with U+FFFD that has no "b" behind it is one whose writing was cut short.
 *   "r"  the new size, "COLSxROWS"
 *   "m"  a marker. "exited CODE SIGNAL ERROR" tells the agent's end. "resumed OFFSET" tells that
 * the disk had been full: the "o" behind it is a redraw, the stream goes on at OFFSET. Others are
 *        for people.
 *
 * `offset` is the offset in the agent's output stream of the first byte behind the redraw, and
 * `sequence` tells which of the two files (recording.0.cast, recording.1.cast) is the newer one.
 * Output goes on without a gap from the older file's last event to the newer file's offset. A last
 * line without '\n' was cut short and does not count.
 */
#pragma once

#include "transport/paths.h"

#define RECORDING_FILES    BJ_RECORDING_FILES
#define RECORDING_LINE_MAX (64U * 1024 * 1024) /* bytes of one line, which may be a redraw */
#define RECORDING_EPOCH    16                  /* bytes */
