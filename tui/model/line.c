#include "tui/model/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/model/text.h"

void line_set(struct line *line, const char *text)
{
    line->size = text_clean(line->text, sizeof(line->text), text, strlen(text));
    line->cursor = line->size;
}

static size_t back(const struct line *line, size_t at)
{
    if (at > 0)
        at--;
    while (at > 0 && ((unsigned char)line->text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static size_t forth(const struct line *line, size_t at)
{
    if (at < line->size)
        at++;
    while (at < line->size && ((unsigned char)line->text[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static void cut(struct line *line, size_t from, size_t to)
{
    memmove(line->text + from, line->text + to, line->size - to + 1);
    line->size -= to - from;
    line->cursor = from;
}

static size_t word_start(const struct line *line)
{
    size_t at = line->cursor;
    while (at > 0 && line->text[at - 1] == ' ')
        at--;
    while (at > 0 && line->text[at - 1] != ' ')
        at--;
    return at;
}

void line_insert(struct line *line, const char *text, size_t size)
{
    char clean[LINE_MAX_BYTES];
    size_t first = 0;
    while (first < size && text[first] != '\n' && text[first] != '\r')
        first++;
    size_t length = text_clean(clean, sizeof(clean), text, first);
    if (line->size + length >= sizeof(line->text))
        return;
    memmove(line->text + line->cursor + length, line->text + line->cursor,
            line->size - line->cursor + 1);
    memcpy(line->text + line->cursor, clean, length);
    line->size += length;
    line->cursor += length;
}

bool line_act(struct line *line, enum action action)
{
    switch (action) {
    case ACTION_LINE_LEFT:
        line->cursor = back(line, line->cursor);
        return true;
    case ACTION_LINE_RIGHT:
        line->cursor = forth(line, line->cursor);
        return true;
    case ACTION_LINE_START:
        line->cursor = 0;
        return true;
    case ACTION_LINE_END:
        line->cursor = line->size;
        return true;
    case ACTION_LINE_ERASE:
        cut(line, back(line, line->cursor), line->cursor);
        return true;
    case ACTION_LINE_DELETE:
        cut(line, line->cursor, forth(line, line->cursor));
        return true;
    case ACTION_LINE_CUT_WORD:
        cut(line, word_start(line), line->cursor);
        return true;
    case ACTION_LINE_CUT_START:
        cut(line, 0, line->cursor);
        return true;
    case ACTION_LINE_CUT_END:
        cut(line, line->cursor, line->size);
        return true;
    default:
        return false;
    }
}

bool line_key(struct line *line, const struct chord *chord)
{
    if (!keys_is_text(chord))
        return line_act(line, keys_find(KEYS_LINE, chord));
    line_insert(line, chord->key, strlen(chord->key));
    return true;
}

int line_split(const char *text, struct words *words, struct bj_error *error)
{
    size_t size = 0;
    char quote = 0;
    bool open = false;
    words->count = 0;
    for (const char *at = text; *at; at++) {
        bool space = *at == ' ' && !quote;
        if (!space && !open) {
            if (words->count == LINE_WORDS_MAX)
                return bj_fail(error, -EINVAL, "more than %d words", LINE_WORDS_MAX);
            words->word[words->count++] = words->bytes + size;
            open = true;
        }
        if (space) {
            if (open)
                words->bytes[size++] = '\0';
            open = false;
        } else if (!quote && (*at == '\'' || *at == '"')) {
            quote = *at;
        } else if (quote && *at == quote) {
            quote = 0;
        } else {
            if (*at == '\\' && quote != '\'' && at[1])
                at++;
            words->bytes[size++] = *at;
        }
    }
    if (quote)
        return bj_fail(error, -EINVAL, "a %c has no partner", quote);
    words->bytes[size] = '\0';
    return 0;
}

int line_run(const char *text, struct run_line *run, struct bj_error *error)
{
    *run = (struct run_line){0};
    int status = line_split(text, &run->words, error);
    if (status < 0)
        return status;
    const struct words *words = &run->words;
    size_t at = 0;
    for (; at < words->count && words->word[at][0] == '-'; at++) {
        const char *option = words->word[at];
        if (strcmp(option, "--") == 0) {
            at++;
            break;
        }
        bool name = strcmp(option, "-n") == 0 || strcmp(option, "--name") == 0;
        if (!name && strcmp(option, "--project") != 0)
            return bj_fail(error, -EINVAL, "unknown option %.40s: only -n NAME and --project DIR",
                           option);
        if (++at == words->count)
            return bj_fail(error, -EINVAL, "%.40s needs a value", option);
        *(name ? &run->name : &run->project) = words->word[at];
    }
    run->first = at;
    return 0;
}

const char *line_shell(void)
{
    const char *shell = getenv("SHELL");
    const char *slash = shell ? strrchr(shell, '/') : NULL;
    const char *name = slash ? slash + 1 : shell;
    return name && *name ? name : "bash";
}
