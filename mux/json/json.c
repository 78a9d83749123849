#include "mux/json/json.h"

#include <errno.h>
#include <stdlib.h>

static _Thread_local bool starved;

static void *noted_malloc(size_t size)
{
    void *memory = malloc(size);
    starved |= !memory;
    return memory;
}

void json_watch(void)
{
    json_set_alloc_funcs(noted_malloc, free);
    starved = false;
}

bool json_starved(void)
{
    return starved;
}

static json_t *whole(json_t *root, int *status)
{
    *status = starved ? -ENOMEM : root ? 0 : -EINVAL;
    if (*status == 0)
        return root;
    json_decref(root);
    return NULL;
}

json_t *json_read(const char *text, size_t size, size_t flags, json_error_t *why, int *status)
{
    json_watch();
    return whole(json_loadb(text, size, flags, why), status);
}

json_t *json_read_fd(int fd, size_t flags, json_error_t *why, int *status)
{
    json_watch();
    return whole(json_loadfd(fd, flags, why), status);
}

char *json_text(json_t *root, size_t flags)
{
    char *text = root ? json_dumps(root, flags) : NULL;
    json_decref(root);
    if (!starved)
        return text;
    free(text);
    return NULL;
}
