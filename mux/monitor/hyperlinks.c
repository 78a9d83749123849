#include "mux/monitor/hyperlinks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const schemes[] = {"http://", "https://", "file://", "mailto:"};

static bool acceptable(const char *url, size_t size)
{
    if (size == 0 || size > HYPERLINK_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)url[i] <= 0x20 || (unsigned char)url[i] >= 0x7f)
            return false;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t length = strlen(schemes[i]);
        if (size > length && strncasecmp(url, schemes[i], length) == 0)
            return true;
    }
    return false;
}

void hyperlinks_free(struct hyperlinks *links)
{
    for (uint32_t i = 0; i < HYPERLINKS_KEPT; i++)
        free(links->urls[i]);
    *links = (struct hyperlinks){0};
}

uint32_t hyperlinks_intern(struct hyperlinks *links, const char *url, size_t size)
{
    if (!acceptable(url, size) || links->last == UINT32_MAX)
        return 0;
    uint32_t oldest = links->last >= HYPERLINKS_KEPT ? links->last - HYPERLINKS_KEPT + 1 : 1;
    for (uint32_t id = links->last; id >= oldest && id > 0; id--) {
        const char *known = links->urls[id % HYPERLINKS_KEPT];
        if (strlen(known) == size && memcmp(known, url, size) == 0)
            return id;
    }
    char *copy = malloc(size + 1);
    if (!copy)
        return 0;
    memcpy(copy, url, size);
    copy[size] = '\0';
    uint32_t id = ++links->last;
    free(links->urls[id % HYPERLINKS_KEPT]);
    links->urls[id % HYPERLINKS_KEPT] = copy;
    return id;
}

const char *hyperlinks_get(const struct hyperlinks *links, uint32_t id)
{
    if (id == 0 || id > links->last || links->last - id >= HYPERLINKS_KEPT)
        return NULL;
    return links->urls[id % HYPERLINKS_KEPT];
}
