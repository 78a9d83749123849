#include "mux/driver/bwrap.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_MAX 16384 /* bytes of a file of /etc; a larger one is bound */

#define INSIDE_PATH                                                                                \
    "/belljar/bin:/opt/agent/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The agent's whole environment, beside what the caller asks for. */
static const char *const environment[][2] = {
    {"PATH", INSIDE_PATH},      {"HOME", "/home/agent"},
    {"USER", "agent"},          {"LOGNAME", "agent"},
    {"SHELL", "/bin/bash"},     {"TERM", "xterm-256color"},
    {"COLORTERM", "truecolor"}, {"BELLJAR", "1"},
    {"TMPDIR", "/tmp"},         {"XDG_RUNTIME_DIR", "/run/user"},
};

/* Taken from the host when their value is harmless: language and time zone. */
static const char *const inherited[] = {
    "LANG",        "LANGUAGE",    "LC_ALL",     "LC_CTYPE", "LC_COLLATE",
    "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME",  "TZ",
};

/* From /etc, read-only, where they exist: nothing that holds a secret or names a person. */
static const char *const etc[] = {
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "ssl/certs",
    "ssl/openssl.cnf",
    "localtime",
    "timezone",
    "os-release",
    "debian_version",
    "lsb-release",
    "terminfo",
    "inputrc",
    "bash.bashrc",
    "profile",
    "vim",
    "nanorc",
    "python3",
    "perl",
    "mime.types",
    "magic",
    "magic.mime",
    "protocols",
    "services",
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "locale.alias",
    "manpath.config",
    "groff",
    "pki/tls/certs",
    "pki/ca-trust/extracted",
    "crypto-policies",
};

/* Sizes of the memory file systems inside: they count as the sandbox's memory, but a limit may
 * not be enforced here, so each is bounded. */
static const struct {
    const char *path, *size, *mode;
} scratch[] = {
    {"/tmp", "1073741824", "1777"},    {"/var/tmp", "1073741824", "1777"},
    {"/run", "67108864", "0755"},      {"/belljar/run", "1048576", "0700"},
    {"/run/user", "67108864", "0700"}, {"/dev/shm", "67108864", "1777"},
};

static void add(struct bwrap_options *options, const char *word)
{
    size_t size = strlen(word) + 1;
    if (options->failed)
        return;
    if (options->capacity - options->size < size) {
        size_t capacity = (options->capacity + size) * 2;
        char *grown = realloc(options->text, capacity);
        if (!grown) {
            options->failed = true;
            return;
        }
        options->text = grown;
        options->capacity = capacity;
    }
    memcpy(options->text + options->size, word, size);
    options->size += size;
    options->count++;
}

static void add_all(struct bwrap_options *options, ...)
{
    va_list words;
    va_start(words, options);
    for (const char *word = va_arg(words, const char *); word; word = va_arg(words, const char *))
        add(options, word);
    va_end(words);
}

static void add_descriptor(struct bwrap_options *options, const char *option, int fd)
{
    char number[16];
    snprintf(number, sizeof(number), "%d", fd);
    add_all(options, option, number, NULL);
}

static void add_copy(struct bwrap_options *options, int fd, const char *target)
{
    add_all(options, "--perms", "0444", NULL);
    add_descriptor(options, "--file", fd);
    add(options, target);
}

void bwrap_options_free(struct bwrap_options *options)
{
    for (size_t i = 0; i < options->copies_count; i++)
        close(options->copies[i]);
    free(options->text);
    *options = (struct bwrap_options){0};
}

static void add_isolation(struct bwrap_options *options, const struct wall_plan *plan,
                          const struct bwrap_version *version)
{
    add_all(options, "--unshare-user", "--unshare-all", "--as-pid-1", "--new-session", "--cap-drop",
            "ALL", "--uid", "1000", "--gid", "1000", "--hostname", plan->name, NULL);
    if (plan->mortal)
        add(options, "--die-with-parent");
    /* No further user namespace: with one, the agent could mount and get capabilities again. */
    if (version->disable_userns)
        add(options, "--disable-userns");
}

