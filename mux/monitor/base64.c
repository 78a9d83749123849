#include "mux/monitor/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(char *out, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = (uint32_t)data[i] << 16;
        if (i + 1 < size)
            word |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < size)
            word |= data[i + 2];
        *out++ = digits[word >> 18];
        *out++ = digits[word >> 12 & 63];
        *out++ = i + 1 < size ? digits[word >> 6 & 63] : '=';
        *out++ = i + 2 < size ? digits[word & 63] : '=';
    }
}

static int value_of(char digit)
{
    const char *at = digit ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) : -1;
}

ptrdiff_t base64_decode(uint8_t *out, const char *text, size_t size)
{
    if (size % 4 != 0)
        return -1;
    uint8_t *at = out;
    for (size_t i = 0; i < size; i += 4) {
        int padding = 0;
        uint32_t word = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = value_of(text[i + k]);
            if (text[i + k] == '=' && i + 4 == size && k >= 2) {
                padding++;
                value = 0;
            } else if (padding > 0 || value < 0) {
                return -1;
            }
            word = word << 6 | (uint32_t)value;
        }
        *at++ = (uint8_t)(word >> 16);
        if (padding < 2)
            *at++ = (uint8_t)(word >> 8);
        if (padding < 1)
            *at++ = (uint8_t)word;
    }
    return at - out;
}
