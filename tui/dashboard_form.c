#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/file.h"
#include "transport/pack.h"
#include "tui/dashboard_state.h"
#include "tui/model/text.h"

/* ---- paths ---- */

/* Names are shown and typed as text: what is not clean text cannot be completed. */
static bool fits(const struct dirent *entry, const char *begin, size_t size)
{
    char clean[sizeof(entry->d_name)];
    text_clean(clean, sizeof(clean), entry->d_name, strlen(entry->d_name));
    bool hidden = entry->d_name[0] == '.' && begin[0] != '.';
    bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    return !hidden && !dots && strncmp(entry->d_name, begin, size) == 0 &&
           strcmp(clean, entry->d_name) == 0;
}

/* What could be meant, one after another: how far all agree, and their names in the hint. */
struct completion {
    struct form *form;
    char common[NAME_MAX + 2];
    size_t found, hint, agreed;
    bool cut; /* more are meant than the hint has room for, which says so */
};

#define CUT "\xe2\x80\xa6"

static void could_be(struct completion *completion, const char *name)
{
    struct form *form = completion->form;
    if (completion->found++ == 0)
        completion->agreed = strlen(strcpy(completion->common, name));
    while (strncmp(completion->common, name, completion->agreed) != 0)
        completion->agreed--;
    bool fits = completion->hint + strlen(name) + sizeof("  " CUT) <= sizeof(form->hint);
    if (!completion->cut)
        completion->hint +=
            (size_t)snprintf(form->hint + completion->hint, sizeof(form->hint) - completion->hint,
                             "%s%s", completion->hint > 0 ? "  " : "", fits ? name : CUT);
    completion->cut |= !fits;
}

/* Goes on as far as all names agree; `size` bytes of them are there already. */
static void go_on(struct completion *completion, size_t size)
{
    struct form *form = completion->form;
    struct line *line = &form->line[form->at];
    /* Not in the middle of a character. */
    while (completion->agreed > 0 &&
           ((unsigned char)completion->common[completion->agreed] & 0xc0) == 0x80)
        completion->agreed--;
    if (completion->agreed > size) {
        line_act(line, ACTION_LINE_END);
        line_insert(line, completion->common + size, completion->agreed - size);
    }
    if (completion->found == 1)
        form->hint[0] = '\0';
    else if (completion->found == 0)
        snprintf(form->hint, sizeof(form->hint),
                 size > 0 ? "nothing there begins like this" : "there is nothing to choose from");
}

static void could_be_entry(struct completion *completion, int directory, const char *entry)
{
    struct stat about;
    char name[NAME_MAX + 2];
    bool is_directory = fstatat(directory, entry, &about, 0) == 0 && S_ISDIR(about.st_mode);
    if (!is_directory && completion->form->at == FORM_PROJECT)
        return;
    snprintf(name, sizeof(name), "%.*s%s", NAME_MAX, entry, is_directory ? "/" : "");
    could_be(completion, name);
}

static void complete_path(struct form *form)
{
    struct line *line = &form->line[form->at];
    struct completion completion = {.form = form};
    char path[BJ_PATH_MAX];
    if (bj_path_home(path, sizeof(path), NULL, line->text) < 0)
        return;
    char *slash = strrchr(path, '/');
    char begin[NAME_MAX + 1];
    if (strlen(slash ? slash + 1 : path) >= sizeof(begin))
        return;
    strcpy(begin, slash ? slash + 1 : path);
    if (slash)
        slash[1] = '\0';
    const char *where = slash ? path : ".";
    struct dirent **entries = NULL;
    int count = scandir(where, &entries, NULL, alphasort);
    int directory = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < count; i++) {
        if (fits(entries[i], begin, strlen(begin)))
            could_be_entry(&completion, directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (directory >= 0)
        close(directory);
    go_on(&completion, strlen(begin));
}

/* ---- what the server knows ---- */

/* The names in `list` that go on as the line begins. */
static void complete_names(struct form *form, const msgpack_object *list, const char *what)
{
    struct completion completion = {.form = form};
    const struct line *line = &form->line[form->at];
    form->hint[0] = '\0';
    if (!list || list->type != MSGPACK_OBJECT_ARRAY) {
        snprintf(form->hint, sizeof(form->hint), "the server does not tell its %s", what);
        form->bad = true;
        return;
    }
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        char name[FLEET_NAME_MAX];
        field_copy(&list->via.array.ptr[i], "name", name, sizeof(name));
        if (name[0] && strncmp(name, line->text, line->size) == 0)
            could_be(&completion, name);
    }
    go_on(&completion, line->size);
}

