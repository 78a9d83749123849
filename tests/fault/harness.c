#include "tests/fault/harness.h"

#include <stdio.h>
#include <stdlib.h>

long fault_number(const char *name, long otherwise)
{
    const char *value = getenv(name);
    return value && *value ? strtol(value, NULL, 10) : otherwise;
}

void fault_no_directories(struct world *world)
{
    struct result result;
    char command[600];
    snprintf(command, sizeof(command), "find %s %s -mindepth 1 -type d ! -name 'rules*' | grep .",
             world->runtime, world->state);
    world_run(world, &result, NULL, (const char *const[]){"sh", "-c", command, NULL});
    ck_assert_msg(result.code == 1, "directories are left: %s", result.out);
    result_free(&result);
}
