#include "mux/server/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transport/pack.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* Invisible characters that change how the rest looks: marks and overrides of direction, isolates,
 * zero-width ones, line separators, tags, interlinear marks. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x00ad, 0x00ad}, {0x061c, 0x061c}, {0x180e, 0x180e}, {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

/* Length of the valid UTF-8 character at text (Unicode 15, table 3-7), 0 when there is none. */
static size_t decode(const unsigned char *text, size_t size, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80   ? 1
                    : text[0] < 0xc2 ? 0
                    : text[0] < 0xe0 ? 2
                    : text[0] < 0xf0 ? 3
                    : text[0] < 0xf5 ? 4
                                     : 0;
    if (!length || length > size)
        return 0;
    *code = length == 1 ? text[0] : text[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (text[i] & 0x3f);
    }
    if (*code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
        return 0;
    return length;
}

static bool is_hidden(uint32_t code)
{
    for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
        if (code >= hidden[i].first && code <= hidden[i].last)
            return true;
    return false;
}

#define PICTURE_SIZE 3

/* What is seen of a control: a return symbol for a line feed, the pictures from U+2400 on (U+2421
 * for DEL); C1 controls have none. Each has three bytes. */
static size_t picture(uint32_t code, char out[PICTURE_SIZE])
{
    uint32_t shown = code == '\n'   ? 0x23ce
                     : code < 0x20  ? 0x2400 + code
                     : code == 0x7f ? 0x2421
                                    : 0xfffd;
    out[0] = (char)(0xe0 | shown >> 12);
    out[1] = (char)(0x80 | (shown >> 6 & 0x3f));
    out[2] = (char)(0x80 | (shown & 0x3f));
    return PICTURE_SIZE;
}

size_t text_clean(char *out, size_t room, const char *text, size_t size, bool lines)
{
    size_t length = 0;
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        size_t taken = decode((const unsigned char *)text + at, size - at, &code);
        char shown[PICTURE_SIZE];
        const char *piece = text + at;
        size_t piece_size = taken;
        if (!taken) {
            piece = REPLACEMENT;
            piece_size = strlen(REPLACEMENT);
            taken = 1;
        } else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            if (!lines || (code != '\n' && code != '\t')) {
                piece = shown;
                piece_size = picture(code, shown);
            }
        } else if (is_hidden(code)) {
            piece_size = 0;
        }
        if (length + piece_size >= room)
            break;
        memcpy(out + length, piece, piece_size);
        length += piece_size;
        at += taken;
    }
    out[length] = '\0';
    return length;
}

char *text_clean_copy(const char *text, size_t size, size_t limit, bool lines)
{
    size_t room = (size < limit / 3 ? size * 3 : limit) + 1; /* U+FFFD has three bytes */
    char *out = malloc(room);
    if (out)
        text_clean(out, room, text, size, lines);
    return out;
}

void text_read(const msgpack_object *map, const char *key, char *out, size_t room)
{
    size_t size = 0;
    const char *text = bj_get_bytes(map, key, &size);
    text_clean(out, room, text ? text : "", text ? size : 0, false);
}
