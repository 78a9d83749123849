#include "mux/monitor/outbox.h"

#include <errno.h>
#include <sys/socket.h>

int outbox_write(struct outbox *outbox, int fd)
{
    struct bytes *bytes = &outbox->bytes;
    if (bytes->failed)
        return -ENOMEM;
    while (outbox->sent < bytes->size) {
        ssize_t sent = send(fd, bytes->data + outbox->sent, outbox_waiting(outbox),
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0)
            outbox->sent += (size_t)sent;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return -errno;
    }
    if (outbox->sent >= bytes->size - outbox->sent) {
        bytes->size = outbox_waiting(outbox);
        if (bytes->size > 0)
            memmove(bytes->data, bytes->data + outbox->sent, bytes->size);
        outbox->sent = 0;
    }
    return 0;
}

void outbox_free(struct outbox *outbox)
{
    bytes_free(&outbox->bytes);
    outbox->sent = 0;
}
