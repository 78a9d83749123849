#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/file.h"
#include "transport/pack.h"
#include "tui/dashboard_state.h"

/* ---- the text ---- */

static void on_captured(struct bj_rpc *rpc, const msgpack_object *error,
                        const msgpack_object *result, void *argument);

static void ask(struct pane_link *link, uint64_t from)
{
    msgpack_packer *packer = bj_rpc_request(&link->rpc, "view.capture", on_captured, link);
    msgpack_pack_map(packer, 2);
    bj_pack_key_bool(packer, "scrollback", true);
    bj_pack_key_uint(packer, "from", from);
    bj_rpc_send(&link->rpc);
}

static void add_marks(struct copy *copy, enum copy_mark mark, const msgpack_object *lines,
                      struct bj_error *error)
{
    bool list = lines && lines->type == MSGPACK_OBJECT_ARRAY;
    for (uint32_t i = 0; list && i < lines->via.array.size && error->code == 0; i++)
        if (lines->via.array.ptr[i].type == MSGPACK_OBJECT_POSITIVE_INTEGER)
            copy_mark(copy, mark, (size_t)lines->via.array.ptr[i].via.u64, error);
}

/* Reads an array of `count` numbers; false when it is none. */
static bool read_numbers(const msgpack_object *from, uint64_t *out, uint32_t count)
{
    if (from->type != MSGPACK_OBJECT_ARRAY || from->via.array.size != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const msgpack_object *number = &from->via.array.ptr[i];
        if (number->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
            return false;
        out[i] = number->via.u64;
    }
    return true;
}

static const msgpack_object_array *list_of(const msgpack_object *result, const char *key)
{
    static const msgpack_object_array none;
    const msgpack_object *list = bj_get(result, key);
    return list && list->type == MSGPACK_OBJECT_ARRAY ? &list->via.array : &none;
}

/* Adds the text with the lines that go on and the links; a monitor of an older version names none.
 */
static void add_text(struct copy *copy, const msgpack_object *text, const msgpack_object *result,
                     struct bj_error *error)
{
    const msgpack_object_array *wraps = list_of(result, "wraps"), *links = list_of(result, "links");
    struct copy_wrap *wrap = calloc(wraps->size + 1U, sizeof(*wrap));
    struct copy_link *link = calloc(links->size + 1U, sizeof(*link));
    struct copy_notes notes = {.wraps = wrap, .links = link};
    uint64_t number[4];
    for (uint32_t i = 0; wrap && i < wraps->size; i++)
        if (read_numbers(&wraps->ptr[i], number, 2))
            wrap[notes.wraps_count++] = (struct copy_wrap){(size_t)number[0], (size_t)number[1]};
    for (uint32_t i = 0; link && i < links->size; i++)
        if (read_numbers(&links->ptr[i], number, 4) && number[3] <= UINT32_MAX)
            link[notes.links_count++] = (struct copy_link){(size_t)number[0], (size_t)number[1],
                                                           (size_t)number[2], (uint32_t)number[3]};
    if (wrap && link)
        copy_add(copy, text->via.str.ptr, text->via.str.size, &notes, error);
    else
        bj_fail(error, -ENOMEM, "out of memory for the text of this pane");
    free(wrap);
    free(link);
}

static void add_targets(struct copy *copy, const msgpack_object *result, struct bj_error *error)
{
    const msgpack_object_array *targets = list_of(result, "targets");
    for (uint32_t i = 0; i < targets->size && error->code == 0; i++) {
        const msgpack_object *pair = &targets->ptr[i];
        if (pair->type != MSGPACK_OBJECT_ARRAY || pair->via.array.size != 2)
            continue;
        const msgpack_object *id = &pair->via.array.ptr[0], *url = &pair->via.array.ptr[1];
        if (id->type == MSGPACK_OBJECT_POSITIVE_INTEGER && id->via.u64 <= UINT32_MAX &&
            url->type == MSGPACK_OBJECT_STR)
            copy_target(copy, (uint32_t)id->via.u64, url->via.str.ptr, url->via.str.size, error);
    }
}

static void on_captured(struct bj_rpc *rpc, const msgpack_object *error,
                        const msgpack_object *result, void *argument)
{
    struct pane_link *link = argument;
    struct dashboard *dashboard = link->dashboard;
    struct copy *copy = &dashboard->control.copy;
    if (rpc->closing || !copy->open || !copy->loading || strcmp(copy->id, link->id) != 0)
        return;
    struct bj_error why = {0};
    const msgpack_object *text = bj_get(result, "text"), *next = bj_get(result, "next");
    if (error)
        bj_rpc_error_read(error, &why);
    else if (!text || text->type != MSGPACK_OBJECT_STR)
        bj_fail(&why, -EPROTO, "its monitor sent no text");
    else
        add_text(copy, text, result, &why);
    if (why.code == 0)
        add_targets(copy, result, &why);
    if (why.code == 0)
        add_marks(copy, COPY_PROMPT, bj_get(result, "prompts"), &why);
    if (why.code == 0)
        add_marks(copy, COPY_REQUEST, bj_get(result, "requests"), &why);
    uint64_t from = bj_get_uint(result, "next", 0);
    if (why.code == 0 && next && next->type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
        from <= link->copied)
        bj_fail(&why, -EPROTO, "its monitor sends the same lines again");
    if (why.code) {
        control_note(&dashboard->control, dashboard_now(dashboard), true, "%.240s", why.text);
        copy_close(copy);
    } else if (next && next->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        link->copied = from;
        ask(link, from);
    } else {
        const struct rect *rect =
            layout_pane(&dashboard->layout, dashboard->control.selected_index);
        copy_loaded(copy, rect ? rect->rows - 2 : 1, (size_t)link->pane.screen.view_offset);
    }
    dashboard_touch(dashboard, true);
}

/* ---- what becomes of the selection ---- */

static void leave(struct dashboard *dashboard, char *text)
{
    free(text);
    copy_close(&dashboard->control.copy);
    dashboard->view.everything = true;
}

static void to_clipboard(struct dashboard *dashboard, char *text, size_t size)
{
    struct control *control = &dashboard->control;
    int status = term_copy(text, size);
    uint64_t now = dashboard_now(dashboard);
    if (status == -EMSGSIZE)
        control_note(
            control, now, true,
            "not copied: %zu bytes are more than a clipboard takes; %s saves them to a file", size,
            keys_first(0, ACTION_COPY_SAVE).text);
    else if (status == -ENOTSUP)
        control_note(control, now, true,
                     "not copied: this terminal has no clipboard; %s saves to a file",
                     keys_first(0, ACTION_COPY_SAVE).text);
    else if (status < 0)
        control_note(control, now, true, "not copied: out of memory");
    else
        control_note(control, now, false, "%zu bytes sent to the clipboard of your terminal", size);
    if (status == 0)
        leave(dashboard, text);
    else
        free(text);
}

/* Nothing that is there is overwritten, and no link is followed. */
static void to_file(struct dashboard *dashboard, const char *name, char *text, size_t size)
{
    struct control *control = &dashboard->control;
    char path[BJ_PATH_MAX];
    int failed = -bj_path_home(path, sizeof(path), NULL, name);
    int file = failed ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (!failed)
        failed = file < 0 ? errno : -bj_file_write(file, text, size);
    if (file >= 0 && close(file) < 0 && !failed)
        failed = errno;
    uint64_t now = dashboard_now(dashboard);
    if (failed) {
        if (file >= 0)
            unlink(path);
        control_note(control, now, true, "not saved to %.200s: %s", path, strerror(failed));
        free(text);
        return;
    }
    control_note(control, now, false, "%zu bytes saved to %.200s", size, path);
    leave(dashboard, text);
}

void copy_order(struct dashboard *dashboard, const struct order *order)
{
    struct control *control = &dashboard->control;
    if (order->kind == ORDER_CAPTURE) {
        struct pane_link *link = panes_find(dashboard, order->id);
        if (link && link->open && !link->rpc.closing) {
            link->copied = 0;
            ask(link, 0);
            return;
        }
        copy_close(&control->copy);
        control_note(control, dashboard_now(dashboard), true,
                     "there is no connection to this pane's monitor");
        return;
    }
    size_t size;
    char *text = control->copy.open ? copy_text(&control->copy, &size) : NULL;
    if (!text)
        return;
    if (order->kind == ORDER_COPY)
        to_clipboard(dashboard, text, size);
    else
        to_file(dashboard, order->text, text, size);
}
