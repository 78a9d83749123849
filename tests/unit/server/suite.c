#include "tests/unit/server/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int suite_run(const char *name, const TTest *const cases[])
{
    return suite_run_with(name, cases, NULL, NULL);
}

int suite_run_with(const char *name, const TTest *const cases[], void (*setup)(void),
                   void (*teardown)(void))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; cases[i]; i++)
        tcase_add_test(tcase, cases[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

void suite_directory(char out[SUITE_PATH_MAX])
{
    snprintf(out, SUITE_PATH_MAX, "/tmp/belljar-server-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(out));
}

static void remove_at(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0)
        return;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    while (directory && (entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_at(fd, entry->d_name);
    if (directory)
        closedir(directory);
    unlinkat(parent, name, AT_REMOVEDIR);
}

void suite_remove(const char *directory)
{
    remove_at(AT_FDCWD, directory);
}

bool suite_waits(bool (*ready)(void *argument), void *argument)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        if (ready(argument))
            return true;
        poll(NULL, 0, 5);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - begin.tv_sec < 10);
    return false;
}
