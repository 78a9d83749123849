#include "mux/server/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct watch {
    struct watch *next; /* in the list of cancelled ones */
    uv_poll_t poll;
    int fd;
    pid_t pid;
    bool reap;
    watch_ended *ended;
    void *owner;
};

static struct watch *cancelled; /* they wait to reap only; one loop, one thread */

static void on_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    close(watch->fd);
    free(watch);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int wait_status = -1;
    if (watch->reap && waitpid(watch->pid, &wait_status, WNOHANG) <= 0)
        wait_status = -1;
    for (struct watch **at = &cancelled; *at; at = &(*at)->next)
        if (*at == watch) {
            *at = watch->next;
            break;
        }
    watch_ended *ended = watch->ended;
    uv_close((uv_handle_t *)poll, on_closed);
    if (ended)
        ended(watch->owner, wait_status);
}

struct watch *watch_process(uv_loop_t *loop, const struct process_id *id, bool reap,
                            watch_ended *ended, void *owner, struct bj_error *error)
{
    int fd = process_open(id->pid);
    if (fd < 0 || (!reap && !process_alive(id))) {
        int code = fd < 0 ? fd : -ESRCH;
        if (fd >= 0)
            close(fd);
        bj_fail(error, code, "cannot watch process %d: %s", (int)id->pid, strerror(-code));
        return NULL;
    }
    struct watch *watch = calloc(1, sizeof(*watch));
    int status = watch ? uv_poll_init(loop, &watch->poll, fd) : UV_ENOMEM;
    if (status < 0) {
        free(watch);
        close(fd);
        bj_fail(error, status, "cannot watch process %d: %s", (int)id->pid, uv_strerror(status));
        return NULL;
    }
    watch->fd = fd;
    watch->pid = id->pid;
    watch->reap = reap;
    watch->ended = ended;
    watch->owner = owner;
    watch->poll.data = watch;
    uv_poll_start(&watch->poll, UV_READABLE, on_readable);
    return watch;
}

void watch_cancel(struct watch *watch)
{
    if (!watch || !watch->ended || uv_is_closing((uv_handle_t *)&watch->poll))
        return;
    watch->ended = NULL;
    if (!watch->reap) {
        uv_close((uv_handle_t *)&watch->poll, on_closed);
        return;
    }
    watch->next = cancelled;
    cancelled = watch;
}

void watch_close_all(void)
{
    while (cancelled) {
        struct watch *watch = cancelled;
        cancelled = watch->next;
        uv_close((uv_handle_t *)&watch->poll, on_closed);
    }
}
