#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

int world_patience(void)
{
    const char *slow = getenv("BELLJAR_TEST_SLOW");
    double factor = slow ? atof(slow) : 1;
    return (int)(60000 * (factor > 0 ? factor : 1));
}

long long world_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* As long as the look before it took: who waits leaves half of the processor to what he waits for.
 */
void world_breathe(void)
{
    static long long breathed;
    long long now = world_now(), looked = now - breathed;
    poll(NULL, 0, looked < 20 || looked > 1000 ? 20 : looked > 250 ? 250 : (int)looked);
    breathed = world_now();
}

/* Under the sanitizers half of a look is the search for leaks: a case's first ones have it. */
#define LEAKS_SEARCHED 6
static bool searches_leaks(const char *command)
{
    static const char *const looks[] = {"ls", "capture", "requests"};
    static unsigned count;
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
        if (strcmp(looks[i], command) == 0)
            return count++ < LEAKS_SEARCHED;
    return true;
}

static void leave_leaks(void)
{
    char options[256];
    snprintf(options, sizeof(options), "%s:detect_leaks=0", getenv("ASAN_OPTIONS"));
    setenv("ASAN_OPTIONS", options, 1);
}

static void make(const char *path)
{
    ck_assert_msg(mkdir(path, 0700) == 0, "mkdir %s: %s", path, strerror(errno));
}

/* Nothing of the developer's own environment reaches the programs. */
static void environment(struct world *world)
{
    const char *path = getenv("PATH");
    char kept_path[4096];
    char *keep[][2] = {{"BELLJAR_TEST_SLOW", NULL}, {"BELLJAR_TEST_PROGRAMS", NULL},
                       {"ASAN_OPTIONS", NULL},      {"UBSAN_OPTIONS", NULL},
                       {"LSAN_OPTIONS", NULL},      {"MESON_TEST_ITERATION", NULL}};
    snprintf(kept_path, sizeof(kept_path), "%s", path ? path : "/usr/bin:/bin");
    for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
        keep[i][1] = getenv(keep[i][0]) ? strdup(getenv(keep[i][0])) : NULL;
    clearenv();
    for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
        if (keep[i][1]) {
            setenv(keep[i][0], keep[i][1], 1);
            free(keep[i][1]);
        }
    setenv("PATH", kept_path, 1);
    setenv("HOME", world->home, 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("TERM", "xterm-256color", 1);
    setenv("SHELL", "/bin/bash", 1);
    setenv("BELLJAR_RUNTIME_DIR", world->runtime, 1);
    setenv("BELLJAR_STATE_DIR", world->state, 1);
    signal(SIGPIPE, SIG_DFL);
}

void world_copy_programs(struct world *world)
{
    char place[96];
    snprintf(place, sizeof(place), "%s/programs", world->base);
    world_run_ok(world, (const char *const[]){"sh", "-c",
                                              "mkdir \"$1\" && cp \"$2\"/belljar \"$2\"/belljar-* "
                                              "\"$1\" 2>/dev/null; [ -x \"$1/belljar\" ]",
                                              "sh", place, world->programs, NULL});
    setenv("BELLJAR_DATA_DIR", world->programs, 1);
    snprintf(world->belljar, sizeof(world->belljar), "%s/belljar", place);
}

void world_open(struct world *world)
{
    *world = (struct world){0};
    const char *programs = getenv("BELLJAR_TEST_PROGRAMS");
    ck_assert_msg(programs != NULL, "BELLJAR_TEST_PROGRAMS must name the build directory");
    ck_assert_ptr_nonnull(realpath(programs, world->programs));
    snprintf(world->belljar, sizeof(world->belljar), "%s/belljar", world->programs);
    ck_assert_msg(access(world->belljar, X_OK) == 0, "%s is not built", world->belljar);

    snprintf(world->base, sizeof(world->base), "/tmp/bjt-%d-XXXXXX", (int)getppid());
    ck_assert_ptr_nonnull(mkdtemp(world->base));
    chmod(world->base, 0755);
    snprintf(world->runtime, sizeof(world->runtime), "%s/run", world->base);
    snprintf(world->state, sizeof(world->state), "%s/state", world->base);
    snprintf(world->home, sizeof(world->home), "%s/home", world->base);
    make(world->home);
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    environment(world);
    ck_assert_int_eq(chdir("/"), 0); /* which is in no repository */
}

/* The server leads a session; the process that made it a daemon does not, and may end a moment
 * later. A child of the server that is about to become something else leads one as well. */
static bool is_server(pid_t pid)
{
    char name[64];
    return process_name(pid, name, sizeof(name)) && strcmp(name, "belljar-server") == 0 &&
           getsid(pid) == pid && !process_in_namespace_below(pid);
}

static pid_t parent_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    const char *end = strrchr(world_read(path), ')');
    return end && strlen(end) > 4 ? (pid_t)atoi(end + 4) : 0;
}

