#include "sandbox-shim/main.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox-shim/ask.h"
#include "sandbox-shim/init.h"
#include "transport/error.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

static int init_main(int argc, char **argv);

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    char *title; /* as messages begin */
} commands[] = {
    {"init", init_main, (char[]){"belljar-shim init"}},
    {"ask", ask_client_main, (char[]){"belljar-shim ask"}},
};

static const char help[] =
    "Usage: belljar-shim ask --kind KIND --title TEXT [--detail-stdin]\n"
    "       belljar-shim ask --dialect DIALECT [--event NAME] <PAYLOAD\n"
    "       belljar-shim init --link PATH --ask PATH [OPTION...] -- COMMAND [ARGUMENT...]\n"
    "\n"
    "ask: asks the human who supervises this sandbox, and waits for the answer.\n"
    "  --kind KIND      what it is about, e.g. exec\n"
    "  --title TEXT     the question, one line\n"
    "  --detail-stdin   more of it, at most 64 KiB, from stdin\n"
    "  Exit: 0 allowed, 1 denied, 2 nobody decided or an error; the reason is on stderr.\n"
    "  --dialect DIALECT   for hooks of agents: the question is what the agent wrote to stdin,\n"
    "                   the answer what it reads from stdout: claude, claude-permission, codex,\n"
    "                   codex-permission, gemini, opencode, acp, raw (these two: exit codes\n"
    "                   as above)\n"
    "  --event NAME     the hook tells of this event and asks nothing: nothing is answered\n"
    "  BELLJAR_ASK_SOCKET names the socket when it is not " ASK_SOCKET_DEFAULT ".\n"
    "\n"
    "init: runs COMMAND on a terminal of its own, as process 1 of a sandbox.\n"
    "  --link PATH      the monitor's socket\n"
    "  --ask PATH       where to make the socket for ask\n"
    "  --nproc N        at most N processes (RLIMIT_NPROC)\n"
    "  --proxy-port N   passes connections to 127.0.0.1:N on to the egress proxy outside\n"
    "  --rows N --cols N   the terminal's size until the monitor says another\n"
    "  Exit: that of COMMAND, 128 + N when signal N ended it.\n"
    "\n"
    "--help and --version as usual.\n";

static const struct option init_options[] = {
    {"link", required_argument, NULL, 'l'},
    {"ask", required_argument, NULL, 'a'},
    {"nproc", required_argument, NULL, 'n'},
    {"proxy-port", required_argument, NULL, 'p'},
    {"rows", required_argument, NULL, 'r'},
    {"cols", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},
    {0},
};

int main_help(FILE *out, int code)
{
    fputs(help, out);
    return code;
}

int main_version(void)
{
    puts("belljar-shim " BJ_VERSION);
    return 0;
}

static bool number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *value >= least &&
           *value <= most;
}

static int wrong(const char *what)
{
    fprintf(stderr, "belljar-shim init: %s; see belljar-shim --help\n", what);
    return EXIT_USAGE;
}

static int init_main(int argc, char **argv)
{
    struct init_options options = {.rows = 24, .cols = 80};
    uint64_t value;
    int option;
    while ((option = getopt_long(argc, argv, "+", init_options, NULL)) != -1) {
        switch (option) {
        case 'l':
            options.link_path = optarg;
            break;
        case 'a':
            options.ask_path = optarg;
            break;
        case 'n':
            if (!number(optarg, 1, UINT32_MAX, &options.nproc))
                return wrong("--nproc takes a number of processes");
            break;
        case 'p':
            if (!number(optarg, 1, UINT16_MAX, &value))
                return wrong("--proxy-port takes a port from 1 to 65535");
            options.proxy_port = (uint16_t)value;
            break;
        case 'r':
        case 'c':
            if (!number(optarg, 1, 10000, &value))
                return wrong("--rows and --cols take a number from 1 to 10000");
            *(option == 'r' ? &options.rows : &options.cols) = (uint16_t)value;
            break;
        case 'h':
            return main_help(stdout, 0);
        case 'v':
            return main_version();
        default:
            return EXIT_USAGE; /* getopt_long(3) has said why */
        }
    }
    options.argv = argv + optind;
    if (!options.link_path || !options.ask_path || !options.argv[0])
        return wrong("it takes --link PATH, --ask PATH and a command");

    struct bj_error error = {0};
    int code = init_run(&options, &error);
    if (code < 0) {
        fprintf(stderr, "belljar-shim init: %s\n", error.text);
        return EXIT_FAILED;
    }
    return code;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0)
        return main_help(stdout, 0);
    if (strcmp(name, "--version") == 0)
        return main_version();
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(name, commands[i].name) == 0) {
            argv[1] = commands[i].title;
            return commands[i].run(argc - 1, argv + 1);
        }
    return main_help(stderr, EXIT_USAGE);
}
