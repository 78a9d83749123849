#include "tui/model/search.h"

#include <ctype.h>
#include <string.h>

bool search_hit(const char *text, const char *pattern, size_t from, size_t *byte, size_t *size)
{
    bool exact = false; /* a capital in the pattern means it */
    for (const char *at = pattern; *at; at++)
        exact |= isupper((unsigned char)*at) != 0;
    if (!pattern[0] || strnlen(text, from) < from)
        return false;
    const char *hit = exact ? strstr(text + from, pattern) : strcasestr(text + from, pattern);
    if (!hit)
        return false;
    *byte = (size_t)(hit - text);
    *size = strlen(pattern);
    return true;
}

size_t search_count(const char *text, const char *pattern)
{
    size_t count = 0, byte, size;
    for (; search_hit(text, pattern, 0, &byte, &size); text += byte + size)
        count++;
    return count;
}
