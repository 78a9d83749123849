#include "sandbox-shim/acp/session.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox-shim/acp/transcript.h"

#define PROTOCOL_VERSION  1
#define NO_SUCH_METHOD    (-32601)
#define NO_AUTHENTICATION (-32000)

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Takes over `message`. */
static void send_message(struct session *session, json_t *message)
{
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    json_decref(message);
    if (!text) {
        fprintf(stderr, "belljar-acp: no memory for a message\n");
        exit(1);
    }
    buffer_add(&session->out, text, strlen(text));
    buffer_add(&session->out, "\n", 1);
    free(text);
}

/* Takes over `params`. Returns the request's number. */
static json_int_t request(struct session *session, const char *method, json_t *params)
{
    json_int_t number = ++session->next;
    send_message(session, json_pack("{sssIssso}", "jsonrpc", "2.0", "id", number, "method", method,
                                    "params", params));
    return number;
}

static void respond(struct session *session, const json_t *id, json_t *result)
{
    send_message(session, json_pack("{sssOso}", "jsonrpc", "2.0", "id", id, "result", result));
}

void session_start(struct session *session, const char *keep, bool resume)
{
    *session = (struct session){.keep = keep, .resume = resume};
    for (size_t i = 0; i < PERMISSIONS_MAX; i++)
        session->permissions[i].words = -1;
    /* Its files and programs are in the same jar: it uses them itself. */
    session->initialize = request(
        session, "initialize",
        json_pack("{sis{s{sbsb}sb}s{ssssss}}", "protocolVersion", PROTOCOL_VERSION,
                  "clientCapabilities", "fs", "readTextFile", 0, "writeTextFile", 0, "terminal", 0,
                  "clientInfo", "name", "belljar", "title", "Belljar", "version", BJ_VERSION));
}

static void send_next(struct session *session)
{
    if (session->running || !session->open || session->prompts.size == 0)
        return;
    const char *text = session->prompts.bytes;
    if (!session->shown)
        transcript_prompt(text);
    session->shown = false;
    session->running = true;
    json_t *words = json_string(text);
    if (!words)
        words = json_string("(what was typed is not UTF-8)");
    session->turn = request(session, "session/prompt",
                            json_pack("{sss[{ssso}]}", "sessionId", session->id, "prompt", "type",
                                      "text", "text", words));
    buffer_take(&session->prompts, strlen(text) + 1);
    permission_tell("UserPromptSubmit");
}

void session_prompt(struct session *session, const char *text, bool shown)
{
    session->shown = shown && !session->running && session->prompts.size == 0;
    buffer_add(&session->prompts, text, strlen(text) + 1);
    if (session->running)
        transcript_note("sent when this turn has ended");
    send_next(session);
}

static void ready(struct session *session)
{
    send_next(session);
    if (!session->running)
        transcript_ready();
}

/* ---- answers ---- */

/* Asks for the session that is to go on, or for a new one. */
static void begin(struct session *session)
{
    char directory[4096];
    if (!getcwd(directory, sizeof(directory)))
        strcpy(directory, "/work");
    if (session->resume)
        session->begin = request(
            session, "session/load",
            json_pack("{sssss[]}", "sessionId", session->id, "cwd", directory, "mcpServers"));
    else
        session->begin =
            request(session, "session/new", json_pack("{sss[]}", "cwd", directory, "mcpServers"));
}

static void initialized(struct session *session, const json_t *result)
{
    const json_t *agent = json_object_get(result, "agentInfo");
    const json_t *capabilities = json_object_get(result, "agentCapabilities");
    json_int_t version = json_integer_value(json_object_get(result, "protocolVersion"));
    const char *title = text_of(agent, "title");
    transcript_note("%.100s %.40s speaks ACP %d", title[0] ? title : text_of(agent, "name"),
                    text_of(agent, "version"), (int)version);
    if (version != PROTOCOL_VERSION) {
        transcript_note("version %d is the one that is known here: it can't go on",
                        PROTOCOL_VERSION);
        session->failed = true;
        return;
    }
    bool loads = json_is_true(json_object_get(capabilities, "loadSession"));
    FILE *file = session->resume ? fopen(session->keep, "re") : NULL;
    session->resume = file && loads && fgets(session->id, sizeof(session->id), file);
    if (file)
        fclose(file);
    begin(session);
}

static void keep_id(const struct session *session)
{
    FILE *file = fopen(session->keep, "we");
    if (!file || fputs(session->id, file) < 0 || fclose(file) != 0)
        transcript_note("%s cannot be written: this conversation can't be resumed", session->keep);
}

