/*
 * Programs that connect to the proxy port, for tests: the test runs itself again as the agent, so
 * that they are inside the wall, too. Each prints one line when it is done.
 */
#pragma once

/* "client NAME PORT [ARGUMENT]": runs it and returns the exit code. */
int client_main(int argc, char **argv);
