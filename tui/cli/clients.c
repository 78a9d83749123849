#include "tui/cli/clients.h"

#include "tui/cli/call.h"
#include "tui/cli/report.h"

static const struct table_column client_columns[] = {
    {"USER", false},   {"FROM", false},     {"AGE", true},   {"SESSION", false},
    {"RIGHTS", false}, {"LOOKS AT", false}, {"KEYS", false}, {NULL, false},
};

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

static void add_client(struct table *table, const json_t *client)
{
    char age[UNIT_TEXT_MAX];
    call_age(client, "since", age);
    table_add(table, NULL, "%s", report_text(client, "user"));
    table_add(table, NULL, "%s", or_dash(report_text(client, "from")));
    table_add(table, NULL, "%s", age);
    table_add(table, NULL, "%s", report_text(client, "session"));
    table_add(table, NULL, "%s",
              json_is_true(json_object_get(client, "readonly")) ? "read-only" : "full");
    table_add(table, NULL, "%s", or_dash(report_text(client, "sandbox")));
    table_add(table, NULL, "%s",
              json_is_true(json_object_get(client, "typing")) ? "agent" : "dashboard");
}

int clients_command(const struct args *args, const struct bj_paths *paths)
{
    json_t *result, *client;
    size_t index;
    int code = call_server(paths, "client.list", NULL, &result);
    if (code != COMMAND_DONE)
        return code;
    json_t *clients = json_incref(json_object_get(result, "clients"));
    json_decref(result);
    if (args_set(args, "json"))
        return report_json(clients);
    struct table table;
    table_init(&table, client_columns);
    json_array_foreach(clients, index, client) add_client(&table, client);
    json_decref(clients);
    return call_print(&table, "no dashboard is attached");
}
