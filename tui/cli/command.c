#include "tui/cli/command.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tui/cli/args.h"
#include "tui/cli/help.h"
#include "tui/cli/report.h"

#define DEFAULT_COMMAND "attach"

const struct command_spec *command_find(const char *name)
{
    for (const struct command_spec *command = command_table; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

const char *command_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t best = 3;
    for (const struct command_spec *command = command_table; command->name; command++) {
        size_t distance = args_distance(name, command->name);
        if (!command->hidden && distance < best && distance < strlen(name)) {
            best = distance;
            nearest = command->name;
        }
    }
    return nearest;
}

static int unknown_command(const char *name)
{
    const char *nearest = command_nearest(name);
    if (nearest)
        return report_usage("unknown command '%.64s': did you mean %s?", name, nearest);
    return report_usage("unknown command '%.64s': belljar --help lists them", name);
}

static int print_help(const struct command_spec *command)
{
    if (command)
        help_command(stdout, command);
    else
        help_overview(stdout);
    return report_end();
}

static int run(const struct command_spec *command, int argc, char **argv, bool named)
{
    struct bj_error error = {0};
    struct bj_paths paths;
    struct args args;
    int code;
    if (args_parse(&args, command, argc, argv, &error) < 0)
        code = named ? report_usage("%s: %s", command->name, error.text)
                     : report_usage("%s", error.text);
    else if (args.help)
        code = print_help(named ? command : NULL);
    else if (bj_paths_find(&paths, &error) < 0)
        code = report_error(&error);
    else
        code = command->run(&args, &paths);
    args_free(&args);
    return code;
}

int command_main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN); /* a closed connection or pipe is an error like any other */
    if (argc < 2)
        return run(command_find(DEFAULT_COMMAND), 0, argv + argc, false);
    const char *first = argv[1];
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        puts("belljar " BJ_VERSION);
        return report_end();
    }
    if (strcmp(first, "help") == 0) {
        const struct command_spec *command = argc > 2 ? command_find(argv[2]) : NULL;
        return argc > 2 && !command ? unknown_command(argv[2]) : print_help(command);
    }
    if (*first == '-')
        return run(command_find(DEFAULT_COMMAND), argc - 1, argv + 1, false);
    const struct command_spec *command = command_find(first);
    return command ? run(command, argc - 2, argv + 2, true) : unknown_command(first);
}
