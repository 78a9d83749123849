#include "mux/audit/head.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/audit/store.h"
#include "mux/json/json.h"
#include "transport/file.h"

#define BESIDE STORE_HEAD ".new"

const char head_zero_hash[AUDIT_HASH_SIZE] =
    "0000000000000000000000000000000000000000000000000000000000000000";

void head_boot(char out[HEAD_BOOT_MAX])
{
    out[0] = '\0';
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, out, HEAD_BOOT_MAX - 1);
    if (fd >= 0)
        close(fd);
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

int head_read(int directory, struct head *head, struct bj_error *error)
{
    *head = (struct head){0};
    int fd = openat(directory, STORE_HEAD, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT
                   ? 0
                   : bj_fail(error, -errno, "cannot read %s: %s", STORE_HEAD, strerror(errno));
    int status;
    json_t *root = json_read_fd(fd, JSON_REJECT_DUPLICATES, NULL, &status);
    close(fd);
    if (status < 0 && status != -EINVAL) /* which is not damage */
        return bj_fail(error, status, "cannot read %s: %s", STORE_HEAD, strerror(-status));
    json_int_t seq, size, file, durable;
    const char *hash, *boot;
    status = -EINVAL;
    if (root &&
        json_unpack_ex(root, NULL, JSON_STRICT, "{s:I, s:I, s:I, s:I, s:s, s:s}", "seq", &seq,
                       "size", &size, "file", &file, "durable", &durable, "hash", &hash, "boot",
                       &boot) == 0 &&
        seq >= 0 && size >= 0 && file >= 0 && durable >= 0 && strlen(hash) < sizeof(head->hash)) {
        *head = (struct head){.seq = (uint64_t)seq,
                              .size = (uint64_t)size,
                              .file = (uint64_t)file,
                              .durable = (uint64_t)durable};
        snprintf(head->hash, sizeof(head->hash), "%s", hash);
        snprintf(head->boot, sizeof(head->boot), "%s", boot);
        status = 1;
    }
    json_decref(root);
    if (json_starved()) /* neither is this */
        return bj_fail(error, -ENOMEM, "out of memory while %s was read", STORE_HEAD);
    return status < 0 ? bj_fail(error, status, "%s is damaged", STORE_HEAD) : status;
}

int head_write(int directory, const struct head *head, bool sync, struct bj_error *error)
{
    char text[512];
    int size =
        snprintf(text, sizeof(text),
                 "{\"boot\":\"%s\",\"durable\":%llu,\"file\":%llu,\"hash\":\"%s\",\"seq\":%llu,"
                 "\"size\":%llu}\n",
                 head->boot, (unsigned long long)head->durable, (unsigned long long)head->file,
                 head->hash, (unsigned long long)head->seq, (unsigned long long)head->size);
    int fd = openat(directory, BESIDE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int status = fd < 0 ? -errno : bj_file_write(fd, text, (size_t)size);
    if (status == 0 && sync && fdatasync(fd) < 0)
        status = -errno;
    if (fd >= 0 && close(fd) < 0 && status == 0)
        status = -errno;
    if (status == 0 && renameat(directory, BESIDE, directory, STORE_HEAD) < 0)
        status = -errno;
    if (status == 0)
        return 0;
    unlinkat(directory, BESIDE, 0);
    return bj_fail(error, status, "cannot write %s: %s", STORE_HEAD, strerror(-status));
}
