#include "mux/driver/bwrap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "mux/driver/filter.h"
#include "mux/driver/launch.h"
#include "transport/file.h"

#define ARGV_MAX 1100

extern char **environ;

/* Where the sandbox's parts are bound to for a user who cannot walk to root's directories: some
 * directory that every Debian and Ubuntu has and that everyone may walk to. */
static const char *const bases[] = {"/mnt", "/media", "/srv", NULL};

/* What keeps unprivileged user namespaces from working, and how to allow them. */
static const struct {
    const char *path;
    char forbids; /* first character of the file's content */
    const char *remedy;
} sysctls[] = {
    {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1',
     "AppArmor forbids them (as on Ubuntu 24.04): scripts/allow-bwrap of the source adds a "
     "profile; "
     "or run 'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0'"},
    {"/proc/sys/user/max_user_namespaces", '0', "run 'sudo sysctl user.max_user_namespaces=15000'"},
    {"/proc/sys/kernel/unprivileged_userns_clone", '0',
     "run 'sudo sysctl kernel.unprivileged_userns_clone=1'"},
};

/* How bwrap says that it may make no namespace. */
static const char *const forbidden[] = {
    "No permissions to create", "Creating new namespace failed", "setting up uid map",
    "loopback: Failed",         "creating new namespace",        "unshare user ns",
    "Can't mount proc on",      "Failed to make / slave",
};

int bwrap_find(char *out, size_t size, struct bj_error *error)
{
    const char *path = getenv("PATH");
    if (!path || !*path)
        path = "/usr/local/bin:/usr/bin:/bin";
    while (*path) {
        size_t length = strcspn(path, ":");
        int written = snprintf(out, size, "%.*s/bwrap", (int)length, path);
        if (*path == '/' && written > 0 && (size_t)written < size && access(out, X_OK) == 0)
            return 0;
        path += length + (path[length] == ':');
    }
    return bj_fail(error, -ENOENT,
                   "bwrap is not installed: install the package bubblewrap (for example 'sudo apt "
                   "install bubblewrap')");
}

