#include "tui/cli/cast_clean.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPE 0x1b

/* Modes in which the terminal sends what nobody typed. */
static bool reports(const char *parameters)
{
    static const long modes[] = {9,    1000, 1001, 1002, 1003, 1004, 1005,
                                 1006, 1015, 1016, 2004, 2031, 2048};
    for (const char *at = parameters; *at;) {
        char *end;
        long mode = strtol(at, &end, 10);
        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
            if (mode == modes[i])
                return true;
        at = end > at ? end : at + 1;
    }
    return false;
}

/* `text` is what stands between CSI and its final byte. */
static bool acts(const char *text, char final)
{
    switch (final) {
    case 'c': /* device attributes */
    case 'n': /* status and cursor position */
    case 't': /* window operations */
    case 'x': /* terminal parameters */
    case 'i': /* printing */
        return true;
    case 'p':
    case 'y':
    case 'w':
        return strpbrk(text, "$*") != NULL; /* modes, memory, rectangles are asked for */
    case 'q':
        return text[0] == '>'; /* version */
    case 'u':
    case 'S':
        return text[0] == '?'; /* keyboard, graphics */
    case 'h':
        return text[0] == '?' && reports(text + 1);
    default:
        return false;
    }
}

static bool opens_string(unsigned char byte)
{
    return byte != '\0' && strchr("]PX^_", byte) != NULL;
}

static size_t put(char *out, size_t length, const char *bytes, size_t size)
{
    memcpy(out + length, bytes, size);
    return length + size;
}

/* One byte of a CSI sequence; gives it out when it is whole and harmless. */
static size_t take_csi(struct cast_clean *clean, char byte, char *out, size_t length)
{
    if ((unsigned char)byte < 0x20 || byte == 0x7f) { /* done at once, or nothing */
        if (byte != 0x05 && byte != 0x7f)
            out[length++] = byte;
        return length;
    }
    bool fits = clean->size < sizeof(clean->sequence) - 1;
    if (fits)
        clean->sequence[clean->size++] = byte;
    if (byte < 0x40 || byte > 0x7e)
        return length;
    clean->state = CLEAN_GROUND;
    clean->sequence[clean->size - 1] = '\0';
    bool harmless = fits && !acts(clean->sequence + 2, byte);
    clean->sequence[clean->size - 1] = byte;
    return harmless ? put(out, length, clean->sequence, clean->size) : length;
}

static void begin_csi(struct cast_clean *clean)
{
    clean->state = CLEAN_CSI;
    clean->size = 2;
    memcpy(clean->sequence, "\x1b[", 2);
}

/* Behind ESC. */
static size_t take_escape(struct cast_clean *clean, char byte, char *out, size_t length)
{
    clean->state = CLEAN_GROUND;
    if (byte == '[')
        begin_csi(clean);
    else if (opens_string((unsigned char)byte))
        clean->state = CLEAN_STRING;
    else if (byte == ESCAPE)
        clean->state = CLEAN_ESCAPE;
    else if (byte != 'Z') /* which asks what terminal it is */
        length = put(out, length, (const char[]){ESCAPE, byte}, 2);
    return length;
}

/* The second byte of U+0080 to U+00BF, some of which some terminals take for ESC and a letter. */
static size_t take_c1(struct cast_clean *clean, char byte, char *out, size_t length)
{
    unsigned char code = (unsigned char)byte;
    clean->state = CLEAN_GROUND;
    if (code == 0x9b)
        begin_csi(clean);
    else if (code >= 0x80 && code < 0xa0 && opens_string(code - 0x40))
        clean->state = CLEAN_STRING;
    else if (code != 0x9a)
        length = put(out, length, (const char[]){(char)0xc2, byte}, 2);
    return length;
}

size_t cast_clean(struct cast_clean *clean, const char *bytes, size_t size, char *out)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        char byte = bytes[i];
        bool cancels = byte == 0x18 || byte == 0x1a;
        if (cancels && clean->state != CLEAN_C1)
            clean->state = CLEAN_GROUND;
        switch (clean->state) {
        case CLEAN_GROUND:
            if (byte == ESCAPE)
                clean->state = CLEAN_ESCAPE;
            else if ((unsigned char)byte == 0xc2)
                clean->state = CLEAN_C1;
            else if (byte != 0x05 && !cancels) /* ENQ is answered */
                out[length++] = byte;
            break;
        case CLEAN_C1:
            length = take_c1(clean, byte, out, length);
            break;
        case CLEAN_ESCAPE:
            length = take_escape(clean, byte, out, length);
            break;
        case CLEAN_CSI:
            if (byte == ESCAPE)
                clean->state = CLEAN_ESCAPE;
            else
                length = take_csi(clean, byte, out, length);
            break;
        case CLEAN_STRING:
            if (byte == ESCAPE)
                clean->state = CLEAN_STRING_END;
            else if (byte == '\a')
                clean->state = CLEAN_GROUND;
            break;
        case CLEAN_STRING_END:
            if (byte == '\\')
                clean->state = CLEAN_GROUND;
            else
                length = take_escape(clean, byte, out, length);
            break;
        }
    }
    return length;
}
