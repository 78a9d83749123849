#include "tui/model/text.h"

#include <string.h>

#include <utf8proc.h>

#define MARKS_MAX   2
#define REPLACEMENT 0xfffdU
#define LINE_FEED   0x23ceU
#define JOINER      0x200dU
#define KEYCAP      0x20e3U

bool text_is_safe(uint32_t character)
{
    switch (utf8proc_category((utf8proc_int32_t)character)) {
    case UTF8PROC_CATEGORY_CC: /* controls */
    case UTF8PROC_CATEGORY_CF: /* direction, joiners, invisible operators, tags */
    case UTF8PROC_CATEGORY_CS: /* surrogates */
    case UTF8PROC_CATEGORY_CN: /* nobody knows their width */
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    default:
        /* Variation selectors make terminals disagree about the width of what is before them. */
        return !(character >= 0xfe00 && character <= 0xfe0f) &&
               !(character >= 0xe0100 && character <= 0xe01ef);
    }
}

bool text_is_word(uint32_t character)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)character);
    return character == '_' ||
           (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO);
}

int text_columns(uint32_t character)
{
    if (character < 0x7f)
        return 1;
    if (character == JOINER)
        return 0;
    int width = utf8proc_charwidth((utf8proc_int32_t)character);
    if (width == 0) {
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)character);
        bool mark = category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
                    category == UTF8PROC_CATEGORY_MC;
        return mark ? 0 : 1;
    }
    return width > 2 ? 2 : width;
}

uint32_t text_next(const char **at, const char *end)
{
    const char *start = *at;
    if (end ? start >= end : !*start)
        return 0;
    utf8proc_int32_t character;
    utf8proc_ssize_t left =
        end ? (utf8proc_ssize_t)(end - start) : (utf8proc_ssize_t)strnlen(start, 4);
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)start, left, &character);
    if (used <= 0 || character < 0) {
        *at = start + 1;
        return REPLACEMENT;
    }
    *at = start + used;
    return character ? (uint32_t)character : REPLACEMENT;
}

size_t text_put(char out[4], uint32_t character)
{
    if (!utf8proc_codepoint_valid((utf8proc_int32_t)character))
        character = REPLACEMENT;
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)character, (utf8proc_uint8_t *)out);
}

static bool is_picture(uint32_t character)
{
    return utf8proc_get_property((utf8proc_int32_t)character)->boundclass ==
           UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

static bool is_tone(uint32_t character) /* of a skin */
{
    return character >= 0x1f3fb && character <= 0x1f3ff;
}

/* Whether it makes one emoji of its neighbours (UTS 51): a joiner between pictures, a selector
 * behind one, or behind the digit of a keycap. */
static bool joins(uint32_t character, uint32_t before, const char *behind, const char *end)
{
    uint32_t next = text_next(&behind, end);
    bool selector = character == 0xfe0e || character == 0xfe0f;
    if (character == JOINER)
        return (is_picture(before) || is_tone(before)) && is_picture(next);
    return selector && (is_picture(before) || next == KEYCAP);
}

static size_t clean(char *out, size_t out_size, const char *src, size_t size, bool joined)
{
    size_t length = 0;
    int marks = 0;
    uint32_t before = 0; /* the last character that is no mark */
    const char *end = src + size;
    if (out_size == 0)
        return 0;
    while (src < end) {
        uint32_t character = text_next(&src, end);
        if (character == '\n')
            character = LINE_FEED;
        else if (character == '\t' || character == '\r' || character == 0x2028 ||
                 character == 0x2029)
            character = ' ';
        else if (!text_is_safe(character) && !(joined && joins(character, before, src, end))) {
            if (character >= 0x20 && !(character >= 0x7f && character < 0xa0))
                continue; /* invisible: leaving it out shows what is there */
            character = REPLACEMENT;
        }
        marks = text_columns(character) == 0 ? marks + 1 : 0;
        before = marks == 0 ? character : before;
        if (marks > MARKS_MAX || (marks > 0 && length == 0))
            continue;
        char bytes[4];
        size_t count = text_put(bytes, character);
        if (length + count >= out_size)
            break;
        memcpy(out + length, bytes, count);
        length += count;
    }
    out[length] = '\0';
    return length;
}

size_t text_clean(char *out, size_t out_size, const char *src, size_t size)
{
    return clean(out, out_size, src, size, false);
}

size_t text_clean_joined(char *out, size_t out_size, const char *src, size_t size)
{
    return clean(out, out_size, src, size, true);
}

int text_width(const char *text)
{
    int columns = 0;
    uint32_t character;
    while ((character = text_next(&text, NULL)) != 0)
        columns += text_columns(character);
    return columns;
}

/* Bytes of `text` that fit into `columns`; *used is set to the columns they take. */
static size_t fitting(const char *text, int columns, int *used)
{
    const char *at = text;
    *used = 0;
    for (;;) {
        const char *before = at;
        uint32_t character = text_next(&at, NULL);
        int width = character ? text_columns(character) : 0;
        if (!character || *used + width > columns)
            return (size_t)(before - text);
        *used += width;
    }
}

int text_fit(char *out, size_t out_size, const char *text, int columns, bool ascii)
{
    int used;
    if (out_size == 0)
        return 0;
    out[0] = '\0';
    if (columns <= 0)
        return 0;
    size_t bytes = fitting(text, columns, &used);
    bool cut = text[bytes] != '\0' || bytes + 4 >= out_size;
    if (cut)
        bytes = fitting(text, columns - 1, &used);
    while (bytes + 4 >= out_size && bytes > 0) {
        /* The buffer is shorter than the columns: give up whole characters. */
        do
            bytes--;
        while (bytes > 0 && ((unsigned char)text[bytes] & 0xc0) == 0x80);
    }
    memcpy(out, text, bytes);
    out[bytes] = '\0';
    if (cut && out_size >= 4)
        strcpy(out + bytes, ascii ? "~" : "…");
    return text_width(out);
}

size_t text_wrap(const char *text, int columns, const char **next)
{
    int used;
    size_t bytes = fitting(text, columns < 2 ? 2 : columns, &used);
    const char *feed = strstr(text, "\u23ce");
    if (feed && feed < text + bytes) {
        *next = feed + sizeof("\u23ce") - 1;
        return (size_t)(*next - text);
    }
    *next = text + bytes;
    if (!text[bytes])
        return bytes;
    for (size_t at = bytes; at > bytes / 2; at--)
        if (text[at] == ' ') {
            *next = text + at + 1;
            return at;
        }
    if (bytes == 0) {
        text_next(next, NULL);
        bytes = (size_t)(*next - text);
    }
    return bytes;
}

int text_lines(const char *text, int columns)
{
    int lines = 0;
    for (; *text; lines++)
        text_wrap(text, columns, &text);
    return lines;
}
