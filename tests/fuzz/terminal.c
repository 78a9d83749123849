/*
 * Fuzz target: output of a hostile agent. The first two bytes choose the sizes; in the middle the
 * terminal is resized, at the end everything that reads it runs.
 */
#include <stdlib.h>

#include "mux/monitor/capture.h"
#include "mux/monitor/redraw.h"
#include "mux/monitor/terminal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    int rows = 1 + data[0] % 40, cols = 1 + data[1] % 120;
    struct terminal *terminal = terminal_new(rows, cols, 500, NULL, NULL);
    if (!terminal)
        return 0;
    data += 2;
    size -= 2;
    terminal_write(terminal, data, size / 2);
    terminal_resize(terminal, cols % 50 + 1, rows * 3);
    terminal_write(terminal, data + size / 2, size - size / 2);
    terminal_resize(terminal, rows, cols);

    struct bytes out = {0};
    size_t lines = capture_lines(terminal, true);
    if (capture(terminal, true, true, 0, SIZE_MAX, &out) != lines && !out.failed)
        abort();
    redraw(terminal, &out);
    terminal_key(terminal, "up", 0);
    terminal_paste(terminal, "text\x1b[201~", 10);
    bytes_free(&out);
    terminal_free(terminal);
    return 0;
}