pid_t world_server(struct world *world)
{
    pid_t pids[4096];
    size_t count = world_processes(pids, 4096);
    for (size_t i = 0; i < count; i++)
        if (is_server(pids[i]) && !is_server(parent_of(pids[i])))
            return pids[i];
    return 0;
}

static bool quiet(void)
{
    pid_t pids[64];
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    return world_processes(pids, 64) == 0;
}

void world_close(struct world *world)
{
    struct result result;
    if (world_server(world)) {
        BELLJAR(world, &result, "kill", "--all");
        ck_assert_msg(result.code == 0, "kill --all: %s", result.err);
        result_free(&result);
        BELLJAR(world, &result, "server", "stop");
        ck_assert_msg(result.code == 0, "server stop: %s", result.err);
        result_free(&result);
    }
    long long limit = world_now() + world_patience() / 4;
    while (!quiet() && world_now() < limit)
        world_breathe();
    char left[1024] = "";
    process_names(left, sizeof(left));
    ck_assert_msg(quiet(), "processes are left: %s", left);
    ck_assert_msg(!world_mount_named(world->base), "a mount is left");
    ck_assert_msg(!world_socket_named(world->base), "a socket is left");
    process_remove_tree(world->base);
}

static void start(const char *const argv[], int in, int out, int err)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    execvp(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static bool drain(int fd, char **text, size_t *size)
{
    char part[65536];
    ssize_t count = read(fd, part, sizeof(part));
    if (count < 0 && errno == EINTR)
        return true;
    if (count <= 0)
        return false;
    *text = realloc(*text, *size + (size_t)count + 1);
    if (!*text)
        abort();
    memcpy(*text + *size, part, (size_t)count);
    *size += (size_t)count;
    (*text)[*size] = '\0';
    return true;
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads both pipes until the program has ended; a daemon that keeps a pipe open does not count. */
static void collect(struct result *result, pid_t child, int out, int err, const char *name)
{
    struct pollfd polled[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    long long limit = world_now() + world_patience();
    int status = 0;
    bool ended = false;
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        int ready = poll(polled, 2, ended ? 0 : 20);
        if (ready > 0) {
            if (polled[0].revents && !drain(out, &result->out, &result->out_size))
                polled[0].fd = -1;
            if (polled[1].revents && !drain(err, &result->err, &result->err_size))
                polled[1].fd = -1;
        } else if (ended) {
            break;
        }
        ended = ended || waitpid(child, &status, WNOHANG) == child;
        if (world_now() > limit) {
            kill(child, SIGKILL);
            ck_abort_msg("%s does not end; so far: %s%s", name, result->out, result->err);
        }
    }
    if (!ended)
        ck_assert_int_eq(waitpid(child, &status, 0), child);
    result->code = code_of(status);
}

void world_run(struct world *world, struct result *result, const char *input,
               const char *const argv[])
{
    int in[2], out[2], err[2];
    ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
              pipe2(err, O_CLOEXEC) == 0);
    *result = (struct result){.out = calloc(1, 1), .err = calloc(1, 1)};
    bool leaks = !getenv("ASAN_OPTIONS") || !argv[1] || searches_leaks(argv[1]);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0 && !leaks)
        leave_leaks();
    if (child == 0)
        start(argv, in[0], out[1], err[1]);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (input) {
        ssize_t size = (ssize_t)strlen(input);
        ck_assert_int_eq(write(in[1], input, (size_t)size), size);
    }
    close(in[1]);
    collect(result, child, out[0], err[0], argv[1] ? argv[1] : argv[0]);
    close(out[0]);
    close(err[0]);
}

