/*
 * What every unit test of the server needs: one suite from a list of cases, and a directory that is
 * gone afterwards.
 */
#pragma once

#include <stdbool.h>

#include <check.h>

/* Runs the cases, each in a process of its own, and returns main()'s exit code. */
int suite_run(const char *name, const TTest *const cases[]);

/* Likewise, with something to do before and after each case. */
int suite_run_with(const char *name, const TTest *const cases[], void (*setup)(void),
                   void (*teardown)(void));

/* Makes an empty directory (mode 0700) and fills `out`; suite_remove() takes it away with all in
 * it. */
#define SUITE_PATH_MAX 256
void suite_directory(char out[SUITE_PATH_MAX]);
void suite_remove(const char *directory);

/* Calls ready() until it returns true, at most ten seconds; fails the test then. */
#define suite_wait(ready) ck_assert_msg(suite_waits(ready, NULL), "never true: " #ready)
#define suite_wait_for(ready, argument)                                                            \
    ck_assert_msg(suite_waits(ready, argument), "never true: " #ready)
bool suite_waits(bool (*ready)(void *argument), void *argument);
