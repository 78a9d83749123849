/* The methods of view.sock. */
#pragma once

#include "transport/rpc.h"

void view_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
               const msgpack_object *params);
