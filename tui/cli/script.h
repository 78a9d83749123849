/*
 * The shell scripts that run inside a sandbox, as `sh -c SCRIPT NAME ARGUMENT...` in its project
 * copy. Whatever they print is believed by nobody.
 *
 * None changes anything of the agent's: its index is copied, new objects go to a directory that is
 * removed at the end.
 */
#pragma once

/* ARGUMENTS: the user's current commit or "", --stat or -p. Prints the difference between the start
 * and all that is there now. */
extern const char script_diff[];

/* ARGUMENTS: the user's current commit or "", message of the commit for what is not committed,
 * "thin" or "whole", the sandbox's name. Prints the id of the newest commit, a line feed, and a
 * pack of what came since the start (thin), or of all (whole). */
extern const char script_pack[];

/* Prints the project copy as a POSIX archive. */
extern const char script_tree[];

/* ARGUMENT: directory. Unpacks the archive on standard input there. */
extern const char script_unpack[];
