#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sodium.h>

#include "mux/server/log.h"
#include "mux/server/server.h"

#define FILES_WANTED 65536U

static const char usage[] = "usage: belljar-server [--foreground]\n"
                            "Serves Belljar's sandboxes of this user; 'belljar' starts it.\n";

/* Variables by which whoever started the server would steer git on somebody else's files. */
static const char *const unwanted[] = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_CONFIG_COUNT",
    "GIT_TEMPLATE_DIR",
    "GIT_CONFIG_PARAMETERS",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_TRACE",
};

/* The lock is held by the open file, so it goes with the last process that has it: us. */
static int take_lock(struct server *server, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/server.lock", server->paths.runtime);
    if (status < 0)
        return status;
    server->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (server->lock < 0)
        return bj_fail(error, -errno, "cannot open %s: %s", path, strerror(errno));
    if (flock(server->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK
               ? bj_fail(error, -EALREADY, "a server already runs for %s", server->paths.runtime)
               : bj_fail(error, -errno, "cannot lock %s: %s", path, strerror(errno));
}

/* The parent waits until the child serves or says why not, so that whoever started us can connect
 * as soon as we return. Returns the descriptor to report to, in the child only. */
static int become_daemon(void)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) < 0) {
        perror("belljar-server: pipe");
        exit(1);
    }
    pid_t pid = fork();
    if (pid < 0) {
        perror("belljar-server: fork");
        exit(1);
    }
    if (pid == 0) {
        close(pipes[0]);
        setsid();
        return pipes[1];
    }
    close(pipes[1]);
    char text[BJ_ERROR_TEXT_MAX];
    size_t size = 0;
    ssize_t got;
    while (size < sizeof(text) - 1 &&
           (got = read(pipes[0], text + size, sizeof(text) - 1 - size)) != 0)
        if (got > 0)
            size += (size_t)got;
        else if (errno != EINTR)
            break;
    text[size] = '\0';
    if (strcmp(text, "ok") == 0)
        _exit(0);
    fprintf(stderr, "belljar-server: %s\n", size ? text : "it exited without an error message");
    exit(1);
}

static void report(int descriptor, const char *text)
{
    if (descriptor < 0 || write(descriptor, text, strlen(text)) < 0)
        return;
    close(descriptor);
}

static void quiet_descriptors(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    close(null);
}

static void prepare_process(struct server *server)
{
    /* Nothing of whoever started us is kept open or handed on. */
    syscall(SYS_close_range, 3U, ~0U, 0U);
    signal(SIGPIPE, SIG_IGN);
    umask(022); /* of the project's copy; what is private is made so explicitly */
    for (size_t i = 0; i < sizeof(unwanted) / sizeof(*unwanted); i++)
        unsetenv(unwanted[i]);
    /* Credentials pass through here. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (getrlimit(RLIMIT_NOFILE, &server->files) == 0) {
        struct rlimit more = server->files;
        more.rlim_cur = more.rlim_max < FILES_WANTED ? more.rlim_max : FILES_WANTED;
        setrlimit(RLIMIT_NOFILE, &more);
    }
}

static int open_all(struct server *server, bool foreground, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/server.log", server->paths.state);
    if (status == 0)
        status = log_open(path, foreground, error);
    if (status == 0 && sodium_init() < 0)
        status = bj_fail(error, -EIO, "cannot initialise libsodium");
    return status < 0 ? status : server_open(server, error);
}

int main(int argc, char **argv)
{
    static struct server server;
    struct bj_error error = {0};
    bool foreground = argc == 2 && strcmp(argv[1], "--foreground") == 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc > 1 && !foreground) {
        fputs(usage, stderr);
        return 2;
    }
    prepare_process(&server);
    int status = bj_paths_find(&server.paths, &error);
    if (status == 0)
        status = bj_paths_prepare(&server.paths, &error);
    if (status == 0)
        status = take_lock(&server, &error);
    if (status == -EALREADY) {
        fprintf(stderr, "belljar-server: %s\n", error.text);
        return 0;
    }
    if (status < 0) {
        fprintf(stderr, "belljar-server: %s\n", error.text);
        return 1;
    }
    int parent = foreground ? -1 : become_daemon();
    status = open_all(&server, foreground, &error);
    if (status < 0) {
        log_line("%s", error.text);
        if (foreground)
            fprintf(stderr, "belljar-server: %s\n", error.text);
        report(parent, error.text);
        return 1;
    }
    if (!foreground) {
        if (chdir("/") < 0)
            log_line("cannot leave the directory: %s", strerror(errno));
        quiet_descriptors();
        report(parent, "ok");
    }
    server_run(&server);
    log_close();
    return 0;
}
