/*
 * What every test program of the transport shares: running one Check suite.
 */
#pragma once

#include <check.h>
#include <stdlib.h>

/* Runs the cases, frees the suite, returns main's exit status. */
static inline int suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
