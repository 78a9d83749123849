#include "mux/server/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/json/json.h"
#include "mux/server/list_file.h"

static const char *const layouts[] = {"tiled", "main", "zoom"};

void sessions_free(struct sessions *sessions)
{
    for (size_t i = 0; i < sessions->count; i++)
        free(sessions->list[i].panes);
    free(sessions->list);
    *sessions = (struct sessions){0};
}

struct session *session_find(const struct sessions *sessions, const char *name)
{
    for (size_t i = 0; i < sessions->count; i++)
        if (strcmp(sessions->list[i].name, name) == 0)
            return &sessions->list[i];
    return NULL;
}

int session_use(struct sessions *sessions, const char *name, struct session **out,
                struct bj_error *error)
{
    *out = session_find(sessions, name);
    if (*out)
        return 0;
    int status = name_check(name, error);
    if (status < 0)
        return bj_fail_prefix(error, "session");
    if (sessions->count >= SESSIONS_MAX)
        return bj_fail(error, -ENOSPC, "there are %d sessions already", SESSIONS_MAX);
    struct session *grown =
        realloc(sessions->list, (sessions->count + 1) * sizeof(*sessions->list));
    if (!grown)
        return bj_fail(error, -ENOMEM, "out of memory");
    sessions->list = grown;
    *out = &sessions->list[sessions->count++];
    **out = (struct session){.layout = "tiled", .order = "own"};
    snprintf((*out)->name, sizeof((*out)->name), "%s", name);
    return 0;
}

int session_add_pane(struct session *session, const char *id, struct bj_error *error)
{
    for (size_t i = 0; i < session->count; i++)
        if (strcmp(session->panes[i], id) == 0)
            return 0;
    if (session->count >= SESSION_PANES)
        return bj_fail(error, -ENOSPC, "a session has at most %d panes", SESSION_PANES);
    char(*grown)[ID_SIZE] = realloc(session->panes, (session->count + 1) * sizeof(*grown));
    if (!grown)
        return bj_fail(error, -ENOMEM, "out of memory");
    session->panes = grown;
    snprintf(session->panes[session->count++], ID_SIZE, "%s", id);
    return 0;
}

int session_set_layout(struct session *session, const char *layout, struct bj_error *error)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
        if (strcmp(layouts[i], layout) == 0) {
            snprintf(session->layout, sizeof(session->layout), "%s", layout);
            return 0;
        }
    return bj_fail(error, -EINVAL, "a layout is tiled, main or zoom");
}

int session_set_order(struct session *session, const char *order, struct bj_error *error)
{
    static const char *const orders[] = {"own", "need", "project"};
    for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
        if (strcmp(orders[i], order) == 0) {
            snprintf(session->order, sizeof(session->order), "%s", order);
            return 0;
        }
    return bj_fail(error, -EINVAL, "an order is own, need or project");
}

/* Which columns there are is the dashboard's business. */
int session_set_sort(struct session *session, const char *sort, struct bj_error *error)
{
    size_t size = strlen(sort);
    if (size >= sizeof(session->sort) || strspn(sort, "-abcdefghijklmnopqrstuvwxyz") != size)
        return bj_fail(error, -EINVAL, "a column to sort by is a word of small letters");
    memcpy(session->sort, sort, size + 1);
    return 0;
}

void session_pin(struct session *session, size_t pinned)
{
    session->pinned = pinned < session->count ? pinned : session->count;
}

bool session_forget(struct sessions *sessions, const char *id)
{
    bool found = false;
    for (size_t s = 0; s < sessions->count; s++) {
        struct session *session = &sessions->list[s];
        size_t kept = 0, gone = 0;
        for (size_t i = 0; i < session->count; i++) {
            if (strcmp(session->panes[i], id) == 0) {
                found = true;
                gone += i < session->pinned;
            } else {
                memmove(session->panes[kept++], session->panes[i], ID_SIZE);
            }
        }
        session->count = kept;
        session->pinned -= gone;
        if (strcmp(session->selected, id) == 0)
            session->selected[0] = '\0';
    }
    return found;
}

int sessions_save(const struct sessions *sessions, const char *path, struct bj_error *error)
{
    json_watch();
    json_t *root = json_array();
    for (size_t s = 0; s < sessions->count; s++) {
        const struct session *session = &sessions->list[s];
        json_t *panes = json_array();
        for (size_t i = 0; i < session->count; i++)
            json_array_append_new(panes, json_string(session->panes[i]));
        json_array_append_new(root, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:I}", "name",
                                              session->name, "layout", session->layout, "selected",
                                              session->selected, "order", session->order, "sort",
                                              session->sort, "panes", panes, "pinned",
                                              (json_int_t)session->pinned));
    }
    return list_write(path, root, error);
}

static int read_session(struct sessions *sessions, const json_t *object, struct bj_error *error)
{
    struct session *session;
    const char *name = json_string_value(json_object_get(object, "name"));
    const char *layout = json_string_value(json_object_get(object, "layout"));
    const char *selected = json_string_value(json_object_get(object, "selected"));
    const char *order = json_string_value(json_object_get(object, "order"));
    const char *sort = json_string_value(json_object_get(object, "sort"));
    const json_t *panes = json_object_get(object, "panes");
    int status = session_use(sessions, name ? name : "", &session, error);
    if (status < 0)
        return status;
    if (layout)
        session_set_layout(session, layout, NULL);
    if (order)
        session_set_order(session, order, NULL);
    if (sort)
        session_set_sort(session, sort, NULL);
    if (selected && id_check(selected))
        snprintf(session->selected, sizeof(session->selected), "%s", selected);
    json_int_t pinned = json_integer_value(json_object_get(object, "pinned"));
    for (size_t i = 0; status == 0 && i < json_array_size(panes); i++) {
        const char *id = json_string_value(json_array_get(panes, i));
        if (id && id_check(id))
            status = session_add_pane(session, id, error);
    }
    session_pin(session, pinned > 0 ? (size_t)pinned : 0);
    return status;
}

int sessions_load(struct sessions *sessions, const char *path, struct bj_error *error)
{
    json_t *list;
    int status = list_read(path, &list, error);
    for (size_t i = 0; status == 0 && i < json_array_size(list); i++)
        status = read_session(sessions, json_array_get(list, i), error);
    json_decref(list);
    return status;
}
