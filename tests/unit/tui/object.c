#include "suite.h"

#include <string.h>

#include <jansson.h>

#include "transport/pack.h"

static void pack(msgpack_packer *packer, const json_t *json)
{
    size_t index;
    const char *key;
    json_t *value;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        msgpack_pack_map(packer, json_object_size(json));
        json_object_foreach((json_t *)json, key, value)
        {
            bj_pack_str(packer, key);
            pack(packer, value);
        }
        break;
    case JSON_ARRAY:
        msgpack_pack_array(packer, json_array_size(json));
        json_array_foreach(json, index, value) pack(packer, value);
        break;
    case JSON_STRING:
        bj_pack_strn(packer, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        msgpack_pack_int64(packer, json_integer_value(json));
        break;
    case JSON_REAL:
        msgpack_pack_double(packer, json_real_value(json));
        break;
    case JSON_TRUE:
        msgpack_pack_true(packer);
        break;
    case JSON_FALSE:
        msgpack_pack_false(packer);
        break;
    default:
        msgpack_pack_nil(packer);
    }
}

static msgpack_unpacked unpacked;
static msgpack_sbuffer buffer;

static void drop(void)
{
    msgpack_unpacked_destroy(&unpacked);
    msgpack_sbuffer_destroy(&buffer);
}

const msgpack_object *object(const char *text)
{
    static bool used;
    json_error_t error;
    json_t *json = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    ck_assert_msg(json != NULL, "%s: %s", error.text, text);
    if (used)
        drop();
    else
        atexit(drop);
    used = true;
    msgpack_unpacked_init(&unpacked);
    msgpack_sbuffer_init(&buffer);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    pack(&packer, json);
    json_decref(json);
    size_t offset = 0;
    ck_assert_int_eq(msgpack_unpack_next(&unpacked, buffer.data, buffer.size, &offset),
                     MSGPACK_UNPACK_SUCCESS);
    return &unpacked.data;
}
