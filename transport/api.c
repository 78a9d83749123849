#include "transport/api.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "transport/message.h"
#include "transport/pack.h"

/* clang-format off */
#define NAME_MAX_BYTES 32
#define PATH_BYTES     4096
#define NAMES_MAX      1024
#define INFO           {"api.info", "Lists methods and notifications with their types.", "{version, methods, events}", {{0}}}

#define WHICH                                                                                      \
    {"names", BJ_PARAM_STRS, false, NAMES_MAX, "names of sandboxes"},                              \
        {"all", BJ_PARAM_BOOL, false, 0, "every sandbox instead"}

const struct bj_method bj_api_server[] = {
    INFO,
    {"server.status",
     "What the server is and what it can enforce here.",
     "{pid, version, started (unix seconds), runtime, state, sandboxes, waiting, alerts, clients, "
     "limits {memory, cpus, pids: mechanism or 'none'}, sampling {cpu, memory, network}, "
     "freeze (mechanism), kill (mechanism), cgroup (its place, or why there is none), "
     "drivers [{name, summary}], audit {directory, records, error (empty, or why no verdict is "
     "taken now)}}",
     {{0}}},
    {"server.stop",
     "Stops the server. Agents and monitors go on unless `kill` is set.",
     "{}",
     {{"kill", BJ_PARAM_BOOL, false, 0, "kill every sandbox first"}}},
    {"sandbox.run",
     "Starts an agent in a new sandbox.",
     "{id, name}",
     {{"argv", BJ_PARAM_STRS, false, 1024, "program and arguments; needed unless `like` is given"},
      {"like", BJ_PARAM_STR, false, NAME_MAX_BYTES,
       "name or id of a sandbox, whose own is what is not given here: agent, arguments, project, "
       "driver, policy, limits, recording, session, env (to which this call's is added)"},
      {"without", BJ_PARAM_STRS, false, 24, "parameters that `like` does not give"},
      {"agent", BJ_PARAM_STR, false, 32, "an agent's profile; argv are further arguments then"},
      {"instead", BJ_PARAM_BOOL, false, 0, "argv runs in place of the agent's program, with all that "
                                           "it would have"},
      {"prompt", BJ_PARAM_STR, false, 65536, "the agent's first prompt; with a profile only"},
      {"resume", BJ_PARAM_BOOL, false, 0, "it goes on with its last conversation; likewise"},
      {"path", BJ_PARAM_STR, false, PATH_BYTES, "the user's PATH, where the agent is looked for"},
      {"name", BJ_PARAM_STR, false, NAME_MAX_BYTES, "letters, digits, - _ .; made up when absent"},
      {"project", BJ_PARAM_STR, false, PATH_BYTES, "directory on the host to give a copy of"},
      {"driver", BJ_PARAM_STR, false, 32, "wall; default bwrap"},
      {"policy", BJ_PARAM_STR, false, PATH_BYTES, "policy file on the host, added to the user's own"},
      {"memory", BJ_PARAM_UINT, false, UINT64_MAX, "limit in bytes, 0 none; default the policy's"},
      {"millicpus", BJ_PARAM_UINT, false, 1000000, "limit in 1/1000 of a core, likewise"},
      {"pids", BJ_PARAM_UINT, false, 4194304, "limit of processes and threads, likewise"},
      {"disk", BJ_PARAM_UINT, false, UINT64_MAX, "limit of project copy and home in bytes, likewise"},
      {"egress", BJ_PARAM_UINT, false, UINT64_MAX, "limit of bytes per hour over the network, "
                                                   "likewise"},
      {"wall_clock", BJ_PARAM_UINT, false, UINT32_MAX, "limit of seconds since the start, likewise"},
      {"rows", BJ_PARAM_UINT, false, 10000, "first height of the pty; default 24"},
      {"cols", BJ_PARAM_UINT, false, 10000, "first width of the pty; default 80"},
      {"scrollback", BJ_PARAM_UINT, false, 10000000, "lines kept; default 10000"},
      {"record_limit", BJ_PARAM_UINT, false, UINT64_MAX, "bytes of recording kept on disk; "
                                                         "default 64 MiB, 0 records nothing"},
      {"env", BJ_PARAM_STRS, false, 64, "NAME=VALUE for the agent, beside the short allowlist"},
      {"session", BJ_PARAM_STR, false, NAME_MAX_BYTES, "session to show it in; default main"}}},
    {"profile.list",
     "The agents' profiles, and whether each would start here.",
     "[{name, summary, ready, why (it would not, or empty), keyless (why none of its credentials is "
     "at hand, or empty), program (on the host), installs (how it is installed inside, as it is not on "
     "the host, or empty), keys [str]}]",
     {{"path", BJ_PARAM_STR, false, PATH_BYTES, "the user's PATH"}}},
    {"sandbox.list", "Every sandbox, oldest first.", "[sandbox], see event.sandbox, and timeline [[doing, steps of 5 seconds]] (what it did in the last ten "
     "minutes, oldest first; the last step is the one that runs)", {{0}}},
    {"sandbox.kill",
     "Ends sandboxes: every process in them is gone when this returns.",
     "{names: [str]}",
     {WHICH}},
    {"sandbox.pause", "Stops every process of the sandboxes.", "{names: [str]}", {WHICH}},
    {"sandbox.resume", "Lets paused sandboxes go on.", "{names: [str]}", {WHICH}},
    {"sandbox.restart",
     "Runs a sandbox that has ended again, on its own project copy and home; the agent of a profile "
     "goes on with its conversation.",
     "{id, name}",
     {{"name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "its name"},
      {"fresh", BJ_PARAM_BOOL, false, 0, "a new conversation"},
      {"prompt", BJ_PARAM_STR, false, 65536, "what the agent is told first; with a profile only"},
      {"path", BJ_PARAM_STR, false, PATH_BYTES, "the user's PATH, where the agent is looked for"},
      {"env", BJ_PARAM_STRS, false, 64, "NAME=VALUE for the agent, which are not remembered"}}},
    {"sandbox.rename",
     "Gives a sandbox another name.",
     "{}",
     {{"name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "its name"},
      {"new_name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "the new one"}}},
    {"sandbox.remove",
     "Forgets an exited sandbox and deletes its files (project copy, home, recording).",
     "{names: [str]}",
     {WHICH}},
    {"request.list",
     "Requests that wait for a verdict, oldest first. Listing counts as showing them. Equal "
     "questions of several sandboxes are one request.",
     "[request], see event.request",
     {{0}}},
    {"request.shown",
     "A client says that it shows these requests to its human now.",
     "{}",
     {{"ids", BJ_PARAM_STRS, true, NAMES_MAX, "request ids"}}},
    {"request.resolve",
     "A verdict. Refused unless the very request has been shown for 300 ms, and while the audit log "
     "cannot be written.",
     "{sandbox, title, count (sandboxes that waited), rule (its id, 0 without), sentence (the "
     "rule's)}",
     {{"id", BJ_PARAM_STR, true, 32, "request id: number and digest of its text"},
      {"answer", BJ_PARAM_STR, true, 8, "allow or deny"},
      {"reason", BJ_PARAM_STR, false, BJ_REASON_MAX, "told to the agent"},
      {"scope", BJ_PARAM_STR, false, 16, "sandbox, project or all: remember it as a rule; default once"},
      {"seconds", BJ_PARAM_UINT, false, UINT32_MAX, "how long the rule counts; default 0, for good"}}},
    {"request.details",
     "All that is known of an open request.",
     "{id, class, kind, subject, title, detail, sandboxes [name], created, risk, where (policy line "
     "that held it), why, rules {sandbox, project, all: what remembering the verdict would say, nil "
     "where it cannot}, answer, seconds (of those rules), asked, allowed, denied (times before), "
     "last (unix seconds, 0 never)}",
     {{"id", BJ_PARAM_STR, true, 32, "request id"},
      {"answer", BJ_PARAM_STR, false, 8, "verdict that the rules would remember: allow (default) or deny"},
      {"seconds", BJ_PARAM_UINT, false, UINT32_MAX, "how long they would count; default 0, for good"}}},
    {"rule.list",
     "Remembered verdicts, oldest first.",
     "[{id, kind, effect, pattern, scope, value (sandbox id or project), name (of the sandbox), "
     "created, expires (unix seconds, 0 never), request, sentence}]",
     {{0}}},
    {"rule.add",
     "Remembers a rule that a human wrote or accepted.",
     "{id, sentence}",
     {{"kind", BJ_PARAM_STR, true, 16, "as in policies: egress, exec, file_out, ..."},
      {"pattern", BJ_PARAM_STR, true, 1023, "as in policies"},
      {"effect", BJ_PARAM_STR, true, 8, "allow or deny"},
      {"scope", BJ_PARAM_STR, true, 16, "sandbox, project or all"},
      {"value", BJ_PARAM_STR, false, PATH_BYTES, "name of the sandbox, or the project's directory"},
      {"seconds", BJ_PARAM_UINT, false, UINT32_MAX, "how long it counts; default 0, for good"}}},
    {"rule.remove",
     "Forgets a rule. Connections that only it allowed are closed.",
     "{sentence}",
     {{"id", BJ_PARAM_UINT, true, UINT64_MAX, ""}}},
    {"rule.undo", "Forgets the rule that was remembered last.", "{id, sentence}", {{0}}},
    {"policy.explain",
     "What would be decided for a sandbox now, and by which line. Nothing is asked or recorded.",
     "{effect, by_default, rule (id, 0 without), where, pattern, subject, why, lines [{effect (empty "
     "for a note), decides, rule, where, text}]}",
     {{"name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "sandbox"},
      {"kind", BJ_PARAM_STR, true, 16, ""},
      {"subject", BJ_PARAM_STR, true, 4095, "host:port, Tool(arguments), a path, ..."}}},
    {"policy.files",
     "Which policy files count for a sandbox.",
     "{files [path], presets [{name, hosts, note}], proposal (none|waiting|accepted|refused), "
     "credentials [name]}",
     {{"name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "sandbox"}}},
    {"policy.reload",
     "Reads the policy files of running sandboxes again. One with an error changes nothing.",
     "{names: [str]}",
     {WHICH}},
    {"credential.wanted",
     "Environment variables that credentials are taken from (env: of the user's policy and of the "
     "profiles) and that are not at hand.",
     "[name]",
     {{"agent", BJ_PARAM_STR, false, 32, "only of this profile; empty: of none; default all"}}},
    {"credential.give",
     "Values of such variables, from the client's environment. The server keeps them in memory until "
     "it ends; others are passed over.",
     "{}",
     {{"variables", BJ_PARAM_STRS, true, 64, "NAME=VALUE"}}},
    {"egress.list",
     "The hosts that a sandbox connected to.",
     "[{host, port, open (connections), opened (since the start), in, out (bytes), rate (bytes per "
     "second), refused (times)}]",
     {{"name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "sandbox"}}},
    {"work.begin",
     "Before work is taken out of, or put into, a sandbox: checks that policy and audit log let it.",
     "{id, exec (path of its exec socket, empty when it has ended), project (on the host, or empty), "
     "repository (bool)}",
     {{"name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "sandbox"},
      {"action", BJ_PARAM_STR, true, 8, "diff, pull, push or exec"}}},
    {"work.check",
     "Which of these paths the policy lets out (kind file_out).",
     "[allow|ask|deny], one for each",
     {{"name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "sandbox"},
      {"paths", BJ_PARAM_STRS, true, NAMES_MAX, "in the project"}}},
    {"work.end",
     "What came of it, for the audit log.",
     "{}",
     {{"name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "sandbox"},
      {"action", BJ_PARAM_STR, true, 8, "diff, pull, push or exec"},
      {"outcome", BJ_PARAM_STR, true, 16, "done, refused or failed"},
      {"target", BJ_PARAM_STR, false, PATH_BYTES, "branch, directory or command"},
      {"files", BJ_PARAM_UINT, false, UINT64_MAX, ""},
      {"bytes", BJ_PARAM_UINT, false, UINT64_MAX, ""},
      {"detail", BJ_PARAM_STR, false, 1024, "what was refused, and why"}}},
    {"alert.list", "Alerts, oldest first.", "[alert], see event.alert", {{0}}},
    {"alert.acknowledge",
     "Marks alerts as seen.",
     "{count}",
     {{"sandbox", BJ_PARAM_STR, false, NAME_MAX_BYTES, "only this sandbox's"}}},
    {"client.hello",
     "Says who calls; dashboards say which session they show.",
     "{client, session, layout, selected, panes: [sandbox id], pinned (how many of the first are), order, "
     "sort (as in session.save)}",
     {{"kind", BJ_PARAM_STR, true, 16, "dashboard or cli"},
      {"session", BJ_PARAM_STR, false, NAME_MAX_BYTES, "default main"},
      {"from", BJ_PARAM_STR, false, 64, "its terminal or where it comes from, in its own words"},
      {"readonly", BJ_PARAM_BOOL, false, 0, "from now on what changes anything is refused"}}},
    {"client.focus",
     "A dashboard says which sandbox its human looks at.",
     "{}",
     {{"sandbox_id", BJ_PARAM_STR, false, 15, "id; absent or unknown: none"},
      {"typing", BJ_PARAM_BOOL, false, 0, "the keys go to its agent"}}},
    {"client.list", "The dashboards that are attached, newest first.", "see event.clients", {{0}}},
    {"client.detach",
     "Detaches dashboards.",
     "{count}",
     {{"session", BJ_PARAM_STR, false, NAME_MAX_BYTES, "only this session's; default all"}}},
    {"session.list", "Sessions.", "[{name, layout, selected, panes, pinned, order, sort, clients}]", {{0}}},
    {"session.save",
     "Keeps a session's layout, order of panes, selection and how it is sorted.",
     "{}",
     {{"name", BJ_PARAM_STR, true, NAME_MAX_BYTES, "session"},
      {"layout", BJ_PARAM_STR, false, 16, "tiled, main, zoom"},
      {"selected", BJ_PARAM_STR, false, 32, "sandbox id"},
      {"panes", BJ_PARAM_STRS, false, NAMES_MAX, "sandbox ids in order"},
      {"pinned", BJ_PARAM_UINT, false, NAMES_MAX, "how many of the first panes stay first"},
      {"order", BJ_PARAM_STR, false, 15, "of panes: own, need, project"},
      {"sort", BJ_PARAM_STR, false, 15, "column that the list is sorted by; behind \"-\": the other way round"}}},
    {"events.subscribe",
     "From now on this connection gets the notifications. The current state comes first: one "
     "event.sandbox, event.request and event.alert for each.",
     "{}",
     {{0}}},
    {0},
};

const struct bj_notification bj_events_server[] = {
    {"event.sandbox",
     "A sandbox is new or changed.",
     "id, name, state (starting|running|waiting|paused|exited|lost), argv [str], arguments [str] (the "
     "caller's among those of a profile), env [str] (names of the caller's variables), project, driver, "
     "policy (path of its file, or nil), record_limit, scrollback, session, created (unix seconds), exit_code, exit_signal, error, title, rows, cols, "
     "requests, alerts (unacknowledged), view (path of its view socket), recording [path], "
     "init_pid, monitor_pid, limits {memory, millicpus, pids, disk, egress, wall_clock}, link "
     "(up|down), paced (its flood is taken slowly while a human types elsewhere), "
     "uid (the sandbox's user on the host), bell (times it rang), cgroup (path, or empty), agent "
     "(name of its profile, or nil), agent_state (working|waiting|done as its hooks told last, or "
     "empty), agent_text (what it waits for, in its own words, or empty), doing, source, since (as in "
     "event.stats)"},
    {"event.gone", "A sandbox was removed.", "id, name"},
    {"event.stats",
     "Figures read from outside, about once a second for those that changed.",
     "sandboxes [{id, cpu (percent of one core), memory (bytes), pids, disk_read, disk_write, "
     "net_in, net_out (bytes since start), quiet (seconds since output), doing (unknown|starting|"
     "running|thinking|idle|input: at a prompt|verdict: a request is held|stuck|paused|exited|failed|"
     "lost), source (what says so: none|server|request|hook|prompt|reading|notification|bell|title|output|"
     "cpu|silence), since (unix seconds, nil: longer than is known)}]; a figure that cannot be read "
     "here is nil"},
    {"event.request",
     "A request waits.",
     "id, sandbox (name of the first that asks), sandbox_id, class (wall|courtesy), kind, subject "
     "(what a rule is made of), title, cut (title or detail is longer than that), detail, created (unix "
     "seconds, float), count (sandboxes that "
     "ask the same), sandboxes [id], risk (0 low, 1 medium, 2 high), why (it was held)"},
    {"event.request_gone", "A request is no longer open.", "id, sandbox_id, outcome "
                                                           "(allow|deny|gone), by"},
    {"event.rules", "Rules were remembered or forgotten: see rule.list.", "count"},
    {"event.alert",
     "An alert is new, counted up or acknowledged.",
     "id, sandbox, sandbox_id, severity (info|warning|critical), kind, text, count, first, last "
     "(unix seconds), acknowledged"},
    {"event.session", "A session's layout changed.", "name, layout, selected, panes, pinned, order, sort"},
    {"event.clients",
     "Dashboards came or went, or look at other sandboxes.",
     "you (number of the client that gets this), clients [{number, name (\"dashboard of USER "
     "'FROM'\"), user (as the kernel knows it), from (in its own words), session, since (unix "
     "seconds), readonly, sandbox_id, sandbox (name; what its human looks at, or empty), typing "
     "(keys go to that agent)}], newest first"},
    {"event.detach", "This dashboard is told to detach.", "reason"},
    {"event.stopping", "The server stops.", "killed (whether the sandboxes were, too)"},
    {0},
};

const struct bj_method bj_api_view[] = {
    INFO,
    {"view.attach",
     "Starts `redraw` notifications, the first with the whole screen.",
     "{rows, cols, title}",
     {{"rows", BJ_PARAM_UINT, false, 10000, "size this client has room for; absent: only looks"},
      {"cols", BJ_PARAM_UINT, false, 10000, "likewise"},
      {"readonly", BJ_PARAM_BOOL, false, 0, "input from this client is refused"}}},
    {"view.size",
     "The room this client has. Of the clients that show the pane, the pty takes the size of the one "
     "that typed, focused or took it last; to attach or to have another size takes it from nobody.",
     "{}",
     {{"rows", BJ_PARAM_UINT, true, 10000, ""}, {"cols", BJ_PARAM_UINT, true, 10000, ""}}},
    {"view.take", "The human wants the pane in the size of this client, now.", "{}", {{0}}},
    {"view.hide",
     "The pane is not on screen: send nothing until view.show.",
     "{}",
     {{0}}},
    {"view.show", "The pane is on screen again: a whole screen follows.", "{}", {{0}}},
    {"view.ack",
     "The frame is drawn, the next may come. At most two frames are under way.",
     "{}",
     {{"frame", BJ_PARAM_UINT, true, UINT64_MAX, "number of the redraw"}}},
    {"view.scroll",
     "Moves this client's view into the scrollback.",
     "{offset}",
     {{"offset", BJ_PARAM_UINT, true, UINT64_MAX, "lines above the live screen; 0 is live"}}},
    {"view.input",
     "Bytes for the pty, as they are. Without a link it is answered, like all input, when there is one.",
     "{}",
     {{"bytes", BJ_PARAM_BIN, true, 65536, ""}}},
    {"view.key",
     "A key, encoded as the agent's terminal modes ask.",
     "{}",
     {{"key", BJ_PARAM_STR, true, 16,
       "one character, or enter tab backspace escape up down left right insert delete home end "
       "pageup pagedown f1..f24"},
      {"mods", BJ_PARAM_UINT, false, 7, "1 shift, 2 alt, 4 ctrl"}}},
    {"view.paste",
     "Text, bracketed when the agent asked for that; control characters are dropped.",
     "{}",
     {{"text", BJ_PARAM_STR, true, 1048576, ""}}},
    {"view.mouse",
     "A mouse event; sent on only when the agent asked for it.",
     "{}",
     {{"action", BJ_PARAM_STR, true, 8, "press, release or move"},
      {"button", BJ_PARAM_UINT, false, 7, "1 left, 2 middle, 3 right, 4 wheel up, 5 wheel down"},
      {"row", BJ_PARAM_UINT, true, 10000, "from 0"},
      {"col", BJ_PARAM_UINT, true, 10000, "from 0"},
      {"mods", BJ_PARAM_UINT, false, 7, "as in view.key"}}},
    {"view.focus",
     "The human's focus came to or left the pane.",
     "{}",
     {{"focused", BJ_PARAM_BOOL, true, 0, ""}}},
    {"view.capture",
     "Text of the screen, or of scrollback and screen. Long ones come in parts.",
     "{text, next (line to go on from, nil at the end), lines (in all), rows, cols, row, col "
     "(cursor), prompts [line] (that a shell marked, OSC 133), requests [line] (at which one was "
     "held), wraps [[line, blanks]] (that a soft wrap divided from the next one, and how many blanks "
     "at its end the text leaves out), links [[line, byte, bytes, id]] (where in the text a "
     "hyperlink stands, OSC 8), targets [[id, url]] (of these links; an id never means another one)}",
     {{"scrollback", BJ_PARAM_BOOL, false, 0, "scrollback too"},
      {"ansi", BJ_PARAM_BOOL, false, 0, "with colours and attributes as SGR"},
      {"from", BJ_PARAM_UINT, false, UINT64_MAX, "first line; default 0"}}},
    {0},
};

const struct bj_notification bj_events_view[] = {
    {"redraw",
     "A frame, as [number, [event...]]; apply in order. Attribute and link ids stay valid for the "
     "connection, 0 is the default attribute.",
     "[resize, cols, rows] [attr, id, fg, bg, flags, link] [link, id, url] "
     "[line, row, col, [[text, attr, repeat]...]] (attr and repeat may be absent: as before, 1; a "
     "wide character is followed by an empty text) [scroll, top, bottom, up] "
     "[cursor, row, col, visible, shape (1 block 2 underline 3 bar), blink] [mode, bits] "
     "[title, text] [view, offset, scrollback lines] [bell]"},
    {0},
};

const struct bj_method bj_api_control[] = {
    INFO,
    {"monitor.info",
     "The monitor's state; the same events as if they happened now follow for open asks.",
     "{id, pid, link (up|down), init_pid, rows, cols, title, started, exited, exit_code, "
     "exit_signal, error, output, lines, inputs, breaks, prompt, open (as in pane.output)}",
     {{0}}},
    {"monitor.admit",
     "The only host process whose link connection is taken: the sandbox's init.",
     "{}",
     {{"pid", BJ_PARAM_UINT, true, 4194304, ""}}},
    {"monitor.verdict",
     "Answers an ask.",
     "{}",
     {{"channel", BJ_PARAM_UINT, true, BJ_CHANNEL_MAX, ""},
      {"answer", BJ_PARAM_UINT, true, BJ_ANSWER_PASS, "0 deny, 1 allow, 2 pass"},
      {"reason", BJ_PARAM_STR, false, BJ_REASON_MAX, ""}}},
    {"monitor.mark",
     "A request of it is held: marks the line where its terminal stands, for copy mode.",
     "{}",
     {{0}}},
    {"monitor.note",
     "What the agent is told behind its next tool, if its hooks ask for it: why a connection was denied.",
     "{}",
     {{"text", BJ_PARAM_STR, true, BJ_REASON_MAX, ""}}},
    {"monitor.signal",
     "Signal for the pty's foreground process group.",
     "{}",
     {{"number", BJ_PARAM_UINT, true, 64, ""}}},
    {"monitor.pace",
     "For so long, takes no more output than so many bytes a second from the sandbox. 0 ms: as fast as "
     "it comes, from now on.",
     "{}",
     {{"rate", BJ_PARAM_UINT, true, UINT64_MAX, "bytes a second"},
      {"ms", BJ_PARAM_UINT, true, 60000, ""}}},
    {"monitor.shutdown",
     "Ends the sandbox through the shim.",
     "{}",
     {{0}}},
    {"monitor.stop",
     "The monitor writes what it has and exits. The sandbox is left alone.",
     "{}",
     {{0}}},
    {0},
};

const struct bj_notification bj_events_control[] = {
    {"link.candidate", "A process dialled the link and waits for monitor.admit.", "pid"},
    {"link.up", "The shim said hello.", "pid"},
    {"link.down", "The link ended.", "error (empty for a plain end of file)"},
    {"agent.started", "The agent runs.", "pid (inside)"},
    {"agent.exited", "The agent ended.", "code, signal, error"},
    {"agent.state", "What a hook of the agent told last.", "state (working|waiting|done), text"},
    {"ask.opened", "A process inside asks.", "channel, kind, title, detail (bin), waited (ms)"},
    {"ask.closed", "It does not wait any more.", "channel"},
    {"egress.wanted", "Connections wait for the egress proxy, which is not there.", ""},
    {"pane.title", "The terminal's title changed (controls removed).", "title"},
    {"pane.bell", "The terminal rang.", ""},
    {"pane.size", "The pty's size changed.", "rows, cols"},
    {"pane.output", "There was output, or a human typed, since the last time; at most twice a second.",
     "output (bytes so far), lines (times that it got further down than before), inputs (times that a "
     "human typed), breaks (times that it was Escape or Ctrl-C), prompt (shown|left as the shell's marks said "
     "last, or empty), open (the cursor stands behind something that it printed; absent: not known)"},
    {"alert", "Something to know.", "severity, kind, text"},
    {0},
};

#define ID {"id", BJ_PARAM_STR, true, 32, "sandbox id"}
#define HOST                                                                                       \
    {"host", BJ_PARAM_STR, true, 253, "name or address, in its one spelling"},                     \
        {"port", BJ_PARAM_UINT, true, 65535, ""}

const struct bj_method bj_api_egress[] = {
    INFO,
    {"egress.hello", "First of all; a notification.", "", {ID, {"pid", BJ_PARAM_UINT, true, 4194304, ""}}},
    {"egress.decide",
     "May a stream connect there? Nothing is resolved before the answer.",
     "{answer (allow|deny|wait), reason, addresses_allowed (those that are not public, too), rule, "
     "wait_id}",
     {ID, HOST,
      {"address", BJ_PARAM_BOOL, false, 0, "the host is an address"},
      {"protocol", BJ_PARAM_STR, false, 16, "connect, http or socks"},
      {"waited", BJ_PARAM_UINT, false, UINT32_MAX, "ms since the stream asked first"}}},
    {"egress.credential",
     "The secret that a stream needs for its upstream.",
     "{secret, header, format, upstream, hosts}",
     {ID, {"name", BJ_PARAM_STR, true, 64, ""}}},
    {"egress.gone", "Nobody waits for this verdict any more; a notification.", "",
     {ID, {"wait_id", BJ_PARAM_STR, true, 64, ""}}},
    {"egress.opened", "A connection stands; a notification.", "",
     {ID, HOST,
      {"address", BJ_PARAM_STR, false, 64, "connected to"},
      {"protocol", BJ_PARAM_STR, false, 16, ""}}},
    {"egress.refused", "A stream was refused without a question; a notification.", "",
     {ID,
      {"host", BJ_PARAM_STR, false, 512, ""},
      {"port", BJ_PARAM_UINT, false, 65535, ""},
      {"reason", BJ_PARAM_STR, false, 512, ""},
      {"suppressed", BJ_PARAM_UINT, false, UINT64_MAX, "further ones since the last"}}},
    {0},
};

/* egress.closed and egress.traffic carry floats and lists, which the calls' table does not know: they
 * come as plain notifications. */
const struct bj_notification bj_events_egress[] = {
    {"egress.closed", "From egress: a connection ended.", "id, host, port, in, out, seconds"},
    {"egress.traffic", "From egress: bytes so far, at most once a second.",
     "id, in, out (of all, since the proxy began), open, hosts [{host, port, serial, in, out (since "
     "the first message with this serial)}]"},
    {"egress.verdict", "To egress: what was asked has its answer.",
     "wait_id, answer (allow|deny), reason, addresses_allowed"},
    {"egress.revoke", "To egress: close the connections to this host.", "host, port (0: all)"},
    {"egress.forget", "To egress: drop this credential.", "name"},
    {0},
};
/* clang-format on */

const char *bj_param_type_name(enum bj_param_type type)
{
    static const char *const names[] = {"", "str", "uint", "bool", "bin", "[str]"};
    return names[type];
}

const struct bj_method *bj_method_find(const struct bj_method *table, const char *name, size_t size)
{
    for (; table && table->name; table++)
        if (strlen(table->name) == size && memcmp(table->name, name, size) == 0)
            return table;
    return NULL;
}

static int check_param(const struct bj_param *param, const msgpack_object *value,
                       struct bj_error *error)
{
    uint64_t measure = 0;
    bool fits = false;
    switch (param->type) {
    case BJ_PARAM_STR:
        fits = value->type == MSGPACK_OBJECT_STR;
        measure = fits ? value->via.str.size : 0;
        if (fits && memchr(value->via.str.ptr, '\0', value->via.str.size))
            return bj_fail(error, -EINVAL, "%s contains a NUL byte", param->name);
        break;
    case BJ_PARAM_UINT:
        fits = value->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
        measure = fits ? value->via.u64 : 0;
        break;
    case BJ_PARAM_BOOL:
        fits = value->type == MSGPACK_OBJECT_BOOLEAN;
        break;
    case BJ_PARAM_BIN:
        fits = value->type == MSGPACK_OBJECT_BIN || value->type == MSGPACK_OBJECT_STR;
        measure = value->type == MSGPACK_OBJECT_BIN   ? value->via.bin.size
                  : value->type == MSGPACK_OBJECT_STR ? value->via.str.size
                                                      : 0;
        break;
    case BJ_PARAM_STRS:
        fits = value->type == MSGPACK_OBJECT_ARRAY;
        measure = fits ? value->via.array.size : 0;
        for (uint32_t i = 0; fits && i < value->via.array.size; i++) {
            const msgpack_object *item = &value->via.array.ptr[i];
            fits = item->type == MSGPACK_OBJECT_STR;
            if (fits && item->via.str.size > 0 &&
                memchr(item->via.str.ptr, '\0', item->via.str.size))
                return bj_fail(error, -EINVAL, "%s contains a NUL byte", param->name);
        }
        break;
    }
    if (!fits)
        return bj_fail(error, -EINVAL, "%s is not of type %s", param->name,
                       bj_param_type_name(param->type));
    if (param->type != BJ_PARAM_BOOL && measure > param->limit)
        return bj_fail(error, -EINVAL, "%s is over its limit of %" PRIu64, param->name,
                       param->limit);
    return 0;
}

static const struct bj_param *find_param(const struct bj_method *method, const msgpack_object *key)
{
    for (const struct bj_param *param = method->params;
         param < method->params + BJ_PARAMS_MAX && param->name; param++)
        if (bj_is_str(key, param->name))
            return param;
    return NULL;
}

int bj_method_check(const struct bj_method *method, const msgpack_object *params,
                    struct bj_error *error)
{
    if (!params || params->type != MSGPACK_OBJECT_MAP)
        return bj_fail(error, -EINVAL, "%s takes one map of named parameters", method->name);
    for (uint32_t i = 0; i < params->via.map.size; i++) {
        const msgpack_object_kv *pair = &params->via.map.ptr[i];
        const struct bj_param *param = find_param(method, &pair->key);
        if (!param)
            return bj_fail(error, -EINVAL, "%s has no such parameter (see api.info)", method->name);
        int status = check_param(param, &pair->val, error);
        if (status < 0)
            return status;
    }
    for (const struct bj_param *param = method->params;
         param < method->params + BJ_PARAMS_MAX && param->name; param++)
        if (param->required && !bj_get(params, param->name))
            return bj_fail(error, -EINVAL, "%s needs the parameter %s", method->name, param->name);
    return 0;
}

static void pack_method(msgpack_packer *packer, const struct bj_method *method)
{
    size_t count = 0;
    while (count < BJ_PARAMS_MAX && method->params[count].name)
        count++;
    msgpack_pack_map(packer, 4);
    bj_pack_key_str(packer, "name", method->name);
    bj_pack_key_str(packer, "doc", method->doc);
    bj_pack_key_str(packer, "result", method->result);
    bj_pack_str(packer, "params");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++) {
        const struct bj_param *param = &method->params[i];
        msgpack_pack_map(packer, 5);
        bj_pack_key_str(packer, "name", param->name);
        bj_pack_key_str(packer, "type", bj_param_type_name(param->type));
        bj_pack_key_bool(packer, "required", param->required);
        bj_pack_key_uint(packer, "limit", param->limit);
        bj_pack_key_str(packer, "doc", param->doc);
    }
}

void bj_api_pack(msgpack_packer *packer, const struct bj_method *methods,
                 const struct bj_notification *events)
{
    size_t count = 0;
    while (methods[count].name)
        count++;
    msgpack_pack_map(packer, 3);
    bj_pack_key_uint(packer, "version", BJ_PROTOCOL_VERSION);
    bj_pack_str(packer, "methods");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++)
        pack_method(packer, &methods[i]);
    count = 0;
    while (events && events[count].name)
        count++;
    bj_pack_str(packer, "events");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++) {
        msgpack_pack_map(packer, 3);
        bj_pack_key_str(packer, "name", events[i].name);
        bj_pack_key_str(packer, "doc", events[i].doc);
        bj_pack_key_str(packer, "fields", events[i].fields);
    }
}
