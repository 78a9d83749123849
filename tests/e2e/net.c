#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char names_log[128], web_log[128], directory[128];
static char *program, *script;      /* kept from the environment, which a world empties */
static pid_t resolver, web, secure; /* secure: 0 when not started */

bool net_address(const char *name, const char *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {0};
    struct sockaddr_in own = {.sin_family = AF_INET};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    inet_pton(AF_INET, address, &own.sin_addr);
    memcpy(&request.ifr_addr, &own, sizeof(own));
    bool done = ioctl(fd, SIOCSIFADDR, &request) == 0;
    if (done && strchr(name, ':')) { /* an alias: this address alone */
        own.sin_addr.s_addr = INADDR_BROADCAST;
        memcpy(&request.ifr_netmask, &own, sizeof(own));
        done = ioctl(fd, SIOCSIFNETMASK, &request) == 0;
    }
    memset(&request.ifr_ifru, 0, sizeof(request.ifr_ifru));
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    done = done && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

/* Replaces a file of the host for us and all that we start. */
static bool put_over(const char *path, const char *text)
{
    char made[] = "/tmp/belljar-net-XXXXXX";
    int fd = mkstemp(made);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
                fchmod(fd, 0644) == 0 && mount(made, path, NULL, MS_BIND, NULL) == 0;
    if (fd >= 0)
        close(fd);
    unlink(made);
    return done;
}

bool net_make(void)
{
    const char *names = getenv("BELLJAR_TEST_RESOLVER"), *pages = getenv("BELLJAR_TEST_WEB");
    program = names ? strdup(names) : NULL;
    script = pages ? strdup(pages) : NULL;
    if (!program || !script || geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    return put_over("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n") &&
           put_over("/etc/nsswitch.conf", "hosts: dns\npasswd: files\ngroup: files\n") &&
           net_address("lo", "127.0.0.1") && net_address("lo:1", NET_PUBLIC);
}

pid_t net_serve(const char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

static bool answers(void)
{
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(NET_PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, NET_PUBLIC, &there.sin_addr);
    bool up = connect(fd, (struct sockaddr *)&there, sizeof(there)) == 0;
    close(fd);
    return up;
}

void net_start(struct world *world)
{
    snprintf(names_log, sizeof(names_log), "%s/names.log", world->base);
    snprintf(web_log, sizeof(web_log), "%s/web.log", world->base);
    snprintf(directory, sizeof(directory), "%s/www", world->base);
    ck_assert_int_eq(mkdir(directory, 0755), 0);
    resolver = net_serve((const char *const[]){
        program, "127.0.0.1", names_log, "good.example=" NET_PUBLIC, "other.example=" NET_PUBLIC,
        "single.example=" NET_PUBLIC, "registry.example=" NET_PUBLIC, "inside.example=127.0.0.1",
        "metadata.example=169.254.169.254", "link.example=169.254.7.7", "lan.example=10.1.2.3",
        "shared.example=100.64.0.1", "zero.example=0.0.0.0", "mixed.example=127.0.0.1," NET_PUBLIC,
        "rebound.example=" NET_PUBLIC "/127.0.0.1", "localhost=127.0.0.1", NULL});
    web = net_serve(
        (const char *const[]){"python3", script, NET_PUBLIC, "80", directory, web_log, NULL});
    WAIT_FOR(strstr(world_read(names_log), "ready"));
    WAIT_FOR(answers());
}

const char *net_start_secure(struct world *world)
{
    static char log[128];
    snprintf(log, sizeof(log), "%s/secure.log", world->base);
    secure = net_serve((const char *const[]){"python3", script, NET_PUBLIC, "443", directory, log,
                                             net_trust(world), NULL});
    return log;
}

void net_stop(void)
{
    if (secure) {
        kill(secure, SIGKILL);
        waitpid(secure, NULL, 0);
        net_distrust();
        secure = 0;
    }
    kill(resolver, SIGKILL);
    kill(web, SIGKILL);
    waitpid(resolver, NULL, 0);
    waitpid(web, NULL, 0);
}

const char *net_directory(void)
{
    return directory;
}

int net_queries(const char *name)
{
    char line[512];
    int count = 0;
    FILE *file = fopen(names_log, "re");
    while (file && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        const char *space = strchr(line, ' ');
        count += space && (!name || strcasecmp(space + 1, name) == 0);
    }
    if (file)
        fclose(file);
    return count;
}

int net_requests(const char *beginning)
{
    char line[1024];
    int count = 0;
    FILE *file = fopen(web_log, "re");
    while (file && fgets(line, sizeof(line), file))
        count += strncmp(line, beginning, strlen(beginning)) == 0;
    if (file)
        fclose(file);
    return count;
}

#define CERTIFICATES "/etc/ssl/certs/ca-certificates.crt"

const char *net_trust(struct world *world)
{
    static char both[128];
    char command[1024];
    snprintf(command, sizeof(command),
             "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 2 "
             "-subj /CN=good.example -addext subjectAltName=DNS:good.example 2>/dev/null && "
             "cat k c > both && mount --bind c " CERTIFICATES,
             world->base);
    world_run_ok(world, (const char *const[]){"bash", "-c", command, NULL});
    snprintf(both, sizeof(both), "%s/both", world->base);
    return both;
}

bool net_distrust(void)
{
    return umount(CERTIFICATES) == 0;
}
