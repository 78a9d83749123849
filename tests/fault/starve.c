#include "tests/fault/starve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* glibc's own, behind the names that are taken here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

extern const char __executable_start, _end; /* of the program, not of its libraries */

static struct starve *page;
static uint64_t chance;
static uint64_t last; /* this process's */

static uint64_t place(const void *address)
{
    return (uint64_t)((uintptr_t)address - (uintptr_t)&__executable_start);
}

static bool is_ours(uint64_t at)
{
    return at < (uint64_t)(&_end - &__executable_start);
}

static bool fails(const void *caller)
{
    if (!page || page->one_in == 0)
        return false;
    pid_t self = getpid();
    if (page->pid != 0 && page->pid != self)
        return false;
    if (chance == 0)
        chance = ((uint64_t)self << 20) ^ page->failed ^ 0x9e3779b97f4a7c15U;
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    if (chance % page->one_in != 0)
        return false;
    page->failed++;
    last = place(caller);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

/* The same instruction again then ends the process. */
static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)info;
    const ucontext_t *at = context;
    uint64_t where = 0;
#if defined(__x86_64__)
    where = place((const void *)at->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
    where = place((const void *)at->uc_mcontext.pc);
#endif
    signal(number, SIG_DFL);
    /* glibc's fts_open() uses what it did not get: a library's own fault, which ends one process.
     */
    if (!is_ours(where) && !is_ours(last))
        return;
    page->at = where;
    page->last = last;
    for (size_t i = 0; i + 1 < sizeof(page->program); i++)
        page->program[i] = program_invocation_short_name[i];
    page->crash = number;
}

static void __attribute__((constructor)) share(void)
{
    const char *path = getenv(STARVE_VARIABLE);
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *map = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (map == MAP_FAILED)
        return;
    page = map;
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
}