/* The server knows the profiles, and whether each would start. */
static void on_profiles(struct bj_rpc *rpc, const msgpack_object *error,
                        const msgpack_object *result, void *argument)
{
    struct dashboard *dashboard = server_dashboard(rpc);
    struct form *form = &dashboard->control.form;
    (void)argument;
    if (rpc->closing || !form->open || form->at != FORM_AGENT)
        return;
    complete_names(form, error ? NULL : result, "profiles");
    dashboard_touch(dashboard, true);
}

static void on_status(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                      void *argument)
{
    struct dashboard *dashboard = server_dashboard(rpc);
    struct form *form = &dashboard->control.form;
    (void)argument;
    if (rpc->closing || !form->open || form->at != FORM_WALL)
        return;
    complete_names(form, error ? NULL : bj_get(result, "drivers"), "walls");
    dashboard_touch(dashboard, true);
}

static void complete(struct dashboard *dashboard)
{
    struct form *form = &dashboard->control.form;
    struct server_link *here = &dashboard->servers[0];
    form->hint[0] = '\0';
    form->bad = false;
    if (form->at != FORM_AGENT && form->at != FORM_WALL) {
        complete_path(form);
        return;
    }
    if (!server_ready(here)) {
        snprintf(form->hint, sizeof(form->hint), "there is no server at the moment");
        form->bad = true;
        return;
    }
    bool agent = form->at == FORM_AGENT;
    const char *path = getenv("PATH");
    msgpack_packer *packer = bj_rpc_request(&here->rpc, agent ? "profile.list" : "server.status",
                                            agent ? on_profiles : on_status, NULL);
    msgpack_pack_map(packer, agent ? 1 : 0);
    if (agent)
        bj_pack_key_str(packer, "path", path ? path : "");
    bj_rpc_send(&here->rpc);
}

/* ---- the last choices ---- */

static int memory_path(const struct dashboard *dashboard, char out[BJ_PATH_MAX])
{
    return bj_path(out, BJ_PATH_MAX, NULL, "%s/dashboard.form", dashboard->paths->state);
}

void form_load(struct dashboard *dashboard)
{
    char path[BJ_PATH_MAX], text[FORM_TEXT_MAX];
    if (memory_path(dashboard, path) < 0)
        return;
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[size] = '\0';
    if (file)
        fclose(file);
    form_read(&dashboard->control.form, text);
}

/* It is a convenience: that it could not be kept is no reason to say anything. */
static void form_keep(const struct dashboard *dashboard)
{
    char path[BJ_PATH_MAX], text[FORM_TEXT_MAX];
    if (memory_path(dashboard, path) < 0)
        return;
    form_write(&dashboard->control.form, text);
    bj_file_replace(path, text, strlen(text), false, NULL);
}

/* ---- the start ---- */

int form_real_path(const char *given, const char *what, char out[PATH_MAX], struct bj_error *error)
{
    char named[BJ_PATH_MAX];
    int status = bj_path_home(named, sizeof(named), error, given);
    if (status == 0 && !realpath(named, out))
        status = bj_fail(error, -errno, "no %s %.200s: %s", what, named, strerror(errno));
    return status;
}

/* A value of a field that is given; the command is none. */
static bool has_value(const struct form_request *request, enum form_field field)
{
    return request->text[field] != NULL || request->has[field] ||
           (field == FORM_ENV && request->variables.count > 0);
}

