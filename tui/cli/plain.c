#include "tui/cli/plain.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define ESCAPE            0x1b
#define SEQUENCE_MAX      128
#define VARIATION_EMOJI   0xfe0f
#define ZERO_WIDTH_JOINER 0x200d

/* What may be written as it is. Joiners and variation selectors belong to emoji and scripts. */
static bool harmless(utf8proc_int32_t code)
{
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    case UTF8PROC_CATEGORY_CF:
        return code == ZERO_WIDTH_JOINER || code == 0x200c || code == 0xad;
    default:
        return true;
    }
}

/* Bytes of the sequence at text[0] when `flags` let it pass, else 0. */
static size_t sequence_size(const char *text, size_t size, unsigned flags)
{
    if (size < 3 || text[0] != ESCAPE || text[1] != '[')
        return 0;
    size_t at = 2;
    while (at < size && at < SEQUENCE_MAX &&
           ((text[at] >= '0' && text[at] <= '9') || text[at] == ';' || text[at] == ':'))
        at++;
    return at < size && text[at] == 'm' && flags & PLAIN_SGR ? at + 1 : 0;
}

static void write_control(FILE *out, utf8proc_int32_t code)
{
    if (code < ' ')
        fprintf(out, "^%c", (char)(code + '@'));
    else if (code == 0x7f)
        fputs("^?", out);
    else
        fprintf(out, "\\u{%x}", (unsigned)code);
}

void plain_write(FILE *out, const char *text, size_t size, unsigned flags)
{
    size_t at = 0;
    while (at < size) {
        size_t sequence = flags ? sequence_size(text + at, size - at, flags) : 0;
        if (sequence > 0) {
            fwrite(text + at, 1, sequence, out);
            at += sequence;
            continue;
        }
        utf8proc_int32_t code;
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                 (utf8proc_ssize_t)(size - at), &code);
        if (used <= 0) {
            fputs("\xef\xbf\xbd", out);
            at++;
            continue;
        }
        if (harmless(code) || (flags & PLAIN_LINES && (code == '\n' || code == '\t')))
            fwrite(text + at, 1, (size_t)used, out);
        else
            write_control(out, code);
        at += (size_t)used;
    }
}

char *plain_copy(const char *text, size_t size, unsigned flags)
{
    char *copy = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&copy, &length);
    if (!out)
        return NULL;
    plain_write(out, text, size, flags);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(copy);
        return NULL;
    }
    return copy;
}

/* One grapheme cluster: its bytes, and in *width its columns. */
static size_t cluster(const char *text, size_t size, size_t *width)
{
    utf8proc_int32_t state = 0, before = 0;
    size_t at = 0;
    *width = 0;
    while (at < size) {
        utf8proc_int32_t code;
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                 (utf8proc_ssize_t)(size - at), &code);
        if (used <= 0) {
            code = 0xfffd;
            used = 1;
        }
        if (at > 0 && utf8proc_grapheme_break_stateful(before, code, &state))
            break;
        int columns = utf8proc_charwidth(code);
        if (columns > 0 && (size_t)columns > *width)
            *width = (size_t)columns;
        if (code == VARIATION_EMOJI && *width > 0)
            *width = 2;
        before = code;
        at += (size_t)used;
    }
    return at;
}

size_t plain_width(const char *text)
{
    size_t size = strlen(text), columns = 0, width;
    for (size_t at = 0; at < size; columns += width)
        at += cluster(text + at, size - at, &width);
    return columns;
}

size_t plain_cut(const char *text, size_t columns)
{
    size_t size = strlen(text), at = 0, width;
    while (at < size) {
        size_t used = cluster(text + at, size - at, &width);
        if (width > columns)
            break;
        columns -= width;
        at += used;
    }
    return at;
}
