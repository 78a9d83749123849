#include "far.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

#define SSHD "/usr/sbin/sshd"

bool far_possible(void)
{
    if (access(SSHD, X_OK) < 0)
        return false;
    if (geteuid() == 0)
        mkdir("/run/sshd",
              0755); /* where sshd locks its unprivileged part in; Debian's init makes it */
    return true;
}

static const char *in_world(const struct world *world, const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *out = path[turn++ % 4];
    snprintf(out, 256, "%s/%s", world->base, name);
    return out;
}

static void make_key(struct world *world, const char *name)
{
    world_run_ok(world, (const char *const[]){"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                                              in_world(world, name), NULL});
}

void far_prepare(struct world *world)
{
    char text[1024];
    make_key(world, "host_key");
    make_key(world, "user_key");
    char *public = strdup(world_read(in_world(world, "user_key.pub")));
    world_file(world, "authorized_keys", public, 0600);
    free(public);
    snprintf(text, sizeof(text), "#!/bin/sh\nexec ssh -F %s \"$@\"\n",
             in_world(world, "ssh_config"));
    setenv("BELLJAR_SSH", world_file(world, "ssh", text, 0755), 1);
    world_file(world, "ssh_config", "", 0644);
}

static int free_port(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(own);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    close(fd);
    return ntohs(own.sin_port);
}

static bool answers(int port)
{
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool up = connect(fd, (struct sockaddr *)&there, sizeof(there)) == 0;
    close(fd);
    return up;
}

/* Bash reads the user's own start-up files when ssh starts it, unless it believes to be a second
 * one: the developer's must not reach the test. */
void far_start(struct world *world, struct far *far)
{
    char text[2048], name[64];
    snprintf(text, sizeof(text),
             "Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\n"
             "StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\n"
             "KbdInteractiveAuthentication no\n"
             "SetEnv BELLJAR_RUNTIME_DIR=%s/%s/run BELLJAR_STATE_DIR=%s/%s/state SHLVL=2\n",
             far->port, in_world(world, "host_key"), in_world(world, "authorized_keys"),
             world->base, far->name, world->base, far->name);
    snprintf(name, sizeof(name), "%s/sshd_config", far->name);
    char *config = strdup(world_file(world, name, text, 0644));
    far->sshd = fork();
    ck_assert_int_ge(far->sshd, 0);
    if (far->sshd == 0) {
        execl(SSHD, SSHD, "-D", "-q", "-f", config, NULL);
        _exit(127);
    }
    free(config);
    WAIT_FOR(answers(far->port));
}

void far_open(struct world *world, struct far *far, const char *name)
{
    char text[1024];
    *far = (struct far){.name = name, .port = free_port()};
    far_start(world, far);
    char *before = strdup(world_read(in_world(world, "ssh_config")));
    snprintf(text, sizeof(text),
             "%sHost %s\n HostName 127.0.0.1\n Port %d\n IdentityFile %s\n IdentitiesOnly yes\n"
             " UserKnownHostsFile %s\n StrictHostKeyChecking accept-new\n LogLevel ERROR\n",
             before, name, far->port, in_world(world, "user_key"), in_world(world, "known_hosts"));
    free(before);
    world_file(world, "ssh_config", text, 0644);
}

void far_visit(struct world *world, const struct far *far)
{
    char runtime[256], state[256];
    snprintf(runtime, sizeof(runtime), "%s/%s/run", world->base, far ? far->name : "");
    snprintf(state, sizeof(state), "%s/%s/state", world->base, far ? far->name : "");
    setenv("BELLJAR_RUNTIME_DIR", far ? runtime : world->runtime, 1);
    setenv("BELLJAR_STATE_DIR", far ? state : world->state, 1);
}

void far_shut(struct far *far)
{
    if (far->sshd <= 0)
        return;
    kill(far->sshd, SIGTERM);
    waitpid(far->sshd, NULL, 0);
    far->sshd = 0;
}

void far_close(struct world *world, struct far *far)
{
    struct result result;
    far_visit(world, far);
    BELLJAR(world, &result, "kill", "--all");
    result_free(&result);
    BELLJAR(world, &result, "server", "stop");
    ck_assert_msg(result.code == 0, "server stop: %s", result.err);
    result_free(&result);
    far_visit(world, NULL);
    far_shut(far);
}

/* Its arguments end with the host and the command. */
static bool carries(pid_t pid, const char *host)
{
    char path[64], name[64], line[4096];
    if (!process_name(pid, name, sizeof(name)) || strcmp(name, "ssh") != 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
    if (file)
        fclose(file);
    line[size] = '\0';
    for (size_t at = 0; at < size; at += strlen(line + at) + 1)
        if (strcmp(line + at, host) == 0)
            return true;
    return false;
}

size_t far_cut(const struct far *far)
{
    pid_t pids[4096];
    size_t count = world_processes(pids, 4096), cut = 0;
    for (size_t i = 0; i < count; i++)
        if (carries(pids[i], far->name))
            cut += kill(pids[i], SIGKILL) == 0;
    return cut;
}
