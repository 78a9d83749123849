#include "tests/fault/starving.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct starve *make_page(const struct world *world)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/starve", world->base);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    ck_assert(file >= 0 && fchmod(file, 0666) == 0);
    ck_assert_int_eq(ftruncate(file, sizeof(struct starve)), 0);
    void *page = mmap(NULL, sizeof(struct starve), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ck_assert_ptr_ne(page, MAP_FAILED);
    close(file);
    setenv(STARVE_VARIABLE, path, 1);
    return page;
}

struct starve *starving_open(struct world *world)
{
    const char *given = getenv("BELLJAR_TEST_STARVED");
    char starved[4096], command[4400];
    snprintf(starved, sizeof(starved), "%s", given ? given : ""); /* the environment ends here */
    world_open(world);
    if (!*starved)
        return NULL;
    world_copy_programs(world);
    snprintf(command, sizeof(command), "cp %s/belljar* %s/programs 2>/dev/null; true", starved,
             world->base);
    world_run_ok(world, (const char *const[]){"sh", "-c", command, NULL});
    return make_page(world);
}

void starving_check(const struct starve *starve)
{
    ck_assert_msg(starve->crash == 0,
                  "%s died of signal %d at %#" PRIx64 ", was refused by %s at %#" PRIx64,
                  starve->program, starve->crash, starve->at,
                  starve->call[0] ? starve->call : "malloc", starve->last);
}
