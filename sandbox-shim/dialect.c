#include "sandbox-shim/dialect.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sandbox-shim/ask.h"

#define PRE_TOOL(DECISION)                                                                         \
    "{\"hookSpecificOutput\":{\"hookEventName\":\"PreToolUse\",\"permissionDecision\":\"" DECISION \
    "\",\"permissionDecisionReason\":\"",                                                          \
        "\"}}"
#define PERMISSION(DECISION, MESSAGE)                                                              \
    "{\"hookSpecificOutput\":{\"hookEventName\":\"PermissionRequest\",\"decision\":"               \
    "{\"behavior\":\"" DECISION "\"" MESSAGE
#define PLAIN(DECISION) "{\"decision\":\"" DECISION "\",\"reason\":\"", "\"}"

/* What is printed before and behind the reason; without an end there is no place for one. */
struct words {
    const char *begin, *end;
};

struct dialect {
    const char *name;
    bool codes;  /* the exit code is the answer */
    bool speaks; /* and the reason is on stderr, as of a plain question */
    bool alone;  /* it asks nobody itself: what nobody decided is denied */
    struct words allow, deny;
};

/* An empty `allow` says nothing: the agent goes on to its own rules. See docs/agents.md. */
static const struct dialect dialects[] = {
    {"claude", false, false, false, {PRE_TOOL("allow")}, {PRE_TOOL("deny")}},
    {"claude-permission",
     false,
     false,
     false,
     {PERMISSION("allow", "}}}"), NULL},
     {PERMISSION("deny", ",\"message\":\""), "\"}}}"}},
    {"codex", false, false, true, {NULL, NULL}, {PRE_TOOL("deny")}},
    {"codex-permission",
     false,
     false,
     true,
     {PERMISSION("allow", "}}}"), NULL},
     {PERMISSION("deny", ",\"message\":\""), "\"}}}"}},
    {"gemini", false, false, true, {PLAIN("allow")}, {PLAIN("deny")}},
    {"opencode", false, false, true, {PLAIN("allow")}, {PLAIN("deny")}},
    {"acp", true, true, false, {NULL, NULL}, {NULL, NULL}},
    {"raw", true, false, false, {NULL, NULL}, {NULL, NULL}},
};

#define COUNT (sizeof(dialects) / sizeof(dialects[0]))

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(dialects[i].name, name) == 0)
            return &dialects[i];
    return NULL;
}

bool dialect_speaks(const struct dialect *dialect)
{
    return dialect->speaks;
}

const char *dialect_name(const struct dialect *dialect)
{
    return dialect->name;
}

void dialect_list(char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < COUNT && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", dialects[i].name);
}

/* RFC 8259, section 7. */
static void print_escaped(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            putchar('\\');
        if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
}

static void print(const struct words *words, const char *reason, size_t size)
{
    if (!words->begin)
        return;
    fputs(words->begin, stdout);
    if (words->end) {
        print_escaped(reason, size);
        fputs(words->end, stdout);
    }
    putchar('\n');
}

void dialect_tell(const char *event, const char *text, size_t size)
{
    static const char *const ends[] = {"PostToolUse", "PostToolUseFailure", "AfterTool"};
    for (size_t i = 0; size > 0 && i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (strcmp(ends[i], event) != 0)
            continue;
        printf("{\"hookSpecificOutput\":{\"hookEventName\":\"%s\",\"additionalContext\":\"", event);
        print_escaped(text, size);
        puts("\"}}");
    }
}

int dialect_answer(const struct dialect *dialect, enum bj_answer answer, const char *reason,
                   size_t size)
{
    static const char unsaid[] = "denied by the human who supervises this sandbox, or a policy";
    if (answer == BJ_ANSWER_DENY && size == 0) {
        reason = unsaid;
        size = sizeof(unsaid) - 1;
    }
    if (answer == BJ_ANSWER_PASS && dialect->alone && size > 0)
        answer = BJ_ANSWER_DENY;
    if (answer == BJ_ANSWER_ALLOW)
        print(&dialect->allow, reason, size);
    else if (answer == BJ_ANSWER_DENY)
        print(&dialect->deny, reason, size);
    if (!dialect->codes)
        return 0;
    return answer == BJ_ANSWER_ALLOW  ? ASK_ALLOWED
           : answer == BJ_ANSWER_DENY ? ASK_DENIED
                                      : ASK_UNDECIDED;
}
