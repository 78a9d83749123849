#include "mux/json/json.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static _Thread_local bool starved;

static void *noted_malloc(size_t size)
{
    void *memory = malloc(size);
    starved |= !memory;
    return memory;
}

uint64_t json_uint(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));
    return number > 0 ? (uint64_t)number : 0;
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

/* The whole file, as *size bytes that the caller frees. Not by json_loadfd(), which takes a failed
 * read for the end. */
static char *read_all(int fd, size_t *size, int *status)
{
    char *text = NULL;
    size_t capacity = 0;
    for (*size = 0;;) {
        if (*size == capacity) {
            capacity = capacity ? capacity * 2 : 4096;
            char *grown = realloc(text, capacity);
            if (!grown) {
                free(text);
                *status = -ENOMEM;
                return NULL;
            }
            text = grown;
        }
        ssize_t got = read(fd, text + *size, capacity - *size);
        if (got == 0)
            return text;
        if (got > 0) {
            *size += (size_t)got;
        } else if (errno != EINTR) {
            *status = -errno;
            free(text);
            return NULL;
        }
    }
}

json_t *json_read_fd(int fd, size_t flags, json_error_t *why, int *status)
{
    size_t size;
    char *text = read_all(fd, &size, status);
    json_t *root = text ? json_read(text, size, flags, why, status) : NULL;
    free(text);
    return root;
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
