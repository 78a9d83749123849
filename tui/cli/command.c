#include "tui/cli/command.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tui/cli/args.h"
#include "tui/cli/daemon.h"
#include "tui/cli/decide.h"
#include "tui/cli/doctor.h"
#include "tui/cli/help.h"
#include "tui/cli/keyhelp.h"
#include "tui/cli/list.h"
#include "tui/cli/replay.h"
#include "tui/cli/report.h"
#include "tui/cli/sandbox.h"
#include "tui/cli/screen.h"
#include "tui/cli/start.h"

#define DEFAULT_COMMAND "attach"

/* The greatest integer that JSON and msgpack's signed integers both carry. */
#define BYTES_MAX INT64_MAX
#define MONTH_MS  (UINT64_C(31) * 24 * 3600 * 1000)

#define JSON_OPTION                                                                                \
    {                                                                                              \
        .name = "json", .help = "print JSON, with the API's field names"                           \
    }
#define ALL_OPTION                                                                                 \
    {                                                                                              \
        .letter = 'a', .name = "all", .help = "every sandbox"                                      \
    }
#define THEME_OPTION                                                                               \
    {                                                                                              \
        .name = "theme", .type = OPTION_TEXT, .value = "THEME", .kind = WORD_THEME,                \
        .help = "theme of the dashboard: a name or a file"                                         \
    }

