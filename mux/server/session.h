/*
 * Sessions: a name, a layout, the order of panes and the selection; what a dashboard shows again
 * when it comes back. Kept in STATE/sessions.json. A session is made by its first use.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "mux/server/name.h"
#include "transport/error.h"

#define SESSIONS_MAX  64
#define SESSION_PANES 1024
#define SESSION_WORD  16

struct session {
    char name[NAME_SIZE];
    char layout[16];          /* tiled, main, zoom */
    char order[SESSION_WORD]; /* of panes: own, need, project */
    char sort[SESSION_WORD];  /* of the list: a column, behind "-" the other way round; or "" */
    char selected[ID_SIZE];
    char (*panes)[ID_SIZE]; /* ids in order, owned */
    size_t count, pinned;   /* the first ones stay first */
};

struct sessions {
    struct session *list;
    size_t count;
};

void sessions_free(struct sessions *sessions);
struct session *session_find(const struct sessions *sessions, const char *name);

/* Finds or makes it. -EINVAL for a bad name, -ENOSPC when there are too many, -ENOMEM. */
int session_use(struct sessions *sessions, const char *name, struct session **out,
                struct bj_error *error);

/* Appends a sandbox where it is not in the list yet. */
int session_add_pane(struct session *session, const char *id, struct bj_error *error);
int session_set_layout(struct session *session, const char *layout, struct bj_error *error);

/* -EINVAL when it is no such word. */
int session_set_order(struct session *session, const char *order, struct bj_error *error);
int session_set_sort(struct session *session, const char *sort, struct bj_error *error);

/* So many of the first panes are pinned; more than there are means all. */
void session_pin(struct session *session, size_t pinned);

/* Takes a sandbox out of all sessions; returns whether one had it. */
bool session_forget(struct sessions *sessions, const char *id);

int sessions_save(const struct sessions *sessions, const char *path, struct bj_error *error);

/* A missing file is no error. */
int sessions_load(struct sessions *sessions, const char *path, struct bj_error *error);
