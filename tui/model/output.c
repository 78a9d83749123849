#include "tui/model/output.h"

#include <stdio.h>
#include <string.h>

void output_begin(struct output *output, const char *words)
{
    output->size = 0;
    output->cut = output->ended = false;
    output->newest = strncmp(words, "audit", 5) == 0;
    snprintf(output->words, sizeof(output->words), "%s", words);
}

/* Half of it goes, up to the end of a line when there is one. */
static void make_room(struct output *output)
{
    const char *line = memchr(output->text + OUTPUT_MAX / 2, '\n', output->size - OUTPUT_MAX / 2);
    size_t from = line ? (size_t)(line + 1 - output->text) : OUTPUT_MAX / 2;
    output->size -= from;
    output->cut = true;
    memmove(output->text, output->text + from, output->size);
}

void output_add(struct output *output, const char *bytes, size_t size)
{
    while (size > 0) {
        if (output->size == OUTPUT_MAX)
            make_room(output);
        size_t room = OUTPUT_MAX - output->size, taken = size < room ? size : room;
        memcpy(output->text + output->size, bytes, taken);
        output->size += taken;
        bytes += taken;
        size -= taken;
    }
}

void output_end(struct output *output, const char *said)
{
    if (*said && output->size > 0 && output->text[output->size - 1] != '\n')
        output_add(output, "\n", 1);
    output_add(output, said, strlen(said));
    output->ended = true;
}
