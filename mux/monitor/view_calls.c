#include "mux/monitor/view_calls.h"

#include <errno.h>
#include <string.h>

#include "mux/monitor/capture.h"
#include "mux/monitor/monitor.h"
#include "mux/monitor/view_frame.h"
#include "transport/pack.h"

#define CAPTURE_PART (1024U * 1024)
#define KEY_BYTES    64U /* no key or mouse event is longer */

struct call {
    struct monitor *monitor;
    struct view_client *client;
    struct bj_rpc *rpc;
    uint32_t id;
    const msgpack_object *params;
};

static void fail(const struct call *call, int code, const char *text)
{
    struct bj_error error = {0};
    bj_fail(&error, code, "%s", text);
    bj_rpc_error(call->rpc, call->id, &error);
}

static void done(const struct call *call)
{
    bj_rpc_done(call->rpc, call->id);
}

/* The human at this client acts on the pane: it gets the size that he has room for. */
static void take_size(const struct call *call)
{
    call->client->acted = ++call->monitor->view.acts;
    view_size(call->monitor);
}

static void wish_size(const struct call *call)
{
    call->client->wish_rows = (int)bj_get_uint(call->params, "rows", 0);
    call->client->wish_cols = (int)bj_get_uint(call->params, "cols", 0);
    view_size(call->monitor);
}

/* Whether input may come from this client, and `size` bytes of it fit. Answers the call if not. */
static bool may_send(const struct call *call, size_t size)
{
    if (call->client->readonly) {
        fail(call, -EPERM, "this client attached read-only");
        return false;
    }
    if (bj_ring_room(&call->monitor->link.input) < size) {
        fail(call, -ENOBUFS,
             "the agent does not read its input, too much waits for it: try again later");
        return false;
    }
    if (!link_is_up(call->monitor) && call->monitor->agent.exited) {
        fail(call, -ESRCH, "the agent has ended: nobody reads what is typed");
        return false;
    }
    if (call->client->typed_count == VIEW_TYPED_MAX) {
        fail(call, -EBUSY, "what was typed before has not reached the agent yet: try again later");
        return false;
    }
    call->client->sent_at = 0; /* the echo is not paced */
    return true;
}

/* The same for what a human types. */
static bool may_type(const struct call *call, size_t size)
{
    bool may = may_send(call, size);
    if (may)
        take_size(call);
    return may;
}

static void attach(const struct call *call)
{
    struct view_client *client = call->client;
    client->readonly |= bj_get_bool(call->params, "readonly", false); /* for good */
    client->attached = true;
    client->hidden = false;
    client->offset = 0;
    view_frame_forget(client);
    wish_size(call);
    msgpack_packer *packer = bj_rpc_result(call->rpc, call->id);
    if (packer) {
        msgpack_pack_map(packer, 3);
        bj_pack_key_int(packer, "rows", call->monitor->terminal->rows);
        bj_pack_key_int(packer, "cols", call->monitor->terminal->cols);
        bj_pack_key_str(packer, "title", call->monitor->terminal->title);
        bj_rpc_send(call->rpc);
    }
    view_changed(call->monitor);
}

static void size(const struct call *call)
{
    wish_size(call);
    done(call);
}

static void take(const struct call *call)
{
    take_size(call);
    done(call);
}

static void hide(const struct call *call)
{
    call->client->hidden = true;
    view_size(call->monitor);
    done(call);
}

static void show(const struct call *call)
{
    call->client->hidden = false;
    view_size(call->monitor);
    view_frame_forget(call->client);
    done(call);
    view_changed(call->monitor);
}

static void ack(const struct call *call)
{
    uint64_t frame = bj_get_uint(call->params, "frame", 0);
    if (frame > call->client->frame) {
        fail(call, -EINVAL, "frame is not one that was sent");
        return;
    }
    if (frame > call->client->acked)
        call->client->acked = frame;
    done(call);
    view_changed(call->monitor);
}

static void scroll(const struct call *call)
{
    uint64_t offset = bj_get_uint(call->params, "offset", 0);
    size_t history = terminal_history(call->monitor->terminal);
    call->client->offset = offset < history ? (size_t)offset : history;
    call->client->pushed = call->monitor->terminal->scrollback.pushed;
    call->client->view_stale = true;
    msgpack_packer *packer = bj_rpc_result(call->rpc, call->id);
    if (packer) {
        msgpack_pack_map(packer, 1);
        bj_pack_key_uint(packer, "offset", call->client->offset);
        bj_rpc_send(call->rpc);
    }
    view_changed(call->monitor);
}

