/*
 * Names and the packets they cause, in a network of the test's own: no name that is undecided or
 * denied is ever sent to a name server, and a name is asked for once. Needs root.
 */
#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/egress/double.h"

#define C FIRST

/* A public address that, in the test's network, is our own. */
#define PUBLIC "93.184.215.14"
#define OTHER  "93.184.215.15"

static char files[64], logfile[96];
static pid_t resolver;
static int listener;
static unsigned port;
static char text[1024];

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    fclose(file);
}

static void interface_up(const char *name, const char *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
    struct sockaddr_in own = {.sin_family = AF_INET};
    inet_pton(AF_INET, address, &own.sin_addr);
    memcpy(&request.ifr_addr, &own, sizeof(own));
    ck_assert_int_eq(ioctl(fd, SIOCSIFADDR, &request), 0);
    if (strchr(name, ':')) { /* an alias: this address alone, not the network around it */
        own.sin_addr.s_addr = INADDR_BROADCAST;
        memcpy(&request.ifr_netmask, &own, sizeof(own));
        ck_assert_int_eq(ioctl(fd, SIOCSIFNETMASK, &request), 0);
    }
    memset(&request.ifr_ifru, 0, sizeof(request.ifr_ifru));
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

static bool own_network(void)
{
    return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void use_file(const char *name, const char *over, const char *content)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", files, name);
    write_file(path, content);
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert_int_eq(mount(path, over, NULL, MS_BIND, NULL), 0);
}

static bool logged(const char *line)
{
    char have[256];
    bool found = false;
    FILE *file = fopen(logfile, "re");
    while (file && fgets(have, sizeof(have), file))
        found = found || strncmp(have, line, strlen(line)) == 0;
    if (file)
        fclose(file);
    return found;
}

/* How many queries there were, for a name or (NULL) at all. */
static int queries(const char *name)
{
    char have[256];
    int count = 0;
    FILE *file = fopen(logfile, "re");
    while (file && fgets(have, sizeof(have), file)) {
        have[strcspn(have, "\n")] = '\0';
        const char *space = strchr(have, ' ');
        count += space && (!name || strcasecmp(space + 1, name) == 0);
    }
    if (file)
        fclose(file);
    return count;
}

static void start(void)
{
    /* A wrong BELLJAR_TEST_RESOLVER that names this very program would start itself for ever. */
    ck_assert_msg(!getenv("BELLJAR_TEST_NESTED"), "BELLJAR_TEST_RESOLVER is this test itself");
    ck_assert(own_network());
    strcpy(files, "/tmp/belljar-names-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(files));
    ck_assert_int_eq(chmod(files, 0755), 0);
    snprintf(logfile, sizeof(logfile), "%s/log", files);
    use_file("resolv.conf", "/etc/resolv.conf",
             "nameserver 127.0.0.1\nsearch corp.example\noptions timeout:1 attempts:1\n");
    interface_up("lo", "127.0.0.1");
    interface_up("lo:1", PUBLIC);
    interface_up("lo:2", OTHER);
    resolver = fork();
    if (resolver == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("BELLJAR_TEST_NESTED", "1", 1);
        execl(getenv("BELLJAR_TEST_RESOLVER"), "test-resolver", "127.0.0.1", logfile,
              "good.example=" PUBLIC, "single=" PUBLIC, "inside.example=127.0.0.1",
              "mixed.example=127.0.0.1," PUBLIC, "rebind.example=" PUBLIC "/127.0.0.1",
              "metadata.example=169.254.169.254", "two.example=93.184.215.99," OTHER,
              "gone.example.corp.example=" PUBLIC, (char *)NULL);
        _exit(127);
    }
    world_start(NULL);
    wait_for(logged("ready"));
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t size = sizeof(any);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&any, size), 0);
    ck_assert_int_eq(listen(listener, 64), 0);
    getsockname(listener, (struct sockaddr *)&any, &size);
    port = ntohs(any.sin_port);
}

static void stop(void)
{
    char path[128];
    kill(resolver, SIGKILL);
    waitpid(resolver, NULL, 0);
    close(listener);
    world_stop();
    umount("/etc/resolv.conf");
    snprintf(path, sizeof(path), "%s/resolv.conf", files);
    unlink(path);
    unlink(logfile);
    rmdir(files);
}

static const char *connect_to(const char *host)
{
    snprintf(text, sizeof(text), "CONNECT %s:%u HTTP/1.1\r\n\r\n", host, port);
    return text;
}

/* The address at which the connection that was just made arrived. */
static const char *arrived_at(int *fd)
{
    static char address[INET_ADDRSTRLEN];
    struct sockaddr_in here;
    socklen_t size = sizeof(here);
    *fd = tcp_accept(listener);
    ck_assert_int_eq(getsockname(*fd, (struct sockaddr *)&here, &size), 0);
    return inet_ntop(AF_INET, &here.sin_addr, address, sizeof(address));
}

