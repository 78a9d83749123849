#include "mux/monitor/dialect.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/json/json.h"

#define TOOL_MAX 128

/* What the agents call their tools, what a policy calls them, and the one argument that says it
 * all. A tool that is not here keeps its name and shows all of its arguments. */
static const struct {
    const char *theirs, *ours, *argument;
} tools[] = {
    {"Bash", "Bash", "command"},
    {"bash", "Bash", "command"},
    {"shell", "Bash", "command"},
    {"local_shell", "Bash", "command"},
    {"exec_command", "Bash", "cmd"},
    {"run_shell_command", "Bash", "command"},
    {"Read", "Read", "file_path"},
    {"read", "Read", "filePath"},
    {"read_file", "Read", "file_path"},
    {"Write", "Write", "file_path"},
    {"write", "Write", "filePath"},
    {"write_file", "Write", "file_path"},
    {"Edit", "Edit", "file_path"},
    {"edit", "Edit", "filePath"},
    {"replace", "Edit", "file_path"},
    {"MultiEdit", "Edit", "file_path"},
    {"NotebookEdit", "Edit", "notebook_path"},
    {"apply_patch", "Edit", NULL},
    {"WebFetch", "WebFetch", "url"},
    {"webfetch", "WebFetch", "url"},
    {"WebSearch", "WebSearch", "query"},
    {"google_web_search", "WebSearch", "query"},
};

/* Events that tell what the agent does now; some only when tells_state(). */
static const struct {
    const char *event, *state;
} events[] = {
    {"SessionStart", "waiting"},
    {"UserPromptSubmit", "working"},
    {"Stop", "done"},
    {"StopFailure", "waiting"}, /* its model could not be asked */
    {"SessionEnd", "done"},
    {"Notification", "waiting"},
    {"BeforeAgent", "working"},
    {"AfterAgent", "done"},
    {"session.idle", "done"},
    {"session.error", "waiting"},
    {"permission.asked", "waiting"},
    {"permission.replied", "working"},
};

/* A tool has been run, well or not. */
static const char *const ends[] = {"PostToolUse", "PostToolUseFailure", "AfterTool"};

/* A notification tells that it waits for the human only when it is of one of these types, or says
 * none; that of an idle prompt comes a minute behind the end of a turn. */
static const char *const waits[] = {"permission_prompt", "worker_permission_prompt",
                                    "elicitation_dialog", "ToolPermission"};

/* Tools that are questions to the human themselves: to allow or deny them says nothing. */
static const char *const questions[] = {"AskUserQuestion", "ExitPlanMode", "request_user_input",
                                        "ask_user", "question"};

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void unknown(struct dialect_reading *reading, const char *why)
{
    dialect_free(reading);
    *reading = (struct dialect_reading){.outcome = DIALECT_UNKNOWN, .why = why};
}

void dialect_free(struct dialect_reading *reading)
{
    free(reading->title);
    free(reading->detail);
    reading->title = reading->detail = NULL;
}

/* A program of that name elsewhere is none. */
static bool is_shell(const char *program)
{
    static const char *const shells[] = {"sh", "bash", "dash", "zsh"};
    static const char *const places[] = {"/bin/", "/usr/bin/", "/usr/local/bin/", ""};
    for (size_t i = 0; program && i < sizeof(places) / sizeof(places[0]); i++)
        for (size_t j = 0; j < sizeof(shells) / sizeof(shells[0]); j++) {
            size_t length = strlen(places[i]);
            if (strncmp(program, places[i], length) == 0 &&
                strcmp(program + length, shells[j]) == 0)
                return true;
        }
    return false;
}

/* A list of words as one line; a shell's `-c` and its kin stand for the script behind them. */
static char *join(const json_t *list)
{
    size_t count = json_array_size(list), size = 1;
    const char *flag = json_string_value(json_array_get(list, 1));
    if (count == 3 && flag && is_shell(json_string_value(json_array_get(list, 0))) &&
        (strcmp(flag, "-lc") == 0 || strcmp(flag, "-c") == 0)) {
        const char *script = json_string_value(json_array_get(list, 2));
        return script ? strdup(script) : NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (!word)
            return NULL;
        size += strlen(word) + 1;
    }
    char *line = calloc(1, size);
    for (size_t i = 0, used = 0; line && i < count; i++)
        used += (size_t)sprintf(line + used, "%s%s", i ? " " : "",
                                json_string_value(json_array_get(list, i)));
    return line;
}

