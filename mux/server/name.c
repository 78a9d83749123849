#include "mux/server/name.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define ALPHABET "abcdefghijklmnopqrstuvwxyz234567" /* RFC 4648 base32, lower case */

static bool fits(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

int name_check(const char *name, struct bj_error *error)
{
    size_t length = strlen(name);
    if (length == 0)
        return bj_fail(error, -EINVAL, "a sandbox's name cannot be empty");
    if (length >= NAME_SIZE)
        return bj_fail(error, -EINVAL, "a sandbox's name has at most %d bytes", NAME_SIZE - 1);
    if (name[0] == '-' || name[0] == '.')
        return bj_fail(error, -EINVAL, "a sandbox's name cannot begin with %c", name[0]);
    for (const char *at = name; *at; at++)
        if (!fits(*at))
            return bj_fail(error, -EINVAL,
                           "a sandbox's name has only letters, digits, '-', '_' and '.'");
    return 0;
}

void name_make(char out[NAME_SIZE], const char *program, bool (*taken)(void *, const char *),
               void *argument)
{
    const char *slash = strrchr(program, '/');
    const char *base = slash && slash[1] ? slash + 1 : program;
    char stem[NAME_SIZE - 10];
    size_t length = 0;
    for (const char *at = base; *at && length < sizeof(stem) - 1; at++)
        if (fits(*at) && !(length == 0 && (*at == '-' || *at == '.')))
            stem[length++] = *at;
    stem[length] = '\0';
    for (unsigned number = 1;; number++) {
        snprintf(out, NAME_SIZE, "%s-%u", length ? stem : "sandbox", number);
        if (!taken(argument, out))
            return;
    }
}

void id_make(char out[ID_SIZE])
{
    uint8_t bytes[ID_SIZE - 1];
    randombytes_buf(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[i] = ALPHABET[bytes[i] & 31];
    out[ID_SIZE - 1] = '\0';
}

bool id_check(const char *id)
{
    return strlen(id) == ID_SIZE - 1 && strspn(id, ALPHABET) == ID_SIZE - 1;
}
