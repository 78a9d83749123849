#include "tui/model/field.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/pack.h"
#include "tui/model/text.h"

#define CUT "\u2026"

void field_copy(const msgpack_object *map, const char *key, char *out, size_t size)
{
    size_t length = 0;
    const char *bytes = bj_get_bytes(map, key, &length);
    out[0] = '\0';
    if (bytes)
        text_clean(out, size, bytes, length);
}

int field_text(const msgpack_object *map, const char *key, size_t most, char **out, size_t *left)
{
    size_t size = 0;
    const char *bytes = bj_get_bytes(map, key, &size);
    *out = NULL;
    *left = 0;
    if (!bytes || size == 0)
        return 0;
    size_t kept = size < most ? size : most;
    *out = malloc(kept * 3 + 1); /* a replaced byte takes three */
    if (!*out)
        return -ENOMEM;
    text_clean(*out, kept * 3 + 1, bytes, kept);
    *left = size - kept;
    return 0;
}

void field_join(const msgpack_object *map, const char *key, char *out, size_t size)
{
    const msgpack_object *list = bj_get(map, key);
    size_t length = 0;
    out[0] = '\0';
    for (uint32_t i = 0; list && list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size;
         i++) {
        const msgpack_object *item = &list->via.array.ptr[i];
        if (item->type != MSGPACK_OBJECT_STR)
            continue;
        if (length + item->via.str.size * 3 + 2 + sizeof(CUT) >= size) {
            if (length + sizeof(CUT) <= size)
                strcpy(out + length, CUT);
            return;
        }
        if (length > 0)
            length += (size_t)(stpcpy(out + length, ", ") - (out + length));
        length += text_clean(out + length, size - length, item->via.str.ptr, item->via.str.size);
    }
}
