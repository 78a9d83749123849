/*
 * The client API as a table: every MessagePack-RPC method of the server and of the monitor, with
 * its parameters, limits and result. `api.info` serves the table itself, the checks of incoming
 * calls come from it, and so does docs/PROTOCOL.md.
 *
 * A call carries exactly one parameter, a map of the named fields below. Strings are UTF-8.
 * An error is the map {code: int (negative errno), message: str}.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <msgpack.h>

#include "transport/error.h"

#define BJ_PARAMS_MAX 24

#define BJ_SESSION_DEFAULT "main" /* where a call or a client names none */

enum bj_param_type {
    BJ_PARAM_STR = 1,
    BJ_PARAM_UINT,
    BJ_PARAM_BOOL,
    BJ_PARAM_BIN,
    BJ_PARAM_STRS, /* list of strings */
};

struct bj_param {
    const char *name;
    enum bj_param_type type;
    bool required;
    uint64_t limit; /* greatest value of a UINT, bytes of a STR or BIN, strings in a list */
    const char *doc;
};

struct bj_method {
    const char *name; /* NULL ends a table */
    const char *doc;
    const char *result; /* what the result is, in words */
    struct bj_param params[BJ_PARAMS_MAX];
};

struct bj_notification {
    const char *name; /* NULL ends a table */
    const char *doc;
    const char *fields;
};

extern const struct bj_method bj_api_server[];  /* RUNTIME/server.sock */
extern const struct bj_method bj_api_view[];    /* RUNTIME/ID/view.sock */
extern const struct bj_method bj_api_control[]; /* RUNTIME/ID/control.sock */
extern const struct bj_method bj_api_egress[];  /* RUNTIME/egress.sock: belljar-egress calls */

extern const struct bj_notification bj_events_server[];
extern const struct bj_notification bj_events_view[];
extern const struct bj_notification bj_events_control[];
extern const struct bj_notification bj_events_egress[];

const struct bj_method *bj_method_find(const struct bj_method *table, const char *name,
                                       size_t size);

/* -EINVAL with a sentence that names the parameter when `params` does not fit the table. */
int bj_method_check(const struct bj_method *method, const msgpack_object *params,
                    struct bj_error *error);

/* Packs the table as api.info returns it. */
void bj_api_pack(msgpack_packer *packer, const struct bj_method *methods,
                 const struct bj_notification *events);

const char *bj_param_type_name(enum bj_param_type type);

/* Modifier bits of view.key and view.mouse. */
enum { BJ_MOD_SHIFT = 1, BJ_MOD_ALT = 2, BJ_MOD_CTRL = 4 };

/* Cell attribute flags and the colour encoding of the `attr` redraw event. */
enum {
    BJ_ATTR_BOLD = 1,
    BJ_ATTR_DIM = 2,
    BJ_ATTR_ITALIC = 4,
    BJ_ATTR_UNDERLINE = 8, /* any style */
    BJ_ATTR_BLINK = 16,
    BJ_ATTR_REVERSE = 32,
    BJ_ATTR_STRIKE = 64,
    BJ_ATTR_CONCEAL = 128,
    BJ_ATTR_UNDERLINE_DOUBLE = 256, /* with BJ_ATTR_UNDERLINE */
    BJ_ATTR_UNDERLINE_CURLY = 512,  /* with BJ_ATTR_UNDERLINE */
};
#define BJ_COLOR_DEFAULT     0U
#define BJ_COLOR_PALETTE     0x01000000U /* | index 0..255 */
#define BJ_COLOR_RGB         0x02000000U /* | 0xRRGGBB */
#define BJ_COLOR_KIND(color) ((color)&0xff000000U)

/* Bits of the `mode` redraw event: what the agent's terminal has switched on. */
enum {
    BJ_MODE_ALTSCREEN = 1,
    BJ_MODE_MOUSE_CLICK = 2,
    BJ_MODE_MOUSE_DRAG = 4,
    BJ_MODE_MOUSE_MOVE = 8,
    BJ_MODE_PASTE = 16, /* bracketed paste */
    BJ_MODE_FOCUS = 32, /* focus reports */
    BJ_MODE_SYNC = 64,  /* a synchronized update is open */
};
