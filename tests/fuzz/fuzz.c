#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int fuzz_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0);
    for (size_t at = 0; at < size;) {
        ssize_t wrote = write(fd, data + at, size - at);
        require(wrote > 0);
        at += (size_t)wrote;
    }
    require(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

char *fuzz_copy(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    require(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}
