/*
 * What runs inside the pane while the benchmark measures. Static, so that it runs in any sandbox.
 *
 *   pane write FILE      writes FILE to the terminal, asks for the cursor's position, and prints
 *                        "RESULT <microseconds> <own CPU time in microseconds> <ROWS>x<COLS>" once
 *                        the answer has come: so the time covers the parsing of every byte, not
 *                        only its acceptance
 *   pane hold FILE       prints "HOLD" and does the same, with a FILE beside the program, once a
 *                        byte was typed
 *   pane echo            raw mode, echoes every byte; prints "READY" first
 *   pane flood           coloured lines without end
 *   pane lines N         N coloured lines of 200 columns, then "DONE", then waits
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int64_t cpu_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void raw_mode(void)
{
    struct termios mode;
    if (tcgetattr(0, &mode) == 0) {
        cfmakeraw(&mode);
        tcsetattr(0, TCSANOW, &mode);
    }
}

static int write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(1, bytes, size < 65536 ? size : 65536);
        if (written <= 0)
            return -1;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

static int run_write(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) < 0) {
        perror(path);
        return 1;
    }
    char *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED)
        return 1;
    raw_mode();
    int64_t start = now_us();
    static const char ask[] = "\033[0m\033[6n";
    if (write_all(bytes, (size_t)info.st_size) < 0 || write_all(ask, sizeof(ask) - 1) < 0)
        return 1;
    char byte = 0;
    while (byte != 'R' && read(0, &byte, 1) == 1)
        ;
    int64_t end = now_us();
    struct winsize screen = {0};
    ioctl(0, TIOCGWINSZ, &screen);
    char text[128];
    int size =
        snprintf(text, sizeof(text), "\033[0m\033[2J\033[HRESULT %lld %lld %dx%d .\r\n",
                 (long long)(end - start), (long long)cpu_us(), screen.ws_row, screen.ws_col);
    write_all(text, (size_t)size);
    pause();
    return 0;
}

static int run_hold(const char *program, const char *name)
{
    char path[4096];
    const char *slash = strrchr(program, '/');
    snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash + 1 - program) : 0, program, name);
    raw_mode();
    write_all("HOLD\r\n", 6);
    char byte;
    return read(0, &byte, 1) == 1 ? run_write(path) : 1;
}

static int run_echo(void)
{
    raw_mode();
    write_all("READY\r\n", 7);
    char bytes[256];
    ssize_t size;
    while ((size = read(0, bytes, sizeof(bytes))) > 0)
        write_all(bytes, (size_t)size);
    return 0;
}

static size_t colored_line(char *out, size_t capacity, unsigned number)
{
    size_t size = 0;
    for (unsigned word = 0; word < 20; word++)
        size += (size_t)snprintf(out + size, capacity - size, "\033[%u;38;5;%um%08x \033[0m",
                                 word & 1, (number + word * 7) % 256, number * 2654435761U + word);
    return size + (size_t)snprintf(out + size, capacity - size, "\r\n");
}

static int run_lines(unsigned long count)
{
    char line[1024];
    for (unsigned long i = 0; count == 0 || i < count; i++)
        if (write_all(line, colored_line(line, sizeof(line), (unsigned)i)) < 0)
            return 1;
    write_all("DONE\r\n", 6);
    pause();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        return run_write(argv[2]);
    if (argc == 3 && strcmp(argv[1], "hold") == 0)
        return run_hold(argv[0], argv[2]);
    if (argc == 2 && strcmp(argv[1], "echo") == 0)
        return run_echo();
    if (argc == 2 && strcmp(argv[1], "flood") == 0)
        return run_lines(0);
    if (argc == 3 && strcmp(argv[1], "lines") == 0)
        return run_lines(strtoul(argv[2], NULL, 10));
    fprintf(stderr, "usage: pane write FILE | hold FILE | echo | flood | lines N\n");
    return 2;
}
