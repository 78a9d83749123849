/*
 * The attempts that are made from inside a sandbox: `probe NAME [ARGUMENT]` makes one and prints
 * "refused: why" (exit 0) or "SUCCEEDED: what" (exit 1). Static, so that it runs in any sandbox.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const char *argument;

/* What an attempt returns: negative errno (refused), or 0 and more (it worked). */
static long said(long result)
{
    return result < 0 ? -errno : result;
}

/* Each path of a list, separated by colons: refused only when every one is. */
static long each_path(long (*attempt)(const char *path))
{
    char paths[4096];
    long worst = -ENOENT;
    snprintf(paths, sizeof(paths), "%s", argument);
    for (char *path = strtok(paths, ":"); path; path = strtok(NULL, ":")) {
        long result = attempt(path);
        if (result >= 0) {
            printf("%s ", path);
            return result;
        }
        worst = result;
    }
    return worst;
}

static long read_one(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    return fd < 0 ? -errno : said(read(fd, &byte, 1));
}

static long write_one(const char *path)
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 ? -errno : said(write(fd, "1", 1));
}

static long create_one(const char *path)
{
    char name[4200];
    snprintf(name, sizeof(name), "%s/belljar-attack", path);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    return said(fd);
}

static long list_one(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return -errno;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    return count > 0 ? count : -ENOENT;
}

static long try_read(void)
{
    return each_path(read_one);
}

static long try_write(void)
{
    return each_path(write_one);
}

static long try_create(void)
{
    return each_path(create_one);
}

static long try_list(void)
{
    return each_path(list_one);
}

static long try_bind(void)
{
    return said(mount("/usr", "/tmp", NULL, MS_BIND, NULL));
}