/* Whether another argument changes what the one means: then all are said. */
static bool is_changed(const json_t *input)
{
    static const char *const changing[] = {"args", "argv", "env", "environment", "stdin"};
    const json_t *shell = json_object_get(input, "shell");
    for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
        if (json_object_get(input, changing[i]))
            return true;
    return json_is_array(shell) || json_is_object(shell) ||
           (json_is_string(shell) && !is_shell(json_string_value(shell)));
}

/* The argument that says it all, else everything. */
static char *arguments_of(const json_t *input, const char *argument)
{
    const json_t *value = argument && !is_changed(input) ? json_object_get(input, argument) : NULL;
    if (json_is_string(value))
        return strdup(json_string_value(value));
    char *line = json_is_array(value) ? join(value) : NULL;
    if (line)
        return line;
    return json_object_size(input) ? json_dumps(input, JSON_COMPACT | JSON_SORT_KEYS) : strdup("");
}

/* A name that a policy can be about: no white space, no parenthesis. */
static bool is_tool(const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++)
        if (!isgraph((unsigned char)name[i]) || name[i] == '(' || name[i] == ')')
            return false;
    return size > 0 && size < TOOL_MAX;
}

static int set_title(struct dialect_reading *reading, const char *tool, const char *arguments)
{
    int size = asprintf(&reading->title, "%s(%s)", tool, arguments);
    if (size < 0) {
        reading->title = NULL;
        return -1;
    }
    reading->title_size = (size_t)size < DIALECT_TITLE_MAX ? (size_t)size : DIALECT_TITLE_MAX;
    return 0;
}

static int make_title(struct dialect_reading *reading, const char *tool, const json_t *input)
{
    const char *ours = tool, *argument = NULL;
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
        if (strcmp(tools[i].theirs, tool) == 0) {
            ours = tools[i].ours;
            argument = tools[i].argument;
        }
    char *arguments = arguments_of(input, argument);
    int status = arguments ? set_title(reading, ours, arguments) : -1;
    free(arguments);
    return status;
}

static void read_tool(struct dialect_reading *reading, const char *tool, const json_t *root)
{
    const json_t *input = json_object_get(root, "tool_input");
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        if (strcmp(questions[i], tool) == 0) {
            reading->outcome = DIALECT_TELLS;
            reading->state = "waiting";
            snprintf(reading->text, sizeof(reading->text), "it asks you something");
            return;
        }
    if (!is_tool(tool) || !json_is_object(input)) {
        unknown(reading, "a hook's question names no tool, or no arguments");
        return;
    }
    reading->outcome = DIALECT_ASKS;
    reading->detail = json_dumps(input, JSON_INDENT(2));
    if (!reading->detail || make_title(reading, tool, input) < 0)
        unknown(reading, "out of memory for a hook's question");
}

/* Of an event in the table: whether it tells the state that stands there. A session also "starts"
 * anew in the middle of its work, when it is made shorter; a turn without a transcript is one that
 * the agent takes for itself beside the conversation (Codex for its title). */
static bool tells_state(const char *event, const json_t *root)
{
    const char *type = text_of(root, "notification_type"), *source = text_of(root, "source");
    if (json_is_null(json_object_get(root, "transcript_path")))
        return false;
    if (strcmp(event, "SessionStart") == 0)
        return !source || strcmp(source, "compact") != 0;
    if (strcmp(event, "Notification") != 0 || !type)
        return true;
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        if (strcmp(waits[i], type) == 0)
            return true;
    return false;
}