const struct command_spec command_table[] = {
    {
        .name = "attach",
        .arguments = "[SESSION]",
        .max = 1,
        .kind = WORD_SESSION,
        .summary = "open the dashboard",
        .text = "Shows the session's sandboxes (main when none is named), and starts the server "
                "when none runs. This is what belljar without a command does. Detaching leaves "
                "everything running.",
        .options = {THEME_OPTION,
                    {.name = "readonly", .help = "look only: no key reaches an agent"},
                    {.name = "focus",
                     .type = OPTION_TEXT,
                     .value = "NAME",
                     .kind = WORD_SANDBOX,
                     .help = "sandbox whose agent gets the keys from the start"}},
        .run = start_attach,
    },
    {
        .name = "run",
        .arguments = "",
        .trailing = true,
        .summary = "start an agent in a new sandbox",
        .text = "Without COMMAND the sandbox runs your shell. On a terminal the dashboard opens "
                "with the new sandbox in focus; with -d the sandbox's name is printed instead. "
                "With --project the agent works on a private copy of the directory.",
        .options =
            {
                {.letter = 'd', .name = "detach", .help = "do not open the dashboard"},
                {.letter = 'n',
                 .name = "name",
                 .type = OPTION_TEXT,
                 .value = "NAME",
                 .help = "name of the sandbox (letters, digits, - _ .)"},
                {.letter = 'p',
                 .name = "project",
                 .type = OPTION_TEXT,
                 .value = "DIR",
                 .kind = WORD_DIRECTORY,
                 .help = "give it a copy of this directory at /work"},
                {.name = "driver",
                 .type = OPTION_TEXT,
                 .value = "DRIVER",
                 .help = "how the wall is built (default bwrap)"},
                {.letter = 'm',
                 .name = "memory",
                 .type = OPTION_SIZE,
                 .value = "SIZE",
                 .limit = BYTES_MAX,
                 .help = "limit of memory, as 512M or 2G"},
                {.letter = 'c',
                 .name = "cpus",
                 .type = OPTION_MILLI,
                 .value = "N.N",
                 .limit = 1000000,
                 .help = "limit of processor cores, as 1.5"},
                {.name = "pids",
                 .type = OPTION_COUNT,
                 .value = "N",
                 .limit = 4194304,
                 .help = "limit of processes and threads"},
                {.name = "scrollback",
                 .type = OPTION_COUNT,
                 .value = "LINES",
                 .limit = 10000000,
                 .help = "lines kept above the screen (default 10000)"},
                {.name = "record-limit",
                 .type = OPTION_SIZE,
                 .value = "SIZE",
                 .limit = BYTES_MAX,
                 .help = "disk for the recording (default 64M, 0: none)"},
                {.letter = 'e',
                 .name = "env",
                 .type = OPTION_LIST,
                 .value = "NAME=VALUE",
                 .help = "set a variable for the agent; may be repeated"},
                {.letter = 's',
                 .name = "session",
                 .type = OPTION_TEXT,
                 .value = "SESSION",
                 .kind = WORD_SESSION,
                 .help = "session to show it in (default main)"},
                {.name = "rows",
                 .type = OPTION_COUNT,
                 .value = "N",
                 .limit = 10000,
                 .help = "height of its terminal before it is shown"},
                {.name = "cols",
                 .type = OPTION_COUNT,
                 .value = "N",
                 .limit = 10000,
                 .help = "width of its terminal before it is shown"},
                THEME_OPTION,
            },
        .run = start_run,
    },
    {
        .name = "ls",
        .arguments = "",
        .summary = "list sandboxes",
        .text = "Starts the server when none runs, so that sandboxes are found again after its "
                "end. A figure that is not known is shown as a dash.",
        .options = {JSON_OPTION},
        .run = list_sandboxes,
    },
    {
        .name = "capture",
        .arguments = "NAME",
        .min = 1,
        .max = 1,
        .kind = WORD_SANDBOX,
        .summary = "print a pane's text",
        .options =
            {
                {.letter = 's',
                 .name = "scrollback",
                 .help = "all lines kept, not only the screen"},
                {.letter = 'e', .name = "ansi", .help = "with colours and attributes"},
            },
        .run = screen_capture,
    },
    {
        .name = "send",
        .arguments = "NAME [TEXT|KEY...]",
        .min = 1,
        .max = COMMAND_MANY,
        .kind = WORD_SANDBOX,
        .summary = "type into a pane",
        .text = "TEXT is sent as it is. With --keys each word names a key as in tmux: Enter, "
                "Escape, Tab, C-c, M-x, S-Up, F1 to F24, Home, PPage, DC, or one character.",
        .options =
            {
                {.letter = 'k', .name = "keys", .help = "the words are names of keys"},
                {.name = "enter", .help = "press Enter at the end"},
            },
        .run = screen_send,
    },
    {
        .name = "requests",
        .arguments = "",
        .summary = "list requests that wait for a verdict",
        .text = "Requests of class wall are held by the host; those of class courtesy come from "
                "a hook inside, which a hostile agent can skip.",
        .options = {JSON_OPTION},
        .run = decide_requests,
    },
    {
        .name = "allow",
        .arguments = "ID",
        .min = 1,
        .max = 1,
        .kind = WORD_REQUEST,
        .summary = "allow a request",
        .text = "ID is the whole id that belljar requests shows; it belongs to the text shown. A "
                "verdict counts only for a request that has been in view for 300 ms.",
        .options = {{.letter = 'r',
                     .name = "reason",
                     .type = OPTION_TEXT,
                     .value = "TEXT",
                     .help = "told to the agent"}},
        .run = decide_allow,
    },
    {
        .name = "deny",
        .arguments = "ID",
        .min = 1,
        .max = 1,
        .kind = WORD_REQUEST,
        .summary = "deny a request",
        .options = {{.letter = 'r',
                     .name = "reason",
                     .type = OPTION_TEXT,
                     .value = "TEXT",
                     .help = "told to the agent"}},
        .run = decide_deny,
    },
    {
        .name = "alerts",
        .arguments = "",
        .summary = "list what should be known",
        .options =
            {
                JSON_OPTION,
                {.letter = 'f',
                 .name = "follow",
                 .help = "go on and print new ones, one a line, until interrupted"},
            },
        .run = decide_alerts,
    },
    {
        .name = "pause",
        .arguments = "NAME...",
        .max = COMMAND_MANY,
        .kind = WORD_SANDBOX,
        .summary = "stop every process of sandboxes",
        .options = {ALL_OPTION},
        .run = sandbox_pause,
    },
    {
        .name = "resume",
        .arguments = "NAME...",
        .max = COMMAND_MANY,
        .kind = WORD_SANDBOX,
        .summary = "let paused sandboxes go on",
        .options = {ALL_OPTION},
        .run = sandbox_resume,
    },
    {
        .name = "kill",
        .arguments = "NAME...",
        .max = COMMAND_MANY,
        .kind = WORD_SANDBOX,
        .summary = "end sandboxes",
        .text = "Every process in them is gone when this returns. Record, project copy and "
                "recording stay until belljar rm.",
        .options = {ALL_OPTION},
        .run = sandbox_kill,
    },
    {
        .name = "rm",
        .arguments = "NAME...",
        .max = COMMAND_MANY,
        .kind = WORD_SANDBOX,
        .summary = "forget exited sandboxes and delete their files",
        .options = {{.name = "all-exited", .help = "every sandbox that has exited"}},
        .run = sandbox_remove,
    },
    {
        .name = "rename",
        .arguments = "OLD NEW",
        .min = 2,
        .max = 2,
        .kind = WORD_SANDBOX,
        .summary = "give a sandbox another name",
        .run = sandbox_rename,
    },
    {
        .name = "wait",
        .arguments = "NAME",
        .min = 1,
        .max = 1,
        .kind = WORD_SANDBOX,
        .summary = "wait until a sandbox exits",
        .text = "The exit code is the agent's; 128 and the number of the signal when one ended it.",
        .options = {{.letter = 't',
                     .name = "timeout",
                     .type = OPTION_DURATION,
                     .value = "DURATION",
                     .limit = MONTH_MS,
                     .help = "give up after this time, as 30s or 5m"}},
        .run = sandbox_wait,
    },
    {
        .name = "detach",
        .arguments = "[SESSION]",
        .max = 1,
        .kind = WORD_SESSION,
        .summary = "detach dashboards from elsewhere",
        .run = start_detach,
    },
    {
        .name = "replay",
        .arguments = "NAME",
        .min = 1,
        .max = 1,
        .kind = WORD_SANDBOX,
        .summary = "play what a sandbox showed",
        .text = "On a terminal: space pauses, + and - change the speed, q quits. What is painted "
                "is a screen's text and colours; no byte of the recording reaches the terminal. "
                "Works without a server, and after the sandbox's end.",
        .options =
            {
                {.letter = 's',
                 .name = "speed",
                 .type = OPTION_MILLI,
                 .value = "N",
                 .limit = 1000000,
                 .help = "times as fast, as 2 or 0.5"},
                {.letter = 'i',
                 .name = "idle-limit",
                 .type = OPTION_DURATION,
                 .value = "DURATION",
                 .limit = MONTH_MS,
                 .help = "shorten silences to this (default 2s, 0: keep them)"},
                {.letter = 'x',
                 .name = "export",
                 .type = OPTION_TEXT,
                 .value = "cast|text|raw",
                 .kind = WORD_CHOICE,
                 .choices = "cast|text|raw",
                 .help = "write it to stdout: asciicast v2, plain lines, exact bytes"},
            },
        .run = replay_command,
    },
    {
        .name = "doctor",
        .arguments = "",
        .summary = "say what this machine can enforce and what is missing",
        .text = "Exit code 1 when something is missing without which no sandbox can run. Starts "
                "the server when none runs.",
        .options = {JSON_OPTION},
        .run = doctor_command,
    },
    {
        .name = "server",
        .arguments = "start|stop|status|logs",
        .min = 1,
        .max = 1,
        .kind = WORD_CHOICE,
        .choices = "start|stop|status|logs",
        .summary = "control the server",
        .text = "Stopping the server leaves agents running; the next belljar finds them again.",
        .options =
            {
                {.letter = 'k', .name = "kill", .help = "stop: end every sandbox first"},
                {.name = "json", .help = "status: print JSON, with the API's field names"},
            },
        .run = daemon_command,
    },
    {
        .name = "keys",
        .arguments = "",
        .summary = "list the dashboard's keys",
        .options = {JSON_OPTION},
        .run = keyhelp_command,
    },
    {
        .name = "completions",
        .arguments = "bash|zsh|scdoc|keys|roles|sandboxes|sessions|requests|themes",
        .min = 1,
        .max = 1,
        .kind = WORD_CHOICE,
        .choices = "bash|zsh|scdoc|keys|roles|sandboxes|sessions|requests|themes",
        .hidden = true,
        .summary = "print what shells and the man page need",
        .run = completions_command,
    },
    {0},
};

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
