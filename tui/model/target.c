#include "tui/model/target.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool escape(struct target *target, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (used + 4 > sizeof(target->text))
            return false;
        bool plain = *at > ' ' && *at < 0x7f && !strchr("\"'`<>\\^{|}", *at);
        if (plain) {
            target->text[used++] = (char)*at;
        } else {
            target->text[used++] = '%';
            target->text[used++] = digits[*at >> 4];
            target->text[used++] = digits[*at & 15];
        }
    }
    target->text[used] = '\0';
    return true;
}

static int read_address(struct target *target, const char *word, struct bj_error *error)
{
    const char *host = strstr(word, "://") + 3;
    size_t size = strcspn(host, "/?#");
    bool odd = false, named = false;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)host[i];
        if (byte == '@')
            return bj_fail(error, -EINVAL,
                           "not opened: what stands before @ is a user, not where it leads");
        odd |= byte >= 0x80 || byte == '%';
        named |= isalnum(byte) != 0;
    }
    if (size == 0 || (!named && !odd))
        return bj_fail(error, -EINVAL, "not opened: this address names no host");
    if (!escape(target, word))
        return bj_fail(error, -EINVAL, "not opened: this address is too long");
    if (odd)
        snprintf(target->note, sizeof(target->note), "its host has other letters, shown as bytes");
    else if (strcasestr(target->text, "xn--"))
        snprintf(target->note, sizeof(target->note), "its host is written in punycode");
    return 0;
}

int target_read(struct target *target, const char *word, struct bj_error *error)
{
    *target = (struct target){0};
    if (strncasecmp(word, "http://", 7) == 0 || strncasecmp(word, "https://", 8) == 0)
        return read_address(target, word, error);
    if (strstr(word, "://"))
        return bj_fail(error, -EINVAL, "not opened: only http and https addresses are");
    /* As compilers say it: path:line:column. */
    const char *path = strncmp(word, "/work/", 6) == 0 ? word + 6 : word;
    size_t size = strcspn(path, ":");
    if (path[0] == '/' || path[0] == '-' || size == 0 || size >= sizeof(target->text))
        return bj_fail(error, -EINVAL,
                       "not opened: no address, and no path in the project (or below /work)");
    memcpy(target->text, path, size);
    target->text[size] = '\0';
    for (const char *at = target->text; *at; at += strcspn(at, "/"), at += *at == '/')
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || !at[2]))
            return bj_fail(error, -EINVAL, "not opened: the path leads out of the project");
    target->path = true;
    return 0;
}
