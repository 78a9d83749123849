#include "transport/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int bj_fail(struct bj_error *error, int code, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);
        error->code = code;
    }
    return code;
}

int bj_fail_prefix(struct bj_error *error, const char *prefix)
{
    if (!error)
        return -EIO;
    char old[BJ_ERROR_TEXT_MAX];
    memcpy(old, error->text, sizeof(old));
    int room = (int)sizeof(error->text) - (int)strlen(prefix) - 3;
    snprintf(error->text, sizeof(error->text), "%s: %.*s", prefix, room > 0 ? room : 0, old);
    return error->code;
}