/* /bin, /sbin and /lib* are links into /usr on a merged system; else they are directories. */
static void add_system(struct bwrap_options *options)
{
    static const char *const roots[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
    add_all(options, "--ro-bind", "/usr", "/usr", NULL);
    for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
        char target[PATH_MAX];
        ssize_t length = readlink(roots[i], target, sizeof(target) - 1);
        if (length > 0) {
            target[length] = '\0';
            add_all(options, "--symlink", target, roots[i], NULL);
        } else if (access(roots[i], F_OK) == 0) {
            add_all(options, "--ro-bind", roots[i], roots[i], NULL);
        }
    }
}

/* A small file that everyone may read is copied: each mount costs bwrap a walk through all of them,
 * a quarter of a millisecond. */
static bool copy_etc_file(struct bwrap_options *options, const char *path)
{
    struct stat info;
    if (options->copies_count == BWRAP_COPIES_MAX)
        return false;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || !(info.st_mode & S_IROTH) ||
        info.st_size > COPY_MAX) {
        close(fd);
        return false;
    }
    options->copies[options->copies_count++] = fd;
    add_copy(options, fd, path);
    return true;
}

/* A link stays a link when it points into /usr, so that nothing else of the host comes in through
 * it; any other link is left out. */
static void add_etc_entry(struct bwrap_options *options, const char *name)
{
    char path[PATH_MAX];
    char target[PATH_MAX];
    struct stat info;
    snprintf(path, sizeof(path), "/etc/%s", name);
    if (lstat(path, &info) < 0)
        return;
    if (!S_ISLNK(info.st_mode)) {
        if (!copy_etc_file(options, path))
            add_all(options, "--ro-bind", path, path, NULL);
        return;
    }
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length <= 0)
        return;
    target[length] = '\0';
    if (!strstr(target + 1, "/..") &&
        (strncmp(target, "/usr/", 5) == 0 || strncmp(target, "../usr/", 7) == 0))
        add_all(options, "--symlink", target, path, NULL);
}

static void add_etc(struct bwrap_options *options, const struct bwrap_descriptors *descriptors)
{
    const struct {
        int fd;
        const char *path;
    } made[] = {
        {descriptors->passwd, "/etc/passwd"},     {descriptors->group, "/etc/group"},
        {descriptors->hosts, "/etc/hosts"},       {descriptors->nsswitch, "/etc/nsswitch.conf"},
        {descriptors->hostname, "/etc/hostname"}, {descriptors->resolv, "/etc/resolv.conf"},
    };
    static const char *const directories[] = {"/etc", "/etc/ssl", "/etc/pki", "/var", "/home"};
    for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
        add_all(options, "--perms", "0755", "--dir", directories[i], NULL);
    for (size_t i = 0; i < sizeof(etc) / sizeof(*etc); i++)
        add_etc_entry(options, etc[i]);
    for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
        add_copy(options, made[i].fd, made[i].path);
}

static bool is_at_home(const char *target)
{
    return strncmp(target, WALL_HOME "/", strlen(WALL_HOME "/")) == 0;
}

/* The agent's program, and what tells it to ask: files in the root's file system, which is made
 * read-only below, so that nothing inside can change or remove them. */
static void add_profile(struct bwrap_options *options, const struct wall_plan *plan,
                        const struct bwrap_descriptors *descriptors)
{
    for (size_t i = 0; i < plan->mounts_count; i++)
        add_all(options, "--ro-bind", plan->mounts[i].source, plan->mounts[i].target, NULL);
    for (size_t i = 0; i < plan->made_count; i++)
        if (!is_at_home(plan->made[i].target))
            add_copy(options, descriptors->made[i], plan->made[i].target);
}

/* What tells it to ask where its program looks nowhere but at home. What is mounted is neither
 * written to, removed nor renamed, but goes along when a directory above it is: so that one is a
 * mount as well. */
static void add_home(struct bwrap_options *options, const struct wall_plan *plan,
                     const struct bwrap_descriptors *descriptors)
{
    add_all(options, "--bind", plan->home, WALL_HOME, NULL);
    for (size_t i = 0; i < plan->kept_count; i++)
        add_all(options, "--bind", plan->kept[i].source, plan->kept[i].target, NULL);
    for (size_t i = 0; i < plan->made_count; i++) {
        if (!is_at_home(plan->made[i].target))
            continue;
        add_all(options, "--perms", "0444", NULL);
        add_descriptor(options, "--ro-bind-data", descriptors->made[i]);
        add(options, plan->made[i].target);
    }
}

