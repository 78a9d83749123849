/* So that each name that is defined here is the one that is linked to. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "tests/fault/starve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* glibc's own, behind the names that are taken here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
pid_t __fork(void);

extern const char __executable_start, _end; /* of the program, not of its libraries */

static struct starve *page;
static uint64_t last; /* this process's */

static uint64_t place(const void *address)
{
    return (uint64_t)((uintptr_t)address - (uintptr_t)&__executable_start);
}

static bool is_ours(uint64_t at)
{
    return at < (uint64_t)(&_end - &__executable_start);
}

static bool is_same(const char *left, const char *right)
{
    while (*left && *left == *right) {
        left++;
        right++;
    }
    return *left == *right;
}

/* A call is to fail; whose, is not looked at yet. */
static bool is_armed(void)
{
    return page && (page->nth || page->fresh);
}

/* The first call from a place where none has failed yet. */
static bool is_fresh(uint64_t at)
{
    if (!is_ours(at) || page->places_count >= STARVE_PLACES)
        return false;
    for (uint32_t i = 0; i < page->places_count; i++)
        if (page->places[i] == at)
            return false;
    uint32_t armed = 1;
    if (!__atomic_compare_exchange_n(&page->fresh, &armed, 0, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED))
        return false;
    page->places[page->places_count++] = at;
    return true;
}

/* The nth call of the victim, or a fresh one. Nothing in here allocates, and errno stays when it
 * does not fail. */
static bool is_chosen(const void *caller, const char *call, int code)
{
    if (!is_armed() || !is_same(page->victim, program_invocation_short_name))
        return false;
    bool chosen = page->fresh ? is_fresh(place(caller))
                              : __atomic_sub_fetch(&page->nth, 1, __ATOMIC_RELAXED) == 0;
    if (!chosen)
        return false;
    page->failed++;
    page->last = last = place(caller);
    for (size_t i = 0; i + 1 < sizeof(page->call) && (page->call[i] = call[i]); i++)
        ;
    errno = code;
    return true;
}

#if !defined(__SANITIZE_ADDRESS__)
static uint64_t chance;

static bool fails(const void *caller)
{
    if (is_chosen(caller, "malloc", ENOMEM))
        return true;
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
#endif

/* ---- what asks the kernel ---- */

#define CHOSEN(code) is_chosen(__builtin_return_address(0), __func__, code)

static int open_at(int directory, const char *path, int flags, va_list arguments)
{
    bool creates = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
    mode_t mode = creates ? va_arg(arguments, mode_t) : 0;
    return (int)syscall(SYS_openat, directory, path, flags, mode);
}

/* Each name that the headers may make of it. */
#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list arguments;                                                                         \
        if (CHOSEN(EMFILE))                                                                        \
            return -1;                                                                             \
        va_start(arguments, flags);                                                                \
        int file = open_at(AT_FDCWD, path, flags, arguments);                                      \
        va_end(arguments);                                                                         \
        return file;                                                                               \
    }
#define OPENAT(name)                                                                               \
    int name(int directory, const char *path, int flags, ...)                                      \
    {                                                                                              \
        va_list arguments;                                                                         \
        if (CHOSEN(EMFILE))                                                                        \
            return -1;                                                                             \
        va_start(arguments, flags);                                                                \
        int file = open_at(directory, path, flags, arguments);                                     \
        va_end(arguments);                                                                         \
        return file;                                                                               \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

DIR *opendir(const char *path)
{
    if (CHOSEN(EMFILE))
        return NULL;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return file < 0 ? NULL : fdopendir(file);
}

static bool is_file(int fd)
{
    struct stat info;
    int code = errno;
    bool is = syscall(SYS_fstat, fd, &info) == 0 && S_ISREG(info.st_mode);
    errno = code;
    return is;
}

/* Files only: what a socket or a pipe may answer is the other tests' matter. */
ssize_t read(int fd, void *data, size_t size)
{
    return is_armed() && is_file(fd) && CHOSEN(EIO) ? -1 : syscall(SYS_read, fd, data, size);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return is_armed() && is_file(fd) && CHOSEN(ENOSPC) ? -1 : syscall(SYS_write, fd, data, size);
}

#define CALL(name, code, parameters, number, ...)                                                  \
    int name parameters                                                                            \
    {                                                                                              \
        return CHOSEN(code) ? -1 : (int)syscall(number, __VA_ARGS__);                              \
    }
CALL(pipe2, EMFILE, (int ends[2], int flags), SYS_pipe2, ends, flags)
CALL(socket, EMFILE, (int domain, int type, int protocol), SYS_socket, domain, type, protocol)
CALL(socketpair, EMFILE, (int domain, int type, int protocol, int ends[2]), SYS_socketpair, domain,
     type, protocol, ends)
CALL(memfd_create, EMFILE, (const char *name, unsigned flags), SYS_memfd_create, name, flags)
CALL(listen, EADDRINUSE, (int fd, int backlog), SYS_listen, fd, backlog)
CALL(mkdir, ENOSPC, (const char *path, mode_t mode), SYS_mkdirat, AT_FDCWD, path, mode)
CALL(mkdirat, ENOSPC, (int directory, const char *path, mode_t mode), SYS_mkdirat, directory, path,
     mode)
CALL(rename, EIO, (const char *from, const char *to), SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to,
     0)
CALL(renameat, EIO, (int here, const char *from, int there, const char *to), SYS_renameat2, here,
     from, there, to, 0)
CALL(fsync, EIO, (int fd), SYS_fsync, fd)
CALL(fdatasync, EIO, (int fd), SYS_fdatasync, fd)
CALL(fchmod, EIO, (int fd, mode_t mode), SYS_fchmod, fd, mode)
CALL(fchown, EIO, (int fd, uid_t uid, gid_t gid), SYS_fchown, fd, uid, gid)
CALL(lstat64, EIO, (const char *path, struct stat64 *info), SYS_newfstatat, AT_FDCWD, path, info,
     AT_SYMLINK_NOFOLLOW)
CALL(fstat64, EIO, (int fd, struct stat64 *info), SYS_fstat, fd, info)

pid_t fork(void)
{
    return CHOSEN(EAGAIN) ? -1 : __fork();
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
