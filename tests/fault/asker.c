/*
 * An agent of the test that asks numbered questions, many at a time: asker NAME COUNT WIDTH
 *
 * Question N is "question NAME N", but each eighth "question all N", which other askers ask as
 * well. Up to WIDTH wait at a time, each in a `belljar-shim ask` of its own. What became of it is a
 * line of output: "verdict N CODE WORDS", or "again N WORDS" when nobody decided, and then it is
 * asked again. "end" is the last line.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WIDTH_MAX 64
#define SHIM      "/belljar/bin/belljar-shim"

/* Somewhat less than the monitor takes of one sandbox (mux/monitor/asks.c). */
#define BURST      15.0
#define PER_SECOND 4.8
#define LATER_MS   1000

struct question {
    pid_t pid; /* 0: none is asked here */
    int fd;
    long number;
    char words[512];
    size_t size;
};

static struct question asked[WIDTH_MAX];
static long *again; /* numbers, as a stack */
static size_t again_count;
static double tokens = BURST;
static long long refilled;

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool calm(void)
{
    long long at = now();
    tokens += (double)(at - refilled) * PER_SECOND / 1000;
    tokens = tokens > BURST ? BURST : tokens;
    refilled = at;
    return tokens >= 1;
}

/* One write(2), so that no other line comes in between. */
static void say(const char *line)
{
    size_t size = strlen(line);
    for (size_t at = 0; at < size;) {
        ssize_t wrote = write(STDOUT_FILENO, line + at, size - at);
        if (wrote < 0)
            exit(1);
        at += (size_t)wrote;
    }
}

static void ask(struct question *question, const char *name, long number)
{
    char title[64];
    int ends[2];
    snprintf(title, sizeof(title), "question %s %ld", number % 8 == 0 ? "all" : name, number);
    if (pipe2(ends, O_CLOEXEC) < 0)
        exit(1);
    *question = (struct question){.pid = fork(), .fd = ends[0], .number = number};
    if (question->pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        execl(SHIM, SHIM, "ask", "--kind", "exec", "--title", title, (char *)NULL);
        _exit(2);
    }
    close(ends[1]);
    if (question->pid < 0)
        exit(1);
    tokens -= 1;
}

/* Returns whether it was decided. */
static bool conclude(struct question *question)
{
    static const char ours[] = "belljar-shim ask: ";
    char line[700];
    int status;
    waitpid(question->pid, &status, 0);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    question->words[question->size] = '\0';
    question->words[strcspn(question->words, "\n")] = '\0';
    const char *words = question->words;
    if (strncmp(words, ours, sizeof(ours) - 1) == 0)
        words += sizeof(ours) - 1;
    bool decided = code == 0 || code == 1;
    if (decided)
        snprintf(line, sizeof(line), "verdict %ld %d %s\n", question->number, code, words);
    else
        snprintf(line, sizeof(line), "again %ld %s\n", question->number, words);
    say(line);
    if (!decided) {
        again[again_count++] = question->number;
        tokens = -PER_SECOND * LATER_MS / 1000;
    }
    close(question->fd);
    question->pid = 0;
    return decided;
}

/* Returns whether it was decided now. */
static bool take_words(struct question *question)
{
    char rest[64];
    size_t room = sizeof(question->words) - 1 - question->size;
    ssize_t got = room ? read(question->fd, question->words + question->size, room)
                       : read(question->fd, rest, sizeof(rest));
    if (got <= 0)
        return conclude(question);
    question->size += room ? (size_t)got : 0;
    return false;
}

static long decide_some(void)
{
    struct pollfd polls[WIDTH_MAX];
    long decided = 0;
    for (size_t i = 0; i < WIDTH_MAX; i++)
        polls[i] =
            (struct pollfd){.fd = asked[i].pid ? asked[i].fd : -1, .events = POLLIN | POLLHUP};
    if (poll(polls, WIDTH_MAX, 50) <= 0)
        return 0;
    for (size_t i = 0; i < WIDTH_MAX; i++)
        if (polls[i].revents)
            decided += take_words(&asked[i]);
    return decided;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    long count = strtol(argv[2], NULL, 10), width = strtol(argv[3], NULL, 10);
    again = calloc((size_t)count + 1, sizeof(*again));
    if (!again || width > WIDTH_MAX)
        return 2;
    refilled = now();
    for (long next = 1, decided = 0; decided < count; decided += decide_some())
        for (long i = 0; i < width && (again_count > 0 || next <= count) && calm(); i++)
            if (!asked[i].pid)
                ask(&asked[i], argv[1], again_count > 0 ? again[--again_count] : next++);
    say("end\n");
    for (;;)
        pause();
}
