/*
 * Fuzz target: a recording on disk, which a crash may have cut and an agent filled. What is called
 * whole must be whole: read again up to there it gives the same events. But for the last where it
 * holds a U+FFFD and no exact bytes follow: we write none like that, and as the last one it may
 * have been cut.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "mux/monitor/recording_read.h"
#include "tests/fuzz/fuzz.h"

struct seen {
    size_t events, bytes;
    size_t last; /* bytes of an output with U+FFFD that is the last event, else 0 */
};

static void on_event(void *owner, const struct recording_event *event)
{
    struct seen *seen = owner;
    require(event->code == 'o' || event->code == 'r' || event->code == 'm');
    size_t bytes = 0;
    for (size_t i = 0; i < event->size; i++)
        bytes += (unsigned char)event->data[i];
    bool odd =
        event->code == 'o' && !event->redraw && memmem(event->data, event->size, "\xef\xbf\xbd", 3);
    seen->events++;
    seen->bytes += bytes;
    seen->last = odd ? bytes : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recording_header header;
    struct bj_error error = {0};
    struct seen first = {0}, again = {0};
    uint64_t good = 0, same = 0;
    int fd = fuzz_file(data, size);
    if (recording_read(fd, &header, on_event, &first, &good, &error) == 0) {
        require(good <= size && header.rows > 0 && header.cols > 0);
        int cut = fuzz_file(data, (size_t)good);
        require(recording_read(cut, &header, on_event, &again, &same, NULL) == 0);
        bool equal = same == good && again.events == first.events && again.bytes == first.bytes;
        require(equal || (first.last > 0 && again.events + 1 == first.events &&
                          again.bytes + first.last == first.bytes));
        close(cut);
    } else {
        require(error.text[0] != '\0');
    }
    close(fd);
    return 0;
}
