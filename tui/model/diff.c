#include "tui/model/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model/text.h"

void diff_free(struct diff *diff)
{
    free(diff->text);
    free(diff->lines);
    free(diff->files);
    memset(diff, 0, sizeof(*diff));
}

const char *diff_text(const struct diff *diff, uint32_t offset)
{
    return offset < diff->size ? diff->text + offset : "";
}

/* ---- keeping ---- */

static int grow(void **list, size_t *room, size_t count, size_t item)
{
    if (count < *room)
        return 0;
    size_t wanted = *room * 2 + 256;
    void *larger = realloc(*list, wanted * item);
    if (!larger)
        return -ENOMEM;
    *list = larger;
    *room = wanted;
    return 0;
}

/* Tabs become blanks up to the next stop. Returns the bytes; `out` has room for all of them. */
static size_t spread(char *out, const char *text, size_t size)
{
    size_t used = 0, column = 0;
    for (size_t i = 0; i < size; i++) {
        size_t blanks = text[i] == '\t' ? DIFF_TAB - column % DIFF_TAB : 0;
        memset(out + used, ' ', blanks);
        used += blanks;
        column += blanks;
        if (blanks)
            continue;
        out[used++] = text[i];
        column += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return used;
}

/* Keeps a text; *offset is where it is. */
static int keep(struct diff *diff, const char *text, size_t size, uint32_t *offset)
{
    char wide[DIFF_LINE_MAX * DIFF_TAB];
    size_t length = spread(wide, text, size);
    size_t wanted = diff->size + length * 3 + 1; /* what is replaced may take three bytes for one */
    if (diff->size + length > DIFF_BYTES_MAX) {
        diff->cut = true;
        return -EFBIG;
    }
    if (wanted > diff->room) {
        size_t room = wanted * 3 / 2 + 4096;
        char *larger = realloc(diff->text, room);
        if (!larger)
            return -ENOMEM;
        diff->text = larger;
        diff->room = room;
    }
    *offset = (uint32_t)diff->size;
    diff->size += text_clean(diff->text + diff->size, diff->room - diff->size, wide, length) + 1;
    return 0;
}

static int add_file(struct diff *diff, const char *name, size_t size)
{
    if (diff->file_count == DIFF_FILES_MAX) {
        diff->cut = true;
        return -EFBIG;
    }
    struct diff_file file = {.change = 'M', .first = (uint32_t)diff->count};
    int status = grow((void **)&diff->files, &diff->files_room, diff->file_count, sizeof(file));
    if (status == 0)
        status = keep(diff, name, size, &file.name);
    if (status < 0)
        return status;
    diff->files[diff->file_count++] = file;
    diff->head = true;
    diff->old_left = diff->new_left = 0;
    return 0;
}

static int add_line(struct diff *diff, enum diff_kind kind, const char *text, size_t size)
{
    int status = diff->file_count == 0 ? add_file(diff, "?", 1) : 0;
    if (status < 0)
        return status;
    if (diff->count == DIFF_LINES_MAX) {
        diff->cut = true;
        return -EFBIG;
    }
    struct diff_file *file = &diff->files[diff->file_count - 1];
    struct diff_line line = {.kind = kind, .file = (uint32_t)diff->file_count - 1};
    bool in_old = kind == DIFF_CONTEXT || kind == DIFF_REMOVED;
    bool in_new = kind == DIFF_CONTEXT || kind == DIFF_ADDED;
    status = grow((void **)&diff->lines, &diff->lines_room, diff->count, sizeof(line));
    if (status == 0)
        status = keep(diff, text, size, &line.text);
    if (status < 0)
        return status;
    line.old = in_old ? diff->old++ : 0;
    line.new = in_new ? diff->new ++ : 0;
    diff->old_left -= in_old && diff->old_left > 0;
    diff->new_left -= in_new && diff->new_left > 0;
    file->added += kind == DIFF_ADDED;
    file->removed += kind == DIFF_REMOVED;
    diff->added += kind == DIFF_ADDED;
    diff->removed += kind == DIFF_REMOVED;
    diff->lines[diff->count++] = line;
    file->lines++;
    return 0;
}

/* ---- heads ---- */

static const char *behind(const char *text, const char *words)
{
    size_t size = strlen(words);
    return strncmp(text, words, size) == 0 ? text + size : NULL;
}

/* A name as git writes it: "a/" or "b/" in front, maybe in quotes, maybe a tab behind. */
static int name_file(struct diff *diff, const char *name, bool prefixed)
{
    char plain[DIFF_LINE_MAX + 1];
    size_t size = strcspn(name, "\t");
    bool quoted = name[0] == '"';
    if (prefixed && size > 2U + quoted && name[1 + quoted] == '/')
        size = (size_t)snprintf(plain, sizeof(plain), "%s%.*s", quoted ? "\"" : "",
                                (int)(size - 2 - quoted), name + 2 + quoted);
    else
        size = (size_t)snprintf(plain, sizeof(plain), "%.*s", (int)size, name);
    struct diff_file *file = &diff->files[diff->file_count - 1];
    return keep(diff, plain, size, &file->name);
}

/* "a/NAME b/NAME", which names it when nothing else does: for a changed mode, or no text. */
static int begin_file(struct diff *diff, const char *both)
{
    size_t size = strlen(both), half = size > 5 ? (size - 5) / 2 : 0;
    bool same = half > 0 && size == 2 * half + 5 && both[half + 2] == ' ' &&
                memcmp(both + 2, both + half + 5, half) == 0;
    return add_file(diff, same ? both + 2 : both, same ? half : size);
}

static int read_head(struct diff *diff, const char *line)
{
    struct diff_file *file = &diff->files[diff->file_count - 1];
    const char *rest;
    if ((rest = behind(line, "new file mode "))) {
        file->change = 'A';
        return strcmp(rest, "100644") == 0 ? 0 : add_line(diff, DIFF_NOTE, line, strlen(line));
    }
    if (behind(line, "deleted file mode ")) {
        file->change = 'D';
        return 0;
    }
    if ((rest = behind(line, "rename from ")))
        file->change = 'R';
    if ((rest = behind(line, "rename to ")))
        return name_file(diff, rest, false);
    if (behind(line, "--- ") || behind(line, "index ") || behind(line, "similarity index "))
        return 0;
    if ((rest = behind(line, "+++ ")))
        return strcmp(rest, "/dev/null") == 0 ? 0 : name_file(diff, rest, true);
    return add_line(diff, DIFF_NOTE, line, strlen(line));
}

/* "-12,3" or "+12": where a hunk begins, and how many lines it has. */
static const char *read_range(const char *at, char sign, uint32_t *first, uint32_t *lines)
{
    char *end;
    if (*at != sign || at[1] < '0' || at[1] > '9')
        return NULL;
    *first = (uint32_t)strtoul(at + 1, &end, 10);
    *lines = 1;
    if (*end == ',' && end[1] >= '0' && end[1] <= '9')
        *lines = (uint32_t)strtoul(end + 1, &end, 10);
    return end;
}

static bool read_hunk(struct diff *diff, const char *line)
{
    uint32_t old, new, old_left, new_left;
    const char *at = behind(line, "@@ ");
    at = at ? read_range(at, '-', &old, &old_left) : NULL;
    at = at && *at == ' ' ? read_range(at + 1, '+', &new, &new_left) : NULL;
    if (!at || !behind(at, " @@"))
        return false;
    diff->old = old;
    diff->new = new;
    diff->old_left = old_left;
    diff->new_left = new_left;
    diff->head = false;
    return true;
}

/* ---- lines ---- */

static int in_hunk(struct diff *diff, const char *line, size_t size)
{
    switch (line[0]) {
    case '+':
        return add_line(diff, DIFF_ADDED, line + 1, size - 1);
    case '-':
        return add_line(diff, DIFF_REMOVED, line + 1, size - 1);
    case ' ':
        return add_line(diff, DIFF_CONTEXT, line + 1, size - 1);
    case '\0':
        return add_line(diff, DIFF_CONTEXT, "", 0);
    default:
        return add_line(diff, DIFF_NOTE, line, size);
    }
}

static int read_line(struct diff *diff, const char *line, size_t size)
{
    const char *rest;
    if (diff->old_left > 0 || diff->new_left > 0)
        return in_hunk(diff, line, size);
    if ((rest = behind(line, "diff --git ")))
        return begin_file(diff, rest);
    if (diff->file_count > 0 && read_hunk(diff, line))
        return add_line(diff, DIFF_HUNK, line, size);
    if (diff->file_count > 0 && diff->head)
        return read_head(diff, line);
    return size > 0 ? add_line(diff, DIFF_NOTE, line, size) : 0;
}

static int take_part(struct diff *diff)
{
    size_t size = diff->part_size;
    bool cut = size == DIFF_LINE_MAX;
    if (cut) {
        /* Not in the middle of a character. */
        size -= 4;
        while (size > 0 && ((unsigned char)diff->part[size] & 0xc0) == 0x80)
            size--;
        memcpy(diff->part + size, "\xe2\x80\xa6", 3);
        size += 3;
    }
    /* A NUL would end it here, and nobody else reads it as an end. */
    for (char *at = diff->part; (at = memchr(at, '\0', size - (size_t)(at - diff->part)));)
        *at = '?';
    diff->part[size] = '\0';
    diff->part_size = 0;
    return read_line(diff, diff->part, size);
}

int diff_add(struct diff *diff, const char *bytes, size_t size)
{
    int status = diff->cut ? -EFBIG : 0;
    for (size_t i = 0; status == 0 && i < size; i++) {
        if (bytes[i] == '\n')
            status = take_part(diff);
        else if (diff->part_size < DIFF_LINE_MAX)
            diff->part[diff->part_size++] = bytes[i];
    }
    return status;
}

int diff_end(struct diff *diff)
{
    return diff->part_size > 0 && !diff->cut ? take_part(diff) : 0;
}
