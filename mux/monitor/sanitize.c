#include "mux/monitor/sanitize.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <utf8proc.h>

#include "mux/monitor/bytes.h"
#include "transport/utf8.h"

enum verdict { KEEP, DROP, SPACE };

static enum verdict judge(int32_t point, bool lines)
{
    if (lines && (point == '\n' || point == '\t'))
        return KEEP;
    if (point == '\n' || point == '\t' || point == '\r')
        return SPACE;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
        return DROP;
    case UTF8PROC_CATEGORY_CF: /* bidi controls, tags, zero-width marks */
        return point == 0x200d || point == 0x00ad ? KEEP : DROP;
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return SPACE;
    default:
        return KEEP;
    }
}

static size_t sanitize(char *out, size_t room, const char *text, size_t length, bool lines)
{
    size_t at = 0, filled = 0;
    int marks = 0; /* combining marks in a row */
    while (at < length) {
        utf8proc_int32_t point;
        utf8proc_ssize_t took = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                 (utf8proc_ssize_t)(length - at), &point);
        if (took <= 0) {
            took = 1;
            point = 0xfffd;
        }
        at += (size_t)took;
        enum verdict verdict = judge(point, lines);
        if (verdict == DROP)
            continue;
        if (verdict == SPACE)
            point = ' ';
        marks = utf8proc_charwidth(point) == 0 && point >= 0x20 ? marks + 1 : 0;
        if (marks > 4)
            continue;
        uint8_t encoded[4];
        size_t size = utf8_encode(encoded, (uint32_t)point);
        if (filled + size > room)
            break;
        memcpy(out + filled, encoded, size);
        filled += size;
    }
    return filled;
}

size_t sanitize_line(char *out, size_t size, const char *text, size_t length)
{
    size_t filled = size > 0 ? sanitize(out, size - 1, text, length, false) : 0;
    if (size > 0)
        out[filled] = '\0';
    return filled;
}

size_t sanitize_block(char *out, size_t size, const char *text, size_t length)
{
    return sanitize(out, size, text, length, true);
}
