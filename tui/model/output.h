/*
 * What a command of the command line printed, to be read in the dashboard.
 *
 * The last OUTPUT_MAX bytes are kept, in whole lines. Nothing in it is cleaned: who paints it does
 * that, line by line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define OUTPUT_MAX (64 * 1024)

struct output {
    char words[80]; /* the command, without "belljar" */
    char text[OUTPUT_MAX];
    size_t size;
    bool cut;    /* its beginning is left out */
    bool newest; /* shown from its end */
    bool ended;
};

void output_begin(struct output *output, const char *words);
void output_add(struct output *output, const char *bytes, size_t size);
/* It is through; `said` is what it wrote to standard error, or why it did not run. */
void output_end(struct output *output, const char *said);