static int memory_file(const char *name, const char *text, size_t size, struct bj_error *error)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot make a file in memory: %s", strerror(errno));
    int status = bj_file_write(fd, text, size);
    if (status < 0) {
        close(fd);
        return bj_fail(error, -EIO, "cannot write a file in memory: %s", strerror(-status));
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* Runs a program and returns its wait status, with its first output bytes. Short ones only. */
static int run(const char *program, char *const argv[], char *out, size_t size)
{
    int pipes[2];
    pid_t pid;
    int wait_status = -1;
    out[0] = '\0';
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 2);
    int failed = posix_spawn(&pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipes[1]);
    size_t filled = 0;
    for (ssize_t got = 1; !failed && got > 0 && filled < size - 1;) {
        do
            got = read(pipes[0], out + filled, size - 1 - filled);
        while (got < 0 && errno == EINTR);
        filled += got > 0 ? (size_t)got : 0;
    }
    out[filled] = '\0';
    close(pipes[0]);
    while (!failed && waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
        ;
    return wait_status;
}

/* bwrap's version decides which options it has; it is asked until it was told once. */
static const struct bwrap_version *version_of(const char *program, struct bj_error *error)
{
    static struct bwrap_version version;
    static bool known;
    if (!known) {
        char text[128];
        char *argv[] = {"bwrap", "--version", NULL};
        unsigned major = 0, minor = 0;
        run(program, argv, text, sizeof(text));
        known = sscanf(text, "bubblewrap %u.%u", &major, &minor) == 2;
        if (!known) {
            bj_fail(error, -EIO, "'%.100s --version' does not tell its version: %.60s", program,
                    text);
            return NULL;
        }
        version.disable_userns = major > 0 || minor >= 8;
        version.size = major > 0 || minor >= 7;
    }
    return &version;
}

const char *bwrap_remedy(void)
{
    for (size_t i = 0; i < sizeof(sysctls) / sizeof(*sysctls); i++) {
        char first = '\0';
        int fd = open(sysctls[i].path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        ssize_t got = read(fd, &first, 1);
        close(fd);
        if (got == 1 && first == sysctls[i].forbids)
            return sysctls[i].remedy;
    }
    return NULL;
}

static int explain(const char *trouble, int wait_status, struct bj_error *error)
{
    if (trouble[0] == LAUNCH_REPORT)
        return launch_explain(trouble, error);
    char line[256];
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(trouble, "\n"), trouble);
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
        if (strstr(trouble, forbidden[i])) {
            const char *remedy = bwrap_remedy();
            return bj_fail(error, -EPERM,
                           "this system forbids the user namespaces that the wall is made of; %s "
                           "(%s)",
                           remedy ? remedy
                                  : "inside a container, start it with user namespaces and an "
                                    "unmasked /proc allowed",
                           line);
        }
    if (line[0])
        return bj_fail(error, -EIO, "the wall could not be built; %s", line);
    if (WIFSIGNALED(wait_status))
        return bj_fail(error, -EIO, "the wall could not be built: bwrap was ended by signal %d",
                       WTERMSIG(wait_status));
    return bj_fail(error, -EIO, "the wall could not be built: bwrap ended with code %d",
                   WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1);
}

static int check(struct bj_error *error)
{
    char program[PATH_MAX];
    char text[WALL_TROUBLE_MAX];
    int status = bwrap_find(program, sizeof(program), error);
    if (status < 0)
        return status;
    char *argv[] = {"bwrap",  "--unshare-user", "--unshare-all", "--ro-bind", "/",  "/",
                    "--proc", "/proc",          "--dev",         "/dev",      "--", "/bin/true",
                    NULL};
    int wait_status = run(program, argv, text, sizeof(text));
    return wait_status == 0 ? 0 : explain(text, wait_status, error);
}

struct files {
    int all[8 + WALL_FILES_MAX];
    size_t count;
};

static int add_bytes(struct files *files, int *out, const char *name, const char *text, size_t size,
                     struct bj_error *error)
{
    *out = memory_file(name, text, size, error);
    if (*out >= 0)
        files->all[files->count++] = *out;
    return *out;
}

static int add_file(struct files *files, int *out, const char *name, const char *text,
                    struct bj_error *error)
{
    return add_bytes(files, out, name, text, strlen(text), error);
}

static int make_profile_files(struct files *files, struct bwrap_descriptors *fds,
                              const struct wall_plan *plan, struct bj_error *error)
{
    if (plan->made_count > WALL_FILES_MAX || plan->mounts_count > WALL_MOUNTS_MAX ||
        plan->kept_count > WALL_KEPT_MAX)
        return bj_fail(error, -E2BIG, "the profile has too many files or mounts");
    for (size_t i = 0; i < plan->made_count; i++)
        if (add_bytes(files, &fds->made[i], "profile", plan->made[i].text, plan->made[i].size,
                      error) < 0)
            return error->code;
    return 0;
}

/* The few files of /etc that say who and where one is. */
static int make_files(struct files *files, struct bwrap_descriptors *fds, const char *name,
                      struct bj_error *error)
{
    char hosts[256];
    char hostname[80];
    snprintf(hosts, sizeof(hosts), "127.0.0.1 localhost %s\n::1 localhost ip6-localhost\n", name);
    snprintf(hostname, sizeof(hostname), "%s\n", name);
    if (add_file(files, &fds->passwd, "passwd",
                 "root:x:0:0:root:/root:/usr/sbin/nologin\n"
                 "agent:x:1000:1000:agent:/home/agent:/bin/bash\n"
                 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
                 error) < 0 ||
        add_file(files, &fds->group, "group",
                 "root:x:0:\ntty:x:5:\nagent:x:1000:\nnogroup:x:65534:\n", error) < 0 ||
        add_file(files, &fds->hosts, "hosts", hosts, error) < 0 ||
        add_file(files, &fds->nsswitch, "nsswitch",
                 "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"
                 "protocols: files\n",
                 error) < 0 ||
        add_file(files, &fds->hostname, "hostname", hostname, error) < 0 ||
        add_file(files, &fds->resolv, "resolv", "", error) < 0)
        return error->code;
    return 0;
}

static int make_pipes(struct wall *wall, int ends[4], struct bj_error *error)
{
    int pipes[2];
    /* The child's end is inherited; ours is not blocking, since it is watched. */
    static const struct {
        bool child_reads, packets;
    } kinds[] = {{true, false}, {false, false}, {true, true}, {false, false}};
    int *const ours[] = {&wall->go, &wall->info, &wall->gate, &wall->trouble};
    for (size_t i = 0; i < 4; i++) {
        if (pipe2(pipes, O_CLOEXEC | (kinds[i].packets ? O_DIRECT : 0)) < 0)
            return bj_fail(error, -errno, "cannot make a pipe: %s", strerror(errno));
        ends[i] = pipes[kinds[i].child_reads ? 0 : 1];
        *ours[i] = pipes[kinds[i].child_reads ? 1 : 0];
        fcntl(*ours[i], F_SETFL, fcntl(*ours[i], F_GETFL) | O_NONBLOCK);
    }
    /* One page of packets holds one packet, so the gate is writable again exactly when bwrap has
     * read it: that is when it has built everything and goes on to execute the shim. */
    if (fcntl(wall->gate, F_SETPIPE_SZ, (int)sysconf(_SC_PAGESIZE)) < 0)
        return bj_fail(error, -errno, "cannot size a pipe: %s", strerror(errno));
    return 0;
}

static const char *find_base(void)
{
    struct stat info;
    for (const char *const *base = bases; *base; base++)
        if (lstat(*base, &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & 0001))
            return *base;
    return NULL;
}

#define PARTS      4
#define MOUNTS_ALL (WALL_MOUNTS_MAX + WALL_KEPT_MAX)
_Static_assert(PARTS + MOUNTS_ALL <= LAUNCH_MOUNTS_MAX, "all mounts have a place");

/* Lets the dropped user reach the parts: fills the mounts and says where they are then. */
static int place_parts(struct launch *launch, struct wall_plan *moved,
                       struct wall_mount mounts[MOUNTS_ALL], char paths[][64],
                       struct bj_error *error)
{
    launch->base = find_base();
    if (!launch->base)
        return bj_fail(error, -ENOENT, "none of /mnt, /media and /srv exists: make one of them");
    const char **const parts[] = {&moved->shim, &moved->link, &moved->project, &moved->home};
    static const char *const names[] = {"shim", "link", "project", "home"};
    for (size_t i = 0; i < PARTS; i++) {
        snprintf(paths[i], 64, "%s/%s", launch->base, names[i]);
        launch->mounts[i] = (struct launch_mount){*parts[i], paths[i], i > 0};
        *parts[i] = paths[i];
    }
    for (size_t i = 0; i < moved->mounts_count + moved->kept_count; i++) {
        const struct wall_mount *mount =
            i < moved->mounts_count ? &moved->mounts[i] : &moved->kept[i - moved->mounts_count];
        char *path = paths[PARTS + i];
        snprintf(path, 64, "%s/mount%zu", launch->base, i);
        launch->mounts[PARTS + i] = (struct launch_mount){mount->source, path, mount->directory};
        mounts[i] = (struct wall_mount){path, mount->target, mount->directory};
    }
    moved->mounts = mounts;
    moved->kept = mounts + moved->mounts_count;
    return 0;
}

/* bwrap --args FD -- SHIM init ... -- AGENT...: what bwrap is told stays out of `ps`. */
static int make_argv(const struct wall_plan *plan, int options, char *numbers, const char **argv,
                     struct bj_error *error)
{
    size_t count = 0;
    snprintf(numbers, 16, "%d", options);
    snprintf(numbers + 16, 16, "%u", plan->nproc);
    const char *const head[] = {"bwrap",
                                "--args",
                                numbers,
                                "--",
                                "/belljar/bin/belljar-shim",
                                "init",
                                "--link",
                                "/belljar/link/link.sock",
                                "--ask",
                                "/belljar/run/ask.sock"};
    for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++)
        argv[count++] = head[i];
    if (plan->proxy_port) {
        snprintf(numbers + 32, 16, "%u", plan->proxy_port);
        argv[count++] = "--proxy-port";
        argv[count++] = numbers + 32;
    }
    if (plan->nproc) {
        argv[count++] = "--nproc";
        argv[count++] = numbers + 16;
    }
    argv[count++] = "--";
    for (size_t i = 0; plan->argv[i]; i++) {
        if (count >= ARGV_MAX - 1)
            return bj_fail(error, -E2BIG, "the command has too many arguments");
        argv[count++] = plan->argv[i];
    }
    argv[count] = NULL;
    return 0;
}

