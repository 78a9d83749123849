/* The main function of a Check program: one suite with the given cases. */
#pragma once

#include <check.h>
#include <stdlib.h>

static inline int suite_run(const char *name, TCase *const *cases)
{
    Suite *suite = suite_create(name);
    for (; *cases; cases++)
        suite_add_tcase(suite, *cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
