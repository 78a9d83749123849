#include "mux/server/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transport/pack.h"
#include "transport/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* Invisible characters that change how the rest looks: marks and overrides of direction, isolates,
 * zero-width ones, line separators, tags, interlinear marks. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x00ad, 0x00ad}, {0x061c, 0x061c}, {0x180e, 0x180e}, {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool is_hidden(uint32_t code)
{
    for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
        if (code >= hidden[i].first && code <= hidden[i].last)
            return true;
    return false;
}

/* What is seen of a control: a return symbol for a line feed, the pictures from U+2400 on (U+2421
 * for DEL); C1 controls have none. */
static size_t picture(uint32_t code, char out[4])
{
    uint32_t shown = code == '\n'   ? 0x23ce
                     : code < 0x20  ? 0x2400 + code
                     : code == 0x7f ? 0x2421
                                    : 0xfffd;
    return utf8_encode((uint8_t *)out, shown);
}

size_t text_clean(char *out, size_t room, const char *text, size_t size, bool lines)
{
    size_t length = 0;
    for (size_t at = 0; at < size;) {
        const uint8_t *next = (const uint8_t *)text + at;
        size_t taken = utf8_length(next, size - at);
        uint32_t code = taken ? utf8_value(next, taken) : 0;
        char shown[4];
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
    if (!out)
        return NULL;
    char *fitting = realloc(out, text_clean(out, room, text, size, lines) + 1);
    return fitting ? fitting : out;
}

void text_read(const msgpack_object *map, const char *key, char *out, size_t room)
{
    size_t size = 0;
    const char *text = bj_get_bytes(map, key, &size);
    text_clean(out, room, text ? text : "", text ? size : 0, false);
}
