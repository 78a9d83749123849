#include "mux/policy/glob.h"

#include <string.h>

/* One element of a pattern. */
struct token {
    enum { LITERAL, ANY_ONE, ANY, ANY_DEEP } kind;
    char byte;
    size_t size; /* bytes of the pattern it takes */
};

static struct token read_token(const char *pattern, size_t size, int flags)
{
    switch (*pattern) {
    case '\\':
        if (size > 1)
            return (struct token){LITERAL, pattern[1], 2};
        break;
    case '?':
        return (struct token){ANY_ONE, 0, 1};
    case '*':
        if ((flags & GLOB_PATH) && size > 1 && pattern[1] == '*')
            return (struct token){ANY_DEEP, 0, 2};
        return (struct token){ANY, 0, 1};
    default:
        break;
    }
    return (struct token){LITERAL, *pattern, 1};
}

static bool joins_commands(char byte)
{
    return byte == '\0' || strchr(";&|<>`$()\n\r", byte) != NULL;
}

/* Whether a wildcard may take this byte. */
static bool takes(struct token token, char byte, int flags)
{
    if ((flags & GLOB_PATH) && token.kind != ANY_DEEP && byte == '/')
        return false;
    return !(flags & GLOB_SIMPLE) || !joins_commands(byte);
}

/* Where a star of some reach last stood, to go on from when what follows does not fit. */
struct resume {
    bool set;
    struct token star;
    size_t pattern, text;
};

/* Lets the star take one byte more. */
static bool widen(struct resume *resume, const char *text, size_t text_size, int flags,
                  size_t *pattern_at, size_t *text_at)
{
    if (!resume->set || resume->text >= text_size ||
        !takes(resume->star, text[resume->text], flags))
        return false;
    *text_at = ++resume->text;
    *pattern_at = resume->pattern;
    return true;
}

/*
 * The usual two-pointer walk needs only the last star, since a star that may take anything makes
 * every earlier one irrelevant. A `*` that stops at / does not: then the last `**` may still help.
 */
bool glob_match(const char *pattern, size_t pattern_size, const char *text, size_t text_size,
                int flags)
{
    size_t p = 0, t = 0;
    struct resume near = {0}, deep = {0};
    for (;;) {
        struct token token = {LITERAL, 0, 0};
        if (p < pattern_size)
            token = read_token(pattern + p, pattern_size - p, flags);
        if (token.size && token.kind >= ANY) {
            p += token.size;
            struct resume here = {true, token, p, t};
            if (token.kind == ANY_DEEP) {
                deep = here;
                near.set = false;
            } else {
                near = here;
            }
            continue;
        }
        if (!token.size && t == text_size)
            return true;
        if (token.size && t < text_size &&
            (token.kind == ANY_ONE ? takes(token, text[t], flags) : token.byte == text[t])) {
            p += token.size;
            t++;
            continue;
        }
        if (widen(&near, text, text_size, flags, &p, &t))
            continue;
        near.set = false;
        if (!widen(&deep, text, text_size, flags, &p, &t))
            return false;
    }
}

uint32_t glob_specificity(const char *pattern, size_t size)
{
    uint32_t literals = 0, ones = 0;
    bool exact = true;
    for (size_t at = 0; at < size;) {
        struct token token = read_token(pattern + at, size - at, GLOB_PATH);
        literals += token.kind == LITERAL;
        ones += token.kind == ANY_ONE;
        exact = exact && token.kind == LITERAL;
        at += token.size;
    }
    return (exact ? GLOB_EXACT : 0) | literals << 8 | (ones > 255 ? 255 : ones);
}

bool glob_valid(const char *pattern, size_t size)
{
    for (size_t at = 0; at < size;) {
        if (pattern[at] == '\\' && at + 1 == size)
            return false;
        at += pattern[at] == '\\' ? 2 : 1;
    }
    return true;
}

size_t glob_escape(const char *text, size_t size, char *out)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        if (strchr("*?\\", text[i]) && text[i])
            out[length++] = '\\';
        out[length++] = text[i];
    }
    return length;
}
