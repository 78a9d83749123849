#include "tests/bench/corpus.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *const corpus_kinds[] = {"log", "color", "dense", "unicode", "agent"};
const size_t corpus_kinds_count = sizeof(corpus_kinds) / sizeof(corpus_kinds[0]);

static const char *const words[] = {
    "src/mux/server.c",
    "warning:",
    "unused",
    "variable",
    "compiling",
    "object",
    "note:",
    "in",
    "function",
    "expanded",
    "from",
    "macro",
    "linking",
    "target",
    "static",
    "library",
    "passed",
    "checking",
    "include/grid.h:42",
    "declared",
    "here",
    "error:",
    "expected",
    "before",
};
static const char *const signs[] = {
    "naïve", "Ελλάδα", "привет", "日本語", "한국어",   "数据", "🚀",     "👍🏽", "é",
    "ß",     "→",      "─│┌┐└┘", "ﬁ",      "ｆｕｌｌ", "٣٤٥",  "हिन्दी", "✓ ok",     "…",
};

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void write_log(FILE *out, uint32_t *seed)
{
    unsigned count = 4 + next(seed) % 20;
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "%s%s", i ? " " : "", words[next(seed) % (sizeof(words) / sizeof(*words))]);
    fputs("\r\n", out);
}

static void write_color(FILE *out, uint32_t *seed)
{
    unsigned count = 4 + next(seed) % 16;
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "\033[%u;38;5;%um%s\033[0m ", next(seed) % 2, next(seed) % 256,
                words[next(seed) % (sizeof(words) / sizeof(*words))]);
    fputs("\r\n", out);
}

static void write_dense(FILE *out, uint32_t *seed)
{
    for (unsigned col = 0; col < 200; col++) {
        uint32_t color = next(seed);
        fprintf(out, "\033[38;2;%u;%u;%um\033[48;2;%u;%u;%um%c", color & 255, color >> 8 & 255,
                color >> 16 & 255, color >> 3 & 255, color >> 11 & 255, color >> 5 & 255,
                (int)('!' + color % 90));
    }
    fputs("\033[0m\r\n", out);
}

static void write_unicode(FILE *out, uint32_t *seed)
{
    unsigned count = 6 + next(seed) % 20;
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "%s ", signs[next(seed) % (sizeof(signs) / sizeof(*signs))]);
    fputs("\r\n", out);
}

static void write_agent(FILE *out, uint32_t *seed)
{
    static const char *const spinner[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"};
    fputs("\033[?25l\033[H", out);
    for (unsigned row = 1; row <= 40; row++) {
        fprintf(out, "\033[%u;1H\033[2K\033[38;5;%um%3u \033[0m", row, 240 + next(seed) % 15, row);
        for (unsigned i = 0; i < 12; i++)
            fprintf(out, "\033[38;2;%u;%u;200m%s\033[39m ", next(seed) % 256, next(seed) % 256,
                    words[next(seed) % (sizeof(words) / sizeof(*words))]);
    }
    fprintf(out, "\033[48;1H\033[2K\033[1;35m%s\033[0m Thinking… (%us)", spinner[next(seed) % 8],
            next(seed) % 100);
    fputs("\033[49;1H\033[2m> \033[0m\033[?25h", out);
}

int corpus_write(const char *kind, const char *path, size_t size)
{
    static void (*const writers[])(FILE *, uint32_t *) = {write_log, write_color, write_dense,
                                                          write_unicode, write_agent};
    for (size_t i = 0; i < corpus_kinds_count; i++) {
        if (strcmp(kind, corpus_kinds[i]) != 0)
            continue;
        FILE *out = fopen(path, "w");
        if (!out)
            return -1;
        uint32_t seed = 1;
        while ((size_t)ftell(out) < size)
            writers[i](out, &seed);
        return fclose(out) == 0 ? 0 : -1;
    }
    errno = EINVAL;
    return -1;
}
