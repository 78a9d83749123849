/* The table of commands, see command.h; nothing else is here. */
#include "tui/cli/alerts.h"
#include "tui/cli/attach.h"
#include "tui/cli/audit.h"
#include "tui/cli/bridge.h"
#include "tui/cli/clients.h"
#include "tui/cli/command.h"
#include "tui/cli/config.h"
#include "tui/cli/daemon.h"
#include "tui/cli/decide.h"
#include "tui/cli/diff.h"
#include "tui/cli/doctor.h"
#include "tui/cli/egress.h"
#include "tui/cli/exec.h"
#include "tui/cli/export.h"
#include "tui/cli/help.h"
#include "tui/cli/keyhelp.h"
#include "tui/cli/learn.h"
#include "tui/cli/list.h"
#include "tui/cli/policy.h"
#include "tui/cli/pull.h"
#include "tui/cli/push.h"
#include "tui/cli/replay.h"
#include "tui/cli/restart.h"
#include "tui/cli/rules.h"
#include "tui/cli/sandbox.h"
#include "tui/cli/screen.h"
#include "tui/cli/start.h"
#include "tui/cli/up.h"
#include "tui/cli/watch.h"

/* clang-format off */

/* The greatest integer that JSON and msgpack's signed integers both carry. */
#define BYTES_MAX INT64_MAX
#define MONTH_MS  (UINT64_C(31) * 24 * 3600 * 1000)
#define YEAR_MS   (UINT64_C(366) * 24 * 3600 * 1000)

#define FLAG(LETTER, NAME, HELP) {.letter = LETTER, .name = NAME, .help = HELP}
#define TEXT(LETTER, NAME, VALUE, KIND, HELP)                                                      \
    {.letter = LETTER, .name = NAME, .type = OPTION_TEXT, .value = VALUE, .kind = KIND,            \
     .help = HELP}
#define LIST(LETTER, NAME, VALUE, HELP)                                                            \
    {.letter = LETTER, .name = NAME, .type = OPTION_LIST, .value = VALUE, .help = HELP}
#define CHOICE(LETTER, NAME, CHOICES, HELP)                                                        \
    {.letter = LETTER, .name = NAME, .type = OPTION_TEXT, .value = CHOICES, .kind = WORD_CHOICE,   \
     .choices = CHOICES, .help = HELP}
#define NUMBER(LETTER, NAME, TYPE, VALUE, LIMIT, HELP)                                             \
    {.letter = LETTER, .name = NAME, .type = TYPE, .value = VALUE, .limit = LIMIT, .help = HELP}
#define SIZE(LETTER, NAME, HELP)        NUMBER(LETTER, NAME, OPTION_SIZE, "SIZE", BYTES_MAX, HELP)
#define COUNT(NAME, VALUE, LIMIT, HELP) NUMBER(0, NAME, OPTION_COUNT, VALUE, LIMIT, HELP)

#define PREVIOUS_OPTION FLAG(0, "previous", "that of the run before its last restart")
#define JSON_OPTION   FLAG(0, "json", "print JSON, with the API's field names")
#define ALL_OPTION    FLAG('a', "all", "every sandbox")
#define THEME_OPTION                                                                               \
    TEXT(0, "theme", "THEME", WORD_THEME, "theme of the dashboard: a name or a file")
#define REASON_OPTION TEXT('r', "reason", "TEXT", WORD_NONE, "told to the agent")
#define RULE_OPTION                                                                                \
    CHOICE(0, "rule", "sandbox|project|all", "remember the verdict as a rule for these")
#define FOR_OPTION                                                                                 \
    NUMBER(0, "for", OPTION_DURATION, "DURATION", YEAR_MS,                                         \
           "how long the rule counts (default: for good)")
#define MAX_SIZE_OPTION SIZE(0, "max-size", "refuse more than this (default 1G)")