void result_free(struct result *result)
{
    free(result->out);
    free(result->err);
    *result = (struct result){0};
}

void world_run_ok(struct world *world, const char *const argv[])
{
    struct result result;
    world_run(world, &result, NULL, argv);
    ck_assert_msg(result.code == 0, "%s %s: exit %d: %s", argv[0], argv[1] ? argv[1] : "",
                  result.code, result.err);
    result_free(&result);
}

pid_t world_start(struct world *world, int *out, const char *const argv[])
{
    int pipes[2];
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        start(argv, null, pipes[1], STDERR_FILENO);
    close(null);
    close(pipes[1]);
    *out = pipes[0];
    return child;
}

json_t *world_sandbox(struct world *world, const char *name)
{
    struct result result;
    BELLJAR(world, &result, "ls", "--json");
    ck_assert_msg(result.code == 0, "ls: %s", result.err);
    json_error_t error;
    json_t *list = json_loads(result.out, 0, &error), *item, *found = NULL;
    ck_assert_msg(list != NULL, "ls --json: %s: %s", error.text, result.out);
    size_t index;
    json_array_foreach(list, index, item)
    {
        const char *own = json_string_value(json_object_get(item, "name"));
        if (!found && own && strcmp(own, name) == 0)
            found = json_incref(item);
    }
    json_decref(list);
    result_free(&result);
    return found;
}

const char *world_field(struct world *world, const char *name, const char *field)
{
    static char text[4096];
    json_t *sandbox = world_sandbox(world, name);
    const char *value = json_string_value(json_object_get(sandbox, field));
    snprintf(text, sizeof(text), "%s", value ? value : "");
    json_decref(sandbox);
    return text;
}

long long world_number(struct world *world, const char *name, const char *field)
{
    json_t *sandbox = world_sandbox(world, name);
    long long value = json_integer_value(json_object_get(sandbox, field));
    json_decref(sandbox);
    return value;
}

bool world_state_is(struct world *world, const char *name, const char *state)
{
    return strcmp(world_field(world, name, "state"), state) == 0;
}

const char *world_capture(struct world *world, const char *name)
{
    static char *text;
    struct result result;
    BELLJAR(world, &result, "capture", name);
    free(text);
    text = result.code == 0 ? result.out : calloc(1, 1);
    if (result.code != 0)
        free(result.out);
    free(result.err);
    return text;
}

long world_counted(struct world *world, const char *name)
{
    long number, last = 0;
    for (const char *at = world_capture(world, name); at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (sscanf(at, "out %ld", &number) == 1)
            last = number;
        if (!*at)
            break;
    }
    return last;
}

bool world_shows(struct world *world, const char *name, const char *text)
{
    return strstr(world_capture(world, name), text) != NULL;
}

const char *world_file(struct world *world, const char *name, const char *text, mode_t mode)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", world->base, name);
    for (char *slash = strchr(path + strlen(world->base) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    fchmod(fd, mode);
    close(fd);
    return path;
}

const char *world_read(const char *path)
{
    static char *text;
    size_t size = 0;
    free(text);
    text = calloc(1, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && drain(fd, &text, &size))
        ;
    if (fd >= 0)
        close(fd);
    return text;
}

static bool file_names(const char *path, const char *text)
{
    return strstr(world_read(path), text) != NULL;
}

bool world_mount_named(const char *text)
{
    return file_names("/proc/self/mountinfo", text);
}

bool world_socket_named(const char *text)
{
    return file_names("/proc/net/unix", text);
}

static const char *wanted_cgroup;

static int visit_cgroup(const char *path, const struct stat *info, int type, struct FTW *where)
{
    const char *name = path + where->base;
    return type == FTW_D && strstr(name, wanted_cgroup) ? 1 : 0;
}

bool world_cgroup_named(const char *text)
{
    wanted_cgroup = text;
    return nftw("/sys/fs/cgroup", visit_cgroup, 32, FTW_PHYS) == 1;
}
