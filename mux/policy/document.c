#include "mux/policy/document.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    const char *at, *end;
    const char *file;
    int line;
    int nodes;
    struct bj_error *error;
};

static int fail(struct reader *reader, int line, const char *what)
{
    return bj_fail(reader->error, -EINVAL, "%.200s:%d: %s", reader->file, line, what);
}

static int fail_memory(struct reader *reader)
{
    return bj_fail(reader->error, -ENOMEM, "out of memory while reading %.200s", reader->file);
}

static bool at_end(const struct reader *reader)
{
    return reader->at == reader->end;
}

static char peek(const struct reader *reader)
{
    return at_end(reader) ? '\0' : *reader->at;
}

static bool looking_at(const struct reader *reader, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(reader->end - reader->at) >= size && memcmp(reader->at, text, size) == 0;
}

/* Spaces and comments; with `lines` line ends too. */
static int skip(struct reader *reader, bool lines)
{
    while (!at_end(reader)) {
        char c = *reader->at;
        if (c == '#') {
            while (!at_end(reader) && *reader->at != '\n')
                reader->at++;
        } else if (looking_at(reader, "/*")) {
            int line = reader->line;
            reader->at += 2;
            while (!at_end(reader) && !looking_at(reader, "*/"))
                reader->line += *reader->at++ == '\n';
            if (at_end(reader))
                return fail(reader, line, "a comment begins here and does not end: add */");
            reader->at += 2;
        } else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n')) {
            reader->line += c == '\n';
            reader->at++;
        } else {
            break;
        }
    }
    return 0;
}

static int put_utf8(char *out, size_t *length, unsigned code)
{
    if (code < 0x80) {
        out[(*length)++] = (char)code;
    } else if (code < 0x800) {
        out[(*length)++] = (char)(0xc0 | code >> 6);
        out[(*length)++] = (char)(0x80 | (code & 0x3f));
    } else if (code >= 0xd800 && code < 0xe000) {
        return -EINVAL;
    } else {
        out[(*length)++] = (char)(0xe0 | code >> 12);
        out[(*length)++] = (char)(0x80 | (code >> 6 & 0x3f));
        out[(*length)++] = (char)(0x80 | (code & 0x3f));
    }
    return 0;
}

