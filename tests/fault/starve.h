/*
 * Memory that runs out: programs of their own (starved/) have a malloc that fails one time in N, at
 * random, while the test says so in a page that they share. The page is a file that
 * $BELLJAR_FAULT_MEMORY names; it is mapped before a program locks itself down. A program that then
 * uses what it did not get leaves where.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define STARVE_VARIABLE "BELLJAR_FAULT_MEMORY"

struct starve {
    volatile pid_t pid;       /* who starves; 0: everyone */
    volatile uint32_t one_in; /* 0: nobody */
    volatile uint32_t failed; /* allocations so far */
    volatile int32_t crash;   /* the last signal that one of them died of */
    volatile uint64_t at;     /* where in its program */
    volatile uint64_t last;   /* who was refused last there */
    char program[32];
};
