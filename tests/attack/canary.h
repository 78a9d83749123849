/*
 * What the network's attack tests share: a world in a network of its own (tests/e2e/net.h), and
 * canaries, listeners where nothing may arrive: on loopback, on a metadata service's address and on
 * private ones, all of them within reach of the egress proxy. dial.py, which makes the attempts, is
 * in the project.
 */
#pragma once

#include "attack.h"
#include "tests/e2e/net.h"

/* One test of a program; the name says the row. */
struct network_case {
    const char *name;
    const TTest *test;
};

/* Main of a test program: skips (77) when this user may not make a network. */
int network_main(const char *name, const struct network_case *cases, size_t count);

/* How many names were looked up, but for the web server's own: it asks for its address's name. */
int network_lookups(void);
/* Fails when anybody has connected to a canary. */
void network_canaries_are_alone(void);

/* Waits until the sandbox says "over". */
void network_wait_over(const char *name);
/* Every line of `places` (see dial.py) is tried in each of the forms, separated by commas, in a new
 * sandbox of that name. Each of these attempts must be refused. */
void network_all_refused(const char *name, const char *forms, const char *places);

/* Fetches /x of a host, says the status, then "over". */
#define NETWORK_FETCH(host)                                                                        \
    "curl -sS -m 60 -o /dev/null -w 'code %{http_code}\\n' http://" host "/x; echo over; cat"