/* The part of an escape behind the backslash. */
static int read_escape(struct reader *reader, char *out, size_t *length)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = peek(reader);
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        out[(*length)++] = to[known - from];
        reader->at++;
        return 0;
    }
    unsigned code = 0;
    if (c == 'u' && reader->end - reader->at >= 5) {
        bool hex = true;
        for (int i = 1; i <= 4; i++) {
            char digit = reader->at[i];
            hex = hex && isxdigit((unsigned char)digit);
            code =
                code * 16 +
                (unsigned)(isdigit((unsigned char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }
        if (hex && code != 0 && put_utf8(out, length, code) == 0) {
            reader->at += 5;
            return 0;
        }
    }
    return fail(
        reader, reader->line,
        "an escape that is none of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX; write \\\\ for a "
        "backslash, or use single quotes");
}

static int read_quoted(struct reader *reader, char *out, size_t *length)
{
    char quote = *reader->at++;
    int line = reader->line;
    while (!at_end(reader) && *reader->at != quote) {
        if (*reader->at == '\n')
            return fail(reader, line, "a quote begins here and does not end on its line");
        if (*length + 4 > DOCUMENT_TEXT_MAX)
            return fail(reader, line, "a text of more than 4096 bytes");
        char c = *reader->at++;
        if (c == '\0')
            return fail(reader, line, "a NUL byte");
        if (c == '\\' && quote == '"') {
            int status = read_escape(reader, out, length);
            if (status < 0)
                return status;
        } else if (c == '\\' && peek(reader) == '\'') {
            out[(*length)++] = *reader->at++;
        } else {
            out[(*length)++] = c;
        }
    }
    if (at_end(reader))
        return fail(reader, line, "a quote begins here and does not end");
    reader->at++;
    return 0;
}

/* A bare value goes on to what ends it, inner spaces included: `format = Bearer %s`. */
static int read_bare(struct reader *reader, bool value, char *out, size_t *length)
{
    const char *stop = value ? "\n;,]}{[#" : " \t\r\n;,]}{[#=:\"'";
    while (!at_end(reader) && *reader->at && !strchr(stop, *reader->at)) {
        /* A glob may have a slash before its star; a comment stands apart. */
        if (value && *length > 0 && isspace((unsigned char)out[*length - 1]) &&
            looking_at(reader, "/*"))
            break;
        if (*length + 1 > DOCUMENT_TEXT_MAX)
            return fail(reader, reader->line, "a text of more than 4096 bytes");
        out[(*length)++] = *reader->at++;
    }
    if (!at_end(reader) && !*reader->at)
        return fail(reader, reader->line, "a NUL byte");
    while (value && *length > 0 && isspace((unsigned char)out[*length - 1]))
        (*length)--;
    if (*length == 0)
        return fail(reader, reader->line, value ? "a value is missing" : "a name is expected here");
    return 0;
}

static int read_text(struct reader *reader, bool value, char **out)
{
    char text[DOCUMENT_TEXT_MAX + 4];
    size_t length = 0;
    char c = peek(reader);
    if (value && c == '$')
        return fail(reader, reader->line,
                    "variables are not taken: write the value itself, quoted");
    if (value && looking_at(reader, "<<"))
        return fail(reader, reader->line, "heredocs are not taken: quote the text");
    int status = c == '"' || c == '\'' ? read_quoted(reader, text, &length)
                                       : read_bare(reader, value, text, &length);
    if (status < 0)
        return status;
    *out = strndup(text, length);
    return *out ? 0 : fail_memory(reader);
}

static struct document_node *add(struct reader *reader, struct document_node *parent,
                                 enum document_kind kind, int *status)
{
    if (++reader->nodes > DOCUMENT_NODES_MAX) {
        *status = fail(reader, reader->line, "more than 20000 values");
        return NULL;
    }
    struct document_node *node = calloc(1, sizeof(*node));
    if (!node) {
        *status = fail_memory(reader);
        return NULL;
    }
    node->kind = kind;
    node->line = reader->line;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

static int read_members(struct reader *reader, struct document_node *section, int depth);

static int read_list(struct reader *reader, struct document_node *list)
{
    int line = reader->line;
    reader->at++;
    for (;;) {
        int status = skip(reader, true);
        if (status < 0)
            return status;
        if (at_end(reader))
            return fail(reader, line, "a list begins here and does not end: add ]");
        char c = *reader->at;
        if (c == ']') {
            reader->at++;
            return 0;
        }
        if (c == ',' || c == ';') {
            reader->at++;
            continue;
        }
        if (c == '{' || c == '[' || c == '}')
            return fail(reader, reader->line, "a list holds texts only; is a ] missing?");
        struct document_node *item = add(reader, list, DOCUMENT_TEXT, &status);
        if (!item || (status = read_text(reader, true, &item->text)) < 0)
            return status;
        /* Two quoted texts without a comma between them are most often a forgotten comma. */
        if ((status = skip(reader, false)) < 0)
            return status;
        c = peek(reader);
        if (!at_end(reader) && !strchr(",;]\n", c))
            return fail(reader, reader->line, "a , or ] is expected here");
    }
}

/* What stands behind a name. */
static int read_value(struct reader *reader, struct document_node *node, int depth)
{
    int status = skip(reader, false);
    if (status < 0)
        return status;
    bool assigned = peek(reader) == '=' || peek(reader) == ':';
    if (assigned) {
        reader->at++;
        if ((status = skip(reader, false)) < 0)
            return status;
    }
    switch (peek(reader)) {
    case '{':
        node->kind = DOCUMENT_SECTION;
        return read_members(reader, node, depth + 1);
    case '[':
        node->kind = DOCUMENT_LIST;
        return read_list(reader, node);
    default:
        break;
    }
    if (at_end(reader) || *reader->at == '\n' || *reader->at == ';')
        return fail(reader, node->line, "a value is missing: write `name = value`");
    if ((status = read_text(reader, true, &node->text)) < 0)
        return status;
    if ((status = skip(reader, false)) < 0)
        return status;
    if (assigned || peek(reader) != '{')
        return 0;
    node->label = node->text;
    node->text = NULL;
    node->kind = DOCUMENT_SECTION;
    return read_members(reader, node, depth + 1);
}

static int read_member(struct reader *reader, struct document_node *section, int depth)
{
    if (*reader->at == '.')
        return fail(reader, reader->line,
                    "macros such as .include are not taken: a policy is what stands in its file");
    int status = 0;
    struct document_node *node = add(reader, section, DOCUMENT_TEXT, &status);
    if (!node || (status = read_text(reader, false, &node->name)) < 0)
        return status;
    if ((status = read_value(reader, node, depth)) < 0 || (status = skip(reader, false)) < 0)
        return status;
    char c = peek(reader);
    if (c == ';' || c == ',')
        reader->at++;
    else if (node->kind == DOCUMENT_TEXT && !at_end(reader) && c != '\n' && c != '}')
        return fail(reader, reader->line, "a ; or the end of the line is expected here");
    return 0;
}

/* Up to the closing brace; the root (depth 0) goes on to the end of the file. */
static int read_members(struct reader *reader, struct document_node *section, int depth)
{
    int line = reader->line;
    if (depth > DOCUMENT_DEPTH_MAX)
        return fail(reader, line, "sections are nested too deep");
    reader->at += depth > 0;
    for (;;) {
        int status = skip(reader, true);
        if (status < 0)
            return status;
        if (at_end(reader))
            return depth == 0 ? 0
                              : fail(reader, line, "a section begins here and does not end: add }");
        if (*reader->at == '}') {
            if (depth == 0)
                return fail(reader, reader->line, "a } without a section");
            reader->at++;
            return 0;
        }
        if (*reader->at == ';' || *reader->at == ',') {
            reader->at++;
            continue;
        }
        if ((status = read_member(reader, section, depth)) < 0)
            return status;
    }
}

int document_parse(const char *text, size_t size, const char *file, struct document_node **root,
                   struct bj_error *error)
{
    struct reader reader = {text, text + size, file, 1, 0, error};
    *root = NULL;
    if (size > DOCUMENT_BYTES_MAX)
        return bj_fail(error, -EFBIG, "%.200s is over 1 MiB, too long for a policy", file);
    struct document_node *node = calloc(1, sizeof(*node));
    if (!node)
        return fail_memory(&reader);
    node->kind = DOCUMENT_SECTION;
    node->line = 1;
    int status = read_members(&reader, node, 0);
    if (status < 0) {
        document_free(node);
        return status;
    }
    *root = node;
    return 0;
}

void document_free(struct document_node *root)
{
    if (!root)
        return;
    for (struct document_node *node = root->first; node;) {
        struct document_node *next = node->next;
        document_free(node);
        node = next;
    }
    free(root->name);
    free(root->label);
    free(root->text);
    free(root);
}

int document_read(const char *path, char **text, size_t *size, struct bj_error *error)
{
    *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot read %s: %s", path, strerror(errno));
    struct stat info;
    int status = 0;
    char *buffer = NULL;
    size_t length = 0;
    if (fstat(fd, &info) < 0)
        status = bj_fail(error, -errno, "cannot read %s: %s", path, strerror(errno));
    else if (!S_ISREG(info.st_mode))
        status = bj_fail(error, -EINVAL, "%s is not a regular file", path);
    else if (info.st_size > DOCUMENT_BYTES_MAX)
        status = bj_fail(error, -EFBIG, "%s is over 1 MiB, too long for a policy", path);
    else if (!(buffer = malloc(DOCUMENT_BYTES_MAX + 1)))
        status = bj_fail(error, -ENOMEM, "out of memory while reading %s", path);
    while (status == 0 && length < DOCUMENT_BYTES_MAX) {
        ssize_t got = read(fd, buffer + length, DOCUMENT_BYTES_MAX - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = bj_fail(error, -errno, "cannot read %s: %s", path, strerror(errno));
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    close(fd);
    if (status < 0) {
        free(buffer);
        return status;
    }
    buffer[length] = '\0';
    char *fitted = realloc(buffer, length + 1);
    *text = fitted ? fitted : buffer;
    *size = length;
    return 0;
}
