#include "tui/cli/give.h"

#include <stdlib.h>

#include <jansson.h>

void give_variables(struct peer *server, const char *agent)
{
    json_t *wanted = NULL, *done = NULL, *given = json_array();
    const json_t *name;
    size_t index;
    if (peer_call(server, "credential.wanted", json_pack("{s:s*}", "agent", agent), PEER_TIMEOUT_MS,
                  &wanted, NULL) == 0)
        json_array_foreach(wanted, index, name)
        {
            const char *text = json_string_value(name), *value = text ? getenv(text) : NULL;
            if (value && *value)
                json_array_append_new(given, json_sprintf("%s=%s", text, value));
        }
    if (json_array_size(given) > 0)
        peer_call(server, "credential.give", json_pack("{s:O}", "variables", given),
                  PEER_TIMEOUT_MS, &done, NULL);
    json_decref(given);
    json_decref(wanted);
    json_decref(done);
}