static bool read_event(struct dialect_reading *reading, const char *event, const json_t *root)
{
    const char *text = text_of(root, "message");
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(ends[i], event) == 0) {
            reading->outcome = DIALECT_TELLS;
            reading->tool_ended = true;
            return true;
        }
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (strcmp(events[i].event, event) != 0)
            continue;
        reading->outcome = DIALECT_TELLS;
        reading->state = tells_state(event, root) ? events[i].state : NULL;
        snprintf(reading->text, sizeof(reading->text), "%s", text ? text : "");
        return true;
    }
    return false;
}

/* The tool kinds of the Agent Client Protocol, and the argument that says it all where an agent
 * shows its arguments. */
static const struct {
    const char *theirs, *ours;
    const char *arguments[3];
} kinds[] = {
    {"execute", "Bash", {"command", "cmd"}},
    {"read", "Read", {"file_path", "filePath", "path"}},
    {"edit", "Edit", {"file_path", "filePath", "path"}},
    {"delete", "Delete", {"file_path", "filePath", "path"}},
    {"move", "Move", {NULL}},
    {"search", "Search", {"pattern", "query"}},
    {"fetch", "WebFetch", {"url"}},
};

/* A toolCall names its kind, a title for people, and perhaps its arguments and places. */
static void read_acp(struct dialect_reading *reading, const json_t *call)
{
    const char *kind = text_of(call, "kind"), *ours = "Tool", *argument = NULL;
    const json_t *input = json_object_get(call, "rawInput");
    const json_t *place = json_array_get(json_object_get(call, "locations"), 0);
    for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].theirs, kind) != 0)
            continue;
        ours = kinds[i].ours;
        for (size_t j = 0; j < 3 && !argument && kinds[i].arguments[j]; j++)
            argument = text_of(input, kinds[i].arguments[j]);
        if (!argument && strcmp(ours, "Bash") != 0)
            argument = text_of(place, "path");
    }
    /* The title is what the agent says of its arguments, so it counts only without them. */
    bool silent =
        !input || json_is_null(input) || (json_is_object(input) && json_object_size(input) == 0);
    char *all = (!argument && !silent) || is_changed(input)
                    ? json_dumps(input, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)
                    : NULL;
    if (all)
        argument = all;
    else if (!argument)
        argument = text_of(call, "title");
    reading->outcome = DIALECT_ASKS;
    reading->detail = json_dumps(call, JSON_INDENT(2));
    if (!argument)
        unknown(reading, "an agent's request for permission says nothing of what it asks");
    else if (!reading->detail || set_title(reading, ours, argument) < 0)
        unknown(reading, "out of memory for a hook's question");
    free(all);
}

/* All agents read so far name the event in one of these, and the tool in tool_name. */
static void read_object(struct dialect_reading *reading, const json_t *root)
{
    const char *event = text_of(root, "hook_event_name");
    const char *tool = text_of(root, "tool_name");
    if (!event)
        event = text_of(root, "type");
    if (event && read_event(reading, event, root))
        return;
    if (tool)
        read_tool(reading, tool, root);
    else if (json_is_object(json_object_get(root, "toolCall")))
        read_acp(reading, json_object_get(root, "toolCall"));
    else
        unknown(reading, "a hook told of an event that is not known here");
}

void dialect_read(struct dialect_reading *reading, const char *name, const char *bytes, size_t size)
{
    static const char *const names[] = {
        "claude", "claude-permission", "codex", "codex-permission", "opencode", "gemini", "acp",
        "raw"};
    bool known = false;
    *reading = (struct dialect_reading){.outcome = DIALECT_UNKNOWN};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        known = known || strcmp(names[i], name) == 0;
    if (!known || size == 0) {
        unknown(reading, known ? "a hook's question was empty, or over 64 KiB"
                               : "a hook asked in a dialect that is not known here");
        return;
    }
    int status;
    json_t *root = json_read(bytes, size, JSON_REJECT_DUPLICATES, NULL, &status);
    if (json_is_object(root))
        read_object(reading, root);
    if (json_starved()) /* what was read may lack something */
        unknown(reading, "there was no memory to read a hook's question");
    else if (!json_is_object(root))
        unknown(reading, "a hook's question cannot be read");
    json_decref(root);
}
