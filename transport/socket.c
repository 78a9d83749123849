#include "transport/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "transport/paths.h"

static int address_of(struct sockaddr_un *address, const char *path, struct bj_error *error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0) /* would name an abstract socket, which has no mode */
        return bj_fail(error, -EINVAL, "a socket needs a path");
    if (length > BJ_SOCKET_PATH_MAX)
        return bj_fail(error, -ENAMETOOLONG,
                       "socket path of %zu bytes, the system allows %d: choose a shorter "
                       "BELLJAR_RUNTIME_DIR (%s)",
                       length, BJ_SOCKET_PATH_MAX, path);
    memcpy(address->sun_path, path, length);
    return 0;
}

int bj_socket_accept(int listener)
{
    static int reserved = -1;
    if (reserved < 0)
        reserved = fcntl(listener, F_DUPFD_CLOEXEC, 0);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || reserved < 0)
        return fd;
    close(reserved);
    fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    reserved = fcntl(listener, F_DUPFD_CLOEXEC, 0);
    return -1;
}

int bj_socket_connect(const char *path, struct bj_error *error)
{
    return bj_socket_connect_within(path, 0, error);
}

int bj_socket_connect_within(const char *path, int ms, struct bj_error *error)
{
    struct sockaddr_un address;
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    int status = address_of(&address, path, error);
    if (status < 0)
        return status;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (ms > 0 ? 0 : SOCK_NONBLOCK), 0);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot make a socket: %s", strerror(errno));
    if ((ms > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0) ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        (ms > 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)) {
        status = -errno;
        bj_fail(error, status, "cannot connect to %s: %s", path, strerror(errno));
        close(fd);
        return status;
    }
    return fd;
}

int bj_socket_listen(const char *path, struct bj_error *error)
{
    struct sockaddr_un address;
    int status = address_of(&address, path, error);
    if (status < 0)
        return status;

    struct stat info;
    if (lstat(path, &info) == 0) {
        if (!S_ISSOCK(info.st_mode))
            return bj_fail(error, -EEXIST, "%s is in the way and not a socket: remove it", path);
        int probe = bj_socket_connect(path, NULL);
        if (probe >= 0)
            close(probe);
        /* Only a refusal means that nobody listens; a full backlog (EAGAIN) means somebody does. */
        if (probe != -ECONNREFUSED && probe != -ENOENT)
            return bj_fail(error, -EADDRINUSE, "another process already listens at %s", path);
        unlink(path);
    }

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot make a socket: %s", strerror(errno));
    /* The mode of the descriptor becomes the mode of the file at bind, so that there is no moment
     * at which others could connect. */
    if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        status = bj_fail(error, -errno, "cannot make the socket %s: %s", path, strerror(errno));
        close(fd);
        return status;
    }
    if (chmod(address.sun_path, 0600) < 0 || listen(fd, 128) < 0) {
        status = bj_fail(error, -errno, "cannot listen at %s: %s", path, strerror(errno));
        close(fd);
        unlink(path);
        return status;
    }
    return fd;
}

int bj_socket_peer(int descriptor, pid_t *pid, uid_t *uid, gid_t *gid, struct bj_error *error)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return bj_fail(error, -errno, "cannot read the peer's credentials: %s", strerror(errno));
    if (pid)
        *pid = peer.pid;
    if (uid)
        *uid = peer.uid;
    if (gid)
        *gid = peer.gid;
    return 0;
}

int bj_socket_check_peer(int descriptor, uid_t uid, struct bj_error *error)
{
    uid_t peer = (uid_t)-1;
    int status = bj_socket_peer(descriptor, NULL, &peer, NULL, error);
    if (status < 0)
        return status;
    if (peer != uid && peer != 0)
        return bj_fail(error, -EPERM, "connection from user %u refused", (unsigned)peer);
    return 0;
}