static void pack_strings(msgpack_packer *packer, const char *key, const char *const *list,
                         size_t count)
{
    bj_pack_str(packer, key);
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++)
        bj_pack_str(packer, list[i]);
}

static void pack_values(msgpack_packer *packer, const struct form_request *request)
{
    for (int i = 0; i < FORM_FIELDS; i++) {
        enum form_field field = (enum form_field)i;
        if (field == FORM_ENV && request->variables.count > 0)
            pack_strings(packer, form_param(field), request->variables.word,
                         request->variables.count);
        else if (request->has[field])
            bj_pack_key_uint(packer, form_param(field), request->number[field]);
        else if (request->text[field])
            bj_pack_key_str(packer, form_param(field), request->text[field]);
    }
}

/* It comes back with all that was typed, unless the human does something else by now; then with the
 * next key that opens it. */
static void on_run(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                   void *argument)
{
    struct dashboard *dashboard = argument;
    struct control *control = &dashboard->control;
    struct bj_error why = {0};
    if (error && !rpc->closing) {
        bj_rpc_error_read(error, &why);
        form_refuse(&control->form, why.text);
        if (control->mode == CONTROL_SUPERVISE && !control_has_open(control)) {
            form_open(&control->form);
            dashboard_touch(dashboard, true);
            return;
        }
    }
    server_on_run(rpc, error, result, NULL);
}

static void pack_request(struct dashboard *dashboard, const struct form_request *request)
{
    struct rect inner;
    bool sized = server_new_size(dashboard, &inner);
    const char *path = getenv("PATH");
    unsigned count = 2 + request->has_argv + (request->like ? 1 : 0) + (sized ? 2 : 0);
    for (int i = 0; i < FORM_FIELDS; i++)
        count += has_value(request, (enum form_field)i);
    msgpack_packer *packer =
        bj_rpc_request(&dashboard->servers[0].rpc, "sandbox.run", on_run, dashboard);
    msgpack_pack_map(packer, count);
    bj_pack_key_str(packer, "path", path ? path : "");
    if (request->like) {
        bj_pack_key_str(packer, "like", request->like);
        pack_strings(packer, "without", request->without, request->without_count);
    } else {
        bj_pack_key_str(packer, "session", dashboard->fleet.session);
    }
    if (request->has_argv)
        pack_strings(packer, "argv", request->argv, request->argc);
    pack_values(packer, request);
    if (sized) {
        bj_pack_key_uint(packer, "rows", (uint64_t)inner.rows);
        bj_pack_key_uint(packer, "cols", (uint64_t)inner.cols);
    }
}

/* The server has another working directory: paths become those that they mean here. */
static int real_path(struct form *form, enum form_field field, struct form_request *request,
                     char out[PATH_MAX], struct bj_error *error)
{
    if (!request->text[field])
        return 0;
    int status = form_real_path(request->text[field], form_param(field), out, error);
    if (status < 0)
        form->at = field;
    request->text[field] = out;
    return status;
}

void form_order(struct dashboard *dashboard, const struct order *order)
{
    struct form *form = &dashboard->control.form;
    struct form_request request;
    struct bj_error error = {0};
    char project[PATH_MAX], policy[PATH_MAX];
    if (order->kind == ORDER_COMPLETE) {
        complete(dashboard);
        return;
    }
    int status = form_check(form, &request, &error);
    if (status == 0)
        status = real_path(form, FORM_PROJECT, &request, project, &error);
    if (status == 0)
        status = real_path(form, FORM_POLICY, &request, policy, &error);
    struct server_link *here = &dashboard->servers[0];
    if (status == 0 && !server_ready(here))
        status = bj_fail(&error, -ENOTCONN, "there is no server at the moment");
    if (status < 0) {
        snprintf(form->hint, sizeof(form->hint), "%.250s", error.text);
        form->bad = true;
        return;
    }
    pack_request(dashboard, &request);
    bj_rpc_send(&here->rpc);
    if (!request.like)
        form_keep(dashboard);
    form->open = form->refused = false;
}