static void add_places(struct bwrap_options *options, const struct wall_plan *plan,
                       const struct bwrap_version *version,
                       const struct bwrap_descriptors *descriptors)
{
    add_all(options, "--proc", "/proc", "--dev", "/dev", "--dir", "/belljar/bin", "--dir",
            WALL_HOME, NULL);
    for (size_t i = 0; i < sizeof(scratch) / sizeof(*scratch); i++) {
        add_all(options, "--perms", scratch[i].mode, NULL);
        if (version->size)
            add_all(options, "--size", scratch[i].size, NULL);
        add_all(options, "--tmpfs", scratch[i].path, NULL);
    }
    add_all(options, "--remount-ro", "/dev", NULL); /* another of them, without a size */
    add_all(options, "--ro-bind", plan->shim, "/belljar/bin/belljar-shim", NULL);
    add_all(options, "--ro-bind", plan->link, "/belljar/link", NULL);
    add_all(options, "--bind", plan->project, "/work", NULL);
    add_home(options, plan, descriptors);
    add_all(options, "--chdir", "/work", "--remount-ro", "/", NULL);
}

static bool harmless(const char *value)
{
    size_t length = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_.@-+:/,<>");
    return length && length <= 64 && value[length] == '\0' && !strstr(value, "..");
}

static int add_environment(struct bwrap_options *options, const struct wall_plan *plan,
                           struct bj_error *error)
{
    bool locale = false;
    add(options, "--clearenv");
    for (size_t i = 0; i < sizeof(environment) / sizeof(*environment); i++)
        add_all(options, "--setenv", environment[i][0], environment[i][1], NULL);
    add_all(options, "--setenv", "BELLJAR_SANDBOX", plan->name, NULL);
    for (size_t i = 0; i < sizeof(inherited) / sizeof(*inherited); i++) {
        const char *value = getenv(inherited[i]);
        if (!value || !harmless(value))
            continue;
        add_all(options, "--setenv", inherited[i], value, NULL);
        locale = locale || strcmp(inherited[i], "LANG") == 0 ||
                 strcmp(inherited[i], "LC_ALL") == 0 || strcmp(inherited[i], "LC_CTYPE") == 0;
    }
    if (!locale) /* a terminal without UTF-8 helps nobody, and C.UTF-8 is everywhere */
        add_all(options, "--setenv", "LANG", "C.UTF-8", NULL);
    for (size_t i = 0; plan->env && plan->env[i]; i++) {
        char name[128];
        const char *equals = strchr(plan->env[i], '=');
        size_t length = equals ? (size_t)(equals - plan->env[i]) : 0;
        bool fits = length && length < sizeof(name) && !isdigit((unsigned char)plan->env[i][0]);
        for (size_t at = 0; fits && at < length; at++)
            fits = isalnum((unsigned char)plan->env[i][at]) || plan->env[i][at] == '_';
        if (!fits)
            return bj_fail(error, -EINVAL,
                           "env takes NAME=VALUE with a name of letters, digits "
                           "and _, not: %.60s",
                           plan->env[i]);
        memcpy(name, plan->env[i], length);
        name[length] = '\0';
        add_all(options, "--setenv", name, equals + 1, NULL);
    }
    return 0;
}

int bwrap_options_make(struct bwrap_options *options, const struct wall_plan *plan,
                       const struct bwrap_version *version,
                       const struct bwrap_descriptors *descriptors, struct bj_error *error)
{
    add_isolation(options, plan, version);
    int status = add_environment(options, plan, error);
    if (status < 0)
        return status;
    add_system(options);
    add_etc(options, descriptors);
    add_profile(options, plan, descriptors);
    add_places(options, plan, version, descriptors);
    add_descriptor(options, "--seccomp", descriptors->seccomp);
    add_descriptor(options, "--info-fd", descriptors->info);
    add_descriptor(options, "--block-fd", descriptors->gate);
    return options->failed ? bj_fail(error, -ENOMEM, "out of memory") : 0;
}
