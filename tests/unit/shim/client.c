#include "tests/unit/shim/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 400
#define ECHO_BYTES      (1024 * 1024)
#define LEAVE_MAX       (1024 * 1024)
#define PATIENCE        30000 /* ms */

static int die(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

static int dial(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("connect");
    return fd;
}

/* The sandbox ends with us: the monitor is to hear of the rest first. */
static int wait_line(void)
{
    char line[10];
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) ? 0 : 1;
}

static char pattern(size_t connection, size_t at)
{
    return (char)(at * 31 + at / 257 + connection);
}

struct echo {
    int fd;
    size_t sent, got;
    bool ended;
};

static void echo_send(struct echo *echo, size_t number)
{
    static char bytes[16384];
    size_t size = ECHO_BYTES - echo->sent < sizeof(bytes) ? ECHO_BYTES - echo->sent : sizeof(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern(number, echo->sent + i);
    ssize_t sent = send(echo->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        die("send");
    echo->sent += sent > 0 ? (size_t)sent : 0;
    if (echo->sent == ECHO_BYTES)
        shutdown(echo->fd, SHUT_WR);
}

static void echo_receive(struct echo *echo, size_t number)
{
    static char bytes[16384];
    ssize_t got = recv(echo->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got < 0 && errno != EAGAIN)
        die("recv");
    for (ssize_t i = 0; i < got; i++)
        if (bytes[i] != pattern(number, echo->got + (size_t)i))
            die("another byte came back");
    echo->got += got > 0 ? (size_t)got : 0;
    echo->ended = got == 0;
}

/* All at once, each sends 1 MiB, and expects it back and then the end. */
static int echo(int port, int count)
{
    static struct echo all[CONNECTIONS_MAX];
    static struct pollfd polls[CONNECTIONS_MAX];
    size_t number = (size_t)count, open = number;
    for (size_t i = 0; i < number; i++)
        all[i].fd = dial(port);
    while (open > 0) {
        for (size_t i = 0; i < number; i++) {
            short out = all[i].sent < ECHO_BYTES ? POLLOUT : 0;
            polls[i] = (struct pollfd){.fd = all[i].ended ? -1 : all[i].fd, .events = POLLIN | out};
        }
        if (poll(polls, number, PATIENCE) <= 0)
            die("nothing moves");
        for (size_t i = 0; i < number; i++) {
            if (polls[i].revents & POLLOUT)
                echo_send(&all[i], i);
            if (polls[i].revents & ~POLLOUT)
                echo_receive(&all[i], i);
            open -= polls[i].revents && all[i].ended;
        }
    }
    for (size_t i = 0; i < number; i++)
        if (all[i].got != ECHO_BYTES)
            return die("too little came back");
    puts("echoed");
    return 0;
}

/* Reads until the end, and prints what came: a short text itself, else its size. */
static void print_rest(int fd)
{
    static char bytes[65536];
    char text[100];
    size_t size = 0;
    ssize_t got;
    while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
        if (size + (size_t)got < sizeof(text))
            memcpy(text + size, bytes, (size_t)got);
        size += (size_t)got;
    }
    if (got < 0)
        printf("%zu bytes, then %s\n", size, strerror(errno));
    else if (size < sizeof(text))
        printf("<%.*s>\n", (int)size, text);
    else
        printf("%zu bytes\n", size);
}

/* Asks, ends its side, and reads the answer. */
static int half(int port, int argument)
{
    int fd = dial(port);
    if (write(fd, "question", 8) != 8 || shutdown(fd, SHUT_WR) < 0)
        die("write");
    print_rest(fd);
    return 0;
}

/* Reads until the end, and speaks then. */
static int late(int port, int argument)
{
    int fd = dial(port);
    print_rest(fd);
    if (write(fd, "late", 4) != 4)
        die("write");
    close(fd);
    return wait_line();
}

/* Connects and keeps the connections until its terminal gives a line. */
static int idle(int port, int count)
{
    for (int i = 0; i < count; i++)
        dial(port);
    puts("connected");
    return wait_line();
}

/* Connects, and reads nothing for ever. */
static int hold(int port, int count)
{
    for (int i = 0; i < count; i++)
        dial(port);
    return pause();
}

/* Connects, reads nothing until its terminal gives a line, and reads then. */
static int slow(int port, int argument)
{
    int fd = dial(port);
    if (wait_line() != 0)
        return 1;
    print_rest(fd);
    return 0;
}

/* Sends without end on all connections. */
static int flood(int port, int count)
{
    static char bytes[65536];
    int fds[CONNECTIONS_MAX];
    for (int i = 0; i < count; i++)
        fds[i] = dial(port);
    for (;;)
        for (int i = 0; i < count; i++)
            if (send(fds[i], bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
                errno != EAGAIN)
                return 0;
}

/* Says something and resets the connection when a line comes. */
static int reset(int port, int argument)
{
    struct linger at_once = {1, 0};
    int fd = dial(port);
    if (write(fd, "x", 1) != 1 || wait_line() != 0)
        die("write");
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    puts("reset");
    return wait_line();
}

/* Sends more than a window and is no more. */
static int leave(int port, int size)
{
    static char bytes[LEAVE_MAX];
    int fd = dial(port);
    for (size_t sent = 0; sent < (size_t)size;) {
        ssize_t got = write(fd, bytes + sent, (size_t)size - sent);
        if (got < 0)
            die("write");
        sent += (size_t)got;
    }
    return 0;
}

/* Waits until this file has gone, then connects. */
static int after(int port, const char *path)
{
    while (access(path, F_OK) == 0)
        usleep(5000);
    int fd = dial(port);
    puts("connected");
    fflush(stdout);
    char made[400];
    snprintf(made, sizeof(made), "%s.connected", path);
    fclose(fopen(made, "w"));
    if (write(fd, "hello", 5) != 5)
        die("write");
    print_rest(fd);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(int port, int argument);
} clients[] = {
    {"echo", echo}, {"half", half},   {"late", late},   {"idle", idle},   {"hold", hold},
    {"slow", slow}, {"flood", flood}, {"reset", reset}, {"leave", leave},
};

int client_main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int port = atoi(argv[3]);
    if (strcmp(argv[2], "after") == 0 && argc > 4)
        return after(port, argv[4]);
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
        if (strcmp(argv[2], clients[i].name) == 0)
            return clients[i].run(port, argc > 4 ? atoi(argv[4]) : 1);
    return 2;
}