static long try_remount(void)
{
    return said(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static long try_tmpfs(void)
{
    return said(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static long try_proc(void)
{
    return said(mount("none", "/tmp", "proc", 0, NULL));
}

static long try_umount(void)
{
    return said(umount2("/usr", MNT_DETACH));
}

static long try_pivot_root(void)
{
    return said(syscall(SYS_pivot_root, "/", "/tmp"));
}

static long try_chroot(void)
{
    return said(chroot("/tmp"));
}

static long try_fsopen(void)
{
    return said(syscall(SYS_fsopen, "tmpfs", 0));
}

static long try_open_tree(void)
{
    return said(syscall(SYS_open_tree, AT_FDCWD, "/usr", 1 /* OPEN_TREE_CLONE */));
}

static long try_mount_setattr(void)
{
    uint64_t attributes[4] = {0, 1 /* clear MOUNT_ATTR_RDONLY */, 0, 0};
    return said(syscall(SYS_mount_setattr, AT_FDCWD, "/usr", 0, attributes, sizeof(attributes)));
}

static long try_unshare(void)
{
    return said(unshare((int)strtol(argument, NULL, 0)));
}

static long try_clone(void)
{
    long pid = syscall(SYS_clone, strtoul(argument, NULL, 0) | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    return said(pid);
}

static long try_clone3(void)
{
    uint64_t arguments[11] = {CLONE_NEWUSER | CLONE_NEWNS, 0, 0, 0, SIGCHLD};
    long pid = syscall(SYS_clone3, arguments, 64);
    if (pid == 0)
        _exit(0);
    return said(pid);
}

static long try_setns(void)
{
    int fd = open("/proc/1/ns/mnt", O_RDONLY);
    if (fd < 0)
        fd = open("/proc/self/ns/mnt", O_RDONLY);
    return said(setns(fd, 0));
}

static long try_open_by_handle(void)
{
    struct {
        struct file_handle handle;
        unsigned char bytes[128];
    } file = {.handle = {.handle_bytes = 8, .handle_type = 1}};
    int mount_id;
    name_to_handle_at(AT_FDCWD, "/usr", &file.handle, &mount_id, 0);
    int root = open("/", O_RDONLY | O_DIRECTORY);
    return said(open_by_handle_at(root, &file.handle, O_RDONLY));
}

static long try_mknod(void)
{
    if (mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0)) < 0 &&
        mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)) < 0)
        return -errno;
    return said(open("/tmp/disk", O_RDONLY));
}

static long try_setuid(void)
{
    return setuid(0) == 0 || setresuid(0, 0, 0) == 0 || setgid(0) == 0 ? 0 : -errno;
}

/* A setuid file of its own gives nothing: no_new_privs, and nobody but itself is mapped. */
static long try_privileges(void)
{
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    long found = -EPERM;
    int seen = 0;
    while (status && fgets(line, sizeof(line), status)) {
        unsigned long long bits;
        int flag;
        if (sscanf(line, "CapEff: %llx", &bits) == 1 || sscanf(line, "CapPrm: %llx", &bits) == 1 ||
            sscanf(line, "CapBnd: %llx", &bits) == 1 || sscanf(line, "CapAmb: %llx", &bits) == 1 ||
            sscanf(line, "CapInh: %llx", &bits) == 1) {
            seen++;
            found = bits ? 0 : found;
        }
        if (sscanf(line, "NoNewPrivs: %d", &flag) == 1 || sscanf(line, "Seccomp: %d", &flag) == 1) {
            seen++;
            found = flag == 0 ? 0 : found;
        }
    }
    return seen == 7 ? found : 0;
}

/* Only one user is mapped, and it is not root. */
static long try_uid_map(void)
{
    unsigned inside, outside, count;
    char more[2];
    FILE *map = fopen("/proc/self/uid_map", "r");
    if (!map || fscanf(map, "%u %u %u", &inside, &outside, &count) != 3)
        return 0;
    bool single = fscanf(map, "%1s", more) != 1;
    printf("%u is %u, %u of them; ", inside, outside, count);
    return single && count == 1 && inside == 1000 && getuid() == 1000 ? -EPERM : 0;
}

static long try_ptrace(void)
{
    return said(ptrace(PTRACE_ATTACH, 1, NULL, NULL));
}

static long try_read_memory(void)
{
    char byte;
    struct iovec local = {&byte, 1}, remote = {(void *)0x400000, 1};
    long result = said(process_vm_readv(1, &local, 1, &remote, 1, 0));
    return result == -EFAULT ? 0 : result; /* that would be permission */
}

static long try_pidfd_getfd(void)
{
    long pidfd = syscall(SYS_pidfd_open, 1, 0);
    return said(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

/* Every process that can be seen belongs here: pid 1 is the shim. */
static long try_see_host(void)
{
    char name[64] = "";
    FILE *comm = fopen("/proc/1/comm", "r");
    if (comm && fgets(name, sizeof(name), comm) && strncmp(name, "belljar-shim", 12) != 0)
        return 0;
    long seen = 0;
    for (int pid = 1; pid < 100000; pid++)
        seen += kill(pid, 0) == 0 || errno == EPERM;
    printf("%ld processes; ", seen);
    return seen > 20 ? 0 : -ESRCH;
}

static long try_signal_all(void)
{
    /* Ignores it itself; whoever else dies is in here. */
    signal(SIGTERM, SIG_IGN);
    kill(-1, SIGTERM);
    return kill(1, SIGKILL) == 0 && kill(1, SIGSTOP) == 0 && kill(1, 0) < 0 ? 0 : -EPERM;
}

static long try_signal_outside(void)
{
    return said(kill((pid_t)atoi(argument), SIGKILL));
}

static long try_keyctl(void)
{
    return said(syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -4, 1));
}

static long try_add_key(void)
{
    return said(syscall(SYS_add_key, "user", "bell", "jar", 3, -4));
}

static long try_request_key(void)
{
    return said(syscall(SYS_request_key, "user", "bell", NULL, -4));
}

static long try_bpf(void)
{
    union bpf_attr attributes = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return said(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static long try_perf(void)
{
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attributes)};
    attributes.exclude_kernel = 1;
    return said(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static long try_userfaultfd(void)
{
    return said(syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */));
}

static long try_io_uring(void)
{
    uint64_t parameters[15] = {0};
    return said(syscall(SYS_io_uring_setup, 1, parameters));
}

static long try_kexec(void)
{
    return said(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

static long try_module(void)
{
    return said(syscall(SYS_init_module, "", 0, "")) >= 0 ? 0
           : said(syscall(SYS_finit_module, 0, "", 0)) >= 0
               ? 0
               : said(syscall(SYS_delete_module, "loop", O_NONBLOCK));
}

static long try_swap(void)
{
    return said(swapon("/work/probe", 0));
}

static long try_reboot(void)
{
    return said(reboot(RB_DISABLE_CAD));
}

static long try_clock(void)
{
    struct timeval time = {.tv_sec = 1};
    return said(settimeofday(&time, NULL));
}

static long try_hostname(void)
{
    return said(sethostname("attack", 6));
}

static long try_syslog(void)
{
    char text[256];
    return said(syscall(SYS_syslog, 3, text, (int)sizeof(text)));
}

static long try_fanotify(void)
{
    return said(syscall(SYS_fanotify_init, 0, O_RDONLY));
}

static long try_personality(void)
{
    return said(syscall(SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */));
}

/* On every terminal that can be opened; with bits above the lower 32 set, too, which the kernel
 * ignores and a careless filter compares. */
static long put_keys(unsigned long request)
{
    static const char *const terminals[] = {"/dev/tty", "/dev/pts/0", "/dev/console", "/dev/tty0",
                                            "/dev/tty1"};
    char key = '\n';
    long worst = said(syscall(SYS_ioctl, 0, request, &key));
    for (size_t i = 0; worst < 0 && i < sizeof(terminals) / sizeof(terminals[0]); i++) {
        int fd = open(terminals[i], O_RDWR | O_NOCTTY | O_NONBLOCK);
        if (fd >= 0)
            worst = said(syscall(SYS_ioctl, fd, request, &key));
    }
    return worst;
}

static long try_tiocsti(void)
{
    return put_keys(TIOCSTI);
}

static long try_tiocsti_high(void)
{
    return put_keys(0x100000000UL | TIOCSTI);
}

static long try_tioclinux(void)
{
    return put_keys(TIOCLINUX);
}

/* Every descriptor beyond its terminal would be an inheritance from the host. */
static long try_descriptors(void)
{
    for (int fd = 0; fd < 4096; fd++) {
        char path[64], target[256] = "";
        struct stat info;
        if (fstat(fd, &info) < 0)
            continue;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, target, sizeof(target) - 1);
        bool own = fd < 3 && size > 0 && strncmp(target, "/dev/pts/", 9) == 0;
        if (!own) {
            printf("%d is %s; ", fd, target);
            return fd;
        }
    }
    return -EBADF;
}

static long try_interfaces(void)
{
    struct if_nameindex *list = if_nameindex();
    long found = -ENODEV;
    for (struct if_nameindex *at = list; at && at->if_index; at++)
        if (strcmp(at->if_name, "lo") != 0) {
            printf("%s ", at->if_name);
            found = 0;
        }
    char line[256];
    FILE *table = fopen("/proc/net/dev", "r");
    for (int i = 0; table && fgets(line, sizeof(line), table); i++)
        if (i >= 2 && !strstr(line, "lo:"))
            found = 0;
    return found;
}

static long connect_to(int family, int type, int protocol, const void *address, socklen_t size)
{
    int fd = socket(family, type | SOCK_NONBLOCK, protocol);
    if (fd < 0)
        return -errno;
    long result = said(connect(fd, address, size));
    if (result == -EINPROGRESS) {
        struct pollfd polled = {.fd = fd, .events = POLLOUT};
        int error = ETIMEDOUT;
        socklen_t length = sizeof(error);
        if (poll(&polled, 1, 3000) > 0)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
        result = -error;
    }
    /* Connecting a datagram socket proves nothing yet. */
    return result < 0 ? result : said(send(fd, "x", 1, MSG_NOSIGNAL));
}

static long try_inet(void)
{
    static const unsigned addresses[] = {0x08080808, 0x01010101, 0xa9fea9fe, 0x0a000001,
                                         0xac110001};
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        for (size_t j = 0; j < 2; j++) {
            struct sockaddr_in address = {.sin_family = AF_INET,
                                          .sin_port = htons(j ? 53 : 80),
                                          .sin_addr.s_addr = htonl(addresses[i])};
            if (connect_to(AF_INET, types[j], 0, &address, sizeof(address)) >= 0)
                return 0;
        }
    return -ENETUNREACH;
}

static long try_inet6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
    static const unsigned char google[16] = {0x20, 0x01, 0x48, 0x60, 0x48, 0x60, [15] = 0x88};
    memcpy(&address.sin6_addr, google, sizeof(google));
    long result = connect_to(AF_INET6, SOCK_STREAM, 0, &address, sizeof(address));
    return result >= 0 ? 0 : connect_to(AF_INET6, SOCK_DGRAM, 0, &address, sizeof(address));
}

static long try_socket(void)
{
    int family, type, protocol;
    if (sscanf(argument, "%d,%d,%d", &family, &type, &protocol) != 3)
        return 0;
    return said(socket(family, type, protocol));
}

static long try_vsock(void)
{
    struct sockaddr_vm address = {
        .svm_family = AF_VSOCK, .svm_port = 1024, .svm_cid = VMADDR_CID_HOST};
    return connect_to(AF_VSOCK, SOCK_STREAM, 0, &address, sizeof(address));
}

static long try_unix(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(argument);
    memcpy(address.sun_path, argument, size);
    if (argument[0] == '@')
        address.sun_path[0] = '\0';
    return connect_to(AF_UNIX, SOCK_STREAM, 0, &address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
}

/* The link is the shim's: whoever else dials is closed unread. A HELLO gets no WELCOME. */
static long try_second_link(void)
{
    static const unsigned char hello[] = {0x97, 1,   0,   1,   0xc4, 16,  'e', 'e', 'e',
                                          'e',  'e', 'e', 'e', 'e',  'e', 'e', 'e', 'e',
                                          'e',  'e', 'e', 'e', 0,    0,   0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/belljar/link/link.sock");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    send(fd, hello, sizeof(hello), MSG_NOSIGNAL);
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    char byte;
    if (poll(&polled, 1, 20000) <= 0)
        return 0; /* kept open */
    long size = recv(fd, &byte, 1, 0);
    return size > 0 ? 0 : size < 0 ? -errno : -ECONNRESET;
}

/* The sockets of asks take questions only: an answer to it answers nothing. */
static long try_answer_own_ask(void)
{
    static const unsigned char verdict[] = {0x94, 33, 16, 1, 0xa0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/belljar/run/ask.sock");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    send(fd, verdict, sizeof(verdict), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    char bytes[256];
    long size = recv(fd, bytes, sizeof(bytes), 0);
    return size >= 0 ? -EPROTO : -errno; /* what counts is the exit code of the other ask */
}

static long try_environment(void)
{
    DIR *proc = opendir("/proc");
    long found = -ENOENT;
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        static char text[262144];
        char path[300];
        snprintf(path, sizeof(path), "/proc/%s/environ", entry->d_name);
        int fd = open(path, O_RDONLY);
        ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        for (ssize_t i = 0; i < size; i++)
            if (memcmp(text + i, argument, strlen(argument)) == 0) {
                printf("in %s; ", path);
                found = 0;
            }
        if (fd >= 0)
            close(fd);
    }
    return found;
}

/* Touches memory until somebody stops it. */
static long try_memory(void)
{
    size_t limit = strtoul(argument, NULL, 0);
    for (size_t taken = 0; taken < limit; taken += 1 << 20) {
        char *part =
            mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (part == MAP_FAILED)
            return -errno;
        memset(part, 'x', 1 << 20);
    }
    return 0;
}

/* The same, and then keeps it: refused when somebody stops or ends it on the way. */
static long try_memory_kept(void)
{
    long result = try_memory();
    for (int i = 0; result >= 0 && i < 30; i++)
        sleep(1);
    return result;
}

static const struct {
    const char *name;
    long (*attempt)(void);
} attempts[] = {
    {"read", try_read},
    {"write", try_write},
    {"create", try_create},
    {"list", try_list},
    {"bind", try_bind},
    {"remount", try_remount},
    {"tmpfs", try_tmpfs},
    {"proc", try_proc},
    {"umount", try_umount},
    {"pivot_root", try_pivot_root},
    {"chroot", try_chroot},
    {"fsopen", try_fsopen},
    {"open_tree", try_open_tree},
    {"mount_setattr", try_mount_setattr},
    {"unshare", try_unshare},
    {"clone", try_clone},
    {"clone3", try_clone3},
    {"setns", try_setns},
    {"open_by_handle", try_open_by_handle},
    {"mknod", try_mknod},
    {"setuid", try_setuid},
    {"privileges", try_privileges},
    {"uid_map", try_uid_map},
    {"ptrace", try_ptrace},
    {"read_memory", try_read_memory},
    {"pidfd_getfd", try_pidfd_getfd},
    {"see_host", try_see_host},
    {"signal_all", try_signal_all},
    {"signal_outside", try_signal_outside},
    {"keyctl", try_keyctl},
    {"add_key", try_add_key},
    {"request_key", try_request_key},
    {"bpf", try_bpf},
    {"perf", try_perf},
    {"userfaultfd", try_userfaultfd},
    {"io_uring", try_io_uring},
    {"kexec", try_kexec},
    {"module", try_module},
    {"swap", try_swap},
    {"reboot", try_reboot},
    {"clock", try_clock},
    {"hostname", try_hostname},
    {"syslog", try_syslog},
    {"fanotify", try_fanotify},
    {"personality", try_personality},
    {"tiocsti", try_tiocsti},
    {"tiocsti_high", try_tiocsti_high},
    {"tioclinux", try_tioclinux},
    {"descriptors", try_descriptors},
    {"interfaces", try_interfaces},
    {"inet", try_inet},
    {"inet6", try_inet6},
    {"socket", try_socket},
    {"vsock", try_vsock},
    {"unix", try_unix},
    {"second_link", try_second_link},
    {"answer_own_ask", try_answer_own_ask},
    {"environment", try_environment},
    {"memory", try_memory},
    {"memory_kept", try_memory_kept},
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    argument = argc > 2 ? argv[2] : "";
    for (size_t i = 0; argc > 1 && i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        if (strcmp(attempts[i].name, argv[1]) != 0)
            continue;
        long result = attempts[i].attempt();
        if (result < 0)
            printf("refused: %s\n", strerror((int)-result));
        else
            printf("SUCCEEDED: %s %s\n", argv[1], argument);
        return result < 0 ? 0 : 1;
    }
    printf("SUCCEEDED: no such attempt\n");
    return 2;
}
