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

static int hex(char digit)
{
    return digit >= '0' && digit <= '9'     ? digit - '0'
           : isxdigit((unsigned char)digit) ? (digit | 0x20) - 'a' + 10
                                            : -1;
}

/* The path of file://HOST/PATH, whose host is the sandbox whatever it says. "" when it has none. */
static void read_file(const char *url, char out[TARGET_MAX])
{
    const char *at = url + strlen("file://");
    size_t size = 0;
    for (at += strcspn(at, "/"); *at && size + 1 < TARGET_MAX; at++) {
        int high = at[0] == '%' ? hex(at[1]) : -1, low = high >= 0 ? hex(at[2]) : -1;
        int byte = at[0] != '%' ? (unsigned char)at[0] : low >= 0 ? high * 16 + low : 0;
        if (byte < ' ' || byte == 0x7f || (at[0] == '%' && byte == '/'))
            break;
        out[size++] = (char)byte;
        at += at[0] == '%' ? 2 : 0;
    }
    out[*at ? 0 : size] = '\0';
}

int target_read(struct target *target, const char *word, struct bj_error *error)
{
    char file[TARGET_MAX];
    *target = (struct target){0};
    if (strncasecmp(word, "file://", 7) == 0) {
        read_file(word, file);
        if (strncmp(file, "/work/", 6) == 0)
            word = file;
    }
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

/* The host of an address, or of words that look like one; "" when there is none. */
static void host_of(const char *text, char out[TARGET_WORDS_MAX])
{
    const char *scheme = strstr(text, "://");
    const char *host = scheme ? scheme + 3 : text;
    bool looks = scheme || strncasecmp(host, "www.", 4) == 0;
    size_t size = looks ? strcspn(host, "/?#: ") : 0;
    snprintf(out, TARGET_WORDS_MAX, "%.*s", (int)(size < TARGET_WORDS_MAX ? size : 0), host);
}

int target_link(struct target *target, const char *url, const char *words, struct bj_error *error)
{
    char said[TARGET_WORDS_MAX], true_host[TARGET_WORDS_MAX];
    if (!strstr(url, "://"))
        return bj_fail(error, -EINVAL, "not opened: only http and https addresses are");
    int status = target_read(target, url, error);
    if (status < 0 || strcmp(words, url) == 0)
        return status;
    snprintf(target->words, sizeof(target->words), "%s", words);
    host_of(words, said);
    host_of(url, true_host);
    if (said[0] && strcasecmp(said, true_host) != 0)
        snprintf(target->note, sizeof(target->note),
                 "its words name another host than it leads to");
    return 0;
}
