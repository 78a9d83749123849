/*
 * Programs of their own (starved/) in which what can fail does, while the test says so in a page
 * that they share. Either malloc fails one time in N, at random; or the Nth call from now on fails,
 * or the first from each place in the program, whether it allocates memory, opens, makes or writes
 * a file, or makes a socket, a pipe or a process. The page is a file that $BELLJAR_FAULT_MEMORY
 * names; it is mapped before a program locks itself down. A program that then uses what it did not
 * get leaves where.
 *
 * Under the address sanitizer, which has its own, malloc never fails.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define STARVE_VARIABLE "BELLJAR_FAULT_MEMORY"
#define STARVE_PLACES   2000

struct starve {
    volatile pid_t pid;       /* who starves; 0: everyone */
    volatile uint32_t one_in; /* 0: nobody */
    volatile uint32_t nth;    /* so many calls of the victim more, then one fails; 0: none */
    volatile uint32_t fresh;  /* 1: the next call from a place that is not in `places` fails */
    volatile uint32_t failed; /* calls so far */
    volatile int32_t crash;   /* the last signal that one of them died of */
    volatile uint64_t at;     /* where in its program */
    volatile uint64_t last;   /* who was refused last there */
    char program[32];
    char victim[32]; /* whose calls are counted by nth, by the program's name */
    char call[32];   /* the last that failed by nth or fresh */
    uint32_t places_count;
    uint64_t places[STARVE_PLACES]; /* in the program itself, where calls have failed by fresh */
};
