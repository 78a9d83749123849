/*
 * What is measured. Every section compares all engines in one go, in turns (A B A B), so that what
 * else the machine does falls on all of them; the best of the rounds counts, as that is the one
 * that was disturbed least. Each leaves nothing running.
 */
#pragma once

#include <stdbool.h>

extern bool bench_quick; /* less of everything: below five minutes in all */

void section_throughput(void); /* attached and detached, three sizes, all corpora */
void section_long(void);       /* attached, one size, five times as much */
void section_cost(void);       /* CPU time for each byte, by process */
void section_outer(void);      /* bytes that a flood sends to the human's terminal */
void section_echo(void);       /* a key's way there and back, with floods beside it */
void section_memory(void);     /* of a pane with its scrollback */
void section_start(void);      /* of a sandbox, and of a client with many */
void section_idle(void);       /* CPU and wake-ups of a hundred that do nothing */
void section_link(void);       /* bytes out of and into a sandbox, without a terminal */
