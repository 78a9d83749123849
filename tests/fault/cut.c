#include "tests/fault/cut.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAIRS    32
#define PART_MAX 97 /* bytes that go on at once */
#define LATE_MS  8  /* at most, one part of eight */

struct pair {
    int near, far;
    uint32_t left;
};

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
    return address;
}

static unsigned below(uint64_t *seed, unsigned limit)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (unsigned)(*seed % limit);
}

static void end_pair(struct pair *pair)
{
    close(pair->near);
    close(pair->far);
    pair->near = pair->far = -1;
}

/* False when the connection is over. */
static bool pass(struct pair *pair, int from, int to, uint64_t *seed)
{
    char part[PART_MAX];
    size_t most = 1 + below(seed, PART_MAX);
    if (most > pair->left)
        most = pair->left;
    ssize_t got = most ? recv(from, part, most, 0) : 0;
    if (got <= 0)
        return false;
    if (below(seed, 8) == 0)
        poll(NULL, 0, (int)below(seed, LATE_MS));
    pair->left -= (uint32_t)got;
    for (ssize_t done = 0, sent; done < got; done += sent)
        if ((sent = send(to, part + done, (size_t)(got - done), MSG_NOSIGNAL)) < 0)
            return false;
    return true;
}

static void take(struct pair *pair, int listener, const char *real, uint32_t bytes, uint64_t *seed)
{
    struct sockaddr_un address = address_of(real);
    pair->near = accept(listener, NULL, NULL);
    pair->far = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pair->left = 1 + below(seed, bytes);
    if (pair->near < 0 || connect(pair->far, (struct sockaddr *)&address, sizeof(address)) < 0)
        end_pair(pair);
}

static void serve(int listener, const char *real, uint32_t bytes, uint64_t seed)
{
    struct pair pairs[PAIRS];
    struct pollfd polls[1 + 2 * PAIRS];
    memset(pairs, -1, sizeof(pairs));
    for (;;) {
        struct pair *free_pair = NULL;
        for (int i = 0; i < PAIRS; i++) {
            polls[1 + 2 * i] = (struct pollfd){.fd = pairs[i].near, .events = POLLIN};
            polls[2 + 2 * i] = (struct pollfd){.fd = pairs[i].far, .events = POLLIN};
            if (pairs[i].near < 0)
                free_pair = &pairs[i];
        }
        polls[0] = (struct pollfd){.fd = free_pair ? listener : -1, .events = POLLIN};
        if (poll(polls, 1 + 2 * PAIRS, -1) < 0)
            continue;
        for (int i = 0; i < PAIRS; i++) {
            struct pair *pair = &pairs[i];
            if ((polls[1 + 2 * i].revents && !pass(pair, pair->near, pair->far, &seed)) ||
                (polls[2 + 2 * i].revents && !pass(pair, pair->far, pair->near, &seed)))
                end_pair(pair);
        }
        if (polls[0].revents)
            take(free_pair, listener, real, bytes, &seed);
    }
}

/* The child listens, since a server ends whoever listens in the place of a monitor. */
static void serve_at(const struct cut *cut, uint32_t bytes, uint64_t seed, int ready)
{
    struct sockaddr_un address = address_of(cut->path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, 16) < 0 || chmod(cut->path, 0600) < 0 || write(ready, "", 1) != 1)
        _exit(1);
    close(ready);
    serve(listener, cut->real, bytes, seed);
}

bool cut_open(struct cut *cut, const char *path, uint32_t bytes, uint64_t seed)
{
    struct stat info;
    int ready[2];
    char byte;
    *cut = (struct cut){0};
    snprintf(cut->path, sizeof(cut->path), "%s", path);
    snprintf(cut->real, sizeof(cut->real), "%s.real", path);
    if (pipe2(ready, O_CLOEXEC) < 0)
        return false;
    if (rename(cut->path, cut->real) < 0 || (cut->child = fork()) < 0) {
        rename(cut->real, cut->path);
        close(ready[0]);
        close(ready[1]);
        return false;
    }
    if (cut->child == 0)
        serve_at(cut, bytes, seed | 1, ready[1]);
    close(ready[1]);
    ssize_t got = read(ready[0], &byte, 1);
    close(ready[0]);
    cut->inode = got == 1 && stat(path, &info) == 0 ? info.st_ino : 0;
    return true;
}

void cut_close(struct cut *cut)
{
    struct stat info;
    kill(cut->child, SIGKILL);
    waitpid(cut->child, NULL, 0);
    /* Whoever was started anew has a socket of his own there. */
    if (stat(cut->path, &info) < 0 || info.st_ino == cut->inode)
        rename(cut->real, cut->path);
    else
        unlink(cut->real);
}
