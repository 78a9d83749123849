/* The command line's names in the palette, see palette.h; nothing else is here. */
#include "tui/model/palette.h"

/* clang-format off */
const struct palette_command palette_commands[] = {
    {"run",             ACTION_RUN,             PALETTE_LINE,    NULL, NULL},
    {"ls",              ACTION_LIST,            PALETTE_NOTHING, NULL, NULL},
    {"capture",         ACTION_COPY,            PALETTE_SANDBOX, NULL, NULL},
    {"copy",            ACTION_COPY,            PALETTE_SANDBOX, NULL, NULL},
    {"send",            ACTION_FOCUS,           PALETTE_SANDBOX, NULL, NULL},
    {"focus",           ACTION_FOCUS,           PALETTE_SANDBOX, NULL, NULL},
    {"requests",        ACTION_REQUESTS,        PALETTE_NOTHING, NULL, NULL},
    {"allow",           ACTION_ALLOW,           PALETTE_NOTHING, NULL, NULL},
    {"deny",            ACTION_DENY,            PALETTE_NOTHING, NULL, NULL},
    {"alerts",          ACTION_ALERTS,          PALETTE_NOTHING, NULL, NULL},
    {"alerts --ack",    ACTION_ACKNOWLEDGE_ALL, PALETTE_NOTHING, NULL, NULL},
    {"diff",            ACTION_REVIEW,          PALETTE_SANDBOX, NULL, NULL},
    {"pull",            ACTION_PULL,            PALETTE_SANDBOX, NULL, "take its work out, as a branch of yours (asks first)"},
    {"pause",           ACTION_PAUSE,           PALETTE_SANDBOX, NULL, NULL},
    {"resume",          ACTION_RESUME,          PALETTE_SANDBOX, NULL, "let the paused sandbox, or all marked ones, go on"},
    {"kill",            ACTION_KILL,            PALETTE_SANDBOX, NULL, NULL},
    {"rm",              ACTION_REMOVE,          PALETTE_SANDBOX, NULL, NULL},
    {"rm --all-exited", ACTION_REMOVE_ENDED,    PALETTE_NOTHING, NULL, NULL},
    {"restart",         ACTION_RESTART,         PALETTE_SANDBOX, NULL, "run one that has ended again, on its own work"},
    {"rename",          ACTION_RENAME,          PALETTE_RENAMES, NULL, NULL},
    {"clients",         ACTION_CLIENTS,         PALETTE_NOTHING, NULL, NULL},
    {"detach",          ACTION_DETACH,          PALETTE_NOTHING, NULL, NULL},
    {"replay",          ACTION_REPLAY,          PALETTE_SANDBOX, NULL, NULL},
    {"keys",            ACTION_HELP,            PALETTE_NOTHING, NULL, NULL},

    {"rules",   ACTION_NONE, PALETTE_NOTHING, "rules",         "list remembered verdicts"},
    {"policy",  ACTION_NONE, PALETTE_SANDBOX, "policy show",   "the policy files that count for a sandbox"},
    {"suggest", ACTION_NONE, PALETTE_NOTHING, "suggest",       "rules that would have answered past requests"},
    {"stats",   ACTION_NONE, PALETTE_NOTHING, "stats",         "how often humans are asked"},
    {"egress",  ACTION_NONE, PALETTE_SANDBOX, "egress",        "the hosts that a sandbox connected to"},
    {"audit",   ACTION_NONE, PALETTE_NOTHING, "audit show",    "the audit log, the newest last"},
    {"doctor",  ACTION_NONE, PALETTE_NOTHING, "doctor",        "what this machine can enforce and what is missing"},
    {"server",  ACTION_NONE, PALETTE_NOTHING, "server status", "what the server is and how long it runs"},
    {"config",  ACTION_NONE, PALETTE_NOTHING, "config show",   "the configuration that is in force"},

    {"attach", ACTION_NONE, PALETTE_NOTHING, NULL, "another session: belljar attach SESSION, in a shell"},
    {"up",     ACTION_NONE, PALETTE_NOTHING, NULL, "run a manifest's sandboxes: belljar up, in a shell"},
    {"down",   ACTION_NONE, PALETTE_NOTHING, NULL, "end a manifest's sandboxes: belljar down, in a shell"},
    {"watch",  ACTION_NONE, PALETTE_NOTHING, NULL, "events as lines of text: belljar watch, in a shell"},
    {"exec",   ACTION_NONE, PALETTE_NOTHING, NULL, "a command beside the agent: belljar exec NAME -- COMMAND, in a shell"},
    {"push",   ACTION_NONE, PALETTE_NOTHING, NULL, "put files in: belljar push FILE... NAME, in a shell"},
    {"wait",   ACTION_NONE, PALETTE_NOTHING, NULL, "until a sandbox exits: belljar wait NAME, in a shell"},
    {"export", ACTION_NONE, PALETTE_NOTHING, NULL, "write a recording: belljar export NAME -o FILE, in a shell"},
};
/* clang-format on */
const size_t palette_commands_count = sizeof(palette_commands) / sizeof(palette_commands[0]);
