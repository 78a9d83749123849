#include "mux/server/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/server/log.h"
#include "mux/server/server.h"

#define RETRY_MS 1000U

struct ledger_record {
    struct ledger_record *next;
    enum audit_kind kind;
    json_t *fields;
};

static void fail(struct server *server, const struct bj_error *why)
{
    struct ledger *ledger = &server->ledger;
    bool before = ledger->failing;
    ledger->failing = true;
    ledger->why = *why;
    if (!before)
        server_alert(server, NULL, ALERT_CRITICAL, "audit",
                     "the audit log cannot be written, so no verdict is taken: %s", why->text);
}

static int open_log(struct server *server, struct bj_error *error)
{
    struct ledger *ledger = &server->ledger;
    struct audit_opened opened = {0};
    int status = audit_open(&ledger->audit, server->paths.state, NULL, &opened, error);
    if (status < 0)
        ledger->audit = NULL;
    else if (opened.state == AUDIT_TAMPERED || opened.state == AUDIT_REPAIRED)
        server_alert(server, NULL, opened.state == AUDIT_TAMPERED ? ALERT_CRITICAL : ALERT_WARNING,
                     "audit", "the audit log: %s", opened.text);
    return status < 0 ? status : 0;
}

/* Of the record, by our mistake; the log is fine. */
static bool is_refusal(int status)
{
    return status == -EINVAL || status == -E2BIG;
}

static int append(struct server *server, enum audit_kind kind, const json_t *fields,
                  struct bj_error *error)
{
    struct ledger *ledger = &server->ledger;
    struct bj_error why = {0};
    int status = ledger->audit ? 0 : open_log(server, &why); /* the disk was full at the start */
    if (status == 0)
        status = audit_append(ledger->audit, kind, fields, &why);
    if (is_refusal(status)) {
        log_line("audit: a record of kind %s was refused: %s", audit_kind_name(kind), why.text);
        return bj_fail(error, status, "the audit log refuses the record: %s", why.text);
    }
    if (status < 0) {
        fail(server, &why);
        return bj_fail(error, status, "the audit log cannot be written, so no verdict is taken: %s",
                       why.text);
    }
    if (ledger->failing) {
        ledger->failing = false;
        server_alert(server, NULL, ALERT_INFO, "audit", "the audit log is written again");
    }
    return 0;
}

static void drop_first(struct ledger *ledger)
{
    struct ledger_record *record = ledger->first;
    ledger->first = record->next;
    if (!ledger->first)
        ledger->last = NULL;
    ledger->waiting--;
    json_decref(record->fields);
    free(record);
}

/* Writes what waits. 0 when nothing does any more. */
static int catch_up(struct server *server, struct bj_error *error)
{
    struct ledger *ledger = &server->ledger;
    while (ledger->first) {
        int status = append(server, ledger->first->kind, ledger->first->fields, error);
        if (status < 0 && !is_refusal(status))
            return status;
        drop_first(ledger);
    }
    if (ledger->dropped && ledger->audit) {
        server_alert(server, NULL, ALERT_CRITICAL, "audit",
                     "%zu records were lost while the audit log could not be written",
                     ledger->dropped);
        ledger->dropped = 0;
    }
    uv_timer_stop(&ledger->retry);
    return 0;
}

static void on_retry(uv_timer_t *timer)
{
    catch_up(timer->data, NULL);
}

static void keep(struct server *server, enum audit_kind kind, json_t *fields)
{
    struct ledger *ledger = &server->ledger;
    struct ledger_record *record = calloc(1, sizeof(*record));
    if (!record) {
        ledger->dropped++;
        return;
    }
    /* When it happened, since the record's own time will be later. */
    json_object_set_new(fields, "happened", json_real(server_time()));
    *record = (struct ledger_record){.kind = kind, .fields = json_incref(fields)};
    if (ledger->last)
        ledger->last->next = record;
    else
        ledger->first = record;
    ledger->last = record;
    ledger->waiting++;
    if (ledger->waiting > LEDGER_WAITING_MAX) {
        drop_first(ledger);
        ledger->dropped++;
    }
    if (!server->stopping)
        uv_timer_start(&ledger->retry, on_retry, RETRY_MS, RETRY_MS);
}

static void add_sandbox(json_t *fields, const struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    const struct record *record = &sandbox->record;
    json_object_set_new(fields, "sandbox", json_string(record->name));
    json_object_set_new(fields, "sandbox_id", json_string(record->id));
    if (record->project)
        json_object_set_new(fields, "project",
                            audit_text(record->project, strlen(record->project)));
}

int ledger_commit(struct server *server, enum audit_kind kind, const struct sandbox *sandbox,
                  json_t *fields, struct bj_error *error)
{
    if (!fields)
        return bj_fail(error, -ENOMEM, "out of memory for the audit log, so no verdict is taken");
    add_sandbox(fields, sandbox);
    int status = catch_up(server, error);
    if (status == 0)
        status = append(server, kind, fields, error);
    json_decref(fields);
    return status;
}

void ledger_note(struct server *server, enum audit_kind kind, const struct sandbox *sandbox,
                 json_t *fields)
{
    if (!fields) {
        server->ledger.dropped++;
        return;
    }
    add_sandbox(fields, sandbox);
    int status = server->ledger.first ? -EAGAIN : append(server, kind, fields, NULL);
    if (status < 0 && !is_refusal(status))
        keep(server, kind, fields);
    json_decref(fields);
}

bool ledger_failing(struct server *server, struct bj_error *error)
{
    if (catch_up(server, error) < 0)
        return true;
    if (!server->ledger.failing)
        return false;
    bj_fail(error, server->ledger.why.code,
            "the audit log cannot be written, so no verdict is taken: %s", server->ledger.why.text);
    return true;
}

void ledger_open(struct server *server)
{
    struct ledger *ledger = &server->ledger;
    struct bj_error error = {0};
    uv_timer_init(&server->loop, &ledger->retry);
    ledger->retry.data = server;
    if (open_log(server, &error) < 0)
        fail(server, &error);
    ledger_note(server, AUDIT_SERVER_START, NULL,
                json_pack("{s:s, s:i}", "version", BJ_VERSION, "pid", (int)getpid()));
}

void ledger_close(struct server *server)
{
    struct ledger *ledger = &server->ledger;
    catch_up(server, NULL);
    while (ledger->first)
        drop_first(ledger);
    if (ledger->audit)
        audit_close(ledger->audit);
    ledger->audit = NULL;
}