/* The answer is a promise, so it waits while the input is in our memory alone. */
static void typed(const struct call *call, bool breaks)
{
    struct view_client *client = call->client;
    control_input(call->monitor, breaks);
    if (link_input_sent(call->monitor) || call->id == BJ_RPC_NO_REPLY) {
        done(call);
        return;
    }
    client->typed[client->typed_count++] = call->id;
    call->monitor->view.promised = true;
}

void view_input_sent(struct monitor *monitor)
{
    if (!monitor->view.promised)
        return;
    monitor->view.promised = false;
    for (struct view_client *client = monitor->view.clients; client; client = client->next) {
        for (size_t i = 0; i < client->typed_count; i++)
            bj_rpc_done(&client->rpc, client->typed[i]);
        client->typed_count = 0;
    }
}

static void input(const struct call *call)
{
    size_t length = 0;
    const char *bytes = bj_get_bytes(call->params, "bytes", &length);
    if (!may_type(call, length))
        return;
    monitor_input(call->monitor, bytes, length);
    typed(call, length == 1 && (bytes[0] == '\033' || bytes[0] == '\003'));
}

static void key(const struct call *call)
{
    char name[17];
    bj_get_copy(call->params, "key", name, sizeof(name));
    if (!may_type(call, KEY_BYTES))
        return;
    unsigned mods = (unsigned)bj_get_uint(call->params, "mods", 0);
    if (terminal_key(call->monitor->terminal, name, mods) < 0)
        fail(call, -EINVAL, "key is neither one character nor the name of a key");
    else
        typed(call,
              mods ? mods == BJ_MOD_CTRL && strcmp(name, "c") == 0 : strcmp(name, "escape") == 0);
}

static void paste(const struct call *call)
{
    size_t length = 0;
    const char *text = bj_get_bytes(call->params, "text", &length);
    if (!may_type(call, length + KEY_BYTES))
        return;
    terminal_paste(call->monitor->terminal, text, length);
    typed(call, false);
}

static void mouse(const struct call *call)
{
    const msgpack_object *action = bj_get(call->params, "action");
    enum terminal_mouse what;
    if (bj_is_str(action, "press"))
        what = TERMINAL_MOUSE_PRESS;
    else if (bj_is_str(action, "release"))
        what = TERMINAL_MOUSE_RELEASE;
    else if (bj_is_str(action, "move"))
        what = TERMINAL_MOUSE_MOTION;
    else {
        fail(call, -EINVAL, "action is neither press, release nor move");
        return;
    }
    if (!may_type(call, 2 * KEY_BYTES))
        return;
    terminal_mouse(call->monitor->terminal, what, (int)bj_get_uint(call->params, "button", 0),
                   (int)bj_get_uint(call->params, "row", 0),
                   (int)bj_get_uint(call->params, "col", 0),
                   (unsigned)bj_get_uint(call->params, "mods", 0));
    done(call);
}

static void focus(const struct call *call)
{
    bool focused = bj_get_bool(call->params, "focused", false);
    if (!(focused ? may_type : may_send)(call, KEY_BYTES))
        return;
    terminal_focus(call->monitor->terminal, focused);
    done(call);
}

#define MARKS_MAX 4096 /* of one part */

static void pack_marks(msgpack_packer *packer, const struct call *call, const char *key,
                       uint32_t mark, size_t from, size_t to)
{
    size_t *lines = malloc(MARKS_MAX * sizeof(*lines));
    bool scrollback = bj_get_bool(call->params, "scrollback", false);
    size_t count =
        lines ? capture_marks(call->monitor->terminal, scrollback, mark, from, to, lines, MARKS_MAX)
              : 0;
    bj_pack_str(packer, key);
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++)
        msgpack_pack_uint64(packer, lines[i]);
    free(lines);
}

#define WRAPS_MAX 16384 /* of one part */
#define LINKS_MAX 8192

_Static_assert(LINKS_MAX >= GRID_COLS_MAX, "the links of one line fit into a part");

static void pack_wraps(msgpack_packer *packer, const struct capture_notes *notes)
{
    bj_pack_str(packer, "wraps");
    msgpack_pack_array(packer, notes->wraps_count);
    for (size_t i = 0; i < notes->wraps_count; i++) {
        msgpack_pack_array(packer, 2);
        msgpack_pack_uint64(packer, notes->wraps[i].line);
        msgpack_pack_uint64(packer, notes->wraps[i].blanks);
    }
}

