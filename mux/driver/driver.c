#include "mux/driver/driver.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mux/driver/bwrap.h"

const struct driver *const drivers[] = {&driver_bwrap, NULL};

const struct driver *driver_find(const char *name)
{
    for (const struct driver *const *at = drivers; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

static int write_byte(int fd, const char *what, struct bj_error *error)
{
    ssize_t written;
    do
        written = write(fd, "", 1);
    while (written < 0 && errno == EINTR);
    return written == 1 ? 0 : bj_fail(error, -errno, "cannot %s: %s", what, strerror(errno));
}

int wall_go(struct wall *wall, struct bj_error *error)
{
    int status = write_byte(wall->go, "start the wall", error);
    close(wall->go);
    wall->go = -1;
    return status;
}

int wall_release(struct wall *wall, struct bj_error *error)
{
    return write_byte(wall->gate, "open the wall's gate", error);
}

bool wall_passed(const struct wall *wall)
{
    int waiting = 1;
    return ioctl(wall->gate, FIONREAD, &waiting) == 0 && waiting == 0;
}

void wall_close(struct wall *wall)
{
    int *const all[] = {&wall->go, &wall->info, &wall->gate, &wall->trouble};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}
