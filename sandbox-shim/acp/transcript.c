#include "sandbox-shim/acp/transcript.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DIM    "\x1b[2m"
#define BOLD   "\x1b[1m"
#define CYAN   "\x1b[36m"
#define GREEN  "\x1b[32m"
#define RED    "\x1b[31m"
#define YELLOW "\x1b[33m"
#define PLAIN  "\x1b[0m"

#define LINES_SHOWN 12 /* of a tool's output or change; the files themselves have the rest */

/* What is being written: text goes on behind text of its kind, all else begins a line. */
enum { NOTHING, SAYS, THINKS, READY };
static int open;

static void begin(int kind)
{
    if (open == kind && kind != NOTHING)
        return;
    if (open != NOTHING)
        fputs(PLAIN "\n", stdout);
    open = kind;
}

/* No control character, C1 ones in their UTF-8 form included. */
static void print_clean(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bool c1 = c == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0;
        if (c1)
            i++;
        else if ((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t')
            putchar(c);
    }
}

static void print_text(const char *text)
{
    if (text)
        print_clean(text, strlen(text));
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void transcript_note(const char *format, ...)
{
    char text[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    begin(NOTHING);
    fputs(DIM "\xe2\x94\x80\xe2\x94\x80 ", stdout);
    print_text(text);
    fputs(PLAIN "\n", stdout);
    fflush(stdout);
}

void transcript_prompt(const char *text)
{
    begin(NOTHING);
    fputs(CYAN BOLD "> ", stdout);
    print_text(text);
    fputs(PLAIN "\n", stdout);
    fflush(stdout);
}

void transcript_ready(void)
{
    begin(READY);
    fputs(CYAN BOLD "> " PLAIN, stdout);
    fflush(stdout);
}

bool transcript_typed(void)
{
    bool ready = open == READY;
    open = NOTHING;
    return ready;
}

static void say(int kind, const json_t *content)
{
    const char *text = text_of(content, "text"), *type = text_of(content, "type");
    if (!text || !text[0]) {
        if (type && strcmp(type, "text") != 0)
            transcript_note("it sent %s, which is not shown here", type);
        return;
    }
    begin(kind);
    fputs(kind == THINKS ? DIM : PLAIN, stdout);
    print_text(text);
}

/* The first lines, each with a mark before it. */
static void print_lines(const char *color, char mark, const char *text)
{
    int shown = 0;
    while (text && *text) {
        size_t size = strcspn(text, "\n");
        if (shown++ == LINES_SHOWN) {
            fputs("    " DIM "..." PLAIN "\n", stdout);
            return;
        }
        printf("    %s%c ", color, mark);
        print_clean(text, size);
        fputs(PLAIN "\n", stdout);
        text += size + (text[size] == '\n');
    }
}

static void print_content(const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *type = text_of(item, "type");
        if (type && strcmp(type, "diff") == 0) {
            fputs("    " BOLD, stdout);
            print_text(text_of(item, "path"));
            fputs(PLAIN "\n", stdout);
            print_lines(RED, '-', text_of(item, "oldText"));
            print_lines(GREEN, '+', text_of(item, "newText"));
        } else {
            print_lines(DIM, '|', text_of(json_object_get(item, "content"), "text"));
        }
    }
}

static const struct {
    const char *status, *color, *word;
} statuses[] = {
    {"pending", YELLOW, "asks"},
    {"in_progress", CYAN, "runs"},
    {"completed", GREEN, "done"},
    {"failed", RED, "failed"},
};

/* Updates name a call by its id alone: the titles of the last calls. */
static const char *title_of(const json_t *call)
{
    static struct {
        char id[64], title[160];
    } calls[32];
    static size_t next;
    const char *id = text_of(call, "toolCallId"), *title = text_of(call, "title");
    if (!id || strlen(id) >= sizeof(calls[0].id))
        return title;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(calls[i].id, id) == 0)
            return title ? title : calls[i].title;
    if (title) {
        strcpy(calls[next].id, id);
        snprintf(calls[next].title, sizeof(calls[0].title), "%s", title);
        next = (next + 1) % (sizeof(calls) / sizeof(calls[0]));
    }
    return title ? title : id;
}

void transcript_tool(const json_t *call)
{
    const char *title = title_of(call), *kind = text_of(call, "kind");
    const char *status = text_of(call, "status");
    const char *color = CYAN, *word = "tool";
    for (size_t i = 0; status && i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (strcmp(statuses[i].status, status) == 0) {
            color = statuses[i].color;
            word = statuses[i].word;
        }
    begin(NOTHING);
    printf("  %s%-6s" PLAIN " ", color, word);
    print_text(kind ? kind : "");
    fputs(kind && title ? ": " : "", stdout);
    print_text(title);
    putchar('\n');
    print_content(json_object_get(call, "content"));
    fflush(stdout);
}

static void print_plan(const json_t *entries)
{
    size_t i;
    json_t *entry;
    begin(NOTHING);
    json_array_foreach(entries, i, entry)
    {
        const char *status = text_of(entry, "status");
        bool done = status && strcmp(status, "completed") == 0;
        bool runs = status && strcmp(status, "in_progress") == 0;
        printf("  %s[%c] ", done ? DIM : "", done ? 'x' : runs ? '>' : ' ');
        print_text(text_of(entry, "content"));
        fputs(PLAIN "\n", stdout);
    }
}

void transcript_update(const json_t *update)
{
    const char *kind = text_of(update, "sessionUpdate");
    if (!kind)
        return;
    if (strcmp(kind, "agent_message_chunk") == 0)
        say(SAYS, json_object_get(update, "content"));
    else if (strcmp(kind, "agent_thought_chunk") == 0)
        say(THINKS, json_object_get(update, "content"));
    else if (strcmp(kind, "user_message_chunk") == 0) /* of a conversation that is resumed */
        transcript_prompt(text_of(json_object_get(update, "content"), "text"));
    else if (strcmp(kind, "tool_call") == 0 || strcmp(kind, "tool_call_update") == 0)
        transcript_tool(update);
    else if (strcmp(kind, "plan") == 0)
        print_plan(json_object_get(update, "entries"));
    fflush(stdout);
}
