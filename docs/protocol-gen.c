/*
 * Prints docs/PROTOCOL.md from the tables in transport/: the link's messages and the API's
 * methods and notifications. `ninja protocol-doc` rewrites the file; a unit test compares.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "transport/message.h"
#include "transport/rpc.h"

struct interface {
    const char *title;
    const char *socket;
    const char *dialled_by;
    const struct bj_method *methods;
    const struct bj_notification *events;
};

static const struct interface interfaces[] = {
    {"Server", "RUNTIME/server.sock", "clients", bj_api_server, bj_events_server},
    {"View", "RUNTIME/ID/view.sock", "clients", bj_api_view, bj_events_view},
    {"Control", "RUNTIME/ID/control.sock", "the server", bj_api_control, bj_events_control},
    {"Egress", "RUNTIME/egress.sock", "belljar-egress", bj_api_egress, bj_events_egress},
};

/* A table cell: a vertical bar would end it. */
static void print_cell(const char *text)
{
    for (; text && *text; text++)
        if (*text == '|')
            fputs("\\|", stdout);
        else
            putchar(*text);
}

static const char *side_name(enum bj_side side)
{
    return side == BJ_SIDE_SHIM      ? "shim"
           : side == BJ_SIDE_MONITOR ? "monitor"
           : side == BJ_SIDE_NEAR    ? "a bridge's near end"
           : side == BJ_SIDE_FAR     ? "a bridge's far end"
                                     : "either";
}

static void print_limit(uint64_t limit)
{
    if (limit == UINT64_MAX)
        fputs("2^64-1", stdout);
    else
        printf("%" PRIu64, limit);
}

static const char *field_type(enum bj_type type)
{
    return type == BJ_TYPE_UINT ? "uint" : type == BJ_TYPE_STR ? "str" : "bin";
}

static void print_messages(void)
{
    printf("## The link: between shim and monitor\n\n"
           "One stream of msgpack arrays `[type, channel, field...]` each way. Channel %u is "
           "control, %u the agent's pty; the shim opens others from %u on, the monitor from %u. A "
           "message that "
           "breaks "
           "this table (unknown type, other number of fields, other type, over a limit, wrong "
           "sender) is a protocol error and closes the link. Version %d: HELLO names the shim's, "
           "WELCOME the lower of both, down to %d, and both speak that. HELLO and WELCOME keep "
           "their form.\n\n"
           "| constant | value |\n|---|---|\n"
           "| bytes in one DATA | %u |\n| output the shim keeps until acknowledged | %u |\n"
           "| likewise while the monitor is connected: the agent waits | %u |\n"
           "| input the monitor keeps until acknowledged | %u |\n"
           "| credit for output | %u |\n| credit for input | %u |\n"
           "| open asks of one sandbox | %u |\n\n",
           BJ_CHANNEL_CONTROL, BJ_CHANNEL_PTY, BJ_CHANNEL_FIRST_FREE, BJ_CHANNEL_FIRST_HOST,
           BJ_PROTOCOL_VERSION, BJ_PROTOCOL_OLDEST, BJ_DATA_MAX, BJ_RING_SIZE, BJ_OUTPUT_AHEAD,
           BJ_INPUT_RING_SIZE, BJ_OUTPUT_WINDOW, BJ_INPUT_WINDOW, BJ_ASKS_MAX);
    for (size_t i = 0; i < bj_messages_count; i++) {
        const struct bj_message_spec *spec = &bj_messages[i];
        size_t count = bj_message_fields(spec);
        printf("### %d %s\nFrom %s. ", (int)spec->type, spec->name, side_name(spec->from));
        printf("%s\n\n", spec->doc);
        if (count == 0)
            continue;
        puts("| field | type | limit | meaning |\n|---|---|---|---|");
        for (size_t field = 0; field < count; field++) {
            printf("| %s | %s | ", spec->fields[field].name, field_type(spec->fields[field].type));
            print_limit(spec->fields[field].limit);
            fputs(" | ", stdout);
            print_cell(spec->fields[field].doc);
            puts(" |");
        }
        putchar('\n');
    }
}

