/*
 * A network of the test's own: no interface but lo, which also has a public address, a name server
 * whose questions are logged, and a web server there. Needs root; nothing of it leaves the machine.
 *
 * Names: good.example, other.example, single.example and registry.example are at the public
 * address; inside.example is 127.0.0.1, metadata.example 169.254.169.254; link, lan, shared and
 * zero.example are of the kinds that these words say; mixed.example is at 127.0.0.1 and at the
 * public address, rebound.example at the public one when first asked for, then at 127.0.0.1, like
 * localhost.
 */
#pragma once

#include <stdbool.h>

#include "world.h"

#define NET_PUBLIC "93.184.215.14"
#define NET_PORT   80

/* Once, before the suite: false when this user may not make a network. */
bool net_make(void);
/* One more address: "lo:2" and so on is the name of an alias. */
bool net_address(const char *name, const char *address);
/* In a test, after world_open(): starts both servers on fresh directories below world->base. */
void net_start(struct world *world);
void net_stop(void);

/* After net_start(): the same files over HTTPS, at good.example:443 with the certificate of
 * net_trust(); net_stop() ends it. Returns its log. */
const char *net_start_secure(struct world *world);

/* Starts a server that dies with us; the caller ends and reaps it. */
pid_t net_serve(const char *const argv[]);

/* Where the web server's files are. */
const char *net_directory(void);
/* How often the name server was asked, for this name or (NULL) at all. */
int net_queries(const char *name);
/* How many lines of the web server's log begin so. */
int net_requests(const char *beginning);

/* Makes a certificate for good.example and, until net_distrust(), the only one that is trusted
 * here. Returns the file with key and certificate; lasts until the next call. */
const char *net_trust(struct world *world);
bool net_distrust(void); /* false when it was not trusted */
