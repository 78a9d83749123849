/*
 * What the command line's tests share: running one Check suite of one case.
 */
#pragma once

#include <check.h>
#include <stdlib.h>

/* Runs the cases; returns main's exit status. */
static inline int run_suite(const char *name, TCase *tests)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
