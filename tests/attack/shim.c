/*
 * A hostile shim: stands in for belljar-shim as pid 1 of a real sandbox, and attacks the monitor
 * over the link in the way that the agent's first argument names. Rows 44, 45, 47 and 49.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    HELLO = 1,
    WELCOME,
    PONG = 5,
    STARTED,
    EXITED,
    SHUTDOWN = 10,
    DATA = 16,
    ACK,
    CREDIT,
    ASK = 32,
    VERDICT,
    CLOSE
};

static int fd = -1;
static const char *link_path;
static unsigned char buffer[1 << 20];
static size_t used;

static void flush(void)
{
    for (size_t at = 0; at < used;) {
        ssize_t size = send(fd, buffer + at, used - at, MSG_NOSIGNAL);
        if (size <= 0)
            break;
        at += (size_t)size;
    }
    used = 0;
}

static void put(const void *bytes, size_t size)
{
    if (used + size > sizeof(buffer))
        flush();
    memcpy(buffer + used, bytes, size);
    used += size;
}

static void byte(unsigned value)
{
    unsigned char one = (unsigned char)value;
    put(&one, 1);
}

static void number(uint64_t value)
{
    byte(0xcf);
    for (int shift = 56; shift >= 0; shift -= 8)
        byte((unsigned)(value >> shift));
}

static void blob(unsigned head, const char *bytes, size_t size)
{
    byte(head); /* 0xdb text, 0xc6 binary */
    for (int shift = 24; shift >= 0; shift -= 8)
        byte((unsigned)(size >> shift));
    put(bytes, size);
}

static void message(unsigned fields, unsigned type, uint64_t channel)
{
    byte(0x90 | (fields + 2));
    byte(type);
    number(channel);
}

static void data(uint64_t offset, const char *bytes, size_t size)
{
    message(2, DATA, 1);
    number(offset);
    blob(0xc6, bytes, size);
}

static void dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", link_path);
    if (fd >= 0)
        close(fd);
    do {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return;
        close(fd);
    } while (usleep(20000) == 0 || errno == EINTR);
}

static void hello(const char *epoch, uint64_t start, uint64_t end, uint64_t in_next)
{
    message(5, HELLO, 0);
    number(1);
    blob(0xc6, epoch, 16);
    number(start);
    number(end);
    number(in_next);
}

/* Up to here an honest one: the monitor has said WELCOME. */
static void greet(void)
{
    char answer[256];
    dial();
    hello("sixteen bytes ok", 0, 0, 0);
    message(1, STARTED, 0);
    number(2);
    flush();
    if (recv(fd, answer, sizeof(answer), 0) <= 0)
        dial();
}

static void noise(void)
{
    srand(1);
    dial();
    for (int i = 0; i < 100000; i++)
        byte((unsigned)rand() >> 3);
}

static void truncated(void)
{
    dial();
    byte(0x97);
    byte(HELLO);
    flush();
    close(fd);
    dial();
    byte(0x97);
}

static void headers(void)
{
    static const unsigned char heads[][6] = {{0xc6, 255, 255, 255, 255, 0},
                                             {0xdb, 255, 255, 255, 255, 0},
                                             {0xdd, 255, 255, 255, 255, 0},
                                             {0xdf, 255, 255, 255, 255, 0},
                                             {0xc9, 255, 255, 255, 255, 0}};
    for (int i = 0; i < 5; i++) {
        greet();
        put(heads[i], sizeof(heads[i]));
        flush();
    }
}

static void nesting(void)
{
    greet();
    for (int i = 0; i < 100000; i++)
        byte(0x91);
}

static void wrong_side(void)
{
    static const unsigned types[] = {WELCOME, SHUTDOWN, VERDICT};
    for (int i = 0; i < 3; i++) {
        greet();
        message(2, types[i], 16);
        number(1);
        blob(0xdb, "", 0);
        flush();
    }
}

static void unknown_type(void)
{
    greet();
    message(0, 99, 0);
}

static void no_hello(void)
{
    dial();
    data(0, "early", 5);
}