static void print_params(const struct bj_method *method)
{
    if (!method->params[0].name)
        return;
    puts("\n| parameter | type | required | limit | meaning |\n|---|---|---|---|---|");
    for (const struct bj_param *param = method->params;
         param < method->params + BJ_PARAMS_MAX && param->name; param++) {
        printf("| %s | %s | %s | ", param->name, bj_param_type_name(param->type),
               param->required ? "yes" : "no");
        if (param->type != BJ_PARAM_BOOL)
            print_limit(param->limit);
        fputs(" | ", stdout);
        print_cell(param->doc);
        puts(" |");
    }
}

static void print_interface(const struct interface *interface)
{
    printf("## %s: `%s`\nDialled by %s.\n\n", interface->title, interface->socket,
           interface->dialled_by);
    for (const struct bj_method *method = interface->methods; method->name; method++) {
        printf("### %s\n%s\nResult: `%s`\n", method->name, method->doc, method->result);
        print_params(method);
        putchar('\n');
    }
    printf("### Notifications\n\n| name | when | fields |\n|---|---|---|\n");
    for (const struct bj_notification *event = interface->events; event->name; event++) {
        printf("| %s | ", event->name);
        print_cell(event->doc);
        fputs(" | ", stdout);
        print_cell(event->fields);
        puts(" |");
    }
    putchar('\n');
}

static void print_attributes(void)
{
    printf("## Bits\n\n| view.key, view.mouse: `mods` | |\n|---|---|\n"
           "| %d | shift |\n| %d | alt |\n| %d | ctrl |\n\n",
           BJ_MOD_SHIFT, BJ_MOD_ALT, BJ_MOD_CTRL);
    printf("| redraw, `attr`: flags | |\n|---|---|\n"
           "| %d | bold |\n| %d | dim |\n| %d | italic |\n| %d | underline, any style |\n"
           "| %d | blink |\n| %d | reverse |\n| %d | strike |\n| %d | conceal |\n"
           "| %d | with underline: double |\n| %d | with underline: curly |\n\n",
           BJ_ATTR_BOLD, BJ_ATTR_DIM, BJ_ATTR_ITALIC, BJ_ATTR_UNDERLINE, BJ_ATTR_BLINK,
           BJ_ATTR_REVERSE, BJ_ATTR_STRIKE, BJ_ATTR_CONCEAL, BJ_ATTR_UNDERLINE_DOUBLE,
           BJ_ATTR_UNDERLINE_CURLY);
    printf("| redraw, `attr`: fg and bg | |\n|---|---|\n| %u | default |\n"
           "| 0x%08x + index | palette, 0 to 255 |\n| 0x%08x + 0xRRGGBB | direct colour |\n\n",
           BJ_COLOR_DEFAULT, BJ_COLOR_PALETTE, BJ_COLOR_RGB);
    printf("| redraw, `mode`: bits | |\n|---|---|\n"
           "| %d | alternate screen |\n| %d | mouse: clicks |\n| %d | mouse: drags |\n"
           "| %d | mouse: every move |\n| %d | bracketed paste |\n| %d | focus reports |\n"
           "| %d | a synchronized update is open |\n",
           BJ_MODE_ALTSCREEN, BJ_MODE_MOUSE_CLICK, BJ_MODE_MOUSE_DRAG, BJ_MODE_MOUSE_MOVE,
           BJ_MODE_PASTE, BJ_MODE_FOCUS, BJ_MODE_SYNC);
}

int main(void)
{
    printf("# Belljar's protocols\n\n"
           "<!-- Made by docs/protocol-gen.c from the tables in transport/: do not edit. "
           "`ninja protocol-doc` writes it anew. -->\n\n"
           "Two protocols, both of msgpack values on unix stream sockets. RUNTIME is the runtime "
           "directory, ID a sandbox's id.\n\n"
           "- The **client API** is MessagePack-RPC: `[0, id, method, [params]]` is a call, "
           "`[1, id, error, result]` its answer, `[2, name, [params]]` a notification. A call "
           "carries exactly one parameter, a map of the named parameters. An error is the map "
           "`{code, message}` with a negative errno. `api.info` serves these tables.\n"
           "- The **link** joins a sandbox's shim with its monitor.\n\n");
    print_messages();
    for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++)
        print_interface(&interfaces[i]);
    print_attributes();
    return ferror(stdout) || fflush(stdout) != 0;
}
