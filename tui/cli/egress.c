#include "tui/cli/egress.h"

#include <stdio.h>

#include "tui/cli/call.h"
#include "tui/cli/report.h"

static const struct table_column columns[] = {
    {"HOST", false}, {"PORT", true}, {"OPEN", true},    {"OPENED", true}, {"IN", true},
    {"OUT", true},   {"RATE", true}, {"REFUSED", true}, {NULL, false},
};

static void add_bytes(struct table *table, const json_t *row, const char *key, const char *per)
{
    char text[UNIT_TEXT_MAX];
    long long bytes = report_number(row, key);
    unit_size_text(bytes > 0 ? (uint64_t)bytes : 0, text);
    table_add(table, NULL, "%s%s", text, per);
}

int egress_command(const struct args *args, const struct bj_paths *paths)
{
    json_t *list, *row;
    size_t index;
    int code = call_server(paths, "egress.list", json_pack("{s:s}", "name", args->words[0]), &list);
    if (code != COMMAND_DONE)
        return code;
    if (args_set(args, "json"))
        return report_json(list);
    struct table table;
    table_init(&table, columns);
    json_array_foreach(list, index, row)
    {
        long long refused = report_number(row, "refused");
        table_add(&table, NULL, "%s", report_text(row, "host"));
        table_add(&table, NULL, "%lld", report_number(row, "port"));
        table_add(&table, NULL, "%lld", report_number(row, "open"));
        table_add(&table, NULL, "%lld", report_number(row, "opened"));
        add_bytes(&table, row, "in", "");
        add_bytes(&table, row, "out", "");
        add_bytes(&table, row, "rate", "/s");
        table_add(&table, refused ? "33" : NULL, "%lld", refused);
    }
    json_decref(list);
    return call_print(&table, "no connections");
}