START_TEST(no_packet_before_an_allow)
{
    /* Held, denied, given up, misspelt: none of them leaves. The names are the data here. */
    rule_add("secret-data.denied.example", "deny", "", false);
    shim_say(C, connect_to("secret-data.denied.example"));
    wait_for(has(C, "HTTP/1.1 403 "));
    shim_say(C + 1, connect_to("secret-data.held.example"));
    shim_say(C + 2, "GET http://secret-data.http.example/ HTTP/1.1\r\n"
                    "Host: secret-data.http.example\r\n\r\n");
    shim_open(C + 3);
    shim_send(C + 3, "\5\1\0\5\1\0\3\011s.example\0\120", 3 + 4 + 1 + 9 + 2);
    wait_for(notes_named("egress.decide") == 4);
    shim_say(C + 4, connect_to("secret-data.odd@name.example"));
    wait_for(has(C + 4, "HTTP/1.1 400 "));
    for (size_t i = 0; i < world.note_count; i++)
        if (strcmp(world.notes[i].name, "egress.decide") == 0 && world.notes[i].wait_id[0] &&
            strcmp(world.notes[i].host, "secret-data.http.example") == 0)
            server_verdict(world.notes[i].wait_id, "deny", "", false);
    wait_for(has(C + 2, "HTTP/1.1 403 "));
    shim_close(C + 1);
    wait_for(notes_named("egress.gone") == 1);
    ck_assert_int_eq(queries(NULL), 0);
    /* The resolver does see what is allowed: so it would have seen these. */
    rule_add("good.example", "allow", "", false);
    shim_say(C + 5, connect_to("good.example"));
    int fd;
    ck_assert_str_eq(arrived_at(&fd), PUBLIC);
    close(fd);
    ck_assert_int_ge(queries("good.example"), 1);
    ck_assert_int_eq(queries(NULL), queries("good.example"));
}
END_TEST

START_TEST(names_that_lead_inside)
{
    rule_add("*", "allow", "", false);
    shim_say(C, connect_to("inside.example"));
    wait_for(has(C, "HTTP/1.1 403 "));
    ck_assert(has(C, "inside.example resolves to 127.0.0.1, a loopback address"));
    shim_say(C + 1, connect_to("metadata.example"));
    wait_for(has(C + 1, "HTTP/1.1 403 "));
    ck_assert(has(C + 1, "metadata"));
    wait_for(notes_named("egress.refused") == 2);
    /* Of several addresses only the public ones are tried. */
    int fd;
    shim_say(C + 2, connect_to("mixed.example"));
    ck_assert_str_eq(arrived_at(&fd), PUBLIC);
    close(fd);
}
END_TEST

START_TEST(rebinding)
{
    rule_add("*", "allow", "", false);
    shim_say(C, connect_to("rebind.example"));
    int fd;
    ck_assert_str_eq(arrived_at(&fd), PUBLIC);
    wait_for(has(C, "established"));
    char line[64];
    snprintf(line, sizeof(line), "%d rebind.example", 1);
    ck_assert(logged(line));
    ck_assert_int_le(queries("rebind.example"), 2); /* A and AAAA, each once */
    close(fd);
    shim_say(C + 1, connect_to("rebind.example")); /* checked anew */
    wait_for(has(C + 1, "HTTP/1.1 403 "));
}
END_TEST

START_TEST(the_next_address)
{
    rule_add("*", "allow", "", false);
    shim_say(C, connect_to("two.example"));
    int fd;
    ck_assert_str_eq(arrived_at(&fd), OTHER); /* nobody is at the first */
    wait_for(has(C, "established"));
    wait_for(notes_named("egress.opened") == 1);
    ck_assert_str_eq(note_last("egress.opened")->host, "two.example");
    close(fd);
}
END_TEST

START_TEST(no_search_domains)
{
    /* The name that was allowed is the one that is asked for, and no other. */
    rule_add("*", "allow", "", false);
    shim_say(C, connect_to("gone.example"));
    wait_for(has(C, "HTTP/1.1 502 "));
    ck_assert_int_eq(queries("gone.example.corp.example"), 0);
    shim_say(C + 1, connect_to("single"));
    int fd;
    ck_assert_str_eq(arrived_at(&fd), PUBLIC);
    close(fd);
    ck_assert_int_eq(queries("single.corp.example"), 0);
}
END_TEST

START_TEST(one_resolution_for_many)
{
    enum { MANY = 50 };
    for (unsigned i = 0; i < MANY; i++)
        shim_say(C + i, connect_to("good.example"));
    wait_for(notes_named("egress.decide") == 1);
    /* The last one has joined once a later stream was seen. */
    rule_add("denied.example", "deny", "", false);
    shim_say(C + MANY, connect_to("denied.example"));
    wait_for(has(C + MANY, "HTTP/1.1 403 "));
    for (size_t i = 0; i < world.note_count; i++)
        if (strcmp(world.notes[i].host, "good.example") == 0)
            server_verdict(world.notes[i].wait_id, "allow", "", false);
    for (unsigned i = 0; i < MANY; i++)
        wait_for(has(C + i, "established"));
    ck_assert_int_le(queries("good.example"), 2);
}
END_TEST

/* In a child, so that the test program itself stays where it is. */
static bool can_have_own_network(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(own_network() ? 0 : 1);
    int status = 1;
    waitpid(child, &status, 0);
    return status == 0;
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1 || !getenv("BELLJAR_TEST_RESOLVER"))
        return 2; /* started in place of the resolver: it must not start another */
    if (getuid() != 0 || !can_have_own_network()) {
        puts("1..0 # SKIP a network namespace of its own needs root");
        return 77;
    }
    TCase *names = tcase_create("resolver");
    tcase_add_checked_fixture(names, start, stop);
    tcase_set_timeout(names, 60);
    tcase_add_test(names, no_packet_before_an_allow);
    tcase_add_test(names, names_that_lead_inside);
    tcase_add_test(names, rebinding);
    tcase_add_test(names, the_next_address);
    tcase_add_test(names, no_search_domains);
    tcase_add_test(names, one_resolution_for_many);
    TCase *cases[] = {names, NULL};
    return suite_run("egress-resolver", cases);
}