const struct command_spec command_table[] = {
    {"attach", "[SESSION]", .max = 1, .kind = WORD_SESSION,
     .summary = "open the dashboard",
     .text = "Shows the session's sandboxes (main when none is named), and starts the server when "
             "none runs. This is what belljar without a command does. Detaching leaves everything "
             "running. A session is there as long as sandboxes are in it, or were.",
     .options = {THEME_OPTION, FLAG(0, "new", "the session may be one that has no sandbox yet"),
                 FLAG(0, "read-only", "look only: nothing is typed, decided or resized"),
                 TEXT(0, "focus", "NAME", WORD_SANDBOX,
                      "sandbox whose agent gets the keys from the start"),
                 LIST(0, "host", "HOST", "sandboxes of that host as well; may be repeated"),
                 TEXT(0, "remote-command", "COMMAND", WORD_NONE,
                      "command that runs belljar there (default belljar)")},
     .run = attach_command},
    {"run", "", .trailing = true,
     .summary = "start an agent in a new sandbox",
     .text = "Without COMMAND the sandbox runs your shell. On a terminal the dashboard opens with "
             "the new sandbox in focus; with -d the sandbox's name is printed instead. With "
             "--project the agent works on a private copy of the directory: a repository is cloned at "
             "its last commit, of another directory all files are copied. With --agent the "
             "repository that you are in is the project that you did not name. A limit that is not "
             "given is the policy's; 0 is none. With --agent a known agent is started as its "
             "profile says, with COMMAND's words as further arguments; belljar doctor lists the "
             "profiles. With --acp PROFILE-acp is used, or COMMAND speaks that protocol on its "
             "standard input and output. With --like all that is not given is as that sandbox has "
             "it: agent and arguments, project, policy, wall, every limit, recording, variables, "
             "session; project copy and home are fresh, the prompt is not repeated. "
             "--without leaves one of these out: what then is the policy's, or usual.",
     .options =
         {FLAG('d', "detach", "do not open the dashboard"),
          TEXT('A', "agent", "PROFILE", WORD_AGENT, "start this agent: claude, codex, ..."),
          FLAG(0, "instead", "run COMMAND in place of the agent's program, with all it would have"),
          FLAG(0, "acp", "speak the Agent Client Protocol with it: a transcript"),
          TEXT(0, "prompt", "TEXT", WORD_NONE, "what the agent is told first"),
          TEXT(0, "like", "NAME", WORD_SANDBOX,
               "as this sandbox was run, running or ended, but for what is given here"),
          {.name = "without", .type = OPTION_LIST, .value = "OPTION", .kind = WORD_CHOICE,
           .choices = "agent|project|policy|driver|memory|cpus|pids|disk|egress|wall-clock|"
                      "scrollback|record-limit|env|session",
           .help = "and but for this option of it: policy, project, env, ...; may be repeated"},
          TEXT('n', "name", "NAME", WORD_NONE, "name of the sandbox (letters, digits, - _ .)"),
          TEXT('p', "project", "DIR", WORD_DIRECTORY, "give it a copy of this directory at /work"),
          FLAG(0, "no-project", "with --agent in a repository: an empty /work all the same"),
          TEXT(0, "policy", "FILE", WORD_FILE, "policy file for it, added to your own"),
          TEXT(0, "driver", "DRIVER", WORD_DRIVER, "how the wall is built (default bwrap)"),
          SIZE('m', "memory", "memory limit, e.g. 512M or 2G"),
          NUMBER('c', "cpus", OPTION_MILLI, "N.N", 1000000, "processor limit in cores, e.g. 1.5"),
          COUNT("pids", "N", 4194304, "limit on processes and threads"),
          SIZE(0, "disk", "disk limit of project copy and home together"),
          SIZE(0, "egress", "network limit in bytes per hour"),
          NUMBER(0, "wall-clock", OPTION_DURATION, "DURATION", YEAR_MS,
                 "pause it once after this time, e.g. 8h; then resume or end it"),
          COUNT("scrollback", "LINES", 10000000, "lines kept above the screen (default 10000)"),
          SIZE(0, "record-limit", "disk for the recording (default 64M, 0: none)"),
          FLAG(0, "no-record", "do not record what its screen shows"),
          LIST('e', "env", "NAME=VALUE", "set a variable for the agent; may be repeated"),
          TEXT('s', "session", "SESSION", WORD_SESSION, "session to show it in (default main)"),
          COUNT("rows", "N", 10000, "height of its terminal before it is shown"),
          COUNT("cols", "N", 10000, "width of its terminal before it is shown"),
          THEME_OPTION},
     .run = start_run},
    {"up", "[MANIFEST]", .max = 1, .kind = WORD_FILE,
     .summary = "run the sandboxes of a manifest",
     .text = "MANIFEST is belljar.up, else .belljar/up.conf here. What runs already is left alone, "
             "what ended runs again on its own work, what is missing is made; all is checked before "
             "the first one starts. A manifest may have come with a clone: until its very bytes, "
             "and those of the policy files that it names, have been accepted, the plan is shown "
             "and you are asked.",
     .options = {FLAG(0, "dry-run", "only show what would be done"),
                 FLAG(0, "yes", "accept the manifest as it is now")},
     .run = up_run},
    {"down", "[MANIFEST]", .max = 1, .kind = WORD_FILE,
     .summary = "end the sandboxes of a manifest",
     .text = "Kills those that run; their work stays, and belljar up restarts them. A sandbox that "
             "only has the name of one, with another project or agent, is left alone.",
     .run = up_end},
    {"ls", "",
     .summary = "list sandboxes",
     .text = "Starts the server when none runs, so that sandboxes are found again after its end. A "
             "figure that is not known is shown as a dash.",
     .options = {JSON_OPTION},
     .run = list_sandboxes},
    {"capture", "NAME", .min = 1, .max = 1, .kind = WORD_SANDBOX,
     .summary = "print a pane's text",
     .options = {FLAG('s', "scrollback", "all lines kept, not only the screen"),
                 FLAG('e', "ansi", "with colours and attributes")},
     .run = screen_capture},
    {"send", "NAME [TEXT|KEY...]", .min = 1, .max = COMMAND_MANY, .kind = WORD_SANDBOX,
     .summary = "type into a pane",
     .text = "TEXT is sent as it is. With --keys each word names a key as in tmux: Enter, Escape, "
             "Tab, C-c, M-x, S-Up, F1 to F24, Home, PPage, DC, or one character. Enter after a TEXT is "
             "pressed when the text is on the screen, because agents treat one that comes at once as "
             "part of a paste.",
     .options = {FLAG('k', "keys", "the words are names of keys"),
                 FLAG(0, "enter", "press Enter at the end")},
     .run = screen_send},
    {"requests", "[show ID]", .max = 2, .kind = WORD_CHOICE, .choices = "show",
     .summary = "list requests that wait for a verdict",
     .text = "Requests of class wall are held by the host; those of class courtesy come from a "
             "hook inside, which a hostile agent can skip. Equal ones of several sandboxes are "
             "one, with a count. With show ID: all that is known of one, and what a rule would "
             "say.",
     .options = {JSON_OPTION},
     .run = decide_requests},
    {"allow", "ID", .min = 1, .max = 1, .kind = WORD_REQUEST,
     .summary = "allow a request",
     .text = "ID is the whole id that belljar requests shows; it belongs to the text shown. A "
             "verdict counts only for a request that has been in view for 300 ms. With --rule the "
             "verdict is remembered, and the rule is printed.",
     .options = {RULE_OPTION, FOR_OPTION, REASON_OPTION},
     .run = decide_allow},
    {"deny", "ID", .min = 1, .max = 1, .kind = WORD_REQUEST,
     .summary = "deny a request",
     .options = {RULE_OPTION, FOR_OPTION, REASON_OPTION},
     .run = decide_deny},
    {"rules", "[add KIND PATTERN|remove ID|undo]", .max = 3, .kind = WORD_CHOICE,
     .choices = "add|remove|undo",
     .summary = "list, add and remove remembered verdicts",
     .text = "add KIND PATTERN remembers a rule; kinds and patterns are those of "
             "belljar-policy(5). remove takes the number that the list shows; connections that "
             "only that rule allowed are closed. undo removes the newest.",
     .options = {FLAG(0, "allow", "add: what matches may cross the wall"),
                 FLAG(0, "deny", "add: what matches may not"),
                 TEXT(0, "scope", "sandbox:NAME|project:DIR|all", WORD_NONE,
                      "add: for whom it counts"),
                 FOR_OPTION, JSON_OPTION},
     .run = rules_command},
    {"policy", "check FILE|explain NAME KIND SUBJECT|show NAME|reload [NAME...]", .min = 1,
     .max = COMMAND_MANY,
     .kind = WORD_CHOICE, .choices = "check|explain|show|reload",
     .summary = "check, explain, show and reload policies",
     .text = "check reads a file and names every fault with its line (exit code 1). explain says "
             "what would be decided for a sandbox, and which line decides: SUBJECT is host:port "
             "for egress, Tool(arguments) for exec, a path for file_out. show lists the files that "
             "count for a sandbox. reload makes running sandboxes take changed files.",
     .options = {FLAG('a', "all", "reload: every sandbox"), JSON_OPTION},
     .run = policy_command},
    {"suggest", "",
     .summary = "propose rules that would have answered past requests",
     .text = "Reads the audit log. For each rule: what it would have let through, and the command "
             "that accepts it. Nothing is applied.",
     .options = {COUNT("times", "N", 1000000,
                       "leave out rules that would have answered fewer (default 2)"),
                 JSON_OPTION},
     .run = learn_suggest},
    {"stats", "",
     .summary = "say how often humans are asked",
     .text = "Reads the audit log: requests per sandbox and hour, the share that rules answered, "
             "the median time to a verdict, and the rate per human and hour beside the 6 that "
             "alarm management calls manageable.",
     .options = {JSON_OPTION},
     .run = learn_stats},
    {"alerts", "",
     .summary = "list alerts",
     .options = {JSON_OPTION,
                 FLAG('f', "follow", "go on and print new ones, one a line, until interrupted"),
                 FLAG(0, "ack", "mark them as seen"),
                 TEXT('n', "sandbox", "NAME", WORD_SANDBOX, "only this sandbox's")},
     .run = alerts_command},
    {"egress", "NAME", .min = 1, .max = 1, .kind = WORD_SANDBOX,
     .summary = "list the hosts that a sandbox connected to",
     .options = {JSON_OPTION},
     .run = egress_command},
    {"audit", "[show|verify]", .max = 1, .kind = WORD_CHOICE, .choices = "show|verify",
     .summary = "show or verify the audit log",
     .text = "verify checks the chain of hashes and exits with 1 where a record was edited, "
             "removed, moved or cut off. Both work without a server.",
     .options = {TEXT('n', "sandbox", "NAME", WORD_SANDBOX,
                      "show: only of this sandbox (name or id)"),
                 TEXT('k', "kind", "KIND", WORD_NONE,
                      "show: only records of this kind, e.g. verdict"),
                 TEXT('s', "since", "TIME", WORD_NONE,
                      "show: since 2h (ago), 2031-05-01 or 2031-05-01T10:00"),
                 FLAG('f', "follow", "show: go on and print new ones until interrupted"),
                 JSON_OPTION},
     .run = audit_command},
    {"watch", "[NAME...]", .max = COMMAND_MANY, .kind = WORD_SANDBOX,
     .summary = "say what happens, one line for each event",
     .text = "In words, with the time, for screen readers and logs: states, what agents say of "
             "themselves, requests, verdicts, alerts, exits; of the sandboxes that are named, or "
             "of all. The current state comes first. With --json one object a line. It goes on "
             "when the server is lost, and ends when the server is stopped.",
     .options = {FLAG(0, "json", "print one JSON object for each event")},
     .run = watch_command},
    {"exec", "NAME", .min = 1, .max = 1, .kind = WORD_SANDBOX, .trailing = true,
     .summary = "run a command in a sandbox, beside its agent",
     .text = "Runs COMMAND in /work as the agent's user, without a terminal, and exits with its code. "
             "Control characters in what it prints are made visible; of its standard error only the "
             "end is shown. In a sandbox that has ended, it runs in one like it. The audit log keeps "
             "the command.",
     .options = {FLAG('i', "stdin", "connect its standard input (default: none)"),
                 FLAG(0, "raw", "print its bytes as they are; not on a terminal")},
     .run = exec_command},
    {"diff", "NAME", .min = 1, .max = 1, .kind = WORD_SANDBOX,
     .summary = "show what an agent changed",
     .text = "For a project that is a git repository: everything since the commit that the copy "
             "started from, commits, uncommitted changes and new files that are not ignored. It is "
             "made inside the sandbox, or one like it when that has ended, so it is what the "
             "sandbox says; what belljar pull reports is checked on the host. The agent's own index "
             "is left alone. Any other folder is compared with the project as it is on the host now, "
             "by the rules of pull; a sandbox without a project, with nothing. On a terminal PAGER is "
             "used when it is set.",
     .options = {FLAG(0, "stat", "only the files and how much changed"), MAX_SIZE_OPTION},
     .run = diff_command},
    {"pull", "NAME", .min = 1, .max = 1, .kind = WORD_SANDBOX,
     .summary = "take an agent's work out",
     .text = "From a git repository it becomes a new branch of yours, belljar/NAME; your working "
             "tree, current branch, configuration and hooks stay as they are. Other folders come "
             "into a new directory. All of it is checked first: no file of the agent is executed, "
             "and no symbolic link leads out. What the policy's file_out denies is not taken.",
     .options = {TEXT('b', "branch", "BRANCH", WORD_NONE,
                      "repository: name of the branch (default belljar/NAME)"),
                 FLAG(0, "force", "repository: replace the branch when it exists"),
                 FLAG(0, "submodules", "repository: take links to submodules (as numbers only)"),
                 TEXT(0, "to", "DIR", WORD_DIRECTORY,
                      "other folders: directory to make (default ./NAME)"),
                 COUNT("max-files", "N", 10000000, "refuse more files than this (default 200000)"),
                 MAX_SIZE_OPTION, JSON_OPTION},
     .run = pull_command},
    {"push", "FILE... NAME", .min = 2, .max = COMMAND_MANY, .kind = WORD_FILE,
     .summary = "put files into a sandbox",
     .options = {TEXT(0, "to", "DIR", WORD_NONE, "directory inside (default /work)")},
     .run = push_command},
    {"pause", "[NAME...]", .max = COMMAND_MANY, .kind = WORD_SANDBOX,
     .summary = "pause sandboxes: every process in them stops",
     .options = {ALL_OPTION},
     .run = sandbox_pause},
    {"resume", "[NAME...]", .max = COMMAND_MANY, .kind = WORD_SANDBOX,
     .summary = "let paused sandboxes go on",
     .options = {ALL_OPTION},
     .run = sandbox_resume},
    {"kill", "[NAME...]", .max = COMMAND_MANY, .kind = WORD_SANDBOX,
     .summary = "end sandboxes",
     .text = "Every process in them is gone when this returns. Record, project copy and recording "
             "stay until belljar rm.",
     .options = {ALL_OPTION},
     .run = sandbox_kill},
    {"rm", "[NAME...]", .max = COMMAND_MANY, .kind = WORD_SANDBOX,
     .summary = "forget exited sandboxes and delete their files",
     .options = {FLAG(0, "all-exited", "every sandbox that has exited")},
     .run = sandbox_remove},
    {"restart", "NAME...", .min = 1, .max = COMMAND_MANY, .kind = WORD_SANDBOX,
     .summary = "restart sandboxes that have ended",
     .text = "On their own project copy and home, with the name, policy and limits that they had. "
             "The agent of a profile goes on with its last conversation. Variables of --env are "
             "not remembered: give them again. The recording of the run before is kept, older ones "
             "are not.",
     .options = {TEXT(0, "prompt", "TEXT", WORD_NONE, "what a profile's agent is told first"),
                 FLAG(0, "fresh", "begin a new conversation"),
                 LIST('e', "env", "NAME=VALUE", "set a variable for the agent; may be repeated")},
     .run = restart_run},
    {"rename", "OLD NEW", .min = 2, .max = 2, .kind = WORD_SANDBOX,
     .summary = "give a sandbox another name",
     .run = sandbox_rename},
    {"wait", "NAME", .min = 1, .max = 1, .kind = WORD_SANDBOX,
     .summary = "wait until a sandbox exits",
     .text = "The exit code is the agent's; 128 and the number of the signal when one ended it.",
     .options = {NUMBER('t', "timeout", OPTION_DURATION, "DURATION", MONTH_MS,
                        "give up after this time, e.g. 30s or 5m")},
     .run = sandbox_wait},
    {"clients", "",
     .summary = "list the dashboards that are attached",
     .text = "With the user, the terminal or address that each says it comes from, for how long, "
             "whether it only looks, and which sandbox its human looks at or types into.",
     .options = {JSON_OPTION},
     .run = clients_command},
    {"detach", "[SESSION]", .max = 1, .kind = WORD_SESSION,
     .summary = "detach dashboards from elsewhere",
     .run = attach_end},
    {"replay", "NAME", .min = 1, .max = 1, .kind = WORD_SANDBOX,
     .summary = "play what a sandbox showed",
     .text = "On a terminal, with the keys of the dashboard's replay: space pauses, + and - change "
             "the speed, arrows go 10 s back and forward, n and N from event to event (requests, "
             "verdicts and alerts, which a bar marks), q quits. What is painted is a "
             "screen's text and colours; no byte of the recording reaches the terminal. Works "
             "without a server, and after the sandbox's end.",
     .options = {NUMBER('s', "speed", OPTION_MILLI, "N", 1000000, "playback speed, e.g. 2 or 0.5"),
                 NUMBER('i', "idle-limit", OPTION_DURATION, "DURATION", MONTH_MS,
                        "shorten silences to this (default 2s, 0: keep them)"),
                 CHOICE('x', "export", "cast|text|raw",
                        "write it to stdout: asciicast v2, plain lines, exact bytes"),
                 PREVIOUS_OPTION},
     .run = replay_command},
    {"export", "NAME", .min = 1, .max = 1, .kind = WORD_SANDBOX,
     .summary = "write a sandbox's recording for other programs",
     .text = "asciicast (v2) is what asciinema plays, without what acts on a terminal (clipboard, "
             "titles, questions); text is all lines that were shown; raw is the exact bytes, which "
             "should not reach a terminal. Parts that are no longer kept are named on "
             "standard error. Works without a server, and after the sandbox's end.",
     .options = {CHOICE('f', "format", "asciicast|text|raw", "form (default asciicast)"),
                 TEXT('o', "output", "FILE", WORD_FILE, "write to this new file, not to stdout"),
                 PREVIOUS_OPTION},
     .run = export_command},
    {"doctor", "",
     .summary = "say what this machine can enforce and what is missing",
     .text = "Exit code 1 when something is missing that every sandbox needs. Starts the "
             "server when none runs. Says for each agent's profile whether it would start, with its "
             "key or without, and tries in a sandbox of it whether its hooks reach the policy.",
     .options = {JSON_OPTION},
     .run = doctor_command},
    {"server", "start|stop|status|logs", .min = 1, .max = 1, .kind = WORD_CHOICE,
     .choices = "start|stop|status|logs",
     .summary = "control the server",
     .text = "Stopping the server leaves agents running; the next belljar finds them again.",
     .options = {FLAG('k', "kill", "stop: end every sandbox first"),
                 FLAG(0, "json", "status: print JSON, with the API's field names")},
     .run = daemon_command},
    {"keys", "",
     .summary = "list the dashboard's keys",
     .text = "As they are in force, with your belljar.conf. What stands beside the keys, or under "
             "option with --json, is the name by which the file gives an action other keys.",
     .options = {JSON_OPTION},
     .run = keyhelp_command},
    {"config", "check [FILE]|show", .min = 1, .max = 2, .kind = WORD_CHOICE,
     .choices = "check|show",
     .summary = "check and show the configuration of the dashboard",
     .text = "check names every fault of belljar.conf, or of FILE, with line and option (exit code "
             "1), and warns of colours that are hard to read. show prints what is in force, "
             "presets and theme included, in the form of the file.",
     .options = {JSON_OPTION},
     .run = config_command},
    {"completions", "bash|zsh|scdoc|keys|options|roles|sandboxes|sessions|requests|themes|agents|drivers", .min = 1,
     .max = 1,
     .kind = WORD_CHOICE, .choices = "bash|zsh|scdoc|keys|options|roles|sandboxes|sessions|requests|themes|agents|drivers",
     .hidden = true,
     .summary = "print what shells and the man page need",
     .run = completions_command},
    {"bridge", "",
     .hidden = true,
     .summary = "carry connections to and from another host, over ssh",
     .options = {TEXT(0, "to", "HOST", WORD_NONE, "be the near end, and start ssh"),
                 TEXT(0, "remote-command", "COMMAND", WORD_NONE, "name of belljar there"),
                 TEXT(0, "diff", "NAME", WORD_NONE, "print what that sandbox over there changed"),
                 TEXT(0, "recording", "NAME", WORD_NONE, "print its recording as asciicast"),
                 COUNT("control", "N", 1023, "descriptor of the client's socket"),
                 FLAG(0, "ask", "ssh may ask on the terminal")},
     .run = bridge_command},
    {0},
};