static void gap(void)
{
    greet();
    data(5, "later", 5);
}

static void overlap(void)
{
    greet();
    data(0, "first", 5);
    data(0, "first", 5);
}

static void over_credit(void)
{
    static char part[65536];
    greet();
    for (uint64_t at = 0; at < (64U << 20); at += sizeof(part))
        data(at, part, sizeof(part));
}

static void over_limit(void)
{
    static char part[65537];
    greet();
    data(0, part, sizeof(part));
}

static void negative(void)
{
    greet();
    message(2, DATA, 1);
    byte(0xff);
    blob(0xc6, "x", 1);
}

static void false_ack(void)
{
    greet();
    message(1, ACK, 1);
    number(UINT64_MAX);
}

static void credit_back(void)
{
    greet();
    message(1, CREDIT, 1);
    number(1000);
    message(1, CREDIT, 1);
    number(1);
}

static void closed_channel(void)
{
    greet();
    message(2, DATA, 4242);
    number(0);
    blob(0xc6, "x", 1);
}

static void backwards(void)
{
    dial();
    hello("sixteen bytes ok", 100, 5, 0);
}

static void end_of_offsets(void)
{
    dial();
    hello("sixteen bytes ok", UINT64_MAX - 5, UINT64_MAX, UINT64_MAX);
    data(UINT64_MAX - 5, "12345678", 8);
}

static void many_hellos(void)
{
    char epoch[17];
    for (int i = 0; i < 300; i++) {
        snprintf(epoch, sizeof(epoch), "epoch %10d", i);
        dial();
        hello(epoch, 0, 0, 0);
        hello(epoch, 0, 0, 0);
        flush();
    }
}

static void asks(void)
{
    greet();
    for (unsigned i = 0; i < 5000; i++) {
        message(3, ASK, 16 + i % 200); /* most of them open already */
        blob(0xdb, "exec", 4);
        blob(0xdb, "\x1b[2J\n", 5);
        blob(0xc6, "", 0);
    }
}

static void pongs(void)
{
    greet();
    for (int i = 0; i < 1000000; i++) {
        message(1, PONG, 0);
        number((uint64_t)i);
    }
}

static void exited_twice(void)
{
    greet();
    for (int i = 0; i < 3; i++) {
        message(3, EXITED, 0);
        number(0);
        number(0);
        blob(0xdb, "\x1b]52;c;eA==\a", 12);
    }
    data(0, "after the end", 13);
}

static void slow(void)
{
    dial();
    byte(0x97); /* and never the rest */
    flush();
    pause();
}

static const struct {
    const char *name;
    void (*attack)(void);
} attacks[] = {
    {"noise", noise},
    {"truncated", truncated},
    {"headers", headers},
    {"nesting", nesting},
    {"wrong_side", wrong_side},
    {"unknown_type", unknown_type},
    {"no_hello", no_hello},
    {"gap", gap},
    {"overlap", overlap},
    {"over_credit", over_credit},
    {"over_limit", over_limit},
    {"negative", negative},
    {"false_ack", false_ack},
    {"credit_back", credit_back},
    {"closed_channel", closed_channel},
    {"backwards", backwards},
    {"end_of_offsets", end_of_offsets},
    {"many_hellos", many_hellos},
    {"asks", asks},
    {"pongs", pongs},
    {"exited_twice", exited_twice},
    {"slow", slow},
};

int main(int argc, char **argv)
{
    const char *name = "";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--link") == 0 && i + 1 < argc)
            link_path = argv[i + 1];
        if (strcmp(argv[i], "--") == 0 && i + 1 < argc)
            name = argv[i + 1];
    }
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; link_path && i < sizeof(attacks) / sizeof(attacks[0]); i++)
        if (strcmp(attacks[i].name, name) == 0) {
            attacks[i].attack();
            flush();
            /* The file tells the test, which sees the project copy from outside. */
            FILE *done = fopen("/work/attacked", "w");
            if (done)
                fclose(done);
            for (;;)
                pause();
        }
    fprintf(stderr, "no such attack: %s\n", name);
    return 2;
}