static void begun(struct session *session, const json_t *result)
{
    if (!session->resume) { /* an answer to session/load carries no id */
        snprintf(session->id, sizeof(session->id), "%s", text_of(result, "sessionId"));
        if (session->id[0])
            keep_id(session);
    }
    if (!session->id[0]) {
        transcript_note("it named no session: it can't go on");
        session->failed = true;
        return;
    }
    session->open = true;
    permission_tell("SessionStart");
    ready(session);
}

/* Agents lose sessions; what its human wants is an agent that works. */
static void begin_anew(struct session *session)
{
    transcript_note("the conversation %.100s can't be loaded: a new one begins", session->id);
    session->resume = false;
    session->id[0] = '\0';
    begin(session);
}

static void ended(struct session *session, const char *why)
{
    session->running = false;
    transcript_note("%.100s", why);
    permission_tell("Stop");
    ready(session);
}

static void answered(struct session *session, const json_t *message)
{
    json_int_t number = json_integer_value(json_object_get(message, "id"));
    const json_t *error = json_object_get(message, "error");
    const json_t *result = json_object_get(message, "result");
    if (error) {
        transcript_note("error: %.800s", text_of(error, "message"));
        if (json_integer_value(json_object_get(error, "code")) == NO_AUTHENTICATION)
            transcript_note("it has no credential: belljar doctor says which variable it needs");
        if (number == session->turn)
            ended(session, "the turn failed");
        else if (number == session->begin && session->resume)
            begin_anew(session);
        else
            session->failed = true;
    } else if (number == session->initialize) {
        initialized(session, result);
    } else if (number == session->begin) {
        begun(session, result);
    } else if (number == session->turn) {
        ended(session, text_of(result, "stopReason"));
    }
}

/* ---- requests ---- */

static void asked(struct session *session, const json_t *id, const json_t *params)
{
    struct permission *permission = NULL;
    transcript_tool(json_object_get(params, "toolCall"));
    for (size_t i = 0; i < PERMISSIONS_MAX && !permission; i++)
        if (session->permissions[i].pid == 0)
            permission = &session->permissions[i];
    if (permission && permission_ask(permission, id, params))
        return;
    transcript_note("not asked: too many questions at once, or no memory");
    respond(session, id, json_pack("{s{ss}}", "outcome", "outcome", "cancelled"));
}

static void requested(struct session *session, const char *method, const json_t *message)
{
    const json_t *id = json_object_get(message, "id"), *params = json_object_get(message, "params");
    if (strcmp(method, "session/update") == 0)
        transcript_update(json_object_get(params, "update"));
    else if (id && strcmp(method, "session/request_permission") == 0)
        asked(session, id, params);
    else if (id)
        send_message(session, json_pack("{sssOs{siss}}", "jsonrpc", "2.0", "id", id, "error",
                                        "code", NO_SUCH_METHOD, "message", "not offered here"));
}

void session_take(struct session *session, const char *line)
{
    json_t *message = json_loads(line, 0, NULL);
    const char *method = text_of(message, "method");
    bool answers = json_is_integer(json_object_get(message, "id"));
    if (!method[0] && !answers)
        transcript_note("%.400s", line); /* some agents print their log here */
    else if (method[0])
        requested(session, method, message);
    else
        answered(session, message);
    json_decref(message);
}

void session_decided(struct session *session, struct permission *permission, int code)
{
    const char *reason = permission_reason(permission);
    transcript_note("%s: %.200s%s%.400s",
                    code == 0   ? "allowed"
                    : code == 1 ? "denied"
                                : "nobody decided",
                    permission->title, reason[0] ? ": " : "", reason);
    respond(session, permission->id, permission_outcome(permission, code));
    /* The protocol has no place for a reason. */
    if (code == 1 && reason[0]) {
        char text[2048];
        snprintf(text, sizeof(text), "\"%.250s\" was denied by the human who supervises you: %s",
                 permission->title, reason);
        session_prompt(session, text, false);
    }
    permission_free(permission);
}

void session_cancel(struct session *session)
{
    if (!session->running) {
        transcript_note("C-d at the beginning of a line ends it");
        transcript_ready();
        return;
    }
    send_message(session, json_pack("{sssss{ss}}", "jsonrpc", "2.0", "method", "session/cancel",
                                    "params", "sessionId", session->id));
    for (size_t i = 0; i < PERMISSIONS_MAX; i++)
        if (session->permissions[i].pid > 0)
            kill(session->permissions[i].pid, SIGTERM); /* which is answered as cancelled */
}
