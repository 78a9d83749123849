#include "mux/server/alert.h"

#include <stdio.h>
#include <string.h>

#include "mux/json/json.h"
#include "mux/server/list_file.h"
#include "mux/server/text.h"

static const char *const severities[] = {"info", "warning", "critical"};

const char *alert_severity_name(enum alert_severity severity)
{
    return severities[severity];
}

enum alert_severity alert_severity_read(const char *name)
{
    for (size_t i = 0; i < sizeof(severities) / sizeof(*severities); i++)
        if (strcmp(name, severities[i]) == 0)
            return (enum alert_severity)i;
    return ALERT_WARNING;
}

static void drop(struct alerts *alerts, size_t at)
{
    memmove(&alerts->list[at], &alerts->list[at + 1],
            (alerts->count - at - 1) * sizeof(*alerts->list));
    alerts->count--;
}

static size_t count_of(const struct alerts *alerts, const char *sandbox_id)
{
    size_t count = 0;
    for (size_t i = 0; i < alerts->count; i++)
        count += strcmp(alerts->list[i].sandbox_id, sandbox_id) == 0;
    return count;
}

/* What was seen goes first, then the oldest of who has most of them: nobody's flood takes away what
 * another one's alert says. */
static void make_room(struct alerts *alerts)
{
    size_t at = 0, most = 0;
    for (size_t i = 0; i < alerts->count; i++) {
        if (alerts->list[i].acknowledged) {
            drop(alerts, i);
            return;
        }
        size_t count = count_of(alerts, alerts->list[i].sandbox_id);
        at = count > most ? i : at;
        most = count > most ? count : most;
    }
    drop(alerts, at);
}

struct alert *alert_raise(struct alerts *alerts, const char *sandbox_id, const char *sandbox,
                          enum alert_severity severity, const char *kind, const char *text,
                          double now)
{
    struct alert fresh = {
        .severity = severity, .count = 1, .first = now, .last = now, .dirty = true};
    snprintf(fresh.sandbox_id, sizeof(fresh.sandbox_id), "%s", sandbox_id);
    snprintf(fresh.sandbox, sizeof(fresh.sandbox), "%s", sandbox);
    text_clean(fresh.kind, sizeof(fresh.kind), kind, strlen(kind), false);
    text_clean(fresh.text, sizeof(fresh.text), text, strlen(text), false);
    for (size_t i = 0; i < alerts->count; i++) {
        struct alert *alert = &alerts->list[i];
        if (strcmp(alert->sandbox_id, fresh.sandbox_id) == 0 &&
            strcmp(alert->kind, fresh.kind) == 0 && strcmp(alert->text, fresh.text) == 0) {
            alert->count++;
            alert->last = now;
            alert->acknowledged = false;
            alert->dirty = true;
            if (severity > alert->severity)
                alert->severity = severity;
            return alert;
        }
    }
    if (alerts->count == ALERTS_MAX)
        make_room(alerts);
    fresh.id = ++alerts->next_id;
    alerts->list[alerts->count] = fresh;
    return &alerts->list[alerts->count++];
}

void alert_rename(struct alerts *alerts, const char *sandbox_id, const char *name)
{
    for (size_t i = 0; i < alerts->count; i++) {
        struct alert *alert = &alerts->list[i];
        if (strcmp(alert->sandbox_id, sandbox_id) != 0)
            continue;
        snprintf(alert->sandbox, sizeof(alert->sandbox), "%s", name);
        alert->dirty = true;
    }
}

static bool concerns(const struct alert *alert, const char *sandbox_id)
{
    return !sandbox_id || strcmp(alert->sandbox_id, sandbox_id) == 0;
}

size_t alert_acknowledge(struct alerts *alerts, const char *sandbox_id)
{
    size_t count = 0;
    for (size_t i = 0; i < alerts->count; i++) {
        struct alert *alert = &alerts->list[i];
        if (alert->acknowledged || !concerns(alert, sandbox_id))
            continue;
        alert->acknowledged = alert->dirty = true;
        count++;
    }
    return count;
}

size_t alert_open_count(const struct alerts *alerts, const char *sandbox_id)
{
    size_t count = 0;
    for (size_t i = 0; i < alerts->count; i++)
        count += !alerts->list[i].acknowledged && concerns(&alerts->list[i], sandbox_id);
    return count;
}

void alert_forget(struct alerts *alerts, const char *sandbox_id)
{
    for (size_t i = alerts->count; i > 0; i--)
        if (concerns(&alerts->list[i - 1], sandbox_id))
            drop(alerts, i - 1);
}

int alerts_save(const struct alerts *alerts, const char *path, struct bj_error *error)
{
    json_watch();
    json_t *root = json_array();
    for (size_t i = 0; i < alerts->count; i++) {
        const struct alert *alert = &alerts->list[i];
        json_array_append_new(
            root,
            json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:f, s:f, s:b}", "id",
                      (json_int_t)alert->id, "sandbox_id", alert->sandbox_id, "sandbox",
                      alert->sandbox, "severity", alert_severity_name(alert->severity), "kind",
                      alert->kind, "text", alert->text, "count", (json_int_t)alert->count, "first",
                      alert->first, "last", alert->last, "acknowledged", alert->acknowledged));
    }
    return list_write(path, root, error);
}

static const char *read_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void read_alert(struct alerts *alerts, const json_t *object)
{
    const char *sandbox_id = read_text(object, "sandbox_id");
    uint64_t id = json_uint(object, "id");
    if (id <= alerts->next_id || alerts->count == ALERTS_MAX ||
        (sandbox_id[0] && !id_check(sandbox_id)))
        return;
    struct alert *alert =
        alert_raise(alerts, sandbox_id, read_text(object, "sandbox"),
                    alert_severity_read(read_text(object, "severity")), read_text(object, "kind"),
                    read_text(object, "text"), json_number_value(json_object_get(object, "first")));
    alert->id = alerts->next_id = id;
    alert->count = json_uint(object, "count") ? json_uint(object, "count") : 1;
    alert->last = json_number_value(json_object_get(object, "last"));
    alert->acknowledged = json_is_true(json_object_get(object, "acknowledged"));
}

int alerts_load(struct alerts *alerts, const char *path, struct bj_error *error)
{
    json_t *list;
    int status = list_read(path, &list, error);
    for (size_t i = 0; i < json_array_size(list); i++)
        read_alert(alerts, json_array_get(list, i));
    json_decref(list);
    return status;
}
