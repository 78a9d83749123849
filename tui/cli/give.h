/*
 * What credentials are taken from (env:) is in the environment of the human, who need not be the
 * one who started the server.
 */
#pragma once

#include "tui/cli/peer.h"

/* Gives the server the variables that it wants and this process has: for an agent of this profile,
 * for another program ("") or for all (NULL). A server that cannot take them says later what is
 * missing. */
void give_variables(struct peer *server, const char *agent);
