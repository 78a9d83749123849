/* Base64 of RFC 4648 with padding. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4)

/* Writes BASE64_SIZE(size) characters. */
void base64_encode(char *out, const uint8_t *data, size_t size);

/* Decodes into `out` (room for size / 4 * 3 bytes). Returns the bytes, or -1 when it is damaged. */
ptrdiff_t base64_decode(uint8_t *out, const char *text, size_t size);