static void pack_links(msgpack_packer *packer, const struct capture_notes *notes)
{
    bj_pack_str(packer, "links");
    msgpack_pack_array(packer, notes->links_count);
    for (size_t i = 0; i < notes->links_count; i++) {
        const struct capture_link *link = &notes->links[i];
        msgpack_pack_array(packer, 4);
        msgpack_pack_uint64(packer, link->line);
        msgpack_pack_uint32(packer, link->byte);
        msgpack_pack_uint32(packer, link->size);
        msgpack_pack_uint32(packer, link->link);
    }
}

/* Those that the part's links lead to, each once. */
static void pack_targets(msgpack_packer *packer, const struct capture_notes *notes,
                         const struct hyperlinks *links)
{
    uint32_t ids[HYPERLINKS_KEPT], count = 0;
    bool used[HYPERLINKS_KEPT] = {false};
    for (size_t i = 0; i < notes->links_count; i++) {
        uint32_t id = notes->links[i].link;
        if (!used[id % HYPERLINKS_KEPT])
            ids[count++] = id;
        used[id % HYPERLINKS_KEPT] = true;
    }
    bj_pack_str(packer, "targets");
    msgpack_pack_array(packer, count);
    for (uint32_t i = 0; i < count; i++) {
        msgpack_pack_array(packer, 2);
        msgpack_pack_uint32(packer, ids[i]);
        bj_pack_str(packer, hyperlinks_get(links, ids[i]));
    }
}

static void capture_text(const struct call *call)
{
    struct terminal *terminal = call->monitor->terminal;
    bool scrollback = bj_get_bool(call->params, "scrollback", false);
    size_t lines = capture_lines(terminal, scrollback);
    uint64_t from = bj_get_uint(call->params, "from", 0);
    struct bytes text = {0};
    struct capture_notes notes = {.wraps = malloc(WRAPS_MAX * sizeof(*notes.wraps)),
                                  .wraps_room = WRAPS_MAX,
                                  .links = malloc(LINKS_MAX * sizeof(*notes.links)),
                                  .links_room = LINKS_MAX};
    text.failed = !notes.wraps || !notes.links;
    size_t next = capture(terminal, scrollback, bj_get_bool(call->params, "ansi", false),
                          from < lines ? (size_t)from : lines, CAPTURE_PART, &text, &notes);
    msgpack_packer *packer = text.failed ? NULL : bj_rpc_result(call->rpc, call->id);
    if (text.failed)
        fail(call, -ENOMEM, "out of memory");
    if (packer) {
        msgpack_pack_map(packer, 12);
        pack_wraps(packer, &notes);
        pack_links(packer, &notes);
        pack_targets(packer, &notes, &terminal->styles.links);
        pack_marks(packer, call, "prompts", ATTRIBUTE_PROMPT, from, next);
        pack_marks(packer, call, "requests", ATTRIBUTE_REQUEST, from, next);
        bj_pack_str(packer, "text");
        bj_pack_strn(packer, text.data ? (const char *)text.data : "", text.size);
        bj_pack_str(packer, "next");
        if (next < lines)
            msgpack_pack_uint64(packer, next);
        else
            msgpack_pack_nil(packer);
        bj_pack_key_uint(packer, "lines", lines);
        bj_pack_key_int(packer, "rows", terminal->rows);
        bj_pack_key_int(packer, "cols", terminal->cols);
        bj_pack_key_int(packer, "row", terminal->row);
        bj_pack_key_int(packer, "col", terminal->col);
        bj_rpc_send(call->rpc);
    }
    free(notes.wraps);
    free(notes.links);
    bytes_free(&text);
}

static const struct {
    const char *name;
    void (*run)(const struct call *call);
} methods[] = {
    {"view.attach", attach},
    {"view.size", size},
    {"view.take", take},
    {"view.hide", hide},
    {"view.show", show},
    {"view.ack", ack},
    {"view.scroll", scroll},
    {"view.input", input},
    {"view.key", key},
    {"view.paste", paste},
    {"view.mouse", mouse},
    {"view.focus", focus},
    {"view.capture", capture_text},
};

void view_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
               const msgpack_object *params)
{
    struct view_client *client = rpc->owner;
    const struct call call = {
        .monitor = client->monitor, .client = client, .rpc = rpc, .id = id, .params = params};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(methods[i].name, method->name) == 0)
            methods[i].run(&call);
}
