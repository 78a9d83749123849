/*
 * Fuzz target: what a hostile agent may print. The first two bytes are the size; 0xfe and 0xff in
 * the stream (never part of UTF-8) resize, press a key, or read the terminal as its clients do.
 * Beyond memory errors it checks that the state which a redraw carries looks the same again.
 */
#include <string.h>

#include "mux/monitor/capture.h"
#include "mux/monitor/redraw.h"
#include "mux/monitor/terminal.h"
#include "tests/fuzz/fuzz.h"

static size_t replies, others;

static void on_reply(void *owner, const void *bytes, size_t size)
{
    replies += size;
}

static void on_title(void *owner, const char *title)
{
    others += strlen(title);
}

static void on_bell(void *owner)
{
    others++;
}

static void on_alert(void *owner, const char *severity, const char *kind, const char *text)
{
    others += strlen(severity) + strlen(kind) + strlen(text);
}

static const struct terminal_events events = {
    .reply = on_reply, .title = on_title, .bell = on_bell, .alert = on_alert};

/* All that can be seen, as text with colours. */
static void look(struct terminal *terminal, bool scrollback, struct bytes *out)
{
    size_t lines = capture_lines(terminal, scrollback);
    for (size_t from = 0; from < lines;) {
        size_t next = capture(terminal, scrollback, true, from, out->size + 4096, out, NULL);
        require(next > from && next <= lines);
        from = next;
    }
    require(!out->failed);
}

static void check_redraw(struct terminal *terminal)
{
    struct bytes state = {0}, one = {0}, other = {0};
    redraw(terminal, &state);
    look(terminal, true, &one);
    one.size = 0;
    look(terminal, false, &one);
    struct terminal *again = terminal_new(terminal->rows, terminal->cols, 10, NULL, NULL);
    require(again != NULL && !state.failed);
    terminal_write(again, state.data, state.size);
    look(again, false, &other);
    require(one.size == other.size && memcmp(one.data, other.data, one.size) == 0);
    if (again->row != terminal->row || again->col != terminal->col)
        fprintf(stderr, "%d,%d became %d,%d\n", terminal->row, terminal->col, again->row,
                again->col);
    require(again->row == terminal->row && again->col == terminal->col);
    terminal_free(again);
    bytes_free(&state);
    bytes_free(&one);
    bytes_free(&other);
}

static size_t command(struct terminal *terminal, const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"up", "f5", "home", "enter", "a", "\xe6\x97\xa5", "pageup"};
    if (data[0] == 0xff && size >= 3) {
        if (terminal_resize(terminal, data[1], data[2]) == 0)
            require(terminal->row < terminal->rows && terminal->col < terminal->cols);
        return 3;
    }
    if (size >= 2 && terminal_key(terminal, keys[data[1] % 7], data[1] >> 5) < 0)
        others++;
    return size >= 2 ? 2 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct terminal *terminal = terminal_new(data[0], data[1], 50, &events, NULL);
    require(terminal != NULL);
    for (size_t at = 2; at < size;) {
        size_t end = at;
        while (end < size && data[end] < 0xfe)
            end++;
        terminal_write(terminal, data + at, end - at);
        at = end < size ? end + command(terminal, data + end, size - end) : end;
        require(terminal->row >= 0 && terminal->row < terminal->rows && terminal->col >= 0 &&
                terminal->col < terminal->cols);
    }
    check_redraw(terminal);
    terminal_free(terminal);
    return 0;
}
