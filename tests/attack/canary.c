#include "canary.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- canaries --- */

static const char *const canary_addresses[] = {"127.0.0.1", "169.254.169.254", "169.254.7.7",
                                               "10.1.2.3", "100.64.0.1"};
static const uint16_t canary_ports[] = {80, 443, 3128, 8080};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int canaries[COUNT(canary_addresses) * COUNT(canary_ports)];
static char *dial; /* kept from the environment, which a world empties */

static bool make_addresses(void)
{
    char name[8];
    for (size_t i = 1; i < COUNT(canary_addresses); i++) {
        snprintf(name, sizeof(name), "lo:%zu", i + 1);
        if (!net_address(name, canary_addresses[i]))
            return false;
    }
    return true;
}

static int listen_at(const char *address, uint16_t port)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    inet_pton(AF_INET, address, &here.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ck_assert_msg(bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0, "%s:%u: %s", address, port,
                  strerror(errno));
    ck_assert_int_eq(listen(fd, 64), 0);
    return fd;
}

static void canaries_open(void)
{
    for (size_t i = 0; i < COUNT(canaries); i++)
        canaries[i] = listen_at(canary_addresses[i / COUNT(canary_ports)],
                                canary_ports[i % COUNT(canary_ports)]);
}

/* The kernel accepts for a listener that does not look, so whoever came is still in the queue. */
void network_canaries_are_alone(void)
{
    for (size_t i = 0; i < COUNT(canaries); i++)
        ck_assert_msg(accept(canaries[i], NULL, NULL) < 0 && errno == EAGAIN,
                      "somebody connected to %s:%u", canary_addresses[i / COUNT(canary_ports)],
                      canary_ports[i % COUNT(canary_ports)]);
}

int network_lookups(void)
{
    return net_queries(NULL) - net_queries("14.215.184.93.in-addr.arpa");
}

/* --- fixture --- */

static void setup(void)
{
    attack_open();
    net_start(&attack_world);
    canaries_open();
    attack_project();
    world_file(&attack_world, "www/x", "what was fetched\n", 0644);
    char target[512];
    snprintf(target, sizeof(target), "%s/dial.py", attack_project_path);
    world_run_ok(&attack_world, (const char *const[]){"install", "-m", "0644", dial, target, NULL});
}

static void teardown(void)
{
    for (size_t i = 0; i < COUNT(canaries); i++)
        close(canaries[i]);
    net_stop();
    attack_close();
}

void network_wait_over(const char *name)
{
    WAIT_FOR(world_shows(&attack_world, name, "over") ||
             world_state_is(&attack_world, name, "exited"));
}

void network_all_refused(const char *name, const char *forms, const char *places)
{
    char script[256];
    world_file(&attack_world, "project/places", places, 0644);
    snprintf(script, sizeof(script), "python3 dial.py %s places", forms);
    attack_start(name, script);
    network_wait_over(name);
    const char *text = world_capture(&attack_world, name);
    ck_assert_msg(strstr(text, "over, ") && !strstr(text, "PASSED"), "%s", text);
    size_t lines = 0, kinds = 1;
    for (const char *at = places; (at = strchr(at, '\n')); at++)
        lines++;
    for (const char *at = forms; (at = strchr(at, ',')); at++)
        kinds++;
    char sum[64];
    snprintf(sum, sizeof(sum), "over, %zu refused", lines * kinds);
    ck_assert_msg(strstr(text, sum) != NULL, "%s is not in: %s", sum, text);
    network_canaries_are_alone();
}

int network_main(const char *name, const struct network_case *cases, size_t count)
{
    dial = getenv("BELLJAR_TEST_DIAL") ? strdup(getenv("BELLJAR_TEST_DIAL")) : NULL;
    if (!dial || !net_make() || !make_addresses()) {
        puts("skipped: a network of its own needs root");
        return 77;
    }
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < count; i++) {
        TCase *one = tcase_create(cases[i].name);
        tcase_add_checked_fixture(one, setup, teardown);
        tcase_set_timeout(one, 200);
        tcase_add_test(one, cases[i].test);
        suite_add_tcase(suite, one);
    }
    return world_main(suite);
}