static int start(const struct wall_plan *plan, struct wall *wall, struct bj_error *error)
{
    char program[PATH_MAX];
    char paths[PARTS + MOUNTS_ALL][64];
    struct wall_mount mounts[MOUNTS_ALL];
    char numbers[48];
    const char *argv[ARGV_MAX];
    char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
    int ends[4] = {-1, -1, -1, -1};
    int options_fd = -1, null = -1;
    struct files files = {0};
    struct bwrap_options options = {0};
    struct bwrap_descriptors fds = {.seccomp = -1};
    struct wall_plan moved = *plan;
    struct launch launch = {.program = program,
                            .argv = (char *const *)argv,
                            .envp = envp,
                            .cgroup = plan->cgroup,
                            .files = plan->files,
                            .drop = plan->drop,
                            .uid = plan->uid,
                            .gid = plan->gid};
    *wall = (struct wall){0, -1, -1, -1, -1};

    int status = bwrap_find(program, sizeof(program), error);
    if (status == 0)
        status = make_pipes(wall, ends, error);
    if (status == 0)
        status = make_files(&files, &fds, plan->name, error);
    if (status == 0)
        status = make_profile_files(&files, &fds, plan, error);
    if (status == 0)
        status = fds.seccomp = filter_export(error);
    if (status >= 0 && plan->drop)
        status = place_parts(&launch, &moved, mounts, paths, error);
    if (status < 0)
        goto done;
    fds.info = ends[1];
    fds.gate = ends[2];
    const struct bwrap_version *version = version_of(program, error);
    status = version ? bwrap_options_make(&options, &moved, version, &fds, error) : -EIO;
    if (status < 0)
        goto done;
    status = options_fd = memory_file("options", options.text, options.size, error);
    if (status >= 0)
        status = make_argv(&moved, options_fd, numbers, argv, error);
    if (status < 0)
        goto done;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        status = bj_fail(error, -errno, "cannot open /dev/null: %s", strerror(errno));
        goto done;
    }
    launch.go = ends[0];
    launch.go_other = wall->go;
    launch.trouble = ends[3];
    launch.null = null;
    const int keep[] = {fds.info, fds.gate, fds.seccomp, options_fd};
    int *end = launch.keep;
    end = mempcpy(end, keep, sizeof(keep));
    end = mempcpy(end, files.all, files.count * sizeof(*files.all));
    end = mempcpy(end, options.copies, options.copies_count * sizeof(*options.copies));
    *end = -1;
    status = wall->outer = launch_fork(&launch, error);

done:
    for (size_t i = 0; i < 4; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    for (size_t i = 0; i < files.count; i++)
        close(files.all[i]);
    if (fds.seccomp >= 0)
        close(fds.seccomp);
    if (options_fd >= 0)
        close(options_fd);
    if (null >= 0)
        close(null);
    bwrap_options_free(&options);
    if (status < 0)
        wall_close(wall);
    return status < 0 ? status : 0;
}

static pid_t read_init(const char *info, size_t size)
{
    json_t *root = json_loadb(info, size, JSON_DISABLE_EOF_CHECK, NULL);
    json_int_t pid = json_integer_value(json_object_get(root, "child-pid"));
    json_decref(root);
    return pid > 1 && pid <= INT_MAX ? (pid_t)pid : 0;
}

const struct driver driver_bwrap = {
    .name = "bwrap",
    .summary = "bubblewrap: namespaces and a seccomp filter, no privileges needed",
    .check = check,
    .start = start,
    .read_init = read_init,
    .explain = explain,
};
